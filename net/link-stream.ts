/**
 * A stream of bytes over a link, for another link to stand on: how two processes have a link whose bytes daemons carry
 * (splice.ts). The link below leads to a daemon, which has shown the key; the one above shows it again, end to end.
 *
 * Owns: bytes in frames ROUTED, no longer than a fragment. What the link below queues is what the one above has counted, and
 * whoever of the two does not read slows the other side. No socket, no clock.
 */
import { LIMITS } from "../wire/limits.ts";
import { FRAME } from "../wire/protocol.ts";
import type { ByteStream, ByteStreamTaker } from "./byte-stream.ts";
import type { FrameSink, Link } from "./link.ts";

export class LinkStream implements ByteStream {
  taker: ByteStreamTaker = { bytes: () => {}, ended: () => {} };
  /** Why it is about to end, as a daemon has told; else the link's own end says it. */
  endWhy: string | undefined;
  readonly #link: Link;
  /** Frames that the link has not taken, in order. */
  readonly #waiting: { readonly body: readonly Uint8Array[]; readonly written: (() => void) | undefined }[] =
    [];
  #isDraining = false;
  #isEnding = false;

  /**
   * @param link  whose other frames are somebody else's: nothing is read before it has a taker
   * @param broke  asked when the link has ended without a word of the daemon; the end is told when it resolves
   */
  constructor(link: Link, broke: () => Promise<void> = async () => {}) {
    this.#link = link;
    const sink: FrameSink = {
      add: (piece) => this.taker.bytes(piece),
      room: (most) => this.taker.room?.()?.subarray(0, most),
      end: () => {},
      drop: () => {},
    };
    link.onStream(FRAME.ROUTED, () => sink);
    link.onClose(({ why, text }) => {
      const tell = (): void => this.taker.ended(this.endWhy ?? text);
      if (why === "left" || why === "closed" || this.endWhy !== undefined) tell();
      else void broke().then(tell);
    });
  }

  write(pieces: readonly Uint8Array[], written: () => void): void {
    let body: Uint8Array[] = [];
    let bytes = 0;
    for (const piece of pieces)
      for (let at = 0; at < piece.length; ) {
        if (bytes === LIMITS.fragmentBytes) {
          this.#waiting.push({ body, written: undefined });
          body = [];
          bytes = 0;
        }
        const part = piece.subarray(at, at + LIMITS.fragmentBytes - bytes);
        body.push(part);
        bytes += part.length;
        at += part.length;
      }
    this.#waiting.push({ body, written });
    this.#send();
  }

  /** As much as the link below takes: it must not end because the one above has a message longer than any queue. */
  #send(): void {
    while (this.#waiting.length > 0 && (this.#link.queuedBytes <= LIMITS.linkQueueBytes || this.#isOver)) {
      const { body, written } = this.#waiting.shift()!;
      this.#link.send({ type: FRAME.ROUTED, a: 0, b: 0, c: 0, body }, written);
    }
    if (this.#waiting.length === 0) {
      if (this.#isEnding) this.#link.close();
    } else if (!this.#isDraining) {
      this.#isDraining = true;
      void this.#link.drained().then(() => {
        this.#isDraining = false;
        this.#send();
      });
    }
  }

  get #isOver(): boolean {
    return this.#link.end !== undefined;
  }

  pause(): void {
    this.#link.pause();
  }

  resume(): void {
    this.#link.resume();
  }

  end(): void {
    this.#isEnding = true;
    this.#send();
  }

  destroy(): void {
    this.taker = { bytes: () => {}, ended: () => {} };
    this.#link.close();
    this.#send();
  }
}
