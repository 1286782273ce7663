/**
 * A run in this process: engines are its threads.
 *
 * Owns: the order of a run. Its threads are node-process.ts, its ULPs the runtime's, its result
 * run-result.ts.
 */
import type { LinkInfo } from "../runtime/link/link-info.ts";
import { type Addressed, Freezer } from "../runtime/migrate/freezer.ts";
import { dumpOf } from "../runtime/scheduler/dump.ts";
import type { UlpFailure } from "../runtime/scheduler/engine-state.ts";
import type { FileEdge, Grant } from "../runtime/scheduler/files.ts";
import { initialise } from "../runtime/scheduler/init.ts";
import type { Library } from "../runtime/scheduler/library.ts";
import { isOutside } from "../runtime/scheduler/outside.ts";
import { PLACEMENT, type Placement } from "../runtime/scheduler/placement.ts";
import { ulpOf } from "../runtime/scheduler/ulp.ts";
import { ATTENTION, HEAD } from "../wire/layout.ts";
import { LIMITS } from "../wire/limits.ts";
import type { Engines, TurnWatch } from "./engine-thread.ts";
import { HostProcess, ownService, type Server } from "./host-process.ts";
import { LocalHost } from "./local-host.ts";
import { nodeFiles } from "./node-file-edge.ts";
import { OwnEngine } from "./node-own-engine.ts";
import {
  EngineThreads,
  type ProcessEvents,
  type ProcessOptions,
  processorCount,
  startClock,
  startTicks,
  surroundings,
} from "./node-process.ts";
import { Samples } from "./profile.ts";
import { Loader, programOf } from "./program-loader.ts";
import type { RunOptions, RunResult } from "./run.ts";
import { leaksOf, reasonOf, runStats, ulpResults } from "./run-result.ts";

/** The part of a program that this process runs, if others run the rest. */
export interface Part {
  /** Which of the first ULPs are of other processes. */
  readonly elsewhere: (index: number) => boolean;
  /** Engine of each of the ULPs that are its; absent: RunOptions.place. */
  readonly place?: Placement;
  /** Most engines that it is of use to have. */
  readonly engines: number;
  /** This thread has the stack that an engine needs, and is watched: it runs the engine itself if there is one only. */
  readonly turns?: TurnWatch;
  /** HEAD.tidBase. */
  readonly tidBase: number;
  /** A virtual machine serves it, and is told of every end (HEAD.machine). Not unless told. */
  readonly machine?: boolean;
  /** The process goes on when it has no ULP any more: it is stopped by who began it. */
  readonly stays: boolean;
  /** The process is set up: messages may come in, and it may be stopped. @returns who serves the requests of its ULPs */
  readonly begun: (process: PartProcess) => Server;
  /** A ULP of this process has ended; told if a virtual machine serves it. */
  readonly exited?: (index: number) => void;
  /** There is something in the outbox (runtime/scheduler/outbox.ts). */
  readonly outgoing: () => void;
  /** An answer, a message or an order for a ULP that is of another process now. */
  readonly away?: (parcel: Addressed) => void;
  /** The engines have stopped, and the heap is about to be looked at: nothing uses it any more afterwards. */
  readonly ended: (library: Library) => Promise<void>;
}

/** What there is of such a process while it runs. */
export interface PartProcess {
  readonly library: Library;
  readonly threads: Engines;
  readonly loader: Loader;
  readonly host: LocalHost;
  readonly freezer: Freezer;
  /** What its ULPs may open, and the way there. */
  readonly grants: readonly Grant[];
  readonly files?: FileEdge;
  /** Milliseconds since it began: what deadlines of ULPs count from. */
  readonly nowMs: () => number;
}

/**
 * Runs the ULPs of this process: all of the program's, or the part that is its.
 *
 * @throws UpvmError if the program cannot be started
 */
export async function runHere(options: RunOptions, part?: Part): Promise<RunResult> {
  const beganMs = performance.timeOrigin + performance.now();
  const name = options.name ?? "program";
  const ulps = options.ulps ?? 1;
  const { program, info } = await programOf(options.module, name, 0, options.memoryPages);
  const loader = new Loader(options);
  loader.points[0] = info.points;
  const failures = new Map<number, UlpFailure>();
  const interrupted = new Map<number, string>();
  const samples = new Samples();
  let threads: Engines | undefined;
  let host: HostProcess | undefined;
  let freezer: Freezer | undefined;
  const start = (library: Library): void => {
    // Others may send at any time: this process alone cannot know that nothing can happen any more.
    if (part !== undefined) Atomics.add(library.w, HEAD.outside, 1);
    if (part?.stays === true) Atomics.add(library.w, HEAD.live, 1);
    const made = engines(
      library,
      processOptions(options, name, beganMs, part !== undefined),
      turnsOf(options, part, info),
      {
        output: options.output ?? (() => {}),
        news: (_, news) => {
          if (news.kind === "failed") failures.set(news.failure.index, news.failure);
          else if (news.kind === "interrupted") interrupted.set(news.index, news.stack);
          else if (news.kind === "sample") samples.add(news.index, news.stack);
          else if (news.kind === "outbox") part?.outgoing();
          else if (news.kind === "created") local.created(news.order, news.codes);
          else if (news.kind === "exited") part?.exited?.(news.index);
          else void machine.take(news.request);
        },
        parcel: (parcel) => freezer?.take(parcel),
      },
    );
    threads = made;
    freezer = new Freezer(library, {
      send: (engine, parcel) => made.send(engine, parcel),
      away: (parcel) => part?.away?.(parcel),
    });
    const known = { ...surroundings, input: options.input };
    const local = new LocalHost(library, made, loader, known);
    const grants = options.grants ?? [];
    const process: PartProcess = {
      ...{ library, threads: made, loader, host: local, freezer, grants },
      ...(grants.length > 0 && { files: nodeFiles() }),
      nowMs: () => performance.timeOrigin + performance.now() - beganMs,
    };
    const serve = part?.begun(process) ?? ownService(local);
    const machine = new HostProcess(library, serve);
    host = machine;
  };
  // A program that can spawn may use every core, however few ULPs it begins with; so may a placement of the user's.
  const every = info.imports.includes("pvm.pvm_spawn") || typeof options.place === "function";
  const useful = every ? LIMITS.engines : ulps;
  const plan = {
    program,
    ulps,
    engines: Math.min(options.cores ?? processorCount(), part?.engines ?? useful, LIMITS.engines),
    heapBytes: options.heapBytes ?? LIMITS.heapBytes,
    ...(part !== undefined && {
      elsewhere: part.elsewhere,
      tidBase: part.tidBase,
      machine: part.machine ?? false,
    }),
    place:
      part?.place ??
      (typeof options.place === "function" ? options.place : PLACEMENT[options.place ?? "block"]),
  };
  const { library, trace } = initialise(plan, { prepare: start, start: () => {} });
  const clean = await ending(threads!, library, options);
  freezer?.stopped();
  host?.throwBug();
  await part?.ended(library);
  const ms = performance.timeOrigin + performance.now() - beganMs;
  const all = ulpResults(library, { failures, interrupted }, loader.points);
  const results =
    part === undefined ? all : all.filter(({ tid }) => !isOutside(library.w, ulpOf(library.w, tid)));
  const reason = reasonOf(library, results);
  const stats = runStats(library);
  const more = {
    ...(options.dump === true && clean && { dump: dumpOf(library) }),
    ...(options.profileMs !== undefined && { profile: samples.rows() }),
  };
  const leaks = clean ? leaksOf(library) : "";
  return { ok: reason === "done", reason, ulps: results, stats, leaks, trace, ...more, ms };
}

function engines(
  library: Library,
  options: ProcessOptions,
  turns: TurnWatch | undefined,
  events: ProcessEvents,
): Engines {
  if (turns === undefined || library.process.engines > 1) return new EngineThreads(library, options, events);
  return new OwnEngine(library, options, events, turns);
}

/**
 * What ticks for slices and profiles cannot reach a thread that runs a ULP; and one without polls would keep the thread that
 * looks after the links.
 */
function turnsOf(
  { sliceMs, profileMs, shuffle }: RunOptions,
  part: Part | undefined,
  { unpolled }: LinkInfo,
): TurnWatch | undefined {
  if (unpolled) return undefined;
  return sliceMs === undefined && profileMs === undefined && !shuffle ? part?.turns : undefined;
}

/** Waits for the end. False: a thread had to be ended by force, and the heap may be in any state. */
async function ending(threads: Engines, library: Library, options: RunOptions): Promise<boolean> {
  const { sliceMs, profileMs } = options;
  const stopTicks = [
    // An engine that has turns looks at the clock in each, and what ends them asks a ULP that computes: no process wakes up for it.
    ...(threads instanceof OwnEngine ? [] : [startClock(library)]),
    ...(sliceMs === undefined ? [] : [startTicks(library, sliceMs, ATTENTION.slice)]),
    ...(profileMs === undefined ? [] : [startTicks(library, profileMs, ATTENTION.sample)]),
  ];
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
    for (const stop of stopTicks) stop();
    options.signal?.removeEventListener("abort", interrupt);
  }
}

function processOptions(options: RunOptions, name: string, beganMs: number, outside: boolean) {
  const engine = {
    args: [name, ...(options.args ?? [])],
    env: options.env ?? [],
    grants: options.grants ?? [],
    input: options.input !== undefined,
    tag: options.tag ?? false,
    hostName: surroundings.hostName,
    outside,
    handoff: options.handoff ?? true,
    framesBytes: options.framesBytes ?? LIMITS.framesBytesMax,
    shuffle: options.shuffle ?? 0,
  };
  return { engine, beganMs };
}
