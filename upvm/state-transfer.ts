/**
 * The state of a ULP on its way over a link: out of its memory and the process heap as it lies, into a new memory and another
 * heap piece by piece. (paper, 3.2.7, stage 3; 4.4: no copy beside those of the system)
 *
 * Owns: chunks, and that no more of them wait for the link than LIMITS.linkQueueBytes. What is in an image is
 * runtime/migrate/image.ts and restore.ts.
 */
import type { Frame, FrameSink, Link } from "../net/link.ts";
import { Filling, ImageError, type ImageFault } from "../runtime/migrate/filling.ts";
import type { Image } from "../runtime/migrate/image.ts";
import type { Incoming } from "../runtime/migrate/incoming.ts";
import type { Refusal, Refused } from "../runtime/migrate/moves.ts";
import { type Destination, readImage } from "../runtime/migrate/restore.ts";
import { LIMITS } from "../wire/limits.ts";
import { FRAME } from "../wire/protocol.ts";

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
  private last: Promise<boolean> = Promise.resolve(true);

  /** @param isStopped  asked before each chunk: the move has been given up */
  constructor(link: Link, name: MoveName, isStopped: () => boolean) {
    this.link = link;
    this.name = name;
    this.isStopped = isStopped;
  }

  /** A part goes behind those before, when it is there. @param part  undefined: it has been stopped */
  add(part: Image | Promise<Image | undefined>): void {
    this.last = Promise.all([this.last, part]).then(
      ([goes, it]) => goes && it !== undefined && this.write(it),
    );
  }

  /** That was all. @returns true: all is written; false: it was stopped, or the link has ended */
  async end(): Promise<boolean> {
    if (!(await this.last)) return false;
    const { link, chunks } = this;
    const { tid, move } = this.name;
    const end: Frame = { type: FRAME.ULP_STATE_END, a: tid >>> 0, b: move, c: chunks, body: [] };
    // It is behind all others: when it is written, they are.
    await new Promise<void>((written) => link.send(end, written));
    return link.end === undefined;
  }

  private async write({ pieces, bytes }: Image): Promise<boolean> {
    const { link } = this;
    this.bytes += bytes;
    const { tid, move } = this.name;
    for (const body of chunksOf(pieces)) {
      if (link.queuedBytes > LIMITS.linkQueueBytes) await link.drained();
      if (this.isStopped() || link.end !== undefined) return false;
      link.send({ type: FRAME.ULP_STATE, a: tid >>> 0, b: move, c: this.chunks++, body });
    }
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

/** State that comes: of one move. */
export class ComingState {
  readonly move: number;
  /** All of it, when it has come. */
  incoming: Incoming | undefined;
  private readonly filling: Filling<Incoming>;
  private readonly heap: ArrayBufferLike;
  private readonly broken: (refused: Refused) => void;
  private over = false;

  /** @param broken  told once if it is not taken; nothing of it is left then */
  constructor(move: number, to: Destination, broken: (refused: Refused) => void) {
    this.move = move;
    this.broken = broken;
    this.filling = new Filling(readImage(to));
    this.heap = to.library.heap.u8.buffer;
  }

  get bytes(): number {
    return this.filling.bytes;
  }

  /** Takes one chunk, as it comes. */
  sink(): FrameSink {
    return {
      add: (piece) => this.guard(() => this.write(piece)),
      room: (most) => this.room(most),
      end: () => {},
      // Who sends it is gone, which the protocol learns by its link.
      drop: () => {},
    };
  }

  /** All has come. @returns true: and it is whole */
  end(): boolean {
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
