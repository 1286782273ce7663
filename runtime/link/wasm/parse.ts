/**
 * Reads a wasm binary into a WasmModule.
 *
 * Expects a module that WebAssembly.validate accepted; refuses what the link step has no shape for by `Unsupported`.
 */
import { ByteReader, WasmFormatError } from "./bytes.ts";
import {
  type Catch,
  type Data,
  type Element,
  type Export,
  Func,
  type Limits,
  NONE,
  Node,
  WasmModule,
} from "./module.ts";
import {
  EXNREF,
  EXTERNREF,
  F32,
  F64,
  FUNCREF,
  I32,
  I64,
  instruction,
  OP,
  V128,
  type ValueType,
} from "./opcodes.ts";

/** Valid WebAssembly, but nothing that can be made migratable: `why` completes "it uses …". */
export class Unsupported extends Error {
  readonly why: string;
  constructor(why: string) {
    super(why);
    this.name = "Unsupported";
    this.why = why;
  }
}

const GC = "it uses typed references or garbage-collected objects";

export function parseModule(bytes: Uint8Array): WasmModule {
  const module = new WasmModule();
  const reader = new ByteReader(bytes, 8);
  const functionTypes: number[] = [];
  while (!reader.done) {
    const id = reader.u8();
    const part = reader.part(reader.u32());
    if (id === 0) module.customs.push({ name: part.name(), bytes: part.take(part.end - part.at) });
    else readSection(module, id, part, functionTypes);
  }
  return module;
}

function readSection(module: WasmModule, id: number, r: ByteReader, functionTypes: number[]): void {
  switch (id) {
    case 1:
      return repeat(r, () => readType(module, r));
    case 2:
      return repeat(r, () => readImport(module, r));
    case 3:
      return repeat(r, () => {
        const func = new Func(r.u32(), module.funcs.length);
        functionTypes.push(func.type);
        module.funcs.push(func);
      });
    case 4:
      return repeat(r, () => readTable(module, r));
    case 5:
      return repeat(r, () => module.memories.push({ limits: readLimits(r), imported: undefined }));
    case 6:
      return repeat(r, () => {
        const type = readValueType(r);
        const mutable = r.u8() === 1;
        module.globals.push({ type, mutable, init: readExpression(module, r), name: undefined });
      });
    case 7:
      return repeat(r, () => module.exports.push(readExport(module, r)));
    case 8:
      module.start = module.funcs[r.u32()];
      return;
    case 9:
      return repeat(r, () => module.elements.push(readElement(module, r)));
    case 10:
      return readCode(module, r);
    case 11:
      return repeat(r, () => module.data.push(readData(module, r)));
    case 12:
      module.needsDataCount = true;
      return;
    case 13:
      return repeat(r, () => {
        r.u8();
        module.tags.push(r.u32());
      });
    default:
      throw new WasmFormatError(`unknown section ${id}`, r.at);
  }
}

function repeat(r: ByteReader, each: () => unknown): void {
  for (let count = r.u32(); count > 0; count--) each();
}

function readValueType(r: ByteReader): ValueType {
  const type = r.u8();
  switch (type) {
    case I32:
    case I64:
    case F32:
    case F64:
    case V128:
    case FUNCREF:
    case EXTERNREF:
    case EXNREF:
      return type;
    default:
      throw new Unsupported(GC);
  }
}

function readTypes(r: ByteReader): ValueType[] {
  const types: ValueType[] = [];
  repeat(r, () => types.push(readValueType(r)));
  return types;
}

function readType(module: WasmModule, r: ByteReader): void {
  if (r.u8() !== 0x60) throw new Unsupported(GC);
  const params = readTypes(r);
  module.types.push({ params, results: readTypes(r) });
}

function readLimits(r: ByteReader): Limits {
  const flags = r.u8();
  if (flags & 4) throw new Unsupported("it has a 64-bit memory or table");
  if (flags & 8) throw new Unsupported("it has a memory with pages of another size");
  const min = r.u32();
  return { min, max: flags & 1 ? r.u32() : undefined, shared: (flags & 2) !== 0 };
}

function readTable(module: WasmModule, r: ByteReader): void {
  if (r.bytes[r.at] === 0x40) {
    r.skip(2);
    const type = readValueType(r);
    const limits = readLimits(r);
    module.tables.push({ type, limits, init: readExpression(module, r) });
  } else {
    const type = readValueType(r);
    module.tables.push({ type, limits: readLimits(r), init: undefined });
  }
}

function readImport(module: WasmModule, r: ByteReader): void {
  const from = r.name();
  const name = r.name();
  const kind = r.u8();
  if (kind !== 0) {
    const what = ["", "a table", "a memory", "a global", "an exception tag"][kind] ?? "something";
    throw new Unsupported(`it imports ${what} (${from}.${name})`);
  }
  const func = new Func(r.u32(), module.funcs.length);
  func.imported = { module: from, name };
  module.funcs.push(func);
}

function readExport(module: WasmModule, r: ByteReader): Export {
  const name = r.name();
  const kind = (["func", "table", "memory", "global", "tag"] as const)[r.u8()];
  const index = r.u32();
  if (kind === undefined) throw new WasmFormatError("unknown kind of export", r.at);
  return { name, kind, index, func: kind === "func" ? funcAt(module, index) : undefined };
}

function funcAt(module: WasmModule, index: number): Func {
  const func = module.funcs[index];
  if (func === undefined) throw new WasmFormatError(`no function ${index}`, 0);
  return func;
}

function readElement(module: WasmModule, r: ByteReader): Element {
  const flags = r.u32();
  const mode = flags & 1 ? (flags & 2 ? "declared" : "passive") : "active";
  const table = mode === "active" && flags & 2 ? r.u32() : 0;
  const offset = mode === "active" ? readExpression(module, r) : [];
  const expressions = (flags & 4) !== 0;
  let type: ValueType = FUNCREF;
  if (flags & 3) {
    if (expressions) type = readValueType(r);
    else r.u8();
  }
  if (expressions) {
    const exprs: Node[][] = [];
    repeat(r, () => exprs.push(readExpression(module, r)));
    return { mode, table, offset, type, funcs: undefined, exprs };
  }
  const funcs: Func[] = [];
  repeat(r, () => funcs.push(funcAt(module, r.u32())));
  return { mode, table, offset, type, funcs, exprs: undefined };
}

function readData(module: WasmModule, r: ByteReader): Data {
  const flags = r.u32();
  const mode = flags & 1 ? "passive" : "active";
  const memory = flags === 2 ? r.u32() : 0;
  const offset = mode === "active" ? readExpression(module, r) : [];
  return { mode, memory, offset, bytes: r.take(r.u32()) };
}

function readExpression(module: WasmModule, r: ByteReader): Node[] {
  const root = new Node(OP.block);
  root.body = [];
  new BodyReader(module, r, root).sequence(root.body);
  return root.body;
}

function readCode(module: WasmModule, r: ByteReader): void {
  module.codeAt = r.at;
  const defined = module.funcs.filter((func) => func.imported === undefined);
  let next = 0;
  repeat(r, () => {
    const func = defined[next++] as Func;
    const body = r.part(r.u32());
    repeat(body, () => {
      const count = body.u32();
      const type = readValueType(body);
      if (count > 50_000 - func.locals.length) throw new WasmFormatError("too many locals", body.at);
      for (let i = 0; i < count; i++) func.locals.push(type);
    });
    const root = new Node(OP.block, body.at);
    root.results = module.typeOf(func).results;
    root.body = [];
    func.root = root;
    new BodyReader(module, body, root).sequence(root.body);
  });
}

/** Reads instructions up to the `end` that closes the sequence; code that cannot be reached is left out. */
class BodyReader {
  private readonly module: WasmModule;
  private readonly r: ByteReader;
  private readonly labels: Node[];

  constructor(module: WasmModule, r: ByteReader, root: Node) {
    this.module = module;
    this.r = r;
    this.labels = [root];
  }

  /** @returns the opcode that ended the sequence: end or else */
  sequence(out: Node[]): number {
    let dead = false;
    for (;;) {
      const at = this.r.at;
      let op = this.r.u8();
      if (op === OP.end || op === OP.else) return op;
      if (op >= 0xfb && op <= 0xfe) op = op * 0x1000 + this.r.u32();
      const node = this.node(op, at);
      if (dead) continue;
      out.push(node);
      dead = endsSequence(op);
    }
  }

  private node(op: number, at: number): Node {
    const node = new Node(op, at);
    const fixed = instruction(op);
    if (fixed !== undefined) {
      const from = this.r.at;
      this.skipImmediate(fixed.imm);
      if (this.r.at > from) node.imm = this.r.bytes.subarray(from, this.r.at);
      return node;
    }
    if (!this.control(node) && !this.variable(node)) {
      if (op === 0x06 || op === 0x07 || op === 0x09 || op === 0x18 || op === 0x19) {
        throw new Unsupported(
          "it uses the old form of WebAssembly exceptions (try/catch instead of try_table)",
        );
      }
      throw new Unsupported(
        op >= 0xfb000 && op < 0xfc000
          ? GC
          : `it uses instruction 0x${op.toString(16)}, unknown to the link step`,
      );
    }
    return node;
  }

  private skipImmediate(imm: string): void {
    const r = this.r;
    switch (imm) {
      case "":
        return;
      case "m":
      case "M": {
        const align = r.u32();
        if (align & 0x40) r.skipLeb(5);
        r.skipLeb(10);
        if (imm === "M") r.skip(1);
        return;
      }
      case "l":
      case "0":
        return r.skip(1);
      case "x":
        return r.skipLeb(5);
      case "X":
        r.skipLeb(5);
        return r.skipLeb(5);
      case "i":
        return r.skipLeb(5);
      case "I":
        return r.skipLeb(10);
      case "f":
        return r.skip(4);
      case "d":
        return r.skip(8);
      case "v":
        return r.skip(16);
    }
  }

  private control(node: Node): boolean {
    const r = this.r;
    switch (node.op) {
      case OP.unreachable:
      case OP.return:
      case OP.throwRef:
        return true;
      case OP.block:
      case OP.loop:
      case OP.if:
      case OP.tryTable:
        this.block(node);
        return true;
      case OP.br:
      case OP.brIf:
        node.label = this.target(r.u32());
        return true;
      case OP.brTable: {
        const labels: Node[] = [];
        repeat(r, () => labels.push(this.target(r.u32())));
        labels.push(this.target(r.u32()));
        node.labels = labels;
        return true;
      }
      case OP.call:
      case OP.returnCall:
        node.func = funcAt(this.module, r.u32());
        return true;
      case OP.callIndirect:
      case OP.returnCallIndirect:
        node.index = r.u32();
        node.imm = Uint8Array.of(...leb(r.u32()));
        return true;
      case OP.throw:
        node.index = r.u32();
        return true;
      default:
        return false;
    }
  }

  private variable(node: Node): boolean {
    const r = this.r;
    switch (node.op) {
      case OP.drop:
      case OP.select:
      case OP.refIsNull:
        return true;
      case OP.selectT:
        node.params = readTypes(r);
        return true;
      case OP.localGet:
      case OP.localSet:
      case OP.localTee:
      case OP.globalGet:
      case OP.globalSet:
      case OP.tableGet:
      case OP.tableSet:
      case OP.tableGrow:
      case OP.tableFill:
        node.index = r.u32();
        return true;
      case OP.refNull:
        node.index = readValueType(r);
        return true;
      case OP.refFunc:
        node.func = funcAt(this.module, r.u32());
        return true;
      default:
        return false;
    }
  }

  private target(depth: number): Node {
    const label = this.labels[this.labels.length - 1 - depth];
    if (label === undefined) throw new WasmFormatError("branch out of the function", this.r.at);
    return label;
  }

  private block(node: Node): void {
    const type = this.r.s33();
    if (type >= 0) {
      const signature = this.module.types[type];
      if (signature === undefined) throw new WasmFormatError(`no type ${type}`, this.r.at);
      node.params = signature.params;
      node.results = signature.results;
    } else if (type !== -64) {
      node.results = [type + 128];
    } else {
      node.results = NONE;
    }
    if (node.op === OP.tryTable) node.catches = this.catchClauses();
    node.body = [];
    this.labels.push(node);
    if (this.sequence(node.body) === OP.else) {
      node.orElse = [];
      this.sequence(node.orElse);
    }
    this.labels.pop();
  }

  private catchClauses(): Catch[] {
    const clauses: Catch[] = [];
    repeat(this.r, () => {
      const kind = this.r.u8();
      const tag = kind < 2 ? this.r.u32() : -1;
      clauses.push({ kind, tag, label: this.target(this.r.u32()) });
    });
    return clauses;
  }
}

function leb(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) out.push((rest & 0x7f) | 0x80);
  out.push(rest);
  return out;
}

/** After these the rest of a sequence cannot be reached. */
export function endsSequence(op: number): boolean {
  switch (op) {
    case OP.unreachable:
    case OP.br:
    case OP.brTable:
    case OP.return:
    case OP.returnCall:
    case OP.returnCallIndirect:
    case OP.throw:
    case OP.throwRef:
      return true;
    default:
      return false;
  }
}
