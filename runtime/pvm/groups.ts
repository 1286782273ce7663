/**
 * Groups: joingroup, lvgroup, getinst, gettid, gsize, barrier, freezegroup, bcast, and what the guest's library of
 * gather, scatter and reduce asks (guest/lib/gpvm3.c, guest/groups.ts).
 *
 * Owns: names and lists in the guest's memory, and the checks of the collectives. What a group is, and the answers,
 * are its home's (runtime/scheduler/groups.ts).
 * As PVM 3.4.6: an error of a group routine is its result and the ULP's last error, and is not printed; one of a
 * collective is. With one process for each ULP (`--isolate`) there are no groups: PvmNotImpl.
 */
import { INTERRUPT, SUSPEND, ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { PVM_CONSTANT, PVM_ERROR } from "../../wire/pvm.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { type GroupName, hashOf } from "../scheduler/group-table.ts";
import { groups } from "../scheduler/groups.ts";
import { check, remember } from "./errors.ts";
import { cText, currentContext, isPlace } from "./guest.ts";
import { lookFirst } from "./interrupts.ts";
import { missed } from "./receive.ts";
import { multicast } from "./send.ts";
import { currentTid } from "./tids.ts";

const { PvmBadParam, PvmNoInst, PvmNotImpl, PvmNullGroup } = PVM_ERROR;

/** Reads a group's name. @returns 0; PvmNullGroup for NULL and ""; PvmBadParam: bad address, or too long */
function readName(e: EngineState, at: number, name: GroupName): number {
  if (at === 0) return PvmNullGroup.code;
  if (e.options.outside) return PvmNotImpl.code;
  const context = currentContext(e);
  context.look();
  const { bytes } = context;
  const from = at >>> 0;
  const end = Math.min(bytes.length, from + LIMITS.groupNameBytes + 1);
  let to = from;
  while (to < end && bytes[to] !== 0) to++;
  if (to >= end) return PvmBadParam.code;
  if (to === from) return PvmNullGroup.code;
  name.bytes = bytes;
  name.from = from;
  name.length = to - from;
  name.hash = hashOf(bytes, from, to - from);
  return 0;
}

/** The result of a group routine: an error is remembered, not printed. SUSPEND and INTERRUPT.handle are none. */
function quiet(e: EngineState, result: number): number {
  if (result >= 0 || result === SUSPEND || result === INTERRUPT.handle) return result;
  // It may ask again until another has joined.
  missed(e);
  return remember(e, result);
}

/** Stores as many tids as there is room for. @returns how many there are */
function storeTids(e: EngineState, tids: Int32Array, at: number, capacity: number): number {
  const stored = Math.max(0, Math.min(tids.length, capacity));
  if (stored > 0 && (at === 0 || !isPlace(e, at, stored * 4))) return quiet(e, PvmBadParam.code);
  const { view } = currentContext(e);
  for (let i = 0; i < stored; i++) view.setInt32((at >>> 0) + 4 * i, tids[i]!, true);
  return tids.length;
}

/** Own instance number, or what is wrong. */
function collective(
  e: EngineState,
  name: GroupName,
  root: number,
  count: number,
  type: number,
  tag: number,
): number {
  const instance = groups.instance(e, name, currentTid(e));
  if (instance < 0) return instance;
  const rootTid = groups.tid(e, name, root);
  if (rootTid < 0) return rootTid;
  const known = COLLECTIVE_TYPES.includes(type);
  return count < 1 || tag < 0 || !known ? PvmBadParam.code : instance;
}
/** Types that gather, scatter and reduce take: PVM's, without the unsigned ones; and upvm's 64-bit ints. */
const COLLECTIVE_TYPES: readonly number[] = [
  ...Array.from({ length: PVM_CONSTANT.PVM_LONG + 1 }, (_, type) => type),
  PVM_CONSTANT.PVM_INT64,
];

export function groupCalls(e: EngineState) {
  const { w } = e;
  // One for all calls: nothing keeps it.
  const name: GroupName = { bytes: new Uint8Array(0), from: 0, length: 0, hash: 0 };
  const named = (group: number, act: () => number): number => {
    const bad = readName(e, group, name);
    return bad < 0 ? quiet(e, bad) : act();
  };
  return {
    pvm_joingroup: (group: number): number => named(group, () => quiet(e, groups.join(e, name))),
    pvm_lvgroup: (group: number): number => named(group, () => quiet(e, groups.leave(e, name))),
    pvm_getinst: (group: number, tid: number): number =>
      named(group, () => quiet(e, groups.instance(e, name, tid))),
    pvm_gettid: (group: number, instance: number): number =>
      named(group, () => quiet(e, groups.tid(e, name, instance))),
    /** NULL and "" are the ULPs that were started together: upvm's own, an error in PVM. */
    pvm_gsize(group: number): number {
      if (group === 0 || (isPlace(e, group, 1) && currentContext(e).bytes[group >>> 0] === 0))
        return w[e.current + ULP.siblingCount]!;
      return named(group, () => {
        // Programs ask again and again until all are there.
        missed(e);
        return quiet(e, groups.size(e, name));
      });
    },
    pvm_barrier: (group: number, count: number): number =>
      named(group, () => lookFirst(e, e.current) || quiet(e, groups.barrier(e, name, count))),
    pvm_freezegroup: (group: number, size: number): number =>
      named(group, () => lookFirst(e, e.current) || quiet(e, groups.freeze(e, name, size))),
    /** Not to the sender. A group with no other member is PvmNoInst. */
    pvm_bcast: (group: number, tag: number): number =>
      named(group, () => {
        const tids = groups.tids(e, name);
        if (typeof tids === "number") return quiet(e, tids);
        const others = tids.filter((tid) => tid !== 0 && tid !== currentTid(e));
        if (others.length === 0) return quiet(e, PvmNoInst.code);
        return lookFirst(e, e.current) || multicast(e, "pvm_bcast", others, tag);
      }),
    /** upvm's own, for collectives. */
    pvm_group_tids: (group: number, at: number, capacity: number): number =>
      named(group, () => {
        const tids = groups.tids(e, name);
        return typeof tids === "number" ? quiet(e, tids) : storeTids(e, tids, at, capacity);
      }),
    /** upvm's own: the checks of a collective in PVM's order. */
    pvm_collective(
      routine: number,
      group: number,
      root: number,
      count: number,
      type: number,
      tag: number,
    ): number {
      const text = cText(e, routine) ?? "pvm_collective";
      const bad = readName(e, group, name);
      return check(e, text, bad < 0 ? bad : collective(e, name, root, count, type, tag));
    },
  };
}
