/**
 * A link over a stream of bytes: Unix socket, TCP, TLS.
 *
 * Owns: how frames are written together, how much is queued, when reading stops, and the frames of the link itself
 * (alive, BYE). The handshake is over when it is made (open-link.ts). No socket, no clock: both are handed in.
 *
 * Small frames are copied behind one another into a block and written together at the end of the turn, without delay;
 * bodies over LIMITS.smallFrameBytes are written from where they lie.
 */
import { LIMITS } from "../wire/limits.ts";
import { FRAME, FRAME_HEAD_BYTES, FRAME_WORDS_BYTES } from "../wire/protocol.ts";
import { Alive } from "./alive.ts";
import { BaseLink } from "./base-link.ts";
import type { After, ByteStream } from "./byte-stream.ts";
import type { FrameReader, RawFrame } from "./frame-reader.ts";
import { type FrameHead, type FrameSink, type LinkEnd, type PeerIdentity, ProtocolError } from "./link.ts";

/** How often a link says that it is alive, and when it gives its peer up, milliseconds. */
export interface AliveLimits {
  readonly aliveEveryMs: number;
  readonly aliveWithinMs: number;
}

/** Heads of a frame, of the whole and of a message. One for all links of this thread: what is read is lent. */
const HEAD_ROOM = new Uint8Array(FRAME_HEAD_BYTES + 2 * FRAME_WORDS_BYTES);
/** The same for long bodies that have no place of their own: it is written before, and need not be made each time. */
const LONG_ROOM = new Uint8Array(LIMITS.linkPlaceBytes);
/** Frames of the link itself, which have no body. */
const LINK_OWN: readonly number[] = [FRAME.ULP_LIBALIVEQ, FRAME.ULP_LIBALIVE, FRAME.BYE];
const IGNORE = { bytes: () => {}, ended: () => {} };

export class FramedLink extends BaseLink {
  readonly #stream: ByteStream;
  readonly #reader: FrameReader;
  readonly #after: After;
  readonly #alive: Alive;
  readonly #own: number;
  #cancelTick: () => void = () => {};
  #paused = false;
  /** The stream has ended, and says so above when what came before is taken. */
  #gone: LinkEnd | undefined;
  /** Bytes that the system has not taken. */
  #queued = 0;
  /** Not written yet: pieces, and behind them what is in the block from #from to #at. */
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  /** Of these, what small frames have. */
  #smallBytes = 0;
  #written: (() => void)[] = [];
  #block = new Uint8Array(0);
  #from = 0;
  #at = 0;
  #flushing = false;
  /** Writes that the system has not done. */
  #writing = 0;
  /** The last body was read to its place: the next may be too, and only its head is read before. */
  #placed = false;
  /** A long body that comes: its sink, and bytes that are still to come. */
  #body: { readonly sink: FrameSink; left: number } | undefined;

  /**
   * @param own     this side's number among its job's processes, for the alive frames
   * @param reader  may hold what came behind the handshake
   */
  constructor(
    peer: PeerIdentity,
    own: number,
    stream: ByteStream,
    reader: FrameReader,
    after: After,
    limits: AliveLimits = LIMITS,
  ) {
    super(peer);
    this.#own = own;
    this.#stream = stream;
    this.#reader = reader;
    this.#after = after;
    reader.limitBytes = LIMITS.frameBytes;
    this.#alive = new Alive(Math.ceil(limits.aliveWithinMs / limits.aliveEveryMs));
    stream.pause();
    stream.taker = {
      bytes: (chunk) => {
        this.#alive.heard();
        reader.push(chunk);
        this.#read();
        reader.own();
      },
      room: () => this.#room(),
      ended: (why) => this.#streamEnded({ why: "lost", text: why }),
    };
    this.#tickEvery(limits.aliveEveryMs);
  }

  get queuedBytes(): number {
    return this.#queued;
  }

  pause(): void {
    this.#paused = true;
    if (this.end === undefined) this.#stream.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.begun();
  }

  close(): void {
    if (this.end !== undefined) return;
    if (this.#gone === undefined) {
      this.#control(FRAME.BYE, 0);
      this.#flush();
    }
    this.finish({ why: "closed", text: "it was closed here" });
  }

  protected begun(): void {
    this.#read();
    if (!this.#stopped) this.#stream.resume();
  }

  protected put(head: FrameHead, body: readonly Uint8Array[], written?: () => void): void {
    if (this.#gone !== undefined) return written?.();
    let bytes = 0;
    for (const piece of body) bytes += piece.length;
    const copied = bytes <= LIMITS.smallFrameBytes;
    this.#reserve(copied ? FRAME_HEAD_BYTES + bytes : FRAME_HEAD_BYTES);
    this.#head(head, bytes);
    if (copied) {
      for (const piece of body) {
        this.#block.set(piece, this.#at);
        this.#at += piece.length;
      }
      // In the order of the frames: who waits for this one may mean all before it.
      if (this.#writing === 0 && this.#pieces.length === 0) written?.();
      else if (written !== undefined) this.#written.push(written);
    } else {
      this.#seal();
      for (const piece of body) if (piece.length > 0) this.#pieces.push(piece);
      this.#pieceBytes += bytes;
      if (written !== undefined) this.#written.push(written);
    }
    this.#queued += FRAME_HEAD_BYTES + bytes;
    // Long bodies wait for the end of the turn too: one write of all costs fewer wake-ups than one for each.
    if (copied) this.#smallBytes += FRAME_HEAD_BYTES + bytes;
    if (this.#smallBytes >= LIMITS.linkBlockBytes) this.#flush();
    else if (!this.#flushing) {
      this.#flushing = true;
      queueMicrotask(() => this.#flush());
    }
  }

  protected release(end: LinkEnd): void {
    this.#cancelTick();
    this.#drop();
    this.#body?.sink.drop();
    this.#body = undefined;
    this.#stream.taker = IGNORE;
    if (end.why !== "closed" || this.#gone !== undefined) return this.#stream.destroy();
    // To destroy now would also undo what the system has not sent yet.
    this.#stream.end();
    this.#after(LIMITS.linkCloseMs, () => this.#stream.destroy());
  }

  get #stopped(): boolean {
    return this.#paused || !this.intake.ready || this.end !== undefined;
  }

  #read(): void {
    try {
      while (!this.#stopped) {
        if (this.#body !== undefined) {
          if (!this.#readBody(this.#body)) break;
          continue;
        }
        const frame = this.#reader.next();
        if (frame !== undefined) this.#accept(frame);
        else if (!this.#beginBody()) break;
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.finish({ why: "broken", text: error.message });
    }
    if (this.#gone !== undefined && !this.#stopped) this.finish(this.#gone);
  }

  /** Of a long frame that has not all come yet. */
  #beginBody(): boolean {
    const begun = this.#reader.begin(LIMITS.smallFrameBytes);
    if (begun === undefined) return false;
    const { head, bytes } = begun;
    if (LINK_OWN.includes(head.type)) throw new ProtocolError(`frame ${head.type} of ${bytes} bytes`);
    this.#body = { sink: this.intake.begin(head, bytes), left: bytes };
    return true;
  }

  /** @returns true: all of it has come */
  #readBody(body: { readonly sink: FrameSink; left: number }): boolean {
    for (const piece of this.#reader.some(body.left)) {
      body.left -= piece.length;
      body.sink.add(piece);
    }
    if (body.left > 0) return false;
    this.#body = undefined;
    body.sink.end();
    return true;
  }

  #room(): Uint8Array | undefined {
    const body = this.#body;
    if (this.#reader.held > 0) return undefined;
    if (body !== undefined) {
      const most = Math.min(body.left, LIMITS.linkPlaceBytes);
      const room = body.sink.room?.(most);
      this.#placed = room !== undefined;
      return room ?? (most > LIMITS.linkReadBytes ? LONG_ROOM.subarray(0, most) : undefined);
    }
    if (!this.#placed) return undefined;
    this.#placed = false;
    return HEAD_ROOM;
  }

  #accept(frame: RawFrame): void {
    switch (frame.type) {
      case FRAME.ULP_LIBALIVEQ:
        return this.#control(FRAME.ULP_LIBALIVE, this.#own);
      case FRAME.ULP_LIBALIVE:
        return;
      case FRAME.BYE:
        return this.finish({ why: "left", text: "the peer closed it" });
      default:
        this.intake.accept({ type: frame.type, a: frame.a, b: frame.b, c: frame.c }, frame.pieces);
    }
  }

  /** What came before is taken first; nothing goes out any more. */
  #streamEnded(end: LinkEnd): void {
    this.#gone = end;
    this.#drop();
    this.unqueued();
    this.#read();
  }

  /** Forgets what is not written. */
  #drop(): void {
    const written = this.#written;
    this.#written = [];
    this.#pieces = [];
    this.#pieceBytes = 0;
    this.#from = this.#at;
    this.#queued = 0;
    for (const told of written) told();
  }

  #tickEvery(ms: number): void {
    this.#cancelTick = this.#after(ms, () => {
      if (this.end !== undefined) return;
      const step = this.#alive.tick(!this.#stopped);
      if (step === "silent")
        return this.finish({ why: "silent", text: `nothing came from ${this.peer.host} for too long` });
      if (step === "ask") this.#control(FRAME.ULP_LIBALIVEQ, this.#own);
      if (step === "tell") this.#control(FRAME.ULP_LIBALIVE, this.#own);
      this.#tickEvery(ms);
    });
  }

  #control(type: number, a: number): void {
    if (this.end === undefined) this.put({ type, a, b: 0, c: 0 }, []);
  }

  /** Makes room for so many bytes in the block. */
  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#block.length) return;
    this.#seal();
    this.#block = new Uint8Array(LIMITS.linkBlockBytes);
    this.#from = 0;
    this.#at = 0;
  }

  #head(head: FrameHead, bodyBytes: number): void {
    this.#word(FRAME_WORDS_BYTES + bodyBytes);
    this.#word(head.type);
    this.#word(head.a);
    this.#word(head.b);
    this.#word(head.c);
  }

  #word(word: number): void {
    const block = this.#block;
    const at = this.#at;
    block[at] = word;
    block[at + 1] = word >>> 8;
    block[at + 2] = word >>> 16;
    block[at + 3] = word >>> 24;
    this.#at = at + 4;
  }

  /** What is in the block so far becomes a piece. */
  #seal(): void {
    if (this.#at === this.#from) return;
    this.#pieces.push(this.#block.subarray(this.#from, this.#at));
    this.#pieceBytes += this.#at - this.#from;
    this.#from = this.#at;
  }

  #flush(): void {
    this.#flushing = false;
    this.#smallBytes = 0;
    this.#seal();
    if (this.#pieces.length === 0) return;
    const pieces = this.#pieces;
    const bytes = this.#pieceBytes;
    const written = this.#written;
    this.#pieces = [];
    this.#pieceBytes = 0;
    this.#written = [];
    this.#writing++;
    this.#stream.write(pieces, () => {
      this.#writing--;
      for (const told of written) told();
      if (this.end !== undefined || this.#gone !== undefined) return;
      this.#queued -= bytes;
      this.unqueued();
    });
  }
}
