/**
 * Output that goes to a task and not to the terminal: PvmSelfOutputTid, which children inherit from PvmOutputTid.
 *
 * Owns: the messages that PVM's daemons send for that, with the tag and context that were asked for:
 *
 *     tid | -2 new    | parent          a task will send output
 *     tid | -1 spawn  | parent          it begins
 *     tid | n > 0     | n bytes         what it printed
 *     tid | 0                           it has ended
 *
 * Source: pvm_setopt(3PVM), pvmproto.h (TO_NEW, TO_SPAWN, TO_EOF), and PVM 3.4.6's messages as a task receives them. Here
 * any task's output can be sent, not only a spawned one's. Output for a task that has ended is lost, as in PVM.
 */
import { HEAD, ULP } from "../../wire/layout.ts";
import { MORE } from "../../wire/more.ts";
import { PVM_OPTION } from "../../wire/options.ts";
import { DAEMON_TID, PVM_CONSTANT } from "../../wire/pvm.ts";
import { COUNTER, count, type EngineState } from "./engine-state.ts";
import { moreOf } from "./more.ts";
import { newBuffer } from "./outside.ts";
import { post } from "./post.ts";
import type { UlpAt } from "./state.ts";
import { ulpElsewhere, ulpOf } from "./ulp.ts";

const TO_EOF = 0;
const TO_SPAWN = -1;
const TO_NEW = -2;

function optionOf(e: EngineState, ulp: UlpAt, option: { readonly code: number }): number {
  const more = moreOf(e.w, ulp);
  return more === 0 ? 0 : e.w[more + MORE.options + option.code]!;
}

/** Sends ints and then bytes. False: the ULP's output is not sent to a task. */
function send(e: EngineState, ulp: UlpAt, ints: readonly number[], bytes: Uint8Array): boolean {
  const tid = optionOf(e, ulp, PVM_OPTION.PvmSelfOutputTid);
  const to = tid === 0 ? 0 : ulpOf(e.w, tid) || (e.w[HEAD.machine] === 0 ? 0 : ulpElsewhere(e, tid));
  if (to === 0) return false;
  const data = new Uint8Array(4 * ints.length + bytes.length);
  const view = new DataView(data.buffer);
  ints.forEach((word, i) => {
    view.setInt32(4 * i, word, true);
  });
  data.set(bytes, 4 * ints.length);
  const gbid = newBuffer(e, PVM_CONSTANT.PvmDataDefault, data);
  const tag = optionOf(e, ulp, PVM_OPTION.PvmSelfOutputCode);
  const context = optionOf(e, ulp, PVM_OPTION.PvmSelfOutputContext);
  const sent = gbid === 0 ? -1 : post(e, DAEMON_TID, to as UlpAt, tag, gbid, data.length, context);
  if (sent < 0) count(e, COUNTER.dropped, 1);
  if (gbid !== 0) e.gb.gdecref(gbid);
  return true;
}

const NONE = new Uint8Array();

/** What a ULP printed. False: it goes to the terminal. */
export function sendOutput(e: EngineState, ulp: UlpAt, bytes: Uint8Array): boolean {
  return e.w[ulp + ULP.moreAt] !== 0 && send(e, ulp, [e.w[ulp + ULP.tid]!, bytes.length], bytes);
}

/** A ULP was made: whom its output goes to learns of it. */
export function announceOutput(e: EngineState, ulp: UlpAt, parentTid: number): void {
  if (e.w[ulp + ULP.moreAt] === 0) return;
  const tid = e.w[ulp + ULP.tid]!;
  if (send(e, ulp, [tid, TO_NEW, parentTid], NONE)) send(e, ulp, [tid, TO_SPAWN, parentTid], NONE);
}

/** A ULP ends, and all that it printed was sent. */
export function endOutput(e: EngineState, ulp: UlpAt): void {
  if (e.w[ulp + ULP.moreAt] !== 0) send(e, ulp, [e.w[ulp + ULP.tid]!, TO_EOF], NONE);
}
