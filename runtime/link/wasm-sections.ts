/**
 * The sections of a wasm module, and where its functions' bodies are.
 *
 * Owns: the outer shape of the file. Never looks into a function's code, and never checks a module: V8 does.
 * Source: WebAssembly core specification, 5.5 "Modules".
 */
import { decoded } from "./dwarf-reader.ts";
import { ByteReader, ByteWriter, WasmFormatError } from "./wasm/bytes.ts";

/** Ids of the sections that are read here. */
const SECTION_ID = { custom: 0, import: 2, code: 10 } as const;
/** "\0asm", version 1. */
const MAGIC = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

export interface Section {
  readonly id: number;
  /** Name of a custom section, else "". */
  readonly name: string;
  /** Contents, byte offsets in the file: after the size, and after the name of a custom section. */
  readonly start: number;
  readonly end: number;
}

/** The sections in file order; undefined if this is not a wasm module or is cut short. */
export function sectionsOf(wasm: Uint8Array): readonly Section[] | undefined {
  return decoded(() => {
    const reader = new ByteReader(wasm);
    for (const byte of MAGIC)
      if (reader.u8() !== byte) throw new WasmFormatError("not a wasm module", reader.at);
    const sections: Section[] = [];
    while (!reader.done) {
      const id = reader.u8();
      const inside = reader.part(reader.u32());
      const name = id === SECTION_ID.custom ? inside.name() : "";
      sections.push({ id, name, start: inside.at, end: reader.at });
    }
    return sections;
  });
}

/** Contents of the first custom section called `name`: a view, not a copy. */
export function customSection(
  wasm: Uint8Array,
  sections: readonly Section[],
  name: string,
): Uint8Array | undefined {
  const found = sections.find((section) => section.id === SECTION_ID.custom && section.name === name);
  return found && wasm.subarray(found.start, found.end);
}

/** The module with one custom section more, at its end: no offset of what was there changes. */
export function appendSection(wasm: Uint8Array, name: string, contents: Uint8Array): Uint8Array {
  const inside = new ByteWriter();
  inside.name(name);
  inside.raw(contents);
  const whole = new ByteWriter();
  whole.raw(wasm);
  whole.u8(SECTION_ID.custom);
  whole.u32(inside.length);
  whole.raw(inside.done());
  return whole.done();
}

export interface CodeLayout {
  /** Where the code section's contents begin, byte offset in the file: address 0 of the module's DWARF. */
  readonly start: number;
  /** How many functions are imported: index of the first body. */
  readonly imported: number;
  /** Byte offsets in the file where each body begins and ends, in order. */
  readonly bodies: readonly { readonly start: number; readonly end: number }[];
}

/** Where the functions are; undefined if there is no code or its sections make no sense. */
export function codeLayout(wasm: Uint8Array, sections: readonly Section[]): CodeLayout | undefined {
  const code = sections.find((section) => section.id === SECTION_ID.code);
  if (code === undefined) return undefined;
  return decoded(() => {
    const reader = new ByteReader(wasm, code.start, code.end);
    const bodies = [];
    for (let count = reader.u32(); count > 0; count--) {
      const body = reader.part(reader.u32());
      bodies.push({ start: body.at, end: body.end });
    }
    const imports = sections.find((section) => section.id === SECTION_ID.import);
    return { start: code.start, imported: imports ? importedFunctions(wasm, imports) : 0, bodies };
  });
}

/** Index of the function whose body holds this byte of the file, or undefined. Cost: logarithmic. */
export function functionAt(layout: CodeLayout, offset: number): number | undefined {
  let low = 0;
  let high = layout.bodies.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((layout.bodies[middle]?.end ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  const body = layout.bodies[low];
  return body !== undefined && offset >= body.start ? layout.imported + low : undefined;
}

function importedFunctions(wasm: Uint8Array, section: Section): number {
  const reader = new ByteReader(wasm, section.start, section.end);
  let functions = 0;
  for (let count = reader.u32(); count > 0; count--) {
    reader.name();
    reader.name();
    const kind = reader.u8();
    if (kind === 0) functions++;
    skipImportType(reader, kind);
  }
  return functions;
}

/** Moves past the type of an import: function 0, table 1, memory 2, global 3, tag 4. */
function skipImportType(reader: ByteReader, kind: number): void {
  if (kind === 0) reader.u32();
  else if (kind === 1) {
    skipValueType(reader);
    skipLimits(reader);
  } else if (kind === 2) skipLimits(reader);
  else if (kind === 3) {
    skipValueType(reader);
    reader.u8();
  } else if (kind === 4) {
    reader.u8();
    reader.u32();
  } else throw new WasmFormatError(`import of kind ${kind}`, reader.at);
}

/** One byte, unless it is a reference to a heap type (0x63 `ref null`, 0x64 `ref`), which follows. */
function skipValueType(reader: ByteReader): void {
  const type = reader.u8();
  if (type === 0x63 || type === 0x64) reader.s33();
}

/** Flags: 1 has a maximum, 2 shared, 4 64-bit, 8 has a page size. */
function skipLimits(reader: ByteReader): void {
  const flags = reader.u8();
  reader.skipLeb(10);
  if (flags & 1) reader.skipLeb(10);
  if (flags & 8) reader.u32();
}
