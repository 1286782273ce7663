/**
 * What several ULPs print to one stream: a line that one of them left without its end does not run into another's.
 *
 * Owns: the newline between them, nothing else. What a single ULP prints is written as it is.
 */
const NEWLINE = "\n";

/** @returns writes some bytes of a ULP's output; they are whole lines, save the last of all that it prints */
export function wholeLines(
  write: (data: string | Uint8Array) => void,
): (bytes: Uint8Array, tid: number) => void {
  let unfinished: number | undefined;
  return (bytes, tid) => {
    if (unfinished !== undefined && unfinished !== tid) write(NEWLINE);
    write(bytes);
    unfinished = bytes.at(-1) === NEWLINE.charCodeAt(0) ? undefined : tid;
  };
}
