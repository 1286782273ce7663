/**
 * Gbdesc, the process-wide view of message buffers (paper, Table IV): one object for each engine.
 *
 * Owns: reference counts and segments of buffers. Not who knows a buffer by which number (btab.ts), not what
 * the bytes mean (pack.ts). A gbid is the byte address of the buffer's GBUF header, so every engine of the
 * process knows the buffer by the same number, and looking it up costs nothing.
 *
 *     gbid ─▶ GBUF: last, sealedBytes, refs, encoding │ SEG: next, capacity, used │ data, bufferFirstBytes
 *             16 bytes                                │ 16 └─▶ SEG: next, capacity, used │ data …
 *
 * One ULP appends to a buffer: the one that made it. Others that have a reference read it at the same time,
 * on any engine, and only as far as their message's length: what is appended later lies beyond, and segments
 * before the last never change. So counts are the only words that need Atomics.
 *
 * And they not always. Who has a reference and reads 1 has the only one: nobody else can change the count
 * then, and a 1 cannot be out of date, for only the one who has it makes it more. So 1 → 2 and 1 → 0 are
 * plain stores (Atomics are calls in V8, 12 to 15 ns each, bench/heap.ts). What others read of the buffer
 * before they gave up theirs is done: their Atomics.sub comes after, and our stores depend on the 1 that we
 * saw.
 */
import { BLOCK_KIND, ENGINE, GBUF, SEG } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import type { Arena } from "./arena.ts";
import { bug } from "./bug.ts";

export const SEG_HEADER_BYTES = SEG.words * 4;
/** From a gbid to its first segment, bytes. */
export const FIRST_SEGMENT = GBUF.words * 4;
const BUFFER_BYTES = FIRST_SEGMENT + SEG_HEADER_BYTES + LIMITS.bufferFirstBytes;

export class Gbdesc {
  readonly arena: Arena;
  private readonly i32: Int32Array<SharedArrayBuffer>;
  /** Word of this engine's count of buffers. */
  private readonly count: number;

  constructor(arena: Arena) {
    this.arena = arena;
    this.i32 = arena.heap.i32;
    this.count = arena.heap.engineRow(arena.engine) + ENGINE.buffers;
  }

  /** New empty buffer with reference count 0, its gbid; 0 if the heap is full. Gives it to the caller. */
  gnew(encoding: number): number {
    const gbid = this.arena.hmalloc(BUFFER_BYTES, BLOCK_KIND.buffer);
    if (gbid === 0) return 0;
    const { i32 } = this;
    const g = gbid >> 2;
    i32[g + GBUF.refs] = 0;
    i32[g + GBUF.encoding] = encoding;
    i32[g + GBUF.lastAt] = gbid + FIRST_SEGMENT;
    i32[g + GBUF.sealedBytes] = 0;
    const s = g + GBUF.words;
    i32[s + SEG.next] = 0;
    i32[s + SEG.capacity] = LIMITS.bufferFirstBytes;
    i32[s + SEG.used] = 0;
    i32[this.count] = i32[this.count]! + 1;
    return gbid;
  }

  /** Frees a buffer to which nobody has a reference. @throws AssertionError if somebody has */
  gfree(gbid: number): void {
    const { i32 } = this;
    const g = gbid >> 2;
    if (i32[g + GBUF.refs] !== 0) bug(`buffer ${gbid} is freed with ${i32[g + GBUF.refs]} references`);
    if (i32[g + GBUF.lastAt] !== gbid + FIRST_SEGMENT) this.freeSegments(gbid);
    i32[this.count] = i32[this.count]! - 1;
    this.arena.hfree(gbid);
  }

  /** Sets the count of a new buffer to the references that its maker hands out. */
  ginitref(gbid: number, count = 1): void {
    this.i32[(gbid >> 2) + GBUF.refs] = count;
  }

  /** One more reference; returns the new count. The caller must have one. */
  gincref(gbid: number): number {
    const { i32 } = this;
    const refs = (gbid >> 2) + GBUF.refs;
    if (i32[refs] === 1) {
      i32[refs] = 2;
      return 2;
    }
    const before = Atomics.add(i32, refs, 1);
    if (before <= 0) bug(`buffer ${gbid} with ${before} references gets another`);
    return before + 1;
  }

  /**
   * Takes the caller's reference; returns the new count. At 0 the buffer is freed.
   * @throws AssertionError if it had none
   */
  gdecref(gbid: number): number {
    const { i32 } = this;
    const refs = (gbid >> 2) + GBUF.refs;
    if (i32[refs] === 1) {
      i32[refs] = 0;
      this.gfree(gbid);
      return 0;
    }
    const count = Atomics.sub(i32, refs, 1) - 1;
    if (count < 0) bug(`buffer ${gbid} has ${count} references`);
    if (count === 0) this.gfree(gbid);
    return count;
  }

  /** References there are. 1 is certain if the caller has it; more may be fewer by now. */
  gref(gbid: number): number {
    return this.i32[(gbid >> 2) + GBUF.refs]!;
  }

  /**
   * Appends an empty segment of at least `minBytes`; its byte address, or 0 if the heap is full. The new one
   * is twice the last, within limits; a request of more than half that gets a segment of just its size, so
   * that one large item array is one copy. `used` of the last segment must be exact. For the buffer's maker
   * only.
   */
  addSegment(gbid: number, minBytes: number): number {
    const { i32 } = this;
    const g = gbid >> 2;
    const last = i32[g + GBUF.lastAt]! >> 2;
    const doubled = Math.min(
      Math.max(i32[last + SEG.capacity]! * 2, LIMITS.bufferSegmentBytes),
      LIMITS.bufferSegmentBytesMax,
    );
    const capacity = minBytes > doubled >> 1 ? minBytes : doubled;
    const at = this.arena.hmalloc(SEG_HEADER_BYTES + capacity, BLOCK_KIND.segment);
    if (at === 0) return 0;
    const s = at >> 2;
    i32[s + SEG.next] = 0;
    i32[s + SEG.capacity] = capacity;
    i32[s + SEG.used] = 0;
    i32[g + GBUF.sealedBytes] = i32[g + GBUF.sealedBytes]! + i32[last + SEG.used]!;
    i32[g + GBUF.lastAt] = at;
    i32[last + SEG.next] = at;
    return at;
  }

  /**
   * Bytes packed so far, if `used` of the last segment is exact (btab.ts, sealSend). For the buffer's maker
   * only.
   */
  length(gbid: number): number {
    const { i32 } = this;
    const g = gbid >> 2;
    return i32[g + GBUF.sealedBytes]! + i32[(i32[g + GBUF.lastAt]! >> 2) + SEG.used]!;
  }

  /**
   * New buffer with the first `bytes` of another, and one reference; 0 if the heap is full. Borrows `gbid`.
   */
  gcopy(gbid: number, bytes: number): number {
    const { i32 } = this;
    const copy = this.gnew(i32[(gbid >> 2) + GBUF.encoding]!);
    if (copy === 0) return 0;
    const last = bytes <= LIMITS.bufferFirstBytes ? copy + FIRST_SEGMENT : this.addSegment(copy, bytes);
    if (last === 0) {
      this.gfree(copy);
      return 0;
    }
    this.read(gbid, 0, this.arena.heap.u8, last + SEG_HEADER_BYTES, bytes);
    i32[(last >> 2) + SEG.used] = bytes;
    this.ginitref(copy);
    return copy;
  }

  /** Copies the bytes [from, from + bytes), which it must have, to `target`. Borrows `gbid`. */
  read(gbid: number, from: number, target: Uint8Array, at: number, bytes: number): void {
    const { i32 } = this;
    const { u8 } = this.arena.heap;
    let segment = gbid + FIRST_SEGMENT;
    let skip = from;
    let done = 0;
    while (done < bytes) {
      const used = i32[(segment >> 2) + SEG.used]!;
      const count = Math.min(used - skip, bytes - done);
      if (count > 0) {
        const data = segment + SEG_HEADER_BYTES + skip;
        target.set(u8.subarray(data, data + count), at + done);
        done += count;
      }
      skip = Math.max(skip - used, 0);
      segment = i32[(segment >> 2) + SEG.next]!;
    }
  }

  /**
   * Empties a buffer to which only the caller has a reference. It keeps its first segment, and the second if
   * there are no more and it is not large: the next message, which is like the last, goes straight into it.
   */
  reset(gbid: number, encoding: number): void {
    const { i32 } = this;
    const g = gbid >> 2;
    if (i32[g + GBUF.refs]! > 1) bug(`buffer ${gbid} is cleared with ${i32[g + GBUF.refs]} references`);
    const last = i32[g + GBUF.lastAt]! >> 2;
    const kept =
      i32[g + GBUF.words + SEG.next]! >> 2 === last && i32[last + SEG.capacity]! <= LIMITS.bufferKeptBytes;
    if (kept) {
      i32[last + SEG.used] = 0;
      i32[g + GBUF.sealedBytes] = 0;
    } else if (last << 2 !== gbid + FIRST_SEGMENT) this.freeSegments(gbid);
    i32[g + GBUF.encoding] = encoding;
    i32[g + GBUF.words + SEG.used] = 0;
  }

  /** Frees all segments but the first. */
  private freeSegments(gbid: number): void {
    const { i32 } = this;
    const g = gbid >> 2;
    let at = i32[g + GBUF.words + SEG.next]!;
    while (at !== 0) {
      const next = i32[(at >> 2) + SEG.next]!;
      this.arena.hfree(at);
      at = next;
    }
    i32[g + GBUF.words + SEG.next] = 0;
    i32[g + GBUF.lastAt] = gbid + FIRST_SEGMENT;
    i32[g + GBUF.sealedBytes] = 0;
  }
}
