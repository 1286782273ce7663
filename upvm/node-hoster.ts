/**
 * Runs what starts a pvmd on another host, as a process.
 *
 * Owns: the process with all that it has started, its time and what of its words is kept. It gets the key on its standard
 * input. Which words it is run with is pvmd/hoster.ts.
 */
import type { ChildProcess } from "node:child_process";
import { LIMITS } from "../wire/limits.ts";
import { startChild } from "./node-start-child.ts";

/** Those that run. One that has been started by a pvmd ends with it. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) endGroup(child);
});

/** @returns its exit code, -1 if it has none, and the end of what it said, or why it did not run. Never fails. */
export function runHoster(
  words: readonly string[],
  key: string,
  limitMs: number = LIMITS.hosterMs,
): Promise<{ code: number; text: string }> {
  return new Promise((done) => {
    const [command = "", ...args] = words;
    // A group of its own, to be ended as a whole: what a script has started would go on, and hold its output open.
    const child = startChild(command, args, { stdio: ["pipe", "pipe", "pipe"], detached: true });
    const cannot = (why: string): void =>
      done({ code: -1, text: `its hoster, ${command}, cannot be run: ${why}` });
    if (typeof child === "string") return cannot(child);
    running.add(child);
    let text = "";
    const collect = (data: Buffer): void => {
      text = (text + data.toString()).slice(-LIMITS.hosterTextLength);
    };
    const ended = (how: string): void => {
      const said = text.trim();
      done({ code: -1, text: `${said}${said === "" ? "" : "\n"}its hoster, ${command}, ${how}` });
    };
    const timer = setTimeout(() => {
      running.delete(child);
      endGroup(child);
      for (const stream of [child.stdout, child.stderr]) stream.destroy();
      ended(`took longer than ${limitMs / 1000} s and was ended`);
    }, limitMs);
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    // It may end before it has read.
    child.stdin.on("error", () => {});
    child.stdin.end(key);
    const over = (): void => {
      clearTimeout(timer);
      running.delete(child);
    };
    child.on("error", (error: NodeJS.ErrnoException) => {
      over();
      cannot(error.code === "ENOENT" ? "no such file" : error.message);
    });
    child.on("close", (code, signal) => {
      over();
      if (signal === null) done({ code: code ?? -1, text });
      else ended(`was ended: ${signal}`);
    });
  });
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // All of it has ended in this moment.
  }
}
