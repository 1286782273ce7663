/**
 * Pass 6: what belongs to a ULP's state besides its memory: mutable globals, and the table if the program changes it.
 *
 * (Measured: a ULP moved without its globals gives wrong answers and no trap.)
 */
import { MEMORY } from "./memory.ts";
import { access, globalGet, globalSet, i32, localGet } from "./wasm/build.ts";
import type { Func, WasmModule } from "./wasm/module.ts";
import { F32, F64, FUNCREF, I32, I64, OP, V128 } from "./wasm/opcodes.ts";

const KIND: Readonly<
  Record<number, { readonly bytes: number; readonly load: number; readonly store: number }>
> = {
  [I32]: { bytes: 4, load: OP.i32Load, store: OP.i32Store },
  [I64]: { bytes: 8, load: OP.i64Load, store: OP.i64Store },
  [F32]: { bytes: 4, load: OP.f32Load, store: OP.f32Store },
  [F64]: { bytes: 8, load: OP.f64Load, store: OP.f64Store },
  [V128]: { bytes: 16, load: OP.v128Load, store: OP.v128Store },
};

export interface StateCode {
  /** (at): writes `bytes` bytes of globals to the heap, reads them from there. */
  readonly save: Func;
  readonly load: Func;
  readonly bytes: number;
}

/** @param own  globals of the link step: they hold nothing while a ULP is suspended */
export function addState(module: WasmModule, own: ReadonlySet<number>): StateCode {
  const save = module.addFunc("upvm_save", [I32], []);
  const load = module.addFunc("upvm_load", [I32], []);
  let offset = 0;
  for (const [index, global] of module.globals.entries()) {
    const kind = KIND[global.type];
    if (!global.mutable || own.has(index) || kind === undefined) continue;
    save.root?.body?.push(localGet(0), globalGet(index), access(kind.store, MEMORY.heap, offset));
    load.root?.body?.push(localGet(0), access(kind.load, MEMORY.heap, offset), globalSet(index));
    offset += kind.bytes;
  }
  return { save, load, bytes: offset };
}

/** A table of every function that may be in the guest's tables, so that a moved ULP's entries can be set by number. */
export function addFunctionTable(module: WasmModule): { table: number; funcs: readonly Func[] } {
  const funcs = new Set<Func>();
  for (const element of module.elements) {
    for (const func of element.funcs ?? []) funcs.add(func);
    element.exprs?.flat().forEach((node) => {
      if (node.func !== undefined) funcs.add(node.func);
    });
  }
  const list = [...funcs];
  const table = module.tables.length;
  module.tables.push({
    type: FUNCREF,
    limits: { min: list.length, max: list.length, shared: false },
    init: undefined,
  });
  module.elements.push({
    mode: "active",
    table,
    offset: [i32(0)],
    type: FUNCREF,
    funcs: list,
    exprs: undefined,
  });
  return { table, funcs: list };
}
