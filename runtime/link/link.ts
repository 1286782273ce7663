/**
 * The link step: any wasm program that imports only PVM and WASI becomes migratable.
 *
 * Owns: the order of the passes. Input is never changed. Pure: same bytes in, same bytes out.
 *
 *     1 check  2 shared memory  3 polls  4 suspend transform  5 entry and stubs  6 state  7 names and lines
 *
 * 3 can be left out, for a program that is to be fast and need not be stopped while it computes: all code that cannot block
 * then stays as it was. (5's stubs go in before 3 and 4, which must know which calls can suspend; its `upvm_resume` after them.)
 */
import { UpvmError } from "../../wire/errors.ts";
import { CTL, LINK_ABI, SECTION } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { suspendable } from "./call-graph.ts";
import { changesTable, check } from "./check.ts";
import { nameSection, offsetsSection, takeNames } from "./debug.ts";
import { addEntry, addResume, addStubs } from "./entry.ts";
import { type LinkInfo, linkInfo } from "./link-info.ts";
import { MEMORY, shareMemory } from "./memory.ts";
import { insertPolls } from "./polls.ts";
import { resumePoints } from "./resume-points.ts";
import { addFunctionTable, addState } from "./state.ts";
import type { ResumePoint, SuspendTransform } from "./suspend.ts";
import { access, i32 } from "./wasm/build.ts";
import { WasmFormatError } from "./wasm/bytes.ts";
import { encodeModule } from "./wasm/encode.ts";
import type { Export, Func, WasmModule } from "./wasm/module.ts";
import { I32, OP } from "./wasm/opcodes.ts";
import { parseModule, Unsupported } from "./wasm/parse.ts";

export interface LinkOptions {
  /** Name of the program for messages. */
  readonly path?: string;
  /** Pass 4; the default is resumePoints. */
  readonly suspend?: SuspendTransform;
  /** False: no pass 3. Such a program can be stopped where it waits, and nowhere else. */
  readonly polls?: boolean;
}

export interface Linked {
  readonly wasm: Uint8Array;
  readonly info: LinkInfo;
}

/** @throws UpvmError if the program cannot become a ULP, saying why */
export function link(wasm: Uint8Array, options: LinkOptions = {}): Linked {
  const path = options.path ?? "the program";
  const linkedBefore = linkInfo(wasm);
  if (linkedBefore !== undefined) {
    if (linkedBefore.abi === LINK_ABI) return { wasm, info: linkedBefore };
    throw new UpvmError("ALREADY_LINKED", { path, found: linkedBefore.abi, wanted: LINK_ABI });
  }
  refuseInvalid(wasm, path);
  try {
    return linkModule(parseModule(wasm), path, options.suspend ?? resumePoints, options.polls ?? true);
  } catch (error) {
    if (error instanceof Unsupported) throw new UpvmError("CANNOT_MOVE", { path, why: error.why });
    if (error instanceof WasmFormatError) throw new UpvmError("BAD_WASM", { path, why: error.message });
    if (error instanceof RangeError)
      throw new UpvmError("CANNOT_MOVE", { path, why: "its blocks are nested too deeply" });
    throw error;
  }
}

function refuseInvalid(wasm: Uint8Array, path: string): void {
  const magic = [0, 0x61, 0x73, 0x6d];
  if (wasm.length > LIMITS.moduleBytes) {
    throw new UpvmError("BAD_WASM", {
      path,
      why: `${wasm.length} bytes; the limit is ${LIMITS.moduleBytes}`,
    });
  }
  if (!magic.every((byte, i) => wasm[i] === byte)) {
    const found = [...wasm.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw new UpvmError("NOT_WASM", { path, found: found === "" ? "nothing" : found });
  }
  if (WebAssembly.validate(wasm as Uint8Array<ArrayBuffer>)) return;
  try {
    new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>);
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error)).replace(
      /^WebAssembly\.Module\(\): /,
      "",
    );
    throw new UpvmError("BAD_WASM", { path, why });
  }
}

function linkModule(module: WasmModule, path: string, suspend: SuspendTransform, polled: boolean): Linked {
  takeNames(module);
  const checked = check(module, path);
  const imports = module.funcs.flatMap(({ imported }) =>
    imported ? [`${imported.module}.${imported.name}`] : [],
  );
  const entries = checked.entries.map(
    (func) => module.exports.find((item) => item.func === func)?.name ?? "",
  );
  const tables = changesTable(module) ? module.tables.length : 0;
  const functions = module.funcs.length - imports.length;

  const { pages, init } = shareMemory(module);
  const code = addStubs(module, checked);
  const entry = addEntry(module, checked.entries);
  const flag = () => [i32(0), access(OP.i32Load, MEMORY.ctl, CTL.attention)];
  const polls = polled ? insertPolls(module, { flag, poll: code.poll }, code.leaves) : 0;
  const calls = suspendable(module, code.leaves);
  const points = suspend(module, calls, code);
  const resume = addResume(module, entry, code);
  const state = addState(module, new Set([code.state, code.top, code.limit]));

  const exported = (name: string, func: Func): Export => ({ name, kind: "func", func, index: 0 });
  module.exports = [
    exported("upvm_init", init),
    exported("upvm_resume", resume),
    exported("upvm_save", state.save),
    exported("upvm_load", state.load),
  ];
  const stack = stackPointer(module);
  if (stack >= 0) module.exports.push({ name: "upvm_stack", kind: "global", func: undefined, index: stack });
  if (tables > 0) {
    for (let i = 0; i < tables; i++)
      module.exports.push({ name: `upvm_table${i}`, kind: "table", func: undefined, index: i });
    const { table } = addFunctionTable(module);
    module.exports.push({ name: "upvm_functions", kind: "table", func: undefined, index: table });
  }
  const counts = { functions, resumable: calls.funcs.size, polls };
  return finish(module, points, {
    abi: LINK_ABI,
    pages,
    stateBytes: state.bytes,
    imports,
    entries,
    tables,
    counts,
    ...(!polled && { unpolled: true }),
  });
}

/** The global with a C program's stack pointer, by which an overflow is known; -1: there is none, or it has no name. */
function stackPointer(module: WasmModule): number {
  return module.globals.findIndex(
    ({ name, type, mutable }) => name === "__stack_pointer" && type === I32 && mutable,
  );
}

function finish(
  module: WasmModule,
  points: readonly ResumePoint[],
  partial: Omit<LinkInfo, "points">,
): Linked {
  for (const [index, func] of module.funcs.entries()) func.index = index;
  const info: LinkInfo = {
    ...partial,
    points: points.map(({ func, at, frameBytes }) => [func.index, at, frameBytes] as const),
  };
  module.customs.push(nameSection(module));
  module.customs.push({ name: SECTION.link, bytes: new TextEncoder().encode(JSON.stringify(info)) });
  const { offsets } = encodeModule(module);
  // The offsets section comes last: it moves no code.
  module.customs.push(offsetsSection(module, offsets));
  return { wasm: encodeModule(module).wasm, info };
}
