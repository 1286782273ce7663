/**
 * Streams that are written to no faster than they are read.
 *
 * Owns: the wait for who reads. What is written is others' matter.
 */
import type { Writable } from "node:stream";

/** Whatever comes first: it has caught up, or nothing will be read of it any more. */
const CAUGHT_UP = ["drain", "close", "error"] as const;

/** Writes to a stream. @returns if it is behind, a promise of when it has caught up, or has ended */
export function writerTo(stream: Writable): (data: string | Uint8Array) => Promise<void> | undefined {
  let behind: Promise<void> | undefined;
  return (data) => {
    if (stream.write(data) || stream.destroyed) return undefined;
    behind ??= new Promise<void>((go) => {
      const over = (): void => {
        for (const name of CAUGHT_UP) stream.off(name, over);
        behind = undefined;
        go();
      };
      for (const name of CAUGHT_UP) stream.once(name, over);
    });
    return behind;
  };
}

const printers = new Map<number, ReturnType<typeof writerTo>>();

/** What a ULP prints, to this process's own streams. @param fd 1 or 2 @returns as writerTo's */
export function printBytes(fd: number, data: string | Uint8Array): Promise<void> | undefined {
  let print = printers.get(fd);
  if (print === undefined) {
    print = writerTo(fd === 1 ? process.stdout : process.stderr);
    printers.set(fd, print);
  }
  return print(data);
}
