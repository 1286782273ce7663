/**
 * Compiled programs kept in the user's cache folder.
 *
 * One file for each program as it was asked for: path, working folder, options, version. It says what the program was
 * made from, hash by hash, and counts only while all of that is unchanged; files that were looked for and did not
 * exist are part of it.
 *
 *     sha256 of the rest, hex, "\n"
 *     JSON of Entry, "\n"
 *     wasm
 *
 * Never trusted: a folder that others can write is not used, a file whose hash is wrong is ignored and written anew.
 * Nothing here fails: without a cache, programs are compiled.
 */
import { createHash } from "node:crypto";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { LIMITS } from "../wire/limits.ts";
import type { Compiled, CompileOptions } from "./compile.ts";
import { packageRoot } from "./node-package.ts";

/**
 * What a program was made from: path, and hash of the text or "" if there was no such file; of a folder that was looked
 * through, path and "/", and hash of the names in it.
 */
export type Reads = readonly (readonly [string, string])[];

interface Task {
  readonly path: string;
  readonly options: CompileOptions;
}
interface Entry {
  readonly reads: Reads;
  readonly lines?: string;
  readonly warnings: string;
}

const SUFFIX = ".compiled";
/** Parts of programs: the guest library. */
const MADE_SUFFIX = ".made";
const HASH_LENGTH = 64;

/** $XDG_CACHE_HOME/upvm, else ~/.cache/upvm. */
export function defaultCacheFolder(): string {
  const base = process.env["XDG_CACHE_HOME"];
  return join(base && isAbsolute(base) ? base : join(homedir(), ".cache"), "upvm");
}

/** The program, if it is there and what it was made from is unchanged. */
export function findCompiled(folder: string, task: Task): Compiled | undefined {
  try {
    if (!isPrivate(folder)) return undefined;
    const file = fileOf(folder, task);
    const bytes = readFileSync(file);
    const rest = bytes.subarray(HASH_LENGTH + 1);
    if (hash(rest) !== bytes.toString("latin1", 0, HASH_LENGTH)) return undefined;
    const end = rest.indexOf("\n");
    // Its hash says that it is what keepCompiled wrote.
    const { reads, ...entry } = JSON.parse(rest.toString("utf8", 0, end)) as Entry;
    if (!reads.every(([path, wanted]) => hashOfFile(path) === wanted)) return undefined;
    const now = new Date();
    utimesSync(file, now, now);
    return { ...entry, wasm: new Uint8Array(rest.subarray(end + 1)) };
  } catch {
    return undefined;
  }
}

/** Keeps a program for the next time. */
export function keepCompiled(folder: string, task: Task, compiled: Compiled, reads: Reads): void {
  const { wasm, ...rest } = compiled;
  const entry: Entry = { ...rest, reads };
  const body = Buffer.concat([Buffer.from(`${JSON.stringify(entry)}\n`), wasm]);
  keepFile(folder, () => fileOf(folder, task), body);
}

/** Writes a file of the cache, its hash in front. */
function keepFile(folder: string, name: () => string, body: Uint8Array): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!isPrivate(folder)) return;
    const file = name();
    // Written aside and renamed, so that no other process sees half of it.
    const aside = `${file}.${process.pid}`;
    writeFileSync(aside, Buffer.concat([Buffer.from(`${hash(body)}\n`), body]), { mode: 0o600 });
    renameSync(aside, file);
    dropOldest(folder);
  } catch {
    // No room, no right, no home: the program is compiled, and that is what was asked for.
  }
}

/** What was made for a key, or what `make` gives now; kept in the folder, its hash in front. Never fails by itself. */
export async function keepMade(
  folder: string | undefined,
  key: string,
  make: () => Promise<Uint8Array | undefined>,
): Promise<Uint8Array | undefined> {
  if (folder === undefined) return await make();
  const file = join(folder, `${hash(`${toolchain()}${key}`)}${MADE_SUFFIX}`);
  try {
    if (isPrivate(folder)) {
      const bytes = readFileSync(file);
      const rest = bytes.subarray(HASH_LENGTH + 1);
      if (hash(rest) === bytes.toString("latin1", 0, HASH_LENGTH)) {
        const now = new Date();
        utimesSync(file, now, now);
        return new Uint8Array(rest);
      }
    }
  } catch {
    // Not there, or not to be read: made anew.
  }
  const made = await make();
  if (made !== undefined) keepFile(folder, () => file, made);
  return made;
}

/** Is it a folder of this user's own that nobody else can write? On systems without users, it is. */
function isPrivate(folder: string): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (found === undefined || !found.isDirectory()) return false;
  return process.getuid === undefined || (found.uid === process.getuid() && (found.mode & 0o022) === 0);
}

function fileOf(folder: string, task: Task): string {
  return join(folder, hash(JSON.stringify([toolchain(), process.cwd(), task.path, task.options])) + SUFFIX);
}

/** Changes with the versions of this package and of the compilers, and with how they are called. */
function toolchain(): string {
  const here = import.meta.dirname;
  const own = readdirSync(here).filter((name) => /^compile.*\.[jt]s$/.test(name));
  const files = [join(packageRoot, "package.json"), ...own.sort().map((name) => join(here, name))];
  return hash(files.map((file) => readFileSync(file, "utf8")).join("\0"));
}

function dropOldest(folder: string): void {
  const files = readdirSync(folder).filter((name) => name.includes(SUFFIX) || name.includes(MADE_SUFFIX));
  if (files.length <= LIMITS.cacheEntries) return;
  const byAge = files.map((name) => ({ name, used: statSync(join(folder, name)).mtimeMs }));
  byAge.sort((a, b) => b.used - a.used);
  for (const { name } of byAge.slice(LIMITS.cacheEntries)) rmSync(join(folder, name), { force: true });
}

function hash(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** Of its text; of a folder, whose path ends with "/", of the names in it. "": it is not there. */
function hashOfFile(path: string): string {
  try {
    return hash(path.endsWith("/") ? readdirSync(path).sort().join("\n") : readFileSync(path, "utf8"));
  } catch {
    return "";
  }
}
