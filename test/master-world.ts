/**
 * A master of jobs, as a test sees it: hosts a and b, and processes and commands that are the test's.
 *
 * Owns: what those say by themselves. What they are told is kept, for the test to look at.
 */
import assert from "node:assert/strict";
import type { PeerIdentity } from "../net/link.ts";
import { memoryLinks } from "../net/memory-links.ts";
import { type Handlers, Rpc } from "../net/rpc.ts";
import { JobMaster } from "../pvmd/job-master.ts";
import { MemoryStore } from "../pvmd/memory-store.ts";
import type { Caller } from "../pvmd/pvmd.ts";
import { VirtualMachine } from "../pvmd/virtual-machine.ts";
import { UpvmError } from "../wire/errors.ts";
import type { JobWish } from "../wire/job.ts";
import { LINK_ABI } from "../wire/layout.ts";
import { tidBaseOf, tidOf } from "../wire/pvm.ts";

export const MODULE = new Uint8Array([1, 2, 3]);
/** A hash that is easy to make: as good as any to the master. */
export const hashOf = (wasm: Uint8Array): string => String(wasm[0]).padStart(64, "0");
const turn = (): Promise<void> => new Promise((go) => setImmediate(go));
export const settled = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await turn();
};

export class World {
  readonly modules = new Map<string, Uint8Array>();
  readonly started: string[] = [];
  /** Kinds of links that processes were told. */
  readonly links: string[] = [];
  /** Where hosts listen. */
  readonly addresses = ["tcp:a:1", "tcp:b:1"];
  readonly killed: string[] = [];
  /** Hosts that are about to go. */
  readonly leaving: string[] = [];
  /** Hosts that start no process. */
  readonly broken: string[] = [];
  /** What the master does when an answer is late; nothing is, unless the test says so. */
  readonly late: (() => void)[] = [];
  readonly hosts = ["a", "b"].map((name, i) => ({ name, tid: tidBaseOf(i + 1), cores: 1 }));
  readonly store = new MemoryStore();
  readonly master: JobMaster;
  readonly machine: VirtualMachine;
  /** A module is found when this resolves. */
  slow: Promise<void> | undefined;
  nowMs = 0;

  constructor() {
    const { hosts } = this;
    this.master = new JobMaster({
      nowMs: () => this.nowMs,
      hosts: () => hosts,
      isLeaving: (host) => this.leaving.includes(host),
      addresses: () => this.addresses,
      startProcess: async (host, job, member, { link }) => {
        this.links.push(link);
        if (this.broken.includes(host)) throw new UpvmError("JOB_NOT_RUN", { why: "no memory" });
        this.started.push(`${member} of ${job} on ${host}`);
      },
      killProcess: (host, job, member) => this.killed.push(`${member} of ${job} on ${host}`),
      modules: {
        find: async (hash) => {
          await this.slow;
          return this.modules.get(hash);
        },
        keep: (hash, wasm) =>
          hash === hashOf(wasm) ? void this.modules.set(hash, wasm) : "its hash is another",
        hashOf,
      },
      store: this.store,
      after: (_, run) => run(),
      log: () => {},
    });
    const facts = hosts.map(({ name, tid }) => ({ name, tid, machine: "x64", engines: 1 }));
    const table = { all: () => facts, check: async () => [], add: async () => [], remove: async () => 0 };
    const rest = { clock: async () => undefined, halt: () => {} };
    this.machine = new VirtualMachine(this.store, { ...table, ...rest }, this.master.jobWorld());
    this.master.attach(this.machine);
  }

  /** A peer's side of a link to the master. */
  peer(identity: PeerIdentity, handlers: Handlers = {}): Rpc & { cut: () => void } {
    const { a, b, cut } = memoryLinks(identity, { role: "pvmd", vm: "lab", host: "a" });
    const caller: Caller = {
      peer: b.peer,
      get rpc() {
        return served;
      },
    };
    const after = (_: number, run: () => void) => {
      this.late.push(run);
      return () => {};
    };
    const served: Rpc = new Rpc(b, this.master.handlers(caller), { after });
    void served.closed.then(() => this.master.ended(caller));
    return Object.assign(new Rpc(a, handlers), { cut });
  }

  command(handlers: Handlers = {}): Rpc & { cut: () => void } {
    return this.peer({ role: "command", vm: "", host: "a" }, handlers);
  }
}

/** An application process. */
export class Member {
  readonly rpc: Rpc & { cut: () => void };
  readonly told: string[] = [];
  readonly programs: string[] = [];
  answers = true;

  /** @param more  what else it answers */
  constructor(world: World, host: string, job: number, member: number, more: Handlers = {}) {
    const told = (what: string) => () => {
      this.told.push(what);
      return { body: undefined };
    };
    this.rpc = world.peer(
      { role: "process", vm: "lab", host, job, member },
      {
        jobBegin: ({ members }) => told(`begin ${members.map((one) => one.address).join()}`)(),
        jobFinish: told("finish"),
        jobStop: ({ reason }) => told(`stop ${reason}`)(),
        jobLost: (lost) => told(`lost ${lost.member}`)(),
        ulpAnswer: ({ kind, value }) => told(`answer ${kind} ${value}`)(),
        plugins: told("plugins"),
        programLoad: ({ row, name }) => {
          this.programs.push(`${row} ${name}`);
          return { body: {} };
        },
        jobTasks: () =>
          this.answers
            ? { body: { tasks: [[tidOf(member), "blocked", "waits", 0]] } }
            : new Promise(() => {}),
        jobKnown: () => ({ body: {} }),
        jobWave: () => ({ body: { idle: true, sent: [], received: [] } }),
        ...more,
      },
    );
  }

  async begin(address: string): Promise<void> {
    await this.rpc.request("processHello", { address, abi: LINK_ABI });
    this.rpc.tell("processReady", {});
    await settled();
  }

  async end(ulp: number): Promise<void> {
    this.rpc.tell("ulpsEnded", { ended: [[tidOf(ulp), 0, 0]] });
    await settled();
  }
}

export function wish(more: Partial<JobWish> = {}): JobWish {
  const plain = {
    name: "p",
    hash: hashOf(MODULE),
    link: "tcp",
    input: false,
    tag: false,
    place: "block",
  } as const;
  return { ...plain, ulps: 2, args: [], env: [], grants: [], handoff: true, framesBytes: 1 << 20, ...more };
}

export async function fails(asked: Promise<unknown>, pattern: RegExp): Promise<void> {
  const error = await asked.then(
    () => assert.fail("it was done"),
    (problem: unknown) => problem,
  );
  assert.match((error as Error).message, pattern);
}

/** A job of two processes that has begun. @param handlers  what its command answers; `more`: what its processes do */
export async function running(handlers: Handlers = {}, more: Handlers = {}) {
  const world = new World();
  world.modules.set(hashOf(MODULE), MODULE);
  const command = world.command({ jobBegun: () => ({ body: undefined }), ...handlers });
  const over = command.request("run", wish(), undefined, 0);
  await settled();
  const members = [new Member(world, "a", 1, 0, more), new Member(world, "b", 1, 1, more)] as const;
  await members[0].begin("tcp:a:1");
  await members[1].begin("tcp:b:2");
  return { world, command, over, members };
}
