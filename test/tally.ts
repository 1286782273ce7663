/**
 * What one test file's run comes to: reads uvu's closing lines and how the process ended.
 *
 * Owns: the rule what counts as failed. Not the processes (run.ts). Pure.
 * uvu alone would miss some: it ends with code 0 when a `before` hook throws, when a file forgets `test.run()`,
 * and when the process ends in the middle of a test without a word.
 */

/** How a test file's process ended, and all it printed. */
export interface Ending {
  readonly output: string;
  /** null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** True if it was ended because it ran longer than its limit. */
  readonly timedOut: boolean;
}

/** Counts of tests; `why` says what is wrong beyond tests that failed. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly why?: string;
}

/**
 * Counts what passed, failed and was skipped in one file.
 *
 * A file that crashed, ran too long, has no tests or never said how many passed counts as one failure more.
 */
export function tally(ending: Ending): Tally {
  const total = closing(ending.output, "Total");
  const passed = closing(ending.output, "Passed") ?? 0;
  const skipped = closing(ending.output, "Skipped") ?? 0;
  const failed = (total ?? 0) - passed;
  const why = trouble(ending, total, failed + skipped);
  return why === undefined ? { passed, failed, skipped } : { passed, failed: failed + 1, skipped, why };
}

/** The last line "  Total:     3" of uvu's, or undefined. The last, since a test may print such lines itself. */
function closing(output: string, word: string): number | undefined {
  const all = [...output.matchAll(new RegExp(`^ {2}${word}: +(\\d+)$`, "gm"))];
  const last = all.at(-1)?.[1];
  return last === undefined ? undefined : Number(last);
}

function trouble(ending: Ending, total: number | undefined, notPassed: number): string | undefined {
  const told = total === undefined ? "before its tests were over" : "after its tests";
  if (ending.timedOut) return `ran too long (${told})`;
  if (ending.signal !== null) return `ended by ${ending.signal} ${told}`;
  if (total === undefined) return `ended with code ${ending.exitCode} and no count of tests: no test.run()?`;
  if (total === 0 && notPassed === 0) return "has no tests";
  if (ending.exitCode !== 0 && notPassed === 0) return `ended with code ${ending.exitCode} ${told}`;
  return undefined;
}
