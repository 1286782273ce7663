/**
 * For tests of whole programs: compile (cached), link and run them, and gather what they print.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { link } from "../runtime/link/link.ts";
import { type Compiled, compile } from "../upvm/compile.ts";
import { findCompiled, keepCompiled } from "../upvm/node-compile-cache.ts";
import { nodeCompileHost } from "../upvm/node-compile-host.ts";
import { type RunOptions, type RunResult, run } from "../upvm/run.ts";

export const root = resolve(import.meta.dirname, "..");
/** What test/run.ts has the commands of tests use too. */
export const CACHE = resolve(root, ".upvm-cache/upvm");
const linked = new Map<string, Promise<Uint8Array>>();

/** Another process that compiles the same program is waited for so long, milliseconds: it may have been ended meanwhile. */
const MAKING_LIMIT_MS = 120_000;
const LOOK_MS = 100;

/**
 * A program of this repository, as its compiler makes it: once for all tests of a run. In this process, where the second
 * program takes a tenth of what the first does.
 */
export async function compiledOnce(path: string): Promise<Compiled> {
  // As a command names it that is run in this repository.
  const task = { path: process.cwd() === root ? path : resolve(root, path), options: {} };
  mkdirSync(CACHE, { recursive: true, mode: 0o700 });
  const making = join(CACHE, `${path.replaceAll("/", "-")}.making`);
  const lateMs = Date.now() + MAKING_LIMIT_MS;
  for (;;) {
    const found = findCompiled(CACHE, task);
    if (found !== undefined) return found;
    if (mayMake(making) || Date.now() > lateMs) break;
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
  try {
    const reads = new Map<string, string>();
    const host = nodeCompileHost(CACHE, (file, text) => {
      reads.set(file, text === null ? "" : createHash("sha256").update(text).digest("hex"));
    });
    const compiled = await compile(task.path, task.options, host);
    keepCompiled(CACHE, task, compiled, [...reads]);
    return compiled;
  } finally {
    rmSync(making, { force: true });
  }
}

/** False: another process makes it. One that was ended while it did so has left its mark behind. */
function mayMake(making: string): boolean {
  try {
    writeFileSync(making, "", { flag: "wx" });
    return true;
  } catch {
    const since = statSync(making, { throwIfNoEntry: false })?.mtimeMs;
    if (since !== undefined && Date.now() - since > MAKING_LIMIT_MS) rmSync(making, { force: true });
    return false;
  }
}

/** A program of this repository, linked; once for all tests of a process that come by. */
export function linkedProgram(path: string): Promise<Uint8Array> {
  let found = linked.get(path);
  if (found === undefined) {
    found = compiledOnce(path).then(({ wasm }) => link(wasm, { path }).wasm);
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
