/**
 * Who may call whom, and so who may be suspended.
 *
 * An indirect call may reach every function of its type that is in a table or whose reference is taken.
 */
import type { Func, Node, WasmModule } from "./wasm/module.ts";
import { OP } from "./wasm/opcodes.ts";

export function walk(body: readonly Node[], visit: (node: Node) => void, skip?: (block: Node) => boolean): void {
  for (const node of body) {
    visit(node);
    if (skip !== undefined && node.body !== undefined && skip(node)) continue;
    if (node.body !== undefined) walk(node.body, visit, skip);
    if (node.orElse !== undefined) walk(node.orElse, visit, skip);
  }
}

/** Functions that an indirect call can reach, by type. Types are compared by structure. */
function tableFunctions(module: WasmModule): Map<string, Set<Func>> {
  const byType = new Map<string, Set<Func>>();
  const add = (func: Func): void => {
    const key = typeKey(module, func.type);
    let set = byType.get(key);
    if (set === undefined) byType.set(key, (set = new Set()));
    set.add(func);
  };
  const addReferences = (nodes: readonly Node[]): void =>
    walk(nodes, (node) => {
      if (node.op === OP.refFunc && node.func !== undefined) add(node.func);
    });
  for (const element of module.elements) {
    element.funcs?.forEach(add);
    element.exprs?.forEach(addReferences);
  }
  for (const global of module.globals) addReferences(global.init);
  for (const table of module.tables) if (table.init !== undefined) addReferences(table.init);
  for (const func of module.funcs) if (func.root?.body !== undefined) addReferences(func.root.body);
  return byType;
}

function typeKey(module: WasmModule, index: number): string {
  const type = module.types[index];
  return type === undefined ? "" : `${type.params.join()}:${type.results.join()}`;
}

/**
 * @param skip  blocks whose contents do not count
 * @returns for a function, the functions that its body may call
 */
export function callTargets(module: WasmModule, skip: (block: Node) => boolean = () => false): (func: Func) => Set<Func> {
  const byType = tableFunctions(module);
  const cache = new Map<Func, Set<Func>>();
  return (func) => {
    const known = cache.get(func);
    if (known !== undefined) return known;
    const targets = new Set<Func>();
    if (func.root?.body !== undefined) {
      walk(func.root.body, (node) => {
        if (node.op === OP.call || node.op === OP.returnCall) targets.add(node.func as Func);
        else if (node.op === OP.callIndirect || node.op === OP.returnCallIndirect) {
          for (const target of byType.get(typeKey(module, node.index)) ?? []) targets.add(target);
        }
      }, skip);
    }
    cache.set(func, targets);
    return targets;
  };
}

export interface Suspendable {
  /** Functions with a call that may suspend; the leaves themselves are not among them. */
  readonly funcs: ReadonlySet<Func>;
  /** Whether this call may suspend. */
  readonly call: (node: Node) => boolean;
}

/** @param leaves functions that begin a suspension: stubs of blocking routines and the poll */
export function suspendable(module: WasmModule, leaves: ReadonlySet<Func>): Suspendable {
  const targets = callTargets(module);
  const callers = new Map<Func, Func[]>();
  for (const func of module.funcs) {
    for (const target of targets(func)) {
      const list = callers.get(target);
      if (list === undefined) callers.set(target, [func]);
      else list.push(func);
    }
  }
  const funcs = new Set<Func>();
  const open: Func[] = [...leaves];
  for (let func = open.pop(); func !== undefined; func = open.pop()) {
    for (const caller of callers.get(func) ?? []) {
      if (funcs.has(caller) || leaves.has(caller)) continue;
      funcs.add(caller);
      open.push(caller);
    }
  }
  const may = (func: Func): boolean => funcs.has(func) || leaves.has(func);
  const indirect = new Set<string>();
  for (const [key, set] of tableFunctions(module)) if ([...set].some(may)) indirect.add(key);
  const call = (node: Node): boolean => {
    if (node.op === OP.call || node.op === OP.returnCall) return may(node.func as Func);
    if (node.op === OP.callIndirect || node.op === OP.returnCallIndirect)
      return indirect.has(typeKey(module, node.index));
    return false;
  };
  return { funcs, call };
}
