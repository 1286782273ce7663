/**
 * The profile of a run: where its ULPs computed (`--profile`).
 *
 * Each engine is asked again and again where its running ULP is; the ULP answers at its next poll. So what is seen is
 * loops, and calls that go in cycles: time in code between two polls counts for the second. A ULP that waits is not seen.
 * Owns: counting the samples, and telling them by function and line.
 */
import { type Symbolizer, symbolizer } from "../runtime/link/lines.ts";
import { stackOf } from "../runtime/link/wasm-stack.ts";
import { LIMITS } from "../wire/limits.ts";
import { placesOf } from "./places.ts";
import { count, type Frame, frameText, ulpName } from "./report.ts";
import type { RawFrame, UlpResult } from "./run-result.ts";

/** A ULP was seen so often at one place. */
export interface ProfileRow {
  /** Of the ULP. */
  readonly index: number;
  readonly samples: number;
  /** Innermost frame first; empty: places beyond LIMITS.profilePlaces. */
  readonly stack: readonly RawFrame[];
}

/** One ULP's part of the profile. */
export interface UlpProfile {
  readonly tid: number;
  readonly index: number;
  readonly samples: number;
  /** Innermost function and line, the most frequent first. */
  readonly places: readonly ProfilePlace[];
}

export interface ProfilePlace extends Frame {
  readonly samples: number;
}

/** So many ULPs are shown, and so many places of each; --json has them all. */
const SHOWN = 10;

/** Counts samples as they come in. */
export class Samples {
  /** By ULP index and text of the stack. */
  private readonly counts = new Map<string, number>();

  add(index: number, stack: string): void {
    const key = `${index}\n${stack}`;
    const known = this.counts.has(key) || this.counts.size < LIMITS.profilePlaces;
    const kept = known ? key : `${index}\n`;
    this.counts.set(kept, (this.counts.get(kept) ?? 0) + 1);
  }

  rows(): ProfileRow[] {
    const rows = Array.from(this.counts, ([key, samples]) => {
      const end = key.indexOf("\n");
      const stack = stackOf(Object.assign(new Error(), { stack: key.slice(end + 1) }));
      return { index: Number(key.slice(0, end)), samples, stack };
    });
    return rows.sort((a, b) => b.samples - a.samples);
  }
}

/** Each ULP's places, the ULP that was seen most often first. `programs`: linked modules by UlpResult.program. */
export function ulpProfiles(
  rows: readonly ProfileRow[],
  ulps: readonly UlpResult[],
  programs: readonly Uint8Array[],
): UlpProfile[] {
  const symbols = programs.map((wasm): (() => Symbolizer) => {
    let made: Symbolizer | undefined;
    return () => (made ??= symbolizer(wasm));
  });
  const profiles = ulps.map(({ tid, index, program }) => {
    const own = rows.filter((row) => row.index === index);
    const places = new Map<string, ProfilePlace>();
    for (const { stack, samples } of own) {
      const frame = innermost(stack, symbols[program]);
      const key = frameText(frame);
      places.set(key, { ...frame, samples: samples + (places.get(key)?.samples ?? 0) });
    }
    const samples = own.reduce((sum, row) => sum + row.samples, 0);
    return { tid, index, samples, places: [...places.values()].sort((a, b) => b.samples - a.samples) };
  });
  return profiles.filter(({ samples }) => samples > 0).sort((a, b) => b.samples - a.samples);
}

/** Function and line, without the column: a line is one place. */
function innermost(stack: readonly RawFrame[], symbols: (() => Symbolizer) | undefined): Frame {
  const [frame] = symbols === undefined ? [] : placesOf(stack, symbols());
  if (frame === undefined) return { func: "elsewhere" };
  const { func, file, line, user } = frame;
  return { func, file, line, user };
}

/** What the person at the terminal sees. */
export function profileLines(profiles: readonly UlpProfile[], everyMs: number): string[] {
  const all = profiles.reduce((sum, { samples }) => sum + samples, 0);
  const lines = [
    `profile: ${count(all, "sample")} of computing ULPs, one every ${everyMs} ms on each engine`,
  ];
  for (const { tid, index, samples, places } of profiles.slice(0, SHOWN)) {
    lines.push(`  ${ulpName(index, tid)}: ${count(samples, "sample")}`);
    for (const place of places.slice(0, SHOWN)) {
      const percent = ((place.samples / samples) * 100).toFixed(1);
      lines.push(`    ${percent.padStart(5)} %  ${frameText(place)}`);
    }
    if (places.length > SHOWN)
      lines.push(`    and ${count(places.length - SHOWN, "more place")}; --json shows all`);
  }
  const more = profiles.length - SHOWN;
  return more > 0 ? [...lines, `  and ${count(more, "more ULP")}; --json shows all`] : lines;
}
