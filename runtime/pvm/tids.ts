/**
 * Which numbers are tids. PVM 3.4.6: a task's tid has 12 bits of host and 18 of task, and task 0 is none
 * (pvmtev.h and tid.h: TIDISTASK).
 */
import { ULP } from "../../wire/layout.ts";
import { PVM_OPTION } from "../../wire/options.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { optionOf } from "../scheduler/more.ts";

const TASK = 0x0003ffff;
/** Of the 12 bits of host, the two highest are for groups and daemons. */
const HOSTS = 0x0ffc0000;

/** True if a task could have this tid. */
export function isTaskTid(tid: number): boolean {
  return (tid & ~(HOSTS | TASK)) === 0 && (tid & TASK) !== 0;
}

/** True if a host's daemon, or the one that is nearest, may have this tid: as pvm_tidtohost tells it, or as messages of one say. */
export function isDaemonTid(tid: number): boolean {
  return (tid & TASK) === 0 && tid !== 0;
}

/** True if the running ULP may send to this tid with this tag: PvmResvTids allows the reserved ones. */
export function isSendable(e: EngineState, tid: number, tag: number): boolean {
  return (tag >= 0 && isTaskTid(tid)) || reserved(e);
}

/**
 * True if a receive of the running ULP may ask for these; -1 is any. PVM's manual: PvmBadParam for an invalid tid or a
 * tag below -1. (Its library waits for ever instead.)
 */
export function isReceivable(e: EngineState, tid: number, tag: number): boolean {
  return (tag >= -1 && (tid === -1 || isTaskTid(tid))) || reserved(e);
}

function reserved(e: EngineState): boolean {
  return optionOf(e.w, e.current, PVM_OPTION.PvmResvTids.code) !== 0;
}

/** Tid of the running ULP. */
export function currentTid(e: EngineState): number {
  return e.w[e.current + ULP.tid]!;
}
