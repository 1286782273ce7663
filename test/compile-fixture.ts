/**
 * For tests of compiled programs: compile in a folder of their own, look inside, run under Node's own WASI.
 */
import assert from "node:assert/strict";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { WASI } from "node:wasi";
import { symbolizer } from "../runtime/link/lines.ts";
import { stackOf } from "../runtime/link/wasm-stack.ts";
import { type Compiled, type CompileHost, type CompileOptions, compile } from "../upvm/compile.ts";
import { keepMade } from "../upvm/node-compile-cache.ts";
import { UpvmError } from "../wire/errors.ts";
import { TID_BASE } from "../wire/pvm.ts";
import { CACHE } from "./guest-run.ts";

/** Calls `use` in a new working folder that holds `files` (paths with "/" make folders), and removes it afterwards. */
export async function inFolderOf<T>(
  files: Readonly<Record<string, string>>,
  use: (folder: string) => Promise<T> | T,
): Promise<T> {
  const before = process.cwd();
  const folder = mkdtempSync(join(tmpdir(), "upvm-compile-test-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    process.chdir(folder);
    return await use(folder);
  } finally {
    process.chdir(before);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Files as they are on disk. */
function realFiles(): CompileHost {
  return {
    root: resolve(import.meta.dirname, ".."),
    folder: process.cwd(),
    read(path) {
      try {
        return readFileSync(resolve(path), "utf8");
      } catch {
        return null;
      }
    },
    list(path) {
      try {
        return readdirSync(resolve(path));
      } catch {
        return [];
      }
    },
    // The guest's library: once for all tests.
    keep: (key, make) => keepMade(CACHE, key, make),
  };
}

/**
 * Compiles a file on this thread: in a thread of its own, each time, a compiler takes a second to load.
 * Not optimized unless `options` say so, since that takes longest.
 */
export function compileHere(path: string, options: CompileOptions = {}): Promise<Compiled> {
  return compile(path, { optimize: "0", ...options }, realFiles());
}

/** compileHere() for one source, in a folder that holds it and `others`. */
export function compiled(
  name: string,
  text: string,
  options: CompileOptions = {},
  others: Readonly<Record<string, string>> = {},
): Promise<Compiled> {
  return inFolderOf({ ...others, [name]: text }, () => compileHere(name, options));
}

/** What the user is told of a program that must not compile. */
export async function compileError(path: string, files: Readonly<Record<string, string>>): Promise<string> {
  return inFolderOf(files, async () => {
    try {
      await compileHere(path);
    } catch (error) {
      assert.ok(error instanceof UpvmError, String(error));
      assert.equal(error.code, "COMPILE");
      return error.message;
    }
    return assert.fail(`${path} was compiled`);
  });
}

/** `module.name` of everything that a program imports. */
export function importsOf(wasm: Uint8Array): string[] {
  const module = new WebAssembly.Module(wasm);
  return WebAssembly.Module.imports(module).map((item) => `${item.module}.${item.name}`);
}

export interface Ran {
  readonly out: string;
  readonly err: string;
  /** Exit code; undefined if it trapped. */
  readonly code: number | undefined;
  /** Where it trapped, innermost first: "function file:line". */
  readonly trap: readonly string[];
}

/** Runs a program that uses nothing of PVM under Node's WASI. */
export function runAlone(
  wasm: Uint8Array,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Ran {
  const folder = mkdtempSync(join(tmpdir(), "upvm-run-test-"));
  const [out, err] = [join(folder, "out"), join(folder, "err")];
  const [stdout, stderr] = [openSync(out, "w"), openSync(err, "w")];
  try {
    const wasi = new WASI({ version: "preview1", args: ["program", ...args], env, stdout, stderr });
    const module = new WebAssembly.Module(wasm);
    // What an abort says of itself; all else of PVM is not there.
    const pvm = { pvm_mytid: () => TID_BASE + 1 };
    const instance = new WebAssembly.Instance(module, { pvm, wasi_snapshot_preview1: wasi.wasiImport });
    let code: number | undefined;
    let trap: string[] = [];
    try {
      code = wasi.start(instance);
    } catch (error) {
      assert.ok(error instanceof WebAssembly.RuntimeError, String(error));
      const symbols = symbolizer(wasm);
      trap = stackOf(error).map(({ offset }) => {
        const place = symbols.at(offset);
        return `${place?.func} ${place?.file}:${place?.line}`;
      });
    }
    return { out: readFileSync(out, "utf8"), err: readFileSync(err, "utf8"), code, trap };
  } finally {
    closeSync(stdout);
    closeSync(stderr);
    rmSync(folder, { recursive: true, force: true });
  }
}
