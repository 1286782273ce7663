/**
 * Contexts: pvm_setcontext, getcontext. (pvm_newcontext and pvm_freecontext ask the virtual machine: pvmd/contexts.ts)
 *
 * Owns: the routines. A message is received only in the context that it was sent in, whatever the wildcards of the
 * receive; matching is runtime/scheduler/messages.ts. As PVM 3.4.6, pvm_setcontext takes any int, also one that was
 * never allotted or was freed.
 */
import { ULP } from "../../wire/layout.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { setContext } from "../scheduler/more.ts";
import { ask } from "./ask.ts";
import { fail } from "./errors.ts";

export function contextCalls(e: EngineState) {
  const { w } = e;
  return {
    pvm_getcontext(): number {
      return w[e.current + ULP.context]!;
    },
    /** @returns the context before; PvmNoMem, for a context below -2^31 + LIMITS.ulps: the heap is full */
    pvm_setcontext(context: number): number {
      const before = w[e.current + ULP.context]!;
      return setContext(e, e.current, context) ? before : fail(e, "pvm_setcontext", "PvmNoMem");
    },
    pvm_newcontext(): number {
      return ask(e, "newContext", {});
    },
    pvm_freecontext(context: number): number {
      return ask(e, "freeContext", { context });
    },
  };
}
