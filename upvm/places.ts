/**
 * Source lines for a guest's stack, as near as the compilers tell them.
 *
 * Owns: what to show where the line tables have a gap. The tables themselves are the link step's (lines.ts).
 */
import type { CodePlace, Symbolizer } from "../runtime/link/lines.ts";

/**
 * How far before an instruction without a line another one's is taken, bytes: the arguments of a call stand just
 * before it. AssemblyScript gives a call whose result is not used no line of its own, but its arguments have theirs.
 */
const NEAR_BYTES = 12;

/** The place of a byte of code; its line is that of the nearest instruction before it that has one. */
export function placeNear(symbols: Symbolizer, offset: number): CodePlace | undefined {
  const place = symbols.at(offset);
  if (place === undefined || place.file !== undefined) return place;
  for (let before = offset - 1; before >= offset - NEAR_BYTES; before--) {
    const near = symbols.at(before);
    if (near?.func !== place.func) break;
    if (near?.file !== undefined) return { ...near };
  }
  return place;
}
