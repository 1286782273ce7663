/**
 * The end of a pvm_precv: a message goes into the memory of the ULP that asked for it, without a buffer id.
 *
 * Owns: what a precv leaves behind: data, and the words for source, tag and length. The call itself, with its
 * checks, is runtime/pvm/precv.ts; it is here because whoever wakes the receiver ends its call.
 */
import { MSG, ULP } from "../../wire/layout.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import { COUNTER, count, type EngineState } from "./engine-state.ts";
import type { UlpAt } from "./state.ts";

/**
 * Copies a message to where the receiver's precv wants it, as much as fits. Takes the message's reference to its
 * buffer; the descriptor stays the caller's.
 *
 * @returns what pvm_precv returns: PvmOk
 */
export function copyToWaiter(e: EngineState, ulp: UlpAt, message: number): number {
  const w = e.w;
  const m = message >> 2;
  const bytes = w[m + MSG.bytes]!;
  const fits = Math.min(bytes, w[ulp + ULP.precvBytes]!);
  const gbid = w[m + MSG.gbid]!;
  const context = e.contexts[w[ulp + ULP.index]!]!;
  if (fits > 0) e.pack.copyOut(gbid, 0, context.bytes, w[ulp + ULP.precvAt]!, fits);
  count(e, COUNTER.copies, 1);
  e.gb.gdecref(gbid);
  tellPrecv(e, ulp, w[m + MSG.src]!, w[m + MSG.tag]!, bytes);
  return PVM_ERROR.PvmOk.code;
}

/** Stores source, tag and length where the receiver's precv wants them; NULL wants none. */
export function tellPrecv(e: EngineState, ulp: UlpAt, src: number, tag: number, bytes: number): void {
  const w = e.w;
  const { view } = e.contexts[w[ulp + ULP.index]!]!;
  const [tidAt, tagAt, bytesAt] = [w[ulp + ULP.outTid]!, w[ulp + ULP.outTag]!, w[ulp + ULP.outLen]!];
  if (tidAt !== 0) view.setInt32(tidAt, src, true);
  if (tagAt !== 0) view.setInt32(tagAt, tag, true);
  if (bytesAt !== 0) view.setInt32(bytesAt, bytes, true);
}
