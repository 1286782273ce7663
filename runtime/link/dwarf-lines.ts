/**
 * Source positions from DWARF: the line tables in `.debug_line`, versions 2 to 5.
 *
 * Owns: the rows. An address is a byte offset in the contents of the module's code section. A unit that is damaged or
 * of another version is passed over, and what other units say still counts. Rows and files are stored as numbers;
 * names are looked up when a position is asked for. There are never more rows than bytes in the input.
 * Source: DWARF 5, section 6.2 "Line Number Information"; DWARF for WebAssembly (addresses).
 */

import { readUnitHeader, type UnitHeader } from "./dwarf-line-header.ts";
import { DwarfReader, decoded, textAt } from "./dwarf-reader.ts";
import type { PositionOf, SourcePosition } from "./source-map.ts";

export interface DwarfSections {
  readonly line: Uint8Array;
  readonly str?: Uint8Array | undefined;
  readonly lineStr?: Uint8Array | undefined;
}

/** Positions by offset from the start of the code section's contents; undefined if there is no line at all. */
export function dwarfPositions(sections: DwarfSections): PositionOf | undefined {
  const sequences = readSequences(sections).sort((a, b) => a.start - b.start);
  if (sequences.length === 0) return undefined;
  return (address) => {
    const sequence = lastNotAfter(sequences, (row) => row.start, address);
    if (sequence === undefined || address >= sequence.end) return undefined;
    const row = lastNotAfter(sequence.rows, (each) => each.address, address);
    return row && position(sections, sequence.unit, row);
  };
}

interface Row {
  readonly address: number;
  readonly file: number;
  readonly line: number;
  readonly column: number;
}

/** Code that is contiguous: addresses of its rows ascend. */
interface Sequence {
  readonly unit: UnitHeader;
  readonly start: number;
  readonly end: number;
  readonly rows: readonly Row[];
}

function readSequences(sections: DwarfSections): Sequence[] {
  const all: Sequence[] = [];
  const reader = new DwarfReader(sections.line);
  decoded(() => {
    while (!reader.done) {
      let bytes = reader.fixed(4);
      const offsetBytes = bytes === 0xffff_ffff ? 8 : 4;
      if (offsetBytes === 8) bytes = reader.fixed(8);
      const start = reader.at;
      reader.skip(bytes);
      const unit = new DwarfReader(sections.line, start, reader.at);
      decoded(() => runUnit(unit, offsetBytes, all));
    }
  });
  return all;
}

/** Reads one unit and appends its sequences as they end, so that what precedes damage is kept. */
function runUnit(reader: DwarfReader, offsetBytes: number, to: Sequence[]): void {
  const unit = readUnitHeader(reader, offsetBytes);
  if (unit === undefined) return;
  const machine = new LineMachine(unit, to);
  while (!reader.done) machine.step(reader);
}

/** The state machine of section 6.2.2, without the registers that no position needs. */
class LineMachine {
  private readonly unit: UnitHeader;
  private readonly sequences: Sequence[];
  private rows: Row[] = [];
  private ascends = true;
  private address = 0;
  private opIndex = 0;
  private file = 1;
  private line = 1;
  private column = 0;

  constructor(unit: UnitHeader, sequences: Sequence[]) {
    this.unit = unit;
    this.sequences = sequences;
  }

  step(reader: DwarfReader): void {
    const opcode = reader.u8();
    if (opcode >= this.unit.opcodeBase) this.special(opcode);
    else if (opcode === 0) this.extended(reader);
    else this.standard(opcode, reader);
  }

  private special(opcode: number): void {
    const adjusted = opcode - this.unit.opcodeBase;
    this.advance(Math.floor(adjusted / this.unit.lineRange));
    this.line += this.unit.lineBase + (adjusted % this.unit.lineRange);
    this.emit();
  }

  private standard(opcode: number, reader: DwarfReader): void {
    switch (opcode) {
      case 1: // copy
        this.emit();
        return;
      case 2: // advance_pc
        this.advance(reader.uleb());
        return;
      case 3: // advance_line
        this.line += reader.sleb();
        return;
      case 4: // set_file
        this.file = reader.uleb();
        return;
      case 5: // set_column
        this.column = reader.uleb();
        return;
      case 8: // const_add_pc: as special opcode 255, without its row
        this.advance(Math.floor((255 - this.unit.opcodeBase) / this.unit.lineRange));
        return;
      case 9: // fixed_advance_pc
        this.address += reader.fixed(2);
        this.opIndex = 0;
        return;
      default: // negate_stmt, basic_block, prologue_end, epilogue_begin, set_isa, and those of later versions
        for (let count = this.unit.operands[opcode] ?? 0; count > 0; count--) reader.uleb();
    }
  }

  private extended(reader: DwarfReader): void {
    const bytes = reader.uleb();
    const start = reader.at;
    reader.skip(bytes);
    const inside = new DwarfReader(reader.bytes, start, reader.at);
    if (inside.done) return;
    switch (inside.u8()) {
      case 1: // end_sequence
        this.endSequence();
        return;
      case 2: // set_address
        this.address = inside.fixed(Math.min(inside.left, 8));
        this.opIndex = 0;
        return;
      case 3: // define_file: name, folder, time, bytes
        this.unit.files.push({ name: { in: "line", at: inside.cstring() }, folder: inside.uleb() });
        return;
      default: // set_discriminator, and what tools add
    }
  }

  private advance(operations: number): void {
    const perInstruction = this.unit.operationsPerInstruction;
    const sum = this.opIndex + operations;
    this.address += this.unit.minInstructionBytes * Math.floor(sum / perInstruction);
    this.opIndex = sum % perInstruction;
  }

  private emit(): void {
    const { address, file, line, column } = this;
    if (address < (this.rows.at(-1)?.address ?? 0)) this.ascends = false;
    this.rows.push({ address, file, line, column });
  }

  private endSequence(): void {
    const { rows, unit, address: end } = this;
    const start = rows[0]?.address ?? 0;
    // The linker leaves address 0 or 2^32 − 1 in what belonged to a function that it dropped.
    const dropped = start === 0 || start >= 0xffff_fff0;
    if (this.ascends && !dropped && end > start) this.sequences.push({ unit, start, end, rows });
    this.rows = [];
    this.ascends = true;
    this.address = 0;
    this.opIndex = 0;
    this.file = 1;
    this.line = 1;
    this.column = 0;
  }
}

/** Last item whose key is not after `limit`; the keys ascend. */
function lastNotAfter<T>(items: readonly T[], key: (item: T) => number, limit: number): T | undefined {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (key(items[middle] as T) <= limit) low = middle + 1;
    else high = middle;
  }
  return items[low - 1];
}

function position(sections: DwarfSections, unit: UnitHeader, row: Row): SourcePosition | undefined {
  const file = unit.files[row.file - unit.firstFile];
  const name = file && textAt(sections[file.name.in], file.name.at);
  if (file === undefined || name === undefined) return undefined;
  // Folder 0 is where the compiler ran: what is left is the path as the user gave it.
  const folder = file.folder === 0 ? undefined : unit.folders[file.folder - unit.firstFolder];
  const folderName = folder && textAt(sections[folder.in], folder.at);
  const path = folderName === undefined || name.startsWith("/") ? name : `${folderName}/${name}`;
  return {
    file: path.replace(/^(\.\/)+/, ""),
    // Line 0: code that the compiler made and that belongs to no line.
    ...(row.line > 0 && { line: row.line }),
    ...(row.line > 0 && row.column > 0 && { column: row.column }),
  };
}
