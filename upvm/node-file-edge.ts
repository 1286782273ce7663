/**
 * Files of granted folders on Node's disk: what runtime/pvm/wasi-*.ts asks for.
 *
 * Owns: the way from a grant and names to a file of the system, and the last check that it is inside. Names come without
 * symbolic links (wasi-path.ts), and a last one is not followed; but other ULPs and processes may change the folders
 * meanwhile, so that it is looked once more when a name is used. Only regular files are opened: a pipe would stop the
 * engine.
 */
import {
  type BigIntStats,
  closeSync,
  constants,
  existsSync,
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
/** Where Linux says what a descriptor is. */
const DESCRIPTORS = "/proc/self/fd";
const HAS_DESCRIPTORS = existsSync(DESCRIPTORS) && process.platform === "linux";

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

/**
 * Does something with a name in its folder. The folder is opened, it is looked where it really is, and the name is taken
 * in what was opened: so it does not matter what others do to the path meanwhile. Where the system cannot say that (it is
 * Linux's /proc), the path is looked at just before it is used.
 *
 * @throws FileError EACCES if the folder is not in the granted one
 */
function inFolder<T>(grant: Grant, path: readonly string[], use: (full: string) => T): T {
  // A name of one system can be a path of another.
  if (sep === "\\" && path.some((name) => /[\\:]/.test(name))) throw new FileError(WASI_ERRNO.acces);
  const folder = join(grant.host, ...path.slice(0, -1));
  const name = path.at(-1) ?? ".";
  if (!HAS_DESCRIPTORS) {
    checkInside(realpathSync(folder), grant);
    return use(join(folder, name));
  }
  const handle = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const opened = `${DESCRIPTORS}/${handle}`;
    checkInside(readlinkSync(opened), grant);
    return use(`${opened}/${name}`);
  } finally {
    closeSync(handle);
  }
}

function checkInside(real: string, grant: Grant): void {
  const inside = grant.host.endsWith(sep) ? grant.host : grant.host + sep;
  if (real !== grant.host && !real.startsWith(inside)) throw new FileError(WASI_ERRNO.acces);
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

function open(full: string, how: OpenHow): number {
  const handle = openSync(full, flagsOf(how), 0o666);
  try {
    if (!fstatSync(handle).isFile()) throw new FileError(WASI_ERRNO.notsup);
    if (how.truncate) ftruncateSync(handle, 0);
    return handle;
  } catch (error) {
    closeSync(handle);
    throw error;
  }
}

function within<T>(grant: Grant, path: readonly string[], use: (full: string) => T): T {
  return tried(() => inFolder(grant, path, use));
}

export function nodeFiles(): FileEdge {
  return {
    stat: (grant, path) => within(grant, path, (full) => statOf(lstatSync(full, { bigint: true }))),
    readLink: (grant, path) => within(grant, path, (full) => readlinkSync(full)),
    open: (grant, path, how) => within(grant, path, (full) => open(full, how)),
    close: (handle) => tried(() => closeSync(handle)),
    statHandle: (handle) => tried(() => statOf(fstatSync(handle, { bigint: true }))),
    read: (handle, into, offset) => tried(() => readSync(handle, into, 0, into.length, offset)),
    write: (handle, from, offset) =>
      tried(() => writeSync(handle, from, 0, from.length, offset === undefined ? null : offset)),
    setBytes: (handle, bytes) => tried(() => ftruncateSync(handle, bytes)),
    sync: (handle, dataOnly) => tried(() => (dataOnly ? fdatasyncSync(handle) : fsyncSync(handle))),
    setTimes: (grant, path, accessed, modified) =>
      within(grant, path, (full) =>
        lutimesSync(full, Number(accessed) / NS_PER_S, Number(modified) / NS_PER_S),
      ),
    list: (grant, path) => within(grant, [...path, "."], (full) => readdirSync(full).sort()),
    makeFolder: (grant, path) => within(grant, path, (full) => mkdirSync(full)),
    removeFolder: (grant, path) => within(grant, path, (full) => rmdirSync(full)),
    removeFile: (grant, path) => within(grant, path, (full) => unlinkSync(full)),
    rename: (from, path, to, newPath) =>
      within(from, path, (old) => inFolder(to, newPath, (full) => renameSync(old, full))),
  };
}
