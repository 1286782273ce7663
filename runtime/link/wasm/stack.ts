/**
 * What each instruction does to the types on the operand stack.
 *
 * Follows the validation algorithm of the core specification for reachable code only: the parser drops the rest.
 */
import assert from "node:assert";
import type { Func, FuncType, Node, WasmModule } from "./module.ts";
import { FUNCREF, I32, instruction, OP, type ValueType } from "./opcodes.ts";

export class StackTyper {
  private readonly module: WasmModule;
  private readonly type: FuncType;
  private readonly func: Func;

  constructor(module: WasmModule, func: Func) {
    this.module = module;
    this.func = func;
    this.type = module.typeOf(func);
  }

  localType(index: number): ValueType {
    const params = this.type.params;
    const type = index < params.length ? params[index] : this.func.locals[index - params.length];
    assert(type !== undefined, "bug: no such local");
    return type;
  }

  /** Applies `node` to `stack`; a block-like instruction as a whole: parameters (and condition) to results. */
  apply(node: Node, stack: ValueType[]): void {
    const fixed = instruction(node.op);
    if (fixed !== undefined) {
      stack.length -= fixed.pops.length;
      for (const type of fixed.pushes) stack.push(type);
      return;
    }
    if (node.body !== undefined) {
      stack.length -= node.params.length + (node.op === OP.if ? 1 : 0);
      stack.push(...node.results);
      return;
    }
    this.special(node, stack);
  }

  private special(node: Node, stack: ValueType[]): void {
    switch (node.op) {
      case OP.drop:
      case OP.localSet:
      case OP.globalSet:
      case OP.brIf:
        stack.length -= 1;
        return;
      case OP.select:
      case OP.selectT:
        stack.length -= 2;
        return;
      case OP.localGet:
        stack.push(this.localType(node.index));
        return;
      case OP.localTee:
        return;
      case OP.globalGet:
        stack.push(this.module.globals[node.index]?.type ?? I32);
        return;
      case OP.tableGet:
        stack.length -= 1;
        stack.push(this.module.tables[node.index]?.type ?? FUNCREF);
        return;
      case OP.tableSet:
        stack.length -= 2;
        return;
      case OP.tableGrow:
        stack.length -= 2;
        stack.push(I32);
        return;
      case OP.tableFill:
        stack.length -= 3;
        return;
      case OP.refNull:
        stack.push(node.index);
        return;
      case OP.refFunc:
        stack.push(FUNCREF);
        return;
      case OP.refIsNull:
        stack.length -= 1;
        stack.push(I32);
        return;
      case OP.call:
      case OP.callIndirect: {
        const { params, results } = this.callType(node);
        stack.length -= params.length + (node.op === OP.callIndirect ? 1 : 0);
        stack.push(...results);
        return;
      }
      default:
        return; // br, br_table, return, unreachable, …: nothing reachable follows
    }
  }

  callType(node: Node): FuncType {
    const index = node.func === undefined ? node.index : node.func.type;
    const type = this.module.types[index];
    assert(type !== undefined, "bug: call of no type");
    return type;
  }
}
