/**
 * What an application process tells of its ULPs: which there are, and whether nothing can happen any more by itself; and what
 * its job's wish says of its run.
 *
 * Owns: nothing; reads descriptors on the process's own thread.
 */
import { awaitsService } from "../runtime/scheduler/blocking.ts";
import type { Library } from "../runtime/scheduler/library.ts";
import { isOutside } from "../runtime/scheduler/outside.ts";
import { first, type QueueAt, ulpAt } from "../runtime/scheduler/queue.ts";
import { getState, isMigrating, stateText } from "../runtime/scheduler/state.ts";
import { doingText, RUNS } from "../runtime/scheduler/wait-text.ts";
import type { JobWish } from "../wire/job.ts";
import { ENGINE, HEAD, STOP, ULP, ULP_FLAG, ULP_STATE } from "../wire/layout.ts";
import type { JobStop } from "../wire/rpc-job.ts";
import type { RunOptions, RunResult } from "./run.ts";

/** ULPs of this process that have not ended: tid, state, what it does, row of its program. */
export function localTasks(library: Library): [number, string, string, number][] {
  const { w } = library;
  const paused = pausedUlp(library);
  const rows: [number, string, string, number][] = [];
  for (let index = 0; index < w[HEAD.ulps]!; index++) {
    const ulp = ulpAt(w, index);
    if (ulp === 0 || getState(w, ulp) === ULP_STATE.exited) continue;
    if (isOutside(w, ulp) && !isMigrating(w, ulp)) continue;
    const [state, doing] =
      ulp === paused
        ? [stateText(ULP_STATE.running), RUNS]
        : [stateText(w[ulp + ULP.state]!), doingText(w, ulp)];
    rows.push([w[ulp + ULP.tid]!, state, doing, w[ulp + ULP.module]!]);
  }
  return rows;
}

/** The ULP that runs but for this thread, which its engine has no other than, looking after something else; 0: none. */
function pausedUlp({ w, heap, rung }: Library): number {
  if (rung === undefined) return 0;
  const ulp = first(w, (heap.engineRow(0) + ENGINE.runHead) as QueueAt);
  return ulp > 0 && (w[ulp + ULP.flags]! & ULP_FLAG.preempted) !== 0 ? ulp : 0;
}

/**
 * True if all engines sleep, have nothing to take, and every ULP waits for messages of others: not for a time, nor for the
 * virtual machine, which other jobs are part of.
 */
export function isIdle(library: Library): boolean {
  const { w, heap } = library;
  const { engines } = library.process;
  // Itself: the process counts as what may always happen (run-here.ts).
  if (Atomics.load(w, HEAD.idleEngines) !== engines || Atomics.load(w, HEAD.outside) !== 1) return false;
  if (Atomics.load(w, HEAD.outbox) !== 0) return false;
  for (let engine = 0; engine < engines; engine++) {
    const row = heap.engineRow(engine);
    if (Atomics.load(w, row + ENGINE.wakes) !== 0 || Atomics.load(w, row + ENGINE.mail) !== 0) return false;
  }
  for (let index = 0; index < w[HEAD.ulps]!; index++) {
    const ulp = ulpAt(w, index);
    if (ulp === 0 || getState(w, ulp) === ULP_STATE.exited) continue;
    if (isMigrating(w, ulp) || (!isOutside(w, ulp) && awaitsService(w, ulp))) return false;
  }
  return true;
}

/** The first ULP may ask for input: it is read at the command, a request as others. */
const NO_INPUT = { read: async () => new Uint8Array(0), ready: async () => true };

/** What a job's wish says of the run here. */
export function wishedOptions(wish: JobWish): Omit<RunOptions, "module"> {
  const { name, ulps, args, env, grants, tag, handoff, framesBytes } = wish;
  return {
    ...{ name, ulps, args, env, grants, tag, handoff, framesBytes },
    ...(wish.input && { input: NO_INPUT }),
    ...(wish.sliceMs !== undefined && { sliceMs: wish.sliceMs }),
    ...(wish.profileMs !== undefined && { profileMs: wish.profileMs }),
    ...(wish.heapBytes !== undefined && { heapBytes: wish.heapBytes }),
    ...(wish.memoryPages !== undefined && { memoryPages: wish.memoryPages }),
    ...(wish.shuffle !== undefined && { shuffle: wish.shuffle }),
  };
}

/** What the master hands over to who runs the job. */
export function encodeResult(result: RunResult): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(result));
}

/** HEAD.stop for why a job ends. For the engines it is the same who has ended it. */
export function stopOf(reason: Exclude<JobStop, "interrupted"> | "done"): (typeof STOP)[keyof typeof STOP] {
  return STOP[reason === "killed" || reason === "closed" ? "halted" : reason];
}
