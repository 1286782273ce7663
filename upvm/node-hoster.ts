/**
 * Runs what starts a pvmd on another host, as a process.
 *
 * Owns: the process, its time and what of its words is kept. It gets the key on its standard input. Which words it is run with
 * is pvmd/hoster.ts.
 */
import { LIMITS } from "../wire/limits.ts";
import { startChild } from "./node-start-child.ts";

/** @returns its exit code, -1 if it has none, and the end of what it said, or why it did not run. Never fails. */
export function runHoster(words: readonly string[], key: string): Promise<{ code: number; text: string }> {
  return new Promise((done) => {
    const [command = "", ...args] = words;
    const child = startChild(command, args, { stdio: ["pipe", "pipe", "pipe"], timeout: LIMITS.hosterMs });
    if (typeof child === "string") return done({ code: -1, text: `${command}: ${child}` });
    let text = "";
    const collect = (data: Buffer): void => {
      text = (text + data.toString()).slice(-LIMITS.hosterTextLength);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    // It may end before it has read.
    child.stdin.on("error", () => {});
    child.stdin.end(key);
    child.on("error", (error) => done({ code: -1, text: `${command}: ${error.message}` }));
    child.on("close", (code, signal) =>
      done({ code: code ?? -1, text: signal === null ? text : `${text}${command} was ended: ${signal}` }),
    );
  });
}
