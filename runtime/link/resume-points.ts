/**
 * Pass 4, the suspend transform: a function that may be suspended in a call can save itself and come back there.
 *
 * Code without calls that may suspend stays as it was: no guard, no flattening. (Asyncify guards every stretch of
 * code of a function and flattens all of it.) There are two ways out of a call that suspends:
 *
 *     call f                              state: 0 normal, 1 unwinding, 2 rewinding
 *     if (state) { frame = push(bytes, id); store live locals; return }
 *
 * for functions that can reach a blocking routine: one test after each such call, and a switch is fast; and
 *
 *     try { call f } catch unwind { frame = push(bytes, id); store live locals; throw unwind }
 *
 * for functions that can only be stopped at a poll: free in normal execution, microseconds when it happens, which
 * is when a ULP is preempted or moved while it computes.
 *
 * A sequence [a, CALL1, b, {… CALL2 …}, c] becomes
 *
 *     block L2
 *       block L1
 *         dispatch on r: 1 → L1, 2 → L2          in the function's own sequence: only when rewinding
 *         a
 *       end
 *       CALL1 b
 *     end
 *     {… CALL2 …} c                              whose own sequence dispatches on r again
 *
 * so that a jump to the right place costs one branch for each level of nesting, and r, "where to resume", is 0 in
 * normal execution. Values on the operand stack below such a call are moved to locals first (named by depth and
 * type), so that every landing place begins with an empty stack.
 *
 * Functions of the second kind exist twice: as a twin without any dispatch, which runs normally and can only be left,
 * and as the resumable one, which the twin calls when it is entered rewinding. So normal execution pays a test at
 * entry and the polls; a function that was stopped in a poll runs on in the resumable one until it returns.
 *
 * Frame, in the process heap: live locals, widest first, then at its end the number of the resume point (u32).
 */
import { type Suspendable, suspendable, walk } from "./call-graph.ts";
import { FunctionTransform } from "./function-transform.ts";
import type { ResumePoint, SuspendCode, SuspendTransform } from "./suspend.ts";
import { cloneFunc } from "./wasm/clone.ts";
import type { WasmModule } from "./wasm/module.ts";
import { OP } from "./wasm/opcodes.ts";

export const resumePoints: SuspendTransform = (module, calls, code) => {
  const points: ResumePoint[] = [];
  const returning = returningFuncs(module, calls, code);
  for (const func of [...module.funcs]) {
    if (!calls.funcs.has(func) || func.root === undefined) continue;
    const firstId = points.length;
    const kinds = { calls, returning };
    if (returning.func(func)) {
      new FunctionTransform(module, func, kinds, code, points).run();
    } else {
      const resumable = cloneFunc(module, func, `${func.name ?? "function"} (resumed)`);
      new FunctionTransform(module, resumable, kinds, code, points).run();
      new FunctionTransform(module, func, kinds, code, points, { resumable, firstId }).run();
    }
  }
  return points;
};

/**
 * Functions that unwind by return: those that can reach a blocking routine, and those with exception handlers of
 * their own, which must not see ours.
 */
function returningFuncs(module: WasmModule, calls: Suspendable, code: SuspendCode): Suspendable {
  const seeds = new Set(code.blocking);
  for (const func of calls.funcs) {
    walk(func.root?.body ?? [], (node) => {
      if (node.op === OP.tryTable) seeds.add(func);
    });
  }
  return suspendable(module, seeds);
}
