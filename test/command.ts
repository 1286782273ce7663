/**
 * Runs the command `upvm` as a real process, for tests.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const root = join(import.meta.dirname, "..");
const BIN = join(root, "bin/upvm.js");
/**
 * A command that takes longer has hung, milliseconds; the test fails and the command is ended. Less than a test file has, and many
 * times what any needs: some run while twenty others begin and end, on a machine that is busy.
 */
export const LIMIT_MS = 300_000;

export interface Done {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

interface Options {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input; "open": onOutput writes to it. Absent: none. */
  readonly input?: string;
  /** Called with the command's process when it has begun. */
  readonly onStart?: (child: ChildProcess) => void;
  /** Called with all standard output so far whenever there is more, and with the process. */
  readonly onOutput?: (out: string, child: ChildProcess) => void;
}

/** Runs `upvm WORDS...` to its end. */
export function upvm(words: readonly string[], options: Options = {}): Promise<Done> {
  const env: NodeJS.ProcessEnv = { ...process.env, ...options.env };
  const child = spawn(process.execPath, [BIN, ...words], {
    cwd: options.cwd ?? root,
    env,
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  if (options.input !== undefined && options.input !== "open") child.stdin?.end(options.input);
  options.onStart?.(child);
  let out = "";
  let err = "";
  child.stdout!.setEncoding("utf8").on("data", (text) => {
    out += text;
    options.onOutput?.(out, child);
  });
  child.stderr!.setEncoding("utf8").on("data", (text) => {
    err += text;
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      done({ code, signal, out, err });
    });
  });
}

/** Calls `use` with a new folder that holds `files`, and removes it afterwards. */
export async function inFolder<T>(
  files: Readonly<Record<string, string | Uint8Array>>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "upvm-test-"));
  try {
    for (const [name, data] of Object.entries(files)) writeFileSync(join(folder, name), data);
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
