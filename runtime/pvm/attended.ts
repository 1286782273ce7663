/**
 * Barriers whose group the virtual machine keeps, of ULPs with message handlers: their handlers run while they wait.
 *
 * Owns: MORE.asked and MORE.answer. As PVM 3.4.6, whose pvm_barrier asks the group server and looks at all messages until it
 * answers: the ULP has come to the barrier, whether one of its handlers runs just now or not, and its answer may come
 * meanwhile. Handlers do not interrupt each other, so there is one such request at most; a barrier in a handler waits for
 * nothing but its answer (ask.ts).
 *
 *     ask ▶ wait ─message of a handler▶ the handler runs ▶ the call comes again: wait, or ─answer▶ the call returns it
 *           wait ─answer▶ the call comes again ▶ and returns it
 */
import { SUSPEND, ULP } from "../../wire/layout.ts";
import { MORE, MORE_USE } from "../../wire/more.ts";
import { REQUEST_KINDS, type RequestBody } from "../../wire/requests.ts";
import { awaitAttended } from "../scheduler/blocking.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { moreOf, uses } from "../scheduler/more.ts";
import { ask, askAttended } from "./ask.ts";
import { lookFirst } from "./interrupts.ts";

/** Requests that handlers may interrupt. */
export type AttendedKind = "barrier" | "freezeGroup";

/**
 * The call that a handler has interrupted comes again.
 *
 * @returns its result, SUSPEND or INTERRUPT.handle; undefined: this is another call
 */
export function comeAgain(e: EngineState, kind: AttendedKind): number | undefined {
  const { w, current: ulp } = e;
  const more = moreOf(w, ulp);
  if (more === 0 || w[more + MORE.again] === 0 || w[more + MORE.asked] === 0) return undefined;
  const answer = w[more + MORE.answer]!;
  if (answer !== SUSPEND) {
    w[more + MORE.asked] = 0;
    return answer;
  }
  const first = lookFirst(e, ulp);
  if (first !== 0) return first;
  w[ulp + ULP.waitTag] = REQUEST_KINDS.indexOf(kind);
  return awaitAttended(e, ulp) || SUSPEND;
}

/** Asks for the running ULP. @returns SUSPEND, or INTERRUPT.handle: it is asked, and handlers must look first */
export function attend<K extends AttendedKind>(e: EngineState, kind: K, body: RequestBody<K>): number {
  const { w, current: ulp } = e;
  const more = moreOf(w, ulp);
  const calm = more === 0 || !uses(w, ulp, MORE_USE.handlers);
  if (calm || w[more + MORE.running]! > 0 || w[more + MORE.asked] !== 0) return ask(e, kind, body);
  return askAttended(e, kind, body);
}
