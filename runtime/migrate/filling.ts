/**
 * Reading in pieces: a reader asks for bytes by yielding where they belong; chunks of any size fill them.
 *
 * Owns: what is wrong with an image or a file of images (ImageError), and the place where the next byte goes. No copy but
 * the one from the chunk to its place, and none of what is read to there (`room`).
 */

/** Why an image is not taken. `--json` and tests know these names. */
export type ImageFault =
  /** It does not begin as an image. */
  | "foreign"
  /** Of another version of this format; of a program linked for another interface. */
  | "version"
  | "abi"
  /** Its program is not here; or the image does not fit it. */
  | "program"
  /** Cut short, or changed. */
  | "damaged"
  /** No room: for its memory, in the process heap. */
  | "memory"
  | "heap"
  /** A file that it has open is not here. */
  | "file"
  /** The ULP is here already, or has ended. */
  | "present";

export class ImageError extends Error {
  override readonly name = "ImageError";
  readonly fault: ImageFault;
  constructor(fault: ImageFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/** Pages of ULPs' memories, as far as the system can be asked for them. */
export interface Pages {
  /** So much of new memory is about to be filled, all of it: large pages do. */
  begin(bytes: Uint8Array): void;
  /** These come next, LIMITS.pagesBytes at most. */
  next(bytes: Uint8Array): void;
  /** Memory that nobody will look at any more. Behind this task all of it may be zero. */
  giveBack(bytes: Uint8Array): void;
}

/** Yields the bytes to be filled next, none of them empty; returns what it has read. */
export type Reader<T> = Generator<Uint8Array, T, void>;

export class Filling<T> {
  private readonly reader: Reader<T>;
  private target: Uint8Array | undefined;
  private filled = 0;
  private result: { readonly value: T } | undefined;
  /** Bytes taken so far. */
  bytes = 0;

  /** Begins to read. @throws what the reader throws at once */
  constructor(reader: Reader<T>) {
    this.reader = reader;
    this.next();
  }

  /** What was read, when it is complete. */
  get done(): T | undefined {
    return this.result?.value;
  }

  get isDone(): boolean {
    return this.result !== undefined;
  }

  /** Where the next bytes belong, `most` at most: a chunk that is read to there is not copied. */
  room(most: number): Uint8Array | undefined {
    return this.target?.subarray(this.filled, this.filled + most);
  }

  /**
   * Takes the next bytes. @returns how many of them: fewer only if it is complete
   * @throws ImageError; then all that was read is gone
   */
  write(chunk: Uint8Array): number {
    let from = 0;
    while (from < chunk.length && this.target !== undefined) {
      const count = Math.min(chunk.length - from, this.target.length - this.filled);
      const { buffer, byteOffset } = this.target;
      const isThere = chunk.buffer === buffer && chunk.byteOffset + from === byteOffset + this.filled;
      if (!isThere) this.target.set(chunk.subarray(from, from + count), this.filled);
      from += count;
      this.filled += count;
      this.bytes += count;
      if (this.filled === this.target.length) this.next();
    }
    return from;
  }

  /** No more bytes come. @throws ImageError if some are missing; then all that was read is gone */
  end(): T {
    if (this.result !== undefined) return this.result.value;
    this.drop();
    throw new ImageError("damaged", `it ends after ${this.bytes} bytes, in its middle`);
  }

  /** Gives up: all that was read is gone. Nothing if it is complete. */
  drop(): void {
    this.target = undefined;
    this.reader.return(undefined as T);
  }

  private next(): void {
    this.target = undefined;
    this.filled = 0;
    const { done, value } = this.reader.next();
    if (done === true) this.result = { value: value as T };
    else this.target = value as Uint8Array;
  }
}
