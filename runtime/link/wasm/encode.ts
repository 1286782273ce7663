/**
 * Writes a WasmModule as a wasm binary, and says for each piece of code where it came from.
 */
import { ByteWriter } from "./bytes.ts";
import type { Element, Func, Limits, Node, WasmModule } from "./module.ts";
import { FUNCREF, OP, type ValueType } from "./opcodes.ts";

export interface Encoded {
  readonly wasm: Uint8Array;
  /** Stretches of code: [offset in this file, offset in the original file or 0], ascending. */
  readonly offsets: (readonly [number, number])[];
}

const EXPORT_KIND = { func: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;

export function encodeModule(module: WasmModule): Encoded {
  for (const [index, func] of module.funcs.entries()) func.index = index;
  const code = new CodeEncoder(module);
  const bodies = code.encodeAll();
  const w = new ByteWriter();
  w.raw(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  const imports = module.funcs.filter((func) => func.imported !== undefined);
  const importedMemories = module.memories.filter((memory) => memory.imported !== undefined);
  const section = (id: number, fill: (s: ByteWriter) => void): void => {
    const s = new ByteWriter();
    fill(s);
    w.u8(id);
    w.u32(s.length);
    w.raw(s.bytes.subarray(0, s.length));
  };
  const list = <T>(id: number, items: readonly T[], each: (s: ByteWriter, item: T) => void): void => {
    if (items.length === 0) return;
    section(id, (s) => {
      s.u32(items.length);
      for (const item of items) each(s, item);
    });
  };
  list(1, module.types, (s, type) => {
    s.u8(0x60);
    writeTypes(s, type.params);
    writeTypes(s, type.results);
  });
  if (imports.length + importedMemories.length > 0) {
    section(2, (s) => {
      s.u32(imports.length + importedMemories.length);
      for (const memory of importedMemories) {
        s.name(memory.imported?.module ?? "");
        s.name(memory.imported?.name ?? "");
        s.u8(2);
        writeLimits(s, memory.limits);
      }
      for (const func of imports) {
        s.name(func.imported?.module ?? "");
        s.name(func.imported?.name ?? "");
        s.u8(0);
        s.u32(func.type);
      }
    });
  }
  list(
    3,
    module.funcs.filter((func) => func.imported === undefined),
    (s, func) => s.u32(func.type),
  );
  list(4, module.tables, (s, table) => {
    if (table.init !== undefined) s.raw(Uint8Array.of(0x40, 0));
    s.u8(table.type);
    writeLimits(s, table.limits);
    if (table.init !== undefined) code.expression(s, table.init);
  });
  list(
    5,
    module.memories.filter((memory) => memory.imported === undefined),
    (s, memory) => writeLimits(s, memory.limits),
  );
  list(13, module.tags, (s, tag) => {
    s.u8(0);
    s.u32(tag);
  });
  list(6, module.globals, (s, global) => {
    s.u8(global.type);
    s.u8(global.mutable ? 1 : 0);
    code.expression(s, global.init);
  });
  list(7, module.exports, (s, item) => {
    s.name(item.name);
    s.u8(EXPORT_KIND[item.kind]);
    s.u32(item.func === undefined ? item.index : item.func.index);
  });
  const start = module.start;
  if (start !== undefined) section(8, (s) => s.u32(start.index));
  list(9, module.elements, (s, element) => writeElement(s, element, code));
  if (module.needsDataCount) section(12, (s) => s.u32(module.data.length));
  if (code.hints.length > 0) {
    section(0, (s) => {
      s.name("metadata.code.branch_hint");
      writeHints(s, code.hints);
    });
  }
  const offsets = writeCode(w, bodies, code.offsets);
  list(11, module.data, (s, data) => {
    const passive = data.mode === "passive";
    s.u32(passive ? 1 : data.memory === 0 ? 0 : 2);
    if (!passive && data.memory !== 0) s.u32(data.memory);
    if (!passive) code.expression(s, data.offset);
    s.u32(data.bytes.length);
    s.raw(data.bytes);
  });
  for (const custom of module.customs) {
    section(0, (s) => {
      s.name(custom.name);
      s.raw(custom.bytes);
    });
  }
  return { wasm: w.done(), offsets };
}

/** Branch hints, by function: offset of the instruction in the function's body, one byte: 0 unlikely, 1 likely. */
interface Hints {
  readonly func: number;
  readonly at: (readonly [number, number])[];
}

function writeHints(s: ByteWriter, hints: readonly Hints[]): void {
  s.u32(hints.length);
  for (const { func, at } of hints) {
    s.u32(func);
    s.u32(at.length);
    for (const [offset, value] of at) {
      s.u32(offset);
      s.u32(1);
      s.u8(value);
    }
  }
}

function writeCode(w: ByteWriter, bodies: ByteWriter, raw: readonly [number, number][]): [number, number][] {
  if (bodies.length === 0) return [];
  w.u8(10);
  w.u32(bodies.length);
  const base = w.length;
  w.raw(bodies.bytes.subarray(0, bodies.length));
  return raw.map(([at, original]) => [at + base, original]);
}

function writeTypes(s: ByteWriter, types: readonly ValueType[]): void {
  s.u32(types.length);
  for (const type of types) s.u8(type);
}

function writeLimits(s: ByteWriter, limits: Limits): void {
  s.u8((limits.max === undefined ? 0 : 1) | (limits.shared ? 2 : 0));
  s.u32(limits.min);
  if (limits.max !== undefined) s.u32(limits.max);
}

function writeElement(s: ByteWriter, element: Element, code: CodeEncoder): void {
  const explicitTable = element.table !== 0 || (element.exprs !== undefined && element.type !== FUNCREF);
  let flags = element.exprs === undefined ? 0 : 4;
  if (element.mode === "passive") flags |= 1;
  else if (element.mode === "declared") flags |= 3;
  else if (explicitTable) flags |= 2;
  s.u32(flags);
  if (element.mode === "active") {
    if (explicitTable) s.u32(element.table);
    code.expression(s, element.offset);
  }
  if (flags & 3) s.u8(element.exprs === undefined ? 0 : element.type);
  if (element.exprs !== undefined) {
    s.u32(element.exprs.length);
    for (const expr of element.exprs) code.expression(s, expr);
  } else {
    const funcs = element.funcs ?? [];
    s.u32(funcs.length);
    for (const func of funcs) s.u32(func.index);
  }
}

class CodeEncoder {
  readonly offsets: [number, number][] = [];
  readonly hints: Hints[] = [];
  private hintsHere: [number, number][] = [];
  private readonly module: WasmModule;
  private readonly labels: Node[] = [];
  /** Distance original − written of the current stretch; NaN: made by the link step. */
  private distance = 0;
  private mapped = true;

  constructor(module: WasmModule) {
    this.module = module;
  }

  /** Contents of the code section. */
  encodeAll(): ByteWriter {
    const out = new ByteWriter();
    const defined = this.module.funcs.filter((func) => func.imported === undefined);
    if (defined.length === 0) return out;
    out.u32(defined.length);
    for (const func of defined) {
      const body = new ByteWriter();
      const from = this.offsets.length;
      this.hintsHere = [];
      this.body(body, func);
      if (this.hintsHere.length > 0) this.hints.push({ func: func.index, at: this.hintsHere });
      out.u32(body.length);
      for (let i = from; i < this.offsets.length; i++) {
        const pair = this.offsets[i] as [number, number];
        pair[0] += out.length;
      }
      out.raw(body.bytes.subarray(0, body.length));
    }
    return out;
  }

  private body(w: ByteWriter, func: Func): void {
    const runs: [number, ValueType][] = [];
    for (const type of func.locals) {
      const last = runs[runs.length - 1];
      if (last !== undefined && last[1] === type) last[0]++;
      else runs.push([1, type]);
    }
    w.u32(runs.length);
    for (const [count, type] of runs) {
      w.u32(count);
      w.u8(type);
    }
    this.distance = Number.NaN;
    this.offsets.push([w.length, 0]);
    this.mapped = true;
    const root = func.root as Node;
    this.labels.push(root);
    this.sequence(w, root.body as Node[]);
    this.labels.pop();
    w.u8(OP.end);
  }

  expression(w: ByteWriter, nodes: readonly Node[]): void {
    this.mapped = false;
    for (const node of nodes) this.node(w, node);
    w.u8(OP.end);
  }

  private sequence(w: ByteWriter, nodes: readonly Node[]): void {
    for (const node of nodes) this.node(w, node);
  }

  /** Begins a new stretch when the code's origin is no longer in step. */
  private mark(w: ByteWriter, at: number): void {
    if (!this.mapped) return;
    const distance = at === 0 ? Number.NaN : at - w.length;
    if (Object.is(distance, this.distance)) return;
    this.distance = distance;
    this.offsets.push([w.length, at]);
  }

  private node(w: ByteWriter, node: Node): void {
    this.mark(w, node.at);
    const op = node.op;
    if (node.hint !== "none") this.hintsHere.push([w.length, node.hint === "likely" ? 1 : 0]);
    if (op < 0x1000) w.u8(op);
    else {
      w.u8(Math.floor(op / 0x1000));
      w.u32(op % 0x1000);
    }
    if (node.body !== undefined) return this.block(w, node);
    if (node.label !== undefined) w.u32(this.depth(node.label));
    else if (node.labels !== undefined) {
      w.u32(node.labels.length - 1);
      for (const label of node.labels) w.u32(this.depth(label));
    } else if (node.func !== undefined) w.u32(node.func.index);
    else this.immediates(w, node);
  }

  private immediates(w: ByteWriter, node: Node): void {
    switch (node.op) {
      case OP.localGet:
      case OP.localSet:
      case OP.localTee:
      case OP.globalGet:
      case OP.globalSet:
      case OP.tableGet:
      case OP.tableSet:
      case OP.tableGrow:
      case OP.tableFill:
      case OP.callIndirect:
      case OP.returnCallIndirect:
      case OP.throw:
        w.u32(node.index);
        break;
      case OP.refNull:
        w.u8(node.index);
        break;
      case OP.selectT:
        writeTypes(w, node.params);
        break;
    }
    if (node.imm !== undefined) w.raw(node.imm);
  }

  private block(w: ByteWriter, node: Node): void {
    if (node.params.length === 0 && node.results.length === 0) w.u8(0x40);
    else if (node.params.length === 0 && node.results.length === 1) w.u8(node.results[0] as number);
    else w.s32(this.module.typeIndex(node.params, node.results));
    if (node.catches !== undefined) {
      w.u32(node.catches.length);
      for (const clause of node.catches) {
        w.u8(clause.kind);
        if (clause.kind < 2) w.u32(clause.tag);
        w.u32(this.depth(clause.label));
      }
    }
    this.labels.push(node);
    this.sequence(w, node.body as Node[]);
    if (node.orElse !== undefined) {
      w.u8(OP.else);
      this.sequence(w, node.orElse);
    }
    this.labels.pop();
    this.mark(w, 0);
    w.u8(OP.end);
  }

  private depth(label: Node): number {
    const at = this.labels.lastIndexOf(label);
    if (at < 0) throw new Error("bug: a branch leads out of its block");
    return this.labels.length - 1 - at;
  }
}
