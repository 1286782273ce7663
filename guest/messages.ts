/**
 * Packing, unpacking and receiving with AssemblyScript's values, arrays and strings.
 *
 * Owns: the choice of PVM's routine by type. Never keeps a message: that is in PVM's buffers.
 * Wire types: i8, u8 and bool are bytes, i16 shorts, u16 ushorts, i32 ints, u32 uints, f32 floats, f64 doubles; i64 and
 * u64 are PVM's long, 64 bits on the wire. A C program unpacks i64 with pvm_upkint64.
 */
import {
  PVM_BYTE, PVM_DOUBLE, PVM_FLOAT, PVM_INT, PVM_INT64, PVM_SHORT, PVM_UINT, PVM_USHORT, PvmBadParam,
} from "./constants";
import {
  pvm_bufinfo, pvm_mcast, pvm_pkbyte, pvm_pkdouble, pvm_pkfloat, pvm_pkint, pvm_pkint64, pvm_pkshort, pvm_pkstr,
  pvm_pkuint, pvm_pkushort, pvm_precv, pvm_psend, pvm_trecv, pvm_upkbyte, pvm_upkdouble, pvm_upkfloat, pvm_upkint,
  pvm_upkint64, pvm_upkshort, pvm_upkstr, pvm_upkstr_bytes, pvm_upkuint, pvm_upkushort,
} from "./imports";
import { strerror } from "./tasks";

/** Room for one item, a timeval or three ints; nobody else writes it while a call uses it: a ULP has one thread. */
// @ts-ignore: decorator
@lazy const scratch = memory.data(16, 16);

// ---- By type -------------------------------------------------------------------------------------------------------

// @ts-ignore: decorator
@inline function packItems<T>(at: usize, nitem: i32, stride: i32): i32 {
  if (isReference<T>()) ERROR("only numbers and bool can be packed; strings with pkstr");
  if (isFloat<T>()) return sizeof<T>() == 8 ? pvm_pkdouble(at, nitem, stride) : pvm_pkfloat(at, nitem, stride);
  if (sizeof<T>() == 1) return pvm_pkbyte(at, nitem, stride);
  if (sizeof<T>() == 2) return isSigned<T>() ? pvm_pkshort(at, nitem, stride) : pvm_pkushort(at, nitem, stride);
  if (sizeof<T>() == 4) return isSigned<T>() ? pvm_pkint(at, nitem, stride) : pvm_pkuint(at, nitem, stride);
  return pvm_pkint64(at, nitem, stride);
}

// @ts-ignore: decorator
@inline function unpackItems<T>(at: usize, nitem: i32, stride: i32): i32 {
  if (isReference<T>()) ERROR("only numbers and bool can be unpacked; strings with upkstr");
  if (isFloat<T>()) return sizeof<T>() == 8 ? pvm_upkdouble(at, nitem, stride) : pvm_upkfloat(at, nitem, stride);
  if (sizeof<T>() == 1) return pvm_upkbyte(at, nitem, stride);
  if (sizeof<T>() == 2) return isSigned<T>() ? pvm_upkshort(at, nitem, stride) : pvm_upkushort(at, nitem, stride);
  if (sizeof<T>() == 4) return isSigned<T>() ? pvm_upkint(at, nitem, stride) : pvm_upkuint(at, nitem, stride);
  return pvm_upkint64(at, nitem, stride);
}

/** PVM's code of type T, for psend and precv. */
export function typeCode<T>(): i32 {
  if (isReference<T>()) ERROR("only numbers and bool have a PVM type");
  if (isFloat<T>()) return sizeof<T>() == 8 ? PVM_DOUBLE : PVM_FLOAT;
  if (sizeof<T>() == 1) return PVM_BYTE;
  if (sizeof<T>() == 2) return isSigned<T>() ? PVM_SHORT : PVM_USHORT;
  if (sizeof<T>() == 4) return isSigned<T>() ? PVM_INT : PVM_UINT;
  return PVM_INT64;
}

// ---- One value -----------------------------------------------------------------------------------------------------

/**
 * Packs one number or bool by its type: `pvm.pk<i32>(7)` is pvm_pkint of one item.
 * @returns PvmOk; PvmNoBuf if there is no send buffer; PvmNoMem. Source: pvm_pk(3PVM)
 */
export function pk<T>(value: T): i32 {
  store<T>(scratch, value);
  return packItems<T>(scratch, 1, 1);
}

/**
 * Unpacks one number or bool: `const n = pvm.upk<i32>()`. There is no code to look at: if the message has no such item
 * the program ends with PVM's error text. Use the upk* routines, which return their code, where that may happen.
 */
export function upk<T>(): T {
  const code = unpackItems<T>(scratch, 1, 1);
  if (code < 0) fail("pvm.upk", code);
  return load<T>(scratch);
}

// ---- Arrays --------------------------------------------------------------------------------------------------------

/** Address of an array's first item. */
// @ts-ignore: decorator
@inline export function dataOf<A>(array: A): usize {
  if (isDefined(array.dataStart)) return array.dataStart;
  return changetype<usize>(array);
}

/** How many items from `first` on, every `stride`th: `nitem` itself, or all there are if it is -1; -1 if not so many. */
export function countOf(length: i32, nitem: i32, stride: i32, first: i32): i32 {
  if (first < 0 || first > length || stride < 1 || nitem < -1) return -1;
  const there = <i32>((<i64>length - first + stride - 1) / stride);
  return nitem == -1 ? there : nitem <= there ? nitem : -1;
}

/**
 * Packs items of a StaticArray, an Array of numbers or a typed array, by the type of its items.
 *
 * @param nitem   how many items; -1: as many as there are
 * @param stride  distance from one to the next, in items, at least 1
 * @param first   index of the first
 * @returns PvmOk; PvmBadParam if the array has fewer items; PvmNoBuf; PvmNoMem. Source: pvm_pk(3PVM)
 */
export function pkArray<A>(array: A, nitem: i32 = -1, stride: i32 = 1, first: i32 = 0): i32 {
  const count = countOf(array.length, nitem, stride, first);
  if (count < 0) return PvmBadParam;
  return packItems<valueof<A>>(dataOf<A>(array) + <usize>first * sizeof<valueof<A>>(), count, stride);
}

/** Unpacks into an array; parameters and errors as in pkArray, and PvmNoData when the message ends before. */
export function upkArray<A>(array: A, nitem: i32 = -1, stride: i32 = 1, first: i32 = 0): i32 {
  const count = countOf(array.length, nitem, stride, first);
  if (count < 0) return PvmBadParam;
  return unpackItems<valueof<A>>(dataOf<A>(array) + <usize>first * sizeof<valueof<A>>(), count, stride);
}

// ---- Strings -------------------------------------------------------------------------------------------------------

/** Packs a string in UTF-8, with its NUL, as C does; PvmBadParam if it contains a NUL. Source: pvm_pkstr(3PVM) */
export function pkstr(text: string): i32 {
  if (text.includes("\0")) return PvmBadParam;
  return pvm_pkstr(changetype<usize>(String.UTF8.encode(text, true)));
}

/** Unpacks a string; ends the program as upk does when there is none. Source: pvm_upkstr(3PVM) */
export function upkstr(): string {
  const bytes = pvm_upkstr_bytes();
  if (bytes < 0) fail("pvm.upkstr", bytes);
  const buffer = new ArrayBuffer(bytes);
  const code = pvm_upkstr(changetype<usize>(buffer));
  if (code < 0) fail("pvm.upkstr", code);
  return String.UTF8.decode(buffer, true);
}

// ---- Sending and receiving -----------------------------------------------------------------------------------------

/** Sends the default send buffer to every tid of a StaticArray<i32>, Array<i32> or Int32Array. Source: pvm_mcast(3PVM) */
export function mcast<A>(tids: A, tag: i32): i32 {
  if (!isInteger<valueof<A>>() || sizeof<valueof<A>>() != 4) ERROR("tids are i32");
  return pvm_mcast(dataOf<A>(tids), tids.length, tag);
}

/** What pvm_bufinfo and pvm_precv tell about a message. */
export class BufInfo {
  /** PvmOk, or the error: then the rest means nothing. */
  code: i32 = 0;
  /** Length, bytes. */
  len: i32 = 0;
  tag: i32 = 0;
  /** Its sender. */
  tid: i32 = 0;
}

/** Length, tag and source of a message by its buffer id; PvmNoSuchBuf in `code`. Source: pvm_bufinfo(3PVM) */
export function bufinfo(bufid: i32): BufInfo {
  const info = new BufInfo();
  info.code = pvm_bufinfo(bufid, scratch, scratch + 4, scratch + 8);
  info.len = load<i32>(scratch);
  info.tag = load<i32>(scratch, 4);
  info.tid = load<i32>(scratch, 8);
  return info;
}

/**
 * Receives, but waits no longer than `seconds` (negative: without limit).
 * @returns a bufid; 0 if no message came in time; an error. Source: pvm_trecv(3PVM)
 */
export function trecv(tid: i32, tag: i32, seconds: f64): i32 {
  if (seconds < 0) return pvm_trecv(tid, tag, 0);
  const whole = Math.floor(seconds);
  store<i64>(scratch, <i64>whole);
  store<i64>(scratch, <i64>((seconds - whole) * 1e6), 8);
  return pvm_trecv(tid, tag, scratch);
}

/** Packs and sends an array in one call: `nitem` items from `first` on, -1 for all. Source: pvm_psend(3PVM) */
export function psendArray<A>(tid: i32, tag: i32, array: A, nitem: i32 = -1, first: i32 = 0): i32 {
  const count = countOf(array.length, nitem, 1, first);
  if (count < 0) return PvmBadParam;
  const at = dataOf<A>(array) + <usize>first * sizeof<valueof<A>>();
  return pvm_psend(tid, tag, at, count, typeCode<valueof<A>>());
}

/**
 * Receives straight into an array, without a receive buffer: at most `nitem` items from `first` on, -1 for all.
 * @param info  gets the message's source, tag and length in bytes, if it is given
 * @returns PvmOk; PvmOverflow if the message was longer; an error. Source: pvm_precv(3PVM)
 */
export function precvArray<A>(
  tid: i32, tag: i32, array: A, nitem: i32 = -1, first: i32 = 0, info: BufInfo | null = null,
): i32 {
  const count = countOf(array.length, nitem, 1, first);
  if (count < 0) return PvmBadParam;
  const at = dataOf<A>(array) + <usize>first * sizeof<valueof<A>>();
  const code = pvm_precv(tid, tag, at, count, typeCode<valueof<A>>(), scratch, scratch + 4, scratch + 8);
  if (info !== null) {
    info.code = code;
    info.tid = load<i32>(scratch);
    info.tag = load<i32>(scratch, 4);
    info.len = load<i32>(scratch, 8);
  }
  return code;
}

function fail(what: string, code: i32): void {
  throw new Error(what + ": " + strerror() + " (" + code.toString() + ")");
}
