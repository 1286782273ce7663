/**
 * Compiles on Node: from the cache if nothing has changed, else in a process of its own.
 *
 * Why a process: asc ends its own when it crashes, LLVM's 300 MB go when it ends, and V8 can be told how to run compilers
 * (node-compiler-flags.ts).
 * Owns: the process. What is kept between runs is node-compile-cache.ts's.
 */
import { fork } from "node:child_process";
import { join } from "node:path";
import { type ErrorCode, UpvmError } from "../wire/errors.ts";
import type { Compiled, CompileOptions } from "./compile.ts";
import { defaultCacheFolder, findCompiled, keepCompiled, type Reads } from "./node-compile-cache.ts";
import { codeExtension } from "./node-package.ts";

/** What the process is asked for. */
export interface CompileTask {
  readonly path: string;
  readonly options: CompileOptions;
  /** Where parts of programs are kept; undefined: nowhere. */
  readonly cacheFolder: string | undefined;
}
/** What it answers: the program and what it was made from, or why not. */
export type CompileAnswer =
  | { readonly compiled: Compiled; readonly reads: Reads }
  | { readonly code: ErrorCode; readonly facts: Readonly<Record<string, string | number>> };

/**
 * Compiles a .ts, .c or .wat file to wasm that is not linked yet.
 *
 * @param path  as the user wrote it; relative to the working folder
 * @param cacheFolder  where compiled programs are kept; undefined: nowhere
 * @throws UpvmError COMPILE (the compiler's own words), FILE_NOT_FOUND, NOT_A_PROGRAM, USAGE
 */
export async function compile(
  path: string,
  options: CompileOptions = {},
  cacheFolder: string | undefined = defaultCacheFolder(),
): Promise<Compiled> {
  const task: CompileTask = { path, options, cacheFolder };
  // What a compiler of the user's reads is not known here: its programs are not kept.
  const kept = options.cc === undefined ? cacheFolder : undefined;
  const found = kept && findCompiled(kept, task);
  if (found) return found;
  const answer = await compileApart(task);
  if ("code" in answer) throw new UpvmError(answer.code, answer.facts);
  if (kept) keepCompiled(kept, task, answer.compiled, answer.reads);
  return answer.compiled;
}

async function compileApart(task: CompileTask): Promise<CompileAnswer> {
  const path = join(import.meta.dirname, `node-compile-process${codeExtension}`);
  const child = fork(path, { serialization: "advanced", stdio: ["ignore", "pipe", "pipe", "ipc"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => {
      if (said.length < SAID_CHARS) said += text;
    });
  let answer: CompileAnswer | undefined;
  child.once("message", (told) => {
    // It is our own child: what it sends is an answer.
    answer = told as CompileAnswer;
  });
  return await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => {
      // Only a compiler that gives up on itself ends the process before it has answered.
      const { path } = task;
      resolve(answer ?? { code: "COMPILE", facts: { path, output: crash(path, said) } });
    });
    child.send(task, (error) => {
      // A process that has ended at once says so itself.
      if (error !== null && child.exitCode === null && child.signalCode === null) reject(error);
    });
  });
}
/** Of what a compiler says while it crashes, so much is looked at, characters. */
const SAID_CHARS = 1 << 20;

/** A compiler's crash in one line: asc prints twenty, with its own stack. */
function crash(path: string, said: string): string {
  if (/out of memory/i.test(said)) return "the compiler ran out of memory";
  const stage = /crashed during (\w+)/.exec(said)?.[1];
  const error = /\b\w*Error: .*/.exec(said)?.[0] ?? (said.trim() || "it gave no reason");
  return `${path}: the compiler crashed${stage === undefined ? "" : ` (${stage})`}: ${error}`;
}
