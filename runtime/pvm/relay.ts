/**
 * Messages to tasks of other jobs of the virtual machine: by way of it, as PVM's go by its daemons.
 *
 * Owns: HEAD.relayed, and which tids are another job's. Processes of different jobs have no links to each other; such
 * messages are few. They keep their order; the encoding of their buffer is lost, which is the same bytes as any other here.
 * Bounded: who finds LIMITS.relayBytes on their way waits, engine and all, until some have been passed on; after
 * LIMITS.outboxWaitMs its message is refused.
 */
import { HEAD, STOP, ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { PVM_ERROR, TID_BASE } from "../../wire/pvm.ts";
import type { RequestBody } from "../../wire/requests.ts";
import { COUNTER, count, type EngineState } from "../scheduler/engine-state.ts";
import type { UlpAt } from "../scheduler/state.ts";
import { mayExceed } from "../scheduler/turn.ts";
import { asksMachine, tell } from "./ask.ts";
import { isTaskTid } from "./tids.ts";

/** HEAD.relayed counts in these, bytes: one message may be nearly as long as the heap. */
const UNIT_BYTES = 64;

/** What a message counts. Taken off by who has passed it on (upvm/host-process.ts). */
export function relayUnits(bytes: number): number {
  return 1 + Math.ceil(bytes / UNIT_BYTES);
}

/** True if a tid is a task's of another job, and the virtual machine may know it. */
export function isOfOtherJob(e: EngineState, tid: number): boolean {
  return asksMachine(e) && isTaskTid(tid) && (tid & -TID_BASE) !== e.w[HEAD.tidBase];
}

/** True if a message of so many bytes to another job finds room, and leaves some; or if it is alone. */
export function fitsRelay(w: Int32Array, bytes: number): boolean {
  const held = Atomics.load(w, HEAD.relayed);
  return held === 0 || held + relayUnits(bytes) < LIMITS.relayBytes / UNIT_BYTES;
}

/** True if so much is on its way to other jobs that ULPs have to wait. */
export function isRelayFull(w: Int32Array): boolean {
  return Atomics.load(w, HEAD.relayed) >= LIMITS.relayBytes / UNIT_BYTES;
}

/** Sends a message of the running ULP. Borrows `gbid`. @returns 0; PvmNoMem: too much is on its way, or the process stops */
export function relay(
  e: EngineState,
  to: number,
  tag: number,
  gbid: number,
  bytes: number,
  wid: number,
): number {
  const data = new Uint8Array(bytes);
  if (bytes > 0) e.pack.copyOut(gbid, 0, data, 0, bytes);
  return relayBytes(e, e.current, { to, tag, wid, context: e.w[e.current + ULP.context]!, data });
}

/** As relay, of any ULP of this engine, what is not in a buffer. */
function relayBytes(e: EngineState, ulp: UlpAt, message: RequestBody<"relay">): number {
  const { w, edge } = e;
  const most = LIMITS.relayBytes / UNIT_BYTES;
  if (edge.turn !== undefined && isRelayFull(w) && !mayExceed(e, Atomics.load(w, HEAD.relayed) < 2 * most))
    return PVM_ERROR.PvmNoMem.code;
  const until = edge.now() + LIMITS.outboxWaitMs;
  for (let held = Atomics.load(w, HEAD.relayed); held >= most; held = Atomics.load(w, HEAD.relayed)) {
    if (edge.turn !== undefined) break;
    const now = edge.now();
    if (now >= until || Atomics.load(w, HEAD.stop) !== STOP.none) return PVM_ERROR.PvmNoMem.code;
    edge.wait(HEAD.relayed, held, until - now);
  }
  Atomics.add(w, HEAD.relayed, relayUnits(message.data.length));
  tell(e, ulp, "relay", message);
  return 0;
}

/** Sends a trace message of a ULP to another job's task; one that finds no room is dropped, and counted. False: it is none's. */
export function relayTrace(
  e: EngineState,
  ulp: UlpAt,
  to: number,
  tag: number,
  context: number,
  data: Uint8Array,
): boolean {
  if (!isOfOtherJob(e, to)) return false;
  // The request is on its way when the bytes are written over.
  const message = { to, tag, wid: 0, context, data: data.slice() };
  if (relayBytes(e, ulp, message) < 0) count(e, COUNTER.dropped, 1);
  return true;
}
