/**
 * Files of granted folders on Node's disk: what runtime/pvm/wasi-*.ts asks for.
 *
 * Owns: the way from a grant and names to a file of the system, and the last check that it is inside: names come without
 * symbolic links (wasi-path.ts), a last one is not followed, and after opening it is looked where the file really is, for
 * another process may have changed the folders meanwhile. Only regular files are opened: a pipe would stop the engine.
 */
import {
  type BigIntStats,
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join, sep } from "node:path";
import {
  type FileEdge,
  FileError,
  type FileStat,
  type Grant,
  type OpenHow,
} from "../runtime/scheduler/files.ts";
import { WASI_ERRNO } from "../wire/wasi.ts";

const NS_PER_S = 1e9;
/** Where Linux says what a descriptor is. Elsewhere the path is looked at again. */
const DESCRIPTORS = "/proc/self/fd";

/** The system's error as WASI's; one that WASI has no name for is EIO. */
function asFileError(error: unknown): FileError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  const name = code.slice(1).toLowerCase();
  // Opening a symbolic link that is not to be followed.
  const known = Object.hasOwn(WASI_ERRNO, name) ? WASI_ERRNO[name as keyof typeof WASI_ERRNO] : undefined;
  return new FileError(known ?? WASI_ERRNO.io);
}

function tried<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw error instanceof FileError ? error : asFileError(error);
  }
}

function fullPath(grant: Grant, path: readonly string[]): string {
  // A name of one system can be a path of another.
  if (sep === "\\" && path.some((name) => /[\\:]/.test(name))) throw new FileError(WASI_ERRNO.notcapable);
  return join(grant.host, ...path);
}

function statOf(found: BigIntStats): FileStat {
  let type: FileStat["type"] = "other";
  if (found.isFile()) type = "file";
  else if (found.isDirectory()) type = "folder";
  else if (found.isSymbolicLink()) type = "link";
  return {
    type,
    device: found.dev,
    inode: found.ino,
    links: found.nlink,
    bytes: found.size,
    accessed: found.atimeNs,
    modified: found.mtimeNs,
    changed: found.ctimeNs,
  };
}

function flagsOf({ read, write, append, create, exclusive }: OpenHow): number {
  const access = write ? (read ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY;
  return (
    access |
    (append ? constants.O_APPEND : 0) |
    (create ? constants.O_CREAT : 0) |
    (exclusive ? constants.O_EXCL : 0) |
    (constants.O_NOFOLLOW ?? 0) |
    (constants.O_NONBLOCK ?? 0)
  );
}

/** @throws FileError ENOTCAPABLE if what was opened is not in the granted folder */
function checkInside(handle: number, grant: Grant, full: string): void {
  let real: string;
  try {
    real = readlinkSync(`${DESCRIPTORS}/${handle}`);
  } catch {
    real = realpathSync(full);
  }
  const inside = grant.host.endsWith(sep) ? grant.host : grant.host + sep;
  if (!real.startsWith(inside)) throw new FileError(WASI_ERRNO.notcapable);
}

function open(grant: Grant, path: readonly string[], how: OpenHow): number {
  const full = fullPath(grant, path);
  const handle = openSync(full, flagsOf(how), 0o666);
  try {
    checkInside(handle, grant, full);
    if (!fstatSync(handle).isFile()) throw new FileError(WASI_ERRNO.notsup);
    // Only now: nothing outside is cut.
    if (how.truncate) ftruncateSync(handle, 0);
    return handle;
  } catch (error) {
    closeSync(handle);
    throw error;
  }
}

export function nodeFiles(): FileEdge {
  return {
    stat: (grant, path) => tried(() => statOf(lstatSync(fullPath(grant, path), { bigint: true }))),
    readLink: (grant, path) => tried(() => readlinkSync(fullPath(grant, path))),
    open: (grant, path, how) => tried(() => open(grant, path, how)),
    close: (handle) => tried(() => closeSync(handle)),
    statHandle: (handle) => tried(() => statOf(fstatSync(handle, { bigint: true }))),
    read: (handle, into, offset) => tried(() => readSync(handle, into, 0, into.length, offset)),
    write: (handle, from, offset) =>
      tried(() => writeSync(handle, from, 0, from.length, offset === undefined ? null : offset)),
    setBytes: (handle, bytes) => tried(() => ftruncateSync(handle, bytes)),
    sync: (handle, dataOnly) => tried(() => (dataOnly ? fdatasyncSync(handle) : fsyncSync(handle))),
    setTimes: (grant, path, accessed, modified) =>
      tried(() =>
        lutimesSync(fullPath(grant, path), Number(accessed) / NS_PER_S, Number(modified) / NS_PER_S),
      ),
    list: (grant, path) => tried(() => readdirSync(fullPath(grant, path)).sort()),
    makeFolder: (grant, path) => tried(() => mkdirSync(fullPath(grant, path))),
    removeFolder: (grant, path) => tried(() => rmdirSync(fullPath(grant, path))),
    removeFile: (grant, path) => tried(() => unlinkSync(fullPath(grant, path))),
    rename: (from, path, to, newPath) => tried(() => renameSync(fullPath(from, path), fullPath(to, newPath))),
  };
}
