/** What a framed link stands on: bytes in order, both ways. The edge makes one of a socket (node-stream.ts). */
export interface ByteStreamTaker {
  /** Bytes came; the chunk is lent: it is good until this returns. */
  bytes(chunk: Uint8Array): void;
  /** Where the next bytes are best read to; asked by a stream that can. They still come as a chunk. */
  room?(): Uint8Array | undefined;
  /** No more will come, and nothing goes out any more. Told once, unless this side destroyed it. */
  ended(why: string): void;
}

export interface ByteStream {
  /** Who is told; whoever is set last. */
  taker: ByteStreamTaker;
  /** Writes in order. @param written  called once: the system has the bytes, or the stream is gone */
  write(pieces: readonly Uint8Array[], written: () => void): void;
  pause(): void;
  resume(): void;
  /** Ends after what was written; what still comes is thrown away. */
  end(): void;
  /** Ends at once. */
  destroy(): void;
}

/** Calls `run` after so many milliseconds; @returns a function that prevents it. Does not keep a process alive. */
export type After = (ms: number, run: () => void) => () => void;
