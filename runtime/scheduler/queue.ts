/**
 * Run queue and wait queue of an engine: doubly linked lists through the descriptors.
 *
 * Owns: the order of the ULPs in a queue; ULP.queueNext and ULP.queuePrev. Not their states (state.ts).
 * A queue is three words: first, last (word indices of descriptors, 0 none), count. It belongs to one engine;
 * any thread may read it for a dump and then has to expect that it changes meanwhile.
 * Always true: a ULP is in one queue at most; one that is in none has queueNext = NOT_QUEUED.
 */
import { HEAD as HEAD_TABLE, ULP as ULP_TABLE } from "../../wire/layout.ts";
import type { UlpAt } from "./state.ts";

// V8 folds the fields of a constant of this file into its code, those of an import it loads (1.5 times
// slower).
const HEAD = HEAD_TABLE;
const ULP = ULP_TABLE;

/** Link of a ULP that is in no queue: 0 is the end of a list, so it needs another value. */
export const NOT_QUEUED = -1;
const NONE = 0;

/** Word index of a queue: first, last, count. */
export type QueueAt = number & { readonly queueAt: true };

/** Word index of the descriptor of ULP `index`, 0 if it has none. */
export function ulpAt(w: Int32Array, index: number): UlpAt {
  return (w[(w[HEAD.ulpTableAt]! >> 2) + index]! >> 2) as UlpAt;
}

export function initQueue(w: Int32Array, q: QueueAt): void {
  w[q] = NONE;
  w[q + 1] = NONE;
  w[q + 2] = 0;
}

export function queueLength(w: Int32Array, q: QueueAt): number {
  return w[q + 2]!;
}

/** First and last of a queue; 0 if it is empty. */
export function first(w: Int32Array, q: QueueAt): UlpAt {
  return w[q] as UlpAt;
}
export function last(w: Int32Array, q: QueueAt): UlpAt {
  return w[q + 1] as UlpAt;
}

export function isQueued(w: Int32Array, ulp: UlpAt): boolean {
  return w[ulp + ULP.queueNext] !== NOT_QUEUED;
}

/** Adds at the tail. The ULP is in no queue. */
export function append(w: Int32Array, q: QueueAt, ulp: UlpAt): void {
  const before = w[q + 1]!;
  w[ulp + ULP.queuePrev] = before;
  w[ulp + ULP.queueNext] = NONE;
  if (before === NONE) w[q] = ulp;
  else w[before + ULP.queueNext] = ulp;
  w[q + 1] = ulp;
  w[q + 2] = w[q + 2]! + 1;
}

/** Adds at the head: it runs next. The ULP is in no queue. */
export function prepend(w: Int32Array, q: QueueAt, ulp: UlpAt): void {
  const after = w[q]!;
  w[ulp + ULP.queuePrev] = NONE;
  w[ulp + ULP.queueNext] = after;
  if (after === NONE) w[q + 1] = ulp;
  else w[after + ULP.queuePrev] = ulp;
  w[q] = ulp;
  w[q + 2] = w[q + 2]! + 1;
}

/** Takes a ULP out of the middle: hand-off, wake-up, end. It is in this queue. */
export function remove(w: Int32Array, q: QueueAt, ulp: UlpAt): void {
  const next = w[ulp + ULP.queueNext]!;
  const prev = w[ulp + ULP.queuePrev]!;
  if (prev === NONE) w[q] = next;
  else w[prev + ULP.queueNext] = next;
  if (next === NONE) w[q + 1] = prev;
  else w[next + ULP.queuePrev] = prev;
  w[ulp + ULP.queueNext] = NOT_QUEUED;
  w[q + 2] = w[q + 2]! - 1;
}

/** Takes the first; 0 if the queue is empty. */
export function takeFirst(w: Int32Array, q: QueueAt): UlpAt {
  const ulp = w[q] as UlpAt;
  if (ulp !== NONE) remove(w, q, ulp);
  return ulp;
}

/** In order. A reader on another thread gets at most `count` of them, whatever happens meanwhile. */
export function members(w: Int32Array, q: QueueAt): UlpAt[] {
  const out: UlpAt[] = [];
  for (let ulp = first(w, q), left = w[q + 2]!; ulp > 0 && left > 0; left--) {
    out.push(ulp);
    ulp = w[ulp + ULP.queueNext] as UlpAt;
  }
  return out;
}
