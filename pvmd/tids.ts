/**
 * Tids as the virtual machine's service sees them: which are a task's, and of which job; which are a host's. (tid.h of PVM
 * 3.4.6) A task's host bits are its job: PVM's tasks stay where they are, ULPs do not.
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

/** Number of the job that a task is of: 1 and on. A task's tid says that, and not where it is. */
export function jobOf(tid: number): number {
  return (tid & HOST) >>> JOB_SHIFT;
}

/** Tid of a job's task; its index counts from 0. */
export function tidOfJob(job: number, index: number): number {
  return (job << JOB_SHIFT) + 1 + index;
}

/** Index of a task among its job's. */
export function indexOf(tid: number): number {
  return (tid & TASK) - 1;
}
const JOB_SHIFT = 18;
