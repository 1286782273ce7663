/**
 * The process heap: one memory that all engines share, and the common pool that their arenas take chunks
 * from.
 *
 * Owns: the layout of the whole memory, the pool and its lock. Not what engines do with their chunks
 * (arena.ts). The memory never grows, so the views made here are valid as long as it is.
 *
 *     0 HEAD | engine table, engines + 1 rows | ULP table | states of pool and arenas | pool … | end
 *
 * The last row of the engine table, and the last arena, are the process's own thread's, which runs no ULP.
 */
import { BLOCK_KIND, type BlockKind, ENGINE, HEAD, HEAP_MAGIC, LINK_ABI } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { TID_BASE } from "../../wire/pvm.ts";
import { bug } from "./bug.ts";
import { Heap } from "./heap.ts";
import { REGION, SIZE_MASK, STATE } from "./heap-format.ts";
import { displayHeap, type LiveBlock, linesByKind, liveBlocks, liveOf } from "./heap-walk.ts";
import { lock, unlock } from "./lock.ts";

/** What is needed of a WebAssembly.Memory: shared, its maximum equal to its size. */
export interface HeapMemory {
  readonly buffer: ArrayBufferLike;
}

/** Owner of blocks that came straight from the pool; engines are 0 … LIMITS.engines. */
export const POOL_OWNER = 0xff;

const ARENA_BYTES = STATE.words * 4;
/** Chunks that each arena can get of even the smallest heap. */
const CHUNKS_EACH = 4;

export class SharedHeap {
  readonly memory: HeapMemory;
  readonly i32: Int32Array<SharedArrayBuffer>;
  readonly u8: Uint8Array<SharedArrayBuffer>;
  readonly f64: Float64Array<SharedArrayBuffer>;
  readonly engines: number;
  /** Touch it only with the lock held. */
  private readonly pool: Heap;

  private constructor(memory: HeapMemory) {
    const { buffer } = memory;
    if (!(buffer instanceof SharedArrayBuffer)) bug("the process heap is not shared memory");
    this.memory = memory;
    this.i32 = new Int32Array(buffer);
    this.u8 = new Uint8Array(buffer);
    this.f64 = new Float64Array(buffer, 0, buffer.byteLength >> 3);
    this.engines = this.i32[HEAD.engines]!;
    this.pool = new Heap(this.i32, this.i32[HEAD.poolAt]!, POOL_OWNER);
  }

  /**
   * Lays out an empty heap over all of `memory`, whatever it held.
   *
   * @throws AssertionError if there are too many engines or the memory is smaller than LIMITS.heapBytesMin
   */
  static format(memory: HeapMemory, engines: number): SharedHeap {
    const { buffer } = memory;
    if (!(buffer instanceof SharedArrayBuffer)) bug("the process heap is not shared memory");
    if (engines < 1 || engines > LIMITS.engines) bug(`${engines} engines`);
    if (buffer.byteLength < LIMITS.heapBytesMin) bug(`a heap of ${buffer.byteLength} bytes`);
    const i32 = new Int32Array(buffer);
    const bytes = Math.min(buffer.byteLength, LIMITS.heapBytesMax);
    const enginesAt = HEAD.words * 4;
    const ulpTableAt = enginesAt + (engines + 1) * ENGINE.words * 4;
    const poolAt = (ulpTableAt + LIMITS.ulps * 4 + 63) & ~63;
    const arenasAt = poolAt + ARENA_BYTES;
    const poolFrom = arenasAt + (engines + 1) * ARENA_BYTES;
    i32.fill(0, 0, poolFrom >> 2);
    i32[HEAD.heapBytes] = bytes;
    i32[HEAD.engines] = engines;
    i32[HEAD.tidBase] = TID_BASE;
    i32[HEAD.enginesAt] = enginesAt;
    i32[HEAD.ulpTableAt] = ulpTableAt;
    i32[HEAD.poolAt] = poolAt;
    i32[HEAD.arenasAt] = arenasAt;
    i32[HEAD.arenaBytes] = ARENA_BYTES;
    const share = Math.floor((bytes - poolFrom) / ((engines + 1) * CHUNKS_EACH));
    i32[HEAD.chunkBytes] = Math.min(LIMITS.arenaChunkBytes, share) & SIZE_MASK;
    new Heap(i32, poolAt, POOL_OWNER).hinit(poolFrom, bytes - poolFrom);
    i32[HEAD.abi] = LINK_ABI;
    Atomics.store(i32, HEAD.magic, HEAP_MAGIC);
    return new SharedHeap(memory);
  }

  /**
   * The heap that another thread formatted. @throws AssertionError if `memory` is none, or of another version
   */
  static attach(memory: HeapMemory): SharedHeap {
    const heap = new SharedHeap(memory);
    if (Atomics.load(heap.i32, HEAD.magic) !== HEAP_MAGIC) bug("the memory holds no process heap");
    if (heap.i32[HEAD.abi] !== LINK_ABI) bug(`the heap is of version ${heap.i32[HEAD.abi]}, not ${LINK_ABI}`);
    return heap;
  }

  /** First word of an engine's row (ENGINE). */
  engineRow(engine: number): number {
    return (this.i32[HEAD.enginesAt]! >> 2) + engine * ENGINE.words;
  }

  /** Word of the ULP table that holds the address of descriptor `index`, 0 if there is none. */
  ulpRow(index: number): number {
    return (this.i32[HEAD.ulpTableAt]! >> 2) + index;
  }

  /** Byte address of an arena's state. */
  arenaState(engine: number): number {
    return this.i32[HEAD.arenasAt]! + engine * this.i32[HEAD.arenaBytes]!;
  }

  /** A block straight from the pool, its address or 0. Any thread. Cost: the lock, some 100 ns. */
  take(bytes: number, kind: BlockKind): number {
    const { i32 } = this;
    lock(i32, HEAD.poolLock);
    const at = this.pool.hmalloc(bytes, kind);
    const used = i32[(i32[HEAD.poolAt]! >> 2) + STATE.totalBytes]! - this.pool.hleft();
    if (used > i32[HEAD.peakBytes]!) i32[HEAD.peakBytes] = used;
    unlock(i32, HEAD.poolLock);
    return at;
  }

  /** Gives back what take() gave. Any thread. @throws AssertionError if it is no such block */
  give(at: number): void {
    lock(this.i32, HEAD.poolLock);
    try {
      this.pool.hfree(at);
    } finally {
      unlock(this.i32, HEAD.poolLock);
    }
  }

  /** Message buffers alive in the process. Exact when no engine runs. */
  buffers(): number {
    let sum = 0;
    for (let engine = 0; engine <= this.engines; engine += 1) {
      sum += this.i32[this.engineRow(engine) + ENGINE.buffers]!;
    }
    return sum;
  }

  /** Bytes that the pool has left, not all in one piece. What arenas have to spare is not in it. */
  leftBytes(): number {
    lock(this.i32, HEAD.poolLock);
    const left = this.pool.hleft();
    unlock(this.i32, HEAD.poolLock);
    return left;
  }

  /** Most bytes that were taken from the pool at once, so far. */
  peakBytes(): number {
    return this.i32[HEAD.peakBytes]!;
  }

  /** Every block in use, of all engines. Exact when no engine runs. */
  liveBlocks(): LiveBlock[] {
    const { i32 } = this;
    const found: LiveBlock[] = [];
    lock(i32, HEAD.poolLock);
    for (const block of liveBlocks(i32, i32[HEAD.poolAt]! >> 2)) {
      if (block.kind === BLOCK_KIND.chunk) found.push(...liveOf(i32, block.at));
      else found.push(block);
    }
    unlock(i32, HEAD.poolLock);
    return found;
  }

  /**
   * What should be gone when every ULP has ended but is not: all blocks but `ulp` and `lasting`. "" if none.
   */
  leaks(): string {
    const leaked = this.liveBlocks().filter(
      ({ kind }) => kind !== BLOCK_KIND.ulp && kind !== BLOCK_KIND.lasting,
    );
    return linesByKind(leaked).join("\n");
  }

  /** Walks everything. No engine may run. @throws AssertionError if anything is not as it must be */
  check(): void {
    const { i32 } = this;
    this.pool.check();
    const chunks = new Set<number>();
    for (const { at, kind } of liveBlocks(i32, i32[HEAD.poolAt]! >> 2))
      if (kind === BLOCK_KIND.chunk) chunks.add(at);
    let buffers = 0;
    for (let engine = 0; engine <= this.engines; engine += 1) {
      const arena = new Heap(i32, this.arenaState(engine), engine);
      arena.check(this.onTheirWay(engine));
      for (let r = i32[arena.state + STATE.regions]!; r !== 0; r = i32[(r >> 2) + REGION.next]!) {
        if (!chunks.delete(r)) bug(`arena ${engine} has region ${r}, which is no chunk of the pool`);
      }
    }
    if (chunks.size !== 0) bug(`chunk ${[...chunks][0]} is in no arena`);
    for (const { kind } of this.liveBlocks()) if (kind === BLOCK_KIND.buffer) buffers += 1;
    if (buffers !== this.buffers())
      bug(`${buffers} message buffers are alive, ${this.buffers()} are counted`);
  }

  /** Blocks of an engine that others freed and that it has not yet taken back (arena.ts). */
  private onTheirWay(engine: number): Set<number> {
    const found = new Set<number>();
    let at = this.i32[this.engineRow(engine) + ENGINE.freed]!;
    for (; at !== 0; at = this.i32[at >> 2]!) {
      if (found.has((at >> 2) - 2)) bug(`block ${at} was freed twice`);
      found.add((at >> 2) - 2);
    }
    return found;
  }

  /** Usage as text: the pool, then each arena that has memory. Levels as in Heap.hdisplay. */
  hdisplay(level: 0 | 1 | 2 = 0): string {
    const { i32 } = this;
    const lines = [`pool: ${displayHeap(i32, i32[HEAD.poolAt]! >> 2, level)}`];
    for (let engine = 0; engine <= this.engines; engine += 1) {
      const state = this.arenaState(engine) >> 2;
      if (i32[state + STATE.regions] !== 0) lines.push(`engine ${engine}: ${displayHeap(i32, state, level)}`);
    }
    return lines.join("\n");
  }
}
