/**
 * Receiving: pvm_recv, nrecv, trecv, probe.
 *
 * Owns: the checks and the fast path; a ULP that must wait is handed to runtime/scheduler/blocking.ts, and
 * its import returns SUSPEND: the linked module unwinds it, and returns ULP.result when it runs again.
 * A message is matched in order of arrival (paper, 3.2.6: the message queue is searched first).
 */
import {
  ENGINE as ENGINE_TABLE,
  INTERRUPT,
  MSG as MSG_TABLE,
  SUSPEND,
  ULP as ULP_TABLE,
  WAIT as WAIT_TABLE,
} from "../../wire/layout.ts";
import { MORE } from "../../wire/more.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import { awaitMessage, awaitUntil, takeArrived } from "../scheduler/blocking.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { demandAttention, drainInbox } from "../scheduler/mailbox.ts";
import { findMessage, removeMessage } from "../scheduler/messages.ts";
import { moreOf, usesMatcher } from "../scheduler/more.ts";
import type { UlpAt } from "../scheduler/state.ts";
import { lookedInVain } from "../scheduler/turn.ts";
import { probe } from "./buffers.ts";
import { check, fail } from "./errors.ts";
import { currentContext } from "./guest.ts";
import { choose, lookFirst } from "./interrupts.ts";
import { join } from "./membership.ts";
import { isReceivable } from "./tids.ts";

// V8 folds the fields of a constant of this file into its code, those of an import it loads (1.5 times
// slower).
const ENGINE = ENGINE_TABLE;
const MSG = MSG_TABLE;
const ULP = ULP_TABLE;
const WAIT = WAIT_TABLE;

const NO_MEM = PVM_ERROR.PvmNoMem.code;

/**
 * A message that was taken out of the queue becomes the default receive buffer. Takes it. There is a row for
 * it (hasRow).
 *
 * @returns its local id
 */
function accept(e: EngineState, ulp: UlpAt, message: number): number {
  const w = e.w;
  w[ulp + ULP.received] = w[ulp + ULP.received]! + 1;
  const probed = w[(message >> 2) + MSG.lbid]!;
  if (probed !== 0) return acceptProbed(e, ulp, message, probed);
  const lbid = e.btab.receive(ulp, message);
  e.arena.hfree(message);
  return lbid;
}

/** pvm_probe has given the message a local id already: that one stays. */
function acceptProbed(e: EngineState, ulp: UlpAt, message: number, lbid: number): number {
  forgetReceived(e, ulp);
  e.gb.gdecref(e.w[(message >> 2) + MSG.gbid]!);
  e.arena.hfree(message);
  e.btab.btsetrbid(ulp, lbid);
  return lbid;
}

/** Frees the default receive buffer, as each receive does. */
function forgetReceived(e: EngineState, ulp: UlpAt): void {
  const lbid = e.w[ulp + ULP.rbid]!;
  if (lbid !== 0) e.btab.free(ulp, lbid);
}

/** True if a message can be received: there is a local id for it, or can be. */
function hasRow(e: EngineState, ulp: UlpAt): boolean {
  if (e.w[ulp + ULP.rbid] !== 0 || e.w[ulp + ULP.btabFree] !== 0) return true;
  const lbid = e.btab.btbidNew(ulp);
  if (lbid < 0) return false;
  e.btab.btbidFree(ulp, lbid);
  return true;
}

/**
 * The running ULP looked for a message in vain and will probably look again: if others could run here
 * meanwhile, its next poll lets them. Else a program that waits in a loop of pvm_nrecv would wait for ever
 * for a ULP of its own engine.
 */
export function missed(e: EngineState): void {
  const { w, row } = e;
  lookedInVain(e);
  const others = w[row + ENGINE.runnable]! | w[row + ENGINE.wakes]! | w[row + ENGINE.mail]! | e.timers.length;
  if (others === 0) return;
  e.yieldAtPoll = true;
  demandAttention(e.ctl[e.index]!);
}

/**
 * Takes a message if there is one; else the default receive buffer is gone all the same. 0: none; PvmNoMem; one of
 * INTERRUPT, and then the call comes again.
 */
function receiveNow(e: EngineState, ulp: UlpAt, tid: number, tag: number): number {
  join(e);
  if (!hasRow(e, ulp)) return NO_MEM;
  const message = e.w[ulp + ULP.moreAt] === 0 ? takeArrived(e, ulp, tid, tag) : takeChosen(e, ulp, tid, tag);
  if (message !== 0) return message > 0 ? accept(e, ulp, message) : message;
  forgetReceived(e, ulp);
  return 0;
}

/** As takeArrived, where message handlers and a matching function may come first. Below 0: why there is none now. */
export function takeChosen(e: EngineState, ulp: UlpAt, tid: number, tag: number): number {
  const message = findChosen(e, ulp, tid, tag);
  if (message > 0) removeMessage(e.w, ulp, message);
  return message;
}

/** As takeChosen; the message stays in the queue. */
function findChosen(e: EngineState, ulp: UlpAt, tid: number, tag: number): number {
  const { w } = e;
  if (w[ulp + ULP.inbox] !== 0) drainInbox(w, ulp);
  const first = lookFirst(e, ulp);
  if (first !== 0) return first;
  return usesMatcher(w, ulp) ? choose(e, ulp) : findMessage(w, ulp, tid, tag);
}

/** Result of a call that found nothing: an error is told, an interrupt is not one. */
export function endLooking(e: EngineState, name: string, result: number): number {
  return result === INTERRUPT.handle || result === INTERRUPT.match ? result : check(e, name, result);
}

/** When a pvm_trecv ends that would do so at `fresh`: if it was interrupted, when it was to end at first. */
function deadline({ w, f64 }: EngineState, ulp: UlpAt, fresh: number): number {
  const more = moreOf(w, ulp);
  if (more === 0) return fresh;
  const at = (more + MORE.deadline) >> 1;
  if (w[more + MORE.again] === 0) f64[at] = fresh;
  return f64[at]!;
}

export function receiveCalls(e: EngineState) {
  const receive = (
    name: string,
    kind: typeof WAIT.recv | typeof WAIT.trecv,
    tid: number,
    tag: number,
  ): number => {
    if (!isReceivable(e, tid, tag)) return fail(e, name, "PvmBadParam");
    const ulp = e.current;
    const now = receiveNow(e, ulp, tid, tag);
    if (now !== 0) return now > 0 ? now : endLooking(e, name, now);
    const late = awaitMessage(e, ulp, kind, tid, tag);
    if (late > 0) return accept(e, ulp, late);
    return late === 0 ? SUSPEND : late;
  };
  return {
    pvm_recv(tid: number, tag: number): number {
      return receive("pvm_recv", WAIT.recv, tid, tag);
    },
    pvm_nrecv(tid: number, tag: number): number {
      if (!isReceivable(e, tid, tag)) return fail(e, "pvm_nrecv", "PvmBadParam");
      const now = receiveNow(e, e.current, tid, tag);
      if (now === 0) missed(e);
      return now < 0 ? endLooking(e, "pvm_nrecv", now) : now;
    },
    /** struct timeval: seconds (i64), microseconds (i32). NULL: no limit. 0 or less: as pvm_nrecv. */
    pvm_trecv(tid: number, tag: number, timeout: number): number {
      if (timeout === 0) return receive("pvm_trecv", WAIT.recv, tid, tag);
      const context = currentContext(e);
      const at = timeout >>> 0;
      if (!context.covers(at, 12) || !isReceivable(e, tid, tag)) return fail(e, "pvm_trecv", "PvmBadParam");
      const ms =
        Number(context.view.getBigInt64(at, true)) * 1000 + context.view.getInt32(at + 8, true) / 1000;
      const ulp = e.current;
      const until = deadline(e, ulp, e.edge.now() + ms);
      if (until > e.edge.now()) {
        const result = receive("pvm_trecv", WAIT.trecv, tid, tag);
        if (result === SUSPEND) awaitUntil(e, ulp, until);
        return result;
      }
      const now = receiveNow(e, ulp, tid, tag);
      if (now === 0) missed(e);
      return now < 0 ? endLooking(e, "pvm_trecv", now) : now;
    },
    /** The message stays where it is; pvm_bufinfo tells of it, and pvm_recv takes it under the same id. */
    pvm_probe(tid: number, tag: number): number {
      if (!isReceivable(e, tid, tag)) return fail(e, "pvm_probe", "PvmBadParam");
      join(e);
      const ulp = e.current;
      const message = findChosen(e, ulp, tid, tag);
      if (message < 0) return endLooking(e, "pvm_probe", message);
      if (message > 0) return check(e, "pvm_probe", probe(e, ulp, message));
      missed(e);
      return 0;
    },
  };
}
