/**
 * Which numbers are tids. PVM 3.4.6: a task's tid has 12 bits of host and 18 of task, and task 0 is none
 * (pvmtev.h and tid.h: TIDISTASK).
 */
import { ULP } from "../../wire/layout.ts";
import type { EngineState } from "../scheduler/engine-state.ts";

const TASK = 0x0003ffff;
/** Of the 12 bits of host, the two highest are for groups and daemons. */
const HOSTS = 0x0ffc0000;

/** True if a task could have this tid. */
export function isTaskTid(tid: number): boolean {
  return (tid & ~(HOSTS | TASK)) === 0 && (tid & TASK) !== 0;
}

/** Tid of the running ULP. */
export function currentTid(e: EngineState): number {
  return e.w[e.current + ULP.tid]!;
}
