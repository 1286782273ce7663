/**
 * The end of a program in the middle of a call: WASI's proc_exit, and errors with PvmAutoErr 2 and 3.
 *
 * Owns: what is thrown through the guest's frames. The engine sees by ULP_FLAG.exiting what it was.
 */
import { ULP, ULP_FLAG, ULP_STATE } from "../../wire/layout.ts";
import { uterminate } from "../scheduler/end.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { getState } from "../scheduler/state.ts";

/** Thrown by the call: the flag `exiting` says what it was, whatever catches it. */
const PROGRAM_EXIT = new Error("proc_exit");

/** Ends the running ULP, in a call of its own. */
export function exitProgram(e: EngineState, code: number): never {
  const ulp = e.current;
  e.w[ulp + ULP.exitCode] = code;
  e.w[ulp + ULP.flags] = e.w[ulp + ULP.flags]! | ULP_FLAG.exiting;
  throw PROGRAM_EXIT;
}

/** As exitProgram, for whom a call is ended too: a ULP that waits has no frames to be thrown through, and ends at once. */
export function endProgram(e: EngineState, code: number): void {
  if (getState(e.w, e.current) === ULP_STATE.running) exitProgram(e, code);
  uterminate(e, e.current, code);
}
