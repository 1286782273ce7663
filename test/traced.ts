/**
 * Tasks that are traced, and the task that hears of them.
 *
 * Owns: how a test begins a trace, and what has been told since it last asked. What is in the records: trace-reader.ts.
 */
import assert from "node:assert/strict";
import { maskText } from "../runtime/pvm/tracing.ts";
import { PVM_OPTION } from "../wire/options.ts";
import { TRACE_EVENTS } from "../wire/trace.ts";
import { type Actor, actor, IDLE, type Process, processOf } from "./one-thread.ts";
import { type Seen, TraceReader } from "./trace-reader.ts";

/** Tag of trace messages. */
export const TAG = 99;
/** Where a task has its mask, and where what comes is unpacked. */
export const MASK = 0x400;
const CAME = 0x4000;

export const option = (name: keyof typeof PVM_OPTION): number => PVM_OPTION[name].code;
export const allEvents = TRACE_EVENTS.map(({ id }) => id);
export function wordsOf(events: readonly number[]): number[] {
  const words = [0, 0, 0, 0];
  for (const id of events) words[id >> 5]! |= 1 << (id & 31);
  return words;
}

/** Bytes of the messages that wait for a task with a tag, and who sent each. */
export function messages(to: Actor, tag = TAG): { src: number; bytes: Uint8Array }[] {
  const found = [];
  for (let bufid = to.call("pvm_nrecv", -1, tag); bufid > 0; bufid = to.call("pvm_nrecv", -1, tag)) {
    to.call("pvm_bufinfo", bufid, 0x20, 0x24, 0x28);
    const length = to.view.getInt32(0x20, true);
    assert.equal(to.call("pvm_upkbyte", CAME, length, 1), 0);
    found.push({ src: to.view.getInt32(0x28, true), bytes: to.bytes.slice(CAME, CAME + length) });
  }
  return found;
}

/** Events of a task are for a tracer; none is told before its options say so (`begin`). */
export function traceTo(task: Actor, tracer: number, events: readonly number[] = allEvents): void {
  task.bytes.set(maskText(wordsOf(events)), MASK);
  assert.equal(task.call("pvm_settmask", 0, MASK), 0);
  assert.equal(task.call("pvm_setopt", option("PvmSelfTraceTid"), tracer), 0);
}
export const begin = (task: Actor): number => task.call("pvm_setopt", option("PvmSelfTraceOptions"), 1);

/** A ULP that traces, and one that is traced, with what it has told since this was last asked. */
export function traced(p: Process = processOf(IDLE, { ulps: 2 }), events: readonly number[] = allEvents) {
  const [tracer, task] = [actor(p, 0), actor(p, 1)];
  const reader = new TraceReader();
  const told = (): Seen[] => messages(tracer).flatMap(({ bytes }) => reader.read(bytes));
  traceTo(task, tracer.tid, events);
  assert.equal(task.call("pvm_setopt", option("PvmSelfTraceCode"), TAG), 0);
  // Where it is made known: at its place without a tag first, and then at this.
  for (const tag of [0, TAG]) for (const { bytes } of messages(tracer, tag)) reader.read(bytes);
  return { p, tracer, task, told, reader };
}
