/** Files, with the system's errors in words. */
import { readFile, realpath, stat, writeFile } from "node:fs/promises";
import { type ErrorCode, UpvmError } from "../wire/errors.ts";

/** Errors of files in words; others keep the system's name. */
const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EACCES: "permission denied",
  EISDIR: "it is a folder",
  ENOTDIR: "no such folder",
  ENOSPC: "the disk is full",
};

/** @throws UpvmError FILE_NOT_FOUND */
export function readBytes(path: string): Promise<Uint8Array> {
  return readFile(path).catch((error: unknown) => refuse("FILE_NOT_FOUND", path, error));
}

/** @throws UpvmError FILE_NOT_WRITTEN */
export function writeBytes(path: string, data: string | Uint8Array): Promise<void> {
  return writeFile(path, data).catch((error: unknown) =>
    refuse("FILE_NOT_WRITTEN", path, error, "no such folder"),
  );
}

/** A folder's absolute path without symbolic links. @throws UpvmError FILE_NOT_FOUND */
export async function realFolder(path: string): Promise<string> {
  const found = await realpath(path).catch((error: unknown) =>
    refuse("FILE_NOT_FOUND", path, error, "no such folder"),
  );
  if (!(await stat(found)).isDirectory())
    throw new UpvmError("FILE_NOT_FOUND", { path, why: "it is no folder" });
  return found;
}

/** @param missing  what is not there, if the path leads nowhere */
function refuse(code: ErrorCode, path: string, error: unknown, missing?: string): never {
  const why = (error as NodeJS.ErrnoException).code === "ENOENT" ? missing : undefined;
  throw new UpvmError(code, { path, why: why ?? fileWords(error) });
}

/** A system's error in words. */
export function fileWords(error: unknown): string {
  const name = (error as NodeJS.ErrnoException).code ?? String(error);
  return FILE_ERRORS[name] ?? name;
}
