/**
 * Who may call whom, and so who may be suspended.
 *
 * An indirect call may reach every function of its type that is in a table or whose reference is taken.
 */
import type { Func, Node, WasmModule } from "./wasm/module.ts";
import { OP } from "./wasm/opcodes.ts";

export function walk(
  body: readonly Node[],
  visit: (node: Node) => void,
  skip?: (block: Node) => boolean,
): void {
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
    const set = byType.get(key) ?? new Set();
    byType.set(key, set.add(func));
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
export function callTargets(
  module: WasmModule,
  skip: (block: Node) => boolean = () => false,
): (func: Func) => Set<Func> {
  const byType = tableFunctions(module);
  const cache = new Map<Func, Set<Func>>();
  return (func) => {
    const known = cache.get(func);
    if (known !== undefined) return known;
    const targets = new Set<Func>();
    if (func.root?.body !== undefined) {
      walk(
        func.root.body,
        (node) => {
          if (node.op === OP.call || node.op === OP.returnCall) targets.add(node.func as Func);
          else if (node.op === OP.callIndirect || node.op === OP.returnCallIndirect) {
            for (const target of byType.get(typeKey(module, node.index)) ?? []) targets.add(target);
          }
        },
        skip,
      );
    }
    cache.set(func, targets);
    return targets;
  };
}

export interface Suspendable {
  /** Functions with a call that may suspend; the leaves themselves are not among them. */
  readonly funcs: ReadonlySet<Func>;
  /** Whether this function may suspend: one of `funcs`, or a leaf. */
  readonly func: (func: Func) => boolean;
  /** Whether this call may suspend. */
  readonly call: (node: Node) => boolean;
  /** Functions that this call may reach. */
  readonly targets: (node: Node) => Iterable<Func>;
}

/** @param leaves functions that begin a suspension: stubs of blocking routines and the poll */
export function suspendable(module: WasmModule, leaves: ReadonlySet<Func>): Suspendable {
  const targetsOf = callTargets(module);
  const callers = new Map<Func, Func[]>();
  for (const func of module.funcs) {
    for (const target of targetsOf(func)) {
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
  const func = (one: Func): boolean => funcs.has(one) || leaves.has(one);
  const byType = tableFunctions(module);
  const indirect = new Set<string>();
  for (const [key, set] of byType) if ([...set].some(func)) indirect.add(key);
  const targets = (node: Node): Iterable<Func> => {
    if (node.op === OP.call || node.op === OP.returnCall) return [node.func as Func];
    if (node.op !== OP.callIndirect && node.op !== OP.returnCallIndirect) return [];
    return byType.get(typeKey(module, node.index)) ?? [];
  };
  const call = (node: Node): boolean => {
    if (node.op === OP.call || node.op === OP.returnCall) return func(node.func as Func);
    if (node.op !== OP.callIndirect && node.op !== OP.returnCallIndirect) return false;
    return indirect.has(typeKey(module, node.index));
  };
  return { funcs, func, call, targets };
}
