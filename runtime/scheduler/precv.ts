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
 * Copies a message to where the receiver's precv wants it, as much as fits. Takes the message's reference to
 * its buffer; the descriptor stays the caller's.
 *
 * @returns what pvm_precv returns: PvmOk; PvmOverflow if a C long does not fit
 */
export function copyToWaiter(e: EngineState, ulp: UlpAt, message: number): number {
  const w = e.w;
  const m = message >> 2;
  const bytes = w[m + MSG.bytes]!;
  const gbid = w[m + MSG.gbid]!;
  const context = e.contexts[w[ulp + ULP.index]!]!;
  const long = w[ulp + ULP.waitWord] !== 0;
  const fits = Math.min(long ? bytes / 2 : bytes, w[ulp + ULP.precvBytes]!);
  let result: number = PVM_ERROR.PvmOk.code;
  if (long) result = copyLongs(e, gbid, context.bytes, w[ulp + ULP.precvAt]! >>> 0, fits >> 2);
  else if (fits > 0) e.pack.copyOut(gbid, 0, context.bytes, w[ulp + ULP.precvAt]!, fits);
  count(e, COUNTER.copies, 1);
  w[ulp + ULP.received] = w[ulp + ULP.received]! + 1;
  e.gb.gdecref(gbid);
  tellPrecv(e, ulp, w[m + MSG.src]!, w[m + MSG.tag]!, long ? bytes / 2 : bytes);
  return result;
}

/**
 * C longs: 64 bits in the message, 32 in the guest. PvmOverflow if one does not fit; the others are stored.
 */
function copyLongs(e: EngineState, gbid: number, guest: Uint8Array, at: number, n: number): number {
  const item = new Uint8Array(8);
  const words = new Int32Array(item.buffer);
  let result: number = PVM_ERROR.PvmOk.code;
  for (let i = 0; i < n; i++) {
    e.pack.copyOut(gbid, 8 * i, item, 0, 8);
    guest.set(item.subarray(0, 4), at + 4 * i);
    // Of a signed long the upper half repeats the sign, of an unsigned one it is 0.
    if (words[1] !== 0 && words[1] !== words[0]! >> 31) result = PVM_ERROR.PvmOverflow.code;
  }
  return result;
}

/** Stores source, tag and length where the receiver's precv wants them; NULL wants none. */
export function tellPrecv(e: EngineState, ulp: UlpAt, src: number, tag: number, bytes: number): void {
  const w = e.w;
  const { view } = e.contexts[w[ulp + ULP.index]!]!;
  const [tidAt, tagAt, bytesAt] = [w[ulp + ULP.outTid]!, w[ulp + ULP.outTag]!, w[ulp + ULP.outLen]!];
  if (tidAt !== 0) view.setInt32(tidAt >>> 0, src, true);
  if (tagAt !== 0) view.setInt32(tagAt >>> 0, tag, true);
  if (bytesAt !== 0) view.setInt32(bytesAt >>> 0, bytes, true);
}
