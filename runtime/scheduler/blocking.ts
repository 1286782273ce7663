/**
 * Blocking and waking: a ULP that waits for a message, a time or an answer, and what ends its wait.
 *
 * Owns: the event descriptor (ULP.wait, waitTid, waitTag, deadline), who is in the wait queue, HEAD.outside.
 * Not the messages (messages.ts), nor who runs next (engine.ts).
 * Always true: a blocked ULP is in the wait queue of its engine; one with a deadline is in its timers.
 */
import {
  HEAD as HEAD_TABLE,
  INTERRUPT,
  SUSPEND,
  ULP_FLAG as ULP_FLAG_TABLE,
  ULP_STATE as ULP_STATE_TABLE,
  ULP as ULP_TABLE,
  WAIT as WAIT_TABLE,
} from "../../wire/layout.ts";
import { MORE } from "../../wire/more.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import { type EngineState, setDeadline } from "./engine-state.ts";
import { isInterruptible, nextHandled } from "./handlers.ts";
import { claimWake, drainInbox, offerWake } from "./mailbox.ts";
import { findMessage, matches, removeMessage, takeMessage } from "./messages.ts";
import { moreOf, usesMatcher } from "./more.ts";
import { copyToWaiter } from "./precv.ts";
import { append } from "./queue.ts";
import { recheckMeeting } from "./rendezvous.ts";
import { setState, type UlpAt } from "./state.ts";
import { uislocal, ulpOf } from "./ulp.ts";
import { unblock } from "./unblock.ts";

// V8 folds the fields of a constant of this file into its code, those of an import it loads (1.5 times
// slower).
const HEAD = HEAD_TABLE;
const ULP = ULP_TABLE;
const ULP_FLAG = ULP_FLAG_TABLE;
const ULP_STATE = ULP_STATE_TABLE;
const WAIT = WAIT_TABLE;

export type WaitKind = (typeof WAIT)[keyof typeof WAIT];

/** Takes the first message for (tid, tag), of those that other engines sent too; 0 none. */
export function takeArrived(e: EngineState, ulp: UlpAt, tid: number, tag: number): number {
  if (e.w[ulp + ULP.inbox] !== 0) drainInbox(e.w, ulp);
  return takeMessage(e.w, ulp, tid, tag);
}

/**
 * The running ULP found no message for (tid, tag): it waits for one. It is in the wait queue afterwards,
 * unless one has arrived meanwhile.
 *
 * @returns 0: it waits, and its import must return SUSPEND; else the message, which it now owns; INTERRUPT.handle: its
 * handlers or matching function must look first
 */
export function awaitMessage(e: EngineState, ulp: UlpAt, kind: WaitKind, tid: number, tag: number): number {
  const w = e.w;
  w[ulp + ULP.wait] = kind;
  w[ulp + ULP.waitTid] = tid;
  w[ulp + ULP.waitTag] = tag;
  offerWake(e, ulp);
  while (!e.alone && Atomics.load(w, ulp + ULP.inbox) !== 0 && claimWake(e, ulp)) {
    const message = isInterruptible(w, ulp) ? INTERRUPT.handle : takeArrived(e, ulp, tid, tag);
    if (message !== 0) {
      w[ulp + ULP.wait] = WAIT.none;
      return message;
    }
    offerWake(e, ulp);
  }
  setState(w, ulp, ULP_STATE.blocked);
  append(w, e.waitq, ulp);
  if (tid > 0) offerHandoff(e, tid);
  return 0;
}

/**
 * Scheduling step i: the source that a blocking receive names runs next, if it is runnable and on this
 * engine.
 */
function offerHandoff(e: EngineState, tid: number): void {
  const source = ulpOf(e.w, tid);
  if (source === 0 || !uislocal(e, source) || e.w[source + ULP.state] !== ULP_STATE.runnable) return;
  e.handoff = source;
}

/**
 * The running ULP waits for a time, or for the process; messages do not wake it. Its import returns SUSPEND.
 */
export function awaitOutside(e: EngineState, ulp: UlpAt, kind: WaitKind): void {
  e.w[ulp + ULP.wait] = kind;
  setState(e.w, ulp, ULP_STATE.blocked);
  append(e.w, e.waitq, ulp);
  countOutside(e, ulp);
}

/**
 * A ULP waits for the virtual machine's answer; messages do not wake it. It may have waited for one before. Not counted
 * in HEAD.outside: its request is.
 */
export function awaitService(e: EngineState, ulp: UlpAt): void {
  e.w[ulp + ULP.wait] = WAIT.service;
  if (e.w[ulp + ULP.state] === ULP_STATE.blocked) return;
  setState(e.w, ulp, ULP_STATE.blocked);
  append(e.w, e.waitq, ulp);
}

/**
 * As awaitService, for the running ULP in a barrier: a message for one of its handlers ends the wait, too. It has MORE.
 *
 * @returns 0: it waits, and its import must return SUSPEND; INTERRUPT.handle: something has come that handlers must look at
 */
export function awaitAttended(e: EngineState, ulp: UlpAt): number {
  const { w } = e;
  w[ulp + ULP.wait] = WAIT.attended;
  offerWake(e, ulp);
  if (!e.alone && Atomics.load(w, ulp + ULP.inbox) !== 0 && claimWake(e, ulp)) {
    w[ulp + ULP.wait] = WAIT.none;
    return INTERRUPT.handle;
  }
  setState(w, ulp, ULP_STATE.blocked);
  append(w, e.waitq, ulp);
  return 0;
}

/** True if a blocked ULP waits for the virtual machine's answer, whatever else may wake it. */
export function awaitsService(w: Int32Array, ulp: UlpAt): boolean {
  return w[ulp + ULP.wait] === WAIT.service || w[ulp + ULP.wait] === WAIT.attended;
}

/** Gives a wait an end, milliseconds since the process began. */
export function awaitUntil(e: EngineState, ulp: UlpAt, timeMs: number): void {
  setDeadline(e, ulp, timeMs);
  e.timers.add(e.w[ulp + ULP.index]!, timeMs);
  countOutside(e, ulp);
}

/** A ULP that waits for the world outside can be woken by it: no deadlock while there is one. */
function countOutside(e: EngineState, ulp: UlpAt): void {
  const flags = e.w[ulp + ULP.flags]!;
  if ((flags & ULP_FLAG.outside) !== 0) return;
  e.w[ulp + ULP.flags] = flags | ULP_FLAG.outside;
  Atomics.add(e.w, HEAD.outside, 1);
}

/** True if the ULP is blocked in a receive that takes a message of (src, tag, context), and nothing else looks at it. */
export function waitsFor(w: Int32Array, ulp: UlpAt, src: number, tag: number, context: number): boolean {
  if (w[ulp + ULP.state] !== ULP_STATE.blocked || w[ulp + ULP.context] !== context) return false;
  if (isInterruptible(w, ulp)) return false;
  const kind = w[ulp + ULP.wait]!;
  if (kind !== WAIT.recv && kind !== WAIT.trecv && kind !== WAIT.precv) return false;
  return matches(w[ulp + ULP.waitTid]!, w[ulp + ULP.waitTag]!, src, tag);
}

/**
 * Gives a message to a claimed ULP that waits for it: new default receive buffer, or straight into its
 * memory. Takes the message's reference to its buffer; the descriptor stays the caller's.
 *
 * @returns false: no room in its buffer table. It is still blocked and claimed, the reference is the caller's
 */
export function deliver(e: EngineState, ulp: UlpAt, message: number): boolean {
  if (e.w[ulp + ULP.wait] === WAIT.precv) {
    unblock(e, ulp, copyToWaiter(e, ulp, message));
    return true;
  }
  const result = e.btab.receive(ulp, message);
  if (result < 0) return false;
  e.w[ulp + ULP.received] = e.w[ulp + ULP.received]! + 1;
  unblock(e, ulp, result);
  return true;
}

/**
 * Looks whether a claimed, blocked ULP can go on: its messages may have changed. It either becomes runnable
 * or waits on, and then others may claim it again.
 */
export function recheck(e: EngineState, ulp: UlpAt): void {
  const kind = e.w[ulp + ULP.wait];
  if (kind === WAIT.barrier || kind === WAIT.freeze) {
    recheckMeeting(e, ulp);
    return;
  }
  do {
    if (tryDeliver(e, ulp)) return;
    offerWake(e, ulp);
  } while (!e.alone && Atomics.load(e.w, ulp + ULP.inbox) !== 0 && claimWake(e, ulp));
}

/**
 * Gives a claimed, blocked ULP the first message that it waits for. False: there is none. A ULP whose handlers or matching
 * function have to look becomes runnable for that.
 */
function tryDeliver(e: EngineState, ulp: UlpAt): boolean {
  const w = e.w;
  if (w[ulp + ULP.inbox] !== 0) drainInbox(w, ulp);
  if (w[ulp + ULP.moreAt] !== 0) {
    const attended = w[ulp + ULP.wait] === WAIT.attended;
    // Of a barrier the call comes again for its answer, too.
    const ready = attended ? w[moreOf(w, ulp) + MORE.answer] !== SUSPEND : usesMatcher(w, ulp);
    const interrupts = ready || nextHandled(w, ulp) !== 0;
    w[moreOf(w, ulp) + MORE.again] = interrupts ? 1 : 0;
    if (interrupts) {
      unblock(e, ulp, INTERRUPT.handle, attended);
      return true;
    }
  }
  if (w[ulp + ULP.wait] === WAIT.attended) return false;
  const message = findMessage(w, ulp, w[ulp + ULP.waitTid]!, w[ulp + ULP.waitTag]!);
  if (message === 0) return false;
  // The message leaves the queue only if there is room for its buffer: else the receiver learns why, and can
  // ask for it again.
  if (deliver(e, ulp, message)) {
    removeMessage(w, ulp, message);
    e.arena.hfree(message);
  } else unblock(e, ulp, PVM_ERROR.PvmNoMem.code);
  return true;
}

/**
 * A ULP whose deadline has passed: its call returns `result`, unless a message came first.
 *
 * @returns false: another has claimed it and will put it on this engine's wakes. Its deadline stays
 */
export function timeOut(e: EngineState, ulp: UlpAt, result: number): boolean {
  const kind = e.w[ulp + ULP.wait];
  if (kind === WAIT.sleep || kind === WAIT.io) unblock(e, ulp, result, true);
  else if (!claimWake(e, ulp)) return false;
  else if (!tryDeliver(e, ulp)) unblock(e, ulp, result, true);
  return true;
}
