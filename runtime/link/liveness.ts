/**
 * Which locals are still needed after each call that may suspend: only those go into an unwind frame.
 *
 * Backward data flow over the tree of instructions; loops are repeated until nothing changes.
 */
import type { Node } from "./wasm/module.ts";
import { OP } from "./wasm/opcodes.ts";
import { endsSequence } from "./wasm/parse.ts";

/** A set of local indices. */
export class LocalSet {
  readonly words: Uint32Array;

  constructor(words: Uint32Array) {
    this.words = words;
  }
  static empty(locals: number): LocalSet {
    return new LocalSet(new Uint32Array((locals + 31) >>> 5));
  }
  copy(): LocalSet {
    return new LocalSet(this.words.slice());
  }
  has(local: number): boolean {
    return ((this.words[local >>> 5] as number) & (1 << (local & 31))) !== 0;
  }
  add(local: number): void {
    this.words[local >>> 5] = (this.words[local >>> 5] as number) | (1 << (local & 31));
  }
  remove(local: number): void {
    this.words[local >>> 5] = (this.words[local >>> 5] as number) & ~(1 << (local & 31));
  }
  become(other: LocalSet): void {
    this.words.set(other.words);
  }
  clear(): void {
    this.words.fill(0);
  }
  /** @returns whether anything was new */
  addAll(other: LocalSet): boolean {
    let grown = 0;
    for (let i = 0; i < this.words.length; i++) {
      const before = this.words[i] as number;
      const after = before | (other.words[i] as number);
      this.words[i] = after;
      grown |= before ^ after;
    }
    return grown !== 0;
  }
}

/** @returns the locals live after each node that `wanted` names */
export function liveAfter(root: Node, locals: number, wanted: (node: Node) => boolean): Map<Node, LocalSet> {
  const flow = new Flow(locals, wanted);
  const live = LocalSet.empty(locals);
  flow.labels.set(root, LocalSet.empty(locals));
  flow.sequence(root.body as Node[], live);
  return flow.found;
}

class Flow {
  readonly found = new Map<Node, LocalSet>();
  /** Live where a branch to the label arrives: after a block, at the head of a loop. */
  readonly labels = new Map<Node, LocalSet>();
  private readonly locals: number;
  private readonly wanted: (node: Node) => boolean;

  constructor(locals: number, wanted: (node: Node) => boolean) {
    this.locals = locals;
    this.wanted = wanted;
  }

  /** @param live  in: live after the sequence; out: live before it */
  sequence(nodes: readonly Node[], live: LocalSet): void {
    for (let i = nodes.length - 1; i >= 0; i--) this.node(nodes[i] as Node, live);
  }

  private node(node: Node, live: LocalSet): void {
    if (this.wanted(node)) this.found.set(node, live.copy());
    switch (node.op) {
      case OP.localGet:
        return live.add(node.index);
      case OP.localSet:
      case OP.localTee:
        return live.remove(node.index);
      case OP.br:
        return live.become(this.labels.get(node.label as Node) as LocalSet);
      case OP.brIf:
        live.addAll(this.labels.get(node.label as Node) as LocalSet);
        return;
      case OP.brTable:
        live.clear();
        for (const label of node.labels as readonly Node[]) live.addAll(this.labels.get(label) as LocalSet);
        return;
      case OP.block:
      case OP.tryTable:
        return this.block(node, live);
      case OP.loop:
        return this.loop(node, live);
      case OP.if:
        return this.ifElse(node, live);
      default:
        if (endsSequence(node.op)) live.clear();
      // Anything in a try block may leave through its catch clauses: see block().
    }
  }

  private block(node: Node, live: LocalSet): void {
    this.labels.set(node, live.copy());
    this.sequence(node.body as Node[], live);
    // A handler may run after any part of the body: what it needs is live all through, here approximated at the
    // head; resumable calls in the body add it too (keepForHandlers).
    for (const clause of node.catches ?? []) {
      const handler = this.labels.get(clause.label) as LocalSet;
      live.addAll(handler);
      this.keepForHandlers(node.body as Node[], handler);
    }
  }

  private keepForHandlers(nodes: readonly Node[], handler: LocalSet): void {
    for (const node of nodes) {
      this.found.get(node)?.addAll(handler);
      if (node.body !== undefined) this.keepForHandlers(node.body, handler);
      if (node.orElse !== undefined) this.keepForHandlers(node.orElse, handler);
    }
  }

  private loop(node: Node, live: LocalSet): void {
    let head = this.labels.get(node);
    if (head === undefined) {
      head = LocalSet.empty(this.locals);
      this.labels.set(node, head);
    }
    const after = live.copy();
    do {
      live.become(after);
      this.sequence(node.body as Node[], live);
    } while (head.addAll(live));
  }

  private ifElse(node: Node, live: LocalSet): void {
    this.labels.set(node, live.copy());
    const otherwise = live.copy();
    this.sequence(node.body as Node[], live);
    if (node.orElse !== undefined) this.sequence(node.orElse, otherwise);
    live.addAll(otherwise);
  }
}
