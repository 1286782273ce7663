/** A stream of bytes that a test reads and writes by hand. */
import type { ByteStream, ByteStreamTaker } from "../net/byte-stream.ts";

export class FakeStream implements ByteStream {
  taker: ByteStreamTaker = { bytes: () => {}, ended: () => {} };
  writes = 0;
  paused = false;
  state: "open" | "ended" | "destroyed" = "open";
  /** If set, writes wait for `finishWrites`. */
  holdWrites = false;
  #written: Uint8Array[] = [];
  #waiting: (() => void)[] = [];

  write(pieces: readonly Uint8Array[], written: () => void): void {
    this.writes++;
    for (const piece of pieces) this.#written.push(new Uint8Array(piece));
    if (this.holdWrites) this.#waiting.push(written);
    else written();
  }
  finishWrites(): void {
    for (const written of this.#waiting.splice(0)) written();
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  end(): void {
    if (this.state === "open") this.state = "ended";
  }
  destroy(): void {
    this.state = "destroyed";
  }
  /** What was written since the last clear(). */
  bytes(): Buffer {
    return Buffer.concat(this.#written);
  }
  hex(): string {
    return this.bytes().toString("hex");
  }
  clear(): void {
    this.#written = [];
    this.writes = 0;
  }
}
