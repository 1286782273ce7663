/**
 * ULPs of other processes, and messages that come from them. What goes to them is outbox.ts.
 *
 * Owns: making a buffer of a piece of bytes that came, and putting it into its receiver's inbox. It runs on the process's
 * own thread. A ULP of another process has a descriptor here too, so that its tid is known; its ULP.engine is
 * the process's own row, which is no engine: nothing is put into its queue or inbox. (paper, 3.2.1: the ULP
 * is marked remote)
 */
import { GBUF, HEAD, INBOX_CLOSED, SEG, ULP, ULP_STATE } from "../../wire/layout.ts";
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
  if (!pushInbox(w, to, at)) {
    dropMessage(w, library.arena, library.gb, at);
    return true;
  }
  const waker = { w, heap: library.heap, alone: false, rung: library.rung };
  if (claimWake(waker, to)) pushWake(waker, to);
  return true;
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

/** A buffer of these bytes, with one reference; 0: the heap is full. */
export function newBuffer(
  { w, heap, gb }: Pick<Library, "w" | "heap" | "gb">,
  encoding: number,
  data: Uint8Array,
): number {
  const gbid = gb.gnew(encoding);
  if (gbid === 0) return 0;
  const first = gbid + GBUF.words * 4;
  const segment = data.length <= LIMITS.bufferFirstBytes ? first : gb.addSegment(gbid, data.length);
  if (segment === 0) {
    gb.gfree(gbid);
    return 0;
  }
  heap.u8.set(data, segment + SEG_HEADER_BYTES);
  w[(segment >> 2) + SEG.used] = data.length;
  gb.ginitref(gbid);
  return gbid;
}

/** A ULP of another process has ended: messages to it are dropped from now on. */
export function endedOutside({ w }: Library, index: number): void {
  const ulp = w[(w[HEAD.ulpTableAt]! >> 2) + index]! >> 2;
  if (ulp !== 0) w[ulp + ULP.state] = ULP_STATE.exited;
}
