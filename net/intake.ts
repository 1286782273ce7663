/**
 * Receiving side of a link: puts fragments together again, and gives frames to who takes them.
 *
 * Owns: the frames that are begun and not ended, and who takes which type. Not the bytes on the wire
 * (frame-reader.ts), not when reading stops. Pure. What it holds is bounded: LIMITS.openWholes frames at once, of
 * LIMITS.wholeBytes together, announced or come. Memory is taken here only for bytes that have come; a sink is told the
 * announced length, and may take memory for that (`onStream`).
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
import { Gathered } from "./gathered.ts";
import { type Frame, type FrameHead, type FrameSink, type OpenSink, ProtocolError } from "./link.ts";

/** A frame of which fragments have come. */
interface Whole {
  readonly sink: FrameSink;
  /** Of its body, as its sender has said; undefined: not known. */
  readonly total: number | undefined;
  bytes: number;
  /** What it counts for: `total`, or what has come if that is not known. */
  counted: number;
}

export class Intake {
  #take: ((frame: Frame) => void) | undefined;
  readonly #streams = new Map<number, OpenSink>();
  readonly #wholes = new Map<number, Whole>();
  /** What all of them count for. */
  #bytes = 0;

  onFrame(take: (frame: Frame) => void): void {
    this.#take = take;
  }

  onStream(type: number, open: OpenSink): void {
    this.#streams.set(type, open);
  }

  /** Nothing may be read before there is a taker. */
  get ready(): boolean {
    return this.#take !== undefined;
  }

  /**
   * Takes one frame as it came, its body in any number of pieces, which are lent.
   *
   * @throws ProtocolError for what no peer sends
   */
  accept(head: FrameHead, pieces: readonly Uint8Array[]): void {
    let bytes = 0;
    for (const piece of pieces) bytes += piece.length;
    const sink = this.begin(head, bytes);
    for (const piece of pieces) if (piece.length > 0) sink.add(piece);
    sink.end();
  }

  /**
   * The same for a frame whose body is to come. Its end is told, or its drop, unless it is a fragment of a frame that
   * `drop` drops.
   *
   * @throws ProtocolError, and so does the sink
   */
  begin(head: FrameHead, bytes: number): FrameSink {
    return head.type === FRAME.FRAGMENT ? this.#fragment(head, bytes) : this.#open(head, bytes);
  }

  /** The link has ended: what is not complete never will be. */
  drop(): void {
    const open = [...this.#wholes.values()];
    this.#wholes.clear();
    this.#bytes = 0;
    for (const { sink } of open) sink.drop();
  }

  #fragment({ a: serial, b: flags, c: before }: FrameHead, bytes: number): FrameSink {
    const whole = this.#wholes.get(serial);
    const last = (flags & FRAGMENT_LAST) !== 0;
    if ((flags & FRAGMENT_FIRST) !== 0) {
      if (whole !== undefined) throw new ProtocolError(`fragment ${serial} begins twice`);
      if (this.#wholes.size >= LIMITS.openWholes)
        throw new ProtocolError(`more than ${LIMITS.openWholes} frames in fragments at once`);
      if (bytes < FRAME_WORDS_BYTES) throw new ProtocolError("a first fragment without a header");
      const came = bytes - FRAME_WORDS_BYTES;
      const total = before === 0 ? undefined : before;
      // Before anybody takes memory for it.
      this.#within(serial, came, total);
      const counted = total ?? came;
      this.#count(counted);
      return new FirstFragment((head) => {
        const opened = { sink: this.#open(head, total), total, bytes: came, counted };
        this.#wholes.set(serial, opened);
        return this.#piece(serial, opened, last);
      });
    }
    if (whole === undefined) throw new ProtocolError(`fragment ${serial} goes on without a beginning`);
    if (before !== whole.bytes)
      throw new ProtocolError(`fragment ${serial} goes on at byte ${before}, not ${whole.bytes}`);
    this.#within(serial, whole.bytes + bytes, whole.total);
    if (whole.total === undefined) {
      this.#count(bytes);
      whole.counted += bytes;
    }
    whole.bytes += bytes;
    return this.#piece(serial, whole, last);
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > LIMITS.wholeBytes)
      throw new ProtocolError(`frames of more than ${LIMITS.wholeBytes} bytes in fragments`);
  }

  #within(serial: number, bytes: number, total: number | undefined): void {
    if (total !== undefined && bytes > total)
      throw new ProtocolError(`fragment ${serial} goes on beyond byte ${total}`);
  }

  /** The body of one fragment, which goes to the sink of the whole. */
  #piece(serial: number, whole: Whole, last: boolean): FrameSink {
    const { sink, total } = whole;
    const piece: FrameSink = {
      add: (some) => sink.add(some),
      end: () => {
        if (!last) return;
        if (total !== undefined && whole.bytes < total)
          throw new ProtocolError(`fragment ${serial} ends at byte ${whole.bytes} of ${total}`);
        this.#wholes.delete(serial);
        this.#bytes -= whole.counted;
        sink.end();
      },
      drop: () => {},
    };
    return sink.room === undefined ? piece : { ...piece, room: (most) => sink.room?.(most) };
  }

  #open(head: FrameHead, bytes: number | undefined): FrameSink {
    const open = this.#streams.get(head.type);
    if (open !== undefined) return open(head, bytes);
    const gathered = new Gathered();
    return {
      add: (piece) => gathered.add(piece),
      end: () => this.#take?.({ ...head, body: [joined(gathered.pieces)] }),
      drop: () => {},
    };
  }
}

/** The body of a first fragment: it begins with the header of the whole. */
class FirstFragment implements FrameSink {
  readonly #open: (head: FrameHead) => FrameSink;
  readonly #head = new Uint8Array(FRAME_WORDS_BYTES);
  #came = 0;
  #rest: FrameSink | undefined;

  constructor(open: (head: FrameHead) => FrameSink) {
    this.#open = open;
  }

  add(piece: Uint8Array): void {
    if (this.#rest !== undefined) return this.#rest.add(piece);
    const some = piece.subarray(0, FRAME_WORDS_BYTES - this.#came);
    this.#head.set(some, this.#came);
    this.#came += some.length;
    if (this.#came < FRAME_WORDS_BYTES) return;
    this.#rest = this.#open(innerHead(this.#head));
    if (piece.length > some.length) this.#rest.add(piece.subarray(some.length));
  }

  room(most: number): Uint8Array | undefined {
    return this.#rest?.room?.(most);
  }

  end(): void {
    this.#rest?.end();
  }

  drop(): void {}
}

/** Header of the whole. */
function innerHead({ buffer }: Uint8Array): FrameHead {
  const view = new DataView(buffer);
  const word = (index: number): number => view.getUint32(index * 4, true);
  const type = word(0);
  const name = FRAME_NAME.get(type);
  if (name !== undefined && FRAMES[name].ends === "link") throw new ProtocolError(`${name} in fragments`);
  return { type, a: word(1), b: word(2), c: word(3) };
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
