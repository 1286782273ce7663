/**
 * Linked programs made ready for engines: compiled, checked, and for pvm_spawn loaded while ULPs run.
 *
 * Owns: that each file is loaded and compiled once; one that is not there is looked for again. The files are the caller's (RunOptions.loadProgram).
 */
import { type LinkInfo, linkInfo } from "../runtime/link/link-info.ts";
import type { Library } from "../runtime/scheduler/library.ts";
import type { Program } from "../runtime/scheduler/programs.ts";
import { UpvmError } from "../wire/errors.ts";
import { LINK_ABI } from "../wire/layout.ts";
import { LIMITS } from "../wire/limits.ts";
import { PVM_ERROR } from "../wire/pvm.ts";
import type { Engines } from "./engine-thread.ts";
import type { RunOptions } from "./run.ts";

/** Compiles a linked program and reads what the link step says of it. */
export async function programOf(
  wasm: Uint8Array,
  name: string,
  id: number,
  memoryPages: number | undefined,
): Promise<{ program: Program; info: LinkInfo }> {
  const info = linkInfo(wasm);
  if (info === undefined) throw new UpvmError("BAD_WASM", { path: name, why: "it is not linked" });
  if (info.abi !== LINK_ABI)
    throw new UpvmError("ALREADY_LINKED", { path: name, found: info.abi, wanted: LINK_ABI });
  const { min, max } = info.pages;
  const most = Math.min(memoryPages ?? LIMITS.memoryPages, max);
  if (most < min) throw new UpvmError("MEMORY_LIMIT", { path: name, pages: min, limit: most });
  const module = await WebAssembly.compile(wasm as Uint8Array<ArrayBuffer>);
  // The import's declared maximum must not be less than the memory's own: the module keeps it, we may give
  // less.
  const pages = { min, max: most };
  return { program: { id, name, module, pages, stateBytes: info.stateBytes, tables: info.tables }, info };
}

/** Programs that pvm_spawn asks for: each is loaded and compiled once. (paper, 3.3) */
export class Loader {
  /** By program: resume points of its link section. */
  readonly points: LinkInfo["points"][] = [];
  private readonly options: RunOptions;
  private readonly loaded = new Map<string, Promise<number>>();

  constructor(options: RunOptions) {
    this.options = options;
  }

  /** Row of a program, when all engines have it, or PvmNoFile. Never fails. */
  row(library: Library, threads: Engines, name: string): Promise<number> {
    let program = this.loaded.get(name);
    if (program === undefined) {
      program = this.load(library, threads, name).catch(() => PVM_ERROR.PvmNoFile.code);
      this.loaded.set(name, program);
    }
    return program;
  }

  private async load(library: Library, threads: Engines, name: string): Promise<number> {
    const wasm = await this.options.loadProgram?.(name).catch(() => undefined);
    if (wasm === undefined) {
      this.loaded.delete(name);
      return PVM_ERROR.PvmNoFile.code;
    }
    const id = library.programs.length;
    library.programs.length += 1;
    await this.add(library, threads, id, name, wasm);
    return id;
  }

  /** Compiles a linked program and gives it to all engines, as row `id`. @throws UpvmError if it is none */
  async add(library: Library, threads: Engines, id: number, name: string, wasm: Uint8Array): Promise<void> {
    const { program, info } = await programOf(wasm, name, id, this.options.memoryPages);
    library.programs[id] = program;
    this.points[id] = info.points;
    for (let engine = 0; engine < library.process.engines; engine++)
      threads.send(engine, { kind: "program", program });
  }
}
