/**
 * Where the groups of a process are in its heap (runtime/scheduler/group-table.ts). Words and addresses as in layout.ts.
 *
 * Owns: offsets. No code here reads or writes memory.
 */

/**
 * A group (runtime/scheduler/group-table.ts). Word offsets; the name's bytes follow. All of it is read and written with
 * HEAD.groupLock held.
 *
 *     hash table ─▶ GROUP ─next─▶ GROUP      instances: tid by instance number; 0: free; negative: has left a frozen one
 *                     │ tableAt ▶ [t40001, t40007, 0, t40002 …]
 *     ULP.groupsAt ─▶ MEMBER ─next─▶ MEMBER  the groups that a ULP is in
 */
export const GROUP = {
  /** Next of its chain of the hash table (byte address), and the name's hash. */
  next: 0,
  hash: 1,
  nameBytes: 2,
  /** Members now. */
  members: 3,
  /** Rows of the table of instances; the highest in use and 1; no row below this one is free. */
  rows: 4,
  top: 5,
  free: 6,
  tableAt: 7,
  /** Members when it was frozen, 0: dynamic. 1: a member has left it since. */
  frozen: 8,
  defunct: 9,
  /** Two meeting points, MEET: of pvm_barrier and of pvm_freezegroup. */
  barrier: 10,
  freeze: 14,
  words: 18,
} as const;

/** Where members of a group wait for each other. Word offsets in GROUP. */
export const MEET = {
  /** How many must come, and how many have. */
  count: 0,
  came: 1,
  /** Who waits, in order of coming, linked by ULP.groupNext: descriptors, as word indices, 0 none. */
  first: 2,
  last: 3,
  words: 4,
} as const;

/** Membership of a ULP. Word offsets. */
export const MEMBER = {
  /** Next of the same ULP, and the group (byte addresses). */
  next: 0,
  groupAt: 1,
  instance: 2,
  words: 4,
} as const;
