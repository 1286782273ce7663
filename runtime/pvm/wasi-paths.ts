/**
 * WASI's calls on paths: path_*. Each starts from an open folder and cannot leave what was granted (wasi-path.ts).
 *
 * Owns: opening, and what changes folders. Links cannot be made: a symbolic one may lead out, and a hard one makes a file of
 * a folder that is only to be read writable from another.
 */
import { WASI_ERRNO } from "../../wire/wasi.ts";
import type { Context } from "../scheduler/context.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { FileError, type FileStat, type Grant, type OpenFile } from "../scheduler/files.ts";
import { FILETYPE, putStat, RIGHT, timesOf } from "./wasi-fd.ts";
import { FDFLAG, type Files } from "./wasi-files.ts";
import { contextCall, pathText, place } from "./wasi-memory.ts";
import { resolvePath } from "./wasi-path.ts";

const { exist, inval, isdir, loop, noent, notdir, notsup, rofs } = WASI_ERRNO;
const FOLLOW = 1;
const OFLAG = { create: 1, folder: 2, exclusive: 4, truncate: 8 } as const;

/** A path of the program's, resolved. */
interface Found {
  readonly file: OpenFile;
  readonly grant: Grant;
  readonly path: readonly string[];
  readonly slash: boolean;
}

export function pathCalls(e: EngineState, files: Files) {
  const { edge } = files;
  const find = (context: Context, fd: number, at: number, bytes: number, follow: boolean): Found => {
    if (fd >= 0 && fd <= 2) throw new FileError(notdir);
    const file = files.getFolder(context, fd);
    const grant = files.grantOf(file);
    return { file, grant, ...resolvePath(edge, grant, file.path, pathText(context, at, bytes), follow) };
  };
  /** As find, for a call that changes the folder: the last name itself is meant, and it is not the folder. */
  const findToChange = (context: Context, fd: number, at: number, bytes: number): Found => {
    const found = find(context, fd, at, bytes, false);
    files.mayWrite(found.file);
    if (found.path.length === found.file.path.length) throw new FileError(inval);
    return found;
  };
  const openFolder = (context: Context, { file, path }: Found, outAt: number): void => {
    const fd = files.free(context);
    const flags = { flags: 0, offset: 0, names: [] };
    files.set(context, fd, {
      grant: file.grant,
      path,
      folder: true,
      read: true,
      write: false,
      granted: false,
      ...flags,
    });
    context.view.setUint32(outAt, fd, true);
  };
  return {
    path_open: contextCall(
      e,
      (
        context,
        dirfd: number,
        lookup: number,
        at: number,
        bytes: number,
        oflags: number,
        rights: bigint,
        _inherited: bigint,
        fdflags: number,
        outAt: number,
      ) => {
        const out = place(context, outAt, 4);
        const exclusive = (oflags & OFLAG.create) !== 0 && (oflags & OFLAG.exclusive) !== 0;
        const found = find(context, dirfd, at, bytes, (lookup & FOLLOW) !== 0 && !exclusive);
        const { grant, path } = found;
        const write = (rights & RIGHT.write) !== 0n;
        const changes = write || (oflags & (OFLAG.create | OFLAG.truncate)) !== 0;
        const there = statOrNone(() => edge.stat(grant, path));
        if (exclusive && there !== undefined) throw new FileError(exist);
        if (there?.type === "link") throw new FileError(loop);
        if (there?.type === "folder") {
          if (changes && (oflags & OFLAG.folder) === 0) throw new FileError(isdir);
          return openFolder(context, found, out);
        }
        if (there === undefined && (oflags & OFLAG.create) === 0) throw new FileError(noent);
        if ((oflags & OFLAG.folder) !== 0 || found.slash) throw new FileError(notdir);
        if (there?.type === "other") throw new FileError(notsup);
        if (changes && grant.readOnly) {
          // A file that is there can be opened with O_CREAT for reading.
          if (write || there === undefined || (oflags & OFLAG.truncate) !== 0) throw new FileError(rofs);
        }
        const fd = files.free(context);
        const read = (rights & (RIGHT.read | RIGHT.readFolder)) !== 0n || !write;
        const handle = edge.open(grant, path, {
          read,
          write,
          append: (fdflags & FDFLAG.append) !== 0,
          create: (oflags & OFLAG.create) !== 0 && !grant.readOnly,
          exclusive,
          truncate: (oflags & OFLAG.truncate) !== 0,
        });
        files.handles.keep(files.index, fd, handle);
        const where = { grant: found.file.grant, path, folder: false, granted: false };
        files.set(context, fd, { ...where, read, write, flags: fdflags, offset: 0, names: [] });
        context.view.setUint32(out, fd, true);
      },
    ),
    path_filestat_get: contextCall(
      e,
      (context, fd: number, lookup: number, at: number, bytes: number, outAt: number) => {
        place(context, outAt, 64);
        const { grant, path, slash } = find(context, fd, at, bytes, (lookup & FOLLOW) !== 0);
        const stat = edge.stat(grant, path);
        if (slash && stat.type !== "folder") throw new FileError(notdir);
        putStat(context, outAt, FILETYPE[stat.type], stat);
      },
    ),
    path_filestat_set_times: contextCall(
      e,
      (
        context,
        fd: number,
        lookup: number,
        at: number,
        bytes: number,
        a: bigint,
        m: bigint,
        flags: number,
      ) => {
        const { file, grant, path } = find(context, fd, at, bytes, (lookup & FOLLOW) !== 0);
        files.mayWrite(file);
        const stat = edge.stat(grant, path);
        if (stat.type === "link") throw new FileError(notsup);
        const [accessed, modified] = timesOf(e, stat, a, m, flags);
        edge.setTimes(grant, path, accessed, modified);
      },
    ),
    path_readlink: contextCall(
      e,
      (context, fd: number, at: number, bytes: number, to: number, room: number, usedAt: number) => {
        place(context, usedAt, 4);
        const { grant, path } = find(context, fd, at, bytes, false);
        if (edge.stat(grant, path).type !== "link") throw new FileError(inval);
        const target = new TextEncoder().encode(edge.readLink(grant, path)).subarray(0, room >>> 0);
        context.bytes.set(target, place(context, to, target.length));
        context.view.setUint32(usedAt >>> 0, target.length, true);
      },
    ),
    path_link: () => notsup,
    path_symlink: () => notsup,
    path_create_directory: contextCall(e, (context, fd: number, at: number, bytes: number) => {
      const { grant, path } = findToChange(context, fd, at, bytes);
      edge.makeFolder(grant, path);
    }),
    path_remove_directory: contextCall(e, (context, fd: number, at: number, bytes: number) => {
      const { grant, path } = findToChange(context, fd, at, bytes);
      edge.removeFolder(grant, path);
    }),
    path_unlink_file: contextCall(e, (context, fd: number, at: number, bytes: number) => {
      const { grant, path, slash } = findToChange(context, fd, at, bytes);
      const { type } = edge.stat(grant, path);
      if (type === "folder") throw new FileError(isdir);
      if (slash) throw new FileError(notdir);
      edge.removeFile(grant, path);
    }),
    path_rename: contextCall(
      e,
      (context, fd: number, at: number, bytes: number, toFd: number, toAt: number, toBytes: number) => {
        const from = findToChange(context, fd, at, bytes);
        const to = findToChange(context, toFd, toAt, toBytes);
        edge.rename(from.grant, from.path, to.grant, to.path);
      },
    ),
  };
}

/** What a name stands for; undefined if there is none. */
function statOrNone(stat: () => FileStat): FileStat | undefined {
  try {
    return stat();
  } catch (error) {
    if (error instanceof FileError && error.errno === noent) return undefined;
    throw error;
  }
}
