/**
 * Meeting points of one process: ULPs that wait until so many have come, of pvm_barrier and pvm_freezegroup.
 *
 * Owns: MEET, ULP.groupNext, and the waits WAIT.barrier and WAIT.freeze. Whoever calls holds HEAD.groupLock: under it a
 * ULP becomes blocked and listed at once, and who finds it listed takes it off and wakes it. So nothing but the lock is
 * needed between engines; ULP.waiting stays 0, and no message wakes it. While one that waits so is not on an engine (departMeeting), nobody wakes it:
 * it sees that it was released when it comes to one (arriveMeeting).
 * A ULP with message handlers offers to be woken by messages: one that a handler takes makes it stand back, its handler
 * runs, and it comes again (runtime/link/interrupts.ts). Who takes such a ULP off the list must claim it, too; if another
 * has claimed it, that one has it looked at, and `recheckMeeting` sees that it was released.
 *
 *     first ▶ ULP ─groupNext▶ ULP ─groupNext▶ 0     in order of coming
 *
 * No thread besides the engines takes part: the last to come makes the local ones runnable, and puts the others on the
 * wakes of their engines.
 */
import { GROUP, MEET } from "../../wire/groups.ts";
import { HEAD, INTERRUPT, SUSPEND, ULP, ULP_STATE, WAIT } from "../../wire/layout.ts";
import { MORE_USE } from "../../wire/more.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import { lock, unlock } from "../heap/lock.ts";
import type { EngineState } from "./engine-state.ts";
import { type GroupAt, groupText } from "./group-table.ts";
import { nextHandled } from "./handlers.ts";
import { claimWake, drainInbox, offerWake, pushWake } from "./mailbox.ts";
import { uses } from "./more.ts";
import { append } from "./queue.ts";
import { isMigrating, setMigrating, setState, type UlpAt } from "./state.ts";
import { uislocal } from "./ulp.ts";
import { unblock } from "./unblock.ts";

/** Kind of wait → its meeting point in GROUP, and the routine. */
const POINT = {
  [WAIT.barrier]: { at: GROUP.barrier, routine: "pvm_barrier" },
  [WAIT.freeze]: { at: GROUP.freeze, routine: "pvm_freezegroup" },
} as const;
export type MeetKind = keyof typeof POINT;

/**
 * The running ULP comes to a meeting point of `count`.
 *
 * @returns SUSPEND: it waits, and so must its import return; PvmOk: all have come, the others go on with `result`;
 *   PvmMismatch: the others wait for another number, and go on waiting; INTERRUPT.handle: a message handler has a message
 */
export function meet(e: EngineState, group: GroupAt, kind: MeetKind, count: number, result: number): number {
  const { w, current: ulp } = e;
  const point = group + POINT[kind].at;
  const came = w[point + MEET.came]!;
  if (came > 0 && w[point + MEET.count] !== count) return PVM_ERROR.PvmMismatch.code;
  if (came + 1 >= count) {
    release(e, group, kind, result);
    return PVM_ERROR.PvmOk.code;
  }
  w[point + MEET.count] = count;
  w[point + MEET.came] = came + 1;
  if (came === 0) w[point + MEET.first] = ulp;
  else w[w[point + MEET.last]! + ULP.groupNext] = ulp;
  w[point + MEET.last] = ulp;
  w[ulp + ULP.groupNext] = 0;
  w[ulp + ULP.wait] = kind;
  w[ulp + ULP.waitWord] = group;
  if (uses(w, ulp, MORE_USE.handlers) && !offerUnlessHandled(e, ulp)) {
    standBack(w, ulp);
    w[ulp + ULP.wait] = WAIT.none;
    return INTERRUPT.handle;
  }
  setState(w, ulp, ULP_STATE.blocked);
  append(w, e.waitq, ulp);
  return SUSPEND;
}

/** A listed ULP with handlers lets messages wake it. False: a handler has one already. */
function offerUnlessHandled(e: EngineState, ulp: UlpAt): boolean {
  offerWake(e, ulp);
  while (!e.alone && Atomics.load(e.w, ulp + ULP.inbox) !== 0 && claimWake(e, ulp)) {
    drainInbox(e.w, ulp);
    if (nextHandled(e.w, ulp) !== 0) return false;
    offerWake(e, ulp);
  }
  return true;
}

/** A blocked ULP at a meeting point that somebody has claimed: it was released, or a message has come. */
export function recheckMeeting(e: EngineState, ulp: UlpAt): void {
  const { w } = e;
  if (!e.alone) lock(w, HEAD.groupLock);
  let result: number | undefined;
  if (w[ulp + ULP.waitWord] === 0) result = w[ulp + ULP.result]!;
  else if (uses(w, ulp, MORE_USE.handlers)) {
    if (w[ulp + ULP.inbox] !== 0) drainInbox(w, ulp);
    if (nextHandled(w, ulp) !== 0 || !offerUnlessHandled(e, ulp)) {
      standBack(w, ulp);
      result = INTERRUPT.handle;
    }
  }
  if (!e.alone) unlock(w, HEAD.groupLock);
  if (result !== undefined) unblock(e, ulp, result);
}

/** All who wait go on, with this result. */
export function release(e: EngineState, group: GroupAt, kind: MeetKind, result: number): void {
  const { w } = e;
  const point = group + POINT[kind].at;
  w[point + MEET.came] = 0;
  let ulp = w[point + MEET.first] as UlpAt;
  w[point + MEET.first] = 0;
  while (ulp !== 0) {
    const next = w[ulp + ULP.groupNext] as UlpAt;
    w[ulp + ULP.waitWord] = 0;
    w[ulp + ULP.result] = result;
    const claimed = !isMigrating(w, ulp) && (!uses(w, ulp, MORE_USE.handlers) || claimWake(e, ulp));
    if (claimed && uislocal(e, ulp)) unblock(e, ulp, result);
    else if (claimed) pushWake(e, ulp);
    ulp = next;
  }
}

/**
 * A ULP that waits at a meeting point is to leave this engine: it is marked Migrating, and stays listed.
 *
 * @returns false: it was released or claimed, and its wake is on its way here
 */
export function departMeeting(e: EngineState, ulp: UlpAt): boolean {
  const { w } = e;
  if (!e.alone) lock(w, HEAD.groupLock);
  const may = w[ulp + ULP.waitWord] !== 0 && (!uses(w, ulp, MORE_USE.handlers) || claimWake(e, ulp));
  if (may) setMigrating(w, ulp, true);
  if (!e.alone) unlock(w, HEAD.groupLock);
  return may;
}

/** It has come to this engine, and is in its wait queue: it goes on if it was released meanwhile. */
export function arriveMeeting(e: EngineState, ulp: UlpAt): void {
  const { w } = e;
  if (!e.alone) lock(w, HEAD.groupLock);
  setMigrating(w, ulp, false);
  const released = w[ulp + ULP.waitWord] === 0;
  if (!e.alone) unlock(w, HEAD.groupLock);
  if (released) unblock(e, ulp, w[ulp + ULP.result]!);
  else if (uses(w, ulp, MORE_USE.handlers)) recheckMeeting(e, ulp);
}

/** True if a blocked ULP waits at a meeting point, or did and has been released by another engine. */
export function isMeeting(w: Int32Array, ulp: UlpAt): boolean {
  const kind = w[ulp + ULP.wait];
  return kind === WAIT.barrier || kind === WAIT.freeze;
}

/** A ULP that waits ends: the others wait on, for one more than have come. */
export function standBack(w: Int32Array, ulp: UlpAt): void {
  const group = w[ulp + ULP.waitWord]!;
  if (!isMeeting(w, ulp) || group === 0) return;
  const point = group + POINT[w[ulp + ULP.wait] as MeetKind].at;
  let before = 0;
  for (let at = w[point + MEET.first]!; at !== ulp; at = w[at + ULP.groupNext]!) before = at;
  const next = w[ulp + ULP.groupNext]!;
  if (before === 0) w[point + MEET.first] = next;
  else w[before + ULP.groupNext] = next;
  if (next === 0) w[point + MEET.last] = before;
  w[point + MEET.came] = w[point + MEET.came]! - 1;
  w[ulp + ULP.waitWord] = 0;
}

/** `waits in pvm_barrier of group "work": 2 of 4 have come, it has 3 members`. */
export function meetingText(w: Int32Array<SharedArrayBuffer>, ulp: UlpAt): string {
  const { at, routine } = POINT[w[ulp + ULP.wait] as MeetKind];
  const group = w[ulp + ULP.waitWord] as GroupAt;
  if (group === 0) return `goes on after ${routine}`;
  const [count, came] = [w[group + at + MEET.count]!, w[group + at + MEET.came]!];
  const members = w[group + GROUP.members]!;
  const who = `${members} member${members === 1 ? "" : "s"}`;
  return `waits in ${routine} of group "${groupText(w, group)}": ${came} of ${count} have come, it has ${who}`;
}
