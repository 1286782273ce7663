/**
 * What several ULPs print to one stream: a line that one of them left without its end does not run into another's.
 *
 * Owns: the newline between them, nothing else. What a single ULP prints is written as it is.
 */
import type { Edge } from "./edge.ts";

const NEWLINE = "\n";

/**
 * @returns writes some bytes of a ULP's output; they are whole lines, save the last of all that it prints. It returns what
 *   `write` does: a promise if who reads is behind
 */
export function wholeLines<T>(
  write: (data: string | Uint8Array) => T,
): (bytes: Uint8Array, tid: number) => T {
  let unfinished: number | undefined;
  return (bytes, tid) => {
    if (unfinished !== undefined && unfinished !== tid) write(NEWLINE);
    unfinished = bytes.at(-1) === NEWLINE.charCodeAt(0) ? undefined : tid;
    return write(bytes);
  };
}

/** What ULPs print to standard output and standard error, each in whole lines. */
export function printers({ print }: Pick<Edge, "print">): [out: Printer, err: Printer] {
  return [wholeLines((data) => print(1, data)), wholeLines((data) => print(2, data))];
}

type Printer = ReturnType<typeof wholeLines<Promise<void> | undefined>>;
