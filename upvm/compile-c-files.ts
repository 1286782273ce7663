/**
 * The file system that clang sees: the sources, what they include, and the guest library.
 *
 * clang runs as wasm on files in memory, so all it may read is gathered before. The #include lines of the sources, and
 * of what they include, say what that is; whatever of it exists in any place where clang would look is given.
 *
 * Drawing:   /host/…        the user's files by absolute path, without "."  and ".."; the working folder is in it
 *            /upvm/…        this package's guest/include and guest/lib, objects, the overlay
 *            /usr, /tmp     clang's own
 *
 * The package's file system takes ".." for ".". clang's overlay of /host onto itself (-ivfsoverlay) takes it out of a
 * path before it gets there, so that "../b.h" is what the user means; only names on the command line must be without.
 */
import type { Tree } from "@yowasp/clang";
import { UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import type { CompileHost } from "./compile.ts";

const HOST = "/host";
const PACKAGE = "/upvm";
const OVERLAY = `${PACKAGE}/overlay.json`;
/** Folders of the guest's headers. */
const HEADERS = ["", "/sys"] as const;

/** Where clang may look for headers besides a file's own folder. */
export interface Include {
  readonly folder: string;
  /** "-I" or one of its kind: "-isystem", "-iquote", "-idirafter". */
  readonly flag: string;
}

export class VirtualFiles {
  readonly tree: Tree = {};
  /** clang's options for all of this. */
  readonly flags: readonly string[];
  /** The guest's headers, by clang's name. */
  readonly headers: Map<string, string>;
  readonly #host: CompileHost;
  readonly #include: readonly string[];
  /** Absolute path: read, or looked for in vain. */
  readonly #seen = new Set<string>();
  /** Absolute path → as the user wrote it, if that is not how clang is told. */
  readonly #named = new Map<string, string>();
  #files = 0;
  #bytes = 0;

  constructor(host: CompileHost, include: readonly Include[]) {
    this.#host = host;
    this.#include = include.map(({ folder }) => absolute(host.folder, folder));
    this.flags = [
      `-working-directory=${HOST}${host.folder}`,
      "-ivfsoverlay",
      OVERLAY,
      // Line tables must not depend on where the package or an absolute path is on this disk.
      "-fdebug-compilation-dir=.",
      `-ffile-prefix-map=${HOST}${host.folder === "/" ? "" : host.folder}/=`,
      `-ffile-prefix-map=${HOST}/=/`,
      ...include.flatMap(({ folder, flag }) => [flag, folder.startsWith("/") ? HOST + folder : folder]),
      "-isystem",
      `${PACKAGE}/include`,
    ];
    this.put(OVERLAY, new TextEncoder().encode(JSON.stringify(OVERLAY_TEXT)));
    // clang's driver refuses a working folder that is not there.
    folderIn(this.tree, `${HOST}${host.folder}`);
    this.headers = new Map();
    for (const folder of HEADERS) {
      for (const name of host.list(`${host.root}/guest/include${folder}`)) {
        const text = name.endsWith(".h") ? host.read(`${host.root}/guest/include${folder}/${name}`) : null;
        if (text !== null) this.headers.set(`${PACKAGE}/include${folder}/${name}`, text);
      }
    }
    for (const [name, text] of this.headers) this.put(name, text);
  }

  /** Adds a source file and what it includes. @returns its name for clang's command line */
  addSource(path: string): string {
    const whole = absolute(this.#host.folder, path);
    this.#add(whole);
    const name = HOST + whole;
    if (!path.startsWith("/") && !path.split("/").includes("..")) return path;
    this.#named.set(name, path);
    return name;
  }

  /** Adds an object file or an archive. @returns its name for the linker */
  addObject(path: string, bytes: Uint8Array): string {
    const name = HOST + absolute(this.#host.folder, path);
    this.#named.set(name, path);
    this.put(name, bytes);
    return name;
  }

  /** Where clang writes what the user wants at `path`. Its folder is there. */
  output(path: string): string {
    const name = HOST + absolute(this.#host.folder, path);
    folderIn(this.tree, name.slice(0, name.lastIndexOf("/")));
    return name;
  }

  /** Says how a name of clang's is to be shown. */
  show(name: string, as: string): void {
    this.#named.set(name, as);
  }

  /** clang's messages with paths as the user wrote them. */
  shown(messages: string): string {
    let text = messages;
    for (const [name, as] of this.#named) text = text.replaceAll(name, as);
    const here = `${HOST}${this.#host.folder === "/" ? "" : this.#host.folder}/`;
    return text.replaceAll(here, "").replaceAll(`${HOST}/`, "/");
  }

  /** Puts a file into clang's file system. */
  put(name: string, data: string | Uint8Array): void {
    putFile(this.tree, name, data);
  }

  /** Adds the user's file of an absolute path, if there is one, and then what it includes. */
  #add(path: string): void {
    if (this.#seen.has(path)) return;
    this.#seen.add(path);
    const text = this.#host.read(this.#asGiven(path));
    if (text === null) return;
    this.#files += 1;
    this.#bytes += text.length;
    if (this.#files > LIMITS.compileFiles || this.#bytes > LIMITS.compileBytes) tooMuch(path);
    this.put(HOST + path, text);
    for (const included of includes(text)) {
      // A file's own folder, then those of -I. "<…>" looks only in those, but one more file does no harm.
      this.#add(absolute(path.slice(0, path.lastIndexOf("/")) || "/", included));
      for (const folder of this.#include) this.#add(absolute(folder, included));
    }
  }

  /** Below the working folder by relative path: so the host knows it. */
  #asGiven(path: string): string {
    const { folder } = this.#host;
    return folder !== "/" && path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path;
  }
}

/** The folder of a path, made if it is not there. */
function folderIn(tree: Tree, path: string): Tree {
  let folder: Tree = tree;
  for (const segment of path.split("/").filter((part) => part !== "")) {
    let next = folder[segment];
    if (next === undefined || typeof next === "string" || next instanceof Uint8Array) {
      next = {};
      folder[segment] = next;
    }
    folder = next;
  }
  return folder;
}

/** Puts a file into a file system of clang's. */
export function putFile(tree: Tree, name: string, data: string | Uint8Array): void {
  const at = name.lastIndexOf("/");
  folderIn(tree, name.slice(0, at))[name.slice(at + 1)] = data;
}

const OVERLAY_TEXT = {
  version: 0,
  "case-sensitive": true,
  "use-external-names": false,
  roots: [{ name: HOST, type: "directory-remap", "external-contents": HOST }],
};

/** A path from a folder on, absolute, without "." and "..". */
export function absolute(folder: string, path: string): string {
  const out: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${folder}/${path}`).split("/")) {
    if (part === "..") out.pop();
    else if (part !== "" && part !== ".") out.push(part);
  }
  return `/${out.join("/")}`;
}

/** The file at a path of clang's file system; undefined if there is none. */
export function fileIn(tree: Tree, name: string): Uint8Array | undefined {
  let found: Tree | string | Uint8Array | undefined = tree;
  for (const segment of name.split("/").filter((part) => part !== "")) {
    if (found === undefined || typeof found === "string" || found instanceof Uint8Array) return undefined;
    found = found[segment];
  }
  if (typeof found === "string") return new TextEncoder().encode(found);
  return found instanceof Uint8Array ? found : undefined;
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

function tooMuch(path: string): never {
  const limits = `${LIMITS.compileFiles} files or ${LIMITS.compileBytes >> 20} MB`;
  throw new UpvmError("COMPILE", { path, output: `${path}: the program includes more than ${limits}` });
}
