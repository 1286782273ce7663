/**
 * Header of one unit of `.debug_line`, versions 2 to 5: parameters of its program, its folders and files.
 *
 * Owns: nothing. Names stay where they are: a header holds their places.
 * Source: DWARF 5, section 6.2.4 "The Line Number Program Header"; DWARF 4, 6.2.4.
 */

import { DwarfReader } from "./dwarf-reader.ts";
import { WasmFormatError } from "./wasm/bytes.ts";

/** Where a NUL-terminated name begins: section `.debug_line`, `.debug_str` or `.debug_line_str`, byte offset. */
export interface NamePlace {
  readonly in: "line" | "str" | "lineStr";
  readonly at: number;
}

export interface FileEntry {
  readonly name: NamePlace;
  readonly folder: number;
}

export interface UnitHeader {
  /** Of the shortest instruction, bytes: what one step of the program advances. 1 for wasm. */
  readonly minInstructionBytes: number;
  /** More than 1 only on machines whose instructions hold several operations. */
  readonly operationsPerInstruction: number;
  readonly lineBase: number;
  /** At least 1. */
  readonly lineRange: number;
  /** First special opcode. */
  readonly opcodeBase: number;
  /** By opcode: how many LEB128 operands a standard opcode has. */
  readonly operands: readonly number[];
  readonly folders: readonly NamePlace[];
  /** The program may append to it. */
  readonly files: FileEntry[];
  /** Numbers of the first folder and file: both 0 since version 5, 1 before. */
  readonly firstFolder: number;
  readonly firstFile: number;
}

/** Content types of a version 5 entry that are read here, and forms. */
const LNCT = { path: 1, directoryIndex: 2 } as const;
const FORM = {
  block2: 3,
  block4: 4,
  data2: 5,
  data4: 6,
  data8: 7,
  string: 8,
  block: 9,
  block1: 10,
  data1: 11,
  strp: 14,
  udata: 15,
  data16: 30,
  lineStrp: 31,
} as const;

/**
 * Reads the header; leaves the reader at the first opcode of the program.
 *
 * @returns undefined if the version is not one of 2 … 5
 * @throws WasmFormatError if it is damaged
 */
export function readUnitHeader(reader: DwarfReader, offsetBytes: number): UnitHeader | undefined {
  const version = reader.fixed(2);
  if (version < 2 || version > 5) return undefined;
  if (version >= 5) reader.skip(2); // sizes of an address and of a segment selector
  const headerBytes = reader.fixed(offsetBytes);
  const start = reader.at;
  reader.skip(headerBytes);
  const inside = new DwarfReader(reader.bytes, start, reader.at);
  const minInstructionBytes = inside.u8();
  const operationsPerInstruction = version >= 4 ? Math.max(inside.u8(), 1) : 1;
  inside.u8(); // default_is_stmt
  const lineBase = (inside.u8() << 24) >> 24;
  const lineRange = inside.u8();
  if (lineRange === 0) throw new WasmFormatError("line range 0", inside.at);
  const opcodeBase = inside.u8();
  const operands = [0];
  for (let opcode = 1; opcode < opcodeBase; opcode++) operands.push(inside.u8());
  const tables = version >= 5 ? tables5(inside, offsetBytes) : tables4(inside);
  const first = version >= 5 ? 0 : 1;
  return {
    minInstructionBytes,
    operationsPerInstruction,
    lineBase,
    lineRange,
    opcodeBase,
    operands,
    ...tables,
    firstFolder: first,
    firstFile: first,
  };
}

type Tables = Pick<UnitHeader, "folders" | "files">;

/** Up to version 4: strings in place, an empty one ends each table. */
function tables4(reader: DwarfReader): Tables {
  const folders: NamePlace[] = [];
  const files: FileEntry[] = [];
  for (;;) {
    const at = reader.cstring();
    if (reader.at - at === 1) break;
    folders.push({ in: "line", at });
  }
  for (;;) {
    const at = reader.cstring();
    if (reader.at - at === 1) break;
    const folder = reader.uleb();
    reader.uleb(); // time of last change
    reader.uleb(); // bytes
    files.push({ name: { in: "line", at }, folder });
  }
  return { folders, files };
}

/** Version 5: each table says which fields its entries have, and how they are written. */
function tables5(reader: DwarfReader, offsetBytes: number): Tables {
  const folders = entries5(reader, offsetBytes).map((entry) => entry.name);
  return { folders, files: entries5(reader, offsetBytes) };
}

function entries5(reader: DwarfReader, offsetBytes: number): FileEntry[] {
  const fields: { readonly content: number; readonly form: number }[] = [];
  for (let count = reader.u8(); count > 0; count--)
    fields.push({ content: reader.uleb(), form: reader.uleb() });
  const count = reader.uleb();
  // Every form takes a byte or more: with a field in each entry the input's end ends the loop.
  if (fields.length === 0 && count > 0)
    throw new WasmFormatError(`${count} entries without a field`, reader.at);
  const entries: FileEntry[] = [];
  for (let row = 0; row < count; row++) {
    let name: NamePlace | undefined;
    let folder = 0;
    for (const { content, form } of fields) {
      const value = readForm(reader, form, offsetBytes);
      if (content === LNCT.path && typeof value === "object") name = value;
      if (content === LNCT.directoryIndex && typeof value === "number") folder = value;
    }
    if (name === undefined) throw new WasmFormatError("entry without a name", reader.at);
    entries.push({ name, folder });
  }
  return entries;
}

/** A number, the place of a string, or undefined for a block of bytes that is passed over. */
function readForm(reader: DwarfReader, form: number, offsetBytes: number): number | NamePlace | undefined {
  switch (form) {
    case FORM.string:
      return { in: "line", at: reader.cstring() };
    case FORM.strp:
      return { in: "str", at: reader.fixed(offsetBytes) };
    case FORM.lineStrp:
      return { in: "lineStr", at: reader.fixed(offsetBytes) };
    case FORM.udata:
      return reader.uleb();
    case FORM.data1:
      return reader.fixed(1);
    case FORM.data2:
      return reader.fixed(2);
    case FORM.data4:
      return reader.fixed(4);
    case FORM.data8:
      return reader.fixed(8);
    case FORM.data16:
      reader.skip(16);
      return undefined;
    case FORM.block:
      reader.skip(reader.uleb());
      return undefined;
    case FORM.block1:
      reader.skip(reader.fixed(1));
      return undefined;
    case FORM.block2:
      reader.skip(reader.fixed(2));
      return undefined;
    case FORM.block4:
      reader.skip(reader.fixed(4));
      return undefined;
    default:
      throw new WasmFormatError(`form ${form} in a line table`, reader.at);
  }
}
