/**
 * Trace events of ULPs, and where they go: to the task, context and tag of PvmSelfTraceTid and its like.
 *
 * Owns: the block TRACE, which a ULP has while its calls make events: it has a place for them, its mask is not empty, and
 * PvmSelfTraceOptions says which kind; MORE's masks; what waits for PvmTraceBuffer. Not what an event tells of a call
 * (runtime/pvm/tracing.ts). Three events are the daemon's: a task is made (newtask, spntask), and has ended (endtask).
 * Source: pvm_setopt(3PVM), pvm_settmask(3PVM), and the messages that a task gets from PVM 3.4.6. Unlike there, what waits is
 * sent also if a task ends without pvm_exit. A tracer that does not read gets no more than LIMITS.messagesPerUlp.
 */
import { BLOCK_KIND, HEAD, ULP, ULP_FLAG } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { MASK_WORDS, MORE, MORE_USE, TRACE } from "../../wire/more.ts";
import { PVM_OPTION } from "../../wire/options.ts";
import { DAEMON_TID, PVM_CONSTANT } from "../../wire/pvm.ts";
import { TRACE_EVENT, TRACE_EVENTS, type TraceEventName } from "../../wire/trace.ts";
import { TRACE_ENTRY, TRACE_EXIT, TRACE_MARK } from "../../wire/trace-data.ts";
import { COUNTER, count, type EngineState } from "./engine-state.ts";
import { moreOf, needMore, optionOf, setUse } from "./more.ts";
import { newBuffer } from "./outside.ts";
import { post } from "./post.ts";
import type { UlpAt } from "./state.ts";
import {
  dataNames,
  eventBytes,
  intsValue,
  intValue,
  type TraceValue,
  textsValue,
  textValue,
} from "./trace-record.ts";
import { type Owner, ufree, umalloc, urealloc } from "./uheap.ts";
import { ulpElsewhere, ulpOf } from "./ulp.ts";

/** Word index of the block of a ULP; 0: it is not traced. */
export function traceOf(w: Int32Array, ulp: UlpAt): number {
  return w[ulp + ULP.traceAt]! >> 2;
}

/** Bit of an event in a mask, or in TRACE's told words, of which `at` is the first. */
function hasBit(w: Int32Array, at: number, id: number): boolean {
  return (w[at + (id >> 5)]! & (1 << (id & 31))) !== 0;
}
function setBit(w: Int32Array, at: number, id: number): void {
  w[at + (id >> 5)] = w[at + (id >> 5)]! | (1 << (id & 31));
}

/** A mask of a ULP: MASK_WORDS words. */
export function maskOf(w: Int32Array, ulp: UlpAt, which: "traceMask" | "childMask"): number[] {
  const more = moreOf(w, ulp);
  return Array.from({ length: MASK_WORDS }, (_, i) => (more === 0 ? 0 : w[more + MORE[which] + i]!));
}

/** False: the heap is full. */
export function setMask(
  o: Owner,
  ulp: UlpAt,
  which: "traceMask" | "childMask",
  mask: readonly number[],
): boolean {
  if (maskOf(o.w, ulp, which).every((word, i) => word === mask[i])) return true;
  const more = needMore(o, ulp);
  for (let i = 0; more !== 0 && i < MASK_WORDS; i++) o.w[more + MORE[which] + i] = mask[i] ?? 0;
  return more !== 0;
}

/** Gives a task the masks that its parent has for its children. False: the heap is full. */
export function giveMask(o: Owner, child: UlpAt, mask: readonly number[]): boolean {
  return setMask(o, child, "traceMask", mask) && setMask(o, child, "childMask", mask);
}

const { PvmSelfTraceTid, PvmSelfTraceCode, PvmSelfTraceContext, PvmSelfTraceBuffer, PvmSelfTraceOptions } =
  PVM_OPTION;
const { PvmTraceFull, PvmTraceTime, PvmTraceCount } = PVM_CONSTANT;

function ownOption({ w }: { w: Int32Array }, ulp: UlpAt, option: { readonly code: number }): number {
  return moreOf(w, ulp) === 0 ? 0 : optionOf(w, ulp, option.code);
}

/**
 * After a change of options or mask: whether a ULP is traced, and its block. It is not on the processor, or in a call of its
 * own; who calls sees to its positions (Positions.close).
 *
 * @returns false: the heap is full, and it is not traced
 */
export function updateTracing(e: EngineState, ulp: UlpAt): boolean {
  const { w } = e;
  const wanted =
    ownOption(e, ulp, PvmSelfTraceTid) !== 0 &&
    ownOption(e, ulp, PvmSelfTraceOptions) !== 0 &&
    maskOf(w, ulp, "traceMask").some((word) => word !== 0);
  if (wanted === (w[ulp + ULP.traceAt] !== 0)) return true;
  if (!wanted) {
    ufree(e, ulp, w[ulp + ULP.traceAt]!);
    setTraced(w, ulp, 0);
    return true;
  }
  const bytes = TRACE.words * 4;
  const at = umalloc(e, ulp, bytes, BLOCK_KIND.more);
  if (at === 0) return false;
  w.fill(0, at >> 2, (at >> 2) + TRACE.words);
  w[(at >> 2) + TRACE.bytes] = bytes;
  setTraced(w, ulp, at);
  return true;
}

function setTraced(w: Int32Array, ulp: UlpAt, at: number): void {
  w[ulp + ULP.traceAt] = at;
  const others = w[ulp + ULP.flags]! & ~ULP_FLAG.traced;
  w[ulp + ULP.flags] = at === 0 ? others : others | ULP_FLAG.traced;
  // The kernel leaves all messages of the ULP to the engine.
  setUse(w, ulp, MORE_USE.trace, at !== 0);
}

/** True if calls of a routine make events. The ULP is traced. */
export function isMasked(w: Int32Array, ulp: UlpAt, id: number): boolean {
  return hasBit(w, moreOf(w, ulp) + MORE.traceMask, id);
}

/** Milliseconds since 1970. */
export function traceClock(e: EngineState): number {
  return Number(e.edge.wallClock()) / 1e6;
}

function stamp(e: EngineState, ulp: UlpAt): TraceValue[] {
  const micros = e.edge.wallClock() / 1000n;
  return [
    intValue("TS", Number(micros / 1_000_000n)),
    intValue("TU", Number(micros % 1_000_000n)),
    intValue("TID", e.w[ulp + ULP.tid]!),
  ];
}

/** An event of a traced ULP: its routine begins, or returns. `values` are only asked for if the event tells them. */
export function traceEvent(
  e: EngineState,
  ulp: UlpAt,
  event: TraceEventName,
  phase: typeof TRACE_ENTRY | typeof TRACE_EXIT | 0,
  values: () => readonly TraceValue[],
): void {
  const { w } = e;
  const { id } = TRACE_EVENT[event];
  const trace = traceOf(w, ulp);
  w[trace + TRACE.counts + id] = w[trace + TRACE.counts + id]! + 1;
  if (ownOption(e, ulp, PvmSelfTraceOptions) !== PvmTraceFull) return;
  const told = trace + (phase === TRACE_EXIT ? TRACE.toldExit : TRACE.toldEntry);
  const described = hasBit(w, told, id);
  setBit(w, told, id);
  add(e, ulp, eventBytes(id + phase, event, [...stamp(e, ulp), ...values()], described));
}

/** The time that a routine took, milliseconds. */
export function traceTime(e: EngineState, ulp: UlpAt, event: TraceEventName, ms: number): void {
  const at = ((traceOf(e.w, ulp) + TRACE.times) >> 1) + TRACE_EVENT[event].id;
  e.f64[at] = e.f64[at]! + ms;
}

/** Sends an event, or has it wait for others (PvmTraceBuffer). */
function add(e: EngineState, ulp: UlpAt, bytes: Uint8Array): void {
  const { w, heap } = e;
  const most = Math.min(ownOption(e, ulp, PvmSelfTraceBuffer), LIMITS.traceBufferBytes);
  const trace = traceOf(w, ulp);
  if (most <= 0 && w[trace + TRACE.used] === 0) {
    send(e, ulp, w[ulp + ULP.tid]!, bytes);
    return;
  }
  const mark = w[trace + TRACE.used] === 0 ? MARK_BYTES : 0;
  if (!makeRoom(e, ulp, mark + bytes.length)) {
    flushTrace(e, ulp);
    send(e, ulp, w[ulp + ULP.tid]!, bytes);
    return;
  }
  const block = traceOf(w, ulp);
  if (mark !== 0) w[block + TRACE.words] = TRACE_MARK.EVENT_BUFFER;
  const used = w[block + TRACE.used]! + mark;
  heap.u8.set(bytes, (block + TRACE.words) * 4 + used);
  w[block + TRACE.used] = used + bytes.length;
  if (used + bytes.length >= most) flushTrace(e, ulp);
}
const MARK_BYTES = 4;

/** Room for so many bytes more. The block may move. False: the heap is full. */
function makeRoom(e: EngineState, ulp: UlpAt, bytes: number): boolean {
  const { w } = e;
  const trace = traceOf(w, ulp);
  const need = TRACE.words * 4 + w[trace + TRACE.used]! + bytes;
  if (need <= w[trace + TRACE.bytes]!) return true;
  const at = urealloc(e, ulp, trace * 4, 2 * need);
  if (at === 0) return false;
  w[ulp + ULP.traceAt] = at;
  w[(at >> 2) + TRACE.bytes] = 2 * need;
  return true;
}

/** Sends what waits. */
function flushTrace(e: EngineState, ulp: UlpAt): void {
  const { w, heap } = e;
  const trace = traceOf(w, ulp);
  const used = w[trace + TRACE.used]!;
  if (used === 0) return;
  const from = (trace + TRACE.words) * 4;
  const data = new Uint8Array(used + MARK_BYTES);
  data.set(heap.u8.subarray(from, from + used));
  new DataView(data.buffer).setInt32(used, TRACE_MARK.EVENT_BUFFER_END, true);
  w[trace + TRACE.used] = 0;
  send(e, ulp, w[ulp + ULP.tid]!, data);
}

/** A ULP ends, or leaves PVM: what it has counted, and what waits; then it is traced no more. */
export function endTracing(e: EngineState, ulp: UlpAt): void {
  if (e.w[ulp + ULP.traceAt] === 0) return;
  report(e, ulp);
  flushTrace(e, ulp);
  setMask(e, ulp, "traceMask", []);
  updateTracing(e, ulp);
}

/** PvmTraceTime, PvmTraceCount: how often there was each event, and how long each routine took in all. */
function report(e: EngineState, ulp: UlpAt): void {
  const { w, f64 } = e;
  const how = ownOption(e, ulp, PvmSelfTraceOptions);
  const trace = traceOf(w, ulp);
  const counted = TRACE_EVENTS.filter(({ id }) => w[trace + TRACE.counts + id]! > 0);
  if ((how !== PvmTraceTime && how !== PvmTraceCount) || counted.length === 0) return;
  const micros = counted.map(({ id }) => Math.round(f64[((trace + TRACE.times) >> 1) + id]! * 1000));
  const times = [
    intsValue(
      "TGS",
      micros.map((time) => Math.floor(time / 1_000_000)),
    ),
    intsValue(
      "TGU",
      micros.map((time) => time % 1_000_000),
    ),
  ];
  const { id, name } = how === PvmTraceTime ? TRACE_EVENT.timing : TRACE_EVENT.profiling;
  const values = [
    ...stamp(e, ulp),
    intValue("VCT", counted.length),
    textsValue(
      "VID",
      counted.map((event) => event.name),
    ),
    ...(how === PvmTraceTime ? times : []),
    intsValue(
      "PRF",
      counted.map((event) => w[trace + TRACE.counts + event.id]!),
    ),
  ];
  send(e, ulp, w[ulp + ULP.tid]!, eventBytes(id, name, values, false));
}

/** To the place for a ULP's events. There is none if it names no task; a message that finds no room is dropped, and counted. */
function send(e: EngineState, ulp: UlpAt, src: number, data: Uint8Array): void {
  const tid = ownOption(e, ulp, PvmSelfTraceTid);
  const tag = ownOption(e, ulp, PvmSelfTraceCode);
  const context = ownOption(e, ulp, PvmSelfTraceContext);
  if (tid === 0 || e.sendAway(e, ulp, tid, tag, context, data)) return;
  const to = ulpOf(e.w, tid) || (e.w[HEAD.machine] === 0 ? 0 : ulpElsewhere(e, tid));
  const gbid = to === 0 ? 0 : newBuffer(e, PVM_CONSTANT.PvmDataDefault, data);
  const sent = gbid === 0 ? -1 : post(e, src, to as UlpAt, tag, gbid, data.length, context);
  if (sent < 0) count(e, COUNTER.dropped, 1);
  if (gbid !== 0) e.gb.gdecref(gbid);
}

// ---- Events of the daemon ------------------------------------------------------------------------------------------

/** As the daemon: an event that is no routine's. Before the first to a place, the names of all data. */
function daemonEvent(e: EngineState, ulp: UlpAt, event: TraceEventName, values: readonly TraceValue[]): void {
  const place = [PvmSelfTraceTid, PvmSelfTraceContext, PvmSelfTraceCode].map((option) =>
    ownOption(e, ulp, option),
  );
  const key = place.join();
  let told = e.traceSinks.get(key);
  if (told === undefined) {
    if (e.traceSinks.size >= LIMITS.traceSinks) e.traceSinks.clear();
    told = new Set();
    e.traceSinks.set(key, told);
    send(e, ulp, DAEMON_TID, dataNames());
  }
  const { id } = TRACE_EVENT[event];
  send(e, ulp, DAEMON_TID, eventBytes(id, event, [...stamp(e, ulp), ...values], told.has(id)));
  told.add(id);
}

/** A ULP was made, or has got a place for its events: who is there learns of it. `flags` of pvm_spawn. */
export function announceTrace(e: EngineState, ulp: UlpAt, flags: number): void {
  if (ownOption(e, ulp, PvmSelfTraceTid) === 0) return;
  const { w } = e;
  const parent = intValue("PT", w[ulp + ULP.parentTid]!);
  const name = e.programs[w[ulp + ULP.module]!]?.name ?? "";
  daemonEvent(e, ulp, "newtask", [parent, intValue("TF", flags), textValue("TN", name)]);
  daemonEvent(e, ulp, "spntask", [parent]);
}

/** A ULP has ended. */
export function announceEnd(e: EngineState, ulp: UlpAt): void {
  const { w } = e;
  if (ownOption(e, ulp, PvmSelfTraceTid) === 0) return;
  endTracing(e, ulp);
  // As wait(2) has it: the signal, or the exit code in the next byte. ULPs have no usage of their own.
  const status = w[ulp + ULP.killed] !== 0 ? w[ulp + ULP.killed]! : (w[ulp + ULP.exitCode]! & 0xff) << 8;
  const none = (["TUS", "TUU", "TSS", "TSU"] as const).map((datum) => intValue(datum, 0));
  daemonEvent(e, ulp, "endtask", [intValue("TST", status), ...none]);
}

/** Phases of a routine's events. */
export const PHASE = { entry: TRACE_ENTRY, exit: TRACE_EXIT } as const;
