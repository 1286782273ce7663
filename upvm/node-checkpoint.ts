/**
 * Checkpoints as files.
 *
 * Owns: that a file of this name is whole or is not there: it is written aside, brought to the disk and renamed; what was
 * there before stays until then. What a command that was killed has left aside goes with the next one for the same file. It may
 * hold what the programs hold: only its owner may read it. What is in it is runtime/migrate/checkpoint.ts.
 */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { crc32 } from "node:zlib";
import type { CheckpointFile, Sum } from "../runtime/migrate/checkpoint.ts";
import { UpvmError } from "../wire/errors.ts";
import type { CheckpointFiles, NewFile } from "./edge.ts";
import { fileWords } from "./node-files.ts";

export const fastSum: Sum = (bytes, sum) => crc32(bytes, sum);

/**
 * Each call @throws UpvmError FILE_NOT_WRITTEN: no right, no room
 *
 * @param writeTo  writes to a handle; another than the system's in tests
 */
export function createFile(path: string, writeTo: typeof writeSync = writeSync): NewFile {
  const guarded = <T>(act: () => T): T => {
    try {
      return act();
    } catch (error) {
      throw new UpvmError("FILE_NOT_WRITTEN", {
        ...{ path, why: writeWords(error) },
        hint: "the job goes on; give a place that can be written, and has room for all its ULPs",
      });
    }
  };
  const name = guarded(() => placeOf(path));
  sweep(name);
  const aside = asideOf(name, process.pid);
  let handle: number | undefined = guarded(() => openSync(aside, "wx", 0o600));
  writing.add(resolve(aside));
  const close = (): void => {
    if (handle !== undefined) closeSync(handle);
    handle = undefined;
    writing.delete(resolve(aside));
  };
  return {
    write: (bytes) =>
      guarded(() => {
        for (let at = 0; at < bytes.length; ) at += writeTo(handle!, bytes, at);
      }),
    commit: () =>
      guarded(() => {
        fsyncSync(handle!);
        close();
        renameSync(aside, name);
        syncFolder(dirname(name));
      }),
    drop() {
      close();
      rmSync(aside, { force: true });
    },
  };
}

/** Where a process writes until the file is whole: NAME.HOST.PID.part. A folder may be that of several machines. */
const asideOf = (name: string, pid: number): string => `${beginOf(name)}${pid}${END}`;
const beginOf = (name: string): string => `${name}.${hostname()}.`;
const END = ".part";

/** Files of this process that are not whole yet. */
const writing = new Set<string>();

/**
 * Brings the new name to the disk: until then a machine that fails may come back with what was there before. Where a folder
 * cannot be opened for that, the system does it when it likes.
 */
function syncFolder(folder: string): void {
  try {
    const handle = openSync(folder, "r");
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  } catch {
    // The file is there under its name, and whole.
  }
}

/**
 * Removes what processes of this machine that are gone have written aside for this file. Others clean up after themselves. One
 * that had this process's number is gone: in a container each command may have the same.
 */
function sweep(name: string): void {
  const before = beginOf(basename(name));
  let found: string[] = [];
  try {
    found = readdirSync(dirname(name));
  } catch {
    // A folder that may be written to and not be listed: what is in it stays.
  }
  for (const each of found) {
    const pid = each.startsWith(before) && each.endsWith(END) ? each.slice(before.length, -END.length) : "";
    const path = join(dirname(name), each);
    if (/^[1-9]\d*$/.test(pid) && !isWriting(path, Number(pid))) rmSync(path, { force: true });
  }
}

function isWriting(path: string, pid: number): boolean {
  if (pid === process.pid) return writing.has(resolve(path));
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // No right to signal it: it is there, and another user's.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** Where a file of this name is to be: what a symbolic link stands for. @throws what the system says; UpvmError: it is no file */
function placeOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return path;
  if (found.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
  // A device or a pipe would be replaced by the file.
  if (!found.isFile()) throw Object.assign(new Error(), { code: "it is no file" });
  return realpathSync(path);
}

/** What is not there is the folder: the file is new. */
function writeWords(error: unknown): string {
  return (error as NodeJS.ErrnoException).code === "ENOENT" ? "no such folder" : fileWords(error);
}

/** Opens a file for as long as `use` takes. @throws UpvmError FILE_NOT_FOUND, and what `use` throws */
export async function withFile<T>(path: string, use: (file: CheckpointFile) => Promise<T> | T): Promise<T> {
  const guarded = <R>(act: () => R): R => {
    try {
      return act();
    } catch (error) {
      throw new UpvmError("FILE_NOT_FOUND", { path, why: fileWords(error) });
    }
  };
  const handle = guarded(() => openSync(path, "r"));
  try {
    const bytes = guarded(() => fstatSync(handle).size);
    const read = (at: number, length: number): Uint8Array<ArrayBuffer> => {
      const into = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const got = guarded(() => readSync(handle, into, done, length - done, at + done));
        if (got === 0) break;
        done += got;
      }
      // The file has become shorter meanwhile: its checksums tell.
      return into;
    };
    return await use({ path, bytes, read });
  } finally {
    closeSync(handle);
  }
}

export const checkpointFiles: CheckpointFiles = {
  sum: fastSum,
  create: (path) => createFile(path),
  withFile,
};
