/**
 * From bytes as they come to frames: the decoder of what a socket brings.
 *
 * Owns: the bytes of the frame that is not complete yet. Copies no body: its pieces are views of the chunks that came; the
 * body of a long one need not be complete (`begin`). Chunks are lent: what is left of one is copied (`own`).
 * Trusts nothing: a length beyond the limit is refused before anything is kept for it, so that what is held is at most
 * one frame and one chunk. Pure.
 */
import { FRAME_HEAD_BYTES, FRAME_WORDS_BYTES } from "../wire/protocol.ts";
import { type FrameHead, ProtocolError } from "./link.ts";

/** A frame as it came. */
export interface RawFrame extends FrameHead {
  readonly pieces: readonly Uint8Array[];
}

/** Chunks shorter than this are joined while a frame is incomplete: a peer could send it byte by byte. */
const SMALL_CHUNK_BYTES = 4096;
const NOTHING: readonly Uint8Array[] = [new Uint8Array(0)];

export class FrameReader {
  /** Most that a frame's length may say. */
  limitBytes: number;
  /** What came and is not taken yet: chunks, and the place in the first. */
  #chunks: Uint8Array[] = [];
  #at = 0;
  #held = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /** Bytes that came and are not taken yet. */
  get held(): number {
    return this.#held;
  }

  /** Takes what came: the chunk must not change until `own`, or until all of it is taken. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#held += chunk.length;
    const last = this.#chunks.at(-1);
    if (last !== undefined && chunk.length < SMALL_CHUNK_BYTES && last.length < SMALL_CHUNK_BYTES) {
      const both = new Uint8Array(last.length + chunk.length);
      both.set(last);
      both.set(chunk, last.length);
      this.#chunks[this.#chunks.length - 1] = both;
    } else this.#chunks.push(chunk);
  }

  /**
   * The next frame, undefined if it is not complete.
   *
   * @throws ProtocolError if its length is none that a frame can have; nothing can be read after that
   */
  next(): RawFrame | undefined {
    if (this.#held < 4) return undefined;
    const length = this.#word(0);
    this.#check(length);
    if (this.#held < 4 + length) return undefined;
    const head = this.#head();
    return { ...head, pieces: this.#pieces(length - FRAME_WORDS_BYTES) };
  }

  /**
   * Takes the header of the next frame, if it has come and its body has so many bytes at least; `some` gives the body as it
   * comes. Undefined if not.
   *
   * @throws ProtocolError as `next`
   */
  begin(bytes: number): { readonly head: FrameHead; readonly bytes: number } | undefined {
    if (this.#held < FRAME_HEAD_BYTES) return undefined;
    const length = this.#word(0);
    this.#check(length);
    if (length - FRAME_WORDS_BYTES < bytes) return undefined;
    const head = this.#head();
    return { head, bytes: length - FRAME_WORDS_BYTES };
  }

  /** What has come of a body, so much at most. */
  some(most: number): readonly Uint8Array[] {
    return this.#held === 0 ? [] : this.#pieces(Math.min(most, this.#held));
  }

  /** Copies what is left of the chunk that came last. */
  own(): void {
    if (this.#held === 0) return;
    const last = this.#chunks.length - 1;
    const from = last === 0 ? this.#at : 0;
    this.#chunks[last] = this.#chunks[last]!.slice(from);
    if (last === 0) this.#at = 0;
  }

  #check(length: number): void {
    if (length < FRAME_WORDS_BYTES || length > this.limitBytes)
      throw new ProtocolError(`a frame of ${length} bytes, where ${this.limitBytes} are the most`);
  }

  /** The header, which has come; the body is next. */
  #head(): FrameHead {
    const head = { type: this.#word(4), a: this.#word(8), b: this.#word(12), c: this.#word(16) };
    this.#skip(FRAME_HEAD_BYTES);
    return head;
  }

  /** The u32 so many bytes from here; they are there. */
  #word(offset: number): number {
    const first = this.#chunks[0] as Uint8Array;
    const at = this.#at + offset;
    if (at + 4 <= first.length)
      return (first[at]! | (first[at + 1]! << 8) | (first[at + 2]! << 16) | (first[at + 3]! << 24)) >>> 0;
    let word = 0;
    for (let i = 0; i < 4; i++) word |= this.#byte(offset + i) << (8 * i);
    return word >>> 0;
  }

  #byte(offset: number): number {
    let at = this.#at + offset;
    for (const chunk of this.#chunks) {
      if (at < chunk.length) return chunk[at] as number;
      at -= chunk.length;
    }
    throw new Error("bug: read beyond what came");
  }

  #skip(bytes: number): void {
    this.#at += bytes;
    this.#held -= bytes;
    while (this.#chunks.length > 0 && this.#at >= (this.#chunks[0] as Uint8Array).length) {
      this.#at -= (this.#chunks[0] as Uint8Array).length;
      this.#chunks.shift();
    }
  }

  #pieces(bytes: number): readonly Uint8Array[] {
    if (bytes === 0) return NOTHING;
    const pieces: Uint8Array[] = [];
    for (let rest = bytes; rest > 0; ) {
      const piece = (this.#chunks[0] as Uint8Array).subarray(this.#at, this.#at + rest);
      pieces.push(piece);
      rest -= piece.length;
      this.#skip(piece.length);
    }
    return pieces;
  }
}
