/**
 * The files of a host's home: folder, key, lock, state and log.
 *
 * Owns: who may read them (the user alone), and that one pvmd at most lives in a home. Names are home.ts.
 */
import { randomBytes } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import { type Home, homeOf, keyOf, keyText } from "./home.ts";

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
/** SQLite's SQLITE_BUSY: another process has the lock. */
const BUSY = 5;

/** The home of this process's environment. @throws UpvmError HOME_UNKNOWN, HOME_TOO_LONG */
export function thisHome(): Home {
  return homeOf(process.env, (path) => resolve(path));
}

/** Makes the folder if there is none, and the user's own. @throws UpvmError HOME_REFUSED */
export function makeHome({ folder }: Home): void {
  try {
    mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
    const found = statSync(folder);
    const user = process.getuid?.();
    if (user !== undefined && found.uid !== user)
      throw new UpvmError("HOME_REFUSED", { path: folder, why: `it belongs to user ${found.uid}` });
    if ((found.mode & 0o777) !== FOLDER_MODE) chmodSync(folder, FOLDER_MODE);
  } catch (error) {
    throw refused(folder, error);
  }
}

function refused(path: string, error: unknown): UpvmError {
  if (error instanceof UpvmError) return error;
  return new UpvmError("HOME_REFUSED", { path, why: homeWords(error) });
}

/** Why something in a home cannot be written, in words. */
export function homeWords(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  // Codes of Node's own say less than their messages.
  return WHY[code ?? ""] ?? (code === undefined || code.startsWith("ERR_") ? message : code);
}
const WHY: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOTDIR: "it is no folder",
  EEXIST: "it is no folder",
  EISDIR: "it is a folder",
  ENOSPC: "the disk is full",
};

/**
 * Takes the home for this process, until it ends: the system takes the lock back, however it ends. A pid in a file would
 * need somebody to judge whether it is stale, and two who start at the same moment could both.
 *
 * @returns false: another process has it
 * @throws UpvmError HOME_REFUSED
 */
export function takeHome(home: Home): boolean {
  lock = lockOf(home, LIMITS.lockWaitMs);
  return lock !== undefined;
}
/** Kept open: the lock lives as long as it does. */
let lock: DatabaseSync | undefined;

/** Undefined: another process has the lock; one that only looks has it for a moment. */
function lockOf({ lockFile }: Home, waitMs: number): DatabaseSync | undefined {
  let database: DatabaseSync | undefined;
  try {
    closeSync(openSync(lockFile, "a", FILE_MODE));
    database = new DatabaseSync(lockFile, { timeout: waitMs });
    // Node has no flock; SQLite locks the file with fcntl. Nothing is ever written to it.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    database?.close();
    if ((error as { errcode?: number }).errcode === BUSY) return undefined;
    throw refused(lockFile, error);
  }
}

/** True if no pvmd lives there. @throws UpvmError HOME_REFUSED */
export function homeIsFree(home: Home): boolean {
  if (!existsSync(home.lockFile)) return true;
  const found = lockOf(home, LIMITS.lockLookMs);
  found?.close();
  return found !== undefined;
}

/** A new key, that nobody can guess. */
export function newKey(): Uint8Array {
  return new Uint8Array(randomBytes(LIMITS.keyBytes));
}

/** Writes the key so that only the user can read it, from its first byte on. @throws UpvmError HOME_REFUSED */
export function writeKey({ keyFile }: Home, key: Uint8Array): void {
  writeOwn(keyFile, keyText(key));
}

/**
 * The key in a file, or from standard input for "-".
 *
 * @throws UpvmError KEY_NOT_READ
 */
export function readKey(path: string): Uint8Array {
  const shown = path === "-" ? "standard input" : path;
  let text: string;
  try {
    text = readStart(path === "-" ? 0 : path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UpvmError("KEY_NOT_READ", { path: shown, why: KEY_WHY[code ?? ""] ?? `${code}` });
  }
  const key = keyOf(text);
  const why = `a key is a line of ${2 * LIMITS.keyBytes} hexadecimal digits`;
  if (key === undefined) throw new UpvmError("KEY_NOT_READ", { path: shown, why });
  return key;
}
const KEY_WHY: Readonly<Record<string, string>> = { ...WHY, ENOENT: "no such file" };

/** As much as a key with white space can have; a wrong file may be of any length. */
function readStart(path: string | number): string {
  const file = typeof path === "number" ? path : openSync(path, "r");
  try {
    const bytes = new Uint8Array(4 * LIMITS.keyBytes);
    let length = 0;
    for (;;) {
      const read = readSync(file, bytes, length, bytes.length - length, null);
      length += read;
      if (read === 0 || length === bytes.length) return new TextDecoder().decode(bytes.subarray(0, length));
    }
  } finally {
    if (typeof path !== "number") closeSync(file);
  }
}

/** What the pvmd of the home is. @throws UpvmError HOME_REFUSED */
export function writeState({ stateFile }: Home, state: Readonly<Record<string, string | number>>): void {
  writeOwn(stateFile, `${JSON.stringify(state)}\n`);
}

/** Process of the pvmd that lives here or did last; undefined: nobody has said. */
export function statePid({ stateFile }: Home): number | undefined {
  try {
    const { pid } = JSON.parse(readFileSync(stateFile, "utf8")) as { pid?: unknown };
    return Number.isInteger(pid) ? (pid as number) : undefined;
  } catch {
    // Damaged or not there: there is nothing to learn from it.
    return undefined;
  }
}

/** False: somebody has deleted the folder, and no command can reach its pvmd any more. */
export function homeIsThere({ folder }: Home): boolean {
  return existsSync(folder);
}

/** A pvmd that ends takes away what says that it is there; in a home that is another's it touches nothing. */
export function leaveHome({ socket, stateFile }: Home): void {
  if (lock === undefined) return;
  for (const path of [socket, stateFile]) rmSync(path, { force: true });
}

/** Written aside: on a full disk the old one stays, whole, and no part of the new one. */
function writeOwn(path: string, text: string): void {
  const aside = `${path}.new`;
  try {
    // A file that is there keeps its mode: take it away first.
    rmSync(aside, { force: true });
    writeFileSync(aside, text, { mode: FILE_MODE, flag: "wx" });
    renameSync(aside, path);
  } catch (error) {
    rmSync(aside, { force: true });
    throw refused(path, error);
  }
}

/** The log, to be appended to: for a child's streams. @throws UpvmError HOME_REFUSED */
export function openLog({ logFile }: Home): number {
  try {
    return openSync(logFile, "a", FILE_MODE);
  } catch (error) {
    throw refused(logFile, error);
  }
}

/**
 * Appends a line to the log. A log that is longer than LIMITS.logBytes begins anew; what it was is kept beside it. It is
 * copied and emptied, not renamed: children have it open.
 */
export function writeLog({ logFile }: Home, line: string): void {
  try {
    appendFileSync(logFile, line, { mode: FILE_MODE });
    if (statSync(logFile).size <= LIMITS.logBytes) return;
    copyFileSync(logFile, `${logFile}.1`);
    truncateSync(logFile);
  } catch {
    // A full disk must not end the virtual machine, and there is nowhere to say it.
  }
}

/** The log's last lines, LIMITS.logTailBytes at most. @throws UpvmError HOME_REFUSED */
export function readLog({ logFile }: Home, lines: number): string {
  try {
    const file = openSync(logFile, "r");
    try {
      const { size } = fstatSync(file);
      const bytes = new Uint8Array(Math.min(size, LIMITS.logTailBytes));
      const read = readSync(file, bytes, 0, bytes.length, size - bytes.length);
      const text = new TextDecoder().decode(bytes.subarray(0, read));
      return text
        .split("\n")
        .slice(-lines - 1)
        .join("\n");
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw refused(logFile, error);
  }
}
