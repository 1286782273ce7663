/**
 * Groups of ULPs, and what they do together: barrier, broadcast, gather, scatter, reduce.
 *
 * Owns: who sends what to whom in gather, scatter and reduce; the checks are the engine's. What members send each other
 * goes in a context of its own, so that no receive of the program takes it; default buffers are not touched. As in
 * guest/lib/gpvm3.c, with which members understand each other: everything is received in order of instances.
 */
import {
  PVM_BYTE, PVM_INT, PVM_INT64, PVM_SHORT, PvmBadParam, PvmNoData, PvmNoInst, PvmOk, TEV_GATHER, TEV_REDUCE,
  TEV_SCATTER,
} from "./constants";
import {
  pvm_barrier, pvm_bcast, pvm_collective, pvm_fail, pvm_freezegroup, pvm_getinst, pvm_gettid, pvm_group_tids,
  pvm_gsize, pvm_joingroup, pvm_lvgroup, pvm_mytid, pvm_precv, pvm_psend, pvm_setcontext, pvm_trace_begin,
  pvm_trace_end,
} from "./imports";
import { dataOf, typeCode } from "./messages";

/** Context of what collectives send: of no program. */
// @ts-ignore: decorator
@inline const COLLECTIVE = -2;

/** The last name that was given, as C has it: a program names the same group again and again. */
// @ts-ignore: decorator
@lazy let lastText = "";
// @ts-ignore: decorator
@lazy let lastName = String.UTF8.encode("", true);

function nameOf(group: string): usize {
  return changetype<usize>(keptName(group));
}

/**
 * For calls in which message handlers run: the caller keeps it in a local. A handler may name another group, and then this
 * one is not the last any more and nobody else holds it.
 */
function keptName(group: string): ArrayBuffer {
  if (group != lastText) {
    lastText = group;
    lastName = String.UTF8.encode(group, true);
  }
  return lastName;
}

// ---- Members -------------------------------------------------------------------------------------------------------

/**
 * Becomes a member of a group, which is made if there is none of this name.
 * @returns own instance number, the lowest that is free; PvmNullGroup; PvmBadParam: a name that is too long; PvmDupGroup:
 *   already in it; PvmNotInGroup: it is frozen; PvmNoMem; PvmOutOfRes: too many groups. Source: pvm_joingroup(3PVM)
 */
export function joingroup(group: string): i32 {
  return pvm_joingroup(nameOf(group));
}

/** Leaves a group. A ULP that ends leaves all. PvmNoGroup, PvmNotInGroup. Source: pvm_lvgroup(3PVM) */
export function lvgroup(group: string): i32 {
  return pvm_lvgroup(nameOf(group));
}

/** Instance number of a task, of this one unless told. PvmNoGroup, PvmNotInGroup. Source: pvm_getinst(3PVM) */
export function getinst(group: string, tid: i32 = pvm_mytid()): i32 {
  return pvm_getinst(nameOf(group), tid);
}

/** Tid of the member with this instance number. PvmNoGroup, PvmNoInst. Source: pvm_gettid(3PVM) */
export function gettid(group: string, instance: i32): i32 {
  return pvm_gettid(nameOf(group), instance);
}

/** Members of a group, or PvmNoGroup; without a name: ULPs that were started together. Source: pvm_gsize(3PVM) */
export function gsize(group: string = ""): i32 {
  return pvm_gsize(nameOf(group));
}

/**
 * Makes a group static: waits until `size` members have called it (-1: as many as it has), then nobody joins any more.
 * @returns members of the group; PvmNoGroup, PvmNotInGroup; PvmDupGroup: it is frozen already; PvmMismatch: others call
 *   it with another size. Source: pvm_freezegroup(3PVM)
 */
export function freezegroup(group: string, size: i32 = -1): i32 {
  const name = keptName(group);
  return pvm_freezegroup(changetype<usize>(name), size);
}

// ---- Together ------------------------------------------------------------------------------------------------------

/**
 * Waits until `count` members have called it; -1: as many as the group has now.
 * @returns PvmOk; PvmNoGroup, also of a frozen group that has lost a member; PvmNotInGroup; PvmMismatch: a count of less
 *   than 1, or not that of those who wait. Source: pvm_barrier(3PVM)
 */
export function barrier(group: string, count: i32 = -1): i32 {
  const name = keptName(group);
  return pvm_barrier(changetype<usize>(name), count);
}

/**
 * Sends the default send buffer to all members but this one, which need not be a member.
 * @returns PvmOk; PvmNoGroup; PvmNoInst: there is nobody else; PvmBadParam: a negative tag; PvmNoBuf; PvmNoMem.
 *   Source: pvm_bcast(3PVM)
 */
export function bcast(group: string, tag: i32): i32 {
  const name = keptName(group);
  return pvm_bcast(changetype<usize>(name), tag);
}

/** The tid of each instance as the root of a collective needs it; 0: nobody's. An error is one number in its place. */
function tidsOf(group: string): StaticArray<i32> {
  const count = pvm_group_tids(nameOf(group), 0, 0);
  if (count < 0) return [count];
  const tids = new StaticArray<i32>(count);
  pvm_group_tids(nameOf(group), changetype<usize>(tids), count);
  return tids;
}

/** PVM's type for the checks: those without a sign go as those with one. */
function checkedType<T>(): i32 {
  if (isFloat<T>()) return typeCode<T>();
  return sizeof<T>() == 1 ? PVM_BYTE : sizeof<T>() == 2 ? PVM_SHORT : sizeof<T>() == 4 ? PVM_INT : PVM_INT64;
}

function sendPart<T>(tid: i32, tag: i32, at: usize, count: i32): i32 {
  const before = pvm_setcontext(COLLECTIVE);
  const code = pvm_psend(tid, tag, at, count, typeCode<T>());
  pvm_setcontext(before);
  return code;
}

/** Room for the length of what was received. */
// @ts-ignore: decorator
@lazy const lengthAt = memory.data(4, 4);

function receivePart<T>(tid: i32, tag: i32, at: usize, count: i32): i32 {
  const before = pvm_setcontext(COLLECTIVE);
  const code = pvm_precv(tid, tag, at, count, typeCode<T>(), 0, 0, lengthAt);
  pvm_setcontext(before);
  return code == PvmOk && load<u32>(lengthAt) < <u32>count * sizeof<T>() ? PvmNoData : code;
}

function check<T>(event: i32, routine: string, group: string, root: i32, count: i32, tag: i32): i32 {
  pvm_trace_begin(event, nameOf(group), tag);
  return pvm_collective(utf8(routine), nameOf(group), root, count, checkedType<T>(), tag);
}

/** The error of a collective, printed under its name; the end of its trace event. */
function ended(event: i32, routine: string, code: i32): i32 {
  return pvm_trace_end(event, code < 0 ? pvm_fail(utf8(routine), code) : PvmOk, 0, 0);
}

function utf8(text: string): usize {
  return changetype<usize>(String.UTF8.encode(text, true));
}

/**
 * Every member gives its `data`; the root gets them all in `result`, in order of instances.
 *
 * @param result  of the root: as long as `data` times the highest instance and 1; of the others it is not touched
 * @param data    StaticArray, Array or typed array; as long in every member
 * @param root    instance number of who gets it
 * @returns PvmOk; PvmNullGroup, PvmNoGroup, PvmNotInGroup; PvmNoInst: no such root, or at the root, a lower instance is
 *   nobody's; PvmBadParam: nothing to send, a negative tag, no room; PvmNoData: a member gave less. They are printed.
 *   Source: pvm_gather(3PVM)
 */
export function gather<A>(result: A, data: A, tag: i32, group: string, root: i32): i32 {
  const count = data.length;
  const me = check<valueof<A>>(TEV_GATHER, "pvm_gather", group, root, count, tag);
  if (me < 0) return pvm_trace_end(TEV_GATHER, me, 0, 0);
  if (me != root) {
    return ended(TEV_GATHER, "pvm_gather", sendPart<valueof<A>>(gettid(group, root), tag, dataOf<A>(data), count));
  }
  const tids = tidsOf(group);
  if (tids.includes(0)) return ended(TEV_GATHER, "pvm_gather", PvmNoInst);
  if (tids.length * count > result.length) return ended(TEV_GATHER, "pvm_gather", PvmBadParam);
  let code = PvmOk;
  const bytes = <usize>count * sizeof<valueof<A>>();
  for (let i = 0; i < tids.length; i++) {
    const part = dataOf<A>(result) + <usize>i * bytes;
    if (i == me) memory.copy(part, dataOf<A>(data), bytes);
    else code = min(code, receivePart<valueof<A>>(tids[i], tag, part, count));
  }
  return ended(TEV_GATHER, "pvm_gather", code);
}

/**
 * The root's `data` is dealt out in order of instances: every member gets as much as its `result` is long.
 *
 * @param data  of the root: as long as `result` times the highest instance and 1; of the others it is not touched
 * @returns as gather. Source: pvm_scatter(3PVM)
 */
export function scatter<A>(result: A, data: A, tag: i32, group: string, root: i32): i32 {
  const count = result.length;
  const me = check<valueof<A>>(TEV_SCATTER, "pvm_scatter", group, root, count, tag);
  if (me < 0) return pvm_trace_end(TEV_SCATTER, me, 0, 0);
  if (me != root) {
    const code = receivePart<valueof<A>>(gettid(group, root), tag, dataOf<A>(result), count);
    return ended(TEV_SCATTER, "pvm_scatter", code);
  }
  const tids = tidsOf(group);
  if (tids.includes(0)) return ended(TEV_SCATTER, "pvm_scatter", PvmNoInst);
  if (tids.length * count > data.length) return ended(TEV_SCATTER, "pvm_scatter", PvmBadParam);
  let code = PvmOk;
  const bytes = <usize>count * sizeof<valueof<A>>();
  for (let i = 0; i < tids.length; i++) {
    const part = dataOf<A>(data) + <usize>i * bytes;
    if (i == me) memory.copy(dataOf<A>(result), part, bytes);
    else code = min(code, sendPart<valueof<A>>(tids[i], tag, part, count));
  }
  return ended(TEV_SCATTER, "pvm_scatter", code);
}

// ---- Reductions ----------------------------------------------------------------------------------------------------

/** Operator of reduce: the greater of two. */
export const PvmMax: i32 = 0;
/** Operator of reduce: the smaller of two. */
export const PvmMin: i32 = 1;
/** Operator of reduce: the sum. Unlike in C, also of bytes and unsigned numbers. */
export const PvmSum: i32 = 2;
/** Operator of reduce: the product. As PvmSum. */
export const PvmProduct: i32 = 3;

/**
 * Puts all members' `data` together, item by item, in order of instances; the root's `data` is the result.
 *
 * @param operator  PvmMax, PvmMin, PvmSum or PvmProduct
 * @param data      StaticArray, Array or typed array; as long in every member
 * @returns as gather, and PvmBadParam: no such operator; numbers of instances may be free. Source: pvm_reduce(3PVM)
 */
export function reduce<A>(operator: i32, data: A, tag: i32, group: string, root: i32): i32 {
  return reduceBy<A>(operator, null, data, tag, group, root);
}

/**
 * As reduce, with an operator of your own: `pvm.reduceWith((x: f64, y: f64) => x * y, data, tag, group, root)`.
 *
 * @param func  how two items become one: x is of the lower instances, y of the next
 */
export function reduceWith<A>(
  func: (x: valueof<A>, y: valueof<A>) => valueof<A>, data: A, tag: i32, group: string, root: i32,
): i32 {
  return reduceBy<A>(-1, func, data, tag, group, root);
}

function reduceBy<A>(
  operator: i32, func: ((x: valueof<A>, y: valueof<A>) => valueof<A>) | null, data: A, tag: i32, group: string, root: i32,
): i32 {
  const count = data.length;
  const me = check<valueof<A>>(TEV_REDUCE, "pvm_reduce", group, root, count, tag);
  if (me < 0) return pvm_trace_end(TEV_REDUCE, me, 0, 0);
  if (me != root) {
    return ended(TEV_REDUCE, "pvm_reduce", sendPart<valueof<A>>(gettid(group, root), tag, dataOf<A>(data), count));
  }
  const tids = tidsOf(group);
  const bytes = <usize>count * sizeof<valueof<A>>();
  const room = new ArrayBuffer(2 * <i32>bytes);
  let code = func === null && <u32>operator > <u32>PvmProduct ? PvmBadParam : PvmOk;
  let sum: usize = 0;
  for (let i = 0; i < tids.length; i++) {
    if (tids[i] == 0) continue;
    let part = dataOf<A>(data);
    if (i != me) {
      part = changetype<usize>(room) + (sum == 0 ? 0 : bytes);
      code = min(code, receivePart<valueof<A>>(tids[i], tag, part, count));
    }
    // After an error the others' parts are still received: they would be taken for those of a later call.
    if (sum == 0) sum = part;
    else if (code != PvmOk) continue;
    else if (func === null) fold<valueof<A>>(operator, sum, part, bytes);
    else foldBy<valueof<A>>(func, sum, part, bytes);
  }
  if (code == PvmOk && sum != dataOf<A>(data)) memory.copy(dataOf<A>(data), sum, bytes);
  return ended(TEV_REDUCE, "pvm_reduce", code);
}

function foldBy<T>(func: (x: T, y: T) => T, x: usize, y: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += sizeof<T>()) store<T>(x + i, func(load<T>(x + i), load<T>(y + i)));
}

/** A loop for each operator: no call for an item. */
function fold<T>(operator: i32, x: usize, y: usize, bytes: usize): void {
  const step = sizeof<T>();
  if (operator == PvmSum) {
    for (let i: usize = 0; i < bytes; i += step) store<T>(x + i, load<T>(x + i) + load<T>(y + i));
  } else if (operator == PvmProduct) {
    for (let i: usize = 0; i < bytes; i += step) store<T>(x + i, load<T>(x + i) * load<T>(y + i));
  } else if (operator == PvmMax) {
    for (let i: usize = 0; i < bytes; i += step) if (load<T>(y + i) > load<T>(x + i)) store<T>(x + i, load<T>(y + i));
  } else {
    for (let i: usize = 0; i < bytes; i += step) if (load<T>(y + i) < load<T>(x + i)) store<T>(x + i, load<T>(y + i));
  }
}
