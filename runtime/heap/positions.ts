/**
 * Where a ULP packs and unpacks: the four words of its descriptor that the linked module reads and moves.
 *
 * Owns: packAt, packEnd (and sgbid, the buffer they lie in), unpackAt, unpackEnd, the `used` of the segment
 * packed into, and the read position in the rows of the buffer table. Not which buffer is the default one,
 * save that it is none after clear… (btab.ts).
 *
 * The four words are loaded when a buffer becomes the default one and stored when it ceases to be. In between
 * the `used` of the last segment is out of date, until sealSend().
 */
import { BTAB, GBUF, SEG, ULP } from "../../wire/layout.ts";
import { PVM_CONSTANT, PVM_ERROR } from "../../wire/pvm.ts";
import { FIRST_SEGMENT, type Gbdesc, SEG_HEADER_BYTES } from "./gbdesc.ts";

/** Data stays where it is until it is sent: nothing is packed into such a buffer (runtime/pvm/in-place.ts). */
const IN_PLACE = PVM_CONSTANT.PvmDataInPlace;
/** BTAB.bytes of a row whose buffer was made here. */
export const MADE_HERE = -1;

export class Positions {
  private readonly gb: Gbdesc;
  private readonly i32: Int32Array<SharedArrayBuffer>;

  constructor(gb: Gbdesc) {
    this.gb = gb;
    this.i32 = gb.arena.heap.i32;
  }

  /** No default buffers. */
  init(u: number): void {
    this.clearSend(u);
    this.clearReceive(u);
  }

  /**
   * Before the default send buffer is sent: from here its content up to the result is exact for every reader.
   * Returns the bytes of the message, or PvmNoBuf.
   */
  sealSend(u: number): number {
    const { i32 } = this;
    const gbid = i32[u + ULP.sgbid]!;
    if (gbid === 0) return this.sealReceived(u);
    const last = i32[(gbid >> 2) + GBUF.lastAt]!;
    const used = i32[u + ULP.packAt]! - last - SEG_HEADER_BYTES;
    i32[(last >> 2) + SEG.used] = used;
    return i32[(gbid >> 2) + GBUF.sealedBytes]! + used;
  }

  /**
   * Goes to the next segment of the default receive buffer that has bytes of the message; the one before is
   * read to its end. False: that was the message's end, and nothing has changed.
   */
  advance(u: number): boolean {
    const { i32 } = this;
    const row = rowOf(i32, u, i32[u + ULP.rbid]!);
    const s = i32[row + BTAB.segment]! >> 2;
    const left = i32[row + BTAB.left]! - i32[s + SEG.used]!;
    if (left <= 0) return false;
    this.enter(u, row, i32[s + SEG.next]!, left);
    return true;
  }

  /** Bytes of the default receive buffer, which there must be, that are not yet unpacked. */
  unread(u: number): number {
    const { i32 } = this;
    const row = rowOf(i32, u, i32[u + ULP.rbid]!);
    const data = i32[row + BTAB.segment]! + SEG_HEADER_BYTES;
    return i32[row + BTAB.left]! - (i32[u + ULP.unpackAt]! - data);
  }

  /** sealSend() where nothing was packed by this ULP: the message stays as it came. */
  private sealReceived(u: number): number {
    const { i32 } = this;
    const lbid = i32[u + ULP.sbid]!;
    // One in place has no bytes of its own.
    return lbid === 0 ? PVM_ERROR.PvmNoBuf.code : Math.max(0, i32[rowOf(i32, u, lbid) + BTAB.bytes]!);
  }

  /** How much of a received buffer that is not a default buffer was read, bytes. */
  bytesRead(row: number): number {
    const { i32 } = this;
    const segment = i32[row + BTAB.segment]!;
    if (segment === 0) return 0;
    const inSegment = i32[row + BTAB.unpackAt]! - segment - SEG_HEADER_BYTES;
    return i32[row + BTAB.bytes]! - i32[row + BTAB.left]! + inSegment;
  }

  /**
   * Says of a copy (Gbdesc.gcopy), which is all in its last segment, that the first `bytes` of it were read.
   */
  seek(row: number, bytes: number): void {
    const { i32 } = this;
    const last = i32[(i32[row + BTAB.gbid]! >> 2) + GBUF.lastAt]!;
    i32[row + BTAB.segment] = last;
    i32[row + BTAB.unpackAt] = last + SEG_HEADER_BYTES + bytes;
  }

  private setPack(u: number, gbid: number, at: number, end: number): void {
    this.i32[u + ULP.sgbid] = gbid;
    this.i32[u + ULP.packAt] = at;
    this.i32[u + ULP.packEnd] = end;
  }

  private setUnpack(u: number, at: number, end: number): void {
    this.i32[u + ULP.unpackAt] = at;
    this.i32[u + ULP.unpackEnd] = end;
  }

  /** Writes the pack position into the default send buffer, if there is one. */
  storeSend(u: number): void {
    if (this.i32[u + ULP.sgbid] !== 0) this.sealSend(u);
  }

  /**
   * Leaves the linked module no room to pack into and nothing to unpack, so that each of these calls comes to the engine: the
   * ULP is traced. Positions stay; open() before any other routine here that packs or unpacks.
   */
  close(u: number): void {
    const { i32 } = this;
    i32[u + ULP.packEnd] = i32[u + ULP.packAt]!;
    i32[u + ULP.unpackEnd] = i32[u + ULP.unpackAt]!;
  }

  /** Undoes close(). */
  open(u: number): void {
    const { i32 } = this;
    const gbid = i32[u + ULP.sgbid]!;
    if (gbid !== 0) {
      const last = i32[(gbid >> 2) + GBUF.lastAt]!;
      i32[u + ULP.packEnd] = last + SEG_HEADER_BYTES + i32[(last >> 2) + SEG.capacity]!;
    }
    if (i32[u + ULP.unpackAt] === 0) return;
    const row = rowOf(i32, u, i32[u + ULP.rbid]!);
    const segment = i32[row + BTAB.segment]!;
    const used = i32[(segment >> 2) + SEG.used]!;
    const left = i32[row + BTAB.left]!;
    i32[u + ULP.unpackEnd] = segment + SEG_HEADER_BYTES + (used < left ? used : left);
  }

  clearSend(u: number): void {
    this.i32[u + ULP.sbid] = 0;
    this.setPack(u, 0, 0, 0);
  }

  /** Pack position: behind what the row's buffer has, or none if it was received. */
  loadSend(u: number, row: number): void {
    const { i32 } = this;
    const inPlace = i32[(i32[row + BTAB.gbid]! >> 2) + GBUF.encoding] === IN_PLACE;
    if (i32[row + BTAB.bytes] !== MADE_HERE || inPlace) {
      this.setPack(u, 0, 0, 0);
      return;
    }
    const gbid = i32[row + BTAB.gbid]!;
    const last = i32[(gbid >> 2) + GBUF.lastAt]!;
    const data = last + SEG_HEADER_BYTES;
    this.setPack(u, gbid, data + i32[(last >> 2) + SEG.used]!, data + i32[(last >> 2) + SEG.capacity]!);
  }

  /** Pack position: the beginning of an empty buffer, made here, that becomes the default send buffer. */
  beginSend(u: number, gbid: number): void {
    if (this.i32[(gbid >> 2) + GBUF.encoding] === IN_PLACE) {
      this.setPack(u, 0, 0, 0);
      return;
    }
    const last = this.i32[(gbid >> 2) + GBUF.lastAt]!;
    const data = last + SEG_HEADER_BYTES;
    this.setPack(u, gbid, data, data + this.i32[(last >> 2) + SEG.capacity]!);
  }

  /** Ends reading of the default receive buffer, if there is one: its row keeps the position. */
  storeReceive(u: number): void {
    const { i32 } = this;
    const lbid = i32[u + ULP.rbid]!;
    if (lbid !== 0) i32[rowOf(i32, u, lbid) + BTAB.unpackAt] = i32[u + ULP.unpackAt]!;
    this.clearReceive(u);
  }

  clearReceive(u: number): void {
    this.i32[u + ULP.rbid] = 0;
    this.setUnpack(u, 0, 0);
  }

  /** Unpack position of a row: where it was left, or the beginning. */
  loadReceive(u: number, row: number): void {
    const { i32 } = this;
    const made = i32[row + BTAB.bytes] === MADE_HERE;
    const bytes = made ? this.gb.length(i32[row + BTAB.gbid]!) : i32[row + BTAB.bytes]!;
    const segment = i32[row + BTAB.segment]!;
    if (segment === 0) {
      this.begin(u, row, bytes);
      return;
    }
    const at = i32[row + BTAB.unpackAt]!;
    // A buffer made here may have grown since it was read.
    const left = made ? bytes - this.bytesBefore(i32[row + BTAB.gbid]!, segment) : i32[row + BTAB.left]!;
    this.enter(u, row, segment, left);
    i32[u + ULP.unpackAt] = at;
  }

  /** Bytes in the segments before one. */
  private bytesBefore(gbid: number, segment: number): number {
    const { i32 } = this;
    let bytes = 0;
    for (let at = gbid + FIRST_SEGMENT; at !== segment; at = i32[(at >> 2) + SEG.next]!) {
      bytes += i32[(at >> 2) + SEG.used]!;
    }
    return bytes;
  }

  /** Unpack position: the beginning of the row's buffer, of which `bytes` may be read. */
  begin(u: number, row: number, bytes: number): void {
    this.enter(u, row, this.i32[row + BTAB.gbid]! + FIRST_SEGMENT, bytes);
  }

  /**
   * Unpack position: the data of a segment, or of the next that has any, `left` bytes before the message's
   * end.
   */
  private enter(u: number, row: number, segment: number, left: number): void {
    const { i32 } = this;
    let at = segment;
    let used = i32[(at >> 2) + SEG.used]!;
    while (used === 0 && left > 0) {
      at = i32[(at >> 2) + SEG.next]!;
      used = i32[(at >> 2) + SEG.used]!;
    }
    i32[row + BTAB.segment] = at;
    i32[row + BTAB.left] = left;
    const data = at + SEG_HEADER_BYTES;
    this.setUnpack(u, data, data + (used < left ? used : left));
  }
}

/** Word index of the row of a local id, which must be in the ULP's table. */
export function rowOf(i32: Int32Array<SharedArrayBuffer>, u: number, lbid: number): number {
  return (i32[u + ULP.btabAt]! >> 2) + (lbid - 1) * BTAB.words;
}
