/**
 * Other tasks: kill, sendsig, pstat, tidtohost, notify.
 *
 * Owns: the checks that need the guest's memory. What is done is pvmd/tasks.ts and pvmd/notify.ts.
 */
import { ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { PVM_CONSTANT } from "../../wire/pvm.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { ask, asksMachine } from "./ask.ts";
import { fail } from "./errors.ts";
import { getInt, isPlace } from "./guest.ts";
import { isTaskTid } from "./tids.ts";

/** Host bits of a tid. */
const HOST = 0x3ffc0000;

export function taskControlCalls(e: EngineState) {
  return {
    /** PVM's pvm_kill is a pvm_sendsig, and says so. */
    pvm_kill(tid: number): number {
      if (isTaskTid(tid)) return ask(e, "kill", { task: tid });
      fail(e, "pvm_sendsig", "PvmBadParam");
      return fail(e, "pvm_kill", "PvmBadParam");
    },
    pvm_sendsig(tid: number, signum: number): number {
      return isTaskTid(tid)
        ? ask(e, "sendsig", { task: tid, signum })
        : fail(e, "pvm_sendsig", "PvmBadParam");
    },
    pvm_pstat(tid: number): number {
      return isTaskTid(tid) ? ask(e, "pstat", { task: tid }) : fail(e, "pvm_pstat", "PvmBadParam");
    },
    /** PVM takes the bits, whatever they are. A task of a machine of many hosts may be on any: its tid does not say. */
    pvm_tidtohost(tid: number): number {
      if (!asksMachine(e) || !isTaskTid(tid)) return tid & HOST;
      return ask(e, "whereIs", { task: tid });
    },
    pvm_notify(what: number, tag: number, count: number, list: number): number {
      const kind = what & ~PVM_CONSTANT.PvmNotifyCancel;
      const needsList = kind !== PVM_CONSTANT.PvmHostAdd && kind !== PVM_CONSTANT.PvmRouteAdd;
      const n = needsList ? count : 0;
      if (n > LIMITS.notifiesPerTask || (n > 0 && (list === 0 || !isPlace(e, list, 4 * n))))
        return fail(e, "pvm_notify", "PvmBadParam");
      const tids = Array.from({ length: Math.max(0, n) }, (_, i) => getInt(e, list + 4 * i));
      return ask(e, "notify", { what, tag, count, tids, context: e.w[e.current + ULP.context]! });
    },
  };
}
