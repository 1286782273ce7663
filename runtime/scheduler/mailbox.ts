/**
 * What engines do to each other: messages for a ULP of another engine, and waking it.
 *
 * Owns: ULP.inbox, ULP.waiting, ULP.wakeNext; ENGINE.wakes, idle, bell. All are Atomics.
 *
 *     sender's engine                         receiver's engine
 *     push message on inbox                   waiting = 1
 *     if waiting turns 1 → 0:                 if inbox is not empty and waiting turns 1 → 0: look again, else
 *     block
 *       push ULP on wakes, ring the bell
 *
 * Sequentially consistent: either the sender sees waiting = 1, or the receiver sees the message. Who turns
 * waiting to 0 must see to it that the ULP looks at its messages: it is blocked and not moved until then.
 * Pairwise order: one sender's messages go through the inbox, newest first in it, or straight into the queue;
 * the engine of the receiver empties the inbox before it puts anything into the queue itself.
 */
import {
  ATTENTION,
  CTL as CTL_TABLE,
  ENGINE as ENGINE_TABLE,
  INBOX_AWAY,
  INBOX_CLOSED,
  MSG as MSG_TABLE,
  ULP as ULP_TABLE,
} from "../../wire/layout.ts";
import { LIMITS as LIMITS_TABLE } from "../../wire/limits.ts";
import type { EngineState } from "./engine-state.ts";
import { appendMessage } from "./messages.ts";
import { ulpAt } from "./queue.ts";
import type { UlpAt } from "./state.ts";

// V8 folds the fields of a constant of this file into its code, those of an import it loads (1.5 times
// slower).
const CTL = CTL_TABLE;
const ENGINE = ENGINE_TABLE;
const MSG = MSG_TABLE;
const ULP = ULP_TABLE;
const LIMITS = LIMITS_TABLE;

/**
 * Puts a message into the inbox of a ULP of another engine. Takes the message if it succeeds.
 *
 * @returns false: the ULP has ended, or has moved to another process
 */
export function pushInbox(w: Int32Array<SharedArrayBuffer>, ulp: UlpAt, message: number): boolean {
  const word = ulp + ULP.inbox;
  Atomics.add(w, ulp + ULP.inboxCount, 1);
  for (let head = Atomics.load(w, word); ; ) {
    if (head === INBOX_CLOSED || head === INBOX_AWAY) {
      Atomics.sub(w, ulp + ULP.inboxCount, 1);
      return false;
    }
    w[(message >> 2) + MSG.next] = head;
    const found = Atomics.compareExchange(w, word, head, message);
    if (found === head) return true;
    head = found;
  }
}

/** Moves what is in the inbox to the message queue, in order of arrival. The ULP is this engine's. */
export function drainInbox(w: Int32Array<SharedArrayBuffer>, ulp: UlpAt): void {
  takeInbox(w, ulp, 0);
}

/** The ULP ends: what arrived is in the message queue afterwards, and nothing more arrives. */
export function closeInbox(w: Int32Array<SharedArrayBuffer>, ulp: UlpAt): void {
  takeInbox(w, ulp, INBOX_CLOSED);
}

/** The ULP moves to another process: as closeInbox, but what is sent to it later goes there. */
export function leaveInbox(w: Int32Array<SharedArrayBuffer>, ulp: UlpAt): void {
  takeInbox(w, ulp, INBOX_AWAY);
}

function takeInbox(w: Int32Array<SharedArrayBuffer>, ulp: UlpAt, leave: number): void {
  let at = Atomics.exchange(w, ulp + ULP.inbox, leave);
  if (at === INBOX_CLOSED || at === INBOX_AWAY) return;
  let oldestFirst = 0;
  while (at !== 0) {
    const next = w[(at >> 2) + MSG.next]!;
    w[(at >> 2) + MSG.next] = oldestFirst;
    oldestFirst = at;
    at = next;
  }
  let n = 0;
  while (oldestFirst !== 0) {
    const next = w[(oldestFirst >> 2) + MSG.next]!;
    appendMessage(w, ulp, oldestFirst);
    oldestFirst = next;
    n++;
  }
  Atomics.sub(w, ulp + ULP.inboxCount, n);
}

/** Who rings. */
export interface Ringer extends Pick<EngineState, "w" | "heap"> {
  /** Of the process's own thread, if it runs the engine itself: it has one that slept, and is to have a turn. */
  readonly rung?: (() => void) | undefined;
}
/** Who wakes ULPs: an engine, or the process's own thread for other processes. */
export type Waker = Ringer & Pick<EngineState, "alone">;

/** From now on others may claim to wake the ULP. */
export function offerWake(e: EngineState, ulp: UlpAt): void {
  if (e.alone) e.w[ulp + ULP.waiting] = 1;
  else Atomics.store(e.w, ulp + ULP.waiting, 1);
}

/**
 * Claims to wake a ULP. False: it does not wait, or another has claimed it and will put it on its engine's
 * wakes.
 */
export function claimWake(e: Waker, ulp: UlpAt): boolean {
  if (!e.alone) return Atomics.compareExchange(e.w, ulp + ULP.waiting, 1, 0) === 1;
  if (e.w[ulp + ULP.waiting] === 0) return false;
  e.w[ulp + ULP.waiting] = 0;
  return true;
}

/** Hands a ULP that the caller has claimed, or made, to the engine that has it. */
export function pushWake(e: Waker, ulp: UlpAt): void {
  const engine = e.w[ulp + ULP.engine]!;
  const word = e.heap.engineRow(engine) + ENGINE.wakes;
  const address = ulp << 2;
  for (let head = Atomics.load(e.w, word); ; ) {
    e.w[ulp + ULP.wakeNext] = head;
    const found = Atomics.compareExchange(e.w, word, head, address);
    if (found === head) break;
    head = found;
  }
  ring(e, engine);
}

/** ULPs that others have put on this engine's wakes, oldest first, as a list through ULP.wakeNext; 0 none. */
export function takeWakes(e: EngineState): UlpAt {
  const w = e.w;
  if (Atomics.load(w, e.row + ENGINE.wakes) === 0) return 0 as UlpAt;
  let at = Atomics.exchange(w, e.row + ENGINE.wakes, 0) >> 2;
  let oldestFirst = 0;
  while (at !== 0) {
    const next = w[at + ULP.wakeNext]! >> 2;
    w[at + ULP.wakeNext] = oldestFirst << 2;
    oldestFirst = at;
    at = next;
  }
  return oldestFirst as UlpAt;
}

/** Next in a list of takeWakes; 0 at its end. */
export function nextWake(w: Int32Array, ulp: UlpAt): UlpAt {
  return (w[ulp + ULP.wakeNext]! >> 2) as UlpAt;
}

/** Wakes an engine that sleeps or is about to. What it is to find must be there already. */
export function ring(e: Ringer, engine: number): void {
  const row = e.heap.engineRow(engine);
  if (Atomics.load(e.w, row + ENGINE.idle) !== 1) return;
  if (Atomics.compareExchange(e.w, row + ENGINE.idle, 1, 0) !== 1) return;
  Atomics.add(e.w, row + ENGINE.bell, 1);
  if (e.rung === undefined) Atomics.notify(e.w, row + ENGINE.bell);
  else e.rung();
}

/** Makes an engine's running ULP call the engine at its next poll. */
export function demandAttention(ctl: Int32Array<SharedArrayBuffer>, why: number = ATTENTION.look): void {
  Atomics.store(ctl, CTL.attention >> 2, why);
}

/** As demandAttention, unless somebody has asked for more. */
export function askForLook(ctl: Int32Array<SharedArrayBuffer>): void {
  Atomics.compareExchange(ctl, CTL.attention >> 2, ATTENTION.none, ATTENTION.look);
}

/**
 * Descriptor of a tid; 0: there never was such a ULP in this process. No Atomics: who knows the tid of a new
 * ULP has it from its maker, by a message.
 */
export function ulpOfTid(w: Int32Array<SharedArrayBuffer>, tid: number, tidBase: number): UlpAt {
  const index = tid - tidBase - 1;
  if (index < 0 || index >= LIMITS.ulps) return 0 as UlpAt;
  return ulpAt(w, index);
}
