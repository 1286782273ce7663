/**
 * The library: `import { run } from "upvm"`.
 *
 * Owns: the forms of the calls that other programs rely on. What they do is run.ts's, compile.ts's and the link
 * step's.
 */
import { type Linked, link as linkModule } from "../runtime/link/link.ts";
import { linkInfo } from "../runtime/link/link-info.ts";
import { UpvmError } from "../wire/errors.ts";
import type { CompileOptions } from "./compile.ts";
import { compile as compileFile } from "./node-compile.ts";
import { readBytes } from "./node-files.ts";
import { printBytes } from "./node-output.ts";
import { ulpReports } from "./outcome.ts";
import { prepare, siblings } from "./program.ts";
import type { UlpReport } from "./report.ts";
import { type RunOptions as AllOptions, type RunResult as RawResult, run as runLinked } from "./run.ts";

type Loader = NonNullable<AllOptions["loadProgram"]>;
const FILES = { readFile: readBytes, compile: compileFile, nowMs: () => performance.now() };

/** A program that is there and cannot be spawned: the guest gets PvmNoFile, the user the reason. */
function warn(error: UpvmError): void {
  void printBytes(2, `upvm: ${error.message}\n`);
}

export type { CompileOptions, Linked, UlpReport };
export { UpvmError };

/** As for `upvm run`; see run.ts for each. `output` takes what ULPs print: this process's own streams unless told. */
export interface RunOptions extends Omit<AllOptions, "module"> {
  /** For a program that is source. */
  readonly compile?: CompileOptions;
}
/** How a run ended. `ulps` have their stacks by function, file and line. */
export interface RunResult extends Omit<RawResult, "ulps"> {
  readonly ulps: readonly UlpReport[];
}

/**
 * Runs a program as many ULPs: a .ts, .c, .wat or .wasm file by its path, or the bytes of a wasm module. Compiles
 * and links what is not compiled and linked.
 *
 * @throws UpvmError if it cannot be started; what ULPs do then is in the result
 */
export async function run(program: string | Uint8Array, options: RunOptions = {}): Promise<RunResult> {
  const { compile: how, ...rest } = options;
  const path = typeof program === "string" ? program : (options.name ?? "program.wasm");
  const linked = typeof program === "string" ? (await compile(program, how)).wasm : link(program, path).wasm;
  const name = options.name ?? path.replace(/^.*[/\\]/, "");
  const programs = [linked];
  // Bytes are in no folder: without a loader of the caller's they can spawn only themselves.
  const load =
    options.loadProgram ??
    (typeof program === "string"
      ? siblings(program, [], FILES, warn, {}, linkInfo(linked)?.unpolled)
      : undefined);
  const result = await runLinked({
    output: printBytes,
    ...rest,
    ...(load !== undefined && { loadProgram: noting(load, programs) }),
    name,
    module: linked,
  });
  return { ...result, ulps: ulpReports(result.ulps, programs) };
}

/** Notes what a loader for pvm_spawn gives, in the order of the programs' numbers. */
function noting(load: Loader, programs: Uint8Array[]): Loader {
  return async (name) => {
    const found = await load(name);
    if (found !== undefined) programs.push(found);
    return found;
  };
}

/** Compiles a file, if it is source, and links it: what `upvm compile` writes. @throws UpvmError */
export async function compile(path: string, options: CompileOptions = {}): Promise<Linked> {
  return (await prepare(path, options, FILES)).linked;
}

/** Makes any wasm program that imports only `pvm` and WASI able to run as a ULP. @throws UpvmError */
export function link(wasm: Uint8Array, path = "program.wasm"): Linked {
  return linkModule(wasm, { path });
}
