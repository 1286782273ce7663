/**
 * Calls of traced ULPs: an event when a routine begins, with its parameters, and one when it returns, with its results.
 *
 * Owns: the wrappers of imports, calls under way (TRACE_CALL), pvm_settmask, gettmask, and what the guest library says of
 * routines that are code of its own. Events themselves, and where they go, are runtime/scheduler/trace.ts.
 * A wrapper looks at one word of a ULP that is not traced. The kernel leaves one that is to the engine (ULP.common, and
 * ULP.traceAt), and the code in the linked module finds no room to pack and nothing to unpack (Positions.close). So every
 * routine comes here, and nobody else pays.
 * A routine that suspends its ULP returns when the ULP goes on (`resumed`). One that is interrupted by a function of the program
 * is still under way while that runs, and what that calls is inside it. A routine of the guest library hides what it calls.
 * As PVM 3.4.6: events of pvm_perror, tidtohost, hostsync, version, catchout, gettmask and settmask are never sent, and
 * pvm_exit does not return: it ends the trace.
 */
import { INTERRUPT, SUSPEND, ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { FRAME, MORE, TRACE, TRACE_CALL, TRACE_CALL_KIND } from "../../wire/more.ts";
import { PVM_CONSTANT, PVM_ERROR, PVM_LIBRARY, PVM_ROUTINE, type RoutineName } from "../../wire/pvm.ts";
import { TRACE_EVENT, TRACE_EVENTS, type TraceEvent, type TraceEventName } from "../../wire/trace.ts";
import { TRACE_MASK_LENGTH } from "../../wire/trace-data.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { moreOf } from "../scheduler/more.ts";
import type { UlpAt } from "../scheduler/state.ts";
import {
  endTracing,
  isMasked,
  maskOf,
  PHASE,
  setMask,
  traceClock,
  traceEvent,
  traceOf,
  traceTime,
  updateTracing,
} from "../scheduler/trace.ts";
import { fail } from "./errors.ts";
import { currentContext } from "./guest.ts";
import { traceValues } from "./trace-values.ts";

type Import = (...args: number[]) => number;

/** Routines whose event has another name than they. */
const OTHER_NAME: Partial<Record<RoutineName, TraceEventName>> = {
  pvm_recvinfo: "getinfo",
  pvm_recvf_set: "recvf",
};
/** PVM has numbers for them, and sends nothing. */
const SILENT: readonly TraceEventName[] = [
  "perror",
  "tidtohost",
  "hostsync",
  "version",
  "catchout",
  "gettmask",
  "settmask",
];
const BY_ID = new Map<number, TraceEvent>(TRACE_EVENTS.map((event) => [event.id, event]));
/**
 * Events that a program may begin and end itself: of routines that are code of the guest library. Of all others the engine knows
 * what their parameters and results are, and tells more than these.
 */
const LIBRARY_EVENTS: ReadonlyMap<number, TraceEventName> = new Map(
  Object.entries(PVM_LIBRARY).flatMap(([routine, { over }]): [number, TraceEventName][] => {
    const name = routine.slice(4) as TraceEventName;
    return (over as readonly string[]).includes("pvm_trace_begin") ? [[TRACE_EVENT[name].id, name]] : [];
  }),
);

/** Event of an import; undefined: it makes none. */
export function eventOf(name: RoutineName): TraceEventName | undefined {
  const event = OTHER_NAME[name] ?? (name.slice(4) as TraceEventName);
  return event in TRACE_EVENT && !SILENT.includes(event) ? event : undefined;
}

/** Puts a wrapper around each of the engine's routines. Once, when they are complete, and before the kernel's are. */
export function traceImports(e: EngineState): void {
  const { pvm, upvm } = e.imports;
  for (const name of Object.keys(PVM_ROUTINE) as RoutineName[])
    pvm[name] = wrapped(e, eventOf(name), pvm[name] as Import, PVM_ROUTINE[name].wasm.length);
  for (const name of ["handle", "handled", "matched"])
    upvm[name] = wrapped(e, undefined, upvm[name] as Import, name === "matched" ? 1 : 0);
  for (const name of ["pack_room", "unpack_room"]) {
    const room = upvm[name] as Import;
    upvm[name] = (bytes: number) => (e.w[e.current + ULP.traceAt] === 0 ? room(bytes) : 0);
  }
  e.resumed = resumed;
}

/** By the number of parameters: V8 makes slow code of rest parameters. pvm_psend has five, pvm_precv eight. */
function wrapped(
  e: EngineState,
  event: TraceEventName | undefined,
  call: Import,
  parameters: number,
): Import {
  const { w } = e;
  const free = (): boolean => w[e.current + ULP.traceAt] === 0;
  switch (parameters) {
    case 0:
      return () => (free() ? call() : traced(e, event, call, []));
    case 1:
      return (a) => (free() ? call(a!) : traced(e, event, call, [a!]));
    case 2:
      return (a, b) => (free() ? call(a!, b!) : traced(e, event, call, [a!, b!]));
    case 3:
      return (a, b, c) => (free() ? call(a!, b!, c!) : traced(e, event, call, [a!, b!, c!]));
    case 5:
      return (a, b, c, d, f) =>
        free() ? call(a!, b!, c!, d!, f!) : traced(e, event, call, [a!, b!, c!, d!, f!]);
    case 8:
      return (a, b, c, d, f, g, h, i) =>
        free()
          ? call(a!, b!, c!, d!, f!, g!, h!, i!)
          : traced(e, event, call, [a!, b!, c!, d!, f!, g!, h!, i!]);
    default:
      return (...args) => (free() ? call(...args) : traced(e, event, call, args));
  }
}

function traced(e: EngineState, event: TraceEventName | undefined, call: Import, args: number[]): number {
  const { w, btab, current: ulp } = e;
  btab.positions.open(ulp);
  const row = begin(e, ulp, event, args);
  if (event === "exit") endTracing(e, ulp);
  const result = call(...args);
  // A blocked ULP is dealt with when it goes on. One that is traced no more keeps its positions open.
  if (result === SUSPEND || w[ulp + ULP.traceAt] === 0) return result;
  if (row) end(e, ulp, result);
  btab.positions.close(ulp);
  return result;
}

/** Functions of the program that were interrupted. */
function interruptions(w: Int32Array, ulp: UlpAt): number {
  let count = 0;
  for (let at = w[moreOf(w, ulp) + MORE.framesAt]!; at !== 0; at = w[(at >> 2) + FRAME.previous]!) count++;
  return count;
}

/** Row of the innermost call under way at the depth that the ULP is in; 0: none. */
function innermost(w: Int32Array, ulp: UlpAt): number {
  const trace = traceOf(w, ulp);
  const depth = w[trace + TRACE.depth]!;
  if (depth === 0) return 0;
  const row = trace + TRACE.calls + (depth - 1) * TRACE_CALL.words;
  return w[row + TRACE_CALL.frames] === interruptions(w, ulp) ? row : 0;
}

/** @returns true: the call is under way, and its end makes an event */
function begin(
  e: EngineState,
  ulp: UlpAt,
  event: TraceEventName | undefined,
  args: readonly number[],
): boolean {
  const { w } = e;
  const row = innermost(w, ulp);
  if (row !== 0) {
    if (w[row + TRACE_CALL.kind] === TRACE_CALL_KIND.library) return false;
    // It comes again, since a function of the program has run.
    w[row + TRACE_CALL.kind] = TRACE_CALL_KIND.running;
    return true;
  }
  return event !== undefined && push(e, ulp, event, TRACE_CALL_KIND.running, args);
}

/** A call begins. False: it makes no events. */
function push(
  e: EngineState,
  ulp: UlpAt,
  event: TraceEventName,
  kind: number,
  args: readonly number[],
): boolean {
  const { w, f64 } = e;
  const { id, entry } = TRACE_EVENT[event];
  const trace = traceOf(w, ulp);
  const depth = w[trace + TRACE.depth]!;
  if (depth >= LIMITS.traceDepth) return false;
  const masked = isMasked(w, ulp, id);
  if (!masked && kind !== TRACE_CALL_KIND.library) return false;
  const row = trace + TRACE.calls + depth * TRACE_CALL.words;
  w[row + TRACE_CALL.event] = id;
  w[row + TRACE_CALL.kind] = kind;
  w[row + TRACE_CALL.frames] = interruptions(w, ulp);
  f64[(row + TRACE_CALL.began) >> 1] = traceClock(e);
  for (const [i, value] of args.entries()) w[row + TRACE_CALL.args + i] = value;
  w[trace + TRACE.depth] = depth + 1;
  if (masked) traceEvent(e, ulp, event, PHASE.entry, () => traceValues(entry, { e, args, result: 0 }));
  return true;
}

/** The innermost call returns. `results`: of the guest library, what its routine tells at its end. */
function end(e: EngineState, ulp: UlpAt, result: number, results?: readonly number[]): void {
  const { w, f64 } = e;
  const row = innermost(w, ulp);
  if (row === 0) return;
  // What the guest library says is a number of the program's own.
  if (results === undefined && (result === INTERRUPT.handle || result === INTERRUPT.match)) {
    w[row + TRACE_CALL.kind] = TRACE_CALL_KIND.interrupted;
    return;
  }
  const event = BY_ID.get(w[row + TRACE_CALL.event]!);
  const args = results ?? [...w.subarray(row + TRACE_CALL.args, row + TRACE_CALL.words)];
  const ms = traceClock(e) - f64[(row + TRACE_CALL.began) >> 1]!;
  const trace = traceOf(w, ulp);
  w[trace + TRACE.depth] = w[trace + TRACE.depth]! - 1;
  if (event === undefined || !isMasked(w, ulp, event.id)) return;
  const name = event.name as TraceEventName;
  traceTime(e, ulp, name, ms);
  traceEvent(e, ulp, name, PHASE.exit, () => traceValues(event.exit, { e, args, result }));
}

/** A traced ULP goes on: if it was in a routine, that returns now. */
function resumed(e: EngineState, ulp: UlpAt): void {
  const { w, btab } = e;
  const row = innermost(w, ulp);
  if (row !== 0 && w[row + TRACE_CALL.kind] === TRACE_CALL_KIND.running) {
    btab.positions.open(ulp);
    end(e, ulp, w[ulp + ULP.result]!);
  }
  btab.positions.close(ulp);
}

/** A message handler of a traced ULP is about to run: for which messages it is, and the message. */
export function traceHandler(e: EngineState, ulp: UlpAt, args: readonly number[]): void {
  const { id, entry } = TRACE_EVENT.mhf_invoke;
  if (!isMasked(e.w, ulp, id)) return;
  traceEvent(e, ulp, "mhf_invoke", PHASE.entry, () => traceValues(entry, { e, args, result: 0 }));
}

/** After a change of what decides whether the running ULP is traced, in a call of its own. False: the heap is full. */
export function retrace(e: EngineState): boolean {
  const { w, btab, current: ulp } = e;
  const before = w[ulp + ULP.traceAt];
  const done = updateTracing(e, ulp);
  if (before === 0 && w[ulp + ULP.traceAt] !== 0) btab.positions.close(ulp);
  return done;
}

/** The routine that has just made the running ULP a traced one returns. As PVM, it makes an event of its end. */
export function traceReturn(e: EngineState, event: TraceEventName, result: number): void {
  const ulp = e.current;
  const { id, exit } = TRACE_EVENT[event];
  if (!isMasked(e.w, ulp, id)) return;
  traceEvent(e, ulp, event, PHASE.exit, () => traceValues(exit, { e, args: [], result }));
}

// ---- pvm_settmask, pvm_gettmask ------------------------------------------------------------------------------------

const { PvmTaskSelf, PvmTaskChild } = PVM_CONSTANT;
/** Events of one character, and the bits that make it printable. */
const PER_CHARACTER = 4;
const PRINTABLE = 0x40;

function whichMask(who: number): "traceMask" | "childMask" | undefined {
  if (who === PvmTaskSelf) return "traceMask";
  return who === PvmTaskChild ? "childMask" : undefined;
}

/** Bits of a mask as C has it. Characters behind a NUL are none. */
export function maskBits(text: Uint8Array): number[] {
  const words = [0, 0, 0, 0];
  for (const { id } of TRACE_EVENTS) {
    const at = Math.floor(id / PER_CHARACTER);
    if (at >= text.length || text[at] === 0) break;
    if ((text[at]! & (1 << (id % PER_CHARACTER))) !== 0) words[id >> 5]! |= 1 << (id & 31);
  }
  return words;
}

/** A mask as C has it, with its NUL. */
export function maskText(words: readonly number[]): Uint8Array {
  const text = new Uint8Array(TRACE_MASK_LENGTH).fill(PRINTABLE);
  text[TRACE_MASK_LENGTH - 1] = 0;
  for (const { id } of TRACE_EVENTS)
    if ((words[id >> 5]! & (1 << (id & 31))) !== 0)
      text[Math.floor(id / PER_CHARACTER)]! |= 1 << (id % PER_CHARACTER);
  return text;
}

export function maskCalls(e: EngineState) {
  return {
    pvm_settmask(who: number, mask: number): number {
      const which = whichMask(who);
      const context = currentContext(e);
      if (which === undefined || mask === 0 || !context.covers(mask >>> 0, TRACE_MASK_LENGTH))
        return fail(e, "pvm_settmask", "PvmBadParam");
      const bits = maskBits(context.bytes.slice(mask >>> 0, (mask >>> 0) + TRACE_MASK_LENGTH));
      const set = setMask(e, e.current, which, bits) && retrace(e);
      return set ? PVM_ERROR.PvmOk.code : fail(e, "pvm_settmask", "PvmNoMem");
    },
    pvm_gettmask(who: number, mask: number): number {
      const which = whichMask(who);
      const context = currentContext(e);
      if (which === undefined || mask === 0 || !context.covers(mask >>> 0, TRACE_MASK_LENGTH))
        return fail(e, "pvm_gettmask", "PvmBadParam");
      context.bytes.set(maskText(maskOf(e.w, e.current, which)), mask >>> 0);
      return PVM_ERROR.PvmOk.code;
    },
    /** A routine of the guest library begins: its event, a text and a number that it tells. Other events are ignored. */
    pvm_trace_begin(id: number, text: number, value: number): number {
      const { w, current: ulp } = e;
      const event = LIBRARY_EVENTS.get(id);
      if (event === undefined || w[ulp + ULP.traceAt] === 0 || innermost(w, ulp) !== 0) return 0;
      push(e, ulp, event, TRACE_CALL_KIND.library, [id, text, value]);
      return 0;
    },
    /** It returns `result`, and tells two numbers. @returns `result` */
    pvm_trace_end(id: number, result: number, first: number, second: number): number {
      const { w, current: ulp } = e;
      if (w[ulp + ULP.traceAt] === 0) return result;
      const row = innermost(w, ulp);
      const own = row !== 0 && w[row + TRACE_CALL.kind] === TRACE_CALL_KIND.library;
      if (own && w[row + TRACE_CALL.event] === id) end(e, ulp, result, [id, first, second]);
      return result;
    },
  };
}
