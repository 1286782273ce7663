/**
 * The real Edge: this process's streams, signals and the rest.
 *
 * Owns: every touch of the operating system by the command line, save files (node-files.ts).
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { constants } from "node:os";
import { join } from "node:path";
import { EXIT } from "../wire/errors.ts";
import type { Edge } from "./edge.ts";
import { compile } from "./node-compile.ts";
import { defaultCacheFolder } from "./node-compile-cache.ts";
import { nodeCompileHost } from "./node-compile-host.ts";
import { runsCompilers } from "./node-compiler-flags.ts";
import { readBytes, realFolder, writeBytes } from "./node-files.ts";
import { nodeInput } from "./node-input.ts";
import { nodeLines } from "./node-lines.ts";
import { printBytes } from "./node-output.ts";
import { codeExtension, codeRoot, packageVersion } from "./node-package.ts";

/**
 * A second signal this soon after the first is the same one, milliseconds: the terminal sends Ctrl-C to npx and
 * to us, and npx sends it on.
 */
const SAME_SIGNAL_MS = 150;
/** What `head` gets to see of us when it has read enough: 128 + SIGPIPE, as with any other program. */
const EXIT_PIPE = 128 + constants.signals.SIGPIPE;
/** Width of help where there is no terminal. */
const COLUMNS = 80;

/** @param noReader  called when nobody reads any more what is written; by default the process ends, as others do */
export function nodeEdge(noReader: () => void = () => process.exit(EXIT_PIPE)): Edge {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      noReader();
    });
  }
  return {
    out: (data) => process.stdout.write(data),
    err: (data) => process.stderr.write(data),
    print: printBytes,
    colour: { out: showsColours(process.stdout), err: showsColours(process.stderr) },
    columns: process.stdout.columns ?? COLUMNS,
    // maxRSS is in KiB.
    peakMemoryBytes: () => process.resourceUsage().maxRSS * 1024,
    version: packageVersion(),
    programPath: process.env["UPVM_PATH"] ?? "",
    readFile: readBytes,
    writeFile: writeBytes,
    compile,
    async cc(tool, words, own) {
      // Only who compiles C loads what that needs.
      const { cc } = await import("./cc.ts");
      runsCompilers();
      return await cc(tool, words, nodeCompileHost(defaultCacheFolder()), own);
    },
    realFolder,
    sha256: (bytes) => createHash("sha256").update(bytes).digest("hex"),
    async vm() {
      const { nodeVm } = await import("./node-vm.ts");
      return nodeVm();
    },
    async checkpoints() {
      return (await import("./node-checkpoint.ts")).checkpointFiles;
    },
    input: nodeInput,
    lines: nodeLines,
    nowMs: () => performance.now(),
    interrupts,
    runScript,
  };
}

/** See no-color.org: set and not empty means none. */
function showsColours(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
}

function interrupts(): AbortSignal {
  const controller = new AbortController();
  let firstMs = 0;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (!controller.signal.aborted) {
        firstMs = performance.now();
        controller.abort();
      } else if (performance.now() - firstMs > SAME_SIGNAL_MS) {
        process.exit(EXIT.interrupted);
      }
    });
  }
  return controller.signal;
}

function runScript(script: string, args: readonly string[]): Promise<number> {
  const file = join(codeRoot, `${script}${codeExtension}`);
  const child = spawn(process.execPath, [file, ...args], { stdio: "inherit" });
  // Ctrl-C goes to both; without this the script would go on alone.
  const end = (): void => void child.kill("SIGTERM");
  process.on("SIGTERM", end);
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("exit", (code, signal) => done(signal === null ? (code ?? EXIT.failed) : EXIT.interrupted));
  });
}
