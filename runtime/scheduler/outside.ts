/**
 * ULPs of other processes, and messages that come from them. What goes to them is outbox.ts.
 *
 * Owns: making a buffer of bytes that came, or that come piece by piece, and putting it into its receiver's inbox. It runs on the process's
 * own thread. A ULP of another process has a descriptor here too, so that its tid is known; its ULP.engine is
 * the process's own row, which is no engine: nothing is put into its queue or inbox. (paper, 3.2.1: the ULP
 * is marked remote)
 */
import { GBUF, HEAD, INBOX_CLOSED, MSG, SEG, ULP, ULP_STATE } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { SEG_HEADER_BYTES } from "../heap/gbdesc.ts";
import type { Library } from "./library.ts";
import { claimWake, pushInbox, pushWake } from "./mailbox.ts";
import { dropMessage, newMessage } from "./messages.ts";
import type { UlpAt } from "./state.ts";
import { ulpOf } from "./ulp.ts";

/** A message that has come from another process. */
export interface OutsideMessage {
  /** Tids. */
  readonly to: number;
  readonly src: number;
  readonly tag: number;
  readonly context: number;
  readonly wid: number;
  readonly encoding: number;
  readonly data: Uint8Array;
}

/** True if the ULP is of another process. */
export function isOutside(w: Int32Array, ulp: UlpAt): boolean {
  return w[ulp + ULP.engine] === w[HEAD.engines];
}

/**
 * A message of another process has come: it goes into its receiver's inbox. On the process's own thread.
 *
 * @returns false: there is no room for it
 */
export function takeOutside(library: Library, message: OutsideMessage): boolean {
  const { w } = library;
  const to = ulpOf(w, message.to);
  if (to === 0 || Atomics.load(w, to + ULP.inbox) === INBOX_CLOSED) return true;
  if (Atomics.load(w, to + ULP.inboxCount) >= LIMITS.messagesPerUlp) return false;
  const at = newArrived(library, message, message.data);
  if (at === 0) return false;
  putInto(library, to, at);
  return true;
}

function putInto(library: Library, to: UlpAt, at: number): void {
  const { w, heap, arena, gb, rung } = library;
  if (!pushInbox(w, to, at)) {
    dropMessage(w, arena, gb, at);
    return;
  }
  const waker = { w, heap, alone: false, rung };
  if (claimWake(waker, to)) pushWake(waker, to);
}

/**
 * A message that is coming, in a buffer of the heap that its bytes are read into. On the process's own thread. It is given to
 * its receiver by deliverArriving, or dropped by dropArriving.
 */
export interface Arriving {
  /** Its descriptor, and the number of its bytes. */
  readonly at: number;
  /** Its bytes, as they will lie in the heap. */
  readonly place: Uint8Array;
}

/** Makes room for a message of so many bytes; undefined: the heap has none. */
export function beginArriving(
  library: Library,
  { src, tag, context, wid, encoding }: Omit<OutsideMessage, "to" | "data">,
  bytes: number,
): Arriving | undefined {
  const { w, arena, gb, heap } = library;
  const made = spaceFor(library, encoding, bytes);
  if (made === undefined) return undefined;
  const at = newMessage(w, arena, src, tag, made.gbid, bytes, context, wid);
  if (at === 0) {
    gb.gdecref(made.gbid);
    return undefined;
  }
  return { at, place: heap.u8.subarray(made.from, made.from + bytes) };
}

/** The same message for another ULP: it has the same buffer. Undefined: the heap has no room. */
export function alsoArriving(
  { w, arena, gb }: Library,
  { src, tag, context, wid }: Omit<OutsideMessage, "to" | "data">,
  { at, place }: Arriving,
): Arriving | undefined {
  const gbid = w[(at >> 2) + MSG.gbid]!;
  const also = newMessage(w, arena, src, tag, gbid, place.length, context, wid);
  if (also === 0) return undefined;
  gb.gincref(gbid);
  return { at: also, place };
}

/** All of it has come: it goes into its receiver's inbox. @returns false: that is full */
export function deliverArriving(library: Library, to: number, { at }: Arriving): boolean {
  const { w } = library;
  const ulp = ulpOf(w, to);
  if (ulp === 0 || Atomics.load(w, ulp + ULP.inbox) === INBOX_CLOSED) {
    dropMessage(w, library.arena, library.gb, at);
    return true;
  }
  if (Atomics.load(w, ulp + ULP.inboxCount) >= LIMITS.messagesPerUlp) return false;
  putInto(library, ulp, at);
  return true;
}

/** It is not to be received here. */
export function dropArriving({ w, arena, gb }: Library, { at }: Arriving): void {
  dropMessage(w, arena, gb, at);
}

/** Descriptor of a message that has come, with a buffer of its own; 0: the heap is full. */
export function newArrived(
  library: Library,
  { src, tag, context, wid, encoding }: Omit<OutsideMessage, "to" | "data">,
  data: Uint8Array,
): number {
  const gbid = newBuffer(library, encoding, data);
  if (gbid === 0) return 0;
  const at = newMessage(library.w, library.arena, src, tag, gbid, data.length, context, wid);
  if (at === 0) library.gb.gdecref(gbid);
  return at;
}

type Heap = Pick<Library, "w" | "heap" | "gb">;

/** A buffer of these bytes, with one reference; 0: the heap is full. */
export function newBuffer(library: Heap, encoding: number, data: Uint8Array): number {
  const made = spaceFor(library, encoding, data.length);
  if (made === undefined) return 0;
  library.heap.u8.set(data, made.from);
  return made.gbid;
}

/** A buffer of so many bytes in one segment, with one reference, and where they are to be written; undefined: the heap is full. */
function spaceFor(
  { w, gb }: Heap,
  encoding: number,
  bytes: number,
): { gbid: number; from: number } | undefined {
  const gbid = gb.gnew(encoding);
  if (gbid === 0) return undefined;
  const first = gbid + GBUF.words * 4;
  const segment = bytes <= LIMITS.bufferFirstBytes ? first : gb.addSegment(gbid, bytes);
  if (segment === 0) {
    gb.gfree(gbid);
    return undefined;
  }
  w[(segment >> 2) + SEG.used] = bytes;
  gb.ginitref(gbid);
  return { gbid, from: segment + SEG_HEADER_BYTES };
}

/** A ULP of another process has ended: messages to it are dropped from now on. */
export function endedOutside({ w }: Library, index: number): void {
  const ulp = w[(w[HEAD.ulpTableAt]! >> 2) + index]! >> 2;
  if (ulp !== 0) w[ulp + ULP.state] = ULP_STATE.exited;
}
