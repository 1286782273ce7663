/**
 * A virtual machine of several hosts on the test's own thread: one process of engines (one-thread.ts) on each, one job over
 * all of them, the real master (pvmd/virtual-machine.ts) and store between them. ULPs are actors.
 *
 * Owns: what a job's edge does in earnest: requests in order, messages between processes, news of ends, and processes that are
 * lost. Where a ULP of another process is, is looked up when a message leaves. Host k is `hosts[k]`, and has member k.
 */
import assert from "node:assert/strict";
import type { HostFacts } from "../pvmd/host.ts";
import { nameOfLine } from "../pvmd/hosts.ts";
import { MemoryStore } from "../pvmd/memory-store.ts";
import { indexOf, jobOf, tidOfJob } from "../pvmd/tids.ts";
import { VirtualMachine } from "../pvmd/virtual-machine.ts";
import { uterminate } from "../runtime/scheduler/end.ts";
import { takeOutside } from "../runtime/scheduler/outside.ts";
import { append } from "../runtime/scheduler/queue.ts";
import { getState, setState, type UlpAt } from "../runtime/scheduler/state.ts";
import { ulpOf } from "../runtime/scheduler/ulp.ts";
import { HEAD, SUSPEND, ULP, ULP_STATE } from "../wire/layout.ts";
import { PVM_ERROR } from "../wire/pvm.ts";
import { TestHost } from "./machine.ts";
import { type Actor, actor, IDLE, leftovers, type Process, processOf } from "./one-thread.ts";

export const HOST_NAMES = ["here", "there", "yonder", "beyond"] as const;

interface Member {
  readonly p: Process;
  readonly host: TestHost;
  readonly hostTid: number;
  lost: boolean;
}

export interface ClusterOptions {
  readonly ulps: number;
  readonly members: number;
  /** The job may use its members' hosts only. */
  readonly closed?: boolean;
}

export class Cluster {
  readonly store = new MemoryStore();
  readonly members: Member[] = [];
  readonly machine: VirtualMachine;
  /** The host table: who has a row is in service. */
  readonly table: HostFacts[] = [];
  /** Names of hosts that can be added. */
  readonly reachable: string[] = [];
  /** Programs beside "test", by name. */
  readonly programs: string[] = [];
  halted = false;
  /** Tasks whose end the master was told. */
  private readonly told = new Set<number>();
  private readonly actors = new Map<number, Actor>();
  /** Spawned tasks by index, and their members. */
  private readonly created = new Map<number, number>();
  private readonly ulps: number;
  /** How many members the job begins with. */
  private readonly first: number;

  constructor({ ulps, members, closed = false }: ClusterOptions) {
    this.ulps = ulps;
    this.first = members;
    for (let k = 0; k < members; k++) this.addRow(HOST_NAMES[k]!);
    this.machine = new VirtualMachine(this.store, this.hosts(), {
      program: async (_, name) => this.program(name),
      enlist: async (_, host) => this.enlist(host),
      input: async () => new Uint8Array(0),
      inputReady: async () => true,
    });
    const places = Array.from({ length: ulps }, (_, index) => index % members);
    const hosts = closed ? { hosts: this.table.map(({ tid }) => tid) } : {};
    this.machine.jobBegan({ job: 1, name: "test", members: places, env: ["HOME=/h", "E=0"], ...hosts });
    for (const { tid } of [...this.table]) this.enlist(tid);
  }

  private addRow(name: string): number {
    const tid = 0x40000 * (Math.max(0, ...this.table.map((row) => row.tid / 0x40000)) + 1);
    this.table.push({ tid, name, machine: "x64", engines: 1 });
    return tid;
  }

  private hosts() {
    const { PvmBadParam, PvmCantStart, PvmDupHost, PvmNoHost } = PVM_ERROR;
    const known = (name: string) => this.table.some((row) => row.name === name);
    return {
      all: () => this.table,
      check: async (lines: readonly string[]) =>
        lines.map(nameOfLine).map((name) => {
          if (name === "") return PvmBadParam.code;
          if (known(name)) return PvmDupHost.code;
          return (HOST_NAMES as readonly string[]).includes(name) ? 0 : PvmNoHost.code;
        }),
      add: async (lines: readonly string[]) => {
        const tids = lines
          .map(nameOfLine)
          .map((name) => (this.reachable.includes(name) ? this.addRow(name) : PvmCantStart.code));
        await this.machine.hostsAdded(tids.filter((tid) => tid > 0));
        return tids;
      },
      remove: async (tid: number) => {
        await this.loseHost(tid);
        return 0;
      },
      clock: async (tid: number) => [1_700_000_000 + tid / 0x40000, 250_000] as const,
      halt: () => {
        this.halted = true;
      },
    };
  }

  private program(name: string): number {
    if (name === "test") return 0;
    const found = this.programs.indexOf(name);
    if (found < 0) return PVM_ERROR.PvmNoFile.code;
    for (const { p } of this.members)
      for (const e of p.engines) e.programs[found + 1] = { ...IDLE, id: found + 1, name };
    return found + 1;
  }

  /** A process of the job on a host that has none. */
  private enlist(hostTid: number): number | undefined {
    const member = this.members.length;
    const elsewhere = (index: number): boolean => member >= this.first || index % this.first !== member;
    const hostName = this.table.find(({ tid }) => tid === hostTid)!.name;
    const p = processOf(IDLE, { ulps: this.ulps, elsewhere, hostName, outside: true });
    p.library.w[HEAD.machine] = 1;
    const host = new TestHost(p);
    this.members.push({ p, host, hostTid, lost: false });
    for (const program of this.programs) this.program(program);
    this.machine.memberJoined(1, member, hostTid, {
      answer: (request, answer) => host.answer(request, answer),
      post: (notice) => host.post(notice),
      stop: (tid, signum) => host.stop(tid, signum),
      setPlugins: (bits) => host.setPlugins(bits),
      begin: (tids) => {
        for (const tid of tids) host.begin(tid);
      },
      create: async (order) => {
        const codes = await host.createOrdered(order);
        order.tids.forEach((tid, i) => {
          if (codes[i] === 0) this.created.set(indexOf(tid), member);
        });
        return codes;
      },
    });
    return member;
  }

  /** The task with this tid as an actor. */
  actor(tid: number): Actor {
    const known = this.actors.get(tid);
    if (known !== undefined) return known;
    const { p } = this.members[this.memberOf(tid)]!;
    const made = actor(p, indexOf(tid));
    this.actors.set(tid, made);
    return made;
  }

  memberOf(tid: number): number {
    const index = indexOf(tid);
    return this.created.get(index) ?? index % this.first;
  }

  tid(index: number): number {
    return tidOfJob(1, index);
  }

  /** Calls a routine of a task; if it suspends, all is served. @returns its result; undefined: it waits, or has ended */
  async ask(tid: number, name: string, ...args: number[]): Promise<number | undefined> {
    const who = this.actor(tid);
    const result = who.call(name, ...args);
    await this.serve();
    return result === SUSPEND ? this.result(tid) : result;
  }

  /** What a task's call returns that waited; undefined: it waits yet, or has ended. */
  result(tid: number): number | undefined {
    const { p } = this.members[this.memberOf(tid)]!;
    return getState(p.library.w, ulpOf(p.library.w, tid)) === ULP_STATE.runnable
      ? this.actor(tid).resumed()
      : undefined;
  }

  lives(tid: number): boolean {
    const { p, lost } = this.members[this.memberOf(tid)]!;
    return !lost && getState(p.library.w, ulpOf(p.library.w, tid)) !== ULP_STATE.exited;
  }

  /** A task returns from its program. */
  async end(tid: number): Promise<void> {
    const { p } = this.members[this.memberOf(tid)]!;
    const ulp = ulpOf(p.library.w, tid);
    uterminate(p.engines[0]!, ulp, 0);
    await this.serve();
  }

  /** The process of a member is gone, at once. */
  async loseMember(member: number): Promise<void> {
    this.members[member]!.lost = true;
    await this.machine.memberLost(1, member);
    await this.serve();
  }

  async loseHost(hostTid: number): Promise<void> {
    const at = this.table.findIndex(({ tid }) => tid === hostTid);
    this.table.splice(at, 1);
    for (const [member, one] of this.members.entries())
      if (one.hostTid === hostTid && !one.lost) await this.loseMember(member);
    await this.machine.hostDeleted(hostTid);
    await this.serve();
  }

  /** Carries everything where it goes, until nothing is on its way. */
  async serve(): Promise<void> {
    for (let busy = true; busy; ) {
      busy = false;
      for (const one of this.members) {
        if (one.lost) continue;
        rest(one.p);
        one.host.serveEngines();
        for (const message of one.p.out.splice(0)) {
          const to = this.members[this.machine.router.memberOf(message.to) ?? -1];
          if (to?.lost === false) takeOutside(to.p.library, message);
          busy = true;
        }
        const request = one.p.asked.shift();
        if (request !== undefined) {
          await this.machine.take(request, jobOf(request.tid));
          Atomics.sub(one.p.library.w, HEAD.outside, 1);
          busy = true;
        }
        one.host.serveEngines();
        busy = (await this.tellEnds(one)) || busy;
      }
    }
  }

  private async tellEnds({ p, lost }: Member): Promise<boolean> {
    const { w } = p.library;
    let some = false;
    for (let index = 0; index < w[HEAD.ulps]! && !lost; index++) {
      const ulp = p.ulp(index);
      if (ulp === 0 || w[ulp + ULP.engine] === w[HEAD.engines]) continue;
      const tid = w[ulp + ULP.tid]!;
      if (getState(w, ulp) !== ULP_STATE.exited || this.told.has(tid)) continue;
      this.told.add(tid);
      await this.machine.taskEnded(tid);
      some = true;
    }
    return some;
  }

  /** Lines that were printed since the last look, without who. */
  errors(): string[] {
    return this.members.flatMap(({ p }) =>
      p.printed.splice(0).map(({ text }) => text.trimEnd().replace(/^libpvm \[t[0-9a-f]+\]: /, "")),
    );
  }

  /** Ends the job: nothing is left in any heap, nor of it in the store. */
  async finish(): Promise<void> {
    for (const { p, lost } of this.members) {
      if (lost) continue;
      p.asked.splice(0);
      assert.equal(leftovers(p), "");
    }
    await this.machine.jobEnded(1);
    const left = (await this.store.list("")).map(([key]) => key).filter((key) => !key.startsWith("context"));
    assert.deepEqual(left, []);
  }
}

/** Takes the actor that ran last off the processor: elsewhere time goes on, and it could be ended any moment. */
function rest({ engines }: Process): void {
  for (const e of engines) {
    if (e.current === 0 || getState(e.w, e.current) !== ULP_STATE.running) continue;
    setState(e.w, e.current, ULP_STATE.runnable);
    append(e.w, e.runq, e.current);
    e.current = 0 as UlpAt;
  }
}
