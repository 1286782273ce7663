/**
 * The file system that clang sees: the sources, what they include, and the guest library.
 *
 * clang runs as wasm on files in memory, so all it may read is gathered before. The #include lines of the sources, and
 * of what they include, say what that is; whatever of it exists in any place where clang would look is given.
 *
 * Drawing:   /here/…        files by relative path: clang's working folder
 *            /host/…        files by absolute path
 *            /upvm/…        this package's guest/include and guest/lib
 *            /usr, /tmp     clang's own
 *
 * clang's file system takes ".." for ".": a/../b.h is looked up as a/b.h, so it is put there. Two different files
 * whose paths differ only so cannot both be given; that is reported, not guessed.
 */
import type { Tree } from "@yowasp/clang";
import { UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import type { CompileHost } from "./compile.ts";

const HERE = "/here";
const HOST = "/host";
const PACKAGE = "/upvm";

export class VirtualFiles {
  readonly tree: Tree = {};
  readonly flags: readonly string[];
  readonly #host: CompileHost;
  /** Folders of -I, as clang is told of them. */
  readonly #include: readonly string[];
  /** Virtual path without "..": path that it was read from. */
  readonly #from = new Map<string, string>();
  #bytes = 0;

  constructor(host: CompileHost, include: readonly string[]) {
    this.#host = host;
    this.#include = include.map(virtual);
    this.flags = [
      `-working-directory=${HERE}`,
      "-fdebug-compilation-dir=.",
      `-ffile-prefix-map=${HOST}/=/`,
      ...this.#include.map((folder) => `-I${folder}`),
      `-isystem${PACKAGE}/include`,
    ];
    // clang's driver refuses a working folder that is not there.
    this.tree[HERE.slice(1)] = {};
    this.#add(`${PACKAGE}/include/pvm3.h`, `${host.root}/guest/include/pvm3.h`);
  }

  /** Adds a source file and what it includes. @returns its name for clang's command line */
  addSource(path: string): string {
    this.#add(virtual(path), path);
    return virtual(path);
  }

  /** Adds the guest's C library. @returns its name for clang's command line */
  addLibrary(): string {
    const name = `${PACKAGE}/lib/pvm3.c`;
    this.#add(name, `${this.#host.root}/guest/lib/pvm3.c`);
    return name;
  }

  /** clang's messages with paths as the user wrote them. */
  shown(messages: string): string {
    return messages.replaceAll(`${HERE}/`, "").replaceAll(`${HOST}/`, "/");
  }

  /** Puts the file at `path` where clang looks for `name`, if it exists, and then what it includes. */
  #add(name: string, path: string): void {
    const key = parts(name).join("/");
    const known = this.#from.get(key);
    if (known !== undefined) {
      if (settled(known) !== settled(path)) clash(path, known);
      return;
    }
    const text = this.#host.read(path);
    if (text === null) return;
    this.#from.set(key, path);
    this.#bytes += text.length;
    if (this.#from.size > LIMITS.compileFiles || this.#bytes > LIMITS.compileBytes) tooMuch(path);
    this.#put(key, text);
    for (const included of includes(text)) {
      // A file's own folder, then those of -I. "<…>" looks only in those, but one more file does no harm.
      this.#add(beside(name, included), beside(path, included));
      for (const folder of this.#include) this.#add(`${folder}/${included}`, `${actual(folder)}/${included}`);
      if (included.startsWith("/")) this.#add(included, included);
    }
  }

  #put(key: string, text: string): void {
    const segments = key.split("/");
    const last = segments.pop() as string;
    let folder: Tree = this.tree;
    for (const segment of segments) {
      let next = folder[segment];
      if (next === undefined || typeof next === "string" || next instanceof Uint8Array) {
        next = {};
        folder[segment] = next;
      }
      folder = next;
    }
    folder[last] = text;
  }
}

/** Where clang finds a path of the user's. */
function virtual(path: string): string {
  return path.startsWith("/") ? HOST + path : path;
}

/** And back: the user's path. */
function actual(path: string): string {
  return path.startsWith(`${HOST}/`) ? path.slice(HOST.length) : path;
}

/** Segments of a virtual path as clang's file system walks them. */
function parts(name: string): string[] {
  const whole = name.startsWith("/") ? name : `${HERE}/${name}`;
  return whole.split("/").filter((part) => part !== "" && part !== "." && part !== "..");
}

/** The path with "a/.." taken out, to tell whether two paths are one file. */
function settled(path: string): string {
  const out: string[] = [];
  for (const part of path.split("/")) {
    if (part === ".." && out.length > 0 && out.at(-1) !== "..") out.pop();
    else if (part !== "" && part !== ".") out.push(part);
  }
  return out.join("/");
}

/** `name` in the folder of the file `path`. */
function beside(path: string, name: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1) + name;
}

/** What a text includes: names in quotes or angle brackets on lines that begin with #, also in a #define of one. */
function includes(text: string): Set<string> {
  const names = new Set<string>();
  for (const [line] of text.matchAll(/^[ \t]*#[^\n]*/gm)) {
    for (const [, quoted, angled] of line.matchAll(/"([^"\n]+)"|<([^>\n]+)>/g)) {
      const name = quoted ?? angled;
      if (name !== undefined && /^[\w./+-]+$/.test(name)) names.add(name);
    }
  }
  return names;
}

function clash(path: string, other: string): never {
  throw new UpvmError("COMPILE", {
    path,
    output: `${path}: clang's file system cannot hold both this file and ${other}: rename one`,
  });
}

function tooMuch(path: string): never {
  const limits = `${LIMITS.compileFiles} files or ${LIMITS.compileBytes >> 20} MB`;
  throw new UpvmError("COMPILE", { path, output: `${path}: the program includes more than ${limits}` });
}
