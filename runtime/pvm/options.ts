/**
 * Options of the library: pvm_setopt, getopt, getnoresets.
 *
 * Owns: the checks, by the rules of wire/options.ts. The values are in the ULP's own block (runtime/scheduler/more.ts);
 * PvmNoReset is a flag of its descriptor, so that others can look for it. What an option does is where it is done:
 * PvmAutoErr in errors.ts, PvmResvTids in tids.ts, the output options where output is written.
 */
import { HEAD, ULP, ULP_FLAG, ULP_STATE } from "../../wire/layout.ts";
import { FRAGMENT_BYTES, type Option, PVM_OPTION } from "../../wire/options.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { optionOf, setOption } from "../scheduler/more.ts";
import { ulpAt } from "../scheduler/queue.ts";
import { getState, type UlpAt } from "../scheduler/state.ts";
import { announceTrace } from "../scheduler/trace.ts";
import { check, fail } from "./errors.ts";
import { currentContext, isPlace } from "./guest.ts";
import { currentTid } from "./tids.ts";
import { retrace, traceReturn } from "./tracing.ts";

const { PvmBadParam, PvmNotImpl, PvmOk } = PVM_ERROR;
const OPTIONS: readonly Option[] = Object.values(PVM_OPTION);
const NO_RESET = PVM_OPTION.PvmNoReset.code;

/** Option that must not be 0 for a tag to be set. */
const TID_OF: Readonly<Record<number, number>> = {
  [PVM_OPTION.PvmSelfOutputCode.code]: PVM_OPTION.PvmSelfOutputTid.code,
  [PVM_OPTION.PvmSelfTraceCode.code]: PVM_OPTION.PvmSelfTraceTid.code,
};

/** Options that decide whether a task is traced. */
const TRACING: readonly number[] = [PVM_OPTION.PvmSelfTraceTid.code, PVM_OPTION.PvmSelfTraceOptions.code];

/** Options that say where events go. */
const PLACE: readonly number[] = [PVM_OPTION.PvmSelfTraceTid.code, PVM_OPTION.PvmSelfTraceCode.code];

function optionValue({ w, current: ulp }: EngineState, option: number): number {
  if (option === NO_RESET) return (w[ulp + ULP.flags]! & ULP_FLAG.noReset) === 0 ? 0 : 1;
  return optionOf(w, ulp, option);
}

/** PvmOk, or why the value cannot be set. */
function judge(e: EngineState, { code, rule }: Option, value: number): number {
  const between = (least: number, most: number) =>
    value >= least && value <= most ? PvmOk.code : PvmBadParam.code;
  switch (rule) {
    case "route":
    case "trace":
      return between(1, 3);
    case "fragment":
      return between(FRAGMENT_BYTES.least, FRAGMENT_BYTES.most);
    case "tid":
      return value === 0 || value === currentTid(e) || value === optionValue(e, code)
        ? PvmOk.code
        : PvmBadParam.code;
    case "read":
    case "none":
      return PvmNotImpl.code;
    default:
      return PvmOk.code;
  }
}

export function optionCalls(e: EngineState) {
  const { w } = e;
  return {
    pvm_setopt(what: number, value: number): number {
      const option = OPTIONS.find(({ code }) => code === what);
      const judged = option === undefined ? PvmBadParam.code : judge(e, option, value);
      if (judged < 0) return check(e, "pvm_setopt", judged);
      const before = optionValue(e, what);
      const { current: ulp } = e;
      const tid = TID_OF[what];
      if (what === NO_RESET) {
        const others = w[ulp + ULP.flags]! & ~ULP_FLAG.noReset;
        w[ulp + ULP.flags] = value === 0 ? others : others | ULP_FLAG.noReset;
      } else if (tid === undefined || optionValue(e, tid) !== 0) {
        const untraced = w[ulp + ULP.traceAt] === 0;
        if (!setOption(e, ulp, what, value) || (TRACING.includes(what) && !retrace(e)))
          return fail(e, "pvm_setopt", "PvmNoMem");
        if (PLACE.includes(what) && value !== before) announceTrace(e, ulp, 0);
        if (untraced && w[ulp + ULP.traceAt] !== 0) traceReturn(e, "setopt", before);
      }
      return before;
    },
    pvm_getopt(what: number): number {
      const option = OPTIONS.find(({ code }) => code === what);
      if (option === undefined || option.rule === "none") return fail(e, "pvm_getopt", "PvmBadParam");
      return optionValue(e, what);
    },
    pvm_noresets_get(tids: number, capacity: number): number {
      const found = noResets(w);
      const stored = Math.max(0, Math.min(found.length, capacity));
      if (stored > 0 && (tids === 0 || !isPlace(e, tids, stored * 4)))
        return fail(e, "pvm_getnoresets", "PvmBadParam");
      const { view } = currentContext(e);
      found.slice(0, stored).forEach((ulp, i) => {
        view.setInt32((tids >>> 0) + i * 4, w[ulp + ULP.tid]!, true);
      });
      return found.length;
    },
  };
}

/** ULPs that are not to be ended when the virtual machine is reset. */
function noResets(w: Int32Array<SharedArrayBuffer>): UlpAt[] {
  return Array.from({ length: Atomics.load(w, HEAD.ulps) }, (_, index) => ulpAt(w, index)).filter(
    (ulp) =>
      ulp !== 0 && getState(w, ulp) !== ULP_STATE.exited && (w[ulp + ULP.flags]! & ULP_FLAG.noReset) !== 0,
  );
}
