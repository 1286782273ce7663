/**
 * `run()`: a linked program as many ULPs, from start to result. The library's entry, and what `upvm run` calls.
 *
 * Owns: the order of a run. Its threads are node-process.ts, its ULPs the runtime's, its result run-result.ts.
 */
import { type LinkInfo, linkInfo } from "../runtime/link/link-info.ts";
import { dumpOf, type LibraryDump } from "../runtime/scheduler/dump.ts";
import type { UlpFailure } from "../runtime/scheduler/engine-state.ts";
import { initialise, type StepDone } from "../runtime/scheduler/init.ts";
import type { Library } from "../runtime/scheduler/library.ts";
import { PLACEMENT, type Placement, type PlacementName } from "../runtime/scheduler/placement.ts";
import type { Program } from "../runtime/scheduler/programs.ts";
import { UpvmError } from "../wire/errors.ts";
import { LINK_ABI } from "../wire/layout.ts";
import { LIMITS } from "../wire/limits.ts";
import { PVM_ERROR } from "../wire/pvm.ts";
import { EngineThreads, processorCount, startSlices } from "./node-process.ts";
import {
  leaksOf,
  type Reason,
  type RunStats,
  reasonOf,
  runStats,
  type UlpResult,
  ulpResults,
} from "./run-result.ts";

export interface RunOptions {
  /** Linked program (`link`). */
  readonly module: Uint8Array;
  /** What messages and pvm_tasks call it. */
  readonly name?: string;
  /** How many ULPs; 1 unless told. */
  readonly ulps?: number;
  /** Engines; one for each processor unless told, and never more than ULPs. */
  readonly cores?: number;
  readonly place?: PlacementName | Placement;
  /** Time slice, milliseconds; a ULP runs until it waits unless told. */
  readonly sliceMs?: number;
  readonly heapBytes?: number;
  /** Largest memory of one ULP, pages of 64 KiB; what the program asks for unless told. */
  readonly memoryPages?: number;
  /** Most bytes that the calls of one suspended ULP may take. */
  readonly framesBytes?: number;
  /** Arguments of the program; its name comes before them. */
  readonly args?: readonly string[];
  /** `NAME=VALUE`; none unless told. */
  readonly env?: readonly string[];
  /** Takes what ULPs print: 1 standard output, 2 standard error. Nothing is printed unless told. */
  readonly output?: (fd: number, bytes: Uint8Array, tid: number) => void;
  /** `[t40001] ` before each line. */
  readonly tag?: boolean;
  /**
   * For pvm_spawn: a linked program by its file name, undefined if there is none. Called once for each name. Without
   * it a program can spawn only itself.
   */
  readonly loadProgram?: (name: string) => Promise<Uint8Array | undefined>;
  /** Stops the run: it resolves with reason "interrupted". */
  readonly signal?: AbortSignal;
  /** The result holds everything that there was when the run ended (`--dump`). */
  readonly dump?: boolean;
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
  /** From the call to the last ULP's end, milliseconds. */
  readonly ms: number;
}

/** @throws UpvmError if the program cannot be started; once ULPs run, what they do is in the result */
export async function run(options: RunOptions): Promise<RunResult> {
  const beganMs = performance.timeOrigin + performance.now();
  const name = options.name ?? "program";
  const ulps = options.ulps ?? 1;
  const { program, info } = await programOf(options.module, name, 0, options.memoryPages);
  const loader = new Loader(options);
  loader.points[0] = info.points;
  const failures = new Map<number, UlpFailure>();
  const interrupted = new Map<number, string>();
  let threads: EngineThreads | undefined;
  const start = (library: Library): void => {
    const made = new EngineThreads(library, processOptions(options, name, beganMs), {
      output: options.output ?? (() => {}),
      news: (engine, news) => {
        if (news.kind === "failed") failures.set(news.failure.index, news.failure);
        else if (news.kind === "interrupted") interrupted.set(news.index, news.stack);
        else void loader.answer(library, made, engine, news.index, news.name);
      },
    });
    threads = made;
  };
  // A program that can spawn may use every core, however few ULPs it begins with.
  const useful = info.imports.includes("pvm.pvm_spawn") ? LIMITS.engines : ulps;
  const plan = {
    program,
    ulps,
    engines: Math.min(options.cores ?? processorCount(), useful, LIMITS.engines),
    heapBytes: options.heapBytes ?? LIMITS.heapBytes,
    place: typeof options.place === "function" ? options.place : PLACEMENT[options.place ?? "block"],
  };
  const { library, trace } = initialise(plan, { prepare: start, start: () => {} });
  const clean = await ending(threads!, library, options);
  const ms = performance.timeOrigin + performance.now() - beganMs;
  const results = ulpResults(library, { failures, interrupted }, loader.points);
  const reason = reasonOf(library, results);
  const stats = runStats(library);
  const dump = options.dump === true && clean ? { dump: dumpOf(library) } : {};
  const leaks = clean ? leaksOf(library) : "";
  return { ok: reason === "done", reason, ulps: results, stats, leaks, trace, ...dump, ms };
}

/** Programs that pvm_spawn asks for: each is loaded and compiled once. (paper, 3.3) */
class Loader {
  /** By program: resume points of its link section. */
  readonly points: LinkInfo["points"][] = [];
  private readonly options: RunOptions;
  private readonly loaded = new Map<string, Promise<number>>();

  constructor(options: RunOptions) {
    this.options = options;
  }

  /** Tells an engine the program's number, when all engines have it, or PvmNoFile. Never fails. */
  async answer(
    library: Library,
    threads: EngineThreads,
    engine: number,
    index: number,
    name: string,
  ): Promise<void> {
    let program = this.loaded.get(name);
    if (program === undefined) {
      program = this.load(library, threads, name).catch(() => PVM_ERROR.PvmNoFile.code);
      this.loaded.set(name, program);
    }
    threads.send(engine, { kind: "answer", index, value: await program });
  }

  private async load(library: Library, threads: EngineThreads, name: string): Promise<number> {
    const wasm = await this.options.loadProgram?.(name);
    if (wasm === undefined) return PVM_ERROR.PvmNoFile.code;
    const id = library.programs.length;
    library.programs.length += 1;
    const { program, info } = await programOf(wasm, name, id, this.options.memoryPages);
    library.programs[id] = program;
    this.points[id] = info.points;
    for (let engine = 0; engine < library.process.engines; engine++)
      threads.send(engine, { kind: "program", program });
    return id;
  }
}

/** Waits for the end. False: a thread had to be ended by force, and the heap may be in any state. */
async function ending(threads: EngineThreads, library: Library, options: RunOptions): Promise<boolean> {
  const stopSlices = options.sliceMs === undefined ? () => {} : startSlices(library, options.sliceMs);
  let interruption: Promise<boolean> | undefined;
  const interrupt = (): void => {
    interruption ??= threads.interrupt();
  };
  if (options.signal?.aborted) interrupt();
  options.signal?.addEventListener("abort", interrupt);
  try {
    await threads.ended();
    return interruption === undefined || (await interruption);
  } finally {
    stopSlices();
    options.signal?.removeEventListener("abort", interrupt);
  }
}

function processOptions(options: RunOptions, name: string, beganMs: number) {
  const engine = {
    args: [name, ...(options.args ?? [])],
    env: options.env ?? [],
    tag: options.tag ?? false,
    slices: options.sliceMs !== undefined,
    loads: options.loadProgram !== undefined,
    framesBytes: options.framesBytes ?? LIMITS.framesBytesMax,
    shuffle: options.shuffle ?? 0,
  };
  return { engine, beganMs };
}

/** Compiles a linked program and reads what the link step says of it. */
async function programOf(
  wasm: Uint8Array,
  name: string,
  id: number,
  memoryPages: number | undefined,
): Promise<{ program: Program; info: LinkInfo }> {
  const info = linkInfo(wasm);
  if (info === undefined) throw new UpvmError("BAD_WASM", { path: name, why: "it is not linked" });
  if (info.abi !== LINK_ABI)
    throw new UpvmError("ALREADY_LINKED", { path: name, found: info.abi, wanted: LINK_ABI });
  const { min, max } = info.pages;
  const most = Math.min(memoryPages ?? LIMITS.memoryPages, max);
  if (most < min) throw new UpvmError("MEMORY_LIMIT", { path: name, pages: min, limit: most });
  const module = await WebAssembly.compile(wasm as Uint8Array<ArrayBuffer>);
  // The import's declared maximum must not be less than the memory's own: the module keeps it, we may give less.
  const pages = { min, max: most };
  return { program: { id, name, module, pages, stateBytes: info.stateBytes, tables: info.tables }, info };
}
