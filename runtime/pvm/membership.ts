/**
 * Leaving PVM and joining it again: pvm_exit, and the first routine after it that needs PVM.
 *
 * Owns: who is told. What a ULP that has left is like is runtime/scheduler/left.ts. It joins again under its old tid and with
 * its parent; PVM's daemon takes a process that comes back for a new task.
 */
import { ULP } from "../../wire/layout.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { groups } from "../scheduler/groups.ts";
import { comeBack, dropUnread, setLeft } from "../scheduler/left.ts";
import { asksMachine, tell } from "./ask.ts";

/** The running ULP leaves PVM, and all groups: what has not been received is gone. */
export function leave(e: EngineState): void {
  const { w, current: ulp } = e;
  // First gone, then told: who hears of it and asks again must not find it.
  setLeft(e, ulp);
  if (Atomics.exchange(w, ulp + ULP.tellEnd, 0) !== 0 || asksMachine(e)) e.ended(e, ulp);
  groups.left(e, ulp);
  dropUnread(e, ulp);
}

/** Routines that need PVM begin with this, unless they `ask` in any case: who has left it joins it again. */
export function join(e: EngineState): void {
  if (comeBack(e, e.current) && asksMachine(e)) tell(e, e.current, "joined", {});
}

export function membershipCalls(e: EngineState) {
  return {
    /** Any later call that needs PVM joins it again. */
    pvm_exit(): number {
      leave(e);
      return 0;
    },
    /** The linked module has code of its own for this, but for a ULP that has left PVM. */
    pvm_mytid(): number {
      join(e);
      return e.w[e.current + ULP.tid]!;
    },
  };
}
