/** A socket of Node (Unix, TCP, TLS) as the stream of bytes that a link stands on. Owns the socket. */
import type { Socket } from "node:net";
import type { ByteStream, ByteStreamTaker } from "./byte-stream.ts";
import type { Reads } from "./node-reads.ts";
import { writeNow } from "./node-writes.ts";

const PEER_ENDED = "the peer ended the connection";
/** What the system says when a connection ends, in words: users read them. */
const WORDS: Readonly<Record<string, string>> = {
  // What it had not read yet was thrown away: it was killed, say.
  ECONNRESET: PEER_ENDED,
  EPIPE: PEER_ENDED,
  ETIMEDOUT: "the peer's machine does not answer",
};

export class NodeStream implements ByteStream {
  taker: ByteStreamTaker = { bytes: () => {}, ended: () => {} };
  readonly #socket: Socket;
  readonly #reads: Reads | undefined;
  #ended = false;

  /** @param reads  with which the socket was made, if it was */
  constructor(socket: Socket, reads?: Reads) {
    this.#socket = socket;
    this.#reads = reads;
    // Small frames go out at once: they are already as many together as there were.
    socket.setNoDelay(true);
    if (reads === undefined) socket.on("data", (chunk: Buffer) => this.taker.bytes(chunk));
    else {
      reads.take = (chunk) => this.taker.bytes(chunk);
      reads.room = () => this.taker.room?.();
    }
    socket.on("end", () => this.#end(PEER_ENDED));
    socket.on("error", ({ code = "", message }: NodeJS.ErrnoException) =>
      this.#end(WORDS[code] ?? (code === "" ? message : code)),
    );
    socket.on("close", () => this.#end("the connection broke"));
  }

  write(pieces: readonly Uint8Array[], written: () => void): void {
    const socket = this.#socket;
    // A callback comes also if the socket fails or is destroyed.
    if (this.#ended || socket.destroyed || socket.writableEnded) return queueMicrotask(written);
    const left = behind(pieces, writeNow(socket, pieces));
    if (left.length === 0) return queueMicrotask(written);
    if (left.length === 1) {
      socket.write(left[0] as Uint8Array, () => written());
      return;
    }
    socket.cork();
    for (const [index, piece] of left.entries()) {
      if (index === left.length - 1) socket.write(piece, () => written());
      else socket.write(piece);
    }
    socket.uncork();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#reads?.forget(this.#socket);
    this.#socket.resume();
    this.#socket.end();
  }

  destroy(): void {
    this.#ended = true;
    this.#socket.destroy();
  }

  #end(why: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.taker.ended(why);
  }
}

/** What is behind so many bytes. */
function behind(pieces: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  if (bytes === 0) return pieces;
  let left = bytes;
  for (const [index, piece] of pieces.entries()) {
    if (left < piece.length) return [piece.subarray(left), ...pieces.slice(index + 1)];
    left -= piece.length;
  }
  return [];
}
