/** Signatures first; the code follows. */
import type { Arena } from "./arena.ts";

/** Global message buffers (Table IV), one object for each engine. A gbid is the byte address of its GBUF header. */
export declare class Gbdesc {
  readonly arena: Arena;
  constructor(arena: Arena);
  /** New empty buffer, reference count 0; 0 if the heap is full. */
  gnew(encoding: number): number;
  /** Frees it; its count must be 0. */
  gfree(gbid: number): void;
  /** Sets the count (1 unless told). */
  ginitref(gbid: number, count?: number): void;
  /** Returns the new count. */
  gincref(gbid: number): number;
  /** Returns the new count; frees it at 0. */
  gdecref(gbid: number): number;
  gref(gbid: number): number;
  /** New last segment of at least `minBytes`; its byte address, 0 if the heap is full. `used` of the last must be exact. */
  addSegment(gbid: number, minBytes: number): number;
  /** Bytes packed, as far as `used` of its last segment is exact. */
  length(gbid: number): number;
  /** Empties it; it keeps its first segment. Only with count 1 (or 0). */
  reset(gbid: number, encoding: number): void;
}
