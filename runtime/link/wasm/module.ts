/**
 * A wasm module as the link step works on it: sections as lists, functions as trees of instructions.
 *
 * Owns: the shape. References between parts are object references, never indices into lists that a pass may
 * lengthen in the middle: functions, blocks and branch targets are objects; types, globals, tables, memories, data
 * and element segments are numbered, and passes only append to them.
 */
import { F32, F64, I32, I64, V128, type ValueType } from "./opcodes.ts";

export interface FuncType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** Catch clause of a try_table: kind 0 catch, 1 catch_ref, 2 catch_all, 3 catch_all_ref. */
export interface Catch {
  readonly kind: number;
  readonly tag: number;
  readonly label: Node;
}

/** One instruction. Which fields count depends on `op`; all exist on every node, so that nodes have one shape. */
export class Node {
  op: number;
  /** Byte offset in the original file; 0 if the link step made it. */
  at: number;
  /** Immediates as they stand in the file, for instructions that are copied. */
  imm: Uint8Array | undefined = undefined;
  /** Local, global, type, table, memory or tag. */
  index = 0;
  func: Func | undefined = undefined;
  /** br, br_if: the block, loop, if or function body that the branch leaves or repeats; br_table: all, default last. */
  label: Node | undefined = undefined;
  labels: readonly Node[] | undefined = undefined;
  /** Block-like instructions. */
  params: readonly ValueType[] = NONE;
  results: readonly ValueType[] = NONE;
  body: Node[] | undefined = undefined;
  orElse: Node[] | undefined = undefined;
  catches: readonly Catch[] | undefined = undefined;
  /** if, br_if made by the link step: whether the branch is expected to be taken (branch hinting proposal). */
  hint: "none" | "unlikely" | "likely" = "none";

  constructor(op: number, at = 0) {
    this.op = op;
    this.at = at;
  }
}
export const NONE: readonly never[] = [];

export class Func {
  type: number;
  /** Set for an imported function. */
  imported: { readonly module: string; readonly name: string } | undefined = undefined;
  name: string | undefined = undefined;
  /** Locals after the parameters. */
  locals: ValueType[] = [];
  /** The body is the body of this block-like node, whose label is the function's own. Unset for an import. */
  root: Node | undefined = undefined;
  /** Number in the original file, -1 if the link step made it. */
  original: number;
  /** Number in the linked file; set by the encoder. */
  index = -1;

  constructor(type: number, original: number) {
    this.type = type;
    this.original = original;
  }
}

export interface Limits {
  readonly min: number;
  readonly max: number | undefined;
  readonly shared: boolean;
}
export interface Table {
  readonly type: ValueType;
  readonly limits: Limits;
  /** Initial value of a table that has one. */
  readonly init: Node[] | undefined;
}
export interface Memory {
  limits: Limits;
  imported: { readonly module: string; readonly name: string } | undefined;
}
export interface Global {
  readonly type: ValueType;
  readonly mutable: boolean;
  readonly init: Node[];
  name: string | undefined;
}
export interface Export {
  readonly name: string;
  readonly kind: "func" | "table" | "memory" | "global" | "tag";
  readonly func: Func | undefined;
  readonly index: number;
}
export interface Element {
  mode: "active" | "passive" | "declared";
  readonly table: number;
  readonly offset: Node[];
  readonly type: ValueType;
  /** Functions, or one expression each. */
  readonly funcs: Func[] | undefined;
  readonly exprs: Node[][] | undefined;
}
export interface Data {
  mode: "active" | "passive";
  readonly memory: number;
  readonly offset: Node[];
  readonly bytes: Uint8Array;
}
export interface Custom {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export class WasmModule {
  types: FuncType[] = [];
  /** Imports first. */
  funcs: Func[] = [];
  tables: Table[] = [];
  memories: Memory[] = [];
  /** Types of exception tags. */
  tags: number[] = [];
  globals: Global[] = [];
  exports: Export[] = [];
  start: Func | undefined = undefined;
  elements: Element[] = [];
  data: Data[] = [];
  customs: Custom[] = [];
  /** Where the contents of the code section begin in the original file: what DWARF counts from. */
  codeAt = 0;
  /** Whether any body names a data segment (then a data count section is needed). */
  needsDataCount = false;

  typeIndex(params: readonly ValueType[], results: readonly ValueType[]): number {
    const same = (a: readonly ValueType[], b: readonly ValueType[]): boolean =>
      a.length === b.length && a.every((type, i) => type === b[i]);
    const found = this.types.findIndex((type) => same(type.params, params) && same(type.results, results));
    if (found >= 0) return found;
    this.types.push({ params, results });
    return this.types.length - 1;
  }

  typeOf(func: Func): FuncType {
    return this.types[func.type] as FuncType;
  }

  /** Adds a function of the link step's own. */
  addFunc(name: string, params: readonly ValueType[], results: readonly ValueType[]): Func {
    const func = new Func(this.typeIndex(params, results), -1);
    func.name = name;
    func.root = new Node(0x02);
    func.root.body = [];
    func.root.results = results;
    this.funcs.push(func);
    return func;
  }

  addImport(module: string, name: string, params: readonly ValueType[], results: readonly ValueType[]): Func {
    const func = new Func(this.typeIndex(params, results), -1);
    func.imported = { module, name };
    func.name = name;
    const first = this.funcs.findIndex((other) => other.imported === undefined);
    this.funcs.splice(first < 0 ? this.funcs.length : first, 0, func);
    return func;
  }

  addGlobal(name: string, type: ValueType, init: Node[]): number {
    this.globals.push({ type, mutable: true, init, name });
    return this.globals.length - 1;
  }
}

const TYPE_NAME: Readonly<Record<number, string>> = {
  [I32]: "i32",
  [I64]: "i64",
  [F32]: "f32",
  [F64]: "f64",
  [V128]: "v128",
  112: "funcref",
  111: "externref",
  105: "exnref",
};
function typeText(type: ValueType): string {
  return TYPE_NAME[type] ?? `type 0x${type.toString(16)}`;
}
export function funcTypeText(type: FuncType): string {
  return `(${type.params.map(typeText).join(" ")}) -> (${type.results.map(typeText).join(" ")})`;
}
