/**
 * Source lines for a guest's stack, as near as the compilers tell them.
 *
 * Owns: what to show where the line tables have a gap. The tables themselves are the link step's (lines.ts).
 */
import type { CodePlace, Symbolizer } from "../runtime/link/lines.ts";
import type { Frame } from "./report.ts";
import type { RawFrame } from "./run-result.ts";

/**
 * How far before an instruction without a line another one's is taken, bytes: the arguments of a call stand just
 * before it. AssemblyScript gives a call whose result is not used no line of its own, but its arguments have theirs.
 */
const BEFORE_BYTES = 12;
/**
 * How far behind one: a poll stands before the loop that it belongs to, with what is done if it suspends in between; and
 * a compiler gives the beginning of a loop no line of its own.
 */
const BEHIND_BYTES = 256;
/**
 * How far before inlined library code the program's own line is looked for, bytes. AssemblyScript's line table has
 * no calls of inlined functions, and at -O3 an array's access or an allocation becomes up to a few hundred bytes in its user.
 */
const LIBRARY_BYTES = 512;
/** How AssemblyScript's line tables name its library, and the guest library. */
const LIBRARY = /^~lib\//;
/** Functions of the link step, around the program's entry: of no interest to its author. */
const OWN_FUNCTIONS = /^upvm_/;

/** What AssemblyScript's abort, `throw` and assert call: it has printed its message and traps. */
const ABORT = "~lib/upvm-abort/upvm_abort";
/**
 * How far before a call of abort its line is looked for, bytes: neither the call nor its four arguments have one, and
 * what is behind it is another statement.
 */
const ABORT_BYTES = 48;
/** AssemblyScript's allocators trap when memory cannot grow. */
const ALLOCATOR = /^~lib\/rt\/(tlsf|stub)\.ts$/;

/** The frames of a ULP's stack with names and lines; `symbols` are the linked module's. */
export function placesOf(stack: readonly RawFrame[], symbols: Symbolizer): Frame[] {
  return stack
    .map((frame, i) => placeOf(frame, symbols, isAbort(stack[i - 1], symbols) ? ABORT_BYTES : BEFORE_BYTES))
    .filter(({ func }) => !OWN_FUNCTIONS.test(func ?? ""));
}

function isAbort(frame: RawFrame | undefined, symbols: Symbolizer): boolean {
  return frame !== undefined && symbols.functionName(frame.index) === ABORT;
}

/** What stopped a ULP: V8's message and the places, but AssemblyScript's way to give up in its author's words. */
export function failureOf(
  message: string,
  stack: readonly RawFrame[],
  symbols: Symbolizer,
): { readonly message: string; readonly stack: readonly Frame[] } {
  const places = placesOf(stack, symbols);
  if (message !== "unreachable") return { message, stack: places };
  if (isAbort(stack[0], symbols)) return { message: "abort", stack: places.slice(1) };
  if (ALLOCATOR.test(places[0]?.file ?? "")) return { message: "out of memory", stack: places };
  const reason = reasonInC(places.map(({ func = "" }) => func));
  return { message: reason === undefined ? message : `${message}: ${reason}`, stack: places };
}

/** How a C or C++ program came to give up, by the functions of its stack; undefined: it says nothing. */
function reasonInC([func = "", caller, ...others]: readonly string[]): string | undefined {
  // Made by wasm-ld, and by clang, in the place of a function that a call does not fit.
  const unfit = /^signature_mismatch:(.*)/.exec(func)?.[1];
  if (unfit !== undefined) return `${unfit}() was called with other types than it has`;
  if (/bitcast_invalid/.test(func)) return "a function was called through a pointer of another type";
  if (func !== "abort") return undefined;
  if (caller === "__assert_fail") return "a failed assert";
  const thrown = [caller ?? "", ...others].some((name) =>
    /__libcpp_verbose_abort|__throw_|__cxa_throw/.test(name),
  );
  return thrown ? "a C++ exception, which nothing can catch here" : "abort() was called";
}

function placeOf(frame: RawFrame, symbols: Symbolizer, beforeBytes: number): Frame {
  const func = symbols.functionName(frame.index) ?? frame.func ?? `function ${frame.index}`;
  if (frame.originalOffset !== undefined) return { func, ...placeNear(symbols, frame.originalOffset) };
  if (frame.offset === undefined) return { func };
  // Not across the function's ends.
  const own = symbols.at(frame.offset)?.func;
  const placeAt = (offset: number): Place | undefined => {
    const place = symbols.at(offset);
    return place?.func === own ? place : undefined;
  };
  const place = around(frame.offset, beforeBytes, placeAt);
  if (place?.file === undefined || !LIBRARY.test(place.file)) return { func, ...place };
  const user = near(frame.offset, -LIBRARY_BYTES, (offset) => {
    const before = placeAt(offset);
    return LIBRARY.test(before?.file ?? "") ? undefined : before;
  });
  return { func, ...place, ...(user?.line !== undefined && { user: `${user.file}:${user.line}` }) };
}

/** The nearest place that has a line; if none has one, one with a file. */
function around(
  offset: number,
  beforeBytes: number,
  placeAt: (offset: number) => Place | undefined,
): Place | undefined {
  const withLine = (at: number): Place | undefined => {
    const place = placeAt(at);
    return place?.line === undefined ? undefined : place;
  };
  return (
    near(offset, -beforeBytes, withLine) ??
    near(offset, BEHIND_BYTES, withLine) ??
    near(offset, -beforeBytes, placeAt)
  );
}

/**
 * The place of a resume point, by its offset in the file before it was linked: that of the nearest instruction
 * before it that has one.
 */
export function placeNear(symbols: Symbolizer, originalOffset: number): Place | undefined {
  return near(originalOffset, -BEFORE_BYTES, symbols.positionOf);
}

type Place = Omit<CodePlace, "func">;

/** The first place on the way from `offset` to `offset + way`. */
function near(
  offset: number,
  way: number,
  placeAt: (offset: number) => Place | undefined,
): Place | undefined {
  for (let step = 0; step <= Math.abs(way); step++) {
    const place = placeAt(offset + step * Math.sign(way));
    if (place?.file === undefined) continue;
    const { file, line, column } = place;
    return { file, ...(line !== undefined && { line }), ...(column !== undefined && { column }) };
  }
  return undefined;
}
