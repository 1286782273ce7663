/**
 * Memory of one engine: allocates without a lock, and takes back what any engine frees.
 *
 * Owns: the chunks it took from the common pool (shared-heap.ts), and the list of its blocks that others
 * freed. One thread at a time uses an Arena; different threads use different ones of the same SharedHeap.
 * Never throws because memory is short: 0 then, and the caller says PvmNoMem.
 *
 * Three ways out for a block: its header names its owner. Its own arena files it at once. Another engine
 * pushes it on the owner's stack `freed` (Atomics), which the owner empties before it cuts new blocks: so a
 * message that engine A makes and engine B frees comes back to A while it is still in the cache. What is
 * larger than a quarter chunk belongs to the pool itself, so that any thread gives megabytes back at once.
 *
 * Bounded, so that no arena starves the others: at most LIMITS.arenaQuickBytes of free small blocks not
 * joined, and one empty chunk. trim() gives up both.
 */
import type { BlockKind } from "../../wire/layout.ts";
import { BLOCK_KIND, ENGINE, HEAD } from "../../wire/layout.ts";
import { bug } from "./bug.ts";
import { Heap } from "./heap.ts";
import { HEADER_BYTES, REGION, SEVERAL, SIZE_MASK, STATE } from "./heap-format.ts";
import { POOL_OWNER, type SharedHeap } from "./shared-heap.ts";

export class Arena {
  readonly heap: SharedHeap;
  readonly engine: number;
  private readonly i32: Int32Array<SharedArrayBuffer>;
  private readonly own: Heap;
  /** Word of this engine's `freed`. */
  private readonly freed: number;
  private readonly chunkBytes: number;
  /** Larger requests go to the pool, bytes. */
  private readonly largeBytes: number;
  /** A chunk that was empty when last seen and is kept for the next block; 0 none. */
  private spare = 0;

  /** @param engine 0 … engines; the last is the process's own thread */
  constructor(heap: SharedHeap, engine: number) {
    if (!(engine >= 0 && engine <= heap.engines)) bug(`no engine ${engine}`);
    this.heap = heap;
    this.engine = engine;
    this.i32 = heap.i32;
    this.own = new Heap(heap.i32, heap.arenaState(engine), engine);
    this.freed = heap.engineRow(engine) + ENGINE.freed;
    this.chunkBytes = heap.i32[HEAD.chunkBytes]!;
    this.largeBytes = this.chunkBytes >> 2;
  }

  /**
   * Address, multiple of 16, of `bytes` bytes that are not cleared; 0: the heap is full.
   * Cost: a few ns up to QUICK_MAX bytes when one of that size was freed before, else some 50 ns.
   */
  hmalloc(bytes: number, kind: BlockKind): number {
    const at = this.own.quick(bytes, kind);
    return at !== 0 ? at : this.slow(bytes, kind);
  }

  /** Frees a block of any arena. @throws AssertionError if it is no block in use */
  hfree(at: number): void {
    const owner = this.i32[(at >> 2) - 1]! >>> 8;
    if (owner === this.engine) {
      const region = this.own.release(at);
      if (region !== 0) this.emptied(region);
    } else if (owner === POOL_OWNER) this.heap.give(at);
    else this.push(at, owner);
  }

  /**
   * Gives a block of any arena another size; its kind and contents stay. Its address, or 0 when the heap is
   * full, and then the old block stays as it was. hrealloc(0, n, kind) allocates, hrealloc(at, 0) frees.
   */
  hrealloc(at: number, bytes: number, kind: BlockKind): number {
    if (at === 0) return this.hmalloc(bytes, kind);
    if (bytes === 0) {
      this.hfree(at);
      return 0;
    }
    const { i32 } = this;
    const tag = i32[(at >> 2) - 1]!;
    if (tag >>> 8 === this.engine && this.own.resize(at, bytes)) return at;
    const have = (i32[(at >> 2) - 2]! & SIZE_MASK) - HEADER_BYTES;
    const to = this.hmalloc(bytes, (tag & 0xff) as BlockKind);
    if (to === 0) return 0;
    this.heap.u8.copyWithin(to, at, at + Math.min(have, bytes));
    this.hfree(at);
    return to;
  }

  /**
   * Takes back what others freed, joins free blocks and gives every empty chunk to the pool. For an engine
   * that has nothing to do. Cost: up to a millisecond.
   */
  trim(): void {
    this.drain();
    this.own.consolidate();
    this.spare = 0;
    this.giveEmpty();
  }

  /** Bytes of blocks in use that came from this arena's chunks, headers too. */
  usedBytes(): number {
    return this.i32[this.own.state + STATE.totalBytes]! - this.own.hleft();
  }

  private slow(bytes: number, kind: BlockKind): number {
    if (Atomics.load(this.i32, this.freed) !== 0) {
      this.drain();
      const at = this.own.quick(bytes, kind);
      if (at !== 0) return at;
    }
    if (bytes > this.largeBytes) return this.large(bytes, kind);
    const at = this.own.fromBins(bytes, kind);
    if (at !== 0) return at;
    return this.grow() ? this.own.fromBins(bytes, kind) : this.scrape(bytes, kind);
  }

  private large(bytes: number, kind: BlockKind): number {
    const at = this.heap.take(bytes, kind);
    return at !== 0 ? at : this.scrape(bytes, kind);
  }

  /**
   * The pool has no room as it is: first give and join all that is free here, then take what fits anywhere.
   */
  private scrape(bytes: number, kind: BlockKind): number {
    this.trim();
    const at = this.own.fromBins(bytes, kind);
    return at !== 0 ? at : this.heap.take(bytes, kind);
  }

  /** One more chunk. False: the pool has none. */
  private grow(): boolean {
    const chunk = this.heap.take(this.chunkBytes - HEADER_BYTES, BLOCK_KIND.chunk);
    if (chunk === 0) return false;
    const bytes = (this.i32[(chunk >> 2) - 2]! & SIZE_MASK) - HEADER_BYTES;
    if (!this.own.addRegion(chunk, bytes)) bug(`a chunk of ${bytes} bytes has no room for a block`);
    return true;
  }

  /** A block of another engine goes to that engine. */
  private push(at: number, owner: number): void {
    const { i32 } = this;
    const link = at >> 2;
    if ((at & 15) !== 0 || (i32[link - 1]! & 0xff) === 0 || owner > this.heap.engines) {
      bug(`${at} is freed or resized, which is no block in use (tag ${i32[link - 1]})`);
    }
    i32[link - 1] = owner << 8;
    const head = this.heap.engineRow(owner) + ENGINE.freed;
    let seen: number;
    do {
      seen = Atomics.load(i32, head);
      i32[link] = seen;
    } while (Atomics.compareExchange(i32, head, seen, at) !== seen);
  }

  /** Files what others freed. */
  private drain(): void {
    const { i32 } = this;
    let at = Atomics.exchange(i32, this.freed, 0);
    while (at !== 0) {
      const next = i32[at >> 2]!;
      const region = this.own.reclaim((at >> 2) - 2);
      if (region !== 0) this.emptied(region);
      at = next;
    }
  }

  /** One empty chunk is kept for the next block; more go back to the pool. */
  private emptied(region: number): void {
    if (region === SEVERAL) this.giveEmpty();
    else if (this.spare === 0 || this.spare === region || !this.own.isEmpty(this.spare)) this.spare = region;
    else this.giveChunk(region);
  }

  /** Gives every empty chunk but the spare one to the pool. */
  private giveEmpty(): void {
    const { i32 } = this;
    for (let r = i32[this.own.state + STATE.regions]!; r !== 0; ) {
      const next = i32[(r >> 2) + REGION.next]!;
      if (r !== this.spare && this.own.isEmpty(r)) this.giveChunk(r);
      r = next;
    }
  }

  private giveChunk(region: number): void {
    this.own.removeRegion(region);
    this.heap.give(region);
  }
}
