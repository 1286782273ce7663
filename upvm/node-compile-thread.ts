/**
 * The thread that compiles one program: the compilers on Node's files, with a note of every file that counted.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { UpvmError } from "../wire/errors.ts";
import { type CompileHost, compile } from "./compile.ts";
import type { CompileAnswer, CompileTask } from "./node-compile.ts";
import { keepMade } from "./node-compile-cache.ts";
import { packageRoot } from "./node-package.ts";

/** Path → hash of the text, "" if there was no such file. */
const reads = new Map<string, string>();

const host: CompileHost = {
  root: packageRoot,
  folder: process.cwd(),
  read(path) {
    const full = resolve(path);
    let text: string | null;
    try {
      text = readFileSync(full, "utf8");
    } catch {
      text = null;
    }
    reads.set(full, text === null ? "" : createHash("sha256").update(text).digest("hex"));
    return text;
  },
  list(path) {
    try {
      return readdirSync(resolve(path)).sort();
    } catch {
      return [];
    }
  },
  // This file is only ever started by node-compile.ts, with this.
  keep: (key, make) => keepMade((workerData as CompileTask).cacheFolder, key, make),
};

async function answer(task: CompileTask): Promise<CompileAnswer> {
  try {
    return { compiled: await compile(task.path, task.options, host), reads: [...reads] };
  } catch (error) {
    if (error instanceof UpvmError) return { code: error.code, facts: error.facts };
    throw error;
  }
}

parentPort?.postMessage(await answer(workerData as CompileTask));
