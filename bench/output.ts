/**
 * What a program of bench/ printed: its figures and checksums (guests/bench.h, guests/switch.wat).
 *
 * Pure: text in, numbers out.
 */
import { type Measured, measured } from "./figures.ts";

export interface Output {
  /** "= ROW MEDIAN MIN MAX COUNT" by row. */
  readonly figures: ReadonlyMap<string, Measured>;
  /** "sum ROW VALUE" by row: the result, which must not depend on how the program was run. */
  readonly sums: ReadonlyMap<string, string>;
}

export function outputOf(text: string): Output {
  const figures = new Map<string, Measured>();
  const sums = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [mark, row, ...rest] = line.trim().split(" ");
    if (row === undefined) continue;
    const [median, min, max, batches] = rest.map(Number);
    if (
      mark === "=" &&
      median !== undefined &&
      min !== undefined &&
      max !== undefined &&
      batches !== undefined
    )
      figures.set(row, { median, min, max, batches });
    if (mark === "sum" && rest[0] !== undefined) sums.set(row, rest[0]);
  }
  return { figures, sums };
}

/** The numbers that guests/switch.wat printed in hex, without the first third: the engine compiles meanwhile. */
export function hexBatches(text: string): Measured {
  const values = text
    .split("\n")
    .flatMap((line) => (/^[0-9a-f]{16}$/.test(line) ? [Number.parseInt(line, 16)] : []));
  return measured(values.slice(Math.floor(values.length / 3)));
}
