/**
 * The conformance suite: what its programs print under PVM 3.4.6, kept in golden/, and what upvm must print.
 *
 * Owns: which programs there are, the form of the golden files, and what of an output counts: not the tids, not the
 * order between a task's own lines and those that it caught from others, not whether it had to wait for them.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DIFFERENCES } from "./differences.ts";

/** One program each, NAME.c: its cases are in its table. */
export const PROGRAMS = [
  "buffers",
  "contexts",
  "groups",
  "halt",
  "machine",
  "mailbox",
  "messages",
  "options",
  "output",
  "pack",
  "packf",
  "plugins",
  "tasks",
  "trace",
] as const;
export type ProgramName = (typeof PROGRAMS)[number];

export const sourceOf = (program: ProgramName): string => join(import.meta.dirname, `${program}.c`);
const goldenOf = (program: ProgramName): string => join(import.meta.dirname, "golden", `${program}.txt`);

/** What a case prints on standard output and standard error, as far as it counts. */
export function shown(out: string, err: string): string {
  const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");
  const caught = (line: string): boolean => /^\[t[0-9a-f]+\] /.test(line);
  const own = lines(out);
  const said = lines(err).filter((line) => !line.includes("child task(s) still running"));
  return [
    ...own.filter((line) => !caught(line)),
    ...own.filter(caught),
    ...said.map((line) => `to standard error: ${line}`),
  ]
    .map((line) => `${line.replace(/\[t[0-9a-f]+\]/g, "[TID]")}\n`)
    .join("");
}

/** Case → what PVM printed. */
export function golden(program: ProgramName): Map<string, string> {
  const cases = new Map<string, string>();
  for (const part of readFileSync(goldenOf(program), "utf8").split(/^== /m).slice(1)) {
    const end = part.indexOf("\n");
    cases.set(part.slice(0, end), part.slice(end + 1));
  }
  return cases;
}

export function writeGolden(program: ProgramName, cases: ReadonlyMap<string, string>): void {
  const text = [...cases].map(([name, printed]) => `== ${name}\n${printed}`);
  writeFileSync(goldenOf(program), text.join(""));
}

/** What upvm prints for a case: what PVM prints, but for the differences that are meant. */
export function expected(program: ProgramName, name: string, printed: string): string {
  let text = `\n${printed}`;
  for (const row of DIFFERENCES) {
    if (row.program !== program || row.case !== name) continue;
    if (row.pvm === "") {
      text += `${row.upvm}\n`;
      continue;
    }
    const before = `\n${row.pvm}\n`;
    assert.ok(text.includes(before), `${program} ${name}: PVM does not print "${row.pvm}" any more`);
    const after = row.upvm === "" ? "\n" : `\n${row.upvm}\n`;
    // Each line's end is the next one's beginning: replaceAll would miss every second one.
    while (text.includes(before)) text = text.replace(before, after);
  }
  return text.slice(1);
}
