/**
 * A run's result with the guest's own names and lines in place of offsets: for the report and for --json.
 *
 * Owns: the form of the JSON, which is part of the interface: fields are added, never renamed.
 */
import { type Symbolizer, symbolizer } from "../runtime/link/lines.ts";
import { EXIT } from "../wire/errors.ts";
import { tidText } from "../wire/pvm.ts";
import { failureOf, placesOf } from "./places.ts";
import type { UlpProfile } from "./profile.ts";
import { type Frame, grouped, type UlpReport } from "./report.ts";
import type { RunResult } from "./run.ts";
import type { Reason, RunStats, UlpResult } from "./run-result.ts";

/**
 * The ULPs of a result, with places in place of offsets.
 *
 * @param programs  linked modules by UlpResult.program; one is read only if there is a stack of it to show
 */
export function ulpReports(ulps: readonly UlpResult[], programs: readonly Uint8Array[]): UlpReport[] {
  const symbols = new Map<number, Symbolizer>();
  const symbolsOf = (program: number): Symbolizer => {
    const known = symbols.get(program) ?? symbolizer(programs[program] ?? new Uint8Array());
    symbols.set(program, known);
    return known;
  };
  return ulps.map(({ tid, index, program, exitCode, killedByCommand, error, where, stack }) => {
    const places = (frames: NonNullable<UlpResult["stack"]>): Frame[] =>
      frames.length === 0 ? [] : placesOf(frames, symbolsOf(program));
    return {
      tid,
      index,
      exitCode,
      where,
      ...(killedByCommand === true && { killed: true }),
      ...(error !== undefined && { error: failureOf(error.message, error.stack, symbolsOf(program)) }),
      ...(stack !== undefined && { stack: places(stack) }),
    };
  });
}

/** Exit code of the command that ran it. */
export function exitCodeOf(reason: Reason): number {
  switch (reason) {
    case "done":
      return EXIT.ok;
    case "interrupted":
      return EXIT.interrupted;
    case "killed":
    case "closed":
      return EXIT.killed;
    default:
      return EXIT.failed;
  }
}

/** What `upvm run --json` prints. Times in milliseconds, sizes in bytes. */
export function resultJson(
  name: string,
  result: RunResult,
  ulps: readonly UlpReport[],
  profile?: readonly UlpProfile[],
): object {
  const { ok, reason, stats, leaks, ms, trace } = result;
  const more = profile === undefined ? {} : { profile: profile.map(ulpJson) };
  return { ok, reason, program: name, ms, ulps: ulps.map(ulpJson), stats, leaks, trace, ...more };
}

function ulpJson(ulp: UlpReport | UlpProfile): object {
  return { ...ulp, tid: tidText(ulp.tid) };
}

/** What `--stats` prints: what it is called, and how many. */
export function statsRows(stats: RunStats, ms: number, peakMemoryBytes: number): [string, string][] {
  return [
    ["switches", grouped(stats.switches)],
    ["hand-offs", grouped(stats.handoffs)],
    ["messages", grouped(stats.messages)],
    ["bytes in messages", grouped(stats.bytes)],
    ["messages copied, not handed over", grouped(stats.copies)],
    ["messages nobody took", grouped(stats.dropped)],
    ["polls that stopped a ULP", grouped(stats.polls)],
    ["moves between engines", grouped(stats.moves)],
    ["sleeps of idle engines", grouped(stats.sleeps)],
    ["ULPs created", grouped(stats.created)],
    ["peak memory of the heap, bytes", grouped(stats.peakBytes)],
    ["peak memory of the process, bytes", grouped(peakMemoryBytes)],
    ["time, ms", grouped(ms)],
  ];
}
