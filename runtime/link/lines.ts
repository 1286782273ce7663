/**
 * Says which function and source line a byte of a wasm module's code comes from, for traps and `--dump`.
 *
 * Reads, in the module itself: names, DWARF line tables, the section `upvm.sourcemap`, and `upvm.offsets` if the module
 * is linked. Nothing of it has to be there or has to be sound: what is missing or damaged is not told.
 * Pure: no clock, no I/O. Made when something is to be reported, never before: it reads the whole module.
 */
import { SECTION } from "../../wire/layout.ts";
import { dwarfPositions } from "./dwarf-lines.ts";
import { functionNames } from "./function-names.ts";
import { decodeOffsets, originalOffset } from "./offset-map.ts";
import { type PositionOf, sourceMapPositions } from "./source-map.ts";
import { codeLayout, customSection, functionAt, sectionsOf } from "./wasm-sections.ts";

/** A place in the guest's source. Lines and columns count from 1. */
export interface CodePlace {
  readonly func?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

export interface Symbolizer {
  /**
   * @param codeOffset byte offset in the wasm file, as in V8's `wasm-function[3]:0x1f2`
   * @returns undefined if no function is there; a place without `file` if its source is unknown
   */
  at(codeOffset: number): CodePlace | undefined;
  /**
   * @param originalOffset byte offset in the file as it was before it was linked, as resume points have it; in a
   *   file that is not linked, the same as for `at`
   * @returns undefined if its source is unknown
   */
  positionOf(originalOffset: number): Omit<CodePlace, "func"> | undefined;
  /** Name of a function by its index, or undefined. */
  functionName(index: number): string | undefined;
}

/** Never throws: of what is no wasm module it knows nothing. `wasm`: linked or not. Cost: reads the module once. */
export function symbolizer(wasm: Uint8Array): Symbolizer {
  const sections = sectionsOf(wasm) ?? [];
  const custom = (name: string) => customSection(wasm, sections, name);
  const layout = codeLayout(wasm, sections);
  const nameSection = custom("name");
  const names = nameSection && functionNames(nameSection);
  const functionName = (index: number) => names?.get(index);
  const { own, original } = positions(custom, layout?.start ?? 0);
  return {
    functionName,
    positionOf: original,
    at(codeOffset) {
      const index = layout && functionAt(layout, codeOffset);
      if (index === undefined) return undefined;
      const func = functionName(index);
      return { ...(func !== undefined && { func }), ...own(codeOffset) };
    },
  };
}

/** Positions by offset in this file, and by offset in the file that it was linked from. */
interface Positions {
  readonly own: PositionOf;
  readonly original: PositionOf;
}

/** Whatever way the module keeps them. */
function positions(custom: (name: string) => Uint8Array | undefined, ownCodeStart: number): Positions {
  const offsetSection = custom(SECTION.offsets);
  const offsets = offsetSection && decodeOffsets(offsetSection);
  // A linked module whose map is damaged: its debug information speaks of other code.
  const unknown = () => undefined;
  if (offsetSection !== undefined && offsets === undefined) return { own: unknown, original: unknown };
  const mapSection = custom(SECTION.sourceMap);
  const fromMap = mapSection && sourceMapPositions(mapSection);
  const line = custom(".debug_line");
  const fromDwarf =
    line && dwarfPositions({ line, str: custom(".debug_str"), lineStr: custom(".debug_line_str") });
  const codeStart = offsets?.codeStart ?? ownCodeStart;
  const original: PositionOf = (offset) =>
    offset === 0 ? undefined : (fromMap?.(offset) ?? fromDwarf?.(offset - codeStart));
  const own: PositionOf = offsets ? (offset) => original(originalOffset(offsets, offset)) : original;
  return { own, original };
}
