/**
 * Runs the tests: `node test/run.ts [WORD...]`; a file runs if its path contains one of the words.
 *
 * Owns: the order, the processes and their time limit, the last line "N passed, N failed". What counts as failed
 * is decided in tally.ts. Each file is a process of its own: uvu has no time limit and a crash must not take
 * others along. Exit code 0 only if nothing failed and something ran.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import { type Tally, tally } from "./tally.ts";

/** A file that runs longer is ended, milliseconds: several times what the slowest needs, for a machine that is busy. */
const FILE_LIMIT_MS = 420_000;
/** Files at once: three on two cores, since a file waits for other processes a third of its time. */
const AT_ONCE = 1 + Math.max(2, Math.floor(availableParallelism() / 2));
/**
 * These begin first. Parts of their paths: what compiles for the others, and what takes longest, or waits most, and would run
 * alone at the end.
 */
const FIRST = [
  "real/programs-compile",
  "real/migrate-kills",
  "real/pvm-examples",
  "real/machine-hosts",
  "real/pvmd.",
  "real/arm64",
];
/** A file that prints more has gone wild; the rest is dropped, characters. */
const OUTPUT_LIMIT = 4 << 20;
/** Lines of a failure are cut here, characters: uvu compares long strings in one line. */
const LINE_LIMIT = 1000;

/** Where commands keep what they compile: not among the user's own, and once for all files. */
const CACHE = join(import.meta.dirname, "../.upvm-cache");
/** Where Node keeps what it makes of the sources, as bin/upvm.js has it: half of the processor time of a short test. */
const NODE_CACHE = join(CACHE, "upvm/node");

/** With the mark of each. */
const running = new Map<ChildProcess, string>();

/** In the environment of a test file and of all that it starts: its number, and this process's. */
const MARK = "UPVM_TEST_FILE";
let lastFile = 0;
/** A process that does not end when it is killed waits for a disk: it is not waited for. */
const LOOKS = 100;

/** Ends a test file's process and all that it started: it leads a process group of its own, and daemons have its mark. */
function end(child: ChildProcess, mark: string): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // The group is gone already.
  }
  // One may be about to start another: until there is none.
  for (let looks = 0, left = marked(mark); left.length > 0 && looks < LOOKS; looks++, left = marked(mark))
    for (const pid of left) kill(pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

/** Processes with a mark that run; none where there is no /proc. */
function marked(mark: string): number[] {
  const pids = existsSync("/proc/self/environ")
    ? readdirSync("/proc").filter((name) => /^\d+$/.test(name))
    : [];
  return pids.map(Number).filter((pid) => {
    try {
      // Of one that has ended and was not asked about it is empty.
      return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(mark);
    } catch {
      // Another user's, or it has just ended.
      return false;
    }
  });
}

/** Runs one file to its end and prints one line; in full if something is wrong. */
async function runFile(path: string, name: string, limitMs: number): Promise<Tally> {
  const number = `${process.pid}.${++lastFile}`;
  const mark = `${MARK}=${number}`;
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    NO_COLOR: "1",
    XDG_CACHE_HOME: CACHE,
    NODE_COMPILE_CACHE: NODE_CACHE,
    [MARK]: number,
  };
  delete env["FORCE_COLOR"];
  const startMs = performance.now();
  const child = spawn(process.execPath, [path], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: process.platform !== "win32",
  });
  running.set(child, mark);
  let output = "";
  const collect = (text: string): void => {
    if (output.length < OUTPUT_LIMIT) output += text;
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", collect);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    end(child, mark);
  }, limitMs);
  const [exitCode, signal] = await new Promise<[number | null, string | null]>((done) => {
    child.on("close", (code, sig) => done([code, sig]));
    child.on("error", (error) => {
      collect(String(error));
      done([1, null]);
    });
  });
  clearTimeout(timer);
  // What a test left running would take the cores from the next ones.
  end(child, mark);
  running.delete(child);
  const result = tally({ output, exitCode, signal, timedOut });
  report(name, result, output, (performance.now() - startMs) / 1000);
  return result;
}

function report(name: string, result: Tally, output: string, seconds: number): void {
  const good = result.failed === 0;
  const skipped = result.skipped > 0 ? `, ${result.skipped} skipped` : "";
  const count = good
    ? `${result.passed} passed${skipped}`
    : `${result.passed} passed, ${result.failed} failed${skipped}`;
  const why = result.why === undefined ? "" : `: ${result.why}`;
  console.log(`${good ? "ok    " : "FAILED"} ${name}: ${count} (${seconds.toFixed(1)} s)${why}`);
  if (good) return;
  for (const line of output.split("\n")) console.log(`       | ${line.slice(0, LINE_LIMIT)}`);
}

/** Place of a file among FIRST; behind them those that compile nothing, so that the others find what is compiled. */
function rank(path: string): number {
  const at = FIRST.findIndex((part) => path.includes(part));
  return at >= 0 ? at : FIRST.length + Number(path.includes("real/"));
}

/** Runs all files, AT_ONCE at a time, and adds up. */
async function runAll(folder: string, words: readonly string[], limitMs: number): Promise<Tally> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.ts") && !path.includes("node_modules"))
    .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const sum = { passed: 0, failed: 0, skipped: 0 };
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let name = files[next++]; name !== undefined; name = files[next++]) {
      const one = await runFile(join(folder, name), name, limitMs);
      sum.passed += one.passed;
      sum.failed += one.failed;
      sum.skipped += one.skipped;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (files.length === 0) console.log(`no test file ${words.length > 0 ? `matches ${words.join(" ")}` : ""}`);
  return sum;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    for (const [child, mark] of running) end(child, mark);
    process.exit(130);
  });
}
const words = process.argv.slice(2);
// For the tests of this file: other files, and a limit that can be waited for.
const folder = process.env["UPVM_TEST_FOLDER"] ?? relative(process.cwd(), import.meta.dirname);
const limitMs = Number(process.env["UPVM_TEST_LIMIT_MS"] ?? FILE_LIMIT_MS);
const sum = await runAll(folder === "" ? "." : folder, words, limitMs);
const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : "";
console.log(`${sum.passed} passed, ${sum.failed} failed${skipped}`);
process.exitCode = sum.failed === 0 && sum.passed > 0 ? 0 : 1;
