/**
 * The own thread of an application process, which node-application.ts starts.
 *
 * Owns: the process's sockets. What it does is application.ts.
 */
import { randomUUID } from "node:crypto";
import { rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import * as v from "valibot";
import type { Link, PeerIdentity } from "../net/link.ts";
import { connect, type Listener, listen } from "../net/node-links.ts";
import { type Handlers, Rpc } from "../net/rpc.ts";
import { RemoteStore } from "../pvmd/remote-store.ts";
import { EXIT, UpvmError } from "../wire/errors.ts";
import { JOB, LINK_KIND, MEMBER } from "../wire/job.ts";
import { LIMITS } from "../wire/limits.ts";
import { isLoopback } from "./addresses.ts";
import { type ApplicationEdge, runApplication } from "./application.ts";
import type { TurnWatch } from "./engine-thread.ts";
import { ModuleStore } from "./node-module-store.ts";
import { nodePages } from "./node-pages.ts";
import { stopAt } from "./node-stop-at.ts";

const SETUP = v.strictObject({
  vm: v.string(),
  host: v.string(),
  job: JOB,
  member: MEMBER,
  /** Hexadecimal. */
  key: v.pipe(v.string(), v.regex(/^([0-9a-f]{2})+$/)),
  /** Address of the master. */
  master: v.string(),
  /** The host's home folder. */
  folder: v.string(),
  /** Where the others of the job reach this process: kind of link, and for tcp and tls the address to listen on. */
  link: LINK_KIND,
  listen: v.string(),
});
export type ApplicationSetup = v.InferOutput<typeof SETUP>;

/** What the thread begins with. */
export interface ThreadSetup {
  /** ApplicationSetup. */
  readonly setup: unknown;
  /** TURN. */
  readonly words: Int32Array<SharedArrayBuffer>;
}

const STDERR_FD = 2;

async function main({ setup, words }: ThreadSetup, port: MessagePort): Promise<void> {
  const edge = new NodeApplication(v.parse(SETUP, setup), { words, start: (ctl) => port.postMessage(ctl) });
  try {
    await runApplication(edge);
    edge.close();
    process.exit(EXIT.ok);
  } catch (error) {
    await edge.failed(error);
    edge.close();
    process.exit(error instanceof UpvmError ? EXIT.failed : EXIT.bug);
  }
}

class NodeApplication implements ApplicationEdge {
  readonly member: number;
  private readonly setup: ApplicationSetup;
  private readonly modules: ModuleStore;
  private readonly key: Uint8Array;
  readonly store = new RemoteStore(randomUUID(), (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  });
  private listener: Listener | undefined;
  private rpc: Rpc | undefined;
  readonly turns: TurnWatch;
  readonly pages = nodePages();
  reached: (stage: string) => void = () => {};

  constructor(setup: ApplicationSetup, turns: TurnWatch) {
    this.setup = setup;
    this.turns = turns;
    this.member = setup.member;
    this.key = Uint8Array.fromHex(setup.key);
    this.modules = new ModuleStore(setup.folder);
  }

  private get identity(): PeerIdentity {
    const { vm, host, job, member } = this.setup;
    return { role: "process", vm, host, job, member };
  }

  /** Only a process of the same job has to do with this one. */
  private accept(peer: PeerIdentity): string | undefined {
    const { vm, job } = this.setup;
    const same = peer.role === "process" && peer.vm === vm && peer.job === job && peer.member !== undefined;
    return same ? undefined : `it is a process of job ${job}`;
  }

  async master(handlers: Handlers): Promise<Rpc> {
    const { master: address } = this.setup;
    const link = await connect({ address, identity: this.identity, key: this.key });
    const all: Handlers = { ...handlers, ...this.store.handlers };
    this.rpc = new Rpc(link, all);
    await this.store.attach(this.rpc);
    // Only now: the master is told why that cannot be.
    this.reached = stopAt(process.env["UPVM_STOP_AT"]);
    return this.rpc;
  }

  async listen(onLink: (link: Link) => void): Promise<string> {
    const { link, listen: host, folder, job, member } = this.setup;
    const address = link === "unix" ? `unix:${join(folder, `job-${job}-${member}`)}` : `${link}:${host}:0`;
    const accept = (peer: PeerIdentity) => this.accept(peer);
    this.listener = await listen({ address, identity: () => this.identity, key: this.key, accept }, onLink);
    return this.listener.address;
  }

  async connect(address: string): Promise<Link> {
    const accept = (peer: PeerIdentity) => this.accept(peer);
    try {
      return await connect({ address, identity: this.identity, key: this.key, accept });
    } catch (error) {
      if (!(error instanceof UpvmError && error.code === "CANNOT_CONNECT" && isLoopback(address)))
        throw error;
      const hint =
        "a host that listens on 127.0.0.1 is reached from its own machine only: start it with --listen auto";
      throw new UpvmError("CANNOT_CONNECT", { ...error.facts, hint });
    }
  }

  findModule(hash: string): Promise<Uint8Array | undefined> {
    return this.modules.find(hash);
  }

  async keepModule(hash: string, wasm: Uint8Array): Promise<void> {
    this.modules.keep(hash, wasm);
  }

  after(ms: number, run: () => void): void {
    setTimeout(run, ms);
  }

  nowMs(): number {
    return performance.now();
  }

  dayMs(): number {
    return performance.timeOrigin + performance.now();
  }

  availableBytes(wantedBytes: number): number {
    const now = performance.now();
    const isLittle = wantedBytes < this.available / LIMITS.memoryParts;
    // It is in files of the system, and asked for twice in a move.
    if (now >= this.lookedMs + (isLittle ? LIMITS.memoryOldMs : LIMITS.memoryLookMs)) {
      this.available = process.availableMemory();
      this.lookedMs = now;
    }
    return this.available;
  }
  private available = 0;
  private lookedMs = Number.NEGATIVE_INFINITY;

  /** Tells the master why this process cannot go on. */
  async failed(error: unknown): Promise<void> {
    const known = error instanceof UpvmError;
    const text =
      error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error);
    // A stream of this thread would not outlive it.
    writeSync(STDERR_FD, `${text}\n`);
    this.rpc?.tell("processFailed", {
      code: known ? error.code : "",
      facts: known ? { ...error.facts } : {},
      text: text.slice(0, LIMITS.rpcTextLength),
    });
    this.rpc?.link.close();
    await this.rpc?.closed;
  }

  close(): void {
    void this.listener?.close();
    const { link, folder, job, member } = this.setup;
    if (link === "unix") rmSync(join(folder, `job-${job}-${member}`), { force: true });
  }
}

if (parentPort !== null) await main(workerData as ThreadSetup, parentPort);
