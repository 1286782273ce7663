/**
 * What messages tell of themselves, functions of the program that messages call, and small questions to the library.
 *
 * Owns: the AssemblyScript forms of routines that take a struct, a function or a list in C.
 */
import {
  pvm_addmhf, pvm_fail, pvm_getminfo, pvm_noresets_get, pvm_recvf_set, pvm_setminfo, pvm_tickle,
} from "./imports";

/** Room for a struct pvmminfo: eight ints. */
// @ts-ignore: decorator
@lazy const infoRoom = memory.data(32, 16);

/** What pvm_getminfo tells of a message, and pvm_setminfo sets: all but len, enc and crc. */
export class MsgInfo {
  /** PvmOk, or the error: then the rest means nothing. */
  code: i32 = 0;
  /** Length, bytes. */
  len: i32 = 0;
  /** Context that it was sent in. */
  ctx: i32 = 0;
  tag: i32 = 0;
  /** Wait id: goes with the message, for who wants to tell replies apart. */
  wid: i32 = 0;
  /** 0x10000000 XDR, 0x20000000 in place, else the data format of its sender. */
  enc: i32 = 0;
  crc: i32 = 0;
  /** Tids of its sender and its receiver. */
  src: i32 = 0;
  dst: i32 = 0;
}

/** What a message tells of itself; PvmBadParam or PvmNoSuchBuf in `code`. Source: pvm_getminfo(3PVM) */
export function getminfo(bufid: i32): MsgInfo {
  const info = new MsgInfo();
  info.code = pvm_getminfo(bufid, infoRoom);
  info.len = load<i32>(infoRoom);
  info.ctx = load<i32>(infoRoom, 4);
  info.tag = load<i32>(infoRoom, 8);
  info.wid = load<i32>(infoRoom, 12);
  info.enc = load<i32>(infoRoom, 16);
  info.crc = load<i32>(infoRoom, 20);
  info.src = load<i32>(infoRoom, 24);
  info.dst = load<i32>(infoRoom, 28);
  return info;
}

/** Sets ctx, tag, wid, src and dst. A send takes only the wait id along. Errors of getminfo. Source: pvm_setminfo(3PVM) */
export function setminfo(bufid: i32, info: MsgInfo): i32 {
  store<i32>(infoRoom, info.ctx, 4);
  store<i32>(infoRoom, info.tag, 8);
  store<i32>(infoRoom, info.wid, 12);
  store<i32>(infoRoom, info.src, 24);
  store<i32>(infoRoom, info.dst, 28);
  return pvm_setminfo(bufid, infoRoom);
}

/** Wait id of a message, or an error of getminfo. Source: pvm_getmwid(3PVM) */
export function getmwid(bufid: i32): i32 {
  const info = getminfo(bufid);
  return info.code < 0 ? info.code : info.wid;
}

/** Sets the wait id of a message. Source: pvm_setmwid(3PVM) */
export function setmwid(bufid: i32, wid: i32): i32 {
  const info = getminfo(bufid);
  if (info.code < 0) return info.code;
  info.wid = wid;
  return setminfo(bufid, info);
}

/**
 * Lets `handler` take messages as they come: it is called inside the calls that send, receive or probe, with the message
 * as receive buffer and in the message's context. It may pack, send and receive; afterwards the message is freed.
 *
 * @param src, tag, ctx  which messages; -1 is any
 * @param handler        gets the bufid; its result means nothing. No closure: AssemblyScript has none
 * @returns the handler's id, for delmhf; PvmExists: another takes some of the same; PvmNoMem. Source: pvm_addmhf(3PVM)
 */
export function addmhf(src: i32, tag: i32, ctx: i32, handler: (mid: i32) => i32): i32 {
  const id = pvm_addmhf(src, tag, ctx, handler.index);
  // Never so: but a call through the table, without which the compiler leaves it out.
  if (id == i32.MIN_VALUE) call_indirect<i32>(load<u32>(infoRoom), id);
  return id;
}

/** Chooses messages for receives: see recvf. */
export type Matcher = (bufid: i32, tid: i32, tag: i32) => i32;
let matcher: Matcher | null = null;

/**
 * Sets the function that chooses the message of a recv, nrecv, trecv, precv or probe; null: the usual one, by context,
 * tid and tag. It is asked about each message, of every context, and answers: 0 not this one, 1 this one, more: the one
 * with the highest answer of all, below 0: the call returns that error.
 * @returns the one before. Source: pvm_recvf(3PVM)
 */
export function recvf(match: Matcher | null): Matcher | null {
  const before = matcher;
  matcher = match;
  const old = pvm_recvf_set(match === null ? 0 : match.index);
  // As in addmhf: keeps the table.
  if (old == i32.MIN_VALUE) call_indirect<i32>(load<u32>(infoRoom), old, old, old);
  return before;
}

/** Tids of the tasks that have PvmNoReset. Source: pvm_getnoresets of PVM 3.4.6, which has no manual page */
export function getnoresets(): StaticArray<i32> {
  const tids = new StaticArray<i32>(max(pvm_noresets_get(0, 0), 0));
  pvm_noresets_get(changetype<usize>(tids), tids.length);
  return tids;
}

/** Asks the daemon about itself: takes 1 to 10 numbers and answers none. PvmBadParam. Source: pvm_tickle of PVM 3.4.6 */
export function tickle(numbers: StaticArray<i32>): i32 {
  return pvm_tickle(numbers.length, changetype<usize>(numbers), 0, 0);
}

/** Fails as a routine of PVM does: the error is remembered, and printed if PvmAutoErr says so. For libraries. */
export function fail(routine: string, code: i32): i32 {
  return pvm_fail(changetype<usize>(String.UTF8.encode(routine, true)), code);
}
