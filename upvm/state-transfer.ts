/**
 * The state of a ULP on its way over a link: out of its memory and the process heap as it lies, into a new memory and another
 * heap piece by piece. (paper, 3.2.7, stage 3; 4.4: no copy beside those of the system)
 *
 * Owns: chunks, their numbers, and that no more of them wait for the link than LIMITS.linkQueueBytes; that a ULP takes no more
 * memory than its source has said. What is in an image is runtime/migrate/image.ts and restore.ts.
 */
import { type Frame, type FrameSink, type Link, ProtocolError } from "../net/link.ts";
import { Filling, ImageError, type ImageFault } from "../runtime/migrate/filling.ts";
import type { Image } from "../runtime/migrate/image.ts";
import type { ImageHead } from "../runtime/migrate/image-head.ts";
import type { Incoming } from "../runtime/migrate/incoming.ts";
import type { Member, Refusal, Refused, Weight } from "../runtime/migrate/moves.ts";
import { type Destination, readImage } from "../runtime/migrate/restore.ts";
import { PAGE_BYTES } from "../wire/image.ts";
import { LIMITS } from "../wire/limits.ts";
import { FRAME } from "../wire/protocol.ts";
import type { Mail } from "./peer-links.ts";

/** Names a move on the wire. */
export interface MoveName {
  readonly tid: number;
  readonly move: number;
}

/** Writes an image, part by part. The pieces of a part must stay as they are until all is written or stopped. */
export class LeavingState {
  /** Bytes so far. */
  bytes = 0;
  private readonly link: Link;
  private readonly name: MoveName;
  private readonly isStopped: () => boolean;
  private chunks = 0;
  /** How what came before will end, if it waits for something; undefined: it is with the link. */
  private last: Promise<boolean> | undefined;

  /** @param isStopped  asked before each chunk: the move has been given up */
  constructor(link: Link, name: MoveName, isStopped: () => boolean) {
    this.link = link;
    this.name = name;
    this.isStopped = isStopped;
  }

  /**
   * A part goes behind those before, when it is there: in this task if nothing is to be waited for, so that one write of the
   * link has as much of it as possible. @param part  undefined: it has been stopped
   */
  add(part: Image | Promise<Image | undefined>): void {
    if (this.last === undefined && !(part instanceof Promise)) {
      this.last = this.write(part);
      return;
    }
    this.last = Promise.all([this.last ?? true, part]).then(
      ([goes, it]) => goes && it !== undefined && (this.write(it) ?? true),
    );
  }

  /** That was all. @returns true: all is written; false: it was stopped, or the link has ended */
  async end(): Promise<boolean> {
    if (this.last !== undefined && !(await this.last)) return false;
    if (this.isStopped()) return false;
    const { link, chunks } = this;
    const { tid, move } = this.name;
    const end: Frame = { type: FRAME.ULP_STATE_END, a: tid >>> 0, b: move, c: chunks, body: [] };
    // It is behind all others: when it is written, they are.
    await new Promise<void>((written) => link.send(end, written));
    return link.end === undefined;
  }

  /** @returns undefined: all is with the link */
  private write({ pieces, bytes }: Image): Promise<boolean> | undefined {
    this.bytes += bytes;
    const chunks = chunksOf(pieces);
    for (let chunk = chunks.next(); !chunk.done; chunk = chunks.next()) {
      if (this.link.queuedBytes > LIMITS.linkQueueBytes || !this.send(chunk.value))
        return this.writeLater(chunk.value, chunks);
    }
    return undefined;
  }

  private async writeLater(first: Uint8Array[], chunks: Generator<Uint8Array[]>): Promise<boolean> {
    for (let body: Uint8Array[] | undefined = first; body !== undefined; body = chunks.next().value) {
      if (this.link.queuedBytes > LIMITS.linkQueueBytes) await this.link.drained();
      if (!this.send(body)) return false;
    }
    return true;
  }

  private send(body: Uint8Array[]): boolean {
    const { link } = this;
    if (this.isStopped() || link.end !== undefined) return false;
    const { tid, move } = this.name;
    link.send({ type: FRAME.ULP_STATE, a: tid >>> 0, b: move, c: this.chunks++, body });
    return true;
  }
}

/** Pieces in lists of LIMITS.stateChunkBytes at most. */
function* chunksOf(pieces: readonly Uint8Array[]): Generator<Uint8Array[]> {
  let chunk: Uint8Array[] = [];
  let room: number = LIMITS.stateChunkBytes;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const some = piece.subarray(at, at + room);
      chunk.push(some);
      at += some.length;
      room -= some.length;
      if (room > 0) continue;
      yield chunk;
      chunk = [];
      room = LIMITS.stateChunkBytes;
    }
  }
  if (chunk.length > 0) yield chunk;
}

const REFUSAL: Readonly<Record<ImageFault, Refusal>> = {
  foreign: "notReceived",
  version: "version",
  abi: "version",
  program: "program",
  damaged: "notReceived",
  memory: "noMemory",
  heap: "noMemory",
  file: "files",
  present: "moving",
};

/** A move to this process. */
export interface ComingMove {
  /** Its source: nobody else sends its state. */
  readonly from: Member;
  readonly move: number;
  /** What its source has said that it needs. */
  readonly promised: Weight;
}

/** State that comes: of one move. */
export class ComingState {
  readonly from: Member;
  readonly move: number;
  /** All of it, when it has come. */
  incoming: Incoming | undefined;
  /** Messages that came behind it, in order. */
  readonly late: Mail[] = [];
  private readonly filling: Filling<Incoming>;
  private readonly heap: ArrayBufferLike;
  private readonly broken: (refused: Refused) => void;
  private over = false;
  private promised: Weight;
  private chunks = 0;

  /** @param broken  told once if it is not taken; nothing of it is left then */
  constructor({ from, move, promised }: ComingMove, to: Destination, broken: (refused: Refused) => void) {
    this.from = from;
    this.move = move;
    this.promised = promised;
    this.broken = broken;
    const expect = ({ pages }: ImageHead): void => {
      const { memoryBytes } = this.promised;
      if (pages * PAGE_BYTES > memoryBytes)
        throw new ImageError(
          "memory",
          `it has ${pages * PAGE_BYTES} bytes, and was said to have ${memoryBytes}`,
        );
    };
    this.filling = new Filling(readImage({ ...to, expect }));
    this.heap = to.library.heap.u8.buffer;
  }

  get bytes(): number {
    return this.filling.bytes;
  }

  /** What it has grown to is known now, and there is room for it. */
  weighed(weight: Weight): void {
    this.promised = weight;
  }

  /** What it will still take of what is free now. */
  get toCome(): Weight {
    const { memoryBytes, heapBytes } = this.promised;
    return { memoryBytes: Math.max(0, memoryBytes - this.bytes), heapBytes };
  }

  /** Takes one chunk, as it comes. @throws ProtocolError: it is not the next */
  sink(chunk: number): FrameSink {
    if (chunk !== this.chunks++)
      throw new ProtocolError(`chunk ${chunk} of a state in place of ${this.chunks - 1}`);
    return {
      add: (piece) => this.guard(() => this.write(piece)),
      room: (most) => this.room(most),
      end: () => {},
      // Who sends it is gone, which the protocol learns by its link.
      drop: () => {},
    };
  }

  /** All has come. @returns true: and it is whole. @throws ProtocolError: not so many chunks */
  end(chunks: number): boolean {
    if (chunks !== this.chunks) throw new ProtocolError(`a state of ${chunks} chunks after ${this.chunks}`);
    this.guard(() => {
      this.incoming = this.filling.end();
    });
    return this.incoming !== undefined;
  }

  /** It is not wanted: nothing of it is left. */
  drop(): void {
    this.over = true;
    if (this.filling.isDone) this.filling.done?.drop();
    else this.filling.drop();
    this.incoming = undefined;
    for (const mail of this.late.splice(0)) mail.release();
  }

  /**
   * In the ULP's new memory, which nobody else can get if the move is given up while a socket is still to read to there; not
   * in the process heap.
   */
  private room(most: number): Uint8Array | undefined {
    const room = this.over ? undefined : this.filling.room(most);
    const isMemory = room !== undefined && room.buffer !== this.heap;
    return isMemory && room.length >= LIMITS.stateReadBytes ? room : undefined;
  }

  private write(piece: Uint8Array): void {
    if (this.filling.write(piece) < piece.length) {
      this.drop();
      throw new ImageError("damaged", "there is something behind its end");
    }
  }

  private guard(act: () => void): void {
    if (this.over) return;
    try {
      act();
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      this.over = true;
      this.broken({ code: REFUSAL[error.fault], detail: error.message });
    }
  }
}
