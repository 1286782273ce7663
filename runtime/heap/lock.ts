/**
 * Mutual exclusion between threads: one word of shared memory.
 *
 * Owns: the word. 0 free, 1 held, 2 held and somebody may sleep on it (Drepper, "Futexes Are Tricky", 2011,
 * mutex 2). What it guards takes less than a microsecond, so a thread looks a few times before it sleeps.
 */
import { LIMITS } from "../../wire/limits.ts";

/** Waits until the lock is this thread's. Not twice by one thread: it would wait for itself. */
export function lock(i32: Int32Array<SharedArrayBuffer>, word: number): void {
  for (let spin = 0; spin < LIMITS.heapLockSpins; spin += 1) {
    if (Atomics.compareExchange(i32, word, 0, 1) === 0) return;
  }
  while (Atomics.exchange(i32, word, 2) !== 0) Atomics.wait(i32, word, 2);
}

export function unlock(i32: Int32Array<SharedArrayBuffer>, word: number): void {
  if (Atomics.exchange(i32, word, 0) === 2) Atomics.notify(i32, word, 1);
}
