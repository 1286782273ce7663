/**
 * Run queue and wait queue of an engine: doubly linked lists through the descriptors, by ULP index.
 *
 * Owns: the order of the ULPs in a queue; ULP.queueNext and ULP.queuePrev. Not their states (state.ts).
 * A queue is three words: first, last (ULP index, -1 none), count. It belongs to one engine; any thread may read
 * it for a dump and then has to expect that it changes meanwhile.
 * Always true: a ULP is in one queue at most; one that is in none has queueNext = queuePrev = NOT_QUEUED.
 */
import { HEAD, ULP } from "../../wire/layout.ts";
import type { UlpAt } from "./state.ts";

/** Link of a ULP that is in no queue: -1 is the end of a list, so it needs another value. */
export const NOT_QUEUED = -2;
const NONE = -1;

/** Word index of a queue: first, last, count. */
export type QueueAt = number & { readonly queueAt: true };

/** Word index of the descriptor of ULP `index`, 0 if it has none. (Heap's first words: the ULP table's place.) */
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

/** ULP index of the first, -1 if the queue is empty. */
export function first(w: Int32Array, q: QueueAt): number {
  return w[q]!;
}

export function isQueued(w: Int32Array, ulp: UlpAt): boolean {
  return w[ulp + ULP.queueNext] !== NOT_QUEUED;
}

/** Adds at the tail. The ULP is in no queue. */
export function append(w: Int32Array, q: QueueAt, ulp: UlpAt): void {
  const index = w[ulp + ULP.index]!;
  const last = w[q + 1]!;
  w[ulp + ULP.queuePrev] = last;
  w[ulp + ULP.queueNext] = NONE;
  if (last === NONE) w[q] = index;
  else w[ulpAt(w, last) + ULP.queueNext] = index;
  w[q + 1] = index;
  w[q + 2] = w[q + 2]! + 1;
}

/** Takes a ULP out of the middle: hand-off, wake-up, end. It is in this queue. */
export function remove(w: Int32Array, q: QueueAt, ulp: UlpAt): void {
  const next = w[ulp + ULP.queueNext]!;
  const prev = w[ulp + ULP.queuePrev]!;
  if (prev === NONE) w[q] = next;
  else w[ulpAt(w, prev) + ULP.queueNext] = next;
  if (next === NONE) w[q + 1] = prev;
  else w[ulpAt(w, next) + ULP.queuePrev] = prev;
  w[ulp + ULP.queueNext] = NOT_QUEUED;
  w[ulp + ULP.queuePrev] = NOT_QUEUED;
  w[q + 2] = w[q + 2]! - 1;
}

/** Takes the first. The queue is not empty. */
export function takeFirst(w: Int32Array, q: QueueAt): UlpAt {
  const ulp = ulpAt(w, w[q]!);
  remove(w, q, ulp);
  return ulp;
}

/** ULP indices in order. A reader on another thread gets at most `count` of them, whatever happens meanwhile. */
export function members(w: Int32Array, q: QueueAt): number[] {
  const out: number[] = [];
  for (let index = w[q]!, left = w[q + 2]!; index >= 0 && left > 0; left--) {
    out.push(index);
    index = w[ulpAt(w, index) + ULP.queueNext]!;
  }
  return out;
}
