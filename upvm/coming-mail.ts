/**
 * A message of a ULP of another process, while it comes: its bytes go straight into the process heap, from the socket where
 * that is possible.
 *
 * Owns: the head of such a message, and where its bytes go. If the heap has no room, or the length is not known, they
 * are kept beside it. Where the message goes when it is whole is the taker's.
 */
import { type FrameHead, type FrameSink, ProtocolError } from "../net/link.ts";
import type { Library } from "../runtime/scheduler/library.ts";
import { type Arriving, beginArriving, deliverArriving, dropArriving } from "../runtime/scheduler/outside.ts";
import { SEND_HEAD } from "../wire/protocol.ts";
import type { Mail } from "./peer-links.ts";

/** What is known of a message before its bytes. */
export type MailHead = Pick<Mail, "to" | "src" | "tag" | "context" | "wid" | "encoding">;
/** Where the bytes of a message go, and what becomes of it. */
export interface MailPlace extends Required<Pick<Mail, "release" | "keep" | "deliver">> {
  readonly place: Uint8Array;
}
export type BeginMail = (head: MailHead, bytes: number) => MailPlace | undefined;

const HEAD_BYTES = SEND_HEAD.words * 4;
const NOTHING = (): void => {};

/** A place in the heap; undefined: there is none, or the process has not begun. */
export function arrivingIn(
  library: Library | undefined,
  head: MailHead,
  bytes: number,
): MailPlace | undefined {
  const arriving: Arriving | undefined = library && beginArriving(library, head, bytes);
  if (library === undefined || arriving === undefined) return undefined;
  return {
    place: arriving.place,
    release: () => dropArriving(library, arriving),
    keep: () => arriving.at,
    deliver: () => deliverArriving(library, head.to, arriving),
  };
}

export class ComingMail implements FrameSink {
  readonly #frame: FrameHead;
  /** Of its body, head included; undefined: not known. */
  readonly #total: number | undefined;
  readonly #begin: BeginMail;
  readonly #whole: (mail: Mail) => void;
  readonly #headBytes = new Uint8Array(HEAD_BYTES);
  /** Of the body, head included. */
  #came = 0;
  #head: MailHead | undefined;
  #place: MailPlace | undefined;
  /** If there is no place. */
  readonly #pieces: Uint8Array[] = [];

  /** @param whole  gets the message when all of it has come */
  constructor(frame: FrameHead, total: number | undefined, begin: BeginMail, whole: (mail: Mail) => void) {
    this.#frame = frame;
    this.#total = total;
    this.#begin = begin;
    this.#whole = whole;
  }

  add(piece: Uint8Array): void {
    let rest = piece;
    if (this.#head === undefined) {
      const some = piece.subarray(0, HEAD_BYTES - this.#came);
      this.#headBytes.set(some, this.#came);
      this.#came += some.length;
      if (this.#came < HEAD_BYTES) return;
      this.#opened();
      rest = piece.subarray(some.length);
    }
    const at = this.#came - HEAD_BYTES;
    this.#came += rest.length;
    if (this.#place === undefined) {
      if (rest.length > 0) this.#pieces.push(rest.slice());
      return;
    }
    const { place } = this.#place;
    const isThere = rest.buffer === place.buffer && rest.byteOffset === place.byteOffset + at;
    if (!isThere) place.set(rest, at);
  }

  room(most: number): Uint8Array | undefined {
    if (this.#place === undefined) return undefined;
    const at = this.#came - HEAD_BYTES;
    return this.#place.place.subarray(at, at + most);
  }

  /** @throws ProtocolError: it is too short */
  end(): void {
    const head = this.#head;
    if (head === undefined)
      throw new ProtocolError(`a message of ${this.#came} bytes, its head has ${HEAD_BYTES}`);
    const bytes = this.#came - HEAD_BYTES;
    if (this.#place === undefined) {
      this.#whole({ ...head, bytes, pieces: this.#pieces, release: NOTHING });
      return;
    }
    const { place, release, keep, deliver } = this.#place;
    this.#whole({ ...head, bytes, pieces: bytes > 0 ? [place] : [], release, keep, deliver });
  }

  drop(): void {
    this.#place?.release();
    this.#place = undefined;
  }

  #opened(): void {
    const view = new DataView(this.#headBytes.buffer);
    const word = (at: number): number => view.getInt32(at * 4, true);
    this.#head = {
      to: this.#frame.a | 0,
      src: this.#frame.b | 0,
      tag: word(SEND_HEAD.tag),
      context: word(SEND_HEAD.context),
      wid: word(SEND_HEAD.wid),
      encoding: word(SEND_HEAD.encoding),
    };
    if (this.#total !== undefined) this.#place = this.#begin(this.#head, this.#total - HEAD_BYTES);
  }
}
