/** Makers of instructions for the code that the link step adds. Each returns one node, or a list in stack order. */
import { ByteWriter } from "./bytes.ts";
import { type Func, NONE, Node } from "./module.ts";
import { OP, type ValueType } from "./opcodes.ts";

export function plain(op: number): Node {
  return new Node(op);
}

export function i32(value: number): Node {
  const node = new Node(OP.i32Const);
  const w = new ByteWriter();
  w.s32(value);
  node.imm = w.done();
  return node;
}

function indexed(op: number, index: number): Node {
  const node = new Node(op);
  node.index = index;
  return node;
}
export const localGet = (index: number): Node => indexed(OP.localGet, index);
export const localSet = (index: number): Node => indexed(OP.localSet, index);
export const localTee = (index: number): Node => indexed(OP.localTee, index);
export const globalGet = (index: number): Node => indexed(OP.globalGet, index);
export const globalSet = (index: number): Node => indexed(OP.globalSet, index);

export function call(func: Func): Node {
  const node = new Node(OP.call);
  node.func = func;
  return node;
}

export function branch(op: number, label: Node): Node {
  const node = new Node(op);
  node.label = label;
  return node;
}

export function brTable(labels: readonly Node[]): Node {
  const node = new Node(OP.brTable);
  node.labels = labels;
  return node;
}

export function block(body: Node[], results: readonly ValueType[] = NONE, op: number = OP.block): Node {
  const node = new Node(op);
  node.body = body;
  node.results = results;
  return node;
}

export function ifThen(body: Node[], orElse?: Node[], results: readonly ValueType[] = NONE): Node {
  const node = block(body, results, OP.if);
  node.orElse = orElse;
  return node;
}

/** Marks an `if` or `br_if` as hardly ever taken: the engine keeps what it does out of the way. */
export function unlikely(node: Node): Node {
  node.hint = "unlikely";
  return node;
}
export function likely(node: Node): Node {
  node.hint = "likely";
  return node;
}

/** Load or store: memory index, constant offset; natural alignment is not claimed. */
export function access(op: number, memory: number, offset: number): Node {
  const node = new Node(op);
  const w = new ByteWriter();
  w.u32(memory === 0 ? 0 : 0x40);
  if (memory !== 0) w.u32(memory);
  w.u32(offset);
  node.imm = w.done();
  return node;
}

/** memory.copy, memory.init: two indices as they stand in the binary. */
export function bulk(op: number, first: number, second: number): Node {
  const node = new Node(op);
  const w = new ByteWriter();
  w.u32(first);
  w.u32(second);
  node.imm = w.done();
  return node;
}
