/**
 * Runs the conformance suite under upvm: compiled with the compiler that it brings, a run for each case.
 *
 * Owns: how a case is run. What of its output counts is suite.ts's.
 */
import assert from "node:assert/strict";
import { run } from "../../upvm/run.ts";
import { TID_BASE } from "../../wire/pvm.ts";
import { linkedProgram } from "../guest-run.ts";
import { type ProgramName, shown } from "./suite.ts";

/** Longest a case may take, milliseconds: those that wait do so for less than a second. */
const CASE_LIMIT_MS = 30_000;

/** A case → what its own task prints. What others print counts where it has caught it. */
export async function onUpvm(program: ProgramName, name: string): Promise<string> {
  const module = await linkedProgram(`test/conformance/${program}.c`);
  const parts: [string[], string[]] = [[], []];
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), CASE_LIMIT_MS);
  const result = await run({
    module,
    name: program,
    args: [name],
    env: ["PATH=/nowhere"],
    cores: 2,
    signal: limit.signal,
    loadProgram: async () => undefined,
    output: (fd, bytes, tid) => {
      if (tid === TID_BASE + 1) parts[fd === 1 ? 0 : 1].push(new TextDecoder().decode(bytes));
    },
  });
  clearTimeout(timer);
  assert.notEqual(result.reason, "interrupted", `took longer than ${CASE_LIMIT_MS} ms`);
  assert.equal(result.leaks, "");
  return shown(parts[0].join(""), parts[1].join(""));
}
