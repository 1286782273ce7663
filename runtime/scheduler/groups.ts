/**
 * The home of groups: what a group routine asks of the place that keeps a group, and its answer there.
 *
 * Owns: the lock around each operation, PVM's answers, and what the end of a member means. Not the guest's memory
 * (runtime/pvm/groups.ts). This home is of a virtual machine of one host: it is the process heap, and every answer comes
 * at once, without another thread. One of many hosts has the same operations (`Groups`): a ULP whose group has its home
 * elsewhere asks for it (runtime/pvm/ask.ts) and returns SUSPEND until the answer comes, which is why all of its routines
 * have the route "block" (wire/pvm.ts).
 *
 * As PVM 3.4.6, its pvmgs compared. Where it differs:
 *   - a count of less than 1 is PvmMismatch and no more; PVM's server takes it for the group's count from then on;
 *   - a member that ends leaves its groups before anything else can be seen of its end;
 *   - a frozen group is defunct as soon as a member leaves or ends, and who waits in its barrier gets PvmNoGroup at once;
 *     PVM's waits for ever if the member ended.
 * Of a dynamic group those in a barrier wait on when a member leaves or ends, as in PVM, since another may join; if
 * nobody can, that is a deadlock and its report has their count.
 */
import { GROUP, MEMBER } from "../../wire/groups.ts";
import { HEAD, ULP, ULP_STATE, WAIT } from "../../wire/layout.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import { lock, unlock } from "../heap/lock.ts";
import type { EngineState } from "./engine-state.ts";
import {
  dropGroup,
  dropMemberships,
  enrol,
  findGroup,
  type GroupAt,
  type GroupName,
  type GroupUser,
  instanceLeft,
  membershipOf,
  newGroup,
  sizeOf,
  strike,
  tidAt,
} from "./group-table.ts";
import { meet, release, standBack } from "./rendezvous.ts";
import { getState, type UlpAt } from "./state.ts";
import { ulpOf } from "./ulp.ts";

const { PvmDupGroup, PvmMismatch, PvmNoGroup, PvmNoInst, PvmNotInGroup } = PVM_ERROR;

/** "As many as there are now", for barrier and freeze. */
const ALL = -1;

/** What a group's home does for the running ULP of an engine. Results are the routine's: an error code is negative. */
export interface Groups {
  /** Instance number. PvmDupGroup, PvmNotInGroup (frozen), PvmNoMem, PvmOutOfRes. */
  join(e: EngineState, name: GroupName): number;
  /** PvmNoGroup, PvmNotInGroup. */
  leave(e: EngineState, name: GroupName): number;
  /** Members. PvmNoGroup. */
  size(e: EngineState, name: GroupName): number;
  /** Instance number of a tid. PvmNoGroup, PvmNotInGroup. */
  instance(e: EngineState, name: GroupName, tid: number): number;
  /** PvmNoGroup, PvmNoInst. */
  tid(e: EngineState, name: GroupName, instance: number): number;
  /** Tids by instance number, 0 where there is none. PvmNoGroup. */
  tids(e: EngineState, name: GroupName): Int32Array | number;
  /** SUSPEND: the caller waits. PvmNoGroup (also: frozen and defunct), PvmNotInGroup, PvmMismatch. */
  barrier(e: EngineState, name: GroupName, count: number): number;
  /** Size of the group. SUSPEND. PvmNoGroup, PvmNotInGroup, PvmDupGroup (frozen), PvmMismatch. */
  freeze(e: EngineState, name: GroupName, size: number): number;
  /** A ULP of this engine ends, or leaves PVM: it leaves all groups, and waits for none. */
  left(e: EngineState, ulp: UlpAt): void;
}

/** What `act` answers of a group that exists, with the lock held. */
function inGroup(e: EngineState, name: GroupName, act: (group: GroupAt) => number): number {
  if (!e.alone) lock(e.w, HEAD.groupLock);
  try {
    const group = findGroup(e, name);
    return group === 0 ? PvmNoGroup.code : act(group);
  } finally {
    if (!e.alone) unlock(e.w, HEAD.groupLock);
  }
}

function join(e: EngineState, name: GroupName): number {
  if (!e.alone) lock(e.w, HEAD.groupLock);
  try {
    const found = findGroup(e, name);
    if (found !== 0) {
      // Also for a member: so PVM.
      if (e.w[found + GROUP.frozen] !== 0) return PvmNotInGroup.code;
      return membershipOf(e.w, e.current, found) !== 0 ? PvmDupGroup.code : enrol(e, e.current, found);
    }
    const made = newGroup(e, name);
    if (made < 0) return made;
    const instance = enrol(e, e.current, made as GroupAt);
    if (instance < 0) dropGroup(e, made as GroupAt);
    return instance;
  } finally {
    if (!e.alone) unlock(e.w, HEAD.groupLock);
  }
}

/** Takes a member out, with all that means for the others. The lock is held. */
function remove(e: EngineState, ulp: UlpAt, member: number): void {
  const group = (e.w[member + MEMBER.groupAt]! >> 2) as GroupAt;
  strike(e, ulp, member);
  if (e.w[group + GROUP.frozen] !== 0) release(e, group, WAIT.barrier, PvmNoGroup.code);
  if (e.w[group + GROUP.members] === 0) dropGroup(e, group);
}

function left(e: EngineState, ulp: UlpAt): void {
  // A ULP that waits at a meeting point is a member: who is in no group has nothing to do here.
  if (e.w[ulp + ULP.groupsAt] === 0) return;
  if (!e.alone) lock(e.w, HEAD.groupLock);
  try {
    if (getState(e.w, ulp) === ULP_STATE.blocked) standBack(e.w, ulp);
    for (let at = e.w[ulp + ULP.groupsAt]!; at !== 0; at = e.w[ulp + ULP.groupsAt]!) remove(e, ulp, at >> 2);
  } finally {
    if (!e.alone) unlock(e.w, HEAD.groupLock);
  }
}

/** How many must come: `count`, or all there are. 0: no such count. */
function wanted(w: Int32Array, group: GroupAt, count: number): number {
  if (count === ALL) return sizeOf(w, group, true);
  return Math.max(count, 0);
}

function barrier(e: EngineState, group: GroupAt, count: number): number {
  if (membershipOf(e.w, e.current, group) === 0) return PvmNotInGroup.code;
  if (e.w[group + GROUP.defunct] !== 0) return PvmNoGroup.code;
  const must = wanted(e.w, group, count);
  return must === 0 ? PvmMismatch.code : meet(e, group, WAIT.barrier, must, 0);
}

function freeze(e: EngineState, group: GroupAt, size: number): number {
  const { w } = e;
  if (membershipOf(w, e.current, group) === 0) return PvmNotInGroup.code;
  if (w[group + GROUP.frozen] !== 0) return PvmDupGroup.code;
  const must = wanted(w, group, size);
  if (must === 0) return PvmMismatch.code;
  const members = w[group + GROUP.members]!;
  const code = meet(e, group, WAIT.freeze, must, members);
  if (code !== 0) return code;
  w[group + GROUP.frozen] = members;
  return members;
}

function instance(e: EngineState, group: GroupAt, tid: number): number {
  const { w } = e;
  const ulp = ulpOf(w, tid);
  const member = ulp === 0 ? 0 : membershipOf(w, ulp, group);
  if (member !== 0) return w[member + MEMBER.instance]!;
  const sees = w[group + GROUP.defunct] !== 0 && membershipOf(w, e.current, group) !== 0;
  const before = sees ? instanceLeft(w, group, tid) : -1;
  return before < 0 ? PvmNotInGroup.code : before;
}

/** True if the running ULP is in the group: then it sees a frozen one as it was frozen. */
function sees(e: EngineState, group: GroupAt): boolean {
  return e.w[group + GROUP.frozen] !== 0 && membershipOf(e.w, e.current, group) !== 0;
}

/** Every group of a virtual machine of one host. */
export const groups: Groups = {
  join,
  leave: (e, name) =>
    inGroup(e, name, (group) => {
      const member = membershipOf(e.w, e.current, group);
      if (member === 0) return PvmNotInGroup.code;
      remove(e, e.current, member);
      return 0;
    }),
  size: (e, name) => inGroup(e, name, (group) => sizeOf(e.w, group, sees(e, group))),
  instance: (e, name, tid) => inGroup(e, name, (group) => instance(e, group, tid)),
  tid: (e, name, at) => inGroup(e, name, (group) => tidAt(e.w, group, at, sees(e, group)) || PvmNoInst.code),
  tids(e, name) {
    let tids = new Int32Array(0);
    const code = inGroup(e, name, (group) => {
      const all = sees(e, group);
      tids = Int32Array.from({ length: e.w[group + GROUP.top]! }, (_, i) => tidAt(e.w, group, i, all));
      return 0;
    });
    return code < 0 ? code : tids;
  },
  barrier: (e, name, count) => inGroup(e, name, (group) => barrier(e, group, count)),
  freeze: (e, name, size) => inGroup(e, name, (group) => freeze(e, group, size)),
  left,
};

/** As `left`, when no engine runs any more: nobody is woken. */
export function forgetGroups(o: GroupUser, ulp: UlpAt): void {
  if (o.w[ulp + ULP.groupsAt] !== 0) dropMemberships(o, ulp);
}
