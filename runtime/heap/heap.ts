/**
 * The heap object (paper, Table II): hands out blocks of a range of memory and takes them back.
 *
 * Owns: one or more regions of a memory, and which bytes of them are in use. Not thread-safe: one thread at a
 * time.
 * Never: grows by itself, throws because it is full (0 then), reads or writes what a block holds.
 *
 * Blocks are drawn in heap-format.ts; `b` is always the word index of a block's header.
 *
 * Two kinds of free block. Up to QUICK_MAX bytes a freed block goes to a list of its exact size, last in
 * first out, still in use to its neighbours: a pair of hmalloc and hfree is a few loads and stores. Larger
 * blocks, and the quick ones when they are too many (LIMITS.arenaQuickBytes) or a request cannot be met, are
 * joined with their free neighbours and kept in bins by size, two-level (TLSF: Masmano, Ripoll, Crespo, Real,
 * ECRTS 2004), found and filed in constant time.
 *
 * The whole state of a heap is words in the memory it manages (STATE), so any thread can look at it, and a
 * heap of which all state words are 0 is an empty one without regions.
 *
 * Always true, asserted by check(): blocks tile each region; no two neighbours are both FREE; each
 * free block is in exactly the list of its size.
 */
import type { BlockKind } from "../../wire/layout.ts";
import { BLOCK_KIND } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { bug } from "./bug.ts";
import type { Words } from "./heap-format.ts";
import {
  BINS_EACH,
  binOf,
  FREE,
  HEADER_BYTES,
  MIN_BLOCK,
  PREV_FREE,
  QUICK_MAX,
  REGION,
  SEVERAL,
  SIZE_MASK,
  STATE,
} from "./heap-format.ts";
import { checkHeap, displayHeap, highest, lowest } from "./heap-walk.ts";

const QUICK_PAYLOAD = QUICK_MAX - HEADER_BYTES;
const MIN_PAYLOAD = MIN_BLOCK - HEADER_BYTES;
/** Largest payload that can be asked for, bytes: sizes stay positive 32-bit numbers. */
const MAX_PAYLOAD = LIMITS.heapBytesMax;

/** Bytes of the block that holds `bytes`. */
function blockBytes(bytes: number): number {
  return bytes <= MIN_PAYLOAD ? MIN_BLOCK : (bytes + HEADER_BYTES + 15) & SIZE_MASK;
}

export class Heap {
  readonly i32: Words;
  /** Word index of its STATE. */
  readonly state: number;
  /** Goes into the header of each of its blocks, 0 … 255. */
  readonly owner: number;

  /**
   * @param i32      the memory
   * @param stateAt  byte address of STATE.words words, multiple of 4; all 0, or of this heap as another
   * thread made it
   */
  constructor(i32: Words, stateAt: number, owner: number) {
    this.i32 = i32;
    this.state = stateAt >> 2;
    this.owner = owner;
  }

  /**
   * Makes it the heap of the bytes [hbeg, hbeg + hlen) and forgets what it had before. The state words must
   * lie outside. @throws AssertionError if hlen is too small for a single block
   */
  hinit(hbeg: number, hlen: number): void {
    this.i32.fill(0, this.state, this.state + STATE.words);
    if (!this.addRegion(hbeg, hlen)) bug(`a heap of ${hlen} bytes has no room for a block`);
  }

  /**
   * Address, multiple of 16, of `bytes` bytes that are not cleared; 0: no room. `bytes` 0 gives a block too.
   */
  hmalloc(bytes: number, kind: BlockKind = BLOCK_KIND.plain): number {
    const at = this.quick(bytes, kind);
    if (at !== 0) return at;
    const found = this.fromBins(bytes, kind);
    if (found !== 0 || this.i32[this.state + STATE.quickBytes] === 0) return found;
    this.consolidate();
    return this.fromBins(bytes, kind);
  }

  /**
   * Gives the block at `at` another size, in place if it can; its kind and contents stay. Returns its
   * address, or 0 if there is no room: then the old block stays as it was. hrealloc(0, n) allocates,
   * hrealloc(at, 0) frees.
   */
  hrealloc(at: number, bytes: number): number {
    if (at === 0) return this.hmalloc(bytes);
    if (bytes === 0) {
      this.hfree(at);
      return 0;
    }
    if (this.resize(at, bytes)) return at;
    const { i32 } = this;
    const b = (at >> 2) - 2;
    const to = this.hmalloc(bytes, (i32[b + 1]! & 0xff) as BlockKind);
    if (to === 0) return 0;
    i32.copyWithin(to >> 2, at >> 2, b + ((i32[b]! >> 4) << 2));
    this.hfree(at);
    return to;
  }

  /** @throws AssertionError if `at` is no live block of this heap, or was freed before */
  hfree(at: number): void {
    this.release(at);
  }

  /**
   * Bytes not in use, headers of free blocks among them. A request of that size may still find them
   * scattered.
   */
  hleft(): number {
    return this.i32[this.state + STATE.binBytes]! + this.i32[this.state + STATE.quickBytes]!;
  }

  /** Lowest address that is in use, 0 if none is. Cost: a walk. */
  getHmin(): number {
    return lowest(this.i32, this.state);
  }

  /** The address behind the highest that is in use, 0 if none is. Cost: a walk. */
  getHmax(): number {
    return highest(this.i32, this.state);
  }

  /** Usage as text: one line at level 0, also a line for each kind at 1, also one for each block at 2. */
  hdisplay(level: 0 | 1 | 2 = 0): string {
    return displayHeap(this.i32, this.state, level);
  }

  /**
   * @param onTheirWay word indices of blocks that were freed, but not to this object
   * @throws AssertionError if anything about the heap is not as it must be
   */
  check(onTheirWay: ReadonlySet<number> = new Set()): void {
    checkHeap(this.i32, this.state, this.owner, onTheirWay);
  }

  /**
   * From the list of the exact size; 0 if that is empty or `bytes` is too large for it. The fast half of
   * hmalloc.
   */
  quick(bytes: number, kind: BlockKind): number {
    if (bytes >>> 0 > QUICK_PAYLOAD) return 0;
    const { i32, state } = this;
    const size = blockBytes(bytes);
    const head = state + STATE.quickHead + (size >> 4);
    const b = i32[head]!;
    if (b === 0) return 0;
    i32[head] = i32[b + 2]!;
    i32[state + STATE.quickBytes] = i32[state + STATE.quickBytes]! - size;
    i32[b + 1] = (this.owner << 8) | kind;
    return (b << 2) + HEADER_BYTES;
  }

  /** From the joined free blocks; 0 if none is large enough. */
  fromBins(bytes: number, kind: BlockKind): number {
    if (!(bytes >= 0 && bytes <= MAX_PAYLOAD)) return 0;
    const { i32, state } = this;
    const size = blockBytes(bytes);
    const b = this.find(size);
    if (b === 0) return 0;
    const found = i32[b]! & SIZE_MASK;
    this.unlink(b, found);
    if (found - size >= MIN_BLOCK) {
      i32[state + STATE.binBytes] = i32[state + STATE.binBytes]! - size;
      i32[b] = size;
      this.link(b + (size >> 2), found - size);
    } else {
      i32[state + STATE.binBytes] = i32[state + STATE.binBytes]! - found;
      i32[b] = found;
      i32[b + (found >> 2)] = i32[b + (found >> 2)]! & ~PREV_FREE;
    }
    i32[b + 1] = (this.owner << 8) | kind;
    return (b << 2) + HEADER_BYTES;
  }

  /**
   * hfree for who minds regions: returns the region (byte address) that has no block in use any more, SEVERAL
   * if there may be more than one, 0 if nothing of the kind is known. Quick blocks count as in use.
   */
  release(at: number): number {
    const b = this.blockAt(at);
    return this.reclaim(b);
  }

  /**
   * Word index of the header of the block in use at `at`. @throws AssertionError if there is none of this
   * heap
   */
  private blockAt(at: number): number {
    const b = (at >> 2) - 2;
    const tag = this.i32[b + 1]!;
    if ((at & 15) !== 0 || (tag & 0xff) === 0 || tag >>> 8 !== this.owner) {
      bug(`${at} is freed or resized, which is no block in use of heap ${this.owner} (tag ${tag})`);
    }
    return b;
  }

  /** release() of a block whose header says nothing about its use any more. */
  reclaim(b: number): number {
    const { i32, state } = this;
    const size = i32[b]! & SIZE_MASK;
    if (size > QUICK_MAX) return this.join(b, size);
    const head = state + STATE.quickHead + (size >> 4);
    i32[b + 1] = 0;
    i32[b + 2] = i32[head]!;
    i32[head] = b;
    const quickBytes = i32[state + STATE.quickBytes]! + size;
    i32[state + STATE.quickBytes] = quickBytes;
    return quickBytes <= LIMITS.arenaQuickBytes ? 0 : this.consolidate();
  }

  /** Joins all quick blocks with their neighbours. Returns SEVERAL. */
  consolidate(): number {
    const { i32, state } = this;
    for (let head = state + STATE.quickHead; head <= state + STATE.quickHead + (QUICK_MAX >> 4); head += 1) {
      for (let b = i32[head]!; b !== 0; ) {
        const next = i32[b + 2]!;
        this.join(b, i32[b]! & SIZE_MASK);
        b = next;
      }
      i32[head] = 0;
    }
    i32[state + STATE.quickBytes] = 0;
    return SEVERAL;
  }

  /** Adds the bytes [at, at + bytes). False if they are too few for a block. */
  addRegion(at: number, bytes: number): boolean {
    const { i32, state } = this;
    // 0 is nobody's address.
    const from = at <= 0 ? 16 : (at + 15) & SIZE_MASK;
    const size = (at + bytes - from) & SIZE_MASK;
    if (size < REGION.headBytes + MIN_BLOCK) return false;
    const r = from >> 2;
    const first = i32[state + STATE.regions]!;
    i32[r + REGION.next] = first;
    i32[r + REGION.previous] = 0;
    i32[r + REGION.bytes] = size;
    i32[r + REGION.owner] = this.owner;
    if (first !== 0) i32[(first >> 2) + REGION.previous] = from;
    i32[state + STATE.regions] = from;
    const last = r + (size >> 2) - 2;
    i32[last] = 0;
    i32[last + 1] = from;
    this.link(r + REGION.firstBlock, size - REGION.headBytes);
    i32[state + STATE.totalBytes] = i32[state + STATE.totalBytes]! + size - REGION.headBytes;
    i32[state + STATE.binBytes] = i32[state + STATE.binBytes]! + size - REGION.headBytes;
    return true;
  }

  /** Gives up a region that is empty. */
  removeRegion(region: number): void {
    const { i32, state } = this;
    if (!this.isEmpty(region)) bug(`region ${region} has blocks in use`);
    const r = region >> 2;
    const size = i32[r + REGION.bytes]! - REGION.headBytes;
    this.unlink(r + REGION.firstBlock, size);
    const next = i32[r + REGION.next]!;
    const previous = i32[r + REGION.previous]!;
    if (next !== 0) i32[(next >> 2) + REGION.previous] = previous;
    if (previous !== 0) i32[(previous >> 2) + REGION.next] = next;
    else i32[state + STATE.regions] = next;
    i32[state + STATE.totalBytes] = i32[state + STATE.totalBytes]! - size;
    i32[state + STATE.binBytes] = i32[state + STATE.binBytes]! - size;
  }

  /** Whether all of a region is one free block. */
  isEmpty(region: number): boolean {
    const r = region >> 2;
    return this.i32[r + REGION.firstBlock] === ((this.i32[r + REGION.bytes]! - REGION.headBytes) | FREE);
  }

  /**
   * Changes the size of a block in place. False, and nothing changed, if it cannot.
   * @throws AssertionError if `at` is no block in use of this heap
   */
  resize(at: number, bytes: number): boolean {
    if (!(bytes >= 0 && bytes <= MAX_PAYLOAD)) return false;
    const { i32, state } = this;
    const b = this.blockAt(at);
    const old = i32[b]! & SIZE_MASK;
    const size = blockBytes(bytes);
    let have = old;
    if (size > old) {
      const n = b + (old >> 2);
      have = old + (i32[n]! & SIZE_MASK);
      if ((i32[n]! & FREE) === 0 || have < size) return false;
      this.unlink(n, have - old);
      i32[state + STATE.binBytes] = i32[state + STATE.binBytes]! - (have - old);
      i32[b] = have | (i32[b]! & PREV_FREE);
      i32[b + (have >> 2)] = i32[b + (have >> 2)]! & ~PREV_FREE;
    }
    if (have - size >= MIN_BLOCK) {
      i32[b] = size | (i32[b]! & PREV_FREE);
      i32[b + (size >> 2)] = have - size;
      this.join(b + (size >> 2), have - size);
    }
    return true;
  }

  /** Makes a block that is out of use free, together with its free neighbours. Returns as release() does. */
  private join(block: number, bytes: number): number {
    const { i32, state } = this;
    let b = block;
    let size = bytes;
    i32[state + STATE.binBytes] = i32[state + STATE.binBytes]! + size;
    const next = i32[b + (size >> 2)]!;
    if ((next & FREE) !== 0) {
      this.unlink(b + (size >> 2), next & SIZE_MASK);
      size += next & SIZE_MASK;
    }
    if ((i32[b]! & PREV_FREE) !== 0) {
      const before = i32[b - 1]!;
      b -= before >> 2;
      this.unlink(b, before);
      size += before;
    }
    this.link(b, size);
    const n = b + (size >> 2);
    if ((i32[n]! & SIZE_MASK) !== 0) return 0;
    const region = i32[n + 1]!;
    return b === (region >> 2) + REGION.firstBlock ? region : 0;
  }

  /** A block in a bin of at least `size` bytes, 0 if there is none. */
  private find(size: number): number {
    const { i32, state } = this;
    const bin = binOf(size);
    const head = i32[state + STATE.binHead + bin]!;
    // A block of the very size is in this bin, though not all here are large enough: the last one freed often
    // is.
    if (head !== 0 && (i32[head]! & SIZE_MASK) >= size) return head;
    let power = bin >> 3;
    let bins = i32[state + STATE.bins + power]! & (-2 << (bin & (BINS_EACH - 1)));
    if (bins === 0) {
      const powers = i32[state + STATE.powers]! & (-2 << power);
      if (powers === 0) return this.search(head, size);
      power = 31 - Math.clz32(powers & -powers);
      bins = i32[state + STATE.bins + power]!;
    }
    return i32[state + STATE.binHead + (power << 3) + (31 - Math.clz32(bins & -bins))]!;
  }

  /** First of a bin's list that is large enough: the last hope. Cost: the length of the list. */
  private search(head: number, size: number): number {
    const { i32 } = this;
    let b = head;
    while (b !== 0 && (i32[b]! & SIZE_MASK) < size) b = i32[b + 2]!;
    return b;
  }

  /** Makes the `size` bytes at b a FREE block and files it. The block before it is in use. */
  private link(b: number, size: number): void {
    const { i32, state } = this;
    const end = b + (size >> 2);
    i32[b] = size | FREE;
    i32[b + 1] = 0;
    i32[end - 1] = size;
    i32[end] = i32[end]! | PREV_FREE;
    const bin = binOf(size);
    const head = i32[state + STATE.binHead + bin]!;
    i32[b + 2] = head;
    i32[b + 3] = 0;
    if (head !== 0) i32[head + 3] = b;
    i32[state + STATE.binHead + bin] = b;
    const power = bin >> 3;
    i32[state + STATE.bins + power] = i32[state + STATE.bins + power]! | (1 << (bin & (BINS_EACH - 1)));
    i32[state + STATE.powers] = i32[state + STATE.powers]! | (1 << power);
  }

  /** Takes a FREE block of `size` bytes out of its bin. */
  private unlink(b: number, size: number): void {
    const { i32, state } = this;
    const next = i32[b + 2]!;
    const previous = i32[b + 3]!;
    if (next !== 0) i32[next + 3] = previous;
    if (previous !== 0) {
      i32[previous + 2] = next;
      return;
    }
    const bin = binOf(size);
    i32[state + STATE.binHead + bin] = next;
    if (next !== 0) return;
    const power = bin >> 3;
    const bins = i32[state + STATE.bins + power]! & ~(1 << (bin & (BINS_EACH - 1)));
    i32[state + STATE.bins + power] = bins;
    if (bins === 0) i32[state + STATE.powers] = i32[state + STATE.powers]! & ~(1 << power);
  }
}
