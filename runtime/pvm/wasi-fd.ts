/**
 * WASI's calls on open files: fd_*.
 *
 * Owns: offsets, and what each call does to a file, a folder or a standard stream. Results are errno values.
 * Regular files are read and written in place: the system gives no way to wait for a disk but to ask it.
 */
import { LIMITS } from "../../wire/limits.ts";
import { WASI_ERRNO } from "../../wire/wasi.ts";
import type { Context } from "../scheduler/context.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { FileError, type FileStat, type OpenFile } from "../scheduler/files.ts";
import { FDFLAG, FIRST_FILE, type Files } from "./wasi-files.ts";
import { contextCall, pieces, place } from "./wasi-memory.ts";
import { closeStream, isStream, openStream, readInput, writeStream } from "./wasi-streams.ts";

const { badf, inval, notdir, notsup, spipe } = WASI_ERRNO;

export const FILETYPE = { other: 0, stream: 2, folder: 3, file: 4, link: 7 } as const;
const WHENCE = { set: 0, current: 1, end: 2 } as const;
const SET_TIME = { accessed: 1, accessedNow: 2, modified: 4, modifiedNow: 8 } as const;
/** Rights of preview 1, by bit. */
export const RIGHT = { read: 1n << 1n, write: 1n << 6n, readFolder: 1n << 14n } as const;
const ALL_RIGHTS = (1n << 28n) - 1n;
/** Bits of those that change something: write, allocate, create, link, rename, set sizes and times, remove. */
const CHANGES = [6, 8, 9, 10, 11, 12, 16, 17, 19, 20, 22, 23, 24, 25, 26].reduce(
  (set, bit) => set | (1n << BigInt(bit)),
  0n,
);

/** Stores a filestat, 64 bytes. */
export function putStat(context: Context, at: number, type: number, stat?: FileStat): void {
  const to = place(context, at, 64);
  const { view } = context;
  context.bytes.fill(0, to, to + 64);
  view.setUint8(to + 16, type);
  if (stat === undefined) return;
  const { device, inode, links, bytes, accessed, modified, changed } = stat;
  view.setBigUint64(to, device, true);
  view.setBigUint64(to + 8, inode, true);
  [links, bytes, accessed, modified, changed].forEach((value, i) => {
    view.setBigUint64(to + 24 + 8 * i, value, true);
  });
}

/** What fd_filestat_set_times and its sister ask for: accessed and modified, nanoseconds. @throws FileError EINVAL */
export function timesOf(
  e: EngineState,
  now: FileStat,
  accessed: bigint,
  modified: bigint,
  flags: number,
): [bigint, bigint] {
  const both = (a: number): boolean => (flags & a) === a;
  if (both(SET_TIME.accessed | SET_TIME.accessedNow) || both(SET_TIME.modified | SET_TIME.modifiedNow))
    throw new FileError(inval);
  const time = e.edge.wallClock();
  const one = (set: number, setNow: number, value: bigint, old: bigint): bigint => {
    if ((flags & setNow) !== 0) return time;
    return (flags & set) !== 0 ? value : old;
  };
  return [
    one(SET_TIME.accessed, SET_TIME.accessedNow, accessed, now.accessed),
    one(SET_TIME.modified, SET_TIME.modifiedNow, modified, now.modified),
  ];
}

/** An offset as a number. @throws FileError EINVAL */
function offsetOf(value: bigint): number {
  const offset = Number(value);
  if (offset < 0 || !Number.isSafeInteger(offset)) throw new FileError(inval);
  return offset;
}

/** @throws FileError ESPIPE for a stream that is open */
function notStream(context: Context, fd: number): void {
  if (!isStream(fd)) return;
  openStream(context, fd);
  throw new FileError(spipe);
}

/** Bytes that go between a file and the guest at a time: what lies between is memory of our own, not shared. */
const scratch = new Uint8Array(64 << 10);

export function fileCalls(e: EngineState, files: Files) {
  const { edge } = files;

  /** Reads into pieces from an offset on. @returns bytes */
  const readAt = (context: Context, fd: number, list: number, count: number, offset?: number): number => {
    const file = files.getFile(context, fd, "read");
    const parts = pieces(context, list, count);
    const handle = files.handle(fd, file);
    const from = offset ?? file.offset;
    let done = 0;
    for (const part of parts) {
      for (let at = 0; at < part.length; ) {
        const want = Math.min(scratch.length, part.length - at);
        const got = edge.read(handle, scratch.subarray(0, want), from + done);
        part.set(scratch.subarray(0, got), at);
        at += got;
        done += got;
        if (got < want) return done;
      }
    }
    return done;
  };
  const writeAt = (context: Context, fd: number, list: number, count: number, offset?: number): number => {
    const file = files.getFile(context, fd, "write");
    const parts = pieces(context, list, count);
    const handle = files.handle(fd, file);
    const append = (file.flags & FDFLAG.append) !== 0 && offset === undefined;
    const from = offset ?? file.offset;
    let done = 0;
    for (const part of parts) {
      for (let at = 0; at < part.length; ) {
        const some = part.subarray(at, at + scratch.length);
        scratch.set(some);
        const put = edge.write(handle, scratch.subarray(0, some.length), append ? undefined : from + done);
        at += put;
        done += put;
      }
    }
    return done;
  };
  const statOf = (fd: number, file: OpenFile): FileStat =>
    file.folder ? edge.stat(files.grantOf(file), file.path) : edge.statHandle(files.handle(fd, file));
  const putCount = (context: Context, at: number, value: number): void => {
    context.view.setUint32(place(context, at, 4), value, true);
  };
  /** Files that have an own offset: after a read or write it is behind what was read or written. */
  const transfer =
    (move: typeof readAt) => (context: Context, fd: number, list: number, n: number, at: number) => {
      place(context, at, 4);
      const file = files.get(context, fd);
      const bytes = move(context, fd, list, n);
      const appended = move === writeAt && (file.flags & FDFLAG.append) !== 0;
      file.offset = appended ? Number(statOf(fd, file).bytes) : file.offset + bytes;
      putCount(context, at, bytes);
    };
  const readFile = contextCall(e, transfer(readAt));
  const writeFile = transfer(writeAt);
  /** Checks a number that only has to be open. */
  const isOpen = contextCall(e, (context, fd: number) => {
    if (isStream(fd)) openStream(context, fd);
    else files.get(context, fd);
  });
  const sync = (dataOnly: boolean) =>
    contextCall(e, (context, fd: number) => {
      notStream(context, fd);
      const file = files.get(context, fd);
      if (!file.folder) edge.sync(files.handle(fd, file), dataOnly);
    });
  return {
    fd_advise: isOpen,
    fd_datasync: sync(true),
    fd_sync: sync(false),
    fd_fdstat_set_rights: () => notsup,
    fd_read: (fd: number, list: number, n: number, at: number): number =>
      fd === 0 ? readInput(e, list, n, at) : readFile(fd, list, n, at),
    fd_write: contextCall(e, (context, fd: number, list: number, n: number, at: number) => {
      if (!isStream(fd)) return writeFile(context, fd, list, n, at);
      place(context, at, 4);
      putCount(context, at, writeStream(e, context, fd, list, n));
    }),
    fd_pread: contextCall(e, (context, fd: number, list: number, n: number, offset: bigint, at: number) => {
      notStream(context, fd);
      place(context, at, 4);
      putCount(context, at, readAt(context, fd, list, n, offsetOf(offset)));
    }),
    fd_pwrite: contextCall(e, (context, fd: number, list: number, n: number, offset: bigint, at: number) => {
      notStream(context, fd);
      place(context, at, 4);
      putCount(context, at, writeAt(context, fd, list, n, offsetOf(offset)));
    }),
    fd_close: contextCall(e, (context, fd: number) => {
      if (isStream(fd)) return closeStream(e, context, fd);
      files.get(context, fd);
      files.handles.close(files.index, fd);
      files.set(context, fd, undefined);
    }),
    fd_seek: contextCall(e, (context, fd: number, by: bigint, whence: number, at: number) => {
      notStream(context, fd);
      const file = files.get(context, fd);
      if (file.folder) throw new FileError(badf);
      const to = place(context, at, 8);
      let base = 0n;
      if (whence === WHENCE.current) base = BigInt(file.offset);
      else if (whence === WHENCE.end) base = statOf(fd, file).bytes;
      else if (whence !== WHENCE.set) throw new FileError(inval);
      file.offset = offsetOf(base + by);
      context.view.setBigUint64(to, BigInt(file.offset), true);
    }),
    fd_tell: contextCall(e, (context, fd: number, at: number) => {
      notStream(context, fd);
      const file = files.get(context, fd);
      if (file.folder) throw new FileError(badf);
      context.view.setBigUint64(place(context, at, 8), BigInt(file.offset), true);
    }),
    fd_renumber: contextCall(e, (context, from: number, to: number) => {
      const file = files.get(context, from);
      files.get(context, to);
      if (file.granted) throw new FileError(notsup);
      files.handles.close(files.index, to);
      files.handles.close(files.index, from);
      files.set(context, to, file);
      files.set(context, from, undefined);
    }),
    fd_allocate: contextCall(e, (context, fd: number, offset: bigint, bytes: bigint) => {
      notStream(context, fd);
      const file = files.getFile(context, fd, "write");
      const end = offsetOf(offset + bytes);
      if (statOf(fd, file).bytes < BigInt(end)) edge.setBytes(files.handle(fd, file), end);
    }),
    ...statCalls(e, files, statOf),
    ...folderCalls(e, files),
  };
}

/** What is known of an open file, and changing it. */
function statCalls(e: EngineState, files: Files, statOf: (fd: number, file: OpenFile) => FileStat) {
  const { edge } = files;
  return {
    fd_fdstat_get: contextCall(e, (context, fd: number, at: number) => {
      const to = place(context, at, 24);
      const put = (type: number, flags: number, rights: bigint, inherited: bigint): void => {
        context.bytes.fill(0, to, to + 24);
        context.view.setUint8(to, type);
        context.view.setUint16(to + 2, flags, true);
        context.view.setBigUint64(to + 8, rights, true);
        context.view.setBigUint64(to + 16, inherited, true);
      };
      if (isStream(fd)) {
        openStream(context, fd);
        return put(FILETYPE.stream, 0, RIGHT.read | RIGHT.write, 0n);
      }
      const file = files.get(context, fd);
      const all = files.grantOf(file).readOnly ? ALL_RIGHTS & ~CHANGES : ALL_RIGHTS;
      if (file.folder) return put(FILETYPE.folder, 0, all & ~RIGHT.read & ~RIGHT.write, ALL_RIGHTS);
      const own = (file.read ? all : all & ~RIGHT.read) & (file.write ? ALL_RIGHTS : ~CHANGES);
      put(FILETYPE.file, file.flags, own, 0n);
    }),
    fd_fdstat_set_flags: contextCall(e, (context, fd: number, flags: number) => {
      if (isStream(fd)) return openStream(context, fd);
      const file = files.get(context, fd);
      if ((file.flags ^ flags) & FDFLAG.append) files.handles.close(files.index, fd);
      file.flags = flags;
    }),
    fd_filestat_get: contextCall(e, (context, fd: number, at: number) => {
      if (isStream(fd)) {
        openStream(context, fd);
        return putStat(context, at, FILETYPE.stream);
      }
      const stat = statOf(fd, files.get(context, fd));
      putStat(context, at, FILETYPE[stat.type], stat);
    }),
    fd_filestat_set_size: contextCall(e, (context, fd: number, bytes: bigint) => {
      if (isStream(fd)) throw new FileError(inval);
      edge.setBytes(files.handle(fd, files.getFile(context, fd, "write")), offsetOf(bytes));
    }),
    fd_filestat_set_times: contextCall(e, (context, fd: number, a: bigint, m: bigint, flags: number) => {
      if (isStream(fd)) throw new FileError(inval);
      const file = files.get(context, fd);
      files.mayWrite(file);
      const [accessed, modified] = timesOf(e, statOf(fd, file), a, m, flags);
      edge.setTimes(files.grantOf(file), file.path, accessed, modified);
    }),
  };
}

const DIRENT_BYTES = 24;

/** Granted folders, and the names in a folder. */
function folderCalls(e: EngineState, files: Files) {
  const encoder = new TextEncoder();
  const granted = (context: Context, fd: number): Uint8Array => {
    if (isStream(fd)) throw new FileError(badf);
    const file = files.get(context, fd);
    if (!file.granted || fd - FIRST_FILE >= files.grants.length) throw new FileError(badf);
    return encoder.encode(files.grantOf(file).guest);
  };
  /** The type of a name; what is gone meanwhile is of none. */
  const typeOf = (file: OpenFile, name: string): { type: number; inode: bigint } => {
    if (name === "." || name === "..") return { type: FILETYPE.folder, inode: 0n };
    try {
      const { type, inode } = files.edge.stat(files.grantOf(file), [...file.path, name]);
      return { type: FILETYPE[type], inode };
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      return { type: FILETYPE.other, inode: 0n };
    }
  };
  return {
    fd_prestat_get: contextCall(e, (context, fd: number, at: number) => {
      const { length } = granted(context, fd);
      const to = place(context, at, 8);
      context.view.setUint32(to, 0, true);
      context.view.setUint32(to + 4, length, true);
    }),
    fd_prestat_dir_name: contextCall(e, (context, fd: number, at: number, bytes: number) => {
      const name = granted(context, fd);
      if (name.length > bytes >>> 0) throw new FileError(WASI_ERRNO.nametoolong);
      context.bytes.set(name, place(context, at, name.length));
    }),
    fd_readdir: contextCall(
      e,
      (context, fd: number, at: number, room: number, cookie: bigint, usedAt: number) => {
        if (isStream(fd)) throw new FileError(notdir);
        const file = files.getFolder(context, fd);
        const to = place(context, at, room >>> 0);
        place(context, usedAt, 4);
        if (cookie === 0n) {
          const names = files.edge.list(files.grantOf(file), file.path);
          if (names.length > LIMITS.folderNames) throw new FileError(WASI_ERRNO.nomem);
          file.names = [".", "..", ...names];
        }
        const entry = new Uint8Array(DIRENT_BYTES + LIMITS.pathBytes);
        let used = 0;
        for (let next = Number(cookie); next < file.names.length && used < room >>> 0; next++) {
          const name = file.names[next] as string;
          const { type, inode } = typeOf(file, name);
          const { written } = encoder.encodeInto(name, entry.subarray(DIRENT_BYTES));
          const view = new DataView(entry.buffer);
          view.setBigUint64(0, BigInt(next + 1), true);
          view.setBigUint64(8, inode, true);
          view.setUint32(16, written, true);
          view.setUint32(20, type, true);
          const some = entry.subarray(0, Math.min(DIRENT_BYTES + written, (room >>> 0) - used));
          context.bytes.set(some, to + used);
          used += some.length;
        }
        context.view.setUint32(usedAt >>> 0, used, true);
      },
    ),
  };
}
