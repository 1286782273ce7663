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
  /** Called when there is some, or no more. */
  let arrived: (() => void)[] = [];
  const tell = (): void => {
    const waiting = arrived;
    arrived = [];
    for (const go of waiting) go();
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
  const some = async (): Promise<void> => {
    begin();
    if (kept.length > 0 || ended) return;
    const more = new Promise<void>((go) => arrived.push(go));
    stdin.resume();
    await more;
  };
  return {
    async read(bytes) {
      await some();
      const given = kept.subarray(0, bytes);
      kept = kept.subarray(given.length);
      return given.slice();
    },
    async ready(ms) {
      if (ms < 0) {
        await some();
        return true;
      }
      let timer: NodeJS.Timeout | undefined;
      const over = new Promise<void>((go) => {
        timer = setTimeout(go, ms);
      });
      await Promise.race([some(), over]);
      clearTimeout(timer);
      return kept.length > 0 || ended;
    },
    close() {
      if (!begun) return;
      stdin.destroy();
      ended = true;
      tell();
    },
  };
}
