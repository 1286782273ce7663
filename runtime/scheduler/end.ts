/**
 * The end of a ULP: everything that it has goes back. (Table I: uterminate)
 *
 * Owns: what is freed and in which order. A ULP ends in any state: by return, pvm's proc_exit, a trap in its
 * code, or because the process stops. Its descriptor stays (ulp.ts), with state Exited and its exit code.
 */
import { ENGINE, HEAD, STOP, ULP, ULP_FLAG, ULP_STATE } from "../../wire/layout.ts";
import type { Arena } from "../heap/arena.ts";
import type { Btab } from "../heap/btab.ts";
import type { Gbdesc } from "../heap/gbdesc.ts";
import type { EngineState } from "./engine-state.ts";
import { forgetGroups, groups } from "./groups.ts";
import { closeInbox, demandAttention, type Ringer, ring } from "./mailbox.ts";
import { dropMessages } from "./messages.ts";
import { flushAll } from "./output.ts";
import { endOutput } from "./output-messages.ts";
import { isQueued, remove } from "./queue.ts";
import { getState, setState, type UlpAt } from "./state.ts";
import { announceEnd } from "./trace.ts";
import { ufreeAll } from "./uheap.ts";
import { clearWait } from "./unblock.ts";

/** Who may end ULPs: the engine that has it, or the process's own thread when no engine runs any more. */
export interface Ender {
  readonly w: Int32Array<SharedArrayBuffer>;
  readonly arena: Arena;
  readonly gb: Gbdesc;
  readonly btab: Btab;
}

/** Gives back messages, buffers, frames and saved state of a ULP. State Exited. */
export function release(o: Ender, ulp: UlpAt): void {
  closeInbox(o.w, ulp);
  forgetGroups(o, ulp);
  dropMessages(o.w, o.arena, o.gb, ulp);
  o.btab.dispose(ulp);
  ufreeAll(o, ulp);
  o.w[ulp + ULP.moreAt] = 0;
  o.w[ulp + ULP.traceAt] = 0;
  setState(o.w, ulp, ULP_STATE.exited);
  Atomics.sub(o.w, HEAD.live, 1);
}

/**
 * Ends a ULP of this engine; the last one of the process ends the process.
 *
 * @param exitCode  0: well
 */
export function uterminate(e: EngineState, ulp: UlpAt, exitCode: number): void {
  const w = e.w;
  const state = getState(w, ulp);
  groups.left(e, ulp);
  if (e.handoff === ulp) e.handoff = 0 as UlpAt;
  if (isQueued(w, ulp)) remove(w, state === ULP_STATE.blocked ? e.waitq : e.runq, ulp);
  clearWait(e, ulp);
  w[ulp + ULP.waiting] = 0;
  w[ulp + ULP.exitCode] = exitCode;
  if (exitCode !== 0) w[ulp + ULP.flags] = w[ulp + ULP.flags]! | ULP_FLAG.failed;
  flushAll(e, ulp);
  endOutput(e, ulp);
  announceEnd(e, ulp);
  dropContext(e, w[ulp + ULP.index]!);
  release(e, ulp);
  // After its inbox was closed: who sets tellEnd looks at that afterwards (upvm/local-host.ts), so one of the two sees.
  if (Atomics.load(w, ulp + ULP.tellEnd) !== 0) e.ended(e, ulp);
  if (w[HEAD.machine] !== 0) e.edge.exited(w[ulp + ULP.index]!);
  if (Atomics.load(w, HEAD.live) === 0) stopProcess(e, STOP.done);
}

/** Ends a ULP of this engine for a signal: it has not failed. It must not be on the processor. */
export function ukill(e: EngineState, ulp: UlpAt, signum: number): void {
  e.w[ulp + ULP.killed] = signum;
  uterminate(e, ulp, 0);
}

/** The instance and the memory go, if nothing else holds them. */
function dropContext(e: EngineState, index: number): void {
  const context = e.contexts[index];
  if (context !== undefined) e.copier.forget(context.memory);
  e.fileHandles?.forget(index);
  e.contexts[index] = undefined;
}

/** What stopProcess needs of an engine or of the process's own thread. */
export interface Stopper extends Ringer {
  readonly ctl: readonly Int32Array<SharedArrayBuffer>[];
}

/** Stops all engines, for the first reason that anyone gives. */
export function stopProcess(o: Stopper, reason: (typeof STOP)[keyof typeof STOP]): void {
  if (Atomics.compareExchange(o.w, HEAD.stop, STOP.none, reason) !== STOP.none) return;
  // Or for room in the outbox.
  Atomics.notify(o.w, HEAD.outboxUnits);
  o.ctl.forEach((ctl, engine) => {
    demandAttention(ctl);
    ring(o, engine);
    // An engine may wait for something else than its bell is about to tell: none sleeps through the end.
    Atomics.add(o.w, o.heap.engineRow(engine) + ENGINE.bell, 1);
    Atomics.notify(o.w, o.heap.engineRow(engine) + ENGINE.bell);
  });
}
