/**
 * What WASI's calls read and write in the running ULP's memory: lists of pieces, paths, counts.
 *
 * Owns: the checks of addresses. A bad one is EFAULT.
 */
import { LIMITS } from "../../wire/limits.ts";
import { WASI_ERRNO } from "../../wire/wasi.ts";
import type { Context } from "../scheduler/context.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { FileError } from "../scheduler/files.ts";
import { currentContext } from "./guest.ts";

/** Pieces of memory of a list of (address, length), all checked. @throws FileError EFAULT, EINVAL */
export function pieces(context: Context, list: number, count: number): Uint8Array[] {
  if (count >>> 0 > LIMITS.ioPieces) throw new FileError(WASI_ERRNO.inval);
  if (!context.covers(list >>> 0, 8 * (count >>> 0))) throw new FileError(WASI_ERRNO.fault);
  const found: Uint8Array[] = [];
  for (let i = 0; i < count >>> 0; i++) {
    const at = context.view.getUint32((list >>> 0) + 8 * i, true);
    const bytes = context.view.getUint32((list >>> 0) + 8 * i + 4, true);
    if (!context.covers(at, bytes)) throw new FileError(WASI_ERRNO.fault);
    found.push(context.bytes.subarray(at, at + bytes));
  }
  return found;
}

/** A path in UTF-8. @throws FileError EFAULT, ENAMETOOLONG, EILSEQ */
export function pathText(context: Context, at: number, bytes: number): string {
  if (bytes >>> 0 > LIMITS.pathBytes) throw new FileError(WASI_ERRNO.nametoolong);
  if (!context.covers(at >>> 0, bytes >>> 0)) throw new FileError(WASI_ERRNO.fault);
  try {
    // A copy: TextDecoder takes no shared memory.
    return new TextDecoder("utf-8", { fatal: true }).decode(
      context.bytes.slice(at >>> 0, (at >>> 0) + bytes),
    );
  } catch {
    throw new FileError(WASI_ERRNO.ilseq);
  }
}

/** Checks that a result of this size can be stored. @throws FileError EFAULT */
export function place(context: Context, at: number, bytes: number): number {
  if (!context.covers(at >>> 0, bytes)) throw new FileError(WASI_ERRNO.fault);
  return at >>> 0;
}

/** Runs a call that may throw FileError: its errno, or 0. */
export function guarded(call: () => void): number {
  try {
    call();
    return WASI_ERRNO.success;
  } catch (error) {
    if (error instanceof FileError) return error.errno;
    throw error;
  }
}

export type Call = (...args: (number | bigint)[]) => number;

/** As guarded, for a call that is given the running ULP's context first. */
export function contextCall<A extends (number | bigint)[]>(
  e: EngineState,
  call: (context: Context, ...args: A) => void,
): (...args: A) => number {
  return (...args) => guarded(() => call(currentContext(e), ...args));
}
