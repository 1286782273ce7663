/**
 * What ULPs print, on its way to another process: pieces are gathered while the last ones are being taken.
 *
 * Owns: their order, which is that of `write`, and when a writer may go on. What carries them is handed in.
 */
import type { OutputPiece } from "../wire/rpc-job.ts";

export class OutputPipe {
  private readonly send: (pieces: readonly OutputPiece[], bytes: Uint8Array) => Promise<unknown>;
  private pieces: OutputPiece[] = [];
  private texts: Uint8Array[] = [];
  private taken: (() => void)[] = [];
  private sending: Promise<void> | undefined;

  /** @param send  takes pieces, whose bytes follow each other; resolves when there may be more. Never fails */
  constructor(send: (pieces: readonly OutputPiece[], bytes: Uint8Array) => Promise<unknown>) {
    this.send = send;
  }

  /** Takes the bytes. @returns when they have been taken at the other end */
  write(fd: number, bytes: Uint8Array, tid: number): Promise<void> {
    this.pieces.push([fd === 1 ? 1 : 2, tid, bytes.length]);
    this.texts.push(bytes);
    const done = new Promise<void>((go) => this.taken.push(go));
    this.sending ??= this.run();
    return done;
  }

  /** Waits until all has been taken. */
  async flushed(): Promise<void> {
    await this.sending;
  }

  private async run(): Promise<void> {
    // What is printed in one turn goes together.
    await Promise.resolve();
    while (this.pieces.length > 0) {
      const { pieces, texts, taken } = this;
      this.pieces = [];
      this.texts = [];
      this.taken = [];
      await this.send(pieces, joined(texts));
      for (const go of taken) go();
    }
    this.sending = undefined;
  }
}

function joined(texts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(texts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const bytes of texts) {
    out.set(bytes, at);
    at += bytes.length;
  }
  return out;
}

/** Calls `write` for each piece. False: the bytes are not as long as the pieces say. */
export function splitOutput(
  pieces: readonly OutputPiece[],
  bytes: Uint8Array,
  write: (fd: number, bytes: Uint8Array, tid: number) => void,
): boolean {
  let at = 0;
  if (pieces.reduce((sum, [, , length]) => sum + length, 0) !== bytes.length) return false;
  for (const [fd, tid, length] of pieces) {
    write(fd, bytes.subarray(at, at + length), tid);
    at += length;
  }
  return true;
}
