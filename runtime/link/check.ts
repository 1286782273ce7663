/**
 * Pass 1: refuse by name what cannot be a ULP, before anything is changed.
 */
import { UpvmError } from "../../wire/errors.ts";
import { PVM_ROUTINE } from "../../wire/pvm.ts";
import { WASI_FUNCTION } from "../../wire/wasi.ts";
import { walk } from "./call-graph.ts";
import { type Func, type FuncType, funcTypeText, type WasmModule } from "./wasm/module.ts";
import { EXTERNREF, F32, F64, FUNCREF, I32, I64, OP, type ValueType } from "./wasm/opcodes.ts";

/** How an imported function is served. */
export type ImportRoute = "inline" | "call" | "block";

export interface Checked {
  readonly routes: ReadonlyMap<Func, ImportRoute>;
  /** Exported entry functions in the order in which they run. */
  readonly entries: readonly Func[];
}

const LETTER: Readonly<Record<string, ValueType>> = { i: I32, l: I64, f: F32, d: F64 };

export function check(module: WasmModule, path: string): Checked {
  const routes = new Map<Func, ImportRoute>();
  for (const func of module.funcs)
    if (func.imported !== undefined) routes.set(func, checkImport(module, func, path));
  const cannotMove = (why: string): never => {
    throw new UpvmError("CANNOT_MOVE", { path, why });
  };
  if (module.memories.length > 1) cannotMove("it has more than one memory");
  if (module.memories.some((memory) => memory.limits.shared)) cannotMove("its memory is shared already");
  for (const global of module.globals) {
    if (global.mutable && (global.type === FUNCREF || global.type === EXTERNREF))
      cannotMove("it keeps a reference in a global");
  }
  if (module.tables.some((table) => table.type !== FUNCREF))
    cannotMove("it has a table of references to the outside");
  for (const func of module.funcs) {
    walk(func.root?.body ?? [], (node) => {
      if (node.op === OP.atomicWait32 || node.op === OP.atomicWait64)
        cannotMove("it waits with memory.atomic.wait");
    });
  }
  const entries = findEntries(module);
  if (entries.length === 0 || lacksMain(module)) throw new UpvmError("NO_ENTRY", { path });
  return { routes, entries };
}

/**
 * C's `_start` calls `main` by a weak symbol: without one wasm-ld writes a function that traps, and says nothing.
 * Source: wasi-libc, __main_void.c; lld, wasm/Driver.cpp, "undefined_weak:".
 */
function lacksMain(module: WasmModule): boolean {
  return module.funcs.some(({ name }) => /^undefined_weak:(__main_argc_argv|main)$/.test(name ?? ""));
}

/** Whether the program changes its table while it runs: then the table belongs to its state. */
export function changesTable(module: WasmModule): boolean {
  let changes = false;
  for (const func of module.funcs) {
    walk(func.root?.body ?? [], (node) => {
      switch (node.op) {
        case OP.tableSet:
        case OP.tableGrow:
        case OP.tableFill:
        case OP.tableCopy:
        case OP.tableInit:
          changes = true;
      }
    });
  }
  return changes;
}

function checkImport(module: WasmModule, func: Func, path: string): ImportRoute {
  const { module: from, name } = func.imported as { module: string; name: string };
  const found = module.typeOf(func);
  const text = `${from}.${name}`;
  if (from === "pvm" && Object.hasOwn(PVM_ROUTINE, name)) {
    const row = PVM_ROUTINE[name as keyof typeof PVM_ROUTINE];
    checkType(path, text, found, row.wasm, "i");
    return row.route;
  }
  if (from === "wasi_snapshot_preview1" && Object.hasOwn(WASI_FUNCTION, name)) {
    const row = WASI_FUNCTION[name as keyof typeof WASI_FUNCTION];
    if (row.route === "refused") {
      throw new UpvmError("CANNOT_MOVE", { path, why: `it imports ${text} (${row.doc})` });
    }
    checkType(path, text, found, row.wasm, row.result);
    return row.route;
  }
  throw new UpvmError("UNKNOWN_IMPORT", { path, import: text });
}

function checkType(path: string, name: string, found: FuncType, params: string, results: string): void {
  const types = (letters: string): ValueType[] => [...letters].map((letter) => LETTER[letter] as ValueType);
  const wanted: FuncType = { params: types(params), results: types(results) };
  const [a, b] = [funcTypeText(found), funcTypeText(wanted)];
  if (a !== b) throw new UpvmError("IMPORT_TYPE", { path, import: name, found: a, wanted: b });
}

/** `_start` (a command, or AssemblyScript's top level), then `main` where it is exported and takes nothing, or argc and argv. */
function findEntries(module: WasmModule): Func[] {
  const entries: Func[] = [];
  let begins = false;
  for (const name of ["_initialize", "_start", "main"]) {
    const func = module.exports.find((item) => item.name === name)?.func;
    if (func === undefined) continue;
    const { params, results } = module.typeOf(func);
    const noParams =
      params.length === 0 || (name === "main" && params.length === 2 && params.every((type) => type === I32));
    const known = results.length === 0 || (results.length === 1 && results[0] === I32);
    if (!noParams || !known) continue;
    entries.push(func);
    begins ||= name !== "_initialize";
  }
  // By name: compilers make equal functions one.
  return begins ? entries : [];
}
