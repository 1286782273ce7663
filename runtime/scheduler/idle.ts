/**
 * Scheduling step iv: an engine with nothing to run looks for work, asks for work, sleeps; and finds out that
 * there is none and will be none: the ULPs have deadlocked.
 *
 * Owns: HEAD.idleEngines and idleEpoch; ENGINE.idle of its row together with mailbox.ts, which wakes.
 * A sleeping engine uses no processor: who has work for it, or wants to share its own, wakes it.
 *
 * Deadlock is exact. Only an engine that is not idle, or the process's thread on behalf of HEAD.outside, puts
 * anything on wakes or mail. An engine counts itself as idle and as busy again, before it takes what it was
 * woken for: until then that is still on its wakes or mail. So if
 *   1. all engines are idle, 2. nobody waits for the outside, 3. no wakes and no mail is left, and
 *   4. idleEpoch did not change while 1–3 were looked at,
 * then nothing can happen any more. A ULP that is sent by port counts as mail until it has been taken in.
 * 2 comes before 3: the process's thread sends its answer first, and then the request counts no more.
 * Dropped: the waker counts the engine as busy. Between its compare-and-swap and its subtraction the engine
 * could run, finish and count itself as idle a second time: a deadlock that was none, one run in some
 * hundreds. Mail before the outside: an answer that came between these two looks was not seen, once in thousands of runs.
 */
import { ENGINE, HEAD, STOP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { stopProcess } from "./end.ts";
import { COUNTER, count, type EngineState } from "./engine-state.ts";

/** Looks by the kernel before the clock is read: some microseconds. */
const LOOKS_PER_CLOCK = 512;

/** Returns when there may be work, a deadline has passed, or the process stops. */
export function idle(e: EngineState): void {
  const began = e.edge.now();
  const spinUs = e.options.outside ? LIMITS.idleSpinOutsideUs : LIMITS.idleSpinUs;
  if (e.engines === 1) sleep(e, began);
  else {
    if (!spin(e, began + spinUs / 1000)) sleep(e, began);
    balance(e, began);
  }
}

/**
 * Asks for ULPs if this engine is idle again and again. Programs that exchange messages in rounds are never idle for long,
 * and yet an engine with fewer of their ULPs waits in every round for those that have more.
 */
function balance(e: EngineState, began: number): void {
  const now = e.edge.now();
  e.idleMs += now - began;
  const window = now - e.idleWindowMs;
  if (window < LIMITS.balanceEveryMs) return;
  if (e.idleMs > window * LIMITS.idleShare && hasFewer(e)) e.moves.beg(e);
  else e.moves.thank(e);
  e.idleWindowMs = now;
  e.idleMs = 0;
}

/** True if some engine would still have as many ULPs as this one if it gave one. */
function hasFewer(e: EngineState): boolean {
  const mine = ulpsOf(e, e.index);
  for (let engine = 0; engine < e.engines; engine++) if (ulpsOf(e, engine) >= mine + 2) return true;
  return false;
}

function ulpsOf({ w, heap }: EngineState, engine: number): number {
  const row = heap.engineRow(engine);
  return w[row + ENGINE.runnable]! + w[row + ENGINE.blocked]! + (w[row + ENGINE.current]! < 0 ? 0 : 1);
}

/** True if another thread has put something here, or the process stops. */
function hasWork({ w, row }: EngineState): boolean {
  return (
    Atomics.load(w, row + ENGINE.wakes) !== 0 ||
    Atomics.load(w, row + ENGINE.mail) !== 0 ||
    Atomics.load(w, HEAD.stop) !== STOP.none
  );
}

/** Looks until a time: a message from an engine that is awake comes within a microsecond. */
function spin(e: EngineState, untilMs: number): boolean {
  const end = Math.min(untilMs, e.timers.nextMs);
  do {
    if (e.watch === undefined ? hasWork(e) : e.watch(LOOKS_PER_CLOCK)) return true;
  } while (e.edge.now() < end);
  return false;
}

function sleep(e: EngineState, began: number): void {
  const { w, row } = e;
  Atomics.store(w, row + ENGINE.idle, 1);
  Atomics.add(w, HEAD.idleEngines, 1);
  let askAt = e.engines === 1 ? Infinity : began + LIMITS.idleBeforeStealUs / 1000;
  let begs = false;
  while (Atomics.load(w, row + ENGINE.idle) === 1) {
    // First the bell, then what it tells of: a ring in between makes the wait end at once.
    const bell = Atomics.load(w, row + ENGINE.bell);
    if (hasWork(e)) break;
    if (isDeadlock(e)) {
      stopProcess(e, STOP.deadlock);
      break;
    }
    const now = e.edge.now();
    if (now >= e.timers.nextMs) break;
    if (now >= askAt && !begs && now < began + LIMITS.idleBeforeStealAnyMs && !hasFewer(e)) {
      askAt = began + LIMITS.idleBeforeStealAnyMs;
    } else if (now >= askAt) {
      if (!begs) e.moves.beg(e);
      begs = true;
      askAt = now + e.moves.look(e);
    }
    // While all sleep there is nobody to ask; who wakes up rings for those who beg, and for no other.
    const isAskedFor = begs && Atomics.load(w, HEAD.idleEngines) === e.engines;
    count(e, COUNTER.sleeps, 1);
    e.edge.wait(row + ENGINE.bell, bell, Math.min(isAskedFor ? Infinity : askAt, e.timers.nextMs) - now);
  }
  Atomics.store(w, row + ENGINE.idle, 0);
  Atomics.sub(w, HEAD.idleEngines, 1);
  Atomics.add(w, HEAD.idleEpoch, 1);
  if (begs) e.moves.thank(e);
  wakeBeggars(e);
}

/** Engines that beg sleep without an end while all do: now one does not. */
function wakeBeggars(e: EngineState): void {
  const { w } = e;
  if ((w[HEAD.beggars]! | w[HEAD.beggars + 1]!) === 0) return;
  for (let engine = 0; engine < e.engines; engine++) {
    if ((Atomics.load(w, HEAD.beggars + (engine >> 5)) & (1 << (engine & 31))) === 0) continue;
    const bell = e.heap.engineRow(engine) + ENGINE.bell;
    Atomics.add(w, bell, 1);
    Atomics.notify(w, bell);
  }
}

function isDeadlock(e: EngineState): boolean {
  const w = e.w;
  const epoch = Atomics.load(w, HEAD.idleEpoch);
  if (Atomics.load(w, HEAD.idleEngines) !== e.engines || Atomics.load(w, HEAD.outside) !== 0) return false;
  for (let engine = 0; engine < e.engines; engine++) {
    const row = e.heap.engineRow(engine);
    if (Atomics.load(w, row + ENGINE.wakes) !== 0 || Atomics.load(w, row + ENGINE.mail) !== 0) return false;
  }
  return (
    Atomics.load(w, HEAD.live) > 0 &&
    Atomics.load(w, HEAD.idleEngines) === e.engines &&
    Atomics.load(w, HEAD.idleEpoch) === epoch
  );
}
