/**
 * Receiving side of a link: puts fragments together again, and gives frames to who takes them.
 *
 * Owns: the frames that are begun and not ended, and who takes which type. Not the bytes on the wire
 * (frame-reader.ts), not when reading stops. Pure. What it holds is bounded: LIMITS.openWholes frames at once, of
 * LIMITS.wholeBytes together, and memory is taken only for bytes that have come.
 */
import { LIMITS } from "../wire/limits.ts";
import {
  FRAGMENT_FIRST,
  FRAGMENT_LAST,
  FRAME,
  FRAME_NAME,
  FRAME_WORDS_BYTES,
  FRAMES,
} from "../wire/protocol.ts";
import { type Frame, type FrameHead, type FrameSink, ProtocolError } from "./link.ts";

/** A frame of which fragments have come. */
interface Whole {
  readonly sink: FrameSink;
  bytes: number;
}

export class Intake {
  #take: ((frame: Frame) => void) | undefined;
  readonly #streams = new Map<number, (head: FrameHead) => FrameSink>();
  readonly #wholes = new Map<number, Whole>();
  /** Bytes of all of them. */
  #bytes = 0;

  onFrame(take: (frame: Frame) => void): void {
    this.#take = take;
  }

  onStream(type: number, open: (head: FrameHead) => FrameSink): void {
    this.#streams.set(type, open);
  }

  onPieces(type: number, take: (frame: Frame) => void): void {
    this.#streams.set(type, (head) => {
      const pieces: Uint8Array[] = [];
      return {
        add: (piece) => pieces.push(piece),
        end: () => take({ ...head, body: withFirst(pieces, LIMITS.firstPieceBytes) }),
        drop: () => {},
      };
    });
  }

  /** Nothing may be read before there is a taker. */
  get ready(): boolean {
    return this.#take !== undefined;
  }

  /**
   * Takes one frame as it came, its body in any number of pieces.
   *
   * @throws ProtocolError for what no peer sends
   */
  accept(head: FrameHead, pieces: readonly Uint8Array[]): void {
    if (head.type === FRAME.FRAGMENT) this.#fragment(head, pieces);
    else if (this.#streams.has(head.type)) {
      const sink = this.#open(head);
      for (const piece of pieces) sink.add(piece);
      sink.end();
    } else this.#take?.({ ...head, body: [joined(pieces)] });
  }

  /** The link has ended: what is not complete never will be. */
  drop(): void {
    const open = [...this.#wholes.values()];
    this.#wholes.clear();
    this.#bytes = 0;
    for (const { sink } of open) sink.drop();
  }

  #fragment({ a: serial, b: flags, c: before }: FrameHead, pieces: readonly Uint8Array[]): void {
    let whole = this.#wholes.get(serial);
    let rest = pieces;
    if ((flags & FRAGMENT_FIRST) !== 0) {
      if (whole !== undefined) throw new ProtocolError(`fragment ${serial} begins twice`);
      if (this.#wholes.size >= LIMITS.openWholes)
        throw new ProtocolError(`more than ${LIMITS.openWholes} frames in fragments at once`);
      const [head, body] = innerHead(pieces);
      whole = { sink: this.#open(head), bytes: 0 };
      this.#wholes.set(serial, whole);
      rest = body;
    }
    if (whole === undefined) throw new ProtocolError(`fragment ${serial} goes on without a beginning`);
    if (before !== whole.bytes)
      throw new ProtocolError(`fragment ${serial} goes on at byte ${before}, not ${whole.bytes}`);
    let came = 0;
    for (const piece of rest) came += piece.length;
    whole.bytes += came;
    this.#bytes += came;
    if (this.#bytes > LIMITS.wholeBytes)
      throw new ProtocolError(`frames of more than ${LIMITS.wholeBytes} bytes in fragments`);
    for (const piece of rest) if (piece.length > 0) whole.sink.add(piece);
    if ((flags & FRAGMENT_LAST) === 0) return;
    this.#wholes.delete(serial);
    this.#bytes -= whole.bytes;
    whole.sink.end();
  }

  #open(head: FrameHead): FrameSink {
    const open = this.#streams.get(head.type);
    if (open !== undefined) return open(head);
    const pieces: Uint8Array[] = [];
    return {
      add: (piece) => pieces.push(piece),
      end: () => this.#take?.({ ...head, body: [joined(pieces)] }),
      drop: () => {},
    };
  }
}

/** A first fragment's body begins with the header of the whole; the rest is not copied for it. */
function innerHead(pieces: readonly Uint8Array[]): [FrameHead, readonly Uint8Array[]] {
  const [first, ...rest] = withFirst(pieces, FRAME_WORDS_BYTES);
  if (first === undefined || first.length < FRAME_WORDS_BYTES)
    throw new ProtocolError("a first fragment without a header");
  const view = new DataView(first.buffer, first.byteOffset, FRAME_WORDS_BYTES);
  const word = (index: number): number => view.getUint32(index * 4, true);
  const type = word(0);
  const name = FRAME_NAME.get(type);
  if (name !== undefined && FRAMES[name].ends === "link") throw new ProtocolError(`${name} in fragments`);
  return [{ type, a: word(1), b: word(2), c: word(3) }, [first.subarray(FRAME_WORDS_BYTES), ...rest]];
}

/** The same bytes, with so many in the first piece at least, or all. */
function withFirst(pieces: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let count = 0;
  for (let have = 0; count < pieces.length && have < bytes; count++) have += pieces[count]!.length;
  return count <= 1 ? pieces : [joined(pieces.slice(0, count)), ...pieces.slice(count)];
}

/** The pieces as one array: without a copy if there is one only. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0] as Uint8Array;
  let bytes = 0;
  for (const piece of pieces) bytes += piece.length;
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
