/**
 * The instructions of WebAssembly: what follows the opcode, and what it does to the operand stack.
 *
 * Owns: the table. A prefixed instruction has the code prefix * 0x1000 + number (0xfc00a is memory.copy).
 * Source: WebAssembly core specification 3.0, appendix "Index of Instructions"; relaxed SIMD and wide
 * arithmetic proposals. Typed references and garbage collection are left out: they cannot move with a ULP.
 */

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;
export const FUNCREF = 0x70;
export const EXTERNREF = 0x6f;
export const EXNREF = 0x69;
export type ValueType = number;

/** Opcodes that the link step looks at or makes. */
export const OP = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  try: 0x06,
  catch: 0x07,
  throw: 0x08,
  rethrow: 0x09,
  throwRef: 0x0a,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  callRef: 0x14,
  returnCallRef: 0x15,
  delegate: 0x18,
  catchAll: 0x19,
  drop: 0x1a,
  select: 0x1b,
  selectT: 0x1c,
  tryTable: 0x1f,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  tableGet: 0x25,
  tableSet: 0x26,
  i32Load: 0x28,
  i64Load: 0x29,
  f32Load: 0x2a,
  f64Load: 0x2b,
  i32Load8U: 0x2d,
  i32Load16U: 0x2f,
  i32Store: 0x36,
  i64Store: 0x37,
  f32Store: 0x38,
  f64Store: 0x39,
  i32Store8: 0x3a,
  i32Store16: 0x3b,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i32Eqz: 0x45,
  i32Eq: 0x46,
  i32Ne: 0x47,
  i32LtU: 0x49,
  i32GtU: 0x4b,
  i32LeU: 0x4d,
  i32GeU: 0x4f,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Mul: 0x6c,
  i32And: 0x71,
  i32Or: 0x72,
  i32Shl: 0x74,
  i32ShrU: 0x76,
  i32WrapI64: 0xa7,
  i64ExtendI32S: 0xac,
  i64ExtendI32U: 0xad,
  refNull: 0xd0,
  refIsNull: 0xd1,
  refFunc: 0xd2,
  refAsNonNull: 0xd4,
  brOnNull: 0xd5,
  brOnNonNull: 0xd6,
  memoryInit: 0xfc008,
  dataDrop: 0xfc009,
  memoryCopy: 0xfc00a,
  memoryFill: 0xfc00b,
  tableInit: 0xfc00c,
  elemDrop: 0xfc00d,
  tableCopy: 0xfc00e,
  tableGrow: 0xfc00f,
  tableSize: 0xfc010,
  tableFill: 0xfc011,
  v128Load: 0xfd000,
  v128Store: 0xfd00b,
  v128Const: 0xfd00c,
  atomicWait32: 0xfe001,
  atomicWait64: 0xfe002,
} as const;

/** What follows an opcode: m memarg, M memarg and lane, l lane, x one index, X two indices, i/I/f/d/v constants, 0 a zero byte, t types. */
export type Immediate = "" | "m" | "M" | "l" | "x" | "X" | "i" | "I" | "f" | "d" | "v" | "0";

export interface Instruction {
  readonly imm: Immediate;
  readonly pops: readonly ValueType[];
  readonly pushes: readonly ValueType[];
}

const LETTER: Readonly<Record<string, ValueType>> = { i: I32, l: I64, f: F32, d: F64, v: V128 };
const table = new Map<number, Instruction>();

/** Adds instructions first…last with signature "pops:pushes" (i i32, l i64, f f32, d f64, v v128). */
function rows(first: number, last: number, signature: string, imm: Immediate = ""): void {
  const [pops = "", pushes = ""] = signature.split(":");
  const types = (letters: string): ValueType[] => [...letters].map((letter) => LETTER[letter] as ValueType);
  const row: Instruction = { imm, pops: types(pops), pushes: types(pushes) };
  for (let op = first; op <= last; op++) table.set(op, row);
}

function scalarRows(): void {
  rows(0x01, 0x01, ":");
  for (const [op, sig] of [
    [0x28, "i:i"],
    [0x29, "i:l"],
    [0x2a, "i:f"],
    [0x2b, "i:d"],
  ] as const)
    rows(op, op, sig, "m");
  rows(0x2c, 0x2f, "i:i", "m");
  rows(0x30, 0x35, "i:l", "m");
  for (const [op, sig] of [
    [0x36, "ii:"],
    [0x37, "il:"],
    [0x38, "if:"],
    [0x39, "id:"],
  ] as const)
    rows(op, op, sig, "m");
  rows(0x3a, 0x3b, "ii:", "m");
  rows(0x3c, 0x3e, "il:", "m");
  rows(0x3f, 0x3f, ":i", "x");
  rows(0x40, 0x40, "i:i", "x");
  rows(0x41, 0x41, ":i", "i");
  rows(0x42, 0x42, ":l", "I");
  rows(0x43, 0x43, ":f", "f");
  rows(0x44, 0x44, ":d", "d");
  const numeric: readonly (readonly [number, number, string])[] = [
    [0x45, 0x45, "i:i"],
    [0x46, 0x4f, "ii:i"],
    [0x50, 0x50, "l:i"],
    [0x51, 0x5a, "ll:i"],
    [0x5b, 0x60, "ff:i"],
    [0x61, 0x66, "dd:i"],
    [0x67, 0x69, "i:i"],
    [0x6a, 0x78, "ii:i"],
    [0x79, 0x7b, "l:l"],
    [0x7c, 0x8a, "ll:l"],
    [0x8b, 0x91, "f:f"],
    [0x92, 0x98, "ff:f"],
    [0x99, 0x9f, "d:d"],
    [0xa0, 0xa6, "dd:d"],
    [0xa7, 0xa7, "l:i"],
    [0xa8, 0xa9, "f:i"],
    [0xaa, 0xab, "d:i"],
    [0xac, 0xad, "i:l"],
    [0xae, 0xaf, "f:l"],
    [0xb0, 0xb1, "d:l"],
    [0xb2, 0xb3, "i:f"],
    [0xb4, 0xb5, "l:f"],
    [0xb6, 0xb6, "d:f"],
    [0xb7, 0xb8, "i:d"],
    [0xb9, 0xba, "l:d"],
    [0xbb, 0xbb, "f:d"],
    [0xbc, 0xbc, "f:i"],
    [0xbd, 0xbd, "d:l"],
    [0xbe, 0xbe, "i:f"],
    [0xbf, 0xbf, "l:d"],
    [0xc0, 0xc1, "i:i"],
    [0xc2, 0xc4, "l:l"],
  ];
  for (const [first, last, signature] of numeric) rows(first, last, signature);
}

function bulkRows(): void {
  const P = 0xfc000;
  rows(P + 0, P + 1, "f:i");
  rows(P + 2, P + 3, "d:i");
  rows(P + 4, P + 5, "f:l");
  rows(P + 6, P + 7, "d:l");
  rows(P + 0x08, P + 0x08, "iii:", "X");
  rows(P + 0x09, P + 0x09, ":", "x");
  rows(P + 0x0a, P + 0x0a, "iii:", "X");
  rows(P + 0x0b, P + 0x0b, "iii:", "x");
  rows(P + 0x0c, P + 0x0c, "iii:", "X");
  rows(P + 0x0d, P + 0x0d, ":", "x");
  rows(P + 0x0e, P + 0x0e, "iii:", "X");
  rows(P + 0x10, P + 0x10, ":i", "x");
  rows(P + 0x13, P + 0x14, "llll:ll");
  rows(P + 0x15, P + 0x16, "ll:ll");
}

function simdRows(): void {
  const P = 0xfd000;
  const row = (first: number, last: number, sig: string, imm: Immediate = ""): void =>
    rows(P + first, P + last, sig, imm);
  row(0, 10, "i:v", "m");
  row(11, 11, "iv:", "m");
  row(12, 12, ":v", "v");
  row(13, 13, "vv:v", "v");
  row(14, 14, "vv:v");
  row(15, 17, "i:v");
  for (const [op, sig] of [
    [18, "l:v"],
    [19, "f:v"],
    [20, "d:v"],
  ] as const)
    row(op, op, sig);
  const lanes: readonly (readonly [number, string])[] = [
    [21, "v:i"],
    [22, "v:i"],
    [23, "vi:v"],
    [24, "v:i"],
    [25, "v:i"],
    [26, "vi:v"],
    [27, "v:i"],
    [28, "vi:v"],
    [29, "v:l"],
    [30, "vl:v"],
    [31, "v:f"],
    [32, "vf:v"],
    [33, "v:d"],
    [34, "vd:v"],
  ];
  for (const [op, sig] of lanes) row(op, op, sig, "l");
  row(35, 76, "vv:v");
  row(77, 77, "v:v");
  row(78, 81, "vv:v");
  row(82, 82, "vvv:v");
  row(83, 83, "v:i");
  row(84, 87, "iv:v", "M");
  row(88, 91, "iv:", "M");
  row(92, 93, "i:v", "m");
  // From 94 on: unary unless it stands in one of the lists below.
  const binary = new Set<number>();
  const addRange = (first: number, last: number): void => {
    for (let op = first; op <= last; op++) binary.add(op);
  };
  for (const [first, last] of [
    [101, 102],
    [110, 115],
    [118, 121],
    [123, 123],
    [130, 130],
    [133, 134],
    [142, 147],
    [149, 153],
    [155, 159],
    [174, 174],
    [177, 177],
    [181, 186],
    [188, 191],
    [206, 206],
    [209, 209],
    [213, 223],
    [228, 235],
    [240, 247],
  ] as const)
    addRange(first, last);
  const toInt = new Set([99, 100, 131, 132, 163, 164, 195, 196]);
  const shifts = new Set([107, 108, 109, 139, 140, 141, 171, 172, 173, 203, 204, 205]);
  for (let op = 94; op <= 255; op++) {
    row(op, op, toInt.has(op) ? "v:i" : shifts.has(op) ? "vi:v" : binary.has(op) ? "vv:v" : "v:v");
  }
  row(256, 256, "vv:v");
  row(257, 260, "v:v");
  row(261, 268, "vvv:v");
  row(269, 274, "vv:v");
  row(275, 275, "vvv:v");
}

function atomicRows(): void {
  const P = 0xfe000;
  rows(P, P, "ii:i", "m");
  rows(P + 1, P + 1, "iil:i", "m");
  rows(P + 2, P + 2, "ill:i", "m");
  rows(P + 3, P + 3, ":", "0");
  const seven = (first: number, int: string, long: string): void => {
    for (const [step, sig] of [int, long, int, int, long, long, long].entries())
      rows(P + first + step, P + first + step, sig, "m");
  };
  seven(0x10, "i:i", "i:l");
  seven(0x17, "ii:", "il:");
  for (const first of [0x1e, 0x25, 0x2c, 0x33, 0x3a, 0x41]) seven(first, "ii:i", "il:l");
  seven(0x48, "iii:i", "ill:l");
}

scalarRows();
bulkRows();
simdRows();
atomicRows();

/** Immediates and stack effect of an instruction that has a fixed one; undefined for control, calls, variables, references. */
export function instruction(op: number): Instruction | undefined {
  return table.get(op);
}
