/**
 * Questions to the daemon: pvm_tickle.
 *
 * Owns: its answer.
 */
import { PVM_ERROR } from "../../wire/pvm.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { fail } from "./errors.ts";
import { isPlace, putInt } from "./guest.ts";

/** Numbers that pvm_tickle takes at most, as PVM 3.4.6. */
const TICKLE_ARGS = 10;

export function tickleCalls(e: EngineState) {
  return {
    /** PVM's own daemon answers nothing to most of what it is asked; there is none here to be asked. */
    pvm_tickle(narg: number, argp: number, nresp: number, resp: number): number {
      const inside = narg >= 1 && narg <= TICKLE_ARGS && argp !== 0 && isPlace(e, argp, 4 * narg);
      if (!inside || !isPlace(e, nresp, 4) || !isPlace(e, resp, 4))
        return fail(e, "pvm_tickle", "PvmBadParam");
      putInt(e, nresp, 0);
      return PVM_ERROR.PvmOk.code;
    },
  };
}
