/**
 * Sending: pvm_send and pvm_mcast.
 *
 * Owns: the checks. The message's way is runtime/scheduler/post.ts.
 * As PVM 3.4.6: a send to a task that has ended, or that never was, returns 0 and goes nowhere. Of a task
 * that never was the sender is told once on its standard error; PVM says nothing.
 */
import { HEAD as HEAD_TABLE, ULP_FLAG as ULP_FLAG_TABLE, ULP as ULP_TABLE } from "../../wire/layout.ts";
import { PVM_ERROR, tidText } from "../../wire/pvm.ts";
import { COUNTER as COUNTER_TABLE, count, type EngineState } from "../scheduler/engine-state.ts";
import { fitsOutbox } from "../scheduler/outbox.ts";
import { printText } from "../scheduler/output.ts";
import { isOutside } from "../scheduler/outside.ts";
import { post } from "../scheduler/post.ts";
import { lookedInVain } from "../scheduler/turn.ts";
import { ulpElsewhere, ulpOf } from "../scheduler/ulp.ts";
import { check, fail } from "./errors.ts";
import { currentContext } from "./guest.ts";
import { gathered, isInPlace } from "./in-place.ts";
import { lookFirst } from "./interrupts.ts";
import { join } from "./membership.ts";
import { divert } from "./plugins.ts";
import { fitsRelay, isOfOtherJob, relay } from "./relay.ts";
import { currentTid, isSendable, isTaskTid } from "./tids.ts";

// V8 folds the fields of a constant of this file into its code, those of an import it loads (1.5 times
// slower).
const HEAD = HEAD_TABLE;
const ULP = ULP_TABLE;
const ULP_FLAG = ULP_FLAG_TABLE;
const COUNTER = COUNTER_TABLE;

const NO_BUF = PVM_ERROR.PvmNoBuf.code;

/** Sends to a tid that may be nobody's, in the sender's context. Borrows `gbid`. @returns 0 or PvmNoMem */
export function sendTo(
  e: EngineState,
  name: string,
  tid: number,
  tag: number,
  gbid: number,
  bytes: number,
  wid: number,
): number {
  // One that is not known here may be of another process: who has it, or nobody, is found out when the message leaves.
  const to = ulpOf(e.w, tid) || (e.w[HEAD.machine] === 0 ? 0 : ulpElsewhere(e, tid));
  if (tag < 0 && divert(e, to, tid, tag, gbid, bytes, wid)) return 0;
  if (to !== 0) {
    const context = e.w[e.current + ULP.context]!;
    return post(e, currentTid(e), to, tag, gbid, bytes, context, wid);
  }
  if (isOfOtherJob(e, tid)) return relay(e, tid, tag, gbid, bytes, wid);
  count(e, COUNTER.dropped, 1);
  const ulp = e.current;
  if ((e.w[ulp + ULP.flags]! & ULP_FLAG.warned) === 0 && isTaskTid(tid)) {
    e.w[ulp + ULP.flags] = e.w[ulp + ULP.flags]! | ULP_FLAG.warned;
    const who = tidText(currentTid(e));
    printText(
      e,
      ulp,
      2,
      `upvm [${who}]: ${name}(): there never was a task ${tidText(tid)}: message dropped\n`,
    );
  }
  return 0;
}

/** Ints of an array in the guest's memory; undefined: bad address. */
function intArray(e: EngineState, at: number, n: number): Int32Array | undefined {
  const context = currentContext(e);
  if (!context.covers(at >>> 0, n * 4)) return undefined;
  const ints = new Int32Array(n);
  for (let i = 0; i < n; i++) ints[i] = context.view.getInt32((at >>> 0) + i * 4, true);
  return ints;
}

/** Sends the default send buffer to tids, equal ones side by side: once to each, and not to the sender itself. */
export function multicast(e: EngineState, name: string, tids: Int32Array, tag: number): number {
  const { w, btab, current: ulp } = e;
  if (!tids.every((tid) => isSendable(e, tid, tag)) || !isSendable(e, currentTid(e), tag))
    return fail(e, name, "PvmBadParam");
  // What is in place is gathered once; what is gathered is not in place.
  if (isInPlace(e)) return gathered(e, () => multicast(e, name, tids, tag));
  const bytes = btab.sealSend(ulp);
  if (bytes === NO_BUF) return fail(e, name, "PvmNoBuf");
  const gbid = btab.btgetsgbid(ulp);
  const wid = btab.sendWid(ulp);
  let result = 0;
  tids.forEach((tid, i) => {
    if (tid === currentTid(e) || tid === tids[i - 1]) return;
    w[ulp + ULP.sent] = w[ulp + ULP.sent]! + 1;
    const code = sendTo(e, name, tid, tag, gbid, bytes, wid);
    if (code < 0) result = code;
  });
  return check(e, name, result);
}

/** pvm_send of data in place. */
function sendGathered(e: EngineState, tid: number, tag: number): number {
  const { w, btab, current: ulp } = e;
  w[ulp + ULP.sent] = w[ulp + ULP.sent]! + 1;
  const result = gathered(e, () => {
    const bytes = btab.sealSend(ulp);
    return sendTo(e, "pvm_send", tid, tag, btab.btgetsgbid(ulp), bytes, btab.sendWid(ulp));
  });
  return check(e, "pvm_send", result);
}

export function sendCalls(e: EngineState) {
  const { w, btab } = e;
  return {
    pvm_send(tid: number, tag: number): number {
      if (!isSendable(e, tid, tag)) return fail(e, "pvm_send", "PvmBadParam");
      join(e);
      const ulp = e.current;
      const first = lookFirst(e, ulp);
      if (first !== 0) return first;
      if (isInPlace(e)) return sendGathered(e, tid, tag);
      const bytes = btab.sealSend(ulp);
      if (bytes === NO_BUF) return fail(e, "pvm_send", "PvmNoBuf");
      w[ulp + ULP.sent] = w[ulp + ULP.sent]! + 1;
      const code = sendTo(e, "pvm_send", tid, tag, btab.btgetsgbid(ulp), bytes, btab.sendWid(ulp));
      return code === 0 ? 0 : check(e, "pvm_send", code);
    },
    /** What nobody could get, or is sent to nobody, waits for no room. */
    pvm_room(tid: number, bytes: number): number {
      const to = ulpOf(w, tid);
      const local = to === 0 ? !isOfOtherJob(e, tid) && w[HEAD.machine] === 0 : !isOutside(w, to);
      if (local || (isOfOtherJob(e, tid) ? fitsRelay : fitsOutbox)(w, bytes >>> 0)) return 1;
      lookedInVain(e);
      return 0;
    },
    /** Once to each, whatever the order and repetitions in `tids`; not to the sender itself (manual page). */
    pvm_mcast(tids: number, n: number, tag: number): number {
      const list = n < 0 ? undefined : intArray(e, tids, n)?.sort();
      if (list === undefined) return fail(e, "pvm_mcast", "PvmBadParam");
      join(e);
      return lookFirst(e, e.current) || multicast(e, "pvm_mcast", list, tag);
    },
  };
}
