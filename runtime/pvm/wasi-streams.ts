/**
 * The standard streams: output by lines, input from the process for the first ULP.
 *
 * Owns: which streams are open, and reading: the ULP waits, not its engine. Standard input is at its end for every ULP
 * but the first, and where the process has none to give.
 */
import { ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import type { Answer } from "../../wire/requests.ts";
import { WASI_ERRNO } from "../../wire/wasi.ts";
import type { Context } from "../scheduler/context.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { FileError } from "../scheduler/files.ts";
import { flush, print } from "../scheduler/output.ts";
import { ask } from "./ask.ts";
import { currentContext } from "./guest.ts";
import { guarded, pieces, place } from "./wasi-memory.ts";

export function isStream(fd: number): boolean {
  return fd >= 0 && fd <= 2;
}

/** @throws FileError EBADF if the program has closed it */
export function openStream(context: Context, fd: number): void {
  if ((context.closed & (1 << fd)) !== 0) throw new FileError(WASI_ERRNO.badf);
}

export function closeStream(e: EngineState, context: Context, fd: number): void {
  openStream(context, fd);
  if (fd !== 0) flush(e, e.current, fd);
  context.closed |= 1 << fd;
}

/** @returns bytes written. @throws FileError EBADF, EFAULT */
export function writeStream(
  e: EngineState,
  context: Context,
  fd: number,
  list: number,
  count: number,
): number {
  openStream(context, fd);
  if (fd === 0) throw new FileError(WASI_ERRNO.badf);
  const parts = pieces(context, list, count);
  for (const part of parts) print(e, e.current, fd, part);
  return parts.reduce((sum, { length }) => sum + length, 0);
}

/** True if reads of the running ULP get what the process reads. */
export function hasInput(e: EngineState): boolean {
  return e.options.input && e.w[e.current + ULP.index] === 0;
}

/** fd_read of standard input. @returns errno, or SUSPEND: it waits */
export function readInput(e: EngineState, list: number, count: number, readAt: number): number {
  const context = currentContext(e);
  let room = 0;
  const wrong = guarded(() => {
    openStream(context, 0);
    room = pieces(context, list, count).reduce((sum, { length }) => sum + length, 0);
    context.view.setUint32(place(context, readAt, 4), 0, true);
  });
  if (wrong !== WASI_ERRNO.success || room === 0 || !hasInput(e)) return wrong;
  return ask(e, "input", { bytes: Math.min(room, LIMITS.inputBytes) }, [list, count, readAt]);
}

/** What has been read goes to the ULP that waited for it: its memory cannot have become less. */
export function inputRead(e: EngineState, answer: Answer, keep: readonly number[]): number {
  const [list = 0, count = 0, readAt = 0] = keep;
  const bytes = answer.bytes ?? new Uint8Array(0);
  const context = currentContext(e);
  return guarded(() => {
    let at = 0;
    for (const part of pieces(context, list, count)) {
      const some = bytes.subarray(at, at + part.length);
      part.set(some);
      at += some.length;
    }
    context.view.setUint32(place(context, readAt, 4), at, true);
  });
}
