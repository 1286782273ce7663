/**
 * The process that compiles one program after the other: the compilers on Node's files, with a note of every file that
 * counted.
 */
import { createHash } from "node:crypto";
import { UpvmError } from "../wire/errors.ts";
import { compile } from "./compile.ts";
import type { CompileAnswer, CompileOrder, CompileTask } from "./node-compile.ts";
import { nodeCompileHost } from "./node-compile-host.ts";
import { runsCompilers } from "./node-compiler-flags.ts";

async function answer(task: CompileTask): Promise<CompileAnswer> {
  /** Path → hash of the text, "" if there was no such file. */
  const reads = new Map<string, string>();
  const host = nodeCompileHost(task.cacheFolder, (path, text) => {
    reads.set(path, text === null ? "" : createHash("sha256").update(text).digest("hex"));
  });
  try {
    return { compiled: await compile(task.path, task.options, host), reads: [...reads] };
  } catch (error) {
    if (error instanceof UpvmError) return { code: error.code, facts: error.facts };
    throw error;
  }
}

runsCompilers();
// This file is only ever started by node-compile.ts. If that is gone, nobody wants the program.
process.on("disconnect", () => process.exit());
process.on("message", async ({ folder, ...task }: CompileOrder) => {
  if (process.cwd() !== folder) process.chdir(folder);
  process.send!(await answer(task));
});
