/**
 * Asking the virtual machine: a routine suspends its ULP, a request goes out, the answer lets the ULP go on.
 *
 * Owns: the request's number (ULP.request) and the words in which a call keeps what it must remember meanwhile. The
 * service is pvmd/, the kinds are wire/requests.ts. A request that is on its way is counted in HEAD.outside, by itself
 * and not by its ULP: a ULP whose request the service has parked waits for other ULPs, and that may be a deadlock.
 * An answer that comes when the ULP waits no more, because it was ended meanwhile, is dropped.
 */
import { HEAD, SUSPEND, ULP, ULP_STATE, WAIT } from "../../wire/layout.ts";
import { MORE } from "../../wire/more.ts";
import {
  type Answer,
  REQUEST,
  REQUEST_KINDS,
  type Request,
  type RequestBody,
  type RequestKind,
} from "../../wire/requests.ts";
import { awaitAttended, awaitService, recheck } from "../scheduler/blocking.ts";
import { forward } from "../scheduler/engine.ts";
import type { AnswerParcel, EngineState } from "../scheduler/engine-state.ts";
import { comeBack } from "../scheduler/left.ts";
import { claimWake } from "../scheduler/mailbox.ts";
import { moreOf } from "../scheduler/more.ts";
import { ulpAt } from "../scheduler/queue.ts";
import { getState, type UlpAt } from "../scheduler/state.ts";
import { unblock } from "../scheduler/unblock.ts";
import { check } from "./errors.ts";

/** Words of the descriptor in which a call that waits keeps up to five numbers. */
const KEEP = [ULP.precvAt, ULP.precvBytes, ULP.outTid, ULP.outTag, ULP.outLen] as const;

/** What a call does with its answer, as if its ULP ran: the call's result, or SUSPEND if it has asked again. */
export type Continuation = (e: EngineState, answer: Answer, keep: readonly number[]) => number;
export type Continuations = { readonly [K in RequestKind]?: Continuation };

/**
 * Sends a request for the running ULP, which waits for the answer. Its import returns what this does.
 *
 * @param keep  numbers that the call's continuation gets back, five at most
 */
export function ask<K extends RequestKind>(
  e: EngineState,
  kind: K,
  body: RequestBody<K>,
  keep: readonly number[] = [],
): number {
  const { w, current: ulp } = e;
  KEEP.forEach((word, i) => {
    w[ulp + word] = keep[i] ?? 0;
  });
  const serial = begin(e, kind);
  awaitService(e, ulp);
  send(e, { kind, tid: w[ulp + ULP.tid]!, serial, body } as Request);
  return SUSPEND;
}

/**
 * As ask, for a ULP whose message handlers may run before the answer comes (attended.ts): the call comes again then, and has the
 * answer's value in MORE.answer. INTERRUPT.handle: one may run at once.
 */
export function askAttended<K extends RequestKind>(e: EngineState, kind: K, body: RequestBody<K>): number {
  const { w, current: ulp } = e;
  const serial = begin(e, kind);
  const more = moreOf(w, ulp);
  w[more + MORE.asked] = serial;
  w[more + MORE.answer] = SUSPEND;
  const first = awaitAttended(e, ulp);
  send(e, { kind, tid: w[ulp + ULP.tid]!, serial, body } as Request);
  return first || SUSPEND;
}

/** @returns the number of the request that the running ULP is about to make */
function begin(e: EngineState, kind: RequestKind): number {
  const { w, current: ulp } = e;
  const serial = (w[ulp + ULP.request]! % MAX_SERIAL) + 1;
  w[ulp + ULP.request] = serial;
  // Whoever has left PVM joins it again by asking for something; the service sees that by the request.
  comeBack(e, ulp);
  w[ulp + ULP.waitTag] = REQUEST_KINDS.indexOf(kind);
  return serial;
}
const MAX_SERIAL = 0x7fffffff;

/** True if the virtual machine has more than this process: it makes tasks, and has the groups. */
export function asksMachine({ w }: EngineState): boolean {
  return w[HEAD.machine] !== 0;
}

/** Tells the virtual machine something about a ULP of this engine; nobody waits for an answer. */
export function tell<K extends RequestKind>(e: EngineState, ulp: UlpAt, kind: K, body: RequestBody<K>): void {
  send(e, { kind, tid: e.w[ulp + ULP.tid]!, serial: 0, body } as Request);
}

function send(e: EngineState, request: Request): void {
  // Until the service has dealt with it, something may still happen.
  Atomics.add(e.w, HEAD.outside, 1);
  e.edge.ask(request);
}

/** An answer has come for a ULP that is, or was, on this engine. */
export function takeAnswer(e: EngineState, parcel: AnswerParcel, continuations: Continuations): void {
  const { w } = e;
  const { index, serial, of: kind, answer } = parcel;
  const ulp = ulpAt(w, index);
  if (getState(w, ulp) === ULP_STATE.exited) return;
  const engine = Atomics.load(w, ulp + ULP.engine);
  if (engine !== e.index) {
    forward(e, engine, parcel);
    return;
  }
  const more = moreOf(w, ulp);
  if (more !== 0 && w[more + MORE.asked] === serial) {
    w[more + MORE.answer] = answer.value;
    // One that another has claimed comes by way of the wakes.
    if (w[ulp + ULP.wait] === WAIT.attended && claimWake(e, ulp)) recheck(e, ulp);
    return;
  }
  if (w[ulp + ULP.request] !== serial) return;
  if (getState(w, ulp) !== ULP_STATE.blocked || w[ulp + ULP.wait] !== WAIT.service) return;
  const running = e.current;
  const waited = KEEP.map((word) => w[ulp + word]!);
  // What follows acts for the ULP that waits, as if it ran; if it asks again, it stays blocked.
  e.current = ulp;
  const result = continuations[kind]?.(e, answer, waited) ?? check(e, REQUEST[kind].routine, answer.value);
  e.current = running;
  // Its error may have ended it (PvmAutoErr).
  if (result !== SUSPEND && getState(w, ulp) === ULP_STATE.blocked) unblock(e, ulp, result, true);
}
