/**
 * What all kinds of link have in common: cutting long frames into fragments, waiting until little is queued, taking
 * frames, and ending once.
 *
 * Owns: the fragments' serials, who waits for drained(), who is told of the end. A kind of link adds how one frame goes
 * over (`put`) and how reading stops.
 */
import { LIMITS } from "../wire/limits.ts";
import { FRAGMENT_FIRST, FRAGMENT_LAST, FRAME, FRAME_WORDS_BYTES } from "../wire/protocol.ts";
import { Intake } from "./intake.ts";
import type { Frame, FrameHead, FrameWriter, Link, LinkEnd, OpenSink, PeerIdentity } from "./link.ts";

export abstract class BaseLink implements Link {
  readonly peer: PeerIdentity;
  protected readonly intake = new Intake();
  #end: LinkEnd | undefined;
  #told: ((end: LinkEnd) => void)[] = [];
  #waiters: (() => void)[] = [];
  #serial = 0;

  constructor(peer: PeerIdentity) {
    this.peer = peer;
  }

  abstract readonly queuedBytes: number;
  abstract pause(): void;
  abstract resume(): void;
  abstract close(): void;
  /** Queues one frame of LIMITS.fragmentBytes at most (a first fragment: and a header). */
  protected abstract put(head: FrameHead, body: readonly Uint8Array[], written?: () => void): void;
  /** Lets go what carries the link: it has ended as `end` says. */
  protected abstract release(end: LinkEnd): void;
  /** There is somebody now who takes frames. */
  protected abstract begun(): void;

  get end(): LinkEnd | undefined {
    return this.#end;
  }

  send(frame: Frame, written?: () => void): void {
    let bytes = 0;
    for (const piece of frame.body) bytes += piece.length;
    if (!this.#mayPut()) written?.();
    else if (bytes <= LIMITS.fragmentBytes) this.put(frame, frame.body, written);
    else this.#sendLong(frame, bytes, written);
  }

  begin(head: FrameHead): FrameWriter {
    const serial = this.#nextSerial();
    let sent = 0;
    let first = true;
    const put = (piece: Uint8Array | undefined, flags: number, written?: () => void): void => {
      if (!this.#mayPut()) return written?.();
      const body = piece === undefined ? [] : [piece];
      this.#putFragment(head, serial, first ? 0 : sent, first, flags, body, written);
      first = false;
      sent += piece?.length ?? 0;
    };
    return {
      add: (piece, written) => {
        for (let at = 0; at < piece.length; at += LIMITS.fragmentBytes) {
          const part = piece.subarray(at, at + LIMITS.fragmentBytes);
          put(part, 0, at + part.length === piece.length ? written : undefined);
        }
        if (piece.length === 0) written?.();
      },
      end: () => put(undefined, FRAGMENT_LAST),
    };
  }

  async drained(): Promise<void> {
    if (this.#end !== undefined || this.queuedBytes <= LIMITS.linkQueueBytes) return;
    await new Promise<void>((go) => this.#waiters.push(go));
  }

  onFrame(take: (frame: Frame) => void): void {
    const first = !this.intake.ready;
    this.intake.onFrame(take);
    if (first) this.begun();
  }

  onStream(type: number, open: OpenSink): void {
    this.intake.onStream(type, open);
  }

  onClose(told: (end: LinkEnd) => void): void {
    if (this.#end === undefined) this.#told.push(told);
    else told(this.#end);
  }

  /** Bytes of the queue went out. Half of the limit is free before senders go on: they shall not come one by one. */
  protected unqueued(): void {
    if (this.#waiters.length > 0 && this.queuedBytes <= LIMITS.linkQueueBytes / 2) this.#wake();
  }

  /** The link ends, as the first that says so says. */
  protected finish(end: LinkEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.release(end);
    this.intake.drop();
    this.#wake();
    const told = this.#told;
    this.#told = [];
    for (const tell of told) tell(end);
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const go of waiters) go();
  }

  /** Whether the link is there; it ends here if far too much is queued. */
  #mayPut(): boolean {
    if (this.#end !== undefined) return false;
    if (this.queuedBytes <= LIMITS.linkQueueBytesMax) return true;
    this.finish({ why: "overrun", text: `${this.queuedBytes} bytes were not taken by the peer` });
    return false;
  }

  #nextSerial(): number {
    this.#serial = (this.#serial + 1) >>> 0;
    return this.#serial;
  }

  /** A frame whose body is longer than a fragment. */
  #sendLong(frame: Frame, bytes: number, written: (() => void) | undefined): void {
    const serial = this.#nextSerial();
    let sent = 0;
    let gathered: Uint8Array[] = [];
    let gatheredBytes = 0;
    for (const piece of frame.body) {
      for (let at = 0; at < piece.length; ) {
        const part = piece.subarray(at, at + LIMITS.fragmentBytes - gatheredBytes);
        gathered.push(part);
        gatheredBytes += part.length;
        at += part.length;
        const last = sent + gatheredBytes === bytes;
        if (!last && gatheredBytes < LIMITS.fragmentBytes) continue;
        const flags = last ? FRAGMENT_LAST : 0;
        // The first has nothing before it, and says how long the whole is.
        const before = sent === 0 ? bytes : sent;
        this.#putFragment(frame, serial, before, sent === 0, flags, gathered, last ? written : undefined);
        sent += gatheredBytes;
        gathered = [];
        gatheredBytes = 0;
      }
    }
  }

  #putFragment(
    head: FrameHead,
    serial: number,
    before: number,
    first: boolean,
    flags: number,
    body: readonly Uint8Array[],
    written: (() => void) | undefined,
  ): void {
    const words = { type: FRAME.FRAGMENT, a: serial, b: flags | (first ? FRAGMENT_FIRST : 0), c: before };
    this.put(words, first ? [headBytes(head), ...body] : body, written);
  }
}

/** The 4-word header. */
export function headBytes(head: FrameHead): Uint8Array {
  const bytes = new Uint8Array(FRAME_WORDS_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, head.type, true);
  view.setUint32(4, head.a, true);
  view.setUint32(8, head.b, true);
  view.setUint32(12, head.c, true);
  return bytes;
}
