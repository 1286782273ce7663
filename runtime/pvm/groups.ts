/**
 * Groups: joingroup, lvgroup, getinst, gettid, gsize, barrier, freezegroup, bcast, and what the guest's library of
 * gather, scatter and reduce asks (guest/lib/gpvm3.c, guest/groups.ts).
 *
 * Owns: names and lists in the guest's memory, and the checks of the collectives. What a group is, and the answers,
 * are its home's (runtime/scheduler/groups.ts).
 * As PVM 3.4.6: an error of a group routine is its result and the ULP's last error, and is not printed; one of a
 * collective is. With one process for each ULP (`--isolate`) there are no groups: PvmNotImpl.
 * Groups of a job that has several processes, or may get them, have their home in the virtual machine (pvmd/groups.ts):
 * each routine asks it there, and what else it does is done when the answer comes.
 */
import { INTERRUPT, SUSPEND, ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { PVM_CONSTANT, PVM_ERROR } from "../../wire/pvm.ts";
import type { RequestBody, RequestKind } from "../../wire/requests.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { type GroupName, hashOf } from "../scheduler/group-table.ts";
import { groups } from "../scheduler/groups.ts";
import { ask, asksMachine, type Continuation } from "./ask.ts";
import { type AttendedKind, attend, comeAgain } from "./attended.ts";
import { check, remember } from "./errors.ts";
import { cText, currentContext, isPlace } from "./guest.ts";
import { lookFirst } from "./interrupts.ts";
import { join } from "./membership.ts";
import { missed } from "./receive.ts";
import { multicast } from "./send.ts";
import { currentTid } from "./tids.ts";

const { PvmBadParam, PvmNoInst, PvmNotImpl, PvmNullGroup } = PVM_ERROR;

/** Reads a group's name. @returns 0; PvmNullGroup for NULL and ""; PvmBadParam: bad address, or too long */
function readName(e: EngineState, at: number, name: GroupName): number {
  if (at === 0) return PvmNullGroup.code;
  if (e.options.outside && !asksMachine(e)) return PvmNotImpl.code;
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

/** A name as the virtual machine knows it. Bytes that are no UTF-8 become other characters each, behind a NUL: as different. */
function textOf({ bytes, from, length }: GroupName): string {
  // A copy: TextDecoder takes no shared memory.
  const own = bytes.slice(from, from + length);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(own);
  } catch {
    return `\0${String.fromCharCode(...own)}`;
  }
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

/** Own instance number, or what is wrong with that or with the root. */
function role(e: EngineState, name: GroupName, root: number): number {
  const instance = groups.instance(e, name, currentTid(e));
  if (instance < 0) return instance;
  const rootTid = groups.tid(e, name, root);
  return rootTid < 0 ? rootTid : instance;
}

/** Own instance number in a collective (`role`), or what is wrong, the group's mistakes first. */
function collective(role: number, count: number, type: number, tag: number): number {
  if (role < 0) return role;
  return count < 1 || tag < 0 || !COLLECTIVE_TYPES.includes(type) ? PvmBadParam.code : role;
}
/** Types that gather, scatter and reduce take: PVM's, without the unsigned ones; and upvm's 64-bit ints. */
const COLLECTIVE_TYPES: readonly number[] = [
  ...Array.from({ length: PVM_CONSTANT.PVM_LONG + 1 }, (_, type) => type),
  PVM_CONSTANT.PVM_INT64,
];

/** Sends the default send buffer to the members but the caller. Its mistakes are pvm_mcast's, as PVM prints them. */
function broadcast(e: EngineState, tids: Int32Array, tag: number): number {
  const others = tids.filter((tid) => tid !== 0 && tid !== currentTid(e));
  return others.length === 0 ? quiet(e, PvmNoInst.code) : multicast(e, "pvm_mcast", others, tag);
}

/** What the tids of a group are for: to be sent to, or to be stored. */
const TIDS_FOR = { bcast: 0, store: 1 } as const;

/** The home has answered: its answer is the result. */
export const groupAnswered: Continuation = (e, { value }) => quiet(e, value);
/** Programs ask again and again until all are there. */
export const groupSizeAnswered: Continuation = (e, { value }) => {
  missed(e);
  return quiet(e, value);
};
export const groupTidsAnswered: Continuation = (e, { value, ints }, [what, at, room]) => {
  if (value < 0) return quiet(e, value);
  const tids = Int32Array.from(ints ?? []);
  return what === TIDS_FOR.bcast ? broadcast(e, tids, at!) : storeTids(e, tids, at!, room!);
};
export const collectiveAnswered: Continuation = (e, { value }, keep) => {
  const [routine, count, type, tag] = keep as [number, number, number, number];
  return check(e, cText(e, routine) ?? COLLECTIVE, collective(value, count, type, tag));
};
const COLLECTIVE = "pvm_collective";

export function groupCalls(e: EngineState) {
  const { w } = e;
  /** Asks the home that is not here. */
  const away = <K extends RequestKind>(
    kind: K,
    more: Omit<RequestBody<K>, "name">,
    keep?: number[],
  ): number => ask(e, kind, { name: textOf(name), ...more } as RequestBody<K>, keep);
  // One for all calls: nothing keeps it.
  const name: GroupName = { bytes: new Uint8Array(0), from: 0, length: 0, hash: 0 };
  const named = (group: number, act: () => number): number => {
    const bad = readName(e, group, name);
    if (bad < 0) return quiet(e, bad);
    join(e);
    return act();
  };
  /** A call in which message handlers may run: it may come again, and was asked already. */
  const meeting = (kind: AttendedKind, group: number, act: () => number): number => {
    const again = comeAgain(e, kind);
    return again === undefined ? named(group, () => lookFirst(e, e.current) || act()) : quiet(e, again);
  };
  return {
    pvm_joingroup: (group: number): number =>
      named(group, () => (asksMachine(e) ? away("joinGroup", {}) : quiet(e, groups.join(e, name)))),
    pvm_lvgroup: (group: number): number =>
      named(group, () => (asksMachine(e) ? away("leaveGroup", {}) : quiet(e, groups.leave(e, name)))),
    pvm_getinst: (group: number, tid: number): number =>
      named(group, () =>
        asksMachine(e) ? away("groupInstance", { task: tid }) : quiet(e, groups.instance(e, name, tid)),
      ),
    pvm_gettid: (group: number, instance: number): number =>
      named(group, () =>
        asksMachine(e) ? away("groupTid", { instance }) : quiet(e, groups.tid(e, name, instance)),
      ),
    /** NULL and "" are the ULPs that were started together: upvm's own, an error in PVM. */
    pvm_gsize(group: number): number {
      if (group === 0 || (isPlace(e, group, 1) && currentContext(e).bytes[group >>> 0] === 0))
        return w[e.current + ULP.siblingCount]!;
      return named(group, () => {
        if (asksMachine(e)) return away("groupSize", {});
        // Programs ask again and again until all are there.
        missed(e);
        return quiet(e, groups.size(e, name));
      });
    },
    pvm_barrier: (group: number, count: number): number =>
      meeting("barrier", group, () =>
        asksMachine(e)
          ? attend(e, "barrier", { name: textOf(name), count })
          : quiet(e, groups.barrier(e, name, count)),
      ),
    pvm_freezegroup: (group: number, size: number): number =>
      meeting("freezeGroup", group, () =>
        asksMachine(e)
          ? attend(e, "freezeGroup", { name: textOf(name), size })
          : quiet(e, groups.freeze(e, name, size)),
      ),
    /** Not to the sender. A group with no other member is PvmNoInst. */
    pvm_bcast: (group: number, tag: number): number =>
      named(group, () => {
        const first = lookFirst(e, e.current);
        if (first !== 0) return first;
        if (asksMachine(e)) return away("groupTids", {}, [TIDS_FOR.bcast, tag]);
        const tids = groups.tids(e, name);
        return typeof tids === "number" ? quiet(e, tids) : broadcast(e, tids, tag);
      }),
    /** upvm's own, for collectives. */
    pvm_group_tids: (group: number, at: number, capacity: number): number =>
      named(group, () => {
        if (asksMachine(e)) return away("groupTids", {}, [TIDS_FOR.store, at, capacity]);
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
      const text = cText(e, routine) ?? COLLECTIVE;
      const bad = readName(e, group, name);
      if (bad < 0) return check(e, text, bad);
      join(e);
      if (asksMachine(e)) return away("groupRole", { root }, [routine, count, type, tag]);
      return check(e, text, collective(role(e, name, root), count, type, tag));
    },
  };
}
