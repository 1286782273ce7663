/**
 * Source lines for a guest's stack, as near as the compilers tell them.
 *
 * Owns: what to show where the line tables have a gap. The tables themselves are the link step's (lines.ts).
 */
import type { CodePlace, Symbolizer } from "../runtime/link/lines.ts";
import type { RawFrame } from "./run-result.ts";

/**
 * How far before an instruction without a line another one's is taken, bytes: the arguments of a call stand just
 * before it. AssemblyScript gives a call whose result is not used no line of its own, but its arguments have theirs.
 */
const NEAR_BYTES = 12;
/** Functions of the link step, around the program's entry: of no interest to its author. */
const OWN_FUNCTIONS = /^upvm_/;

/** The frames of a ULP's stack with names and lines; `symbols` are the linked module's. */
export function placesOf(stack: readonly RawFrame[], symbols: Symbolizer): CodePlace[] {
  return stack.map((frame) => placeOf(frame, symbols)).filter(({ func }) => !OWN_FUNCTIONS.test(func ?? ""));
}

function placeOf(frame: RawFrame, symbols: Symbolizer): CodePlace {
  const func = symbols.functionName(frame.index) ?? frame.func ?? `function ${frame.index}`;
  if (frame.originalOffset !== undefined) return { func, ...placeNear(symbols, frame.originalOffset) };
  if (frame.offset === undefined) return { func };
  return { func, ...near(frame.offset, (offset) => symbols.at(offset)) };
}

/**
 * The place of a resume point, by its offset in the file before it was linked: that of the nearest instruction
 * before it that has one.
 */
export function placeNear(symbols: Symbolizer, originalOffset: number): Omit<CodePlace, "func"> | undefined {
  return near(originalOffset, symbols.positionOf);
}

type Place = Omit<CodePlace, "func">;

function near(offset: number, placeAt: (offset: number) => Place | undefined): Place | undefined {
  for (let at = offset; at >= offset - NEAR_BYTES; at--) {
    const place = placeAt(at);
    if (place?.file === undefined) continue;
    const { file, line, column } = place;
    return { file, ...(line !== undefined && { line }), ...(column !== undefined && { column }) };
  }
  return undefined;
}
