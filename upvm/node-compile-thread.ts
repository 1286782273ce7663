/**
 * The thread that compiles one program: the compilers on Node's files, with a note of every file that counted.
 */
import { createHash } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import { UpvmError } from "../wire/errors.ts";
import { compile } from "./compile.ts";
import type { CompileAnswer, CompileTask } from "./node-compile.ts";
import { nodeCompileHost } from "./node-compile-host.ts";

/** Path → hash of the text, "" if there was no such file. */
const reads = new Map<string, string>();

// This file is only ever started by node-compile.ts, with this.
const { cacheFolder } = workerData as CompileTask;
const host = nodeCompileHost(cacheFolder, (path, text) => {
  reads.set(path, text === null ? "" : createHash("sha256").update(text).digest("hex"));
});

async function answer(task: CompileTask): Promise<CompileAnswer> {
  try {
    return { compiled: await compile(task.path, task.options, host), reads: [...reads] };
  } catch (error) {
    if (error instanceof UpvmError) return { code: error.code, facts: error.facts };
    throw error;
  }
}

parentPort?.postMessage(await answer(workerData as CompileTask));
