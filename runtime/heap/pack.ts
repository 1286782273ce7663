/**
 * Pack and unpack (paper, Tables VII and VIII), where the code in the linked module cannot finish by itself.
 *
 * Owns: what a message's bytes mean. On the wire, which is also the heap: little-endian, items one after
 * another without padding, no type tags and no counts, so what was packed as n ints is unpacked as n ints, as
 * 4n bytes, or in several calls. A complex number is its two parts. A C `long`, signed or not, is 64 bits; a
 * wasm32 guest has 32, so it is extended and checked. A string is an int, its length with the NUL, then those
 * bytes. test/golden/heap-wire.test.ts has the bytes of one message of all types.
 *
 * `u` is the word index of the ULP's descriptor; `guest` the ULP's memory as it is now (it may have grown
 * since the last call, so no view is kept); `at` a guest address, read as unsigned; `stride` counts items, 1
 * is all of them. Every routine returns 0 or a PVM error code, and after an error nothing has changed: no
 * position, no byte. The errors, in the order they are looked for: PvmBadParam (nitem < 0, stride < 1, a
 * range beyond the guest's memory), PvmNoBuf (no default buffer), then the routine's own.
 *
 * What one call packs always goes into one segment (gbdesc.ts, addSegment), so the copy is one, and so is the
 * receiver's when it unpacks in the same portions. Unpacking in others meets segment ends anywhere, also
 * inside an item.
 */
import { BTAB, SEG, ULP } from "../../wire/layout.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import type { Btab } from "./btab.ts";
import { type Gbdesc, SEG_HEADER_BYTES } from "./gbdesc.ts";
import { type Positions, rowOf } from "./positions.ts";

const BAD_PARAM = PVM_ERROR.PvmBadParam.code;
const OVERFLOW = PVM_ERROR.PvmOverflow.code;
const NO_DATA = PVM_ERROR.PvmNoData.code;
const NO_MEM = PVM_ERROR.PvmNoMem.code;
const BAD_MSG = PVM_ERROR.PvmBadMsg.code;
const NOT_IMPL = PVM_ERROR.PvmNotImpl.code;
const NO_BUF = PVM_ERROR.PvmNoBuf.code;

/** Below this many bytes a loop is faster than TypedArray.set, which makes a view object (bench/heap.ts). */
const LOOP_BYTES = 48;
const LONG_BYTES = 8;
const C_LONG_BYTES = 4;
/** A message cannot be longer than the heap, whose addresses are positive 32-bit numbers. */
const MESSAGE_BYTES_MAX = 0x7fffffff;

export class Pack {
  readonly btab: Btab;
  private readonly gb: Gbdesc;
  private readonly positions: Positions;
  private readonly i32: Int32Array<SharedArrayBuffer>;
  private readonly u8: Uint8Array<SharedArrayBuffer>;

  constructor(btab: Btab) {
    this.btab = btab;
    this.gb = btab.gb;
    this.positions = btab.positions;
    this.i32 = btab.gb.arena.heap.i32;
    this.u8 = btab.gb.arena.heap.u8;
  }

  /** pvm_pk* of every type but C's long. `itemBytes` 1, 2, 4, 8 or 16. PvmNoMem. */
  pack(u: number, guest: Uint8Array, at: number, itemBytes: number, nitem: number, stride: number): number {
    const from = at >>> 0;
    if (!inside(guest, from, itemBytes, nitem, stride)) return BAD_PARAM;
    const bytes = nitem * itemBytes;
    const room = this.packRoom(u, bytes);
    if (room < 0) return room;
    const to = this.i32[u + ULP.packAt]!;
    if (stride === 1) copyIn(this.u8, to, guest, from, bytes);
    else gather(this.u8, to, guest, from, itemBytes, nitem, stride * itemBytes);
    this.i32[u + ULP.packAt] = to + bytes;
    return 0;
  }

  /** pvm_upk* of every type but C's long. PvmNoData if the message has fewer items left. */
  unpack(u: number, guest: Uint8Array, at: number, itemBytes: number, nitem: number, stride: number): number {
    const to = at >>> 0;
    if (!inside(guest, to, itemBytes, nitem, stride)) return BAD_PARAM;
    const bytes = nitem * itemBytes;
    const wanting = this.wanting(u, bytes);
    if (wanting < 0) return wanting;
    if (stride === 1) this.read(u, guest, to, bytes);
    else this.scatter(u, guest, to, itemBytes, nitem, stride * itemBytes);
    return 0;
  }

  /** pvm_pklong (signed) and pvm_pkulong: 32 bits here, 64 on the wire. PvmNoMem. */
  packLong(u: number, guest: Uint8Array, at: number, nitem: number, stride: number, signed: boolean): number {
    let from = at >>> 0;
    if (!inside(guest, from, C_LONG_BYTES, nitem, stride)) return BAD_PARAM;
    const room = this.packRoom(u, nitem * LONG_BYTES);
    if (room < 0) return room;
    const { u8 } = this;
    let to = this.i32[u + ULP.packAt]!;
    for (let i = 0; i < nitem; i += 1) {
      for (let k = 0; k < C_LONG_BYTES; k += 1) u8[to + k] = guest[from + k]!;
      u8.fill(signed && guest[from + 3]! > 0x7f ? 0xff : 0, to + C_LONG_BYTES, to + LONG_BYTES);
      from += stride * C_LONG_BYTES;
      to += LONG_BYTES;
    }
    this.i32[u + ULP.packAt] = to;
    return 0;
  }

  /**
   * pvm_upklong (signed) and pvm_upkulong. PvmNoData; PvmOverflow if one of the values does not fit in 32
   * bits.
   */
  unpackLong(
    u: number,
    guest: Uint8Array,
    at: number,
    nitem: number,
    stride: number,
    signed: boolean,
  ): number {
    let to = at >>> 0;
    if (!inside(guest, to, C_LONG_BYTES, nitem, stride)) return BAD_PARAM;
    const wanting = this.wanting(u, nitem * LONG_BYTES);
    if (wanting < 0) return wanting;
    const item = new Uint8Array(LONG_BYTES);
    const begin = this.mark(u);
    for (let i = 0; i < nitem; i += 1) {
      this.read(u, item, 0, LONG_BYTES);
      if (fits(item, signed)) continue;
      this.goBack(u, begin);
      return OVERFLOW;
    }
    this.goBack(u, begin);
    for (let i = 0; i < nitem; i += 1) {
      this.read(u, item, 0, LONG_BYTES);
      for (let k = 0; k < C_LONG_BYTES; k += 1) guest[to + k] = item[k]!;
      to += stride * C_LONG_BYTES;
    }
    return 0;
  }

  /** pvm_pkstr: the bytes from `at` to the first NUL. PvmBadParam if there is none in the guest's memory. */
  packString(u: number, guest: Uint8Array, at: number): number {
    const from = at >>> 0;
    const end = guest.indexOf(0, from);
    if (end < 0) return BAD_PARAM;
    const bytes = end - from + 1;
    const room = this.packRoom(u, 4 + bytes);
    if (room < 0) return room;
    const to = this.i32[u + ULP.packAt]!;
    for (let k = 0; k < 4; k += 1) this.u8[to + k] = bytes >>> (8 * k);
    copyIn(this.u8, to + 4, guest, from, bytes);
    this.i32[u + ULP.packAt] = to + 4 + bytes;
    return 0;
  }

  /**
   * pvm_upkstr. PvmNoData: no int left; PvmBadMsg: what comes next is no string (its length is not 1 … the
   * bytes left, or its last byte is not NUL); PvmBadParam: it does not fit between `at` and the end of the
   * memory.
   */
  unpackString(u: number, guest: Uint8Array, at: number): number {
    const bytes = this.nextStringBytes(u);
    if (bytes < 0) return bytes;
    const to = at >>> 0;
    if (to + bytes > guest.length) return BAD_PARAM;
    this.skip(u, 4);
    this.read(u, guest, to, bytes);
    return 0;
  }

  /**
   * pvm_upkstr_bytes: bytes of the string that comes next, with its NUL. Unpacks nothing. Errors of
   * unpackString.
   */
  nextStringBytes(u: number): number {
    const wanting = this.wanting(u, 4);
    if (wanting < 0) return wanting;
    const item = new Uint8Array(4);
    const begin = this.mark(u);
    this.read(u, item, 0, 4);
    const bytes = (item[0]! | (item[1]! << 8) | (item[2]! << 16) | (item[3]! << 24)) >>> 0;
    let good = bytes >= 1 && this.wanting(u, bytes) === 0;
    if (good) {
      this.skip(u, bytes - 1);
      this.read(u, item, 0, 1);
      good = item[0] === 0;
    }
    this.goBack(u, begin);
    return good ? bytes : BAD_MSG;
  }

  /**
   * Makes room for `bytes` more in one segment of the default send buffer: then [packAt, packAt + bytes) may
   * be written, and packAt moved. 0, PvmNoBuf or PvmNoMem.
   */
  packRoom(u: number, bytes: number): number {
    const { i32 } = this;
    const lbid = i32[u + ULP.sbid]!;
    if (lbid === 0) return NO_BUF;
    if (i32[u + ULP.packAt] === 0) {
      // Made here all the same: it is in place, and only its own routine adds to it.
      if (i32[rowOf(i32, u, lbid) + BTAB.bytes]! < 0) return NOT_IMPL;
      const done = this.btab.writable(u);
      if (done < 0) return done;
    }
    if (i32[u + ULP.packEnd]! - i32[u + ULP.packAt]! >= bytes) return 0;
    if (this.positions.sealSend(u) + bytes > MESSAGE_BYTES_MAX) return NO_MEM;
    const segment = this.gb.addSegment(i32[u + ULP.sgbid]!, bytes);
    if (segment === 0) return NO_MEM;
    i32[u + ULP.packAt] = segment + SEG_HEADER_BYTES;
    i32[u + ULP.packEnd] = segment + SEG_HEADER_BYTES + i32[(segment >> 2) + SEG.capacity]!;
    return 0;
  }

  /**
   * The counterpart for unpacking: 0 if [unpackAt, unpackAt + bytes) can be read and unpackAt moved, 1 if
   * that many bytes are left but lie in several segments (use unpack); PvmNoBuf, PvmNoData.
   */
  unpackRoom(u: number, bytes: number): number {
    const { i32 } = this;
    const wanting = this.wanting(u, bytes);
    if (wanting < 0) return wanting;
    if (i32[u + ULP.unpackAt] === i32[u + ULP.unpackEnd]) this.positions.advance(u);
    return i32[u + ULP.unpackEnd]! - i32[u + ULP.unpackAt]! >= bytes ? 0 : 1;
  }

  /**
   * Copies the bytes [from, from + bytes) of a buffer to guest memory, as pvm_precv does. Borrows `gbid`. The
   * caller has checked that the message and the guest's memory have them.
   */
  copyOut(gbid: number, from: number, guest: Uint8Array, at: number, bytes: number): void {
    this.gb.read(gbid, from, guest, at >>> 0, bytes);
  }

  /** Whether the default receive buffer has `bytes` more: 0, PvmNoBuf, PvmNoData. */
  private wanting(u: number, bytes: number): number {
    if (this.i32[u + ULP.rbid] === 0) return NO_BUF;
    return bytes <= this.positions.unread(u) ? 0 : NO_DATA;
  }

  /** Copies the next `bytes`, which there must be, and moves on. */
  private read(u: number, target: Uint8Array, at: number, bytes: number): void {
    const { i32 } = this;
    let done = 0;
    while (done < bytes) {
      let from = i32[u + ULP.unpackAt]!;
      if (from === i32[u + ULP.unpackEnd]) {
        this.positions.advance(u);
        from = i32[u + ULP.unpackAt]!;
      }
      const count = Math.min(i32[u + ULP.unpackEnd]! - from, bytes - done);
      copyOut(this.u8, from, target, at + done, count);
      i32[u + ULP.unpackAt] = from + count;
      done += count;
    }
  }

  /** Passes over the next `bytes`, which there must be. */
  private skip(u: number, bytes: number): void {
    const { i32 } = this;
    let left = bytes;
    while (left > i32[u + ULP.unpackEnd]! - i32[u + ULP.unpackAt]!) {
      left -= i32[u + ULP.unpackEnd]! - i32[u + ULP.unpackAt]!;
      this.positions.advance(u);
    }
    i32[u + ULP.unpackAt] = i32[u + ULP.unpackAt]! + left;
  }

  /**
   * Items to every `step` bytes of guest memory: whole ones in a loop, one that a segment's end cuts by
   * read().
   */
  private scatter(
    u: number,
    guest: Uint8Array,
    at: number,
    itemBytes: number,
    nitem: number,
    step: number,
  ): void {
    const { i32, u8 } = this;
    let to = at;
    let left = nitem;
    while (left > 0) {
      const from = i32[u + ULP.unpackAt]!;
      const whole = Math.min(Math.floor((i32[u + ULP.unpackEnd]! - from) / itemBytes), left);
      spread(u8, from, guest, to, itemBytes, whole, step);
      i32[u + ULP.unpackAt] = from + whole * itemBytes;
      to += whole * step;
      left -= whole;
      if (left === 0) return;
      this.read(u, guest, to, itemBytes);
      to += step;
      left -= 1;
    }
  }

  /** Position in the default receive buffer, for goBack(). */
  private mark(u: number): readonly [segment: number, left: number, at: number, end: number] {
    const { i32 } = this;
    const row = rowOf(i32, u, i32[u + ULP.rbid]!);
    return [i32[row + BTAB.segment]!, i32[row + BTAB.left]!, i32[u + ULP.unpackAt]!, i32[u + ULP.unpackEnd]!];
  }

  private goBack(u: number, [segment, left, at, end]: readonly [number, number, number, number]): void {
    const { i32 } = this;
    const row = rowOf(i32, u, i32[u + ULP.rbid]!);
    i32[row + BTAB.segment] = segment;
    i32[row + BTAB.left] = left;
    i32[u + ULP.unpackAt] = at;
    i32[u + ULP.unpackEnd] = end;
  }
}

/**
 * Whether nitem items of `itemBytes`, each `stride` items from the last, lie in the guest's memory from `at`
 * on.
 */
function inside(guest: Uint8Array, at: number, itemBytes: number, nitem: number, stride: number): boolean {
  if (nitem < 0 || stride < 1) return false;
  if (nitem === 0) return true;
  return at + ((nitem - 1) * stride + 1) * itemBytes <= guest.length;
}

/** Whether a little-endian 64-bit number fits in 32 bits. */
function fits(item: Uint8Array, signed: boolean): boolean {
  const high = signed && item[3]! > 0x7f ? 0xff : 0;
  return item[4] === high && item[5] === high && item[6] === high && item[7] === high;
}

function copyIn(heap: Uint8Array, to: number, guest: Uint8Array, from: number, bytes: number): void {
  if (bytes < LOOP_BYTES) for (let i = 0; i < bytes; i += 1) heap[to + i] = guest[from + i]!;
  else heap.set(guest.subarray(from, from + bytes), to);
}

function copyOut(heap: Uint8Array, from: number, guest: Uint8Array, to: number, bytes: number): void {
  if (bytes < LOOP_BYTES) for (let i = 0; i < bytes; i += 1) guest[to + i] = heap[from + i]!;
  else guest.set(heap.subarray(from, from + bytes), to);
}

/** Every `step` bytes of the guest, an item into the heap. */
function gather(
  heap: Uint8Array,
  heapAt: number,
  guest: Uint8Array,
  guestAt: number,
  itemBytes: number,
  nitem: number,
  step: number,
): void {
  let to = heapAt;
  let from = guestAt;
  for (let i = 0; i < nitem; i += 1) {
    for (let k = 0; k < itemBytes; k += 1) heap[to + k] = guest[from + k]!;
    to += itemBytes;
    from += step;
  }
}

/** The other way. */
function spread(
  heap: Uint8Array,
  heapAt: number,
  guest: Uint8Array,
  guestAt: number,
  itemBytes: number,
  nitem: number,
  step: number,
): void {
  let from = heapAt;
  let to = guestAt;
  for (let i = 0; i < nitem; i += 1) {
    for (let k = 0; k < itemBytes; k += 1) guest[to + k] = heap[from + k]!;
    from += itemBytes;
    to += step;
  }
}
