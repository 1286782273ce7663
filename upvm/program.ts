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

/** @throws UpvmError, one of those with exit code EXIT.program */
export async function prepare(path: string, options: CompileOptions, edge: Files): Promise<Program> {
  const startMs = edge.nowMs();
  const { wasm, warnings } = await wasmOf(path, options, edge);
  const compiledMs = edge.nowMs();
  const wasLinked = linkInfo(wasm) !== undefined;
  const linked = link(wasm, { path });
  const linkMs = edge.nowMs() - compiledMs;
  return { path, wasm, linked, wasLinked, warnings, compileMs: compiledMs - startMs, linkMs };
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
  if (/\.(ts|c|wat)$/.test(path)) return await edge.compile(path, options);
  const wasm = await edge.readFile(path);
  if (!path.endsWith(".wasm") && !MAGIC.every((byte, i) => wasm[i] === byte))
    throw new UpvmError("NOT_A_PROGRAM", { path });
  return { wasm, warnings: "" };
}

/** "\0asm". */
const MAGIC = [0x00, 0x61, 0x73, 0x6d];
