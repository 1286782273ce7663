/**
 * Pass 3: polls. Every loop, and every cycle of calls without a loop, gets a place where a ULP can be stopped.
 *
 * A poll that suspends inside a loop would make the whole loop resumable, and slow. So it stands outside:
 *
 *     loop L { body }   becomes   loop L' { if (flag) poll();  loop L { if (flag) branch L';  body } }
 *
 * The inner loop keeps a load and a branch, and no call. (Measured: design, "Polls".)
 * Dropped: unrolling the inner loop to poll less often: no gain.
 */
import { callTargets } from "./call-graph.ts";
import { block, branch, call, ifThen } from "./wasm/build.ts";
import type { Func, Node, WasmModule } from "./wasm/module.ts";
import { OP } from "./wasm/opcodes.ts";

export interface PollCode {
  /** Pushes the attention flag. */
  readonly flag: () => Node[];
  /** Suspends the ULP if its engine says so. */
  readonly poll: Func;
}

/** @returns how many polls were put in */
export function insertPolls(module: WasmModule, code: PollCode): number {
  let polls = 0;
  for (const func of module.funcs) {
    if (func.root?.body !== undefined && func.original >= 0) polls += pollLoops(func.root.body, code);
  }
  for (const func of cycleHeads(module)) {
    func.root?.body?.unshift(...code.flag(), ifThen([call(code.poll)]));
    polls++;
  }
  return polls;
}

function pollLoops(body: Node[], code: PollCode): number {
  let polls = 0;
  for (const [i, node] of body.entries()) {
    if (node.body === undefined) continue;
    polls += pollLoops(node.body, code);
    if (node.orElse !== undefined) polls += pollLoops(node.orElse, code);
    if (node.op !== OP.loop || !repeats(node.body, node)) continue;
    const outer = block([...code.flag(), ifThen([call(code.poll)]), node], node.results, OP.loop);
    outer.params = node.params;
    node.body.unshift(...code.flag(), branch(OP.brIf, outer));
    body[i] = outer;
    polls++;
  }
  return polls;
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

/** Functions such that every cycle of calls goes through one of them: where a depth-first walk finds its way back. */
function cycleHeads(module: WasmModule): Set<Func> {
  const targets = callTargets(module);
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
