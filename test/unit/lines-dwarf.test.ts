/** DWARF line tables made by hand: each version, each opcode, and damage of every kind. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "uvu";
import { dwarfPositions } from "../../runtime/link/dwarf-lines.ts";

const text = (...names: string[]) => names.flatMap((name) => [...new TextEncoder().encode(name), 0]);
const u16 = (value: number) => [value & 255, value >> 8];
const u32 = (value: number) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
const extended = (opcode: number, ...bytes: number[]) => [0, bytes.length + 1, opcode, ...bytes];
const address = (value: number) => extended(2, ...u32(value));
const END = extended(1);
const COPY = 1;
/** Operands of the standard opcodes 1 … 12. */
const OPERANDS = [0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1];

interface UnitParts {
  version: number;
  tables: number[];
  program: number[];
  minInstructionBytes?: number;
  operations?: number;
  operands?: number[];
  wide?: boolean;
}

/** One unit: line base -5, line range 14, special opcodes after the standard ones. */
function unit(parts: UnitParts): Uint8Array {
  const {
    version,
    tables,
    program,
    minInstructionBytes = 1,
    operations = 1,
    operands = OPERANDS,
    wide,
  } = parts;
  const long = (value: number) => (wide ? [...u32(value), 0, 0, 0, 0] : u32(value));
  const head = [
    minInstructionBytes,
    ...(version >= 4 ? [operations] : []),
    1,
    256 - 5,
    14,
    operands.length + 1,
  ];
  const header = [...head, ...operands, ...tables];
  const rest = [
    ...u16(version),
    ...(version >= 5 ? [4, 0] : []),
    ...long(header.length),
    ...header,
    ...program,
  ];
  return Uint8Array.from([...(wide ? [255, 255, 255, 255] : []), ...long(rest.length), ...rest]);
}

/** Folders "lib", "/abs"; files main.c (here), x.h (lib), y.h (/abs), /z.h (lib). */
// biome-ignore format: one file a line
const TABLES_4 = [
  ...text("lib", "/abs"), 0,
  ...text("main.c"), 0, 0, 0,
  ...text("x.h"), 1, 0, 0,
  ...text("y.h"), 2, 0, 0,
  ...text("/z.h"), 1, 0, 0,
  0,
];
/** The same with names in `.debug_line_str` and `.debug_str`, an MD5 and a block to pass over. */
const LINE_STR = Uint8Array.from(text("/home", "lib", "/abs", "main.c", "x.h"));
const STR = Uint8Array.from(text("y.h", "/z.h"));
// biome-ignore format: one table a line
const TABLES_5 = [
  1, 1, 0x1f, 3, ...u32(0), ...u32(6), ...u32(10),
  4, 1, 0x0e, 2, 0x0b, 5, 0x1e, 0x21, 0x0a, 1,
  ...u32(0), 2, ...new Array(16).fill(7), 2, 9, 9,
];

const program4 = [...address(100), 3, 9, COPY, 4, 2, 5, 7, 13 + 14 * 3 + 6, 2, 4, ...END];

function at(positionOf: ReturnType<typeof dwarfPositions>, offset: number): string | undefined {
  const place = positionOf?.(offset);
  return place && [place.file, place.line, place.column].filter((part) => part !== undefined).join(":");
}

test("version 4: rows reach from their address to the next, the sequence to its end", () => {
  const lines = dwarfPositions({ line: unit({ version: 4, tables: TABLES_4, program: program4 }) });
  assert.equal(at(lines, 99), undefined);
  assert.equal(at(lines, 100), "main.c:10");
  assert.equal(at(lines, 102), "main.c:10");
  assert.equal(at(lines, 103), "lib/x.h:11:7", "special opcode: address + 3, line + 1");
  assert.equal(at(lines, 106), "lib/x.h:11:7");
  assert.equal(at(lines, 107), undefined);
});

test("versions 2 and 3, and the 64-bit form, say the same", () => {
  for (const shape of [
    { version: 2 },
    { version: 3 },
    { version: 4, wide: true },
    { version: 2, wide: true },
  ]) {
    const lines = dwarfPositions({ line: unit({ ...shape, tables: TABLES_4, program: program4 }) });
    assert.equal(at(lines, 105), "lib/x.h:11:7", JSON.stringify(shape));
  }
});

test("version 5: names in either string section, folder and file numbers from 0", () => {
  const program = [...address(100), 4, 0, COPY, 13 + 14 + 5, ...END];
  const line = unit({ version: 5, tables: TABLES_5, program });
  // The file: name y.h in .debug_str, folder 2.
  assert.equal(at(dwarfPositions({ line, str: STR, lineStr: LINE_STR }), 100), "/abs/y.h:1");
  assert.equal(at(dwarfPositions({ line, str: STR }), 100), "y.h:1", "its folder's name is lost");
  assert.equal(at(dwarfPositions({ line, lineStr: LINE_STR }), 100), undefined, "its name is lost");
});

test("folders: an absolute name stands for itself, folder 0 is where the compiler ran", () => {
  const program = [...address(100), COPY, 4, 3, 2, 1, COPY, 4, 4, 2, 1, COPY, 2, 1, ...END];
  const lines = dwarfPositions({ line: unit({ version: 4, tables: TABLES_4, program }) });
  assert.deepEqual([at(lines, 100), at(lines, 101), at(lines, 102)], ["main.c:1", "/abs/y.h:1", "/z.h:1"]);
});

test("every other opcode moves the program on as it should", () => {
  // biome-ignore format: what belongs together is on one line
  const program = [
    ...address(100), 6, 7, 10, 11, 12, 9, COPY, // negate, basic_block, prologue_end, epilogue_begin, set_isa 9
    8, COPY, // const_add_pc: (255 − 13) / 14 = 17
    9, ...u16(300), 3, 0x7f, 3, 5, COPY, // fixed_advance_pc 300, line − 1 + 5
    ...extended(4, 0x81, 0x01), ...extended(0x80, 1, 2, 3), // discriminator, a tool's own
    ...extended(3, ...text("late.c"), 0, 0, 0), 4, 5, 2, 1, COPY, 2, 1, // define_file is number 5
    ...END,
  ];
  const lines = dwarfPositions({ line: unit({ version: 4, tables: TABLES_4, program }) });
  assert.equal(at(lines, 116), "main.c:1");
  assert.equal(at(lines, 117), "main.c:1");
  assert.equal(at(lines, 417), "main.c:5");
  assert.equal(at(lines, 418), "late.c:5");
  assert.equal(at(lines, 419), undefined);
});

test("standard opcodes of a later version are passed over by their count of operands", () => {
  const program = [...address(100), 13, 1, 2, 3, 3, 4, COPY, 2, 1, ...END];
  const operands = [...OPERANDS, 3];
  const lines = dwarfPositions({ line: unit({ version: 4, tables: TABLES_4, program, operands }) });
  assert.equal(at(lines, 100), "main.c:5");
});

test("instructions of 4 bytes with 2 operations advance as section 6.2.2 says", () => {
  const program = [...address(100), COPY, 2, 3, 3, 1, COPY, 2, 1, ...END];
  const shape = { version: 4, tables: TABLES_4, program, minInstructionBytes: 4, operations: 2 };
  const lines = dwarfPositions({ line: unit(shape) });
  assert.equal(at(lines, 103), "main.c:1", "3 operations are 1 instruction and a half");
  assert.equal(at(lines, 104), "main.c:2");
  assert.equal(at(lines, 107), "main.c:2", "the fourth operation begins the next instruction");
  assert.equal(at(lines, 108), undefined);
});

test("line 0 is code of no line, and code that the linker dropped is nowhere", () => {
  const dropped = (where: number) => [...address(where), COPY, 2, 50, ...END];
  const program = [...dropped(0), ...dropped(0xffff_ffff), ...address(20), 3, 0x7f, 5, 3, COPY, 2, 1, ...END];
  const lines = dwarfPositions({ line: unit({ version: 4, tables: TABLES_4, program }) });
  assert.equal(at(lines, 10), undefined);
  assert.equal(at(lines, 20), "main.c");
});

test("a sequence that runs backwards is not believed, the others are", () => {
  const program = [...address(50), COPY, ...address(40), COPY, ...address(60), ...END, ...program4];
  const lines = dwarfPositions({ line: unit({ version: 4, tables: TABLES_4, program }) });
  assert.equal(at(lines, 55), undefined);
  assert.equal(at(lines, 100), "main.c:10");
});

test("a damaged unit, or one of a later version, hides no other", () => {
  const good = unit({ version: 4, tables: TABLES_4, program: program4 });
  const bads = [
    unit({ version: 6, tables: TABLES_4, program: program4 }),
    unit({ version: 4, tables: [65], program: [] }),
    unit({ version: 4, tables: TABLES_4, program: [0, 127, 2] }),
  ];
  for (const bad of bads) {
    assert.equal(dwarfPositions({ line: bad }), undefined);
    assert.equal(at(dwarfPositions({ line: Uint8Array.from([...bad, ...good]) }), 100), "main.c:10");
  }
});

test("entries without a field, however many, are refused at once", () => {
  const line = unit({ version: 5, tables: [0, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], program: program4 });
  assert.equal(dwarfPositions({ line }), undefined);
});

test("garbage and damage never throw, hang, or make more of it than there is", () => {
  const samples = [
    unit({ version: 4, tables: TABLES_4, program: program4 }),
    unit({ version: 5, tables: TABLES_5, program: program4 }),
    unit({ version: 4, tables: TABLES_4, program: program4, wide: true }),
  ];
  const edits = fc.array(fc.tuple(fc.nat(200), fc.integer({ min: 0, max: 255 })), { maxLength: 6 });
  fc.assert(
    fc.property(fc.constantFrom(...samples), edits, fc.nat(200), (sample, changes, cut) => {
      const line = sample.slice(0, cut < 100 ? sample.length : cut);
      for (const [where, value] of changes) if (line.length > 0) line[where % line.length] = value;
      const lines = dwarfPositions({ line, str: STR, lineStr: LINE_STR });
      for (let offset = 0; offset < 500; offset += 7) {
        const place = lines?.(offset);
        assert.ok(place === undefined || place.file.length <= line.length + LINE_STR.length);
      }
    }),
    { numRuns: 5000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (line) => {
      dwarfPositions({ line })?.(100);
    }),
    { numRuns: 5000 },
  );
});

test.run();
