/**
 * A program file made ready to run: compiled if it is source, linked if it is not yet.
 *
 * Owns: which of the two steps a file needs. The steps are compile.ts's and the link step's.
 */
import { type Linked, link } from "../runtime/link/link.ts";
import { linkInfo } from "../runtime/link/link-info.ts";
import { UpvmError } from "../wire/errors.ts";
import type { CompileOptions } from "./compile.ts";
import type { Edge } from "./edge.ts";

export interface Program {
  /** As the user named it. */
  readonly path: string;
  /** What the link step got: the file itself, or what its compiler made of it. */
  readonly wasm: Uint8Array;
  readonly linked: Linked;
  /** The file was linked before: nothing was done. */
  readonly wasLinked: boolean;
  readonly warnings: string;
  /** Milliseconds that each step took. */
  readonly compileMs: number;
  readonly linkMs: number;
}

type Files = Pick<Edge, "readFile" | "compile" | "nowMs">;

/**
 * @param polls  false: link without (LinkOptions.polls), if it is not linked yet
 * @throws UpvmError, one of those with exit code EXIT.program
 */
export async function prepare(
  path: string,
  options: CompileOptions,
  edge: Files,
  polls = true,
): Promise<Program> {
  const startMs = edge.nowMs();
  const { wasm, warnings } = await wasmOf(path, options, edge);
  const compiledMs = edge.nowMs();
  const wasLinked = linkInfo(wasm) !== undefined;
  const linked = link(wasm, { path, polls });
  const linkMs = edge.nowMs() - compiledMs;
  return { path, wasm, linked, wasLinked, warnings, compileMs: compiledMs - startMs, linkMs };
}

/** `--no-polls` was asked for. @throws UpvmError HAS_POLLS: it was linked before */
export function needsNoPolls({ path, linked }: Program): void {
  if (!linked.info.unpolled) throw new UpvmError("HAS_POLLS", { path });
}

/**
 * The file as wasm, not linked unless it was. A .wasm file is told by its name, since one that is damaged must be
 * called a damaged .wasm file; any other by its first bytes.
 */
export async function wasmOf(
  path: string,
  options: CompileOptions,
  edge: Pick<Edge, "readFile" | "compile">,
): Promise<{ wasm: Uint8Array; warnings: string }> {
  if (SOURCE.test(path)) return await edge.compile(path, options);
  const wasm = await edge.readFile(path);
  if (!path.endsWith(".wasm") && !MAGIC.every((byte, i) => wasm[i] === byte))
    throw new UpvmError("NOT_A_PROGRAM", { path });
  return { wasm, warnings: "" };
}

/**
 * Finds programs for pvm_spawn: a file beside the main program, then in the folders of the search path, by its name with
 * or without its ending. Nothing outside them: a guest must not choose among all files of the disk.
 *
 * @param folders  search path, in order; "" is the current folder
 * @param unpolled  the main program has no polls: neither do these, unless they are linked already. One without polls would
 *   keep the thread that other programs of the job rely on, so theirs may not spawn one
 * @param failed  told why a file that is there is no program; the guest gets PvmNoFile
 * @returns a function that gives the linked module, undefined if there is no such file
 */
export function siblings(
  path: string,
  folders: readonly string[],
  edge: Files,
  failed: (error: UpvmError) => void,
  options: CompileOptions = {},
  unpolled = false,
) {
  const own = path.replace(/[^/\\]*$/, "");
  const places = [own, ...folders.map((folder) => (/^$|[/\\]$/.test(folder) ? folder : `${folder}/`))];
  return async (name: string): Promise<Uint8Array | undefined> => {
    if (/(^|[/\\])\.\.([/\\]|$)|^[/\\]|^[A-Za-z]:/.test(name)) return undefined;
    const endings = ENDINGS.some((ending) => ending !== "" && name.endsWith(ending)) ? [""] : ENDINGS;
    for (const place of places) {
      for (const ending of endings) {
        try {
          const file = `${place}${name}${ending}`;
          // A compiler is a process: none begins for a file that is not there.
          if (SOURCE.test(file)) await edge.readFile(file);
          const { linked } = await prepare(file, options, edge, !unpolled);
          if (linked.info.unpolled && !unpolled) throw new UpvmError("NO_POLLS", { path: file });
          return linked.wasm;
        } catch (error) {
          if (!(error instanceof UpvmError)) throw error;
          // A file without an ending may be anything; beside a source it is likely the same program for another machine.
          const other = ending === "" && endings.length > 1 && error.code === "NOT_A_PROGRAM";
          if (error.code === "FILE_NOT_FOUND" || other) continue;
          failed(error);
          return undefined;
        }
      }
    }
    return undefined;
  };
}

/** Folders of a search path as a shell writes it: colons between them. */
export function foldersOf(paths: readonly string[]): string[] {
  return paths.flatMap((path) => path.split(":")).filter((folder) => folder !== "");
}

/** What a program's file name ends with; a compiled one is taken before its source. */
const ENDINGS = ["", ".wasm", ".ts", ".c", ".cc", ".cpp", ".cxx", ".wat"] as const;
const SOURCE = /\.(ts|c|cc|cpp|cxx|wat)$/;
/** "\0asm". */
const MAGIC = [0x00, 0x61, 0x73, 0x6d];
