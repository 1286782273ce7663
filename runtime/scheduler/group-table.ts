/**
 * Groups of this process: their names, their members by instance number, and the groups that each ULP is in.
 *
 * Owns: GROUP, MEMBER, the hash table of names; not who waits for whom (rendezvous.ts), nor what a routine answers
 * (groups.ts). All in the process heap, so that any engine reads and changes it: whoever calls holds HEAD.groupLock.
 * A member is named by its tid, never by where it is.
 * Always true:
 *   1. a group has a member; with the last one it goes, and its name may be used anew;
 *   2. instance numbers are given lowest first, and used again;
 *   3. a member has a row in the group's table and a MEMBER in its ULP's list, or neither.
 * A frozen group keeps the row of who left it, negative: its other members go on seeing what they froze, as each
 * of PVM's caches the list when it freezes.
 */
import { GROUP, MEET, MEMBER } from "../../wire/groups.ts";
import { BLOCK_KIND, HEAD, ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import type { Arena } from "../heap/arena.ts";
import type { UlpAt } from "./state.ts";

/** Word index of a GROUP. */
export type GroupAt = number & { readonly groupAt: true };

/** Who touches groups: an engine, or the process's own thread when no engine runs any more. */
export interface GroupUser {
  readonly w: Int32Array<SharedArrayBuffer>;
  readonly arena: Arena;
}

/** A group's name as it lies in some memory: `length` bytes from `from`, without a NUL. */
export interface GroupName {
  bytes: Uint8Array;
  from: number;
  length: number;
  /** hashOf these bytes. */
  hash: number;
}

/** Rows of a new group's table of instances. */
const FIRST_ROWS = 8;
const NO_MEM = PVM_ERROR.PvmNoMem.code;

/** FNV-1a, 32 bits. */
export function hashOf(bytes: Uint8Array, from: number, length: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = from; i < from + length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash;
}

/** Word of the chain that a name is in; the table exists. */
function chainOf(w: Int32Array, hash: number): number {
  return (w[HEAD.groupTableAt]! >> 2) + ((hash >>> 0) % LIMITS.groupChains);
}

/** The group of this name; 0: there is none. */
export function findGroup({ w, arena }: GroupUser, name: GroupName): GroupAt {
  if (w[HEAD.groups] === 0) return 0 as GroupAt;
  const { u8 } = arena.heap;
  for (let at = w[chainOf(w, name.hash)]!; at !== 0; ) {
    const group = at >> 2;
    if (w[group + GROUP.hash] === name.hash && w[group + GROUP.nameBytes] === name.length) {
      const own = at + GROUP.words * 4;
      let same = 0;
      while (same < name.length && u8[own + same] === name.bytes[name.from + same]) same++;
      if (same === name.length) return group as GroupAt;
    }
    at = w[group + GROUP.next]!;
  }
  return 0 as GroupAt;
}

/** A new group, still without members. @returns PvmNoMem, PvmOutOfRes: LIMITS.groups */
export function newGroup(o: GroupUser, name: GroupName): GroupAt | number {
  const { w, arena } = o;
  if (w[HEAD.groups]! >= LIMITS.groups) return PVM_ERROR.PvmOutOfRes.code;
  if (w[HEAD.groupTableAt] === 0 && !makeTable(o)) return NO_MEM;
  const at = arena.hmalloc(GROUP.words * 4 + name.length, BLOCK_KIND.group);
  if (at === 0) return NO_MEM;
  const tableAt = arena.hmalloc(FIRST_ROWS * 4, BLOCK_KIND.instances);
  if (tableAt === 0) {
    arena.hfree(at);
    return NO_MEM;
  }
  const group = (at >> 2) as GroupAt;
  w.fill(0, group, group + GROUP.words);
  w.fill(0, tableAt >> 2, (tableAt >> 2) + FIRST_ROWS);
  arena.heap.u8.set(name.bytes.subarray(name.from, name.from + name.length), at + GROUP.words * 4);
  w[group + GROUP.hash] = name.hash;
  w[group + GROUP.nameBytes] = name.length;
  w[group + GROUP.rows] = FIRST_ROWS;
  w[group + GROUP.tableAt] = tableAt;
  const chain = chainOf(w, name.hash);
  w[group + GROUP.next] = w[chain]!;
  w[chain] = at;
  w[HEAD.groups] = w[HEAD.groups]! + 1;
  return group;
}

/** The hash table, which lasts as long as the process. False: the heap is full. */
function makeTable({ w, arena }: GroupUser): boolean {
  const at = arena.hmalloc(LIMITS.groupChains * 4, BLOCK_KIND.lasting);
  if (at === 0) return false;
  w.fill(0, at >> 2, (at >> 2) + LIMITS.groupChains);
  w[HEAD.groupTableAt] = at;
  return true;
}

/** Frees a group without members. */
export function dropGroup({ w, arena }: GroupUser, group: GroupAt): void {
  const at = group << 2;
  let link = chainOf(w, w[group + GROUP.hash]!);
  while (w[link] !== at) link = (w[link]! >> 2) + GROUP.next;
  w[link] = w[group + GROUP.next]!;
  w[HEAD.groups] = w[HEAD.groups]! - 1;
  arena.hfree(w[group + GROUP.tableAt]!);
  arena.hfree(at);
}

/** Word index of the ULP's MEMBER in a group; 0: it is not in it. */
export function membershipOf(w: Int32Array, ulp: UlpAt, group: GroupAt): number {
  for (let at = w[ulp + ULP.groupsAt]!; at !== 0; at = w[(at >> 2) + MEMBER.next]!) {
    if (w[(at >> 2) + MEMBER.groupAt] === group << 2) return at >> 2;
  }
  return 0;
}

/** Puts a ULP into a group that it is not in. @returns its instance number, or PvmNoMem and nothing changed */
export function enrol(o: GroupUser, ulp: UlpAt, group: GroupAt): number {
  const { w, arena } = o;
  const instance = freeInstance(w, group);
  if (instance === w[group + GROUP.rows] && !growTable(o, group)) return NO_MEM;
  const at = arena.hmalloc(MEMBER.words * 4, BLOCK_KIND.member);
  if (at === 0) return NO_MEM;
  const member = at >> 2;
  w[member + MEMBER.next] = w[ulp + ULP.groupsAt]!;
  w[member + MEMBER.groupAt] = group << 2;
  w[member + MEMBER.instance] = instance;
  w[ulp + ULP.groupsAt] = at;
  w[rowOf(w, group, instance)] = w[ulp + ULP.tid]!;
  w[group + GROUP.members] = w[group + GROUP.members]! + 1;
  w[group + GROUP.free] = instance + 1;
  if (instance >= w[group + GROUP.top]!) w[group + GROUP.top] = instance + 1;
  return instance;
}

/** Takes a ULP out of a group; the group stays even if that was its last member. `member` is its MEMBER. */
export function strike({ w, arena }: GroupUser, ulp: UlpAt, member: number): void {
  const group = (w[member + MEMBER.groupAt]! >> 2) as GroupAt;
  const instance = w[member + MEMBER.instance]!;
  let link = ulp + ULP.groupsAt;
  while (w[link] !== member << 2) link = (w[link]! >> 2) + MEMBER.next;
  w[link] = w[member + MEMBER.next]!;
  arena.hfree(member << 2);
  w[group + GROUP.members] = w[group + GROUP.members]! - 1;
  const row = rowOf(w, group, instance);
  if (w[group + GROUP.frozen] !== 0) {
    w[row] = -w[row]!;
    w[group + GROUP.defunct] = 1;
    return;
  }
  w[row] = 0;
  if (instance < w[group + GROUP.free]!) w[group + GROUP.free] = instance;
  while (w[group + GROUP.top]! > 0 && w[rowOf(w, group, w[group + GROUP.top]! - 1)] === 0)
    w[group + GROUP.top] = w[group + GROUP.top]! - 1;
}

/** Word of an instance's row. It is in the table. */
function rowOf(w: Int32Array, group: GroupAt, instance: number): number {
  return (w[group + GROUP.tableAt]! >> 2) + instance;
}

/** The lowest instance number that nobody has; it may be one beyond the table. */
function freeInstance(w: Int32Array, group: GroupAt): number {
  let instance = w[group + GROUP.free]!;
  const top = w[group + GROUP.top]!;
  while (instance < top && w[rowOf(w, group, instance)] !== 0) instance++;
  return instance;
}

function growTable({ w, arena }: GroupUser, group: GroupAt): boolean {
  const rows = w[group + GROUP.rows]!;
  const at = arena.hrealloc(w[group + GROUP.tableAt]!, rows * 8, BLOCK_KIND.instances);
  if (at === 0) return false;
  w.fill(0, (at >> 2) + rows, (at >> 2) + 2 * rows);
  w[group + GROUP.tableAt] = at;
  w[group + GROUP.rows] = 2 * rows;
  return true;
}

/**
 * Tid of an instance, as a member or another sees it: members of a frozen group also see who has left it.
 *
 * @returns 0: there is none
 */
export function tidAt(w: Int32Array, group: GroupAt, instance: number, asMember: boolean): number {
  if (instance < 0 || instance >= w[group + GROUP.top]!) return 0;
  const tid = w[rowOf(w, group, instance)]!;
  if (tid >= 0) return tid;
  return asMember ? -tid : 0;
}

/** How many members a group has, as a member or another sees it. */
export function sizeOf(w: Int32Array, group: GroupAt, asMember: boolean): number {
  const frozen = w[group + GROUP.frozen]!;
  return frozen !== 0 && asMember ? frozen : w[group + GROUP.members]!;
}

/** Instance of who has left a frozen group; -1: nobody of this tid has. */
export function instanceLeft(w: Int32Array, group: GroupAt, tid: number): number {
  for (let instance = 0; instance < w[group + GROUP.top]!; instance++)
    if (w[rowOf(w, group, instance)] === -tid) return instance;
  return -1;
}

/** A group's name as text. On another thread without the lock: of its own moment, and perhaps nonsense. */
export function groupText(w: Int32Array<SharedArrayBuffer>, group: GroupAt): string {
  const at = (group + GROUP.words) << 2;
  const bytes = Math.min(w[group + GROUP.nameBytes]! >>> 0, LIMITS.groupNameBytes);
  // A copy: TextDecoder takes no shared memory.
  return new TextDecoder().decode(new Uint8Array(w.buffer).slice(at, at + bytes));
}

/** Every group, for a dump. Exact when no engine runs. */
export function allGroups(w: Int32Array): GroupAt[] {
  const found: GroupAt[] = [];
  if (w[HEAD.groups] === 0) return found;
  for (let chain = 0; chain < LIMITS.groupChains; chain++) {
    let at = w[(w[HEAD.groupTableAt]! >> 2) + chain]!;
    for (; at !== 0 && found.length < LIMITS.groups; at = w[(at >> 2) + GROUP.next]!)
      found.push((at >> 2) as GroupAt);
  }
  return found;
}

/** A meeting point of a group, for a dump: how many must come, how many have; 0,0 if nobody waits. */
export function meetingOf(w: Int32Array, group: GroupAt, point: number): readonly [number, number] {
  const came = w[group + point + MEET.came]!;
  return [came === 0 ? 0 : w[group + point + MEET.count]!, came];
}

/**
 * A ULP has ended and no engine runs any more: its memberships go, and groups without members. No lock: an engine
 * may have been stopped while it held it.
 */
export function dropMemberships(o: GroupUser, ulp: UlpAt): void {
  for (let at = o.w[ulp + ULP.groupsAt]!; at !== 0; at = o.w[ulp + ULP.groupsAt]!) {
    const group = (o.w[(at >> 2) + MEMBER.groupAt]! >> 2) as GroupAt;
    strike(o, ulp, at >> 2);
    if (o.w[group + GROUP.members] === 0) dropGroup(o, group);
  }
}
