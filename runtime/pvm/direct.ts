/**
 * pvm_psend and pvm_precv: straight from one program's memory into another's.
 *
 * Owns: the checks, and the one copy. If the receiver is on this engine and already waits in pvm_precv, its
 * memory gets the data at once; else the data goes into a buffer, as a message that any receive can take.
 * A message holds raw items, as PvmDataRaw packs them (PVM 3.4.6, psend.c); C's long is 64 bits there, so
 * those are packed one by one.
 */
import { MSG, SUSPEND, ULP, WAIT } from "../../wire/layout.ts";
import { PVM_CONSTANT, PVM_ERROR, PVM_TYPE } from "../../wire/pvm.ts";
import { awaitMessage, takeArrived, waitsFor } from "../scheduler/blocking.ts";
import { COUNTER, count, type EngineState } from "../scheduler/engine-state.ts";
import { claimWake } from "../scheduler/mailbox.ts";
import { copyToWaiter, tellPrecv } from "../scheduler/precv.ts";
import type { UlpAt } from "../scheduler/state.ts";
import { uislocal, ulpOf } from "../scheduler/ulp.ts";
import { unblock } from "../scheduler/unblock.ts";
import { check, fail } from "./errors.ts";
import { currentContext, isPlace } from "./guest.ts";
import { lookFirst } from "./interrupts.ts";
import { join } from "./membership.ts";
import { endLooking, takeChosen } from "./receive.ts";
import { sendTo } from "./send.ts";
import { currentTid, isReceivable, isSendable } from "./tids.ts";

/** Bytes of one item in the guest's memory, by PVM's type code. PVM_STR is none of them, as in PVM 3.4.6. */
const ITEM_BYTES: readonly number[] = (() => {
  const bytes: number[] = [];
  for (const { code, cBytes } of Object.values(PVM_TYPE)) bytes[code] = cBytes;
  bytes[PVM_CONSTANT.PVM_INT64] = 8;
  return bytes;
})();

function isLong(type: number): boolean {
  return type === PVM_CONSTANT.PVM_LONG || type === PVM_CONSTANT.PVM_ULONG;
}

/** Bytes of `len` items at `at`; -1: no such type, or not in the memory. */
function bytesOf(e: EngineState, at: number, len: number, type: number): number {
  const item = ITEM_BYTES[type];
  if (item === undefined || len < 0 || !currentContext(e).covers(at >>> 0, len * item)) return -1;
  return len * item;
}

/**
 * One copy: the receiver waits in pvm_precv on this engine, for just this, and what it waits with is no C
 * long.
 */
function sendDirect(e: EngineState, to: UlpAt, tag: number, at: number, bytes: number): boolean {
  const { w } = e;
  const src = currentTid(e);
  if (!uislocal(e, to) || w[to + ULP.inbox] !== 0 || w[to + ULP.wait] !== WAIT.precv) return false;
  if (
    w[to + ULP.waitWord] !== 0 ||
    !waitsFor(w, to, src, tag, w[e.current + ULP.context]!) ||
    !claimWake(e, to)
  )
    return false;
  const receiver = e.contexts[w[to + ULP.index]!]!;
  const fits = Math.min(bytes, w[to + ULP.precvBytes]!);
  if (fits > 0)
    e.copier.copy(currentContext(e).memory, at >>> 0, receiver.memory, w[to + ULP.precvAt]! >>> 0, fits);
  count(e, COUNTER.messages, 1);
  count(e, COUNTER.bytes, bytes);
  count(e, COUNTER.copies, 1);
  tellPrecv(e, to, src, tag, bytes);
  w[to + ULP.received] = w[to + ULP.received]! + 1;
  unblock(e, to, PVM_ERROR.PvmOk.code);
  return true;
}

/** By way of a buffer, which is no default buffer before or after. */
function sendBuffered(
  e: EngineState,
  tid: number,
  tag: number,
  at: number,
  len: number,
  type: number,
): number {
  const { btab, pack } = e;
  const ulp = e.current;
  const lbid = btab.make(ulp, PVM_CONSTANT.PvmDataRaw);
  if (lbid < 0) return lbid;
  const before = btab.btsetsbid(ulp, lbid);
  const { bytes } = currentContext(e);
  const packed = isLong(type)
    ? pack.packLong(ulp, bytes, at >>> 0, len, 1, type === PVM_CONSTANT.PVM_LONG)
    : pack.pack(ulp, bytes, at >>> 0, ITEM_BYTES[type]!, len, 1);
  const result =
    packed < 0 ? packed : sendTo(e, "pvm_psend", tid, tag, btab.btgetgbid(ulp, lbid), btab.sealSend(ulp), 0);
  count(e, COUNTER.copies, 1);
  btab.btsetsbid(ulp, before);
  btab.free(ulp, lbid);
  return result;
}

export function directCalls(e: EngineState) {
  const { w } = e;
  return {
    pvm_psend(tid: number, tag: number, at: number, len: number, type: number): number {
      const bytes = bytesOf(e, at, len, type);
      if (type === PVM_CONSTANT.PVM_STR) return fail(e, "pvm_psend", "PvmNotImpl");
      if (!isSendable(e, tid, tag) || bytes < 0) return fail(e, "pvm_psend", "PvmBadParam");
      join(e);
      const first = lookFirst(e, e.current);
      if (first !== 0) return first;
      w[e.current + ULP.sent] = w[e.current + ULP.sent]! + 1;
      const to = ulpOf(w, tid);
      if (to !== 0 && !isLong(type) && sendDirect(e, to, tag, at, bytes)) return 0;
      return check(e, "pvm_psend", sendBuffered(e, tid, tag, at, len, type));
    },
    /** A message that is longer than `len` items is cut, and *rlen tells its whole length, as in PVM. */
    pvm_precv(
      tid: number,
      tag: number,
      at: number,
      len: number,
      type: number,
      rtid: number,
      rtag: number,
      rlen: number,
    ): number {
      if (type === PVM_CONSTANT.PVM_STR) return fail(e, "pvm_precv", "PvmNotImpl");
      const bytes = bytesOf(e, at, len, type);
      const places = isPlace(e, rtid, 4) && isPlace(e, rtag, 4) && isPlace(e, rlen, 4);
      if (!isReceivable(e, tid, tag) || bytes < 0 || !places) return fail(e, "pvm_precv", "PvmBadParam");
      join(e);
      const ulp = e.current;
      w[ulp + ULP.precvAt] = at;
      w[ulp + ULP.precvBytes] = bytes;
      w[ulp + ULP.outTid] = rtid;
      w[ulp + ULP.outTag] = rtag;
      w[ulp + ULP.outLen] = rlen;
      w[ulp + ULP.waitWord] = isLong(type) ? type : 0;
      const found = w[ulp + ULP.moreAt] === 0 ? takeArrived(e, ulp, tid, tag) : takeChosen(e, ulp, tid, tag);
      if (found < 0) return endLooking(e, "pvm_precv", found);
      const message = found || awaitMessage(e, ulp, WAIT.precv, tid, tag);
      if (message <= 0) return message === 0 ? SUSPEND : message;
      const result = copyToWaiter(e, ulp, message);
      forgetProbe(e, ulp, message);
      e.arena.hfree(message);
      return check(e, "pvm_precv", result);
    },
  };
}

/** pvm_probe has given the message a local id: it ends with the message. */
function forgetProbe(e: EngineState, ulp: UlpAt, message: number): void {
  const lbid = e.w[(message >> 2) + MSG.lbid]!;
  if (lbid !== 0) e.btab.free(ulp, lbid);
}
