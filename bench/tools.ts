/**
 * What every measurement is handed: programs to run, rivals, and the settings of this run.
 */
import type { Sheet } from "./figures.ts";
import type { Native } from "./native.ts";
import type { Programs } from "./programs.ts";

export interface Tools {
  readonly programs: Programs;
  readonly native: Native;
  /** Processors of this machine. */
  readonly cores: number;
  /** Batches for each figure. */
  readonly batches: number;
  /** Tells the person who waits what is measured now. */
  progress(text: string): void;
}

/** One table of the "How fast". */
export interface Measurement {
  readonly name: string;
  measure(tools: Tools): Promise<Sheet>;
}

/** Runs them one after another, as often as `rounds`: what disturbs the machine for a while disturbs all of them. */
export async function byTurns<T>(rounds: number, runs: readonly (() => Promise<T>)[]): Promise<T[][]> {
  const results: T[][] = runs.map(() => []);
  for (let round = 0; round < rounds; round++)
    for (const [index, run] of runs.entries()) results[index]?.push(await run());
  return results;
}
