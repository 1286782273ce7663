/**
 * Outbox: messages to ULPs of other processes, on their way to the process's own thread, which sends them.
 *
 * Owns: HEAD.outbox, outboxUnits, outboxAsleep, and the messages in it until they are released. Nothing is copied: what
 * waits here is a message descriptor with a reference to its buffer, as in a queue; its MSG.lbid is the receiver's tid. What
 * carries the bytes is not here.
 *
 *     engine                                  own thread
 *     push message on the list                take all, oldest first, until there is none
 *     if asleep turns 1 → 0: ring             asleep = 1; if the list is not empty and asleep turns 1 → 0: again
 *
 * Pairwise order: one list for all engines, so messages of a ULP leave in the order in which they were sent, wherever it ran.
 * Bounded: who finds LIMITS.outboxBytes waiting waits, engine and all, until some have left; after LIMITS.outboxWaitMs its
 * message is refused. An engine on the process's own thread, which has to send them, waits between its turns (turn.ts).
 * A ULP that comes to this process (runtime/migrate/restore.ts) must get what lies here for it before what is sent to its
 * inbox: who makes it local waits until nobody posts, and then takes all (closeOutboxTo).
 * Dropped: Atomics.waitAsync on the own thread, in place of a message of the engine's port: the same 13 to 24 microseconds
 * for a round trip, and 3 for the one who rings.
 */
import { GBUF, HEAD, MSG, SEG, STOP, ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import { SEG_HEADER_BYTES } from "../heap/gbdesc.ts";
import type { EngineState } from "./engine-state.ts";
import type { Library } from "./library.ts";
import { dropMessage, newMessage } from "./messages.ts";
import type { UlpAt } from "./state.ts";
import { mayExceed } from "./turn.ts";

/** HEAD.outboxUnits counts in these, bytes: it is a word, and a heap of messages sent many times is more than 2^31. */
const UNIT_BYTES = 64;
const TO = MSG.lbid;
const NO_MEM = PVM_ERROR.PvmNoMem.code;
/** Result of postOutside; no PVM code is this. */
export const CAME_HERE = 1;

/** A message that is to leave. Its pieces are views of the heap, good until it is released. */
export interface Outgoing {
  /** Byte address of its descriptor. */
  readonly at: number;
  /** Tids. */
  readonly to: number;
  readonly src: number;
  readonly tag: number;
  readonly context: number;
  readonly wid: number;
  readonly encoding: number;
  /** Its buffer: messages of a multicast have one. */
  readonly gbid: number;
  readonly bytes: number;
  readonly pieces: readonly Uint8Array[];
}

function unitsOf(bytes: number): number {
  return 1 + Math.ceil(bytes / UNIT_BYTES);
}

/**
 * Sends a message to a ULP of another process. Borrows `gbid`: the message gets a reference of its own.
 *
 * @returns 0, or PvmNoMem: the outbox stayed full, or the heap is; nothing was sent; CAME_HERE: the ULP is of this process now,
 * and nothing was sent
 */
export function postOutside(
  e: EngineState,
  src: number,
  to: UlpAt,
  tag: number,
  gbid: number,
  bytes: number,
  context: number,
  wid: number,
): number {
  const { w } = e;
  if (!hasRoom(e)) return NO_MEM;
  const message = newMessage(w, e.arena, src, tag, gbid, bytes, context, wid);
  if (message === 0) return NO_MEM;
  e.gb.gincref(gbid);
  Atomics.add(w, HEAD.outboxPosting, 1);
  if (Atomics.load(w, to + ULP.engine) !== w[HEAD.engines]) {
    Atomics.sub(w, HEAD.outboxPosting, 1);
    dropMessage(w, e.arena, e.gb, message);
    return CAME_HERE;
  }
  const m = message >> 2;
  w[m + TO] = w[to + ULP.tid]!;
  // Counted before it leaves: who adds up all processes' counts must not miss it (upvm/isolate.ts).
  Atomics.add(w, HEAD.sentOutside, 1);
  Atomics.add(w, HEAD.outboxUnits, unitsOf(bytes));
  for (let head = Atomics.load(w, HEAD.outbox); ; ) {
    w[m + MSG.next] = head;
    const found = Atomics.compareExchange(w, HEAD.outbox, head, message);
    if (found === head) break;
    head = found;
  }
  Atomics.sub(w, HEAD.outboxPosting, 1);
  if (Atomics.load(w, HEAD.outboxAsleep) === 1 && Atomics.compareExchange(w, HEAD.outboxAsleep, 1, 0) === 1)
    e.edge.ringOutbox();
  return 0;
}

/** Waits for room, so long at most. */
function hasRoom(e: EngineState): boolean {
  const { w, edge } = e;
  const most = LIMITS.outboxBytes / UNIT_BYTES;
  let held = Atomics.load(w, HEAD.outboxUnits);
  if (held < most) return true;
  if (edge.turn !== undefined) return mayExceed(e, held < 2 * most);
  const until = edge.now() + LIMITS.outboxWaitMs;
  for (let now = edge.now(); held >= most; now = edge.now()) {
    if (now >= until || Atomics.load(w, HEAD.stop) !== STOP.none) return false;
    edge.wait(HEAD.outboxUnits, held, until - now);
    held = Atomics.load(w, HEAD.outboxUnits);
  }
  return true;
}

/** True if a message of so many bytes finds room, and leaves some. One that is larger than all of it does when it is empty. */
export function fitsOutbox(w: Int32Array, bytes: number): boolean {
  const held = Atomics.load(w, HEAD.outboxUnits);
  return held === 0 || held + unitsOf(bytes) < LIMITS.outboxBytes / UNIT_BYTES;
}

/** True if so much waits in the outbox that ULPs have to wait. */
export function isOutboxFull(w: Int32Array): boolean {
  return Atomics.load(w, HEAD.outboxUnits) >= LIMITS.outboxBytes / UNIT_BYTES;
}

/**
 * Takes what is in the outbox, in order, until there is nothing more; from then on the next message rings. `take` releases
 * each when its bytes have left. On the process's own thread.
 */
export function drainOutbox(library: Library, take: (message: Outgoing) => void): void {
  const { w } = library;
  for (;;) {
    let at = oldestFirst(w, Atomics.exchange(w, HEAD.outbox, 0));
    if (at === 0) {
      Atomics.store(w, HEAD.outboxAsleep, 1);
      if (Atomics.load(w, HEAD.outbox) === 0) return;
      // It came just now: its sender has rung, or we go on.
      if (Atomics.compareExchange(w, HEAD.outboxAsleep, 1, 0) !== 1) return;
    }
    while (at !== 0) {
      const next = w[(at >> 2) + MSG.next]!;
      take(outgoing(library, at));
      at = next;
    }
  }
}

/** The bytes of a message have left: its descriptor and its reference to the buffer go back. */
export function releaseOutgoing(library: Library, { at, bytes }: Outgoing): void {
  const { w, arena, gb } = library;
  dropMessage(w, arena, gb, at);
  makeRoom(w, bytes);
}

/** So much is no longer in the outbox. */
function makeRoom(w: Int32Array<SharedArrayBuffer>, bytes: number): void {
  const before = Atomics.sub(w, HEAD.outboxUnits, unitsOf(bytes));
  if (before >= LIMITS.outboxBytes / UNIT_BYTES) Atomics.notify(w, HEAD.outboxUnits);
}

/**
 * A ULP was just marked as being of this process: from now on nobody puts a message to it into the outbox. What is in it
 * stays; the next drainOutbox takes it. On the process's own thread; waits less than a microsecond, unless a thread that
 * posts has lost its processor.
 */
export function closeOutboxTo({ w }: Pick<Library, "w">): void {
  for (let posting = 1; posting !== 0; ) posting = Atomics.load(w, HEAD.outboxPosting);
}

/** A message that lies in the outbox, or has lain there, for a ULP that is of this process now: as one of a queue. */
export function keepOutgoing({ w }: Pick<Library, "w">, { at, bytes }: Outgoing): number {
  w[(at >> 2) + TO] = 0;
  makeRoom(w, bytes);
  return at;
}

/** A message of a queue, which nobody else has, that leaves after its receiver: `to` is its tid. It is not counted as of the outbox. */
export function leavingAgain(library: Library, at: number, to: number): Outgoing {
  library.w[(at >> 2) + TO] = to;
  return outgoing(library, at);
}

/** The bytes of such a message have left. */
export function releaseLeaving({ w, arena, gb }: Library, { at }: Outgoing): void {
  dropMessage(w, arena, gb, at);
}

/**
 * A message of an inbox that also leaves, and stays. Its buffer has one reference more until `release`, since the message may
 * be received here meanwhile.
 */
export function leavingToo(
  library: Library,
  at: number,
  to: number,
): { readonly message: Outgoing; readonly release: () => void } {
  const { w, gb } = library;
  const gbid = w[(at >> 2) + MSG.gbid]!;
  gb.gincref(gbid);
  return { message: { ...outgoing(library, at), to }, release: () => gb.gdecref(gbid) };
}

function oldestFirst(w: Int32Array, newest: number): number {
  let list = 0;
  for (let at = newest; at !== 0; ) {
    const next = w[(at >> 2) + MSG.next]!;
    w[(at >> 2) + MSG.next] = list;
    list = at;
    at = next;
  }
  return list;
}

function outgoing({ w, heap }: Library, at: number): Outgoing {
  const m = at >> 2;
  const gbid = w[m + MSG.gbid]!;
  const bytes = w[m + MSG.bytes]!;
  const pieces: Uint8Array[] = [];
  // What was packed behind the message since then is not of it.
  for (let segment = gbid + GBUF.words * 4, left = bytes; left > 0; segment = w[(segment >> 2) + SEG.next]!) {
    const count = Math.min(w[(segment >> 2) + SEG.used]!, left);
    const from = segment + SEG_HEADER_BYTES;
    if (count > 0) pieces.push(heap.u8.subarray(from, from + count));
    left -= count;
  }
  return {
    at,
    to: w[m + TO]!,
    src: w[m + MSG.src]!,
    tag: w[m + MSG.tag]!,
    context: w[m + MSG.context]!,
    wid: w[m + MSG.wid]!,
    encoding: w[(gbid >> 2) + GBUF.encoding]!,
    gbid,
    bytes,
    pieces,
  };
}

/** The bytes of a message in one piece of their own. */
export function copyOf({ bytes, pieces }: Outgoing): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    data.set(piece, at);
    at += piece.length;
  }
  return data;
}
