/**
 * Children of a daemon, which does not end because one could not be started.
 *
 * Owns: what differs between the ways in which Node says so. What a child is told, and what it says, is its owner's.
 */
import { type ChildProcessByStdio, type SpawnOptions, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";

/** @returns a child that has these streams; text: why there is none. One that cannot be run yet tells by its event "error". */
export function startChild<Out extends "pipe" | "ignore">(
  command: string,
  args: readonly string[],
  options: SpawnOptions & { readonly stdio: ["pipe", Out, "pipe"] },
): ChildProcessByStdio<Writable, Out extends "pipe" ? Readable : null, Readable> | string {
  try {
    const child = spawn(command, args, options);
    // At the limit of open files it has no streams, and its event "error" follows: nobody else listens to that.
    if (child.stderr != null) return child as never;
    child.on("error", () => {});
    return "no more files can be opened";
  } catch (error) {
    // No memory, or words that are too long.
    return (error as Error).message;
  }
}
