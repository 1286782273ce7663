/**
 * Standard input of this process, read when a ULP asks for it.
 *
 * Owns: the stream. Nothing is read, and the process does not wait for it, before the first call.
 */
import type { InputSource } from "./run.ts";

export interface NodeInput extends InputSource {
  /** The run is over: the process may end although more could come. */
  close(): void;
}

export function nodeInput(): NodeInput {
  const { stdin } = process;
  let begun = false;
  let ended = false;
  let kept = new Uint8Array(0);
  /** Each ends itself, when there is some, or no more, or its time is over: programs may ask for ever while nothing comes. */
  const waiting = new Set<() => void>();
  const tell = (): void => {
    for (const go of [...waiting]) go();
  };
  const begin = (): void => {
    if (begun) return;
    begun = true;
    stdin.on("data", (data: Uint8Array) => {
      kept = new Uint8Array(Buffer.concat([kept, data]));
      // No more until this has been read.
      stdin.pause();
      tell();
    });
    const end = (): void => {
      ended = true;
      tell();
    };
    // A stream that cannot be read, because it is closed or a folder, is at its end.
    stdin.on("end", end).on("error", end).on("close", end);
  };
  /** @param ms  waits no longer; -1: for ever */
  const some = async (ms: number): Promise<void> => {
    begin();
    if (kept.length > 0 || ended) return;
    await new Promise<void>((done) => {
      const go = (): void => {
        clearTimeout(timer);
        waiting.delete(go);
        done();
      };
      const timer = ms < 0 ? undefined : setTimeout(go, ms);
      waiting.add(go);
      stdin.resume();
    });
  };
  return {
    async read(bytes) {
      await some(-1);
      const given = kept.subarray(0, bytes);
      kept = kept.subarray(given.length);
      return given.slice();
    },
    async ready(ms) {
      await some(ms);
      return ms < 0 || kept.length > 0 || ended;
    },
    close() {
      if (!begun) return;
      stdin.destroy();
      ended = true;
      tell();
    },
  };
}
