/**
 * What an event tells of a call: the sources of TraceField.from (wire/trace.ts), read from parameters, memory and messages.
 *
 * Owns: their meaning. A bad address is told as an empty text or list, or 0: the routine itself says what is wrong with it.
 * Nothing here believes a parameter or a result: what is told is of the guest's memory and of its own buffers.
 */
import { BTAB, ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import type { TraceField } from "../../wire/trace.ts";
import { rowOf } from "../heap/positions.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { intValue, type TraceValue } from "../scheduler/trace-record.ts";
import { currentContext } from "./guest.ts";

/** A call of the running ULP. */
interface Call {
  readonly e: EngineState;
  readonly args: readonly number[];
  /** What it has returned; of one that begins 0. */
  readonly result: number;
}
type Source = (call: Call) => TraceValue;

const sources = new Map<TraceField, Source>();

/** The values of an event. */
export function traceValues(fields: readonly TraceField[], call: Call): TraceValue[] {
  return fields.map((field) => {
    let source = sources.get(field);
    if (source === undefined) {
      source = sourceOf(field);
      sources.set(field, source);
    }
    return source(call);
  });
}

/** @throws Error for a source that there is not: a bug in the table */
export function sourceOf({ datum, from }: TraceField): Source {
  const int =
    (value: (call: Call) => number): Source =>
    (call) =>
      intValue(datum, value(call));
  const word = WORDS[from];
  if (word !== undefined) return int(word);
  const match = /^([@$*=]?)(-?\d+)(?:\[(.*)\])?$/.exec(from);
  if (match === null) throw new Error(`bug: no source "${from}" of trace data`);
  const [, how = "", digits = "", length] = match;
  const n = Number(digits);
  if (how === "=") return int(() => n);
  if (length !== undefined) {
    const count = counter(length);
    if (how === "$")
      return (call) => ({ datum, kind: "texts", value: textsAt(call, call.args[n]!, count(call)) });
    return (call) => ({ datum, kind: "ints", value: intsAt(call, call.args[n]!, count(call)) });
  }
  if (how === "@") return ({ args }) => ({ datum, kind: "long", value: args[n]! });
  if (how === "$") return (call) => ({ datum, kind: "text", value: textAt(call.e, call.args[n]!) });
  return how === "*" ? int((call) => intAt(call.e, call.args[n]!)) : int(({ args }) => args[n]!);
}

/** How long a list is. `` as far as its NULL. */
function counter(text: string): (call: Call) => number {
  if (text === "") return () => LIMITS.traceItems;
  if (text === "result") return ({ result }) => result;
  const n = Number(text.replace("*", ""));
  return text.startsWith("*") ? (call) => intAt(call.e, call.args[n]!) : ({ args }) => args[n]!;
}

const WORDS: Readonly<Record<string, (call: Call) => number>> = {
  result: ({ result }) => result,
  code: ({ result }) => Math.min(result, 0),
  bufid: ({ result }) => (result > 0 ? result : -1),
  context: ({ e }) => e.w[e.current + ULP.context]!,
  sendBytes: ({ e }) => (e.btab.btgetsbid(e.current) === 0 ? -1 : Math.max(e.btab.sealSend(e.current), 0)),
  bytes: received(-1, ({ e, result }) => e.btab.bytes(e.current, result)),
  tag: received(-1, ({ e, result }) => e.btab.tag(e.current, result)),
  ctx: received(0, ({ e, result }) => e.w[rowOf(e.w, e.current, result) + BTAB.context]!),
  src: received(-1, ({ e, result }) => e.btab.source(e.current, result)),
  gotBytes: ({ e, args, result }) => (result < 0 ? -1 : intAt(e, args[7]!)),
  gotTag: ({ e, args, result }) => (result < 0 ? -1 : intAt(e, args[6]!)),
  gotCtx: ({ e, result }) => (result < 0 ? 0 : e.w[e.current + ULP.context]!),
  gotSrc: ({ e, args, result }) => (result < 0 ? -1 : intAt(e, args[5]!)),
  seconds: ({ e, args: [, , at = 0] }) => (at === 0 ? -1 : intAt(e, at)),
  micros: ({ e, args: [, , at = 0] }) => (at === 0 ? -1 : intAt(e, at, 8)),
};

/** Of the message that the result is the bufid of; `none` if it is not the bufid of one. */
function received(none: number, of: (call: Call) => number): (call: Call) => number {
  return (call) => (call.e.btab.btgetgbid(call.e.current, call.result) === 0 ? none : of(call));
}

/** The int so many bytes behind an address: the sum may be behind the end of all memory, and does not begin again there. */
function intAt(e: EngineState, at: number, behind = 0): number {
  const context = currentContext(e);
  const from = (at >>> 0) + behind;
  return at === 0 || !context.covers(from, 4) ? 0 : context.view.getInt32(from, true);
}

function intsAt({ e }: Call, at: number, count: number): number[] {
  const most = Math.min(count, LIMITS.traceItems);
  if (at === 0 || most <= 0 || !currentContext(e).covers(at >>> 0, 4 * most)) return [];
  return Array.from({ length: most }, (_, i) => intAt(e, at, 4 * i));
}

function textAt(e: EngineState, at: number): Uint8Array {
  const context = currentContext(e);
  const from = at >>> 0;
  if (at === 0 || !context.covers(from, 1)) return new Uint8Array(0);
  const some = context.bytes.slice(from, from + LIMITS.traceTextBytes);
  const end = some.indexOf(0);
  return end < 0 ? some : some.subarray(0, end);
}

function textsAt(call: Call, at: number, count: number): Uint8Array[] {
  const addresses = intsAt(call, at, count);
  const end = addresses.indexOf(0);
  return addresses.slice(0, end < 0 ? addresses.length : end).map((text) => textAt(call.e, text));
}
