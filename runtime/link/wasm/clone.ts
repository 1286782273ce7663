/** A copy of a function or of a sequence: its own tree of instructions, with its own labels. */
import { Func, Node, type WasmModule } from "./module.ts";

/** Adds a copy to the module, under another name. */
export function cloneFunc(module: WasmModule, func: Func, name: string): Func {
  const copy = new Func(func.type, -1);
  copy.name = name;
  copy.locals = [...func.locals];
  copy.root = new Copier().node(func.root as Node);
  module.funcs.push(copy);
  return copy;
}

/** A copy of a sequence. Branches to blocks outside of it go where they went. */
export function cloneBody(body: readonly Node[]): Node[] {
  const copier = new Copier();
  return body.map((node) => copier.node(node));
}

class Copier {
  private readonly made = new Map<Node, Node>();

  node(node: Node): Node {
    const copy = new Node(node.op, node.at);
    this.made.set(node, copy);
    copy.imm = node.imm;
    copy.index = node.index;
    copy.func = node.func;
    copy.params = node.params;
    copy.results = node.results;
    copy.hint = node.hint;
    // A branch comes after the block that it names, so its copy is there.
    copy.label = node.label && this.label(node.label);
    copy.labels = node.labels?.map((label) => this.label(label));
    copy.catches = node.catches?.map((clause) => ({ ...clause, label: this.label(clause.label) }));
    copy.body = node.body?.map((child) => this.node(child));
    copy.orElse = node.orElse?.map((child) => this.node(child));
    return copy;
  }

  private label(label: Node): Node {
    return this.made.get(label) ?? label;
  }
}
