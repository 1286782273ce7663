/** The command `upvm` at a terminal, for tests: `script` gives it a pseudo-terminal. */
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { LIMIT_MS } from "./command.ts";

const BIN = join(import.meta.dirname, "../bin/upvm.js");

/** What is waited for on the screen, and what is typed then. */
export type Step = readonly [shown: RegExp, typed: string];

/** False: this machine has no program that makes pseudo-terminals. */
export function canType(): boolean {
  return spawnSync("script", ["--version"]).status === 0;
}

/**
 * Runs `upvm WORDS...` and types. Each step looks at what has been shown since the one before.
 *
 * @returns all that was shown, without the terminal's codes, and the exit code; null: it hung
 */
export async function typed(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  steps: readonly Step[],
): Promise<{ readonly screen: string; readonly code: number | null }> {
  const line = [process.execPath, BIN, ...words].join(" ");
  const child = spawn("script", ["-qec", line, "/dev/null"], {
    env: { ...process.env, TERM: "xterm", ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let screen = "";
  let seen = 0;
  let step = 0;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    screen += text;
    const [shown, keys] = steps[step] ?? [];
    if (shown === undefined || !shown.test(plain(screen.slice(seen)))) return;
    seen = screen.length;
    step += 1;
    child.stdin.write(keys ?? "");
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  const code = await new Promise<number | null>((done) => child.on("close", done));
  clearTimeout(timer);
  return { screen: plain(screen), code };
}

/** Without codes that move the cursor and colour. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "").replaceAll("\r", "");
}
