/**
 * Pass 7: names and lines survive. A trap in linked code is told by the guest's function, file and line.
 *
 * Code offsets change, debug information does not: it stays as the compiler wrote it, and a custom section says
 * where each stretch of linked code was in the original (offset-map.ts).
 */
import { SECTION } from "../../wire/layout.ts";
import { functionNames, globalNames } from "./function-names.ts";
import { encodeOffsets, type OffsetPair } from "./offset-map.ts";
import { ByteWriter } from "./wasm/bytes.ts";
import type { Custom, WasmModule } from "./wasm/module.ts";

/** Before any pass: gives the original functions and globals their names, and drops what will not be true afterwards. */
export function takeNames(module: WasmModule): void {
  const section = module.customs.find((custom) => custom.name === "name");
  const names = section === undefined ? undefined : functionNames(section.bytes);
  for (const [index, func] of module.funcs.entries()) {
    func.name = names?.get(index) ?? module.exports.find((item) => item.func === func)?.name;
  }
  const globals = section === undefined ? undefined : globalNames(section.bytes);
  for (const [index, global] of module.globals.entries()) global.name = globals?.get(index);
  module.customs = module.customs.filter(
    ({ name }) =>
      name === SECTION.sourceMap ||
      name === "producers" ||
      (name.startsWith(".debug_") && name !== ".debug_loc"),
  );
}

/** After all passes but the offsets: the name section, functions only. */
export function nameSection(module: WasmModule): Custom {
  const list = new ByteWriter();
  const named = [...module.funcs.entries()].filter(([, func]) => func.name !== undefined);
  list.u32(named.length);
  for (const [index, func] of named) {
    list.u32(index);
    list.name(func.name ?? "");
  }
  const section = new ByteWriter();
  section.u8(1);
  section.u32(list.length);
  section.raw(list.done());
  return { name: "name", bytes: section.done() };
}

/** Contents of the offsets section. Of several pairs at one place the last counts. */
export function offsetsSection(module: WasmModule, offsets: readonly OffsetPair[]): Custom {
  const pairs: OffsetPair[] = [];
  for (const pair of offsets) {
    if (pairs[pairs.length - 1]?.[0] === pair[0]) pairs.pop();
    pairs.push(pair);
  }
  return { name: SECTION.offsets, bytes: encodeOffsets({ codeStart: module.codeAt, pairs }) };
}
