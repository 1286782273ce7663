/**
 * The own thread of an application process, which node-application.ts starts.
 *
 * Owns: its link to the master, its clock and memory. Links to others are node-job-links.ts; what it does is application.ts.
 */
import { randomUUID } from "node:crypto";
import { writeSync } from "node:fs";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import * as v from "valibot";
import type { Link } from "../net/link.ts";
import { connect } from "../net/node-links.ts";
import { type Handlers, Rpc } from "../net/rpc.ts";
import { RemoteStore } from "../pvmd/remote-store.ts";
import { EXIT, UpvmError } from "../wire/errors.ts";
import { JOB, LINK_KIND, MEMBER, ROUTE } from "../wire/job.ts";
import { LIMITS } from "../wire/limits.ts";
import type { JobPeer } from "../wire/rpc-job.ts";
import { type ApplicationEdge, runApplication } from "./application.ts";
import type { TurnWatch } from "./engine-thread.ts";
import type { Way } from "./linking.ts";
import { JobLinks } from "./node-job-links.ts";
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
  /** How the others of the job reach this process: kind of link, for tcp and tls the address to listen on, and its way. */
  link: LINK_KIND,
  listen: v.string(),
  route: ROUTE,
  /** Address of the host's own pvmd. */
  daemon: v.string(),
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
  private readonly links: JobLinks;
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
    this.links = new JobLinks(setup, this.key, () => {
      writeSync(STDERR_FD, "its daemon is gone\n");
      process.exit(EXIT.failed);
    });
  }

  async master(handlers: Handlers): Promise<Rpc> {
    const { master: address } = this.setup;
    const link = await connect({ address, identity: this.links.identity, key: this.key });
    const all: Handlers = { ...handlers, ...this.store.handlers };
    this.rpc = new Rpc(link, all);
    await this.store.attach(this.rpc);
    // Only now: the master is told why that cannot be.
    this.reached = stopAt(process.env["UPVM_STOP_AT"]);
    return this.rpc;
  }

  listen(onLink: (link: Link) => void): Promise<string> {
    return this.links.listen(onLink);
  }

  connect(to: JobPeer, way: Way): Promise<Link> {
    return this.links.connect(to, way);
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
    this.links.close();
  }
}

if (parentPort !== null) await main(workerData as ThreadSetup, parentPort);
