/**
 * Where a suspended ULP is: its unwind frames name the calls that they belong to.
 *
 * Owns: the walk. The frames are the link step's (runtime/link/resume-points.ts): innermost first in memory,
 * each ends with the number of its resume point.
 */
import { ULP } from "../../wire/layout.ts";
import type { UlpAt } from "./state.ts";

/**
 * A row of the link section: function in the linked module, offset in the original file, bytes of the frame.
 */
export type ResumePointRow = readonly [func: number, offset: number, frameBytes: number];

export interface SuspendedFrame {
  /** Function index in the linked module. */
  readonly index: number;
  /** Byte offset of the call in the file as it was before it was linked; 0: code of the link step. */
  readonly originalOffset: number;
}

/**
 * Innermost call first. Empty if the ULP has not been suspended; ends early at a frame that makes no sense.
 *
 * The ULP must be suspended: a running one has no frames.
 */
export function suspendedStack(
  w: Int32Array,
  ulp: UlpAt,
  points: readonly ResumePointRow[],
): SuspendedFrame[] {
  const base = w[ulp + ULP.framesBase]!;
  const frames: SuspendedFrame[] = [];
  for (let top = w[ulp + ULP.framesTop]!; top > base; ) {
    const point = points[w[(top - 4) >> 2]!];
    if (point === undefined || point[2] <= 0 || top - point[2] < base) break;
    const [index, originalOffset, bytes] = point;
    frames.push({ index, originalOffset });
    top -= bytes;
  }
  return frames.reverse();
}

/** True if the frames of a suspended ULP follow each other from their end to their beginning, as the program makes them. */
export function isWhole(w: Int32Array, ulp: UlpAt, points: readonly ResumePointRow[]): boolean {
  const base = w[ulp + ULP.framesBase]!;
  let top = w[ulp + ULP.framesTop]!;
  while (top > base) {
    const point = points[w[(top - 4) >> 2]!];
    if (point === undefined || point[2] <= 0) return false;
    top -= point[2];
  }
  return top === base;
}
