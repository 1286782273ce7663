/**
 * What a linked module asks of its engine, apart from PVM: `upvm.poll`, `upvm.frames`; and pvm_yield.
 *
 * Owns: what a poll does, and who gives way. A poll is called when someone has set CTL.attention of this
 * engine: for a time slice, to stop, to ask for a ULP, to see whether others wait.
 */
import {
  ATTENTION,
  CTL as CTL_TABLE,
  ENGINE as ENGINE_TABLE,
  HEAD as HEAD_TABLE,
  STOP as STOP_TABLE,
  SUSPEND,
  ULP_FLAG as ULP_FLAG_TABLE,
  ULP_STATE as ULP_STATE_TABLE,
  ULP as ULP_TABLE,
} from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { serveMail, serveTimers, serveWakes } from "../scheduler/engine.ts";
import { COUNTER as COUNTER_TABLE, count, type EngineState } from "../scheduler/engine-state.ts";
import { growFrames } from "../scheduler/load.ts";
import { append, prepend } from "../scheduler/queue.ts";
import { setState } from "../scheduler/state.ts";
import { isTurnOverAtPoll, lookedInVain } from "../scheduler/turn.ts";

// V8 folds the fields of a constant of this file into its code, those of an import it loads (1.5 times
// slower).
const CTL = CTL_TABLE;
const ENGINE = ENGINE_TABLE;
const HEAD = HEAD_TABLE;
const STOP = STOP_TABLE;
const ULP = ULP_TABLE;
const ULP_FLAG = ULP_FLAG_TABLE;
const ULP_STATE = ULP_STATE_TABLE;
const COUNTER = COUNTER_TABLE;

/** The running ULP goes to the tail of the run queue; its import returns SUSPEND, or 1 from a poll. */
function giveWay(e: EngineState): void {
  setState(e.w, e.current, ULP_STATE.runnable);
  append(e.w, e.runq, e.current);
}

/** As giveWay, for a ULP that did not ask for it: it goes on in the middle of its code. */
function preempt(e: EngineState): number {
  markPreempted(e);
  giveWay(e);
  return 1;
}

/** The engine's turn is over: the ULP goes on in the next one, before others. */
function pause(e: EngineState): number {
  markPreempted(e);
  setState(e.w, e.current, ULP_STATE.runnable);
  prepend(e.w, e.runq, e.current);
  return 1;
}

/**
 * True if others have waited for their turn while one ULP computed. Without --slice it has its engine as long as it
 * does not wait; but what the others do may be what it computes for: PVM's tasks share a processor.
 */
function lastsTooLong(e: EngineState): boolean {
  const now = e.edge.now();
  if (e.computesSinceMs === 0) e.computesSinceMs = now;
  return now - e.computesSinceMs >= LIMITS.starvedMs;
}

function markPreempted(e: EngineState): void {
  const flags = e.current + ULP.flags;
  e.w[flags] = e.w[flags]! | ULP_FLAG.preempted;
}

/** Takes what other threads have put here while a ULP was running. */
function serve(e: EngineState): void {
  if (Atomics.load(e.w, e.row + ENGINE.wakes) !== 0) serveWakes(e);
  if (Atomics.load(e.w, e.row + ENGINE.mail) !== 0) serveMail(e);
  serveTimers(e);
}

export function engineCalls(e: EngineState) {
  const { w } = e;
  const ctl = e.ctl[e.index]!;
  return {
    /** 1: the ULP must suspend itself now. */
    poll(): number {
      const why = Atomics.exchange(ctl, CTL.attention >> 2, e.options.shuffle === 0 ? 0 : ATTENTION.look);
      count(e, COUNTER.polls, 1);
      const stop = Atomics.load(w, HEAD.stop);
      if (stop !== STOP.none) {
        if (stop === STOP.interrupted) e.edge.interrupted(w[e.current + ULP.index]!, new Error().stack ?? "");
        return preempt(e);
      }
      serve(e);
      if (e.deferred.length !== 0) return preempt(e);
      const yields = e.yieldAtPoll || why === ATTENTION.slice;
      e.yieldAtPoll = false;
      if (why === ATTENTION.sample) e.edge.sampled(w[e.current + ULP.index]!, new Error().stack ?? "");
      if (why === ATTENTION.give) e.moves.give(e, true);
      if (e.options.shuffle !== 0) return preempt(e);
      if (w[e.row + ENGINE.runnable]! > 0 && (lastsTooLong(e) || yields)) return preempt(e);
      return isTurnOverAtPoll(e) ? pause(e) : 0;
    },
    frames(need: number): number {
      return growFrames(e, need);
    },
    /**
     * 1: the pack position has room for `bytes` bytes in one segment. 0: pvm_pk* itself must say what is
     * wrong.
     */
    pack_room(bytes: number): number {
      return bytes > 0 && e.pack.packRoom(e.current, bytes) === 0 ? 1 : 0;
    },
    /**
     * 1: `bytes` bytes can be read from the unpack position on, in one segment. 0: pvm_upk* has to piece them
     * together.
     */
    unpack_room(bytes: number): number {
      return bytes > 0 && e.pack.unpackRoom(e.current, bytes) === 0 ? 1 : 0;
    },
  };
}

export function yieldCalls(e: EngineState) {
  const { w } = e;
  return {
    pvm_yield(): number {
      if (w[e.row + ENGINE.runnable] === 0) {
        serve(e);
        if (w[e.row + ENGINE.runnable] === 0 && Atomics.load(w, HEAD.stop) === STOP.none) {
          lookedInVain(e);
          return 0;
        }
      }
      w[e.current + ULP.result] = 0;
      giveWay(e);
      return SUSPEND;
    },
  };
}
