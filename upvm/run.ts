/**
 * `run()`: a linked program as many ULPs, from start to result. The library's entry, and what `upvm run`
 * calls.
 *
 * Owns: what a caller gives and gets. One process is run-here.ts, one for each ULP is node-isolate.ts.
 */
import type { LibraryDump } from "../runtime/scheduler/dump.ts";
import type { Grant } from "../runtime/scheduler/files.ts";
import type { StepDone } from "../runtime/scheduler/init.ts";
import type { Placement, PlacementName } from "../runtime/scheduler/placement.ts";
import { runIsolated } from "./node-isolate.ts";
import type { ProfileRow } from "./profile.ts";
import { runHere } from "./run-here.ts";
import type { Reason, RunStats, UlpResult } from "./run-result.ts";

/** Where standard input comes from. Nothing is read before a ULP asks. */
export interface InputSource {
  /** Waits for some input. @returns `bytes` at most; none at its end */
  read(bytes: number): Promise<Uint8Array>;
  /** Waits for input, `ms` milliseconds, -1: for ever. @returns whether a read would not wait */
  ready(ms: number): Promise<boolean>;
}

export interface RunOptions {
  /** Linked program (`link`). */
  readonly module: Uint8Array;
  /** What messages and pvm_tasks call it. */
  readonly name?: string;
  /** How many ULPs; 1 unless told. */
  readonly ulps?: number;
  /** Engines; one for each processor unless told, and never more than ULPs. */
  readonly cores?: number;
  /** A policy of the caller's own is asked for each ULP, and may put few on any of the engines. */
  readonly place?: PlacementName | Placement;
  /** Time slice, milliseconds; a ULP runs until it waits unless told. */
  readonly sliceMs?: number;
  readonly heapBytes?: number;
  /** The result says where ULPs computed, looked at so often, milliseconds (`--profile`). */
  readonly profileMs?: number;
  /** Largest memory of one ULP, pages of 64 KiB; what the program asks for unless told. */
  readonly memoryPages?: number;
  /** Most bytes that the calls of one suspended ULP may take. */
  readonly framesBytes?: number;
  /** Arguments of the program; its name comes before them. */
  readonly args?: readonly string[];
  /** `NAME=VALUE`; none unless told. */
  readonly env?: readonly string[];
  /** Folders that the program may use; none unless told. */
  readonly grants?: readonly Grant[];
  /** Standard input of the first ULP; at its end from the start unless told. */
  readonly input?: InputSource;
  /**
   * Takes what ULPs print: 1 standard output, 2 standard error. Nothing is printed unless told. If it gives a promise, ULPs
   * that print much wait for it.
   */
  readonly output?: (fd: number, bytes: Uint8Array, tid: number) => unknown;
  /** `[t40001] ` before each line. */
  readonly tag?: boolean;
  /** An operating system process for each ULP, for debuggers and comparison; slow. pvm_spawn does nothing. */
  readonly isolate?: boolean;
  /**
   * For pvm_spawn: a linked program by its file name, undefined if there is none. Called once for each name.
   * Without it a program can spawn only itself.
   */
  readonly loadProgram?: (name: string) => Promise<Uint8Array | undefined>;
  /** Stops the run: it resolves with reason "interrupted". */
  readonly signal?: AbortSignal;
  /** The result holds everything that there was when the run ended (`--dump`). */
  readonly dump?: boolean;
  /** False: no hand-off scheduling, for a benchmark of what it is worth. */
  readonly handoff?: boolean;
  /** For tests: ULPs change engines at every chance, in a sequence from this seed. */
  readonly shuffle?: number;
}

export interface RunResult {
  /** Every ULP ended with exit code 0. */
  readonly ok: boolean;
  readonly reason: Reason;
  readonly ulps: readonly UlpResult[];
  readonly stats: RunStats;
  /** What the process heap still held and should not; "" always, unless upvm has a bug. */
  readonly leaks: string;
  /** What initialisation did. */
  readonly trace: readonly StepDone[];
  readonly dump?: LibraryDump;
  /** Places where ULPs were seen to compute (RunOptions.profileMs), the most frequent first. */
  readonly profile?: readonly ProfileRow[];
  /** From the call to the last ULP's end, milliseconds. */
  readonly ms: number;
}

/** @throws UpvmError if the program cannot be started; once ULPs run, what they do is in the result */
export async function run(options: RunOptions): Promise<RunResult> {
  return options.isolate === true ? await runIsolated(options) : await runHere(options);
}
