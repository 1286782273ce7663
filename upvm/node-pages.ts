/**
 * Pages of ULPs' memories. For memory that is about to be filled the system is asked for them before, some at once, and for large ones
 * where it has them: a page that is touched first costs an interruption each, 1.2 to 5 µs on a virtual machine, for 64 MB twice
 * as much as their way there. Those of a ULP that has left go back at once: V8 would do that when it collects its garbage, and
 * what is free by then has cooled down.
 *
 * Owns: what the system is asked, and that it is never asked of more than the bytes that were handed in. WebAssembly has no
 * words for it, so it is `madvise` of the C library, by Node's `node:ffi`. Where there is no such module (Node 24), no such
 * call (not Linux), or the kernel is too old for what is asked, nothing is done, and all is only slower.
 */
import { readFileSync } from "node:fs";
import type { Pages } from "../runtime/migrate/filling.ts";
import { LIMITS } from "../wire/limits.ts";

/** madvise(2) of Linux, on all its machines. */
const MADV_DONTNEED = 4;
const MADV_HUGEPAGE = 14;
const MADV_POPULATE_WRITE = 23;
/** Pages of most machines have so many bytes. Where they are larger, the call may be refused. */
const PAGE_BYTES = 4 << 10;
const LARGE_FILE = "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size";

type Ask = (bytes: Uint8Array, unitBytes: number, advice: number) => void;

/** What it needs is loaded when it is first asked: that takes some milliseconds, and most processes never are. */
export function nodePages(): Pages {
  let ask: Ask | undefined;
  let largeBytes = 0;
  const asked: Ask = (bytes, unitBytes, advice) => {
    ask ??= madviser();
    ask(bytes, unitBytes, advice);
  };
  return {
    begin: (bytes) => {
      if (largeBytes === 0) largeBytes = largePageBytes();
      if (bytes.length >= largeBytes) asked(bytes, largeBytes, MADV_HUGEPAGE);
    },
    next: (bytes) => asked(bytes, PAGE_BYTES, MADV_POPULATE_WRITE),
    giveBack(bytes) {
      const some = (at: number): void => {
        asked(bytes.subarray(at, at + LIMITS.pagesBackBytes), PAGE_BYTES, MADV_DONTNEED);
        const next = at + LIMITS.pagesBackBytes;
        if (next < bytes.length) setImmediate(() => some(next));
      };
      some(0);
    },
  };
}

/** What it says is not looked at: the bytes can be filled whatever it is. */
function madviser(): Ask {
  try {
    const ffi =
      process.platform === "linux"
        ? quietly(() => process.getBuiltinModule("node:ffi") as typeof import("node:ffi") | undefined)
        : undefined;
    if (ffi === undefined) return NOTHING;
    const { functions } = ffi.dlopen(null, { madvise: { arguments: ["u64", "u64", "i32"], return: "i32" } });
    const { madvise } = functions;
    return (bytes, unitBytes, advice) => {
      const [from, to] = wholeUnits(Number(ffi.getRawPointer(bytes)), bytes.length, unitBytes);
      if (to > from) madvise(BigInt(from), BigInt(to - from), advice);
    };
  } catch {
    // A module that may change at any time, in a way that is not foreseen here.
    return NOTHING;
  }
}
const NOTHING: Ask = () => {};

/** The part of [at, at + bytes) that begins and ends at multiples of a unit: from, to. Empty: to is not beyond from. */
export function wholeUnits(at: number, bytes: number, unitBytes: number): [from: number, to: number] {
  return [Math.ceil(at / unitBytes) * unitBytes, Math.floor((at + bytes) / unitBytes) * unitBytes];
}

/** Of a system without large pages: larger than anything. */
function largePageBytes(): number {
  try {
    return Number(readFileSync(LARGE_FILE, "latin1")) || Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Node warns of each module that is new, on the standard error of who runs a program. */
function quietly<T>(load: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return load();
  } finally {
    process.emitWarning = emitWarning;
  }
}
