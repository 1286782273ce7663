/**
 * Where a path of a program leads: names below a granted folder, or a refusal.
 *
 * Owns: that no path leaves the folder that it starts from, by "..", by a leading "/" or by a symbolic link. It goes name by
 * name and looks at each, so that what it returns has no symbolic link in it but, if asked for, the last name. A program
 * cannot make symbolic links; what another process does to the folder at the same moment is seen again when the file is
 * opened (upvm/node-file-edge.ts).
 * Source: WASI preview 1, "path_open"; capabilities as in wasi-libc's preopens.
 */
import { LIMITS } from "../../wire/limits.ts";
import { WASI_ERRNO } from "../../wire/wasi.ts";
import { type FileEdge, FileError, type Grant } from "../scheduler/files.ts";

type Names = Pick<FileEdge, "stat" | "readLink">;

export interface Place {
  readonly path: readonly string[];
  /** The path ends with "/": it must be a folder. */
  readonly slash: boolean;
}

/**
 * @param base  names of the folder that the path starts from
 * @param follow  whether a symbolic link at the end is followed
 * @throws FileError EACCES, ELOOP, ENOENT, ENOTDIR, ENAMETOOLONG, EINVAL
 */
export function resolvePath(
  files: Names,
  grant: Grant,
  base: readonly string[],
  text: string,
  follow: boolean,
): Place {
  if (text === "") throw new FileError(WASI_ERRNO.noent);
  if (text.includes("\0")) throw new FileError(WASI_ERRNO.inval);
  if (text.startsWith("/")) throw new FileError(WASI_ERRNO.acces);
  const names = [...base];
  const rest = text.split("/").reverse();
  const slash = /(^|\/)\.{0,2}$/.test(text);
  let links = 0;
  while (rest.length > 0) {
    const name = rest.pop() as string;
    if (name === "" || name === ".") continue;
    if (name === "..") {
      if (names.length <= base.length) throw new FileError(WASI_ERRNO.acces);
      names.pop();
      continue;
    }
    const isLast = !rest.some((later) => later !== "" && later !== ".");
    const next = [...names, name];
    const type = isLast && !follow && !slash ? "file" : typeAt(files, grant, next, isLast);
    if (type === "link") {
      if (++links > LIMITS.pathLinks) throw new FileError(WASI_ERRNO.loop);
      const target = files.readLink(grant, next);
      if (target.startsWith("/")) throw new FileError(WASI_ERRNO.acces);
      rest.push(...target.split("/").reverse());
      continue;
    }
    if (!isLast && type !== "folder") throw new FileError(WASI_ERRNO.notdir);
    names.push(name);
  }
  return { path: names, slash };
}

/** What a name stands for; a last one that is not there may be about to be made. */
function typeAt(files: Names, grant: Grant, path: readonly string[], isLast: boolean): string {
  try {
    return files.stat(grant, path).type;
  } catch (error) {
    if (isLast && error instanceof FileError && error.errno === WASI_ERRNO.noent) return "none";
    throw error;
  }
}
