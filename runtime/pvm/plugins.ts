/**
 * Plug-ins, as a program sees them: pvm_reg_hoster, reg_tasker, reg_rm, reg_tracer; and their messages to the daemon.
 *
 * Owns: the checks, and which messages go to the virtual machine's service in place of a task's queue: those with a tag of
 * the plug-ins (SM_…, which only a task with PvmResvTids can send) to a daemon, or, while there is a resource manager, with
 * the tag of one of its answers. What is done with them is pvmd/plugins.ts and pvmd/resource-manager.ts.
 */
import { HEAD, ULP } from "../../wire/layout.ts";
import { MANAGER_ANSWERS, PLUGIN_BIT, SM_FIRST, SM_LAST } from "../../wire/plugins.ts";
import type { EngineState, NoticeParcel } from "../scheduler/engine-state.ts";
import type { UlpAt } from "../scheduler/state.ts";
import { ask, tell } from "./ask.ts";
import { fail } from "./errors.ts";
import { cText } from "./guest.ts";
import { isDaemonTid } from "./tids.ts";
import { maskBits } from "./tracing.ts";

/** Bits of PLUGIN_BIT. */
export function plugins({ w }: EngineState): number {
  return Atomics.load(w, HEAD.plugins);
}

/**
 * Hands a message of the running ULP to the service if it is one between plug-ins and the daemon. Borrows `gbid`.
 *
 * @param to  the task with this tid; 0: there is none
 * @returns false: it is a message as any other
 */
export function divert(
  e: EngineState,
  to: UlpAt | 0,
  tid: number,
  tag: number,
  gbid: number,
  bytes: number,
  wid: number,
): boolean {
  if (tag < SM_FIRST || tag > SM_LAST) return false;
  const answers = (plugins(e) & PLUGIN_BIT.rm) !== 0 && MANAGER_ANSWERS.includes(tag);
  if (!isDaemonTid(tid) && (to === 0 || !answers)) return false;
  const data = new Uint8Array(bytes);
  if (bytes > 0) e.pack.copyOut(gbid, 0, data, 0, bytes);
  const ulp = e.current;
  if (isDaemonTid(tid)) tell(e, ulp, "toDaemon", { tag, wid, data });
  else tell(e, ulp, "toTask", { to: tid, tag, wid, context: e.w[ulp + ULP.context]!, data });
  return true;
}

/** A message of the virtual machine has found no room: if it was for a plug-in, somebody waits for what that would have done. */
export function tellUndelivered(e: EngineState, ulp: UlpAt, { src, tag, wid, data }: NoticeParcel): void {
  if (tag >= SM_FIRST && tag <= SM_LAST) tell(e, ulp, "undelivered", { src, tag, wid, data });
}

export function pluginCalls(e: EngineState) {
  return {
    pvm_reg_hoster(): number {
      return ask(e, "regHoster", {});
    },
    pvm_reg_tasker(): number {
      return ask(e, "regTasker", {});
    },
    pvm_reg_rm(): number {
      return ask(e, "regRm", {});
    },
    /** NULL for a mask: no routine makes events. */
    pvm_reg_tracer(
      trcctx: number,
      trctag: number,
      outctx: number,
      outtag: number,
      trcmask: number,
      trcbuf: number,
      trcopt: number,
    ): number {
      const mask = trcmask === 0 ? "" : cText(e, trcmask);
      if (mask === undefined) return fail(e, "pvm_reg_tracer", "PvmBadParam");
      const bits = maskBits(new TextEncoder().encode(mask));
      return ask(e, "regTracer", { wants: [trcctx, trctag, outctx, outtag, trcbuf, trcopt, ...bits] });
    },
  };
}
