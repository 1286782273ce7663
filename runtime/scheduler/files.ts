/**
 * Files of ULPs: what a ULP keeps of an open file, and what the runtime asks of the world for it.
 *
 * An open file is data: where it is, how it was opened, the offset. It goes with the ULP from engine to engine
 * (UlpParcel.files); the world's handle for it does not: each engine opens files anew when it needs them.
 * Owns: the shapes. What WASI makes of them is runtime/pvm/wasi-*.ts; the disk is upvm/node-file-edge.ts.
 */

/** A folder that the user grants (`--dir`). */
export interface Grant {
  /** Absolute path on the host, without symbolic links. Only the edge looks at it. */
  readonly host: string;
  /** What the program calls it. */
  readonly guest: string;
  readonly readOnly: boolean;
}

/** An open file or folder of a ULP. */
export interface OpenFile {
  /** Index of the grant that it is in. */
  readonly grant: number;
  /** Names from the grant's folder on; none: that folder itself. No name is "." or "..". */
  readonly path: readonly string[];
  readonly folder: boolean;
  readonly read: boolean;
  readonly write: boolean;
  /** It is one of the grants' folders, open from the start. */
  readonly granted: boolean;
  /** WASI's fdflags. */
  flags: number;
  /** Position of the next read or write, bytes. */
  offset: number;
  /** A folder's names, since they were last read from the start; the cookie of fd_readdir counts them. */
  names: readonly string[];
}

/** What a name stands for. */
export interface FileStat {
  readonly type: "file" | "folder" | "link" | "other";
  readonly device: bigint;
  readonly inode: bigint;
  readonly links: bigint;
  readonly bytes: bigint;
  /** Nanoseconds since 1970. */
  readonly accessed: bigint;
  readonly modified: bigint;
  readonly changed: bigint;
}

/** What an operation of FileEdge failed with: one of WASI_ERRNO. */
export class FileError extends Error {
  override readonly name = "FileError";
  readonly errno: number;
  constructor(errno: number) {
    super(`errno ${errno}`);
    this.errno = errno;
  }
}

export interface OpenHow {
  readonly read: boolean;
  readonly write: boolean;
  readonly append: boolean;
  readonly create: boolean;
  /** With `create`: fail if it is there. */
  readonly exclusive: boolean;
  readonly truncate: boolean;
}

type Path = readonly string[];

/**
 * Files of the world, below the folders that were granted. Paths are names without "." and ".."; what lies on the way is
 * no symbolic link, and the last name is not followed if it is one. Each call @throws FileError
 */
export interface FileEdge {
  stat(grant: Grant, path: Path): FileStat;
  readLink(grant: Grant, path: Path): string;
  /** Opens a regular file. @returns a handle */
  open(grant: Grant, path: Path, how: OpenHow): number;
  close(handle: number): void;
  statHandle(handle: number): FileStat;
  /** @returns bytes read; 0 at the end */
  read(handle: number, into: Uint8Array, offset: number): number;
  /** @param offset  undefined: at the end. @returns bytes written */
  write(handle: number, from: Uint8Array, offset: number | undefined): number;
  setBytes(handle: number, bytes: number): void;
  sync(handle: number, dataOnly: boolean): void;
  /** Nanoseconds since 1970. */
  setTimes(grant: Grant, path: Path, accessed: bigint, modified: bigint): void;
  /** Names in a folder, in order. */
  list(grant: Grant, path: Path): string[];
  makeFolder(grant: Grant, path: Path): void;
  removeFolder(grant: Grant, path: Path): void;
  removeFile(grant: Grant, path: Path): void;
  rename(from: Grant, path: Path, to: Grant, newPath: Path): void;
}

/** Handles that an engine has open for its ULPs. */
export interface FileHandles {
  /** A ULP has ended or moved to another engine. */
  forget(index: number): void;
}
