/**
 * Pass 4 for one function: its body rewritten so that it can be left in a call and entered again there.
 *
 * Owns: the shapes of code. Which functions, and which of the two ways out, is resume-points.ts, which draws them.
 */
import assert from "node:assert";
import type { Suspendable } from "./call-graph.ts";
import { type LocalSet, liveAfter } from "./liveness.ts";
import { type ResumePoint, STATE, type SuspendCode } from "./suspend.ts";
import {
  access,
  block,
  branch,
  brTable,
  call,
  globalGet,
  globalSet,
  i32,
  ifThen,
  likely,
  localGet,
  localSet,
  localTee,
  plain,
  unlikely,
} from "./wasm/build.ts";
import { type Func, Node, type WasmModule } from "./wasm/module.ts";
import { EXNREF, EXTERNREF, F32, F64, FUNCREF, I32, I64, OP, V128, type ValueType } from "./wasm/opcodes.ts";
import { Unsupported } from "./wasm/parse.ts";
import { StackTyper } from "./wasm/stack.ts";

/** Of a twin: the function that resumes what it leaves, and the number of that one's first point. */
export interface Twin {
  readonly resumable: Func;
  readonly firstId: number;
}

export interface Kinds {
  /** Calls that may suspend. */
  readonly calls: Suspendable;
  /** Those of them that may return unwinding. */
  readonly returning: Suspendable;
}

/** A child of a sequence that holds the resume points lo … hi and begins at `at` in the new sequence. */
interface Stop {
  readonly at: number;
  readonly lo: number;
  readonly hi: number;
}
interface Saved {
  readonly local: number;
  readonly type: ValueType;
}
interface Point {
  readonly id: number;
  /** Size of its frame. */
  readonly bytes: number;
  readonly saved: readonly Saved[];
}

const BYTES: Readonly<Record<number, number>> = { [I32]: 4, [F32]: 4, [I64]: 8, [F64]: 8, [V128]: 16 };
const LOAD: Readonly<Record<number, number>> = {
  [I32]: OP.i32Load,
  [F32]: OP.f32Load,
  [I64]: OP.i64Load,
  [F64]: OP.f64Load,
  [V128]: OP.v128Load,
};
const STORE: Readonly<Record<number, number>> = {
  [I32]: OP.i32Store,
  [F32]: OP.f32Store,
  [I64]: OP.i64Store,
  [F64]: OP.f64Store,
  [V128]: OP.v128Store,
};

/** One function being made resumable. */
export class FunctionTransform {
  /** Set: this is the twin that can only be left; the resumable one has made the points. */
  private readonly twin: Twin | undefined;
  private readonly module: WasmModule;
  private readonly func: Func;
  private readonly calls: Suspendable;
  private readonly returning: Suspendable;
  /** This function unwinds by return, not by exception. */
  private readonly returns: boolean;
  private readonly code: SuspendCode;
  private readonly points: ResumePoint[];
  private readonly typer: StackTyper;
  private readonly root: Node;
  private readonly firstId: number;
  /** Resume points of this function so far; they are numbered 1 … in the order of the code. */
  private count = 0;
  /** How the values of point k are read back. */
  private readonly restores: Point[] = [];
  private readonly slots = new Map<number, number>();
  private readonly holders = new Set<Node>();
  private live = new Map<Node, LocalSet>();
  private readonly originalLocals: number;
  private readonly where: number;
  private readonly frame: number;

  constructor(
    module: WasmModule,
    func: Func,
    kinds: Kinds,
    code: SuspendCode,
    points: ResumePoint[],
    twin?: Twin,
  ) {
    this.twin = twin;
    this.module = module;
    this.func = func;
    this.calls = kinds.calls;
    this.returning = kinds.returning;
    this.returns = twin === undefined && kinds.returning.func(func);
    this.code = code;
    this.points = points;
    this.typer = new StackTyper(module, func);
    this.root = func.root as Node;
    this.firstId = twin?.firstId ?? points.length;
    this.originalLocals = module.typeOf(func).params.length + func.locals.length;
    this.where = this.newLocal(I32);
    this.frame = this.newLocal(I32);
  }

  run(): void {
    this.replaceTailCalls(this.root.body as Node[]);
    this.findHolders(this.root);
    this.live = liveAfter(this.root, this.originalLocals, (node) => this.calls.call(node));
    this.root.body = this.sequence(this.root.body as Node[], 0, [], true);
    if (this.twin !== undefined) this.root.body.unshift(...this.handOver(this.twin.resumable));
  }

  /** Head of a twin: entered rewinding, it is not the one that can. */
  private handOver(resumable: Func): Node[] {
    const params = this.module.typeOf(this.func).params.map((_, i) => localGet(i));
    return [globalGet(this.code.state), unlikely(ifThen([...params, call(resumable), plain(OP.return)]))];
  }

  private newLocal(type: ValueType): number {
    this.func.locals.push(type);
    return this.module.typeOf(this.func).params.length + this.func.locals.length - 1;
  }

  /** The local that stands for the operand at this depth of the function's stack. */
  private slot(depth: number, type: ValueType): number {
    const key = depth * 256 + type;
    const local = this.slots.get(key) ?? this.newLocal(type);
    this.slots.set(key, local);
    return local;
  }

  /** A tail call leaves no frame that could be resumed: where it may suspend it becomes a call and a return. */
  private replaceTailCalls(body: Node[]): void {
    for (const node of body) {
      if (node.body !== undefined) this.replaceTailCalls(node.body);
      if (node.orElse !== undefined) this.replaceTailCalls(node.orElse);
    }
    const last = body[body.length - 1];
    if (last === undefined || !this.calls.call(last)) return;
    if (last.op === OP.returnCall) last.op = OP.call;
    else if (last.op === OP.returnCallIndirect) last.op = OP.callIndirect;
    else return;
    body.push(plain(OP.return));
  }

  private findHolders(node: Node): boolean {
    let holds = this.calls.call(node);
    for (const child of node.body ?? []) if (this.findHolders(child)) holds = true;
    for (const child of node.orElse ?? []) if (this.findHolders(child)) holds = true;
    if (holds) this.holders.add(node);
    return holds;
  }

  /**
   * @param base   depth of the operand stack below this sequence
   * @param under  locals that hold those operands
   */
  private sequence(nodes: readonly Node[], base: number, under: readonly Saved[], isRoot = false): Node[] {
    const out: Node[] = [];
    const stops: Stop[] = [];
    const stack: ValueType[] = [];
    for (const node of nodes) {
      if (!this.holders.has(node)) {
        this.typer.apply(node, stack);
        out.push(node);
        continue;
      }
      const spilled = this.spill(stack, base, out);
      const at = out.length;
      const lo = this.count + 1;
      if (node.body === undefined) this.callSite(node, stack, spilled, under, out);
      else this.nested(node, stack, spilled, base, under, out);
      stops.push({ at, lo, hi: this.count });
    }
    return this.assemble(out, stops, isRoot);
  }

  /** Moves the operand stack to locals. */
  private spill(stack: readonly ValueType[], base: number, out: Node[]): Saved[] {
    const spilled = stack.map((type, i) => ({ local: this.slot(base + i, type), type }));
    for (let i = spilled.length - 1; i >= 0; i--) out.push(localSet((spilled[i] as Saved).local));
    return spilled;
  }

  private callSite(
    node: Node,
    stack: ValueType[],
    spilled: readonly Saved[],
    under: readonly Saved[],
    out: Node[],
  ): void {
    const indirect = node.op === OP.callIndirect;
    const operands = this.typer.callType(node).params.length + (indirect ? 1 : 0);
    const saved: Saved[] = [...under, ...spilled.slice(0, spilled.length - operands)];
    // The callee is chosen again when rewinding, so the table index must come back; arguments need not.
    if (indirect) saved.push(spilled[spilled.length - 1] as Saved);
    const live = this.live.get(node);
    for (let local = 0; local < this.originalLocals; local++) {
      if (live?.has(local)) saved.push({ local, type: this.typer.localType(local) });
    }
    if (this.twin === undefined) out.push(i32(0), localSet(this.where));
    const point = this.point(node, saved);
    if (this.returns && node.func === this.code.poll) node.func = this.code.pollReturning;
    let throws = false;
    let returns = false;
    for (const target of this.calls.targets(node)) {
      if (this.returning.func(target) || target === this.code.pollReturning) returns = true;
      else if (this.calls.func(target)) throws = true;
    }
    for (const value of spilled) out.push(localGet(value.local));
    this.typer.apply(node, stack);
    if (throws) {
      const kept = spilled.length - operands;
      out.length -= operands;
      const results = stack.slice(kept);
      const args = spilled.slice(kept).map((value) => localGet(value.local));
      out.push(this.guarded([...args, node], results, point));
    } else {
      out.push(node);
    }
    if (returns) out.push(globalGet(this.code.state), unlikely(ifThen(this.unwind(point))));
  }

  /** block { block caught { try { call } catch → caught; leave } unwind } */
  private guarded(call: Node[], results: readonly ValueType[], point: Point): Node {
    const caught = block([]);
    const guard = block(call, results, OP.tryTable);
    guard.catches = [{ kind: 0, tag: this.code.tag, label: caught }];
    const after = block([], results);
    caught.body = [guard, branch(OP.br, after)];
    const rewindLater = this.returns ? [i32(STATE.unwinding), globalSet(this.code.state)] : [];
    after.body = [caught, ...rewindLater, ...this.unwind(point)];
    return after;
  }

  private point(node: Node, saved: Saved[]): Point {
    for (const { type } of saved) {
      if (BYTES[type] === undefined) throw new Unsupported("it keeps a reference in a local while it waits");
    }
    saved.sort((a, b) => (BYTES[b.type] as number) - (BYTES[a.type] as number));
    let bytes = 4;
    for (const { type } of saved) bytes += BYTES[type] as number;
    bytes = (bytes + 7) & ~7;
    const id = this.firstId + this.count++;
    if (this.twin === undefined) this.points.push({ id, func: this.func, at: node.at, frameBytes: bytes });
    assert(this.points[id]?.frameBytes === bytes, "bug: a function and its twin differ");
    const point = { id, bytes, saved };
    this.restores.push(point);
    return point;
  }

  /** Makes the frame and leaves the function. */
  private unwind({ id, bytes, saved }: Point): Node[] {
    const out = [i32(bytes), i32(id), call(this.code.push), localSet(this.frame)];
    let offset = 0;
    for (const { local, type } of saved) {
      out.push(localGet(this.frame), localGet(local), access(STORE[type] as number, this.code.heap, offset));
      offset += BYTES[type] as number;
    }
    if (!this.returns) {
      const leave = plain(OP.throw);
      leave.index = this.code.tag;
      out.push(leave);
      return out;
    }
    for (const type of this.root.results) out.push(zero(type));
    out.push(plain(OP.return));
    return out;
  }

  private nested(
    node: Node,
    stack: ValueType[],
    spilled: readonly Saved[],
    base: number,
    under: readonly Saved[],
    out: Node[],
  ): void {
    if (node.params.length > 0)
      throw new Unsupported("it has a block with parameters around a call that may wait");
    const isIf = node.op === OP.if;
    const kept = isIf ? spilled.slice(0, -1) : spilled;
    const depth = base + kept.length;
    const inner = [...under, ...kept];
    const lo = this.count + 1;
    node.body = this.sequence(node.body as Node[], depth, inner);
    const mid = this.count;
    if (node.orElse !== undefined) node.orElse = this.sequence(node.orElse, depth, inner);
    if (isIf)
      out.push(
        ...this.condition((spilled[spilled.length - 1] as Saved).local, mid >= lo, this.count > mid, mid),
      );
    out.push(node);
    this.typer.apply(node, stack);
    if (kept.length === 0) return;
    const results = node.results.map((type, i) => ({ local: this.slot(depth + i, type), type }));
    for (let i = results.length - 1; i >= 0; i--) out.push(localSet((results[i] as Saved).local));
    for (const value of [...kept, ...results]) out.push(localGet(value.local));
  }

  /** Condition of an `if` that is also entered to resume inside it: r ? (is r in the first arm) : condition. */
  private condition(local: number, inThen: boolean, inElse: boolean, mid: number): Node[] {
    if (this.twin !== undefined) return [localGet(local)];
    const r = localGet(this.where);
    if (!inElse) return [localGet(local), r, plain(OP.i32Or)];
    if (!inThen) return [i32(0), localGet(local), r, plain(OP.select)];
    return [localGet(this.where), i32(mid), plain(OP.i32LeU), localGet(local), r, plain(OP.select)];
  }

  private assemble(out: Node[], stops: readonly Stop[], isRoot: boolean): Node[] {
    const first = stops[0];
    if (first === undefined || this.twin !== undefined) return out;
    if (!isRoot && stops.length === 1 && first.at === 0) return out;
    const labels = stops.map(() => block([]));
    let sequence = [
      ...(isRoot ? this.rootDispatch(stops, labels) : this.dispatch(stops, labels)),
      ...out.slice(0, first.at),
    ];
    for (const [i, label] of labels.entries()) {
      label.body = sequence;
      sequence = [label, ...out.slice((stops[i] as Stop).at, stops[i + 1]?.at ?? out.length)];
    }
    return sequence;
  }

  private dispatch(stops: readonly Stop[], labels: readonly Node[]): Node[] {
    if (stops.length === 1) return [localGet(this.where), unlikely(branch(OP.brIf, labels[0] as Node))];
    const normal = block([]);
    const table: Node[] = [];
    for (const [i, stop] of stops.entries())
      for (let r = stop.lo; r <= stop.hi; r++) table.push(labels[i] as Node);
    normal.body = [
      localGet(this.where),
      plain(OP.i32Eqz),
      likely(branch(OP.brIf, normal)),
      localGet(this.where),
      i32((stops[0] as Stop).lo),
      plain(OP.i32Sub),
      brTable(table),
    ];
    return [normal];
  }

  /** Head of the function: when rewinding, pop the frame and jump to where it was made. */
  private rootDispatch(stops: readonly Stop[], labels: readonly Node[]): Node[] {
    const normal = block([]);
    const cases = this.restores.map(() => block([]));
    const corrupt = block([]);
    let body: Node[] = [
      globalGet(this.code.top),
      i32(4),
      plain(OP.i32Sub),
      access(OP.i32Load, this.code.heap, 0),
      i32(this.firstId),
      plain(OP.i32Sub),
      brTable([...cases, corrupt]),
    ];
    corrupt.body = body;
    body = [corrupt, plain(OP.unreachable)];
    let stop = stops.length - 1;
    for (let k = cases.length; k >= 1; k--) {
      while ((stops[stop] as Stop).lo > k) stop--;
      const label = cases[k - 1] as Node;
      label.body = body;
      body = [label, ...this.restore(k), branch(OP.br, labels[stop] as Node)];
    }
    normal.body = [globalGet(this.code.state), plain(OP.i32Eqz), likely(branch(OP.brIf, normal)), ...body];
    return [normal];
  }

  private restore(k: number): Node[] {
    const { bytes, saved } = this.restores[k - 1] as Point;
    const out = [
      globalGet(this.code.top),
      i32(bytes),
      plain(OP.i32Sub),
      localTee(this.frame),
      globalSet(this.code.top),
    ];
    let offset = 0;
    for (const { local, type } of saved) {
      out.push(localGet(this.frame), access(LOAD[type] as number, this.code.heap, offset), localSet(local));
      offset += BYTES[type] as number;
    }
    out.push(i32(k), localSet(this.where));
    return out;
  }
}

function zero(type: ValueType): Node {
  const raw = (op: number, bytes: number): Node => {
    const node = new Node(op);
    node.imm = new Uint8Array(bytes);
    return node;
  };
  switch (type) {
    case I32:
      return i32(0);
    case I64:
      return raw(OP.i64Const, 1);
    case F32:
      return raw(OP.f32Const, 4);
    case F64:
      return raw(OP.f64Const, 8);
    case V128:
      return raw(OP.v128Const, 16);
    default: {
      assert(type === FUNCREF || type === EXTERNREF || type === EXNREF);
      const node = new Node(OP.refNull);
      node.index = type;
      return node;
    }
  }
}
