/**
 * What several ULPs print to one stream: a line that one of them left without its end does not run into another's, nor into
 * upvm's own.
 *
 * Owns: the newline between them, nothing else. What a single ULP prints is written as it is.
 */
import type { Edge } from "./edge.ts";

const NEWLINE = "\n";

/** Writes bytes of a ULP's output. `end`: others write now, on a line of their own. */
export interface Printer<T> {
  (bytes: Uint8Array, tid: number): T;
  end(): void;
}

/**
 * @returns writes some bytes of a ULP's output; they are whole lines, save the last of all that it prints. It returns what
 *   `write` does: a promise if who reads is behind
 */
export function wholeLines<T>(write: (data: string | Uint8Array) => T): Printer<T> {
  let unfinished: number | undefined;
  const print = (bytes: Uint8Array, tid: number): T => {
    if (unfinished !== undefined && unfinished !== tid) write(NEWLINE);
    unfinished = bytes.at(-1) === NEWLINE.charCodeAt(0) ? undefined : tid;
    return write(bytes);
  };
  const end = (): void => {
    if (unfinished !== undefined) write(NEWLINE);
    unfinished = undefined;
  };
  return Object.assign(print, { end });
}

/** What ULPs print to standard output and standard error, each in whole lines. */
export function printers({ print }: Pick<Edge, "print">): Record<"out" | "err", UlpPrinter> {
  return { out: wholeLines((data) => print(1, data)), err: wholeLines((data) => print(2, data)) };
}

type UlpPrinter = Printer<Promise<void> | undefined>;
