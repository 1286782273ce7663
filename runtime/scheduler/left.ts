/**
 * ULPs that have left PVM and run on (pvm_exit): ULP_FLAG.left, and what has come for them.
 *
 * Owns: the flag. While it is set, ULP.common is a number of the ULP's own (more.ts), so that the kernel leaves its calls to the
 * engine: those clear it. Who leaves or comes back has no message that was sent before. Not who is told (runtime/pvm/membership.ts).
 */
import { ULP, ULP_FLAG } from "../../wire/layout.ts";
import { MORE } from "../../wire/more.ts";
import type { EngineState } from "./engine-state.ts";
import { drainInbox } from "./mailbox.ts";
import { dropMessages } from "./messages.ts";
import { moreOf, setCommon } from "./more.ts";
import type { UlpAt } from "./state.ts";

/** True if the ULP has called pvm_exit, and nothing since that needs PVM. */
export function hasLeft(w: Int32Array, ulp: UlpAt): boolean {
  return (w[ulp + ULP.flags]! & ULP_FLAG.left) !== 0;
}

/** The ULP, of this engine, leaves PVM. What has not been received stays until `dropUnread`. */
export function setLeft({ w }: EngineState, ulp: UlpAt): void {
  w[ulp + ULP.flags] = w[ulp + ULP.flags]! | ULP_FLAG.left;
  setCommon(w, ulp);
  // Nobody waits for it in a barrier any more: if it was in one when this handler began, it asks again.
  const more = moreOf(w, ulp);
  if (more !== 0) w[more + MORE.asked] = 0;
}

/** The ULP, of this engine, is in PVM again if it had left it. @returns whether it had */
export function comeBack(e: EngineState, ulp: UlpAt): boolean {
  const { w } = e;
  if (!hasLeft(w, ulp)) return false;
  w[ulp + ULP.flags] = w[ulp + ULP.flags]! & ~ULP_FLAG.left;
  setCommon(w, ulp);
  dropUnread(e, ulp);
  return true;
}

export function dropUnread({ w, arena, gb }: EngineState, ulp: UlpAt): void {
  if (w[ulp + ULP.inbox] !== 0) drainInbox(w, ulp);
  dropMessages(w, arena, gb, ulp);
}
