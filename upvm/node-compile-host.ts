/**
 * What compilers read of this disk, and a compiler of the user's own as a process.
 *
 * Owns: the paths, which are relative to the working folder, and a folder for what such a compiler makes.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { UpvmError } from "../wire/errors.ts";
import type { CompileHost } from "./compile.ts";
import { keepMade } from "./node-compile-cache.ts";
import { packageRoot } from "./node-package.ts";

/**
 * @param cacheFolder  where parts of programs are kept; undefined: nowhere
 * @param note  told of each file that was looked for: its absolute path, and its text if there is one; of each folder: its
 *   path and "/", and the names in it, one a line
 */
export function nodeCompileHost(
  cacheFolder: string | undefined,
  note: (path: string, text: string | null) => void = () => {},
): CompileHost {
  return {
    root: packageRoot,
    folder: process.cwd(),
    read(path) {
      const full = resolve(path);
      let found: string | null;
      try {
        found = readFileSync(full, "utf8");
      } catch {
        found = null;
      }
      note(full, found);
      return found;
    },
    bytes(path) {
      try {
        return new Uint8Array(readFileSync(resolve(path)));
      } catch {
        return null;
      }
    },
    list(path) {
      const names = namesIn(resolve(path));
      note(`${resolve(path)}/`, names === null ? null : names.join("\n"));
      return names ?? [];
    },
    input: () => text(process.stdin),
    keep: (key, make) => keepMade(cacheFolder, key, make),
    own: runOwn,
  };
}

/** What is in a folder, in order; null: there is none. */
function namesIn(folder: string): string[] | null {
  try {
    return readdirSync(folder).sort();
  } catch {
    return null;
  }
}

/** Runs a compiler as a process. @throws UpvmError COMPILE if it cannot be started */
async function runOwn(words: readonly string[], inPlace: boolean) {
  const folder = mkdtempSync(join(tmpdir(), "upvm-cc-"));
  const out = join(folder, "out.wasm");
  try {
    const [command = "", ...rest] = words;
    const child = spawn(command, inPlace ? rest : [...rest, "-o", out], {
      // It reads its source there if it is told to.
      stdio: [words.includes("-") ? "inherit" : "ignore", "inherit", "pipe"],
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const code = await new Promise<number>((done, fail) => {
      child.on("error", (error: NodeJS.ErrnoException) => {
        const why = error.code === "ENOENT" ? "no such command" : error.message;
        fail(new UpvmError("COMPILE", { path: command, output: `${command}: ${why}` }));
      });
      child.on("close", (status) => done(status ?? 1));
    });
    return { code, said, made: code === 0 && !inPlace ? new Uint8Array(readFileSync(out)) : undefined };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
