/**
 * Open files of the running ULP, and the world's handles for them.
 *
 * Owns: the numbers of open files (Context.files; 0, 1 and 2 are the standard streams and not in it), and which handles
 * this engine has open: LIMITS.fileHandles at most, the longest unused closed first and opened again when needed. A ULP
 * that moved finds its files where it left them, at its offsets. A file that was removed while open is gone when it has
 * to be opened again; a handle would still know it.
 */
import { ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { WASI_ERRNO } from "../../wire/wasi.ts";
import type { Context } from "../scheduler/context.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { type FileEdge, FileError, type FileHandles, type Grant, type OpenFile } from "../scheduler/files.ts";

/** First number that is no standard stream. */
export const FIRST_FILE = 3;
export const FDFLAG = { append: 1, dsync: 2, nonblock: 4, rsync: 8, sync: 16 } as const;

/** The handles of an engine, by ULP and number of the open file. */
export class Handles implements FileHandles {
  readonly #edge: FileEdge;
  /** In order of use. */
  readonly #open = new Map<string, { readonly handle: number; readonly index: number }>();

  constructor(edge: FileEdge) {
    this.#edge = edge;
  }

  /** The handle of an open file, opened if it is not. @throws FileError */
  handle(index: number, fd: number, file: OpenFile, grant: Grant): number {
    const key = `${index}:${fd}`;
    const found = this.#open.get(key);
    if (found !== undefined) {
      this.#open.delete(key);
      this.#open.set(key, found);
      return found.handle;
    }
    const { read, write, path, flags } = file;
    const how = { read, write, append: (flags & FDFLAG.append) !== 0 };
    const again = { ...how, create: false, exclusive: false, truncate: false };
    const handle = this.#edge.open(grant, path, again);
    this.keep(index, fd, handle);
    return handle;
  }

  /** Takes over a handle that was just opened. */
  keep(index: number, fd: number, handle: number): void {
    for (const [key, oldest] of this.#open) {
      if (this.#open.size < LIMITS.fileHandles) break;
      this.#open.delete(key);
      this.#edge.close(oldest.handle);
    }
    this.#open.set(`${index}:${fd}`, { handle, index });
  }

  close(index: number, fd: number): void {
    const found = this.#open.get(`${index}:${fd}`);
    if (found === undefined) return;
    this.#open.delete(`${index}:${fd}`);
    this.#edge.close(found.handle);
  }

  /** True if the engine has a handle open for it. */
  has(index: number, fd: number): boolean {
    return this.#open.has(`${index}:${fd}`);
  }

  forget(index: number): void {
    if (this.#open.size === 0) return;
    for (const [key, entry] of this.#open) {
      if (entry.index !== index) continue;
      this.#open.delete(key);
      this.#edge.close(entry.handle);
    }
  }
}

/** The files of an engine's ULPs, as WASI's calls use them: for the running ULP. */
export class Files {
  readonly edge: FileEdge;
  readonly grants: readonly Grant[];
  readonly handles: Handles;
  readonly #e: EngineState;

  constructor(e: EngineState, edge: FileEdge) {
    this.#e = e;
    this.edge = edge;
    this.grants = e.options.grants;
    this.handles = new Handles(edge);
  }

  get index(): number {
    return this.#e.w[this.#e.current + ULP.index]!;
  }

  /** Open files of a ULP by number; the granted folders at first. */
  table(context: Context): (OpenFile | undefined)[] {
    context.files ??= this.grants.map((_, grant) => ({
      grant,
      path: [],
      folder: true,
      read: true,
      write: false,
      granted: true,
      flags: 0,
      offset: 0,
      names: [],
    }));
    return context.files;
  }

  /** @throws FileError EBADF */
  get(context: Context, fd: number): OpenFile {
    const file = this.table(context)[fd - FIRST_FILE];
    if (fd < FIRST_FILE || file === undefined) throw new FileError(WASI_ERRNO.badf);
    return file;
  }

  /** @throws FileError EBADF, EISDIR */
  getFile(context: Context, fd: number, way: "read" | "write"): OpenFile {
    const file = this.get(context, fd);
    if (file.folder) throw new FileError(WASI_ERRNO.isdir);
    if (!file[way]) throw new FileError(WASI_ERRNO.badf);
    return file;
  }

  /** @throws FileError EBADF, ENOTDIR */
  getFolder(context: Context, fd: number): OpenFile {
    const file = this.get(context, fd);
    if (!file.folder) throw new FileError(WASI_ERRNO.notdir);
    return file;
  }

  grantOf(file: OpenFile): Grant {
    return this.grants[file.grant]!;
  }

  /** @throws FileError EROFS */
  mayWrite(file: OpenFile): void {
    if (this.grantOf(file).readOnly) throw new FileError(WASI_ERRNO.rofs);
  }

  handle(fd: number, file: OpenFile): number {
    return this.handles.handle(this.index, fd, file, this.grantOf(file));
  }

  /** The lowest number that is free. @throws FileError EMFILE */
  free(context: Context): number {
    const table = this.table(context);
    for (let i = 0; i < LIMITS.filesPerUlp; i++) if (table[i] === undefined) return i + FIRST_FILE;
    throw new FileError(WASI_ERRNO.mfile);
  }

  set(context: Context, fd: number, file: OpenFile | undefined): void {
    this.table(context)[fd - FIRST_FILE] = file;
  }
}
