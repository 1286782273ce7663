/**
 * Pass 3: polls. Every loop, and every cycle of calls that goes through no loop, gets a place where a ULP can be stopped.
 *
 * A poll that suspends inside a loop would make the whole loop resumable, and slow. So it stands outside:
 *
 *     loop L { body }   becomes
 *
 *     loop L' { if (flag) poll();  loop L { block exit { block again { body; leave exit }  if (flag) branch L';  branch L } } }
 *
 * where what branched to L branches to `again`. The inner loop keeps a load and a branch, and no call. (Measured: design,
 * "Polls".) The test stands behind the body, so that a loop goes round once for each poll, however often the flag is set.
 * A small innermost loop has its body several times over, each with its own `again`, and one test behind them all: the
 * test is three loads, of which a short loop feels each. (The stencil of guest/examples/laplace: 1.16 times its unlinked
 * time with a test for each body, 1.03 with one for eight; a counter in place of the flag: 1.07.)
 * A loop that calls what may suspend is resumable anyway: there the poll stands at its head,
 * `loop L { if (flag) poll();  body }`.
 * Dropped: the test before the body: with a flag that is always
 * set, L' and L sent each other round without end.
 */
import { callTargets, type Suspendable, suspendable, walk } from "./call-graph.ts";
import { block, branch, call, ifThen, unlikely } from "./wasm/build.ts";
import { cloneBody } from "./wasm/clone.ts";
import type { Func, Node, WasmModule } from "./wasm/module.ts";
import { OP } from "./wasm/opcodes.ts";
import { endsSequence } from "./wasm/parse.ts";

/** A loop's body stands so often before the test of the flag, at most, and has so many instructions then. */
const COPIES_MAX = 8;
const UNROLLED_INSTRUCTIONS = 400;

export interface PollCode {
  /** Pushes the attention flag. */
  readonly flag: () => Node[];
  /** Suspends the ULP if its engine says so. */
  readonly poll: Func;
}

/**
 * @param leaves  functions that begin a suspension
 * @returns how many polls were put in
 */
export function insertPolls(module: WasmModule, code: PollCode, leaves: ReadonlySet<Func>): number {
  const loops = new Set<Node>();
  const polling = new Set<Func>();
  for (const func of module.funcs) {
    if (func.original < 0) continue;
    walk(func.root?.body ?? [], (node) => {
      if (node.op !== OP.loop || !repeats(node.body as Node[], node)) return;
      loops.add(node);
      polling.add(func);
    });
  }
  const heads = cycleHeads(module, loops);
  const calls = suspendable(module, new Set([...leaves, ...polling, ...heads]));
  for (const func of module.funcs) {
    if (func.original >= 0 && func.root?.body !== undefined) pollLoops(func.root.body, loops, calls, code);
  }
  for (const { root } of heads) root?.body?.unshift(...pollBefore(root.body, code));
  return loops.size + heads.size;
}

function pollLoops(body: Node[], loops: ReadonlySet<Node>, calls: Suspendable, code: PollCode): void {
  for (const [i, node] of body.entries()) {
    if (node.body === undefined) continue;
    // Before the loops inside get their polls: those are made to stay out of the way.
    const resumable = loops.has(node) && holdsCall(node.body, calls);
    pollLoops(node.body, loops, calls, code);
    if (node.orElse !== undefined) pollLoops(node.orElse, loops, calls, code);
    if (!loops.has(node)) continue;
    const poll = pollBefore(node.body, code);
    if (resumable) {
      node.body.unshift(...poll);
    } else {
      const outer = block([...poll, node], node.results, OP.loop);
      outer.params = node.params;
      if (node.params.length > 0) node.body.unshift(...code.flag(), unlikely(branch(OP.brIf, outer)));
      else testBehind(node, outer, code);
      body[i] = outer;
    }
  }
}

/** A poll to stand before some code. Who is stopped there is at that code: the call has its place in the source. */
function pollBefore(body: readonly Node[], code: PollCode): Node[] {
  const poll = call(code.poll);
  poll.at = firstPlace(body);
  return [...code.flag(), unlikely(ifThen([poll]))];
}

/** Where the first instruction of the program's own was, 0 if none was. */
function firstPlace(body: readonly Node[]): number {
  for (const node of body) {
    const place = node.at || firstPlace(node.body ?? []);
    if (place !== 0) return place;
  }
  return 0;
}

/** Puts the test of the flag behind the body of a loop, or behind several copies of it. */
function testBehind(loop: Node, outer: Node, code: PollCode): void {
  const body = loop.body as Node[];
  const exit = block([], loop.results);
  const rounds: Node[] = [];
  for (let left = copiesOf(body); left > 0; left--) {
    const again = block(left > 1 ? cloneBody(body) : body);
    redirect(again.body as Node[], loop, again);
    const last = again.body?.at(-1);
    if (last === undefined || !endsSequence(last.op)) again.body?.push(branch(OP.br, exit));
    rounds.push(again);
  }
  exit.body = [...rounds, ...code.flag(), unlikely(branch(OP.brIf, outer)), branch(OP.br, loop)];
  loop.body = [exit];
}

/** Every branch to one block goes to another. */
function redirect(body: readonly Node[], from: Node, to: Node): void {
  const moved = (label: Node): Node => (label === from ? to : label);
  walk(body, (node) => {
    node.label = node.label && moved(node.label);
    node.labels = node.labels?.map(moved);
    node.catches = node.catches?.map((clause) => ({ ...clause, label: moved(clause.label) }));
  });
}

/** How often the body of a loop stands before the test: once unless it is small, innermost and calls nothing. */
function copiesOf(body: readonly Node[]): number {
  let instructions = 0;
  walk(body, ({ op, func }) => {
    instructions +=
      op === OP.loop || op === OP.callIndirect || func !== undefined ? UNROLLED_INSTRUCTIONS : 1;
  });
  return Math.max(1, Math.min(COPIES_MAX, Math.floor(UNROLLED_INSTRUCTIONS / (instructions + 1))));
}

function holdsCall(body: readonly Node[], calls: Suspendable): boolean {
  let holds = false;
  walk(body, (node) => {
    if (calls.call(node)) holds = true;
  });
  return holds;
}

function repeats(body: readonly Node[], loop: Node): boolean {
  return body.some(
    (node) =>
      node.label === loop ||
      node.labels?.includes(loop) ||
      node.catches?.some((clause) => clause.label === loop) ||
      (node.body !== undefined && repeats(node.body, loop)) ||
      (node.orElse !== undefined && repeats(node.orElse, loop)),
  );
}

/**
 * Functions such that every cycle of calls goes through one of them, or through a polled loop: where a depth-first
 * walk along the calls outside of loops finds its way back.
 */
function cycleHeads(module: WasmModule, loops: ReadonlySet<Node>): Set<Func> {
  const targets = callTargets(module, (node) => loops.has(node));
  const heads = new Set<Func>();
  const state = new Map<Func, "open" | "closed">();
  for (const root of module.funcs) {
    if (state.has(root)) continue;
    const path: { func: Func; rest: Iterator<Func> }[] = [{ func: root, rest: targets(root).values() }];
    state.set(root, "open");
    for (let top = path[path.length - 1]; top !== undefined; top = path[path.length - 1]) {
      const next = top.rest.next();
      if (next.done) {
        state.set(top.func, "closed");
        path.pop();
      } else if (!state.has(next.value)) {
        state.set(next.value, "open");
        path.push({ func: next.value, rest: targets(next.value).values() });
      } else if (state.get(next.value) === "open" && next.value.root !== undefined) {
        heads.add(next.value);
      }
    }
  }
  return heads;
}
