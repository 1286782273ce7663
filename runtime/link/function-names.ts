/**
 * Function names of a module: subsection 1 of its custom section `name`.
 *
 * Owns: nothing; reads. A module without names, or with a damaged section, has no names: never an error.
 * Source: WebAssembly core specification, appendix 7.4.1 "Name Section".
 */
import { decoded } from "./dwarf-reader.ts";
import { ByteReader } from "./wasm/bytes.ts";

const FUNCTION_NAMES = 1;

/** Function index → name, from the contents of the section `name`. Undefined if it is damaged. */
export function functionNames(contents: Uint8Array): ReadonlyMap<number, string> | undefined {
  return decoded(() => {
    const names = new Map<number, string>();
    const reader = new ByteReader(contents);
    while (!reader.done) {
      const id = reader.u8();
      const inside = reader.part(reader.u32());
      if (id !== FUNCTION_NAMES) continue;
      for (let count = inside.u32(); count > 0; count--) {
        const index = inside.u32();
        names.set(index, inside.name());
      }
    }
    return names;
  });
}
