/**
 * Open files of a ULP that comes to this process: they are opened here anew, when they are first used.
 *
 * Owns: whether that can work: a grant of the same name, and the file in it. What is missing is told before the ULP moves, and
 * not when it reads. Paths come from another process: none leaves its grant.
 */
import { LIMITS } from "../../wire/limits.ts";
import { type FileEdge, FileError, type Grant, type OpenFile } from "../scheduler/files.ts";
import { ImageError } from "./filling.ts";
import type { FileInImage } from "./image.ts";

export interface FilePlace {
  readonly grants: readonly Grant[];
  readonly files?: FileEdge;
}

/**
 * @param text  JSON of them, in UTF-8
 * @returns undefined: the ULP has not asked for its files yet
 * @throws ImageError damaged, file
 */
export function openFiles(text: Uint8Array, place: FilePlace): (OpenFile | undefined)[] | undefined {
  let list: unknown;
  try {
    list = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(text));
  } catch {
    throw new ImageError("damaged", "its list of open files is no JSON");
  }
  if (list === null) return undefined;
  if (!Array.isArray(list) || list.length > LIMITS.filesPerUlp)
    throw new ImageError("damaged", "its list of open files makes no sense");
  return list.map((entry: unknown) => (entry === null ? undefined : openFile(entry, place)));
}

function openFile(entry: unknown, place: FilePlace): OpenFile {
  if (!isFile(entry)) throw new ImageError("damaged", "an open file makes no sense");
  const { grant: name, path, folder, read, write, granted, flags, offset, names } = entry;
  const grant = place.grants.findIndex(({ guest }) => guest === name);
  if (grant < 0) throw new ImageError("file", `it uses the folder ${name}, which is not granted there`);
  const text = [name, ...path].join("/");
  if (!granted) {
    const found = typeOf(place, place.grants[grant]!, path);
    if (found !== (folder ? "folder" : "file"))
      throw new ImageError("file", `it has ${text} open, which is not there`);
    if (write && place.grants[grant]!.readOnly)
      throw new ImageError("file", `it writes ${text}, which can only be read there`);
  }
  return { grant, path, folder, read, write, granted, flags, offset, names };
}

function typeOf({ files }: FilePlace, grant: Grant, path: readonly string[]): string {
  try {
    return files?.stat(grant, path).type ?? "none";
  } catch (error) {
    if (error instanceof FileError) return "none";
    throw error;
  }
}

function isFile(value: unknown): value is FileInImage {
  if (typeof value !== "object" || value === null) return false;
  const v = value as Partial<Record<keyof FileInImage, unknown>>;
  const natural = (n: unknown): boolean => typeof n === "number" && Number.isSafeInteger(n) && n >= 0;
  const texts = (list: unknown, most: number): list is string[] =>
    Array.isArray(list) && list.length <= most && list.every((one) => typeof one === "string");
  return (
    typeof v.grant === "string" &&
    texts(v.path, LIMITS.pathBytes) &&
    v.path.every((name) => name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name)) &&
    texts(v.names, LIMITS.folderNames + 2) &&
    [v.folder, v.read, v.write, v.granted].every((flag) => typeof flag === "boolean") &&
    natural(v.flags) &&
    natural(v.offset)
  );
}
