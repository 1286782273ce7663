/**
 * The end of a wait: a blocked ULP becomes runnable.
 *
 * Owns: taking back what a wait has set (blocking.ts, rendezvous.ts). Who may do so has claimed the ULP.
 */
import {
  HEAD as HEAD_TABLE,
  ULP_FLAG as ULP_FLAG_TABLE,
  ULP_STATE as ULP_STATE_TABLE,
  ULP as ULP_TABLE,
  WAIT as WAIT_TABLE,
} from "../../wire/layout.ts";
import type { EngineState } from "./engine-state.ts";
import { append, prepend, remove } from "./queue.ts";
import { setState, type UlpAt } from "./state.ts";

// V8 folds the fields of a constant of this file into its code, those of an import it loads (1.5 times
// slower).
const HEAD = HEAD_TABLE;
const ULP = ULP_TABLE;
const ULP_FLAG = ULP_FLAG_TABLE;
const ULP_STATE = ULP_STATE_TABLE;
const WAIT = WAIT_TABLE;

/**
 * Ends a wait in any way: no deadline, not counted as waiting for the outside, no event.
 *
 * @returns true: it waited for a time, or for the world outside
 */
export function clearWait(e: EngineState, ulp: UlpAt): boolean {
  const w = e.w;
  w[ulp + ULP.wait] = WAIT.none;
  const flags = w[ulp + ULP.flags]!;
  if ((flags & ULP_FLAG.outside) === 0) return false;
  w[ulp + ULP.flags] = flags & ~ULP_FLAG.outside;
  Atomics.sub(w, HEAD.outside, 1);
  e.timers.remove(w[ulp + ULP.index]!);
  return true;
}

/**
 * A blocked ULP becomes runnable, at the tail of the run queue; its call returns `result`. It is claimed. One that waited for
 * a time or for the world outside goes to the head: behind ULPs that never wait it would run late; so one that runs now gives
 * way to it at its next poll that calls the engine. Also if a message has come: its time is none to be late for.
 *
 * @param first  to the head in any case
 */
export function unblock(e: EngineState, ulp: UlpAt, result: number, first = false): void {
  const w = e.w;
  w[ulp + ULP.result] = result;
  const soon = clearWait(e, ulp) || first;
  remove(w, e.waitq, ulp);
  setState(w, ulp, ULP_STATE.runnable);
  if (!soon) append(w, e.runq, ulp);
  else {
    prepend(w, e.runq, ulp);
    e.yieldAtPoll = true;
  }
}
