/**
 * Tasks on three processes, some of which are lost, against the same tasks in one: every call has the same answer, every
 * message comes, and nothing is left over. The one is a process that is its own virtual machine, with its groups in its heap.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "uvu";
import { uterminate } from "../../runtime/scheduler/end.ts";
import { getState } from "../../runtime/scheduler/state.ts";
import { ulpOf } from "../../runtime/scheduler/ulp.ts";
import { SUSPEND, ULP_STATE } from "../../wire/layout.ts";
import { Cluster } from "../cluster.ts";
import { TestMachine } from "../machine.ts";
import { type Actor, actor, IDLE, leftovers, processOf } from "../one-thread.ts";

const ULPS = 6;
const TASKS_MAX = 20;
const MEMBERS = 3;
const NAMES = ["a", "b"];
const TIDS = 0x400;
/** Tag of whatever is told: messages of all kinds are read by it. */
const TAG = 7;

/** What both can do. */
interface System {
  actor(tid: number): Actor;
  /** Calls, and serves all that follows. @returns the result; undefined: it waits, or the task has ended */
  ask(tid: number, name: string, ...args: number[]): Promise<number | undefined>;
  /** Of a call that waited; undefined: it does yet, or has ended. */
  result(tid: number): number | undefined;
  lives(tid: number): boolean;
  /** Tasks end at once, in order: by themselves, or with their process. */
  end(tids: readonly number[], member?: number): Promise<void>;
  finish(): Promise<void>;
}

class Many implements System {
  private readonly c = new Cluster({ ulps: ULPS, members: MEMBERS });
  readonly memberOf = (tid: number): number => this.c.memberOf(tid);
  actor(tid: number): Actor {
    return this.c.actor(tid);
  }
  ask(tid: number, name: string, ...args: number[]): Promise<number | undefined> {
    return this.c.ask(tid, name, ...args);
  }
  result(tid: number): number | undefined {
    return this.c.result(tid);
  }
  lives(tid: number): boolean {
    return this.c.lives(tid);
  }
  async end(tids: readonly number[], member?: number): Promise<void> {
    if (member !== undefined) await this.c.loseMember(member);
    else for (const tid of tids) await this.c.end(tid);
  }
  finish(): Promise<void> {
    return this.c.finish();
  }
}

class One implements System {
  private readonly p = processOf(IDLE, { ulps: ULPS });
  private readonly machine = new TestMachine(this.p);
  private readonly actors = new Map<number, Actor>();
  actor(tid: number): Actor {
    const made = this.actors.get(tid) ?? actor(this.p, tid - TID(0));
    this.actors.set(tid, made);
    return made;
  }
  async ask(tid: number, name: string, ...args: number[]): Promise<number | undefined> {
    const result = this.actor(tid).call(name, ...args);
    await this.machine.serve();
    return result === SUSPEND ? this.result(tid) : result;
  }
  result(tid: number): number | undefined {
    return this.state(tid) === ULP_STATE.runnable ? this.actor(tid).resumed() : undefined;
  }
  private state(tid: number): number {
    return getState(this.p.library.w, ulpOf(this.p.library.w, tid));
  }
  lives(tid: number): boolean {
    return this.state(tid) !== ULP_STATE.exited;
  }
  async end(tids: readonly number[]): Promise<void> {
    for (const tid of tids) uterminate(this.p.engines[0]!, ulpOf(this.p.library.w, tid), 0);
    await this.machine.serve();
  }
  async finish(): Promise<void> {
    assert.equal(leftovers(this.p), "");
    await this.machine.serve();
    const keys = (await this.machine.store.list("")).map(([key]) => key);
    assert.deepEqual(
      keys.filter((key) => !key.startsWith("context")),
      [],
    );
  }
}

const TID = (index: number): number => 0x40001 + index;

const OPS = [
  ...[
    "join",
    "join",
    "join",
    "join",
    "join",
    "leave",
    "size",
    "instance",
    "tid",
    "barrier",
    "barrier",
    "freeze",
    "bcast",
  ],
  ...[
    "barriers",
    "barriers",
    "freezes",
    "spawn",
    "kill",
    "end",
    "notify",
    "notify",
    "pstat",
    "put",
    "get",
    "drop",
    "exit",
    "context",
    "lose",
  ],
] as const;
type Op = (typeof OPS)[number];
interface Step {
  readonly op: Op;
  /** Choose the task that does it, another one, a name, a number. */
  readonly who: number;
  readonly other: number;
  readonly name: number;
  readonly n: number;
}

/** One run on one system: what to do is decided by both alike, since all that it depends on is the same. */
class Play {
  readonly log: string[] = [];
  private readonly system: System;
  private readonly memberOf: (tid: number) => number;
  private readonly tids: number[] = Array.from({ length: ULPS }, (_, index) => TID(index));
  private readonly waiting = new Set<number>();
  private readonly left = new Set<number>();
  private readonly lost = new Set<number>();

  constructor(system: System, memberOf: (tid: number) => number) {
    this.system = system;
    this.memberOf = memberOf;
  }

  async step(step: Step): Promise<void> {
    const able = this.tids.filter(
      (tid) => this.system.lives(tid) && !this.waiting.has(tid) && !this.left.has(tid),
    );
    if (able.length === 0) return;
    const other = this.tids[step.other % this.tids.length]!;
    // All that can, one after the other: so that some are the last to come.
    const all = step.op === "barriers" || step.op === "freezes";
    for (const who of all ? able : [able[step.who % able.length]!]) {
      if (!this.system.lives(who) || this.waiting.has(who)) continue;
      this.log.push(`${step.op} ${who} ${other}: ${await this.act(step, who, other)}`);
      this.look();
    }
  }

  /** Who waited and goes on, and what has come for whom. */
  private look(): void {
    for (const tid of [...this.waiting]) {
      if (!this.system.lives(tid)) this.waiting.delete(tid);
      const result = this.waiting.has(tid) ? this.system.result(tid) : undefined;
      if (result === undefined) continue;
      this.waiting.delete(tid);
      this.log.push(`${tid} goes on with ${result}`);
    }
    for (const tid of this.tids) {
      // One that has left PVM would be in it again if it looked, which others hear of when its host's news comes.
      if (!this.system.lives(tid) || this.waiting.has(tid) || this.left.has(tid)) continue;
      const who = this.system.actor(tid);
      while (who.call("pvm_nrecv", -1, TAG) > 0) {
        who.call("pvm_upkint", 0x40, 1, 1);
        this.log.push(`${tid} hears of ${who.view.getInt32(0x40, true)}`);
      }
    }
  }

  private async act({ op, name, n }: Step, who: number, other: number): Promise<unknown> {
    const { system } = this;
    const actor = system.actor(who);
    const text = actor.text(NAMES[name]!);
    const ask = async (routine: string, ...args: number[]): Promise<number | undefined> => {
      const result = await system.ask(who, routine, ...args);
      if (result === undefined && system.lives(who)) this.waiting.add(who);
      return result;
    };
    const pack = (value: number): number => {
      const bufid = actor.call("pvm_initsend", 0);
      actor.view.setInt32(0x40, value, true);
      actor.call("pvm_pkint", 0x40, 1, 1);
      return bufid;
    };
    switch (op) {
      case "join":
        return ask("pvm_joingroup", text);
      case "leave":
        return ask("pvm_lvgroup", text);
      case "size":
        return ask("pvm_gsize", text);
      case "instance":
        return ask("pvm_getinst", text, other);
      case "tid":
        return ask("pvm_gettid", text, n);
      case "barrier":
        return ask("pvm_barrier", text, n - 1);
      case "barriers":
        return ask("pvm_barrier", text, -1);
      case "freeze":
        return n === 0 ? ask("pvm_freezegroup", text, n - 1) : "not now";
      case "freezes":
        return n < 2 ? ask("pvm_freezegroup", text, -1) : "not now";
      case "bcast":
        pack(n);
        return ask("pvm_bcast", text, TAG);
      case "spawn":
        return this.spawn(actor, ask, n);
      case "kill":
        return ask("pvm_kill", other);
      case "end":
        await system.end([who]);
        return "";
      case "notify":
        actor.view.setInt32(0x100, other, true);
        return ask("pvm_notify", 1, TAG, 1, 0x100);
      case "pstat":
        return ask("pvm_pstat", other);
      case "put":
        return ask("pvm_putinfo", text, pack(n), 2 * n);
      case "get":
        return ask("pvm_recvinfo", text, 0, 8);
      case "drop":
        return ask("pvm_delinfo", text, n, 0);
      case "exit":
        this.left.add(who);
        return n === 0 ? ask("pvm_exit") : this.left.delete(who);
      case "context":
        return ask("pvm_newcontext");
      case "lose":
        return n === 0 ? this.lose(other) : "not now";
    }
  }

  private async spawn(
    actor: Actor,
    ask: (routine: string, ...args: number[]) => Promise<number | undefined>,
    n: number,
  ): Promise<unknown> {
    if (this.tids.length + n > TASKS_MAX) return "no more";
    const made = await ask("pvm_spawn", actor.text("test"), 0, 0, 0, n + 1, TIDS);
    const tids = Array.from({ length: n + 1 }, (_, i) => actor.view.getInt32(TIDS + 4 * i, true));
    this.tids.push(...tids);
    return `${made} ${tids}`;
  }

  /** The process that has a task is lost. One stays. */
  private async lose(tid: number): Promise<unknown> {
    const member = this.memberOf(tid);
    if (this.lost.has(member) || this.lost.size === MEMBERS - 1) return "not again";
    this.lost.add(member);
    const tids = this.tids.filter((each) => this.system.lives(each) && this.memberOf(each) === member);
    await this.system.end(tids, member);
    return tids;
  }
}

const STEP = fc.record({
  op: fc.constantFrom(...OPS),
  who: fc.nat(TASKS_MAX),
  other: fc.nat(TASKS_MAX),
  name: fc.nat(NAMES.length - 1),
  n: fc.nat(3),
});

test("tasks on three processes behave as tasks in one, whatever ends", async () => {
  const property = fc.asyncProperty(
    fc.array(STEP, { minLength: 1, maxLength: 100, size: "max" }),
    async (steps) => {
      const many = new Many();
      const one = new One();
      const left = new Play(one, many.memberOf);
      const right = new Play(many, many.memberOf);
      for (const step of steps) {
        await right.step(step);
        await left.step(step);
        assert.deepEqual(right.log.splice(0), left.log.splice(0));
      }
      await one.finish();
      await many.finish();
    },
  );
  await fc.assert(property, { numRuns: 60, includeErrorInReport: true });
});

test.run();
