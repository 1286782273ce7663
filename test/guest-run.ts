/**
 * For tests of whole programs: compile (cached), link and run them, and gather what they print.
 */
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { link } from "../runtime/link/link.ts";
import { compile } from "../upvm/node-compile.ts";
import { type RunOptions, type RunResult, run } from "../upvm/run.ts";

export const root = resolve(import.meta.dirname, "..");
const linked = new Map<string, Promise<Uint8Array>>();

/** A program of this repository, linked; compiled once for all tests that come by. */
export function linkedProgram(path: string): Promise<Uint8Array> {
  let found = linked.get(path);
  if (found === undefined) {
    const compiled = compile(resolve(root, path), {}, resolve(root, ".upvm-cache"));
    found = compiled.then(({ wasm }) => link(wasm, { path }).wasm);
    linked.set(path, found);
  }
  return found;
}

export interface Outcome {
  readonly result: RunResult;
  /** Standard output and standard error of all ULPs. */
  readonly out: Uint8Array;
  readonly text: string;
  readonly err: string;
}

/** Runs a linked program to its end and gathers its output; nothing may leak. */
export async function runLinked(
  module: Uint8Array,
  options: Omit<RunOptions, "module"> = {},
): Promise<Outcome> {
  const parts: [Uint8Array[], Uint8Array[]] = [[], []];
  const result = await run({
    ...options,
    module,
    output: (fd, bytes) => void parts[fd === 1 ? 0 : 1].push(bytes.slice()),
  });
  assert.equal(result.leaks, "");
  const [out, err] = [Buffer.concat(parts[0]), Buffer.concat(parts[1])];
  return { result, out, text: out.toString(), err: err.toString() };
}

/** Runs a program of this repository; all its ULPs must end well. */
export async function runProgram(path: string, options: Omit<RunOptions, "module"> = {}): Promise<Outcome> {
  const outcome = await runLinked(await linkedProgram(path), { name: path, ...options });
  assert.ok(outcome.result.ok, `${outcome.result.reason}\n${outcome.text.slice(0, 500)}\n${outcome.err}`);
  return outcome;
}
