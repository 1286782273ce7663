/**
 * What a run comes to: every ULP's end, why the run ended, counts, leaks.
 *
 * Owns: the shapes, and reading them from the process heap when no engine runs any more.
 */
import { stackOf } from "../runtime/link/wasm-stack.ts";
import { release } from "../runtime/scheduler/end.ts";
import { COUNTER, type UlpFailure } from "../runtime/scheduler/engine-state.ts";
import type { Library } from "../runtime/scheduler/library.ts";
import { ulpAt } from "../runtime/scheduler/queue.ts";
import { getState, isMigrating, setMigrating, type UlpAt } from "../runtime/scheduler/state.ts";
import { type ResumePointRow, suspendedStack } from "../runtime/scheduler/suspended-stack.ts";
import { doingText } from "../runtime/scheduler/wait-text.ts";
import { COUNTERS, HEAD, STOP, ULP, ULP_FLAG, ULP_STATE } from "../wire/layout.ts";

import type { RunResult } from "./run.ts";

/** killed: by upvm kill; closed: with its virtual machine, which others have halted. */
export type Reason = "done" | "failed" | "deadlock" | "interrupted" | "killed" | "closed";

/** One level of a stack. Offsets are bytes in the wasm file. */
export interface RawFrame {
  /** As V8 names it, or absent. */
  readonly func?: string;
  /** Function index in the linked module. */
  readonly index: number;
  /** In the linked module; absent for a suspended ULP's frame. */
  readonly offset?: number;
  /** In the module as it was before it was linked: only for a suspended ULP's frame. */
  readonly originalOffset?: number;
}

export interface UlpResult {
  readonly tid: number;
  /** 0 … in order of creation. */
  readonly index: number;
  /** Program that it ran: 0 the one that was started, others in order of pvm_spawn. */
  readonly program: number;
  /** What its program returned, or 134 for a trap; absent if it had not ended. */
  readonly exitCode?: number;
  /** Signal that ended it, by pvm_kill, pvm_sendsig or pvm_halt: that is no failure, and its exit code is 0. */
  readonly killed?: number;
  /** It was ended from outside: by upvm kill, or the console. */
  readonly killedByCommand?: true;
  /** Why it could not go on: a trap or a limit. Innermost frame first. */
  readonly error?: { readonly message: string; readonly stack: readonly RawFrame[] };
  /** What it was doing when the run ended, if it had not ended itself. */
  readonly where?: string;
  readonly stack?: readonly RawFrame[];
}

export type EngineStats = Readonly<Record<(typeof COUNTERS)[number], number>>;

export interface RunStats extends EngineStats {
  /** Most of the process heap that was in use at once, bytes. */
  readonly peakBytes: number;
  readonly perEngine: readonly EngineStats[];
}

/** What the engines told while they ran. */
export interface Told {
  readonly failures: ReadonlyMap<number, UlpFailure>;
  /** By ULP index: text of the stack at which a running ULP was interrupted. */
  readonly interrupted: ReadonlyMap<number, string>;
}

/** All ULPs as they are now. `points`: by program, the resume points of its link section. */
export function ulpResults(
  library: Library,
  told: Told,
  points: readonly (readonly ResumePointRow[])[],
): UlpResult[] {
  const { w } = library;
  return Array.from({ length: w[HEAD.ulps]! }, (_, index) => ulpAt(w, index))
    .filter((ulp) => ulp !== 0)
    .map((ulp) => ulpResult(library, ulp, told, points));
}

function ulpResult(
  library: Library,
  ulp: UlpAt,
  told: Told,
  points: readonly (readonly ResumePointRow[])[],
): UlpResult {
  const { w } = library;
  const index = w[ulp + ULP.index]!;
  const base = { tid: w[ulp + ULP.tid]!, index, program: w[ulp + ULP.module]! };
  const failure = told.failures.get(index);
  if (getState(w, ulp) === ULP_STATE.exited) {
    const exitCode = w[ulp + ULP.exitCode]!;
    const killed = w[ulp + ULP.killed]!;
    if (failure === undefined) return { ...base, exitCode, ...(killed !== 0 && { killed }) };
    const stack = framesOf(failure.stack);
    return { ...base, exitCode, error: { message: failure.message, stack } };
  }
  if (w[HEAD.stop] === STOP.halted) return { ...base, exitCode: 0, killed: SIGTERM };
  const text = told.interrupted.get(index);
  if (text !== undefined) return { ...base, where: "ran", stack: framesOf(text) };
  const started = (w[ulp + ULP.flags]! & ULP_FLAG.started) !== 0;
  const stack = started ? suspendedStack(w, ulp, points[base.program] ?? []) : [];
  return { ...base, where: doingText(w, ulp), stack };
}

/** What pvm_halt does to a task. */
const SIGTERM = 15;

/** Wasm frames of the text of an error's stack. */
function framesOf(stack: string): RawFrame[] {
  return stackOf(Object.assign(new Error(), { stack }));
}

/** Counts of all engines, and each one's. */
export function runStats(library: Library): RunStats {
  const perEngine = Array.from({ length: library.process.engines }, (_, engine) =>
    engineStats(library, engine),
  );
  const sum = Object.fromEntries(
    COUNTERS.map((name) => [name, perEngine.reduce((total, stats) => total + stats[name], 0)]),
  ) as EngineStats;
  return { ...sum, peakBytes: library.heap.peakBytes(), perEngine };
}

function engineStats(library: Library, engine: number): EngineStats {
  const row = library.heap.engineRow(engine) >> 1;
  return Object.fromEntries(
    COUNTERS.map((name) => [name, library.heap.f64[row + COUNTER[name]]!]),
  ) as EngineStats;
}

/**
 * Ends the ULPs that had not ended, and looks at what is left in the heap.
 *
 * @returns what should be gone and is not, by kind; "" is as it must be
 */
export function leaksOf(library: Library): string {
  const { w } = library;
  for (let index = 0; index < w[HEAD.ulps]!; index++) {
    const ulp = ulpAt(w, index);
    if (ulp === 0 || getState(w, ulp) === ULP_STATE.exited) continue;
    if (isMigrating(w, ulp)) setMigrating(w, ulp, false);
    release(library, ulp);
  }
  library.heap.check();
  return library.heap.leaks();
}

/** Why the engines stopped, as the user is told. */
export function reasonOf(library: Library, ulps: readonly UlpResult[]): Reason {
  switch (library.w[HEAD.stop]) {
    case STOP.deadlock:
      return "deadlock";
    case STOP.interrupted:
      return "interrupted";
    case STOP.halted:
      return ulps.some(({ error, exitCode }) => error !== undefined || (exitCode ?? 0) !== 0)
        ? "failed"
        : "done";
    default:
      return ulps.every(({ exitCode }) => exitCode === 0) ? "done" : "failed";
  }
}

/** Exit code of a ULP whose process was ended by force, as a shell has it for SIGKILL. */
export const EXIT_CODE_LOST = 137;

/** Reasons, the one that tells most first. */
const REASONS: readonly Reason[] = ["interrupted", "closed", "deadlock", "failed", "killed", "done"];

/** One result of several processes' (`--isolate`). Engines are numbered through. */
export function mergeResults(results: readonly RunResult[], ms: number): RunResult {
  const perEngine = results.flatMap(({ stats }) => stats.perEngine);
  const sum = Object.fromEntries(
    COUNTERS.map((name) => [name, perEngine.reduce((total, stats) => total + stats[name], 0)]),
  ) as EngineStats;
  const peakBytes = results.reduce((total, { stats }) => total + stats.peakBytes, 0);
  return {
    ok: results.every(({ ok }) => ok),
    reason: REASONS.find((reason) => results.some((result) => result.reason === reason)) ?? "done",
    ulps: results.flatMap(({ ulps }) => ulps).sort((a, b) => a.index - b.index),
    stats: { ...sum, peakBytes, perEngine },
    leaks: results
      .map(({ leaks }) => leaks)
      .filter((leaks) => leaks !== "")
      .join("\n"),
    trace: results[0]?.trace ?? [],
    ...(results.some(({ profile }) => profile !== undefined) && {
      profile: results.flatMap(({ profile }) => profile ?? []),
    }),
    ms,
  };
}
