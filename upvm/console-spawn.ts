/**
 * Words of the console's `spawn`: PVM's options, a program, its arguments. Pure.
 *
 * Source: pvm(1PVM): -(count), -(host) or -(ARCH), ->, ->file, ->>file.
 */
import { LIMITS } from "../wire/limits.ts";

/** Where what the tasks print goes. "log": the pvmd's log, as in PVM. */
export type SpawnOutput = "log" | "console" | { readonly file: string; readonly append: boolean };

export interface Spawn {
  readonly file: string;
  readonly args: readonly string[];
  readonly count: number;
  /** A host's name or an architecture; undefined: all hosts. */
  readonly where: string | undefined;
  readonly output: SpawnOutput;
}

export function spawnOf(words: readonly string[]): Spawn | { readonly error: string } {
  let count = 1;
  let where: string | undefined;
  let output: SpawnOutput = "log";
  let at = 0;
  for (; words[at]?.startsWith("-"); at++) {
    const word = words[at]!;
    const arrow = /^->(>?)(.*)$/.exec(word);
    if (arrow !== null) {
      const [, append = "", file = ""] = arrow;
      if (append !== "" && file === "") return { error: "->> takes a file" };
      output = file === "" ? "console" : { file, append: append !== "" };
    } else if (/^-\d+$/.test(word)) {
      count = Number(word.slice(1));
      if (count < 1 || count > LIMITS.ulps) return { error: `a count is from 1 to ${LIMITS.ulps}` };
    } else if (word === "-" || where !== undefined) return { error: `it takes no ${word}` };
    else where = word.slice(1);
  }
  const [file, ...args] = words.slice(at);
  return file === undefined ? { error: "it takes a program" } : { file, args, count, where, output };
}
