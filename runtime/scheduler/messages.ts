/**
 * Message queue of a ULP (umsgq): messages that have arrived and were not yet asked for, in order of arrival.
 *
 * Owns: ULP.msgqHead, msgqTail, msgqCount and the links of the messages in it. Used by the engine that has
 * the ULP. Messages of other engines come through the mailbox (mailbox.ts) first.
 * A message is a MSG block of the heap (paper, 3.2.6: source, gbid, type, length). It holds one reference to
 * its buffer.
 */
import { BLOCK_KIND, ENGINE, MSG as MSG_TABLE, ULP as ULP_TABLE } from "../../wire/layout.ts";
import { MORE as MORE_TABLE } from "../../wire/more.ts";
import type { Arena } from "../heap/arena.ts";
import type { Gbdesc } from "../heap/gbdesc.ts";
import { isKept } from "./handlers.ts";
import type { UlpAt } from "./state.ts";

// V8 folds the fields of a constant of this file into its code, those of an import it loads (1.5 times
// slower).
const MORE = MORE_TABLE;
const MSG = MSG_TABLE;
const ULP = ULP_TABLE;

/** The wildcard for tid and tag. */
export const ANY = -1;

/**
 * New message descriptor. Takes the caller's reference to `gbid` if it succeeds.
 *
 * @returns its byte address; 0: the heap is full
 */
export function newMessage(
  w: Int32Array,
  arena: Arena,
  src: number,
  tag: number,
  gbid: number,
  bytes: number,
  context: number,
  wid: number,
): number {
  const at = arena.hmalloc(MSG.words * 4, BLOCK_KIND.message);
  if (at !== 0) fillMessage(w, at, src, tag, gbid, bytes, context, wid);
  return at;
}

export function fillMessage(
  w: Int32Array,
  at: number,
  src: number,
  tag: number,
  gbid: number,
  bytes: number,
  context: number,
  wid: number,
): void {
  const m = at >> 2;
  w[m + MSG.next] = 0;
  w[m + MSG.src] = src;
  w[m + MSG.tag] = tag;
  w[m + MSG.gbid] = gbid;
  w[m + MSG.bytes] = bytes;
  w[m + MSG.context] = context;
  w[m + MSG.lbid] = 0;
  w[m + MSG.wid] = wid;
}

/** Adds at the tail. Takes the message. */
export function appendMessage(w: Int32Array, ulp: UlpAt, at: number): void {
  const tail = w[ulp + ULP.msgqTail]!;
  w[(at >> 2) + MSG.next] = 0;
  if (tail === 0) w[ulp + ULP.msgqHead] = at;
  else w[(tail >> 2) + MSG.next] = at;
  w[ulp + ULP.msgqTail] = at;
  w[ulp + ULP.msgqCount] = w[ulp + ULP.msgqCount]! + 1;
}

/** True if a receive for (tid, tag), either of them ANY, takes a message of (src, messageTag). */
export function matches(tid: number, tag: number, src: number, messageTag: number): boolean {
  return (tid === src || tid === ANY) && (tag === messageTag || tag === ANY);
}

/** True if a receive of the ULP for (tid, tag) takes the message at word `m`: in its context, and for no handler. */
function takes(w: Int32Array, ulp: UlpAt, tid: number, tag: number, m: number): boolean {
  if (!matches(tid, tag, w[m + MSG.src]!, w[m + MSG.tag]!)) return false;
  return w[m + MSG.context] === w[ulp + ULP.context] && (w[ulp + ULP.moreAt] === 0 || !isKept(w, ulp, m));
}

/** First message, in order of arrival, that a receive for (tid, tag) takes; 0 none. It stays where it is. */
export function findMessage(w: Int32Array, ulp: UlpAt, tid: number, tag: number): number {
  for (let at = w[ulp + ULP.msgqHead]!; at !== 0; at = w[(at >> 2) + MSG.next]!) {
    if (takes(w, ulp, tid, tag, at >> 2)) return at;
  }
  return 0;
}

/** As findMessage, and takes it out of the queue: the caller owns it. */
export function takeMessage(w: Int32Array, ulp: UlpAt, tid: number, tag: number): number {
  let before = 0;
  for (let at = w[ulp + ULP.msgqHead]!; at !== 0; at = w[(at >> 2) + MSG.next]!) {
    if (takes(w, ulp, tid, tag, at >> 2)) {
      unlink(w, ulp, before, at);
      return at;
    }
    before = at;
  }
  return 0;
}

/** Takes one message out, wherever it is: O(length). It is in the queue. */
export function removeMessage(w: Int32Array, ulp: UlpAt, message: number): void {
  let before = 0;
  for (let at = w[ulp + ULP.msgqHead]!; at !== message; at = w[(at >> 2) + MSG.next]!) before = at;
  unlink(w, ulp, before, message);
}

/** Message whose local id, from pvm_probe, is `lbid`; 0 none. */
export function findProbed(w: Int32Array, ulp: UlpAt, lbid: number): number {
  for (let at = w[ulp + ULP.msgqHead]!; at !== 0; at = w[(at >> 2) + MSG.next]!)
    if (w[(at >> 2) + MSG.lbid] === lbid) return at;
  return 0;
}

/** Frees a message that is in no queue, and its reference to its buffer. */
export function dropMessage(w: Int32Array, arena: Arena, gb: Gbdesc, at: number): void {
  gb.gdecref(w[(at >> 2) + MSG.gbid]!);
  arena.hfree(at);
}

/** Frees the descriptors that the kernel of an engine has kept: the engine stops. `row`: word index of its row. */
export function freeSpareMessages(w: Int32Array, arena: Arena, row: number): void {
  for (let at = w[row + ENGINE.spareMessages]!; at !== 0; ) {
    const next = w[(at >> 2) + MSG.next]!;
    arena.hfree(at);
    at = next;
  }
  w[row + ENGINE.spareMessages] = 0;
  w[row + ENGINE.spareCount] = 0;
}

/** Puts the messages that came with the ULP from another process in front of its queue. (paper, 3.2.7) */
export function queueFront(w: Int32Array, ulp: UlpAt): void {
  const first = w[ulp + ULP.frontAt]!;
  if (first === 0) return;
  w[ulp + ULP.frontAt] = 0;
  let last = first;
  let n = 1;
  for (let next = w[(last >> 2) + MSG.next]!; next !== 0; next = w[(last >> 2) + MSG.next]!) {
    last = next;
    n++;
  }
  w[(last >> 2) + MSG.next] = w[ulp + ULP.msgqHead]!;
  if (w[ulp + ULP.msgqHead] === 0) w[ulp + ULP.msgqTail] = last;
  w[ulp + ULP.msgqHead] = first;
  w[ulp + ULP.msgqCount] = w[ulp + ULP.msgqCount]! + n;
}

/** Frees all: the ULP has ended. */
export function dropMessages(w: Int32Array, arena: Arena, gb: Gbdesc, ulp: UlpAt): void {
  queueFront(w, ulp);
  for (let at = w[ulp + ULP.msgqHead]!; at !== 0; ) {
    const next = w[(at >> 2) + MSG.next]!;
    dropMessage(w, arena, gb, at);
    at = next;
  }
  w[ulp + ULP.msgqHead] = 0;
  w[ulp + ULP.msgqTail] = 0;
  w[ulp + ULP.msgqCount] = 0;
  const more = w[ulp + ULP.moreAt]! >> 2;
  if (more !== 0) w[more + MORE.scanned] = 0;
}

function unlink(w: Int32Array, ulp: UlpAt, before: number, at: number): void {
  const next = w[(at >> 2) + MSG.next]!;
  if (before === 0) w[ulp + ULP.msgqHead] = next;
  else w[(before >> 2) + MSG.next] = next;
  if (next === 0) w[ulp + ULP.msgqTail] = before;
  w[ulp + ULP.msgqCount] = w[ulp + ULP.msgqCount]! - 1;
  const more = w[ulp + ULP.moreAt]! >> 2;
  if (more !== 0 && w[more + MORE.scanned] === at) w[more + MORE.scanned] = before;
}
