/**
 * Turns a program's source into wasm with the compiler of its language: names and lines kept, not linked yet.
 *
 * Owns: which compiler, what it is asked for, and what an error looks like. Never touches a file: what it reads
 * comes from the host that it is handed. node-compile.ts has the one for Node, with a cache.
 */
import { UpvmError } from "../wire/errors.ts";
import { compileAssemblyScript } from "./compile-assemblyscript.ts";
import { compileC } from "./compile-c.ts";
import { compileWat } from "./compile-wat.ts";

export const OPTIMIZE = ["0", "1", "2", "3", "s", "z"] as const;
export const RUNTIME = ["incremental", "minimal", "stub"] as const;

export interface CompileOptions {
  /** Default "3". */
  readonly optimize?: (typeof OPTIMIZE)[number];
  /**
   * AssemblyScript's memory manager, default "incremental": the only one with which every program runs for ever.
   * "minimal" collects when told to, "stub" never frees; both spare a few instructions in functions with objects.
   */
  readonly runtime?: (typeof RUNTIME)[number];
  /** C: more source files of the same program. */
  readonly sources?: readonly string[];
  /** C: folders to look for #include files (-I), definitions (-D: NAME or NAME=VALUE), libraries (-l: m, …). */
  readonly include?: readonly string[];
  readonly define?: readonly string[];
  readonly libraries?: readonly string[];
  /** C: its stack, bytes; STACK_BYTES unless told. */
  readonly stackBytes?: number;
  /** C: a compiler of the user's own, as a command; the package's clang unless told. */
  readonly cc?: string;
}

export interface Compiled {
  /** Imports only `pvm` and `wasi_snapshot_preview1` unless the program declares others: the link step says so. */
  readonly wasm: Uint8Array;
  /** AssemblyScript: its source map, JSON; also in the wasm, section `upvm.sourcemap`. C has DWARF in the wasm. */
  readonly lines?: string;
  /** What the compiler said although it succeeded; "" if nothing. */
  readonly warnings: string;
}

/** The world, as far as a compiler needs it. Paths are absolute, or relative to `folder`. */
export interface CompileHost {
  /** This package's folder, absolute: the guest library is in its guest/. */
  readonly root: string;
  /** The working folder, absolute. */
  readonly folder: string;
  /** Text of a file; null if there is no such file. */
  read(path: string): string | null;
  /** Names of the files in a folder; none if there is no such folder. */
  list(path: string): readonly string[];
  /** Contents of a file; null if there is no such file. Absent: none can be read. */
  bytes?(path: string): Uint8Array | null;
  /** Standard input, to its end. Absent: there is none. */
  input?(): Promise<string>;
  /** Runs a compiler of the user's. `inPlace`: it writes where its words say; else what it makes is in `made`. */
  own?(
    words: readonly string[],
    inPlace: boolean,
  ): Promise<{ readonly code: number; readonly said: string; readonly made: Uint8Array | undefined }>;
  /** What was made for this key before, else what `make` gives, kept if it gives something. Absent: nothing is kept. */
  keep?(key: string, make: () => Promise<Uint8Array | undefined>): Promise<Uint8Array | undefined>;
}

/**
 * Compiles a .ts, .c, .cc, .cpp, .cxx or .wat file.
 *
 * @param path  as the user wrote it: so it stands in messages and line tables
 * @throws UpvmError COMPILE (the compiler's own words), FILE_NOT_FOUND, NOT_A_PROGRAM, USAGE
 */
export async function compile(path: string, options: CompileOptions, host: CompileHost): Promise<Compiled> {
  checkOptions(path, options);
  for (const source of [path, ...(options.sources ?? [])]) {
    if (host.read(source) === null)
      throw new UpvmError("FILE_NOT_FOUND", { path: source, why: "no such file" });
  }
  switch (languageOf(path)) {
    case "ts":
      return compileAssemblyScript(path, options, host);
    case "c":
    case "cc":
    case "cpp":
    case "cxx":
      return compileC(path, options, host);
    case "wat":
      return compileWat(path, host);
    default:
      throw new UpvmError("NOT_A_PROGRAM", { path });
  }
}

function languageOf(path: string): string {
  return /\.(\w+)$/.exec(path)?.[1] ?? "";
}

function isC(language: string): boolean {
  return /^(c|cc|cpp|cxx)$/.test(language);
}

/** An option that the language does not know is a mistake of the user's, not something to ignore. */
function checkOptions(path: string, options: CompileOptions): void {
  const { sources = [], include = [], define = [], libraries = [] } = options;
  const language = languageOf(path);
  const hasC = sources.length + include.length + define.length + libraries.length > 0;
  const refuse = (why: string, hint: string): never => {
    throw new UpvmError("USAGE", { why, hint });
  };
  if (!isC(language) && hasC) {
    refuse(
      `Cannot compile ${path} with C's options`,
      "further sources, -I, -D and -l are for C and C++ files",
    );
  }
  if (language !== "ts" && options.runtime !== undefined) {
    refuse(`Cannot compile ${path} with AssemblyScript's option runtime`, "it is for .ts files");
  }
  for (const source of sources) {
    if (!isC(languageOf(source))) {
      refuse(
        `Cannot compile ${source} together with ${path}`,
        "all sources of a C program are C or C++ files",
      );
    }
  }
}
