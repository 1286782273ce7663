/**
 * An application process, as a process: a pvmd starts it (node-processes.ts) for one job.
 *
 * Owns: its sockets, and its end. It is told how by one line of JSON on standard input, which stays open as long as the pvmd
 * lives: when it ends, so does this process. The key is in no argument and in no variable. What it does is application.ts.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type MessagePort, Worker } from "node:worker_threads";
import * as v from "valibot";
import type { Link, PeerIdentity } from "../net/link.ts";
import { connect, type Listener, listen } from "../net/node-links.ts";
import { type Handlers, Rpc } from "../net/rpc.ts";
import { RemoteStore } from "../pvmd/remote-store.ts";
import { demandAttention } from "../runtime/scheduler/mailbox.ts";
import { TURN } from "../runtime/scheduler/turn.ts";
import { EXIT, UpvmError } from "../wire/errors.ts";
import { JOB, MEMBER } from "../wire/job.ts";
import { LIMITS } from "../wire/limits.ts";
import { type ApplicationEdge, runApplication } from "./application.ts";
import type { TurnWatch } from "./engine-thread.ts";
import { ModuleStore } from "./node-module-store.ts";
import { codeExtension } from "./node-package.ts";
import { countExternalMemory } from "./node-process.ts";

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
  link: v.picklist(["unix", "tcp", "tls"]),
  listen: v.string(),
});
export type ApplicationSetup = v.InferOutput<typeof SETUP>;

/** Runs the process, to its end, on a thread of its own: that has the stack that ULPs need, and another can watch it. */
export async function applicationMain(): Promise<void> {
  // Ctrl-C goes to all processes of a terminal; the master tells what to do.
  process.on("SIGINT", () => {});
  const lines = createInterface({ input: process.stdin });
  const [line] = (await once(lines, "line")) as [string];
  lines.on("close", () => process.exit(EXIT.failed));
  countExternalMemory();
  const words = new Int32Array(new SharedArrayBuffer(TURN.words * 4));
  const thread = new Worker(new URL(`./node-application-thread${codeExtension}`, import.meta.url), {
    workerData: { setup: v.parse(SETUP, JSON.parse(line)), words } satisfies ThreadSetup,
    resourceLimits: { stackSizeMb: LIMITS.engineStackMb },
  });
  const watcher = new TurnWatcher(words);
  thread.on("message", (ctl: WebAssembly.Memory) => watcher.start(ctl));
  thread.on("error", (error) => {
    process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
    process.exitCode = EXIT.bug;
  });
  thread.on("exit", (code) => process.exit(process.exitCode ?? code));
}

/** What the thread begins with. */
export interface ThreadSetup {
  readonly setup: ApplicationSetup;
  /** TURN. */
  readonly words: Int32Array<SharedArrayBuffer>;
}

const STDERR_FD = 2;

/** Ends turns of the engine that last. */
class TurnWatcher {
  private readonly words: Int32Array<SharedArrayBuffer>;
  private last = 0;
  private quiet = 0;

  constructor(words: Int32Array<SharedArrayBuffer>) {
    this.words = words;
  }

  start({ buffer }: WebAssembly.Memory): void {
    const ctl = new Int32Array(buffer as SharedArrayBuffer);
    this.quiet = 0;
    const timer = setInterval(() => {
      if (this.look(ctl) || !this.rests()) return;
      clearInterval(timer);
    }, LIMITS.turnMs / 2);
  }

  /** From now on a turn has it start again; false: one that began just now takes it for awake. */
  private rests(): boolean {
    const { words } = this;
    Atomics.store(words, TURN.watched, 0);
    return Atomics.load(words, TURN.running) === 0 || Atomics.exchange(words, TURN.watched, 1) !== 0;
  }

  /** @returns false: nothing has run for some time */
  private look(ctl: Int32Array<SharedArrayBuffer>): boolean {
    const { words } = this;
    const turn = Atomics.load(words, TURN.running);
    if (turn !== 0 && turn === this.last) {
      Atomics.store(words, TURN.over, 1);
      demandAttention(ctl);
    }
    this.quiet = turn === 0 ? this.quiet + 1 : 0;
    this.last = turn;
    return this.quiet < LIMITS.quietLooks;
  }
}

/** What the thread does. */
export async function applicationThread({ setup, words }: ThreadSetup, port: MessagePort): Promise<void> {
  const edge = new NodeApplication(setup, { words, start: (ctl) => port.postMessage(ctl) });
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
    return this.rpc;
  }

  async listen(onLink: (link: Link) => void): Promise<string> {
    const { link, listen: host, folder, job, member } = this.setup;
    const address = link === "unix" ? `unix:${join(folder, `job-${job}-${member}`)}` : `${link}:${host}:0`;
    const accept = (peer: PeerIdentity) => this.accept(peer);
    this.listener = await listen({ address, identity: () => this.identity, key: this.key, accept }, onLink);
    return this.listener.address;
  }

  connect(address: string): Promise<Link> {
    return connect({ address, identity: this.identity, key: this.key, accept: (peer) => this.accept(peer) });
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

  availableBytes(): number {
    return process.availableMemory();
  }

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
