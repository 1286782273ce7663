/**
 * Tids as the virtual machine's service sees them: which are a task's, which host a tid belongs to. (tid.h of PVM 3.4.6)
 *
 * Owns: the masks. What a process makes of tids is runtime/pvm/tids.ts.
 */

/** Host bits of a tid, and its task bits. */
const HOST = 0x3ffc0000;
const TASK = 0x0003ffff;
/** Bits of groups and daemons: a task's tid has none. */
const SPECIAL = ~0x0fffffff;

export function isTask(tid: number): boolean {
  return (tid & (SPECIAL | 0)) === 0 && (tid & TASK) !== 0;
}

/** Tid of the daemon of a tid's host. */
export function hostOf(tid: number): number {
  return tid & HOST;
}
