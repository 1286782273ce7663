/**
 * Which messages the handlers of a ULP take (pvm_addmhf), and which ULPs a message interrupts in a receive.
 *
 * Owns: the rows of handlers, MORE.scanned. Running them is runtime/pvm/interrupts.ts; here nothing runs.
 * A message goes to a handler when a call looks at the messages that have come, before the call's own receive; one that
 * pvm_probe has given a bufid stays in the queue. Handlers do not interrupt each other: what comes for one while one
 * runs is kept for later, and no receive takes it.
 */
import { MSG, ULP } from "../../wire/layout.ts";
import { HANDLER, MORE, MORE_USE } from "../../wire/more.ts";
import { moreOf, uses } from "./more.ts";
import type { UlpAt } from "./state.ts";

const ANY = -1;

/** True if a message may interrupt a receive of the ULP: it has handlers, or a matching function. */
export function isInterruptible(w: Int32Array, ulp: UlpAt): boolean {
  return w[ulp + ULP.moreAt] !== 0 && uses(w, ulp, MORE_USE.handlers | MORE_USE.matcher);
}

/** Word index of the row of the handler that takes the message at word `m`; 0 none. */
export function handlerOf(w: Int32Array, ulp: UlpAt, m: number): number {
  const more = moreOf(w, ulp);
  const end = (w[more + MORE.handlersAt]! >> 2) + w[more + MORE.handlerRows]! * HANDLER.words;
  for (let row = w[more + MORE.handlersAt]! >> 2; row < end; row += HANDLER.words) {
    if (w[row + HANDLER.func] === 0) continue;
    const { src, tag, context } = HANDLER;
    if (
      covers(w[row + src]!, w[m + MSG.src]!) &&
      covers(w[row + tag]!, w[m + MSG.tag]!) &&
      covers(w[row + context]!, w[m + MSG.context]!)
    )
      return row;
  }
  return 0;
}

function covers(wanted: number, value: number): boolean {
  return wanted === ANY || wanted === value;
}

/** True if the message at word `m` is kept for a handler, since one runs already. The ULP has MORE. */
export function isKept(w: Int32Array, ulp: UlpAt, m: number): boolean {
  return w[moreOf(w, ulp) + MORE.running]! > 0 && w[m + MSG.lbid] === 0 && handlerOf(w, ulp, m) !== 0;
}

/** First message of the queue that a handler takes, now; 0 none. It stays where it is. */
export function nextHandled(w: Int32Array, ulp: UlpAt): number {
  const more = moreOf(w, ulp);
  if (more === 0 || (w[more + MORE.uses]! & MORE_USE.handlers) === 0 || w[more + MORE.running]! > 0) return 0;
  const last = w[more + MORE.scanned]!;
  let at = last === 0 ? w[ulp + ULP.msgqHead]! : w[(last >> 2) + MSG.next]!;
  for (; at !== 0; at = w[(at >> 2) + MSG.next]!) {
    if (w[(at >> 2) + MSG.lbid] === 0 && handlerOf(w, ulp, at >> 2) !== 0) return at;
    w[more + MORE.scanned] = at;
  }
  return 0;
}
