/** Signatures first; the code follows. */
import type { BlockKind } from "../../wire/layout.ts";
import type { SharedHeap } from "./shared-heap.ts";

/** An engine's allocator (one thread uses it). `engine` 0 … engines: the last is for the process's own thread. */
export declare class Arena {
  readonly heap: SharedHeap;
  readonly engine: number;
  constructor(heap: SharedHeap, engine: number);
  /** Byte address, multiple of 16, of `bytes` bytes (not cleared); 0: the heap is full. */
  hmalloc(bytes: number, kind: BlockKind): number;
  /** `at` may be of any arena. 0 at full, and then the old block stays. hrealloc(0, n) allocates. */
  hrealloc(at: number, bytes: number, kind: BlockKind): number;
  /** Frees a block of any arena. */
  hfree(at: number): void;
  /** Takes back what others freed, joins free blocks, gives empty chunks to the pool. For an idle engine. */
  trim(): void;
}
