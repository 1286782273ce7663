/**
 * What a ULP is doing, in words: for the deadlock report, Ctrl-C and `--dump`.
 *
 * Owns: the wording. Reads descriptors; on another thread than the ULP's engine it may see two moments mixed.
 */
import { ULP, ULP_STATE, WAIT } from "../../wire/layout.ts";
import { tidText } from "../../wire/pvm.ts";
import { REQUEST, REQUEST_KINDS } from "../../wire/requests.ts";
import { awaitsService } from "./blocking.ts";
import { ANY } from "./messages.ts";
import { isMeeting, meetingText } from "./rendezvous.ts";
import { getState, type UlpAt } from "./state.ts";
import { ulpOf } from "./ulp.ts";

/** The call that each kind of wait is in. */
const CALL: Readonly<Record<number, string>> = {
  [WAIT.recv]: "pvm_recv",
  [WAIT.trecv]: "pvm_trecv",
  [WAIT.precv]: "pvm_precv",
};

/** What a running ULP does. */
export const RUNS = "runs";

/** `waits in pvm_recv for tag 7 from t40001 (exited)`, `runs`, `is runnable`. */
export function doingText(w: Int32Array<SharedArrayBuffer>, ulp: UlpAt): string {
  switch (getState(w, ulp)) {
    case ULP_STATE.unInit:
      return "has not begun";
    case ULP_STATE.running:
      return RUNS;
    case ULP_STATE.runnable:
      return "is runnable";
    case ULP_STATE.exited:
      return "has ended";
    default:
      return waitText(w, ulp);
  }
}

function waitText(w: Int32Array<SharedArrayBuffer>, ulp: UlpAt): string {
  const kind = w[ulp + ULP.wait]!;
  if (kind === WAIT.sleep) return "sleeps";
  if (isMeeting(w, ulp)) return meetingText(w, ulp);
  if (kind === WAIT.io) return "waits for input or output";
  const tag = w[ulp + ULP.waitTag]!;
  if (awaitsService(w, ulp))
    return `waits in ${REQUEST[REQUEST_KINDS[tag]!].routine} for the virtual machine`;
  const tid = w[ulp + ULP.waitTid]!;
  const what = tag === ANY ? "any tag" : `tag ${tag}`;
  const whom = tid === ANY ? "any task" : sourceText(w, tid);
  return `waits in ${CALL[kind] ?? "a call"} for ${what} from ${whom}`;
}

/** A tid and why nothing can come from it, if so. */
function sourceText(w: Int32Array<SharedArrayBuffer>, tid: number): string {
  const source = ulpOf(w, tid);
  if (source === 0) return `${tidText(tid)} (there is no such task)`;
  return getState(w, source) === ULP_STATE.exited ? `${tidText(tid)} (exited)` : tidText(tid);
}
