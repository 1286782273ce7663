/**
 * Files for AssemblyScript programs: `import * as files from "upvm/guest/files"`.
 *
 * A program sees only folders that its user granted: `upvm run prog.ts --dir data`. A path begins with the name under
 * which a folder was granted: "data/in.txt". Whole files at a time; text is UTF-8.
 * Owns: which granted folder a path is in, and `errno`. Nothing stays open after a call.
 * Errors: null, or a number that is not 0: WASI's errno, such as 44 (no such file), 69 (folder is only to be read),
 * 2 (EACCES: not in a granted folder). `files.errno` is that of the last call.
 */

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_prestat_get")
declare function fd_prestat_get(fd: i32, prestat: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_prestat_dir_name")
declare function fd_prestat_dir_name(fd: i32, path: usize, bytes: i32): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "path_open")
declare function path_open(
  fd: i32, lookup: i32, path: usize, bytes: i32, oflags: i32, rights: i64, inherited: i64, flags: i32, opened: usize,
): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_close")
declare function fd_close(fd: i32): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_read")
declare function fd_read(fd: i32, iovs: usize, count: i32, read: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(fd: i32, iovs: usize, count: i32, written: usize): i32;

const NOT_GRANTED: i32 = 2;
const FOLLOW: i32 = 1;
const CREATE: i32 = 1;
const TRUNCATE: i32 = 8;
const APPEND: i32 = 1;
const READ: i64 = 1 << 1;
const WRITE: i64 = 1 << 6;
const FIRST_FOLDER: i32 = 3;
/** Bytes that a file is read by. */
const STEP: i32 = 64 << 10;

/** Error of the last call, 0 if it succeeded: one of WASI's. */
export let errno: i32 = 0;

/** Room for one iovec at 0, results at 8. */
// @ts-ignore: decorator
@lazy const scratch = memory.data(16, 8);

/** All bytes of a file; null: see errno. */
export function readBytes(path: string): StaticArray<u8> | null {
  const fd = open(path, 0, READ, 0);
  if (fd < 0) return null;
  let bytes = new StaticArray<u8>(STEP);
  let used = 0;
  for (;;) {
    if (used == bytes.length) {
      const more = new StaticArray<u8>(2 * used);
      memory.copy(changetype<usize>(more), changetype<usize>(bytes), used);
      bytes = more;
    }
    store<usize>(scratch, changetype<usize>(bytes) + used);
    store<i32>(scratch, bytes.length - used, 4);
    errno = fd_read(fd, scratch, 1, scratch + 8);
    const got = load<i32>(scratch, 8);
    if (errno != 0 || got == 0) break;
    used += got;
  }
  fd_close(fd);
  return errno != 0 ? null : StaticArray.slice<u8>(bytes, 0, used);
}

/** A file's text; null: see errno. */
export function readText(path: string): string | null {
  const bytes = readBytes(path);
  return bytes === null ? null : String.UTF8.decodeUnsafe(changetype<usize>(bytes), bytes.length);
}

/** Makes a file of these bytes, or replaces its contents. @returns errno */
export function writeBytes(path: string, bytes: StaticArray<u8>): i32 {
  return write(path, changetype<usize>(bytes), bytes.length, CREATE | TRUNCATE, 0);
}

/** As writeBytes, for a text. @returns errno */
export function writeText(path: string, text: string): i32 {
  const bytes = String.UTF8.encode(text);
  return write(path, changetype<usize>(bytes), bytes.byteLength, CREATE | TRUNCATE, 0);
}

/** Adds a text at a file's end; makes the file if it is not there. @returns errno */
export function appendText(path: string, text: string): i32 {
  const bytes = String.UTF8.encode(text);
  return write(path, changetype<usize>(bytes), bytes.byteLength, CREATE, APPEND);
}

function write(path: string, at: usize, bytes: i32, oflags: i32, flags: i32): i32 {
  const fd = open(path, oflags, WRITE, flags);
  if (fd < 0) return errno;
  let done = 0;
  while (done < bytes) {
    store<usize>(scratch, at + done);
    store<i32>(scratch, bytes - done, 4);
    errno = fd_write(fd, scratch, 1, scratch + 8);
    if (errno != 0) break;
    done += load<i32>(scratch, 8);
  }
  const wrong = errno;
  errno = fd_close(fd);
  if (wrong != 0) errno = wrong;
  return errno;
}

/** Opens a path in the granted folder with the longest name that it begins with. @returns its number; -1: see errno */
function open(path: string, oflags: i32, rights: i64, flags: i32): i32 {
  let best = -1;
  let length = -1;
  for (let fd = FIRST_FOLDER; fd_prestat_get(fd, scratch) == 0; fd++) {
    const name = new StaticArray<u8>(load<i32>(scratch, 4));
    if (fd_prestat_dir_name(fd, changetype<usize>(name), name.length) != 0) break;
    const folder = String.UTF8.decodeUnsafe(changetype<usize>(name), name.length);
    const prefix = folder == "." ? "" : folder.endsWith("/") ? folder : folder + "/";
    if (!path.startsWith(prefix) || prefix.length <= length) continue;
    best = fd;
    length = prefix.length;
  }
  if (best < 0) {
    errno = NOT_GRANTED;
    return -1;
  }
  const rest = String.UTF8.encode(path.substring(length));
  errno = path_open(
    best, FOLLOW, changetype<usize>(rest), rest.byteLength, oflags, rights, rights, flags, scratch,
  );
  return errno == 0 ? load<i32>(scratch) : -1;
}
