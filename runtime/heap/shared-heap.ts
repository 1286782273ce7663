/** Signatures first; the code follows. */
import type { BlockKind } from "../../wire/layout.ts";
import type { Heap } from "./heap.ts";

/** What is needed of a WebAssembly.Memory: shared, its maximum equal to its size, so that views stay valid. */
export interface HeapMemory {
  readonly buffer: ArrayBufferLike;
}

/** A live block, as a walk over the heap finds it. */
export interface LiveBlock {
  /** Byte address of its first usable byte. */
  readonly at: number;
  /** Usable bytes. */
  readonly bytes: number;
  readonly kind: BlockKind;
  /** Engine whose arena it came from; SharedHeap.poolOwner: straight from the common pool. */
  readonly owner: number;
}

export declare class SharedHeap {
  readonly memory: HeapMemory;
  readonly i32: Int32Array<SharedArrayBuffer>;
  readonly u8: Uint8Array<SharedArrayBuffer>;
  readonly f64: Float64Array<SharedArrayBuffer>;
  readonly pool: Heap;
  readonly engines: number;

  /** Lays out head, engine table (engines + 1 rows: the last is the process's own thread), ULP table, pool. */
  static format(memory: HeapMemory, engines: number): SharedHeap;
  static attach(memory: HeapMemory): SharedHeap;
  /** First word of an engine's row. */
  engineRow(engine: number): number;
  /** Word of the ULP table that holds the address of descriptor `index`. */
  ulpRow(index: number): number;
  /** Message buffers alive in the process. */
  buffers(): number;
  /** Most bytes ever taken from the pool at once. */
  peakBytes(): number;
  liveBlocks(): LiveBlock[];
  /** Live blocks that no longer should be when every ULP has ended: all but `ulp` and `lasting`; "" if none. */
  leaks(): string;
  check(): void;
  hdisplay(): string;
}
