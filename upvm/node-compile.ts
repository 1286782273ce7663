/**
 * Compiles on Node: from the cache if nothing has changed, else in a thread of its own.
 *
 * Why a thread: asc ends its process when it crashes, and LLVM's 300 MB go when it ends.
 * Owns: the thread. What is kept between runs is node-compile-cache.ts's.
 */
import { Worker } from "node:worker_threads";
import { type ErrorCode, UpvmError } from "../wire/errors.ts";
import type { Compiled, CompileOptions } from "./compile.ts";
import { defaultCacheFolder, findCompiled, keepCompiled, type Reads } from "./node-compile-cache.ts";
import { codeExtension } from "./node-package.ts";

/** What the thread is asked for. */
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
  const answer = await compileInThread(task);
  if ("code" in answer) throw new UpvmError(answer.code, answer.facts);
  if (kept) keepCompiled(kept, task, answer.compiled, answer.reads);
  return answer.compiled;
}

async function compileInThread(task: CompileTask): Promise<CompileAnswer> {
  const url = new URL(`./node-compile-thread${codeExtension}`, import.meta.url);
  const thread = new Worker(url, { workerData: task, stdout: true, stderr: true });
  const said: string[] = [];
  for (const stream of [thread.stdout, thread.stderr]) stream.on("data", (text) => said.push(String(text)));
  try {
    return await new Promise((resolve, reject) => {
      thread.once("message", resolve);
      thread.once("error", (error: NodeJS.ErrnoException) => {
        if (error.code !== "ERR_WORKER_OUT_OF_MEMORY") return reject(error);
        resolve({ code: "COMPILE", facts: { path: task.path, output: "the compiler ran out of memory" } });
      });
      // Only a compiler that gives up on itself ends the thread before it has answered.
      thread.once("exit", () => {
        resolve({ code: "COMPILE", facts: { path: task.path, output: crash(task.path, said.join("")) } });
      });
    });
  } finally {
    await thread.terminate();
  }
}

/** A compiler's crash in one line: asc prints twenty, with its own stack. */
function crash(path: string, said: string): string {
  const stage = /crashed during (\w+)/.exec(said)?.[1];
  const error = /\b\w*Error: .*/.exec(said)?.[0] ?? (said.trim() || "it gave no reason");
  return `${path}: the compiler crashed${stage === undefined ? "" : ` (${stage})`}: ${error}`;
}
