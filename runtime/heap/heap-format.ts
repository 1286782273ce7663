/**
 * How a heap looks in memory: blocks, regions, and the words of its state.
 *
 * Owns: offsets and bits, shared by the allocator (heap.ts) and those who only look (heap-walk.ts). No code
 * here reads or writes memory.
 *
 * A block is a header of 8 bytes and its payload, a multiple of 16 bytes in all. `b` is the word index of its
 * header:
 *
 *     byte  -4           0                   4               8                      size-4
 *           size of the  size | bits         owner<<8 |      payload;               … last word;
 *           block before FREE, PREV_FREE     kind            free: next, previous   free: size
 *           if it is free                    (kind 0: free)  in its list (words)
 */

/** The memory; a process heap's is shared. */
export type Words = Int32Array<ArrayBufferLike>;

/** Bits of a block's first word. */
export const FREE = 2;
export const PREV_FREE = 1;
export const SIZE_MASK = ~15;
export const MIN_BLOCK = 32;
export const HEADER_BYTES = 8;
/**
 * Largest block, bytes, that is kept by its exact size when it is freed: a message's first later segment is
 * the largest thing that comes and goes with every message.
 */
export const QUICK_MAX = 8192;
/** Bins begin at blocks of 2^BIN_SHIFT bytes; each power of two has BINS_EACH of them. */
export const BIN_SHIFT = 5;
export const BINS_EACH = 8;
const POWERS = 26;

/** A heap's state, word offsets. */
export const STATE = {
  /** First region (byte address), 0 none. */
  regions: 0,
  /** Bytes of all blocks; of the FREE ones in bins; of those in quick lists. Headers count. */
  totalBytes: 1,
  binBytes: 2,
  quickBytes: 3,
  /** Bit p: a bin of power p has blocks. Then for each power, bit s: its bin s has. */
  powers: 4,
  bins: 5,
  /**
   * First block (word index of its header) of each bin, and of each quick list (of size s: quickHead
   * + s / 16).
   */
  binHead: 32,
  quickHead: 32 + POWERS * BINS_EACH,
  words: 768,
} as const;

/**
 * Region: its head, its blocks, and a last header of size 0 whose second word is the region's address. Words.
 *
 *     0 next region | 4 previous | 8 bytes | 12 owner | 24 first block … | bytes-8 last header
 */
export const REGION = { next: 0, previous: 1, bytes: 2, owner: 3, firstBlock: 6, headBytes: 32 } as const;

/** release() and consolidate(): more than one region may have become empty. */
export const SEVERAL = -1;

/** Bin of blocks of `size` bytes. */
export function binOf(size: number): number {
  const power = 31 - Math.clz32(size);
  return ((power - BIN_SHIFT) << 3) | ((size >> (power - 3)) & (BINS_EACH - 1));
}
