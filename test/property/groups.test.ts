/** Groups against a model of a few lines: any joins, leaves, barriers, freezes and ends, on one engine and on two. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "uvu";
import { uterminate } from "../../runtime/scheduler/end.ts";
import { serveWakes } from "../../runtime/scheduler/engine.ts";
import { getState } from "../../runtime/scheduler/state.ts";
import { HEAD, SUSPEND, ULP, ULP_STATE } from "../../wire/layout.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import { type Actor, actor, IDLE, leftovers, type Process, processOf } from "../one-thread.ts";

const { PvmDupGroup, PvmMismatch, PvmNoGroup, PvmNoInst, PvmNotInGroup } = PVM_ERROR;
const ULPS = 6;
const NAMES = ["a", "b"];
const OPS = ["join", "leave", "inst", "tid", "size", "barrier", "freeze", "end"] as const;

interface Step {
  readonly who: number;
  readonly op: (typeof OPS)[number];
  readonly name: string;
  readonly n: number;
}

interface Group {
  /** ULP by instance number; -1: nobody. Of a frozen group who has left stays, and is in `gone`. */
  list: number[];
  gone: number[];
  frozen: number;
  barrier: { count: number; who: number[] };
  freeze: { count: number; who: number[] };
}

/** What PVM's manual pages and PVM itself say, in a few lines. */
class Model {
  readonly groups = new Map<string, Group>();
  /** What a blocked ULP's call returned; undefined: it still waits. */
  readonly results = new Map<number, number | undefined>();

  members(group: Group): number[] {
    return group.list.filter((who) => who >= 0 && !group.gone.includes(who));
  }

  /** Result of a call; SUSPEND: it waits. */
  call({ who, op, name, n }: Step): number {
    const group = this.groups.get(name);
    if (op === "join") return this.join(who, name);
    if (group === undefined) return PvmNoGroup.code;
    const isIn = this.members(group).includes(who);
    const seen = (other: number): boolean => other >= 0 && (isIn || !group.gone.includes(other));
    switch (op) {
      case "leave":
        if (!isIn) return PvmNotInGroup.code;
        this.leave(who, name);
        return 0;
      case "inst": {
        const at = group.list.indexOf((n + 1) % ULPS);
        return at >= 0 && seen((n + 1) % ULPS) ? at : PvmNotInGroup.code;
      }
      case "tid":
        return seen(group.list[n] ?? -1) ? group.list[n]! : PvmNoInst.code;
      case "size":
        return group.frozen > 0 && isIn ? group.frozen : this.members(group).length;
      case "barrier":
        if (!isIn) return PvmNotInGroup.code;
        if (group.gone.length > 0) return PvmNoGroup.code;
        return this.meet(group.barrier, who, this.count(group, n), 0);
      default:
        if (!isIn) return PvmNotInGroup.code;
        if (group.frozen > 0) return PvmDupGroup.code;
        return this.freeze(group, who, n);
    }
  }

  private count(group: Group, n: number): number {
    return n === -1 ? this.members(group).length : n;
  }

  private freeze(group: Group, who: number, n: number): number {
    const size = this.members(group).length;
    const code = this.meet(group.freeze, who, this.count(group, n), size);
    if (code === size) group.frozen = size;
    return code;
  }

  private meet(point: Group["barrier"], who: number, count: number, result: number): number {
    if (count < 1 || (point.who.length > 0 && point.count !== count)) return PvmMismatch.code;
    if (point.who.length + 1 < count) {
      point.count = count;
      point.who.push(who);
      this.results.set(who, undefined);
      return SUSPEND;
    }
    for (const other of point.who) this.results.set(other, result);
    point.who = [];
    return result;
  }

  private join(who: number, name: string): number {
    let group = this.groups.get(name);
    if (group === undefined) {
      const nobody = (): Group["barrier"] => ({ count: 0, who: [] });
      group = { list: [], gone: [], frozen: 0, barrier: nobody(), freeze: nobody() };
      this.groups.set(name, group);
    }
    if (group.frozen > 0) return PvmNotInGroup.code;
    if (this.members(group).includes(who)) return PvmDupGroup.code;
    const free = group.list.indexOf(-1);
    const at = free < 0 ? group.list.length : free;
    group.list[at] = who;
    return at;
  }

  leave(who: number, name: string): void {
    const group = this.groups.get(name)!;
    if (group.frozen > 0) {
      group.gone.push(who);
      for (const other of group.barrier.who) this.results.set(other, PvmNoGroup.code);
      group.barrier.who = [];
    } else group.list[group.list.indexOf(who)] = -1;
    if (this.members(group).length === 0) this.groups.delete(name);
  }

  end(who: number): void {
    for (const group of this.groups.values())
      for (const point of [group.barrier, group.freeze])
        point.who = point.who.filter((other) => other !== who);
    for (const name of NAMES) {
      const group = this.groups.get(name);
      if (group !== undefined && this.members(group).includes(who)) this.leave(who, name);
    }
    this.results.delete(who);
  }
}

const ROUTINE = {
  join: "pvm_joingroup",
  leave: "pvm_lvgroup",
  inst: "pvm_getinst",
  tid: "pvm_gettid",
  size: "pvm_gsize",
  barrier: "pvm_barrier",
  freeze: "pvm_freezegroup",
} as const;

/** The same step for the runtime; tids as the model has them: indices. */
function real(ulps: readonly Actor[], { who, op, name, n }: Step): number {
  if (op === "end") return 0;
  const a = ulps[who]!;
  const result = a.call(ROUTINE[op], a.text(name), op === "inst" ? ulps[(n + 1) % ULPS]!.tid : n);
  return op === "tid" && result > 0 ? ulps.findIndex(({ tid }) => tid === result) : result;
}

function play(p: Process, steps: readonly Step[]): void {
  const ulps = Array.from({ length: ULPS }, (_, index) => actor(p, index));
  const model = new Model();
  const ended = new Set<number>();
  const { w } = p.library;
  for (const step of steps) {
    const { who, op } = step;
    if (ended.has(who)) continue;
    if (op === "end") {
      uterminate(p.engines[w[ulps[who]!.ulp + ULP.engine]!]!, ulps[who]!.ulp, 0);
      ended.add(who);
      model.end(who);
    } else {
      if (model.results.has(who)) continue;
      assert.equal(real(ulps, step), model.call(step), JSON.stringify(step));
    }
    for (const e of p.engines) serveWakes(e);
    for (const [other, result] of model.results) {
      const blocked = getState(w, ulps[other]!.ulp) === ULP_STATE.blocked;
      assert.equal(blocked, result === undefined, `ULP ${other} after ${JSON.stringify(step)}`);
      if (result === undefined) continue;
      assert.equal(ulps[other]!.resumed(), result);
      model.results.delete(other);
    }
    assert.equal(w[HEAD.groups], model.groups.size);
  }
  assert.equal(leftovers(p), "");
}

const step = fc.record<Step>({
  who: fc.nat(ULPS - 1),
  op: fc.constantFrom(...OPS, "join", "join", "barrier", "barrier", "barrier", "freeze"),
  name: fc.constantFrom(...NAMES),
  n: fc.integer({ min: -1, max: ULPS }),
});

for (const engines of [1, 2]) {
  test(`groups of ULPs on ${engines} engine(s) are as the model says, and leave nothing behind`, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: "max" }), (steps) => {
        play(processOf(IDLE, { ulps: ULPS, engines, heapBytes: 4 << 20 }), steps);
      }),
      { numRuns: 150 },
    );
  });
}

test.run();
