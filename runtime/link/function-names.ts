/**
 * Names of a module's functions and globals: subsections 1 and 7 of its custom section `name`.
 *
 * Owns: nothing; reads. A module without names, or with a damaged section, has no names: never an error.
 * Source: WebAssembly core specification, appendix 7.4.1 "Name Section"; globals: the proposal "extended name section".
 */
import { decoded } from "./dwarf-reader.ts";
import { ByteReader } from "./wasm/bytes.ts";

const FUNCTION_NAMES = 1;
const GLOBAL_NAMES = 7;

/** Function index → name, from the contents of the section `name`. Undefined if it is damaged. */
export function functionNames(contents: Uint8Array): ReadonlyMap<number, string> | undefined {
  return namesOf(contents, FUNCTION_NAMES);
}

/** Global index → name, the same. */
export function globalNames(contents: Uint8Array): ReadonlyMap<number, string> | undefined {
  return namesOf(contents, GLOBAL_NAMES);
}

function namesOf(contents: Uint8Array, subsection: number): ReadonlyMap<number, string> | undefined {
  return decoded(() => {
    const names = new Map<number, string>();
    const reader = new ByteReader(contents);
    while (!reader.done) {
      const id = reader.u8();
      const inside = reader.part(reader.u32());
      if (id !== subsection) continue;
      for (let count = inside.u32(); count > 0; count--) {
        const index = inside.u32();
        names.set(index, inside.name());
      }
    }
    return names;
  });
}
