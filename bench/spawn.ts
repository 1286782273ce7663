/**
 * Runs programs of the measurements as child processes and hands back what they print.
 *
 * Owns: time limits, and that no child outlives the measurement.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, isAbsolute } from "node:path";

/** Longer than any single measurement needs on a busy machine, milliseconds. */
const LIMIT_MS = 180_000;
/** The system keeps the high-water mark itself: it has to be read once after it was reached, before the end. */
const PEAK_EVERY_MS = 20;
/** How much of a failed program's output is told, characters. */
const TOLD = 400;

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  /** Null if a signal ended it. */
  readonly code: number | null;
  /** From start to end, milliseconds. */
  readonly ms: number;
  /** Most memory that it had, bytes: seen every few milliseconds while it ran, 0 where the system does not tell. */
  readonly peakBytes: number;
}

export interface SpawnOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  readonly limitMs?: number;
}

/** Runs to the end. @throws Error if it cannot be started or takes longer than its limit */
export function outcome(
  program: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<Outcome> {
  const { env, cwd, input = "", limitMs = LIMIT_MS } = options;
  const start = performance.now();
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: "pipe" });
  running.add(child);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (bytes: Buffer) => out.push(bytes));
  child.stderr.on("data", (bytes: Buffer) => err.push(bytes));
  // A program that does not read its input is none of our business.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  return new Promise((done, fail) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, limitMs);
    let peakBytes = 0;
    const watch = setInterval(() => {
      peakBytes = Math.max(peakBytes, peakOf(child.pid));
    }, PEAK_EVERY_MS);
    const settle = (how: () => void) => {
      clearTimeout(timer);
      clearInterval(watch);
      running.delete(child);
      how();
    };
    child.on("error", (error) => settle(() => fail(error)));
    child.on("close", (code) =>
      settle(() => {
        const stdout = Buffer.concat(out).toString();
        const stderr = Buffer.concat(err).toString();
        if (late)
          fail(
            new Error(
              `${told(program, args)} took longer than ${limitMs} ms: ${(stderr + stdout).slice(0, TOLD)}`,
            ),
          );
        else done({ stdout, stderr, code, ms: performance.now() - start, peakBytes });
      }),
    );
  });
}

/** A program that runs. */
export interface Started {
  /** It has printed a line; or has ended, which is an error. */
  readonly firstLine: Promise<void>;
  readonly ended: Promise<Pick<Outcome, "stdout" | "stderr" | "code">>;
}

/** Starts a program, and lets it run as long as it does. */
export function started(
  program: string,
  args: readonly string[],
  { env }: Pick<SpawnOptions, "env"> = {},
): Started {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let stdout = "";
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Pick<Outcome, "stdout" | "stderr" | "code">>((done, fail) => {
    child.once("error", fail);
    child.once("close", (code) => {
      running.delete(child);
      done({ stdout, stderr, code });
    });
  });
  const firstLine = new Promise<void>((done, fail) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      if (stdout.includes("\n")) done();
    });
    ended.then(({ code }) => fail(new Error(`${told(program, args)} ended with ${code}: ${stderr}`)), fail);
  });
  return { firstLine, ended };
}

/** Runs to a good end and returns what it printed. @throws Error if its exit code is not 0 */
export async function printedBy(
  program: string,
  args: readonly string[],
  options?: SpawnOptions,
): Promise<string> {
  const { stdout, stderr, code } = await outcome(program, args, options);
  if (code !== 0)
    throw new Error(`${told(program, args)} ended with ${code}: ${(stderr + stdout).slice(0, TOLD)}`);
  return stdout;
}

/** Whether a program can be run at all. */
export async function isInstalled(program: string, versionFlag: string): Promise<boolean> {
  try {
    await outcome(program, [versionFlag], { limitMs: 10_000 });
    return true;
  } catch {
    return false;
  }
}

/** High-water mark of a process's resident memory, bytes; 0 if it has ended, or where there is no /proc. */
function peakOf(pid: number | undefined): number {
  try {
    const [, kb] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kb ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** A command as a message shows it: files by their names. */
function told(program: string, args: readonly string[]): string {
  const shown = [program, ...args].map((word) => (isAbsolute(word) ? basename(word) : word));
  return shown.join(" ").slice(0, TOLD);
}
