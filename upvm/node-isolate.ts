/**
 * `--isolate`: a run with one operating system process for each ULP.
 *
 * Owns: those processes. What passes between them is the hub's (isolate.ts); each is node-isolated.ts.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { LIMITS } from "../wire/limits.ts";
import { tidOf } from "../wire/pvm.ts";
import { type FromPart, Hub } from "./isolate.ts";
import type { PartSetup } from "./node-isolated.ts";
import { codeExtension } from "./node-package.ts";
import { programOf } from "./program-loader.ts";
import type { RunOptions, RunResult } from "./run.ts";
import { EXIT_CODE_LOST, mergeResults } from "./run-result.ts";

/** Time from one look for a deadlock to the next, milliseconds. */
const WAVE_MS = 20;

/** As run(), with processes in place of engines. @throws UpvmError if the program cannot be started */
export async function runIsolated(options: RunOptions): Promise<RunResult> {
  const beganMs = performance.now();
  const { signal, output, loadProgram: _, place: __, isolate: ___, input, ...plain } = options;
  // Refuses what cannot run before any process is started.
  await programOf(options.module, options.name ?? "program", 0, options.memoryPages);
  const ulps = options.ulps ?? 1;
  const hasInput = (index: number): boolean => index === 0 && input !== undefined;
  const file = fileURLToPath(new URL(`./node-isolated${codeExtension}`, import.meta.url));
  const children = Array.from({ length: ulps }, (_item, index) => {
    // The first ULP's process reads this one's standard input by itself.
    const stdin = hasInput(index) ? "inherit" : "ignore";
    return fork(file, [], { serialization: "advanced", stdio: [stdin, "inherit", "inherit", "ipc"] });
  });
  const hub = new Hub(ulps, (part, message) => {
    // One that is just ending gets nothing any more: its exit tells.
    if (children[part]!.connected) children[part]!.send(message, () => {});
  });
  const results = children.map((child, index) => partResult(child, index, hub, output ?? (() => {})));
  children.forEach((child, index) => {
    const setup: PartSetup = {
      index,
      input: hasInput(index),
      options: { ...plain, ulps, heapBytes: plain.heapBytes ?? LIMITS.isolatedHeapBytes },
    };
    child.send(setup);
  });
  const waves = setInterval(() => hub.tick(), WAVE_MS);
  const interrupt = (): void => {
    hub.stop("interrupted");
    setTimeout(() => children.map((child) => child.kill("SIGKILL")), 4 * LIMITS.interruptMs).unref();
  };
  if (signal?.aborted) interrupt();
  signal?.addEventListener("abort", interrupt);
  try {
    return mergeResults(await Promise.all(results), performance.now() - beganMs);
  } finally {
    clearInterval(waves);
    signal?.removeEventListener("abort", interrupt);
    for (const child of children) child.kill("SIGKILL");
  }
}

/** What a process's ULP came to; a process that was lost has failed. */
function partResult(
  child: ChildProcess,
  index: number,
  hub: Hub,
  output: NonNullable<RunOptions["output"]>,
): Promise<RunResult> {
  return new Promise((done, fail) => {
    let result: RunResult | undefined;
    child.on("message", (message: FromPart) => {
      if (message.kind === "print") output(message.fd, message.bytes, message.tid);
      else if (message.kind === "refused") fail(new Error(message.message));
      else {
        if (message.kind === "ended") result = message.result;
        hub.take(index, message);
      }
    });
    child.on("error", fail);
    child.on("exit", (code, signal) => {
      hub.end(index);
      done(result ?? lost(index, signal === null ? `exit code ${code}` : signal));
    });
  });
}

/** The result of a ULP whose process was ended from outside. */
function lost(index: number, why: string): RunResult {
  const error = { message: `its process was ended: ${why}`, stack: [] };
  const ulp = { tid: tidOf(index), index, program: 0, exitCode: EXIT_CODE_LOST, error };
  return { ...mergeResults([], 0), ok: false, reason: "failed", ulps: [ulp] };
}
