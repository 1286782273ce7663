/**
 * Lines for the console: typed, with history and completion, or piped in.
 *
 * Owns: readline and the history file. What lines mean is console.ts.
 */
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { LIMITS } from "../wire/limits.ts";
import type { Lines, LinesOptions } from "./edge.ts";

export function nodeLines({ prompt, historyFile, complete }: LinesOptions): Lines {
  const typed = process.stdin.isTTY === true && process.stdout.isTTY === true;
  return {
    typed,
    async each(take) {
      const reader = createInterface({
        input: process.stdin,
        ...(typed && { output: process.stdout }),
        terminal: typed,
        prompt,
        history: typed ? readHistory(historyFile) : [],
        historySize: LIMITS.historyLines,
        removeHistoryDuplicates: true,
        completer: (line: string, done: (error: null, found: [string[], string]) => void) => {
          const word = /\S*$/.exec(line)?.[0] ?? "";
          complete(line).then(
            (all) => done(null, [all.filter((each) => each.startsWith(word)).sort(), word]),
            () => done(null, [[], word]),
          );
        },
      });
      if (typed) reader.on("history", (lines: string[]) => writeHistory(historyFile, lines));
      // Ctrl-C throws the line away, as in a shell.
      reader.on("SIGINT", () => {
        process.stdout.write("^C\n");
        reader.write(null, { ctrl: true, name: "u" });
        reader.prompt();
      });
      try {
        if (typed) reader.prompt();
        for await (const line of reader) {
          if (await take(line)) break;
          if (typed) reader.prompt();
        }
      } finally {
        reader.close();
      }
    },
  };
}

/** Newest first, as readline has them. */
function readHistory(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n").filter(Boolean).slice(-LIMITS.historyLines).reverse();
  } catch {
    return [];
  }
}

function writeHistory(path: string, lines: readonly string[]): void {
  try {
    writeFileSync(path, `${[...lines].reverse().join("\n")}\n`, { mode: 0o600 });
    chmodSync(path, 0o600);
  } catch {
    // A history that cannot be kept is no reason to end.
  }
}
