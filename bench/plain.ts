/**
 * Runs a program's wasm as it left the compiler, not linked, alone: the baseline of the link step's cost.
 *
 *     node bench/plain.ts FILE [ARGS...]
 *
 * Owns: the least of WASI that bench/guests use, and PVM for a task that is alone. A routine that needs another task
 * throws. Its timing is the program's own.
 */
import { readFileSync, writeSync } from "node:fs";
import { type RoutineName, tidOf } from "../wire/pvm.ts";

class Exit extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

/** Memory of a program that imports it (asyncify.ts), and its pages. */
let own: WebAssembly.Memory | undefined;
const MEMORY_PAGES = 1024;

const [, , file, ...args] = process.argv;
if (file === undefined) throw new Error("usage: plain.ts FILE [ARGS...]");
process.exitCode = run(readFileSync(file), [file, ...args]);

function run(wasm: Uint8Array<ArrayBuffer>, argv: readonly string[]): number {
  const module = new WebAssembly.Module(wasm);
  let memory: WebAssembly.Memory | undefined;
  const view = () => {
    if (memory === undefined) throw new Error("the program has no memory");
    return new DataView(memory.buffer);
  };
  const imports: Record<string, Record<string, CallableFunction>> = {
    wasi_snapshot_preview1: { ...missing(module, "wasi_snapshot_preview1"), ...wasi(view, argv) },
    pvm: { ...missing(module, "pvm"), ...pvmAlone(view) },
  };
  const { exports } = new WebAssembly.Instance(module, {
    ...(imports as WebAssembly.Imports),
    upvm: asyncifiedImports(module),
  });
  memory = (exports["memory"] ?? own) as WebAssembly.Memory;
  try {
    (exports["_start"] as () => void)();
    return 0;
  } catch (error) {
    if (error instanceof Exit) return error.code;
    throw error;
  }
}

/** What a program that went through asyncify.ts imports besides: nothing asks it to stop. */
function asyncifiedImports(module: WebAssembly.Module): WebAssembly.ModuleImports {
  const wanted = WebAssembly.Module.imports(module).filter((each) => each.module === "upvm");
  if (wanted.length === 0) return {};
  own = new WebAssembly.Memory({ initial: MEMORY_PAGES });
  const ctl = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  return { memory: own, ctl, poll: () => {} };
}

/** Every import of a namespace, as a function that says which is missing. */
function missing(module: WebAssembly.Module, namespace: string): Record<string, CallableFunction> {
  const names = WebAssembly.Module.imports(module).filter((each) => each.module === namespace);
  return Object.fromEntries(
    names.map(({ name }) => [
      name,
      () => {
        throw new Error(`${namespace}.${name} is not for a program that is not linked`);
      },
    ]),
  );
}

/** Errno 0 is success, 8 EBADF, 52 ENOSYS (WASI preview 1). */
function wasi(view: () => DataView, argv: readonly string[]): Record<string, CallableFunction> {
  const texts = argv.map((text) => new TextEncoder().encode(`${text}\0`));
  return {
    args_sizes_get(countAt: number, bytesAt: number) {
      view().setUint32(countAt, texts.length, true);
      view().setUint32(
        bytesAt,
        texts.reduce((sum, text) => sum + text.length, 0),
        true,
      );
      return 0;
    },
    args_get(at: number, textAt: number) {
      for (const [index, text] of texts.entries()) {
        view().setUint32(at + 4 * index, textAt, true);
        new Uint8Array(view().buffer, textAt).set(text);
        textAt += text.length;
      }
      return 0;
    },
    environ_sizes_get(countAt: number, bytesAt: number) {
      view().setUint32(countAt, 0, true);
      view().setUint32(bytesAt, 0, true);
      return 0;
    },
    environ_get: () => 0,
    clock_time_get(_clock: number, _precision: bigint, at: number) {
      view().setBigUint64(at, process.hrtime.bigint(), true);
      return 0;
    },
    fd_write(fd: number, vectors: number, count: number, writtenAt: number) {
      let written = 0;
      for (let index = 0; index < count; index++) {
        const at = view().getUint32(vectors + 8 * index, true);
        const bytes = view().getUint32(vectors + 8 * index + 4, true);
        written += writeSync(fd, new Uint8Array(view().buffer, at, bytes));
      }
      view().setUint32(writtenAt, written, true);
      return 0;
    },
    fd_close: () => 0,
    fd_seek: () => 52,
    /** A character device, so that libc writes line by line. */
    fd_fdstat_get(_fd: number, at: number) {
      new Uint8Array(view().buffer, at, 24).fill(0);
      view().setUint8(at, 2);
      return 0;
    },
    fd_prestat_get: () => 8,
    proc_exit(code: number) {
      throw new Exit(code);
    },
    random_get(at: number, bytes: number) {
      new Uint8Array(view().buffer, at, bytes).fill(4);
      return 0;
    },
  };
}

/** The routines that a single task calls before and after its work; bench/guests make no others then. */
function pvmAlone(view: () => DataView): Partial<Record<RoutineName, CallableFunction>> {
  return {
    pvm_mytid: () => tidOf(0),
    pvm_gsize: () => 1,
    pvm_siblings_get(at: number, count: number) {
      if (count > 0) view().setInt32(at, tidOf(0), true);
      return 1;
    },
    pvm_exit: () => 0,
  };
}
