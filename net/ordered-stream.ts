/**
 * Bytes in order over packets that the network may lose, repeat, delay and exchange: the ordering layer that the paper
 * asks for where messages between hosts are not first in, first out (3.2.7). A link stands on it as on a socket; all of
 * ours do have that order, so no kind of address needs it.
 *
 * ```
 *  0        4        8        12
 *  | number | wanted | flags  | bytes ...      words u32, little-endian
 * ```
 * `number` counts the packets of this side that carry bytes or its end; `wanted` is the next number that it takes from the
 * other. Packets are kept until they are acknowledged so. What came out of order waits, LIMITS.packetWindow of them at
 * most; who does not read lets the other's window fill. Nobody is authenticated here: that is the handshake's.
 *
 * Owns: numbers and windows. No socket, no clock: both are handed in.
 */
import { LIMITS } from "../wire/limits.ts";
import type { After, ByteStream, ByteStreamTaker } from "./byte-stream.ts";

const HEAD_BYTES = 12;
const FLAG = { data: 1, end: 2, reset: 4 } as const;

interface Queued {
  readonly piece: Uint8Array;
  at: number;
  /** Set at the last piece of a write. */
  readonly written: (() => void) | undefined;
}

export class OrderedStream implements ByteStream {
  taker: ByteStreamTaker = { bytes: () => {}, ended: () => {} };
  readonly #sendPacket: (packet: Uint8Array) => void;
  readonly #after: After;
  /** Not in packets yet. */
  #queue: Queued[] = [];
  /** On their way, by number: from #oldest to before #next. */
  readonly #sent = new Map<number, Uint8Array>();
  #oldest = 0;
  #next = 0;
  /** Came, and waits for one before it or for who reads. */
  readonly #early = new Map<number, Uint8Array>();
  #wanted = 0;
  #paused = false;
  #ending: "no" | "asked" | "sent" = "no";
  #over = false;
  #tries = 0;
  /** Times that the peer said the same number. */
  #repeats = 0;
  #timing = false;

  /** @param sendPacket  hands a packet to the network, which may do with it what networks do */
  constructor(sendPacket: (packet: Uint8Array) => void, after: After) {
    this.#sendPacket = sendPacket;
    this.#after = after;
  }

  write(pieces: readonly Uint8Array[], written: () => void): void {
    if (this.#over || this.#ending !== "no") return queueMicrotask(written);
    for (const [index, piece] of pieces.entries())
      this.#queue.push({ piece, at: 0, written: index === pieces.length - 1 ? written : undefined });
    this.#fill();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#deliver();
    // The window has moved.
    if (!this.#over) this.#sendPacket(this.#packet(this.#next, 0, 0));
  }

  end(): void {
    this.resume();
    if (this.#ending === "no") this.#ending = "asked";
    this.#fill();
  }

  destroy(): void {
    if (this.#over) return;
    this.#stop();
    this.#sendPacket(this.#packet(0, FLAG.reset, 0));
  }

  /** A packet has come. One that is none is dropped. */
  came(packet: Uint8Array): void {
    if (packet.length < HEAD_BYTES || packet.length > LIMITS.packetBytes) return;
    const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
    const [number, wanted, flags] = [
      view.getUint32(0, true),
      view.getUint32(4, true),
      view.getUint32(8, true),
    ];
    if (this.#over) {
      // It has not heard of the end; but two that have ended do not talk for ever.
      if ((flags & FLAG.reset) === 0) this.#sendPacket(this.#packet(0, FLAG.reset, 0));
      return;
    }
    if ((flags & FLAG.reset) !== 0) return this.#ended("the peer ended the connection");
    // Also one that takes nothing now is there.
    this.#tries = 0;
    this.#acknowledged(wanted);
    if ((flags & (FLAG.data | FLAG.end)) === 0) return;
    const ahead = (number - this.#wanted) >>> 0;
    if (ahead < LIMITS.packetWindow) this.#early.set(number, packet.slice());
    this.#deliver();
    if (!this.#over) this.#sendPacket(this.#packet(this.#next, 0, 0));
  }

  #acknowledged(wanted: number): void {
    const count = (wanted - this.#oldest) >>> 0;
    if (count > this.#sent.size) return;
    if (count === 0) {
      // What came at the peer meanwhile was behind a gap: the first is lost, or late.
      if (++this.#repeats === LIMITS.packetRepeats) this.#again(1);
      return;
    }
    this.#repeats = 0;
    for (let i = 0; i < count; i++) this.#sent.delete((this.#oldest + i) >>> 0);
    this.#oldest = wanted;
    this.#fill();
  }

  /** Hands up what is in order, as long as somebody reads. */
  #deliver(): void {
    while (!this.#paused && !this.#over) {
      const packet = this.#early.get(this.#wanted);
      if (packet === undefined) return;
      this.#early.delete(this.#wanted);
      this.#wanted = (this.#wanted + 1) >>> 0;
      const flags = new DataView(packet.buffer, packet.byteOffset).getUint32(8, true);
      if ((flags & FLAG.end) !== 0) {
        this.#sendPacket(this.#packet(this.#next, 0, 0));
        return this.#ended("the peer ended the connection");
      }
      this.taker.bytes(packet.subarray(HEAD_BYTES));
    }
  }

  /** Makes packets of what is queued, as many as the window lets go. */
  #fill(): void {
    while (!this.#over && this.#sent.size < LIMITS.packetWindow && this.#queue.length > 0) {
      const packet = this.#packet(this.#next, FLAG.data, LIMITS.packetBytes - HEAD_BYTES);
      this.#dispatch(packet);
    }
    if (this.#ending === "asked" && this.#queue.length === 0 && !this.#over) {
      this.#ending = "sent";
      this.#dispatch(this.#packet(this.#next, FLAG.end, 0));
    }
  }

  #dispatch(packet: Uint8Array): void {
    this.#sent.set(this.#next, packet);
    this.#next = (this.#next + 1) >>> 0;
    this.#sendPacket(packet);
    this.#watch();
  }

  /** A packet with so many bytes of the queue at most. */
  #packet(number: number, flags: number, bytesMax: number): Uint8Array {
    const packet = new Uint8Array(HEAD_BYTES + bytesMax);
    let at = HEAD_BYTES;
    const written: (() => void)[] = [];
    while (at < packet.length && this.#queue.length > 0) {
      const first = this.#queue[0] as Queued;
      const some = first.piece.subarray(first.at, first.at + packet.length - at);
      packet.set(some, at);
      at += some.length;
      first.at += some.length;
      if (first.at < first.piece.length) continue;
      this.#queue.shift();
      if (first.written !== undefined) written.push(first.written);
    }
    const view = new DataView(packet.buffer);
    view.setUint32(0, number, true);
    view.setUint32(4, this.#wanted, true);
    view.setUint32(8, flags, true);
    for (const told of written) queueMicrotask(told);
    return packet.subarray(0, at);
  }

  /** Sends again what is not acknowledged after a while. */
  #watch(): void {
    if (this.#timing || this.#over || this.#sent.size === 0) return;
    this.#timing = true;
    const before = this.#oldest;
    this.#after(LIMITS.packetAgainMs, () => {
      this.#timing = false;
      if (this.#over) return;
      if (this.#oldest === before && ++this.#tries > LIMITS.packetTries)
        return this.#ended("no packet is answered");
      if (this.#oldest === before) this.#again(LIMITS.packetsAgain);
      this.#watch();
    });
  }

  /** Sends the oldest again, so many at most. */
  #again(most: number): void {
    for (let i = 0; i < Math.min(most, this.#sent.size); i++) {
      const packet = this.#sent.get((this.#oldest + i) >>> 0) as Uint8Array;
      new DataView(packet.buffer, packet.byteOffset).setUint32(4, this.#wanted, true);
      this.#sendPacket(packet);
    }
  }

  #stop(): void {
    this.#over = true;
    this.#sent.clear();
    this.#early.clear();
    for (const { written } of this.#queue.splice(0)) if (written !== undefined) queueMicrotask(written);
  }

  #ended(why: string): void {
    this.#stop();
    this.taker.ended(why);
  }
}
