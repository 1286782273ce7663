/**
 * Bytes of a body that has no place of its own, gathered as they come.
 *
 * Owns: that what is kept for them is at most about twice what they are, however short their pieces: a peer could send a body
 * byte by byte. Pure. Whether they may come at all is the caller's.
 */
import { LIMITS } from "../wire/limits.ts";

export class Gathered {
  /** All but the last are full. */
  readonly #blocks: Uint8Array[] = [];
  /** Bytes of the last that are taken. */
  #used = 0;
  #bytes = 0;

  /** Copies a piece, which is lent. The first, and a long one, have a block of their own, just as long as they are. */
  add(piece: Uint8Array): void {
    const last = this.#blocks.at(-1);
    const some = piece.subarray(0, last === undefined ? 0 : last.length - this.#used);
    last?.set(some, this.#used);
    this.#used += some.length;
    this.#bytes += some.length;
    if (some.length === piece.length) return;
    const rest = piece.subarray(some.length);
    const block = new Uint8Array(Math.max(rest.length, Math.min(this.#bytes, LIMITS.linkBlockBytes)));
    block.set(rest);
    this.#blocks.push(block);
    this.#used = rest.length;
    this.#bytes += rest.length;
  }

  /** What came so far, in order, none of them empty. */
  get pieces(): readonly Uint8Array[] {
    return this.#blocks.map((block, i) =>
      i === this.#blocks.length - 1 ? block.subarray(0, this.#used) : block,
    );
  }
}
