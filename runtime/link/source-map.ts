/**
 * Source positions from a source map: the custom section `upvm.sourcemap`, as `upvm compile` adds it to a program
 * that asc has compiled.
 *
 * The section is the JSON of a version 3 source map. Its "column" is a byte offset in the wasm file, its only line
 * is the first: asc's and binaryen's form. Nothing in the map names a place if it is damaged.
 */
import { decode, type SourceMapSegment } from "@jridgewell/sourcemap-codec";

export interface SourcePosition {
  readonly file: string;
  /** From 1; absent if the code has no line of its own. */
  readonly line?: number;
  /** From 1; absent if unknown. */
  readonly column?: number;
}

/** Finds the source of a byte of code, or undefined. */
export type PositionOf = (offset: number) => SourcePosition | undefined;

/** Positions by byte offset in the wasm file; undefined if the section holds no source map. */
export function sourceMapPositions(section: Uint8Array): PositionOf | undefined {
  const map = parsed(section);
  if (map === undefined) return undefined;
  const segments = map.segments;
  return (offset) => {
    let low = 0;
    let high = segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((segments[middle]?.[0] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    const segment = segments[low - 1];
    // One field: code without a source begins here.
    if (segment === undefined || segment.length === 1) return undefined;
    const file = map.sources[segment[1]];
    return typeof file === "string" ? { file, line: segment[2] + 1, column: segment[3] + 1 } : undefined;
  };
}

/**
 * What belongs into the section: the map without the text of the sources, which nobody reads there.
 *
 * `sourceRoot` goes too: asc invents one ("./" and the module's name) that is no folder; its `sources` already are
 * paths as the user gave them.
 * @throws SyntaxError if `json` is not JSON
 */
export function compactSourceMap(json: string): Uint8Array {
  const { sources, mappings } = JSON.parse(json) as Readonly<Record<string, unknown>>;
  return new TextEncoder().encode(JSON.stringify({ version: 3, sources, names: [], mappings }));
}

interface Parsed {
  readonly sources: readonly unknown[];
  readonly segments: readonly SourceMapSegment[];
}

function parsed(section: Uint8Array): Parsed | undefined {
  let map: unknown;
  try {
    map = JSON.parse(new TextDecoder().decode(section.slice()));
  } catch {
    return undefined;
  }
  if (typeof map !== "object" || map === null) return undefined;
  const { version, sources, mappings } = map as Readonly<Record<string, unknown>>;
  if (version !== 3 || !Array.isArray(sources) || typeof mappings !== "string") return undefined;
  const firstLine = mappings.split(";", 1)[0] ?? "";
  return { sources, segments: decode(firstLine)[0] ?? [] };
}
