/**
 * A message of a ULP of another process, while it comes: its bytes go straight into the process heap, from the socket where
 * that is possible.
 *
 * Owns: the head of such a message, and where its bytes go: of one to several ULPs, to one buffer that all get. If the heap has
 * too little room, or the length is not known, they are kept beside it as they come. A length is what a peer says: for no
 * more than a part of the heap is room made before the bytes are there. Where the message goes when it is whole is the taker's.
 */
import { Gathered } from "../net/gathered.ts";
import { type FrameHead, type FrameSink, ProtocolError } from "../net/link.ts";
import type { Library } from "../runtime/scheduler/library.ts";
import {
  type Arriving,
  alsoArriving,
  beginArriving,
  deliverArriving,
  dropArriving,
} from "../runtime/scheduler/outside.ts";
import { LIMITS } from "../wire/limits.ts";
import { FRAME, SEND_HEAD } from "../wire/protocol.ts";
import { isEncoding } from "../wire/pvm.ts";
import type { Mail } from "./peer-links.ts";

/** What is known of a message before its bytes. */
export type MailHead = Pick<Mail, "to" | "src" | "tag" | "context" | "wid" | "encoding">;
/** Where the bytes of a message go, and what becomes of it. */
export interface MailPlace extends Required<Pick<Mail, "release" | "keep" | "deliver">> {
  readonly place: Uint8Array;
  /** The same for another receiver of the same bytes; undefined: there is no room. */
  also(to: number): MailPlace | undefined;
}
export type BeginMail = (head: MailHead, bytes: number) => MailPlace | undefined;

const HEAD_BYTES = SEND_HEAD.words * 4;
const NOTHING = (): void => {};

/** A place in the heap; undefined: there is none to spare, or the process has not begun. */
export function arrivingIn(
  library: Library | undefined,
  head: MailHead,
  bytes: number,
): MailPlace | undefined {
  if (library === undefined || !mayReserve(library, bytes)) return undefined;
  const arriving = beginArriving(library, head, bytes);
  return arriving && placeOf(library, head, arriving);
}

/** Whether room for bytes that are only announced leaves enough of the heap for everything else. */
function mayReserve({ heap }: Library, bytes: number): boolean {
  return bytes <= LIMITS.smallFrameBytes || heap.leftBytes() - bytes >= heap.u8.length * LIMITS.heapSparePart;
}

function placeOf(library: Library, head: MailHead, arriving: Arriving): MailPlace {
  return {
    place: arriving.place,
    release: () => dropArriving(library, arriving),
    keep: () => arriving.at,
    deliver: () => deliverArriving(library, head.to, arriving),
    also: (to) => {
      const also = alsoArriving(library, head, arriving);
      return also && placeOf(library, { ...head, to }, also);
    },
  };
}

export class ComingMail implements FrameSink {
  readonly #frame: FrameHead;
  /** Of its body, head included; undefined: not known. */
  readonly #total: number | undefined;
  readonly #begin: BeginMail;
  readonly #whole: (mail: Mail) => void;
  /** Tids of receivers, if there are several, and SEND_HEAD. */
  readonly #headBytes: Uint8Array;
  /** Of the body, head included. */
  #came = 0;
  #head: MailHead | undefined;
  /** Receivers beside the first. */
  #others: number[] = [];
  #place: MailPlace | undefined;
  /** If there is no place. */
  readonly #beside = new Gathered();

  /**
   * @param whole  gets the message when all of it has come, once for each receiver
   * @throws ProtocolError, and so do its methods
   */
  constructor(frame: FrameHead, total: number | undefined, begin: BeginMail, whole: (mail: Mail) => void) {
    this.#frame = frame;
    this.#total = total;
    this.#begin = begin;
    this.#whole = whole;
    const several = frame.type === FRAME.ULP_MCAST;
    const tids = several ? frame.a : 0;
    if (tids > LIMITS.mcastReceivers || (several && tids === 0))
      throw new ProtocolError(`a message to ${tids} receivers`);
    this.#headBytes = new Uint8Array(HEAD_BYTES + 4 * tids);
  }

  add(piece: Uint8Array): void {
    let rest = piece;
    if (this.#head === undefined) {
      const some = piece.subarray(0, this.#headBytes.length - this.#came);
      this.#headBytes.set(some, this.#came);
      this.#came += some.length;
      if (this.#came < this.#headBytes.length) return;
      this.#opened();
      rest = piece.subarray(some.length);
    }
    const at = this.#came - this.#headBytes.length;
    this.#came += rest.length;
    if (this.#place === undefined) {
      this.#beside.add(rest);
      return;
    }
    const { place } = this.#place;
    const isThere = rest.buffer === place.buffer && rest.byteOffset === place.byteOffset + at;
    if (!isThere) place.set(rest, at);
  }

  room(most: number): Uint8Array | undefined {
    if (this.#place === undefined) return undefined;
    const at = this.#came - this.#headBytes.length;
    return this.#place.place.subarray(at, at + most);
  }

  end(): void {
    const head = this.#head;
    const headBytes = this.#headBytes.length;
    if (head === undefined)
      throw new ProtocolError(`a message of ${this.#came} bytes, its head has ${headBytes}`);
    const bytes = this.#came - headBytes;
    if (this.#others.length === 0 && this.#place === undefined) {
      this.#whole({ ...head, bytes, pieces: this.#beside.pieces, release: NOTHING });
      return;
    }
    const others = this.#others.map((to) => [to, this.#place?.also(to)] as const);
    // What finds no room beside it is copied before anybody may free it.
    const copied = others.some(([, place]) => place === undefined) ? this.#copied() : [];
    for (const [to, place] of [[head.to, this.#place] as const, ...others]) {
      if (place === undefined) this.#whole({ ...head, to, bytes, pieces: copied, release: NOTHING });
      else {
        const { release, keep, deliver } = place;
        this.#whole({ ...head, to, bytes, pieces: bytes > 0 ? [place.place] : [], release, keep, deliver });
      }
    }
  }

  drop(): void {
    this.#place?.release();
    this.#place = undefined;
  }

  #copied(): readonly Uint8Array[] {
    return this.#place === undefined ? this.#beside.pieces : [this.#place.place.slice()];
  }

  #opened(): void {
    const bytes = this.#headBytes;
    const from = bytes.length / 4 - SEND_HEAD.words;
    const word = (at: number): number => wordOf(bytes, from + at);
    let to = this.#frame.a | 0;
    if (from > 0) [to = 0, ...this.#others] = Array.from({ length: from }, (_, i) => wordOf(bytes, i));
    const encoding = word(SEND_HEAD.encoding);
    if (!isEncoding(encoding)) throw new ProtocolError(`a message of encoding ${encoding}`);
    this.#head = {
      to,
      src: this.#frame.b | 0,
      tag: word(SEND_HEAD.tag),
      context: word(SEND_HEAD.context),
      wid: word(SEND_HEAD.wid),
      encoding,
    };
    if (this.#total !== undefined)
      this.#place = this.#begin(this.#head, this.#total - this.#headBytes.length);
  }
}

/** Little-endian. Without a view: the buffer of a short array is made only when it is asked for, in half a microsecond. */
function wordOf(bytes: Uint8Array, index: number): number {
  const at = 4 * index;
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
