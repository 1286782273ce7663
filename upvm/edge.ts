/**
 * What the command line needs of the world around it: handed in by main.ts, or by a test.
 *
 * Owns: the shape. No file, clock, stream or signal is touched anywhere else in this folder's pure code.
 */
import type { CheckpointFile, Sum } from "../runtime/migrate/checkpoint.ts";
import type { CcResult, CcTool } from "./cc.ts";
import type { Compiled, CompileOptions } from "./compile.ts";
import type { InputSource } from "./run.ts";
import type { Vm } from "./vm.ts";

/** A file that is being written: it has its name when it is whole. */
export interface NewFile {
  write(bytes: Uint8Array): void;
  /** It has its name from now on. */
  commit(): void;
  /** Nothing of it stays. Nothing if it was committed. */
  drop(): void;
}

export interface CheckpointFiles {
  /** CRC-32. */
  readonly sum: Sum;
  /** Each call, and those of what it returns @throws UpvmError FILE_NOT_WRITTEN */
  create(path: string): NewFile;
  /** Opens a file for as long as `use` takes. @throws UpvmError FILE_NOT_FOUND, and what `use` throws */
  withFile<T>(path: string, use: (file: CheckpointFile) => Promise<T> | T): Promise<T>;
}

export interface LinesOptions {
  readonly prompt: string;
  readonly historyFile: string;
  /** What may stand for the last word of a line. */
  readonly complete: (line: string) => Promise<readonly string[]>;
}

/** Lines for the console. */
export interface Lines {
  /** False: nobody sits there; no prompt is shown. */
  readonly typed: boolean;
  /** Calls `take` for each line, one after the other, until it returns true or there are no more. */
  each(take: (line: string) => Promise<boolean>): Promise<void>;
}

export interface Edge {
  /** Standard output: data, and nothing else with --json. */
  out(data: string | Uint8Array): void;
  /** Standard error: messages for the person at the terminal. */
  err(data: string | Uint8Array): void;
  /**
   * What ULPs print, which has no end: 1 standard output, 2 standard error.
   *
   * @returns a promise if who reads is behind: wait for it before more
   */
  print(fd: 1 | 2, data: string | Uint8Array): Promise<void> | undefined;
  /** Whether each is a terminal that shows colours (and NO_COLOR is not set). */
  readonly colour: { readonly out: boolean; readonly err: boolean };
  /** Columns of the terminal, for help. */
  readonly columns: number;
  /** Milliseconds since some moment before the start. */
  nowMs(): number;
  /** Most memory that this process has had at once, bytes: of all ULPs, the heap, and Node. */
  peakMemoryBytes(): number;
  /** UPVM_PATH: folders of programs for pvm_spawn, with colons between them. */
  readonly programPath: string;
  /** Version of this package. */
  readonly version: string;
  /** @throws UpvmError FILE_NOT_FOUND */
  readFile(path: string): Promise<Uint8Array>;
  /** Source file to wasm, not linked. @throws UpvmError COMPILE and others: see compile.ts */
  compile(path: string, options: CompileOptions): Promise<Compiled>;
  /** Runs a compiler's tool; what it makes is in the result. */
  cc(tool: CcTool, words: readonly string[], own?: string): Promise<CcResult>;
  /** @throws UpvmError FILE_NOT_WRITTEN */
  writeFile(path: string, data: string | Uint8Array): Promise<void>;
  /** A folder's absolute path without symbolic links. @throws UpvmError FILE_NOT_FOUND */
  realFolder(path: string): Promise<string>;
  /** Standard input, read when it is asked for. */
  input(): InputSource & { close(): void };
  /**
   * From this call on, the first Ctrl-C or SIGTERM aborts the signal, and the second ends the process at once.
   * Until then one ends the process, as usual.
   */
  interrupts(): AbortSignal;
  /** Lines for the console: typed, or of a pipe. */
  lines(options: LinesOptions): Lines;
  /** Told when a job of `upvm run` has begun on a virtual machine. */
  readonly jobBegun?: (job: number) => void;
  /** The virtual machine of this user's home. @throws UpvmError HOME_UNKNOWN, HOME_TOO_LONG */
  vm(): Promise<Vm>;
  /** Files of checkpoints. */
  checkpoints(): Promise<CheckpointFiles>;
  /** Hexadecimal. */
  sha256(bytes: Uint8Array): string;
  /** Runs a program of this package, such as "bench/main", with this terminal. @returns its exit code */
  runScript(script: string, args: readonly string[]): Promise<number>;
}
