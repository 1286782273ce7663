/**
 * The scheduler of one engine: which ULP runs next, steps i–iv of the paper's 3.2.4.
 *
 * Owns: the loop, and ENGINE.current / CTL.current. What a ULP does while it runs is in the calls
 * (runtime/pvm/); when it cannot go on, its call has put it into the wait queue or the run queue, and the
 * loop takes the next.
 *
 *     i    the source that a blocking receive names, if it is runnable and here      (e.handoff)
 *     ii   the head of the run queue
 *     iii  all ULPs have ended: the process ends                                     (end.ts)
 *     iv   look for work, ask for work, sleep                                        (idle.ts)
 *
 * Between two ULPs it takes what other threads have put here: wakes, parcels, deadlines that have passed.
 */
import {
  CTL as CTL_TABLE,
  ENGINE as ENGINE_TABLE,
  HEAD as HEAD_TABLE,
  STOP as STOP_TABLE,
  ULP_FLAG as ULP_FLAG_TABLE,
  ULP_STATE as ULP_STATE_TABLE,
  ULP as ULP_TABLE,
} from "../../wire/layout.ts";
import { LIMITS as LIMITS_TABLE } from "../../wire/limits.ts";
import { PVM_CONSTANT } from "../../wire/pvm.ts";
import { recheck, timeOut } from "./blocking.ts";
import { ukill, uterminate } from "./end.ts";
import {
  COUNTER as COUNTER_TABLE,
  count,
  type EngineState,
  type FreezeParcel,
  type NoticeParcel,
  type Parcel,
  type StopParcel,
} from "./engine-state.ts";
import { idle } from "./idle.ts";
import { uload, usave } from "./load.ts";
import { demandAttention, nextWake, ring, takeWakes } from "./mailbox.ts";
import { freeSpareMessages } from "./messages.ts";
import { newBuffer } from "./outside.ts";
import { post } from "./post.ts";
import { append, initQueue, isQueued, remove, takeFirst, ulpAt } from "./queue.ts";
import { getState, isMigrating, setState, type UlpAt } from "./state.ts";
import { isTurnOver, lookOften } from "./turn.ts";

// V8 folds the fields of a constant of this file into its code, those of an import it loads (1.5 times
// slower).
const CTL = CTL_TABLE;
const ENGINE = ENGINE_TABLE;
const HEAD = HEAD_TABLE;
const STOP = STOP_TABLE;
const ULP = ULP_TABLE;
const ULP_FLAG = ULP_FLAG_TABLE;
const ULP_STATE = ULP_STATE_TABLE;
const LIMITS = LIMITS_TABLE;
const COUNTER = COUNTER_TABLE;

/** Exit code of a ULP that trapped, as a shell has it for SIGABRT. */
const TRAP_EXIT_CODE = 134;

/**
 * Puts the ULPs that begin on this engine into its run queue, in order of creation. Before run(). Not those that others have
 * spawned meanwhile: they are woken, unless a tasker is still to let them run.
 */
export function startQueues(e: EngineState): void {
  const w = e.w;
  initQueue(w, e.runq);
  initQueue(w, e.waitq);
  w[e.row + ENGINE.current] = -1;
  const ulps = w[HEAD.firstUlps]!;
  for (let index = 0; index < ulps; index++) {
    const ulp = ulpAt(w, index);
    // Others may have sent ULPs here before this engine began: those come by mail.
    if (ulp === 0 || w[ulp + ULP.engine] !== e.index || w[ulp + ULP.state] !== ULP_STATE.unInit) continue;
    append(w, e.runq, ulp);
  }
}

/**
 * Runs ULPs until the process stops.
 *
 * What other threads write is read without Atomics here, which V8 calls out of line (17 ns each, measured): a
 * word that is seen too late is seen the next time round, and before the engine sleeps Atomics look at it
 * (idle.ts).
 */
export function run(e: EngineState): void {
  // A shuffled engine is called by every poll; each call sees to the next.
  if (e.options.shuffle !== 0) demandAttention(e.ctl[e.index]!);
  while (e.w[HEAD.stop] === STOP.none) if (runTurn(e)) idle(e);
  endEngine(e);
}

/**
 * Runs ULPs until none can run, the process stops, or the engine's turn is over (turn.ts).
 *
 * @returns true: none can run
 */
export function runTurn(e: EngineState): boolean {
  const { w, row } = e;
  // A turn may be short, and followed by the next at once: each begins with a look.
  let clock: number = e.edge.turn === undefined ? LIMITS.switchesPerClock : 1;
  while (w[HEAD.stop] === STOP.none) {
    if (w[row + ENGINE.wakes] !== 0) serveWakes(e);
    if (w[row + ENGINE.mail] !== 0) serveMail(e);
    if (e.deferred.length !== 0) serveDeferred(e);
    if (e.timers.length !== 0) {
      lookOften(e);
      if (--clock <= 0) {
        serveTimers(e);
        clock = LIMITS.switchesPerClock;
      }
    }
    if ((w[HEAD.beggars]! | w[HEAD.beggars + 1]!) !== 0) e.moves.give(e, false);
    if (isTurnOver(e) && w[row + ENGINE.runnable] !== 0) return false;
    const ulp = pick(e);
    if (ulp !== 0) dispatch(e, ulp);
    else {
      serveTimers(e);
      if (w[row + ENGINE.runnable] === 0) return true;
    }
  }
  return false;
}

/** The process stops: no ULP is running any more. */
export function endEngine(e: EngineState): void {
  e.current = 0 as UlpAt;
  e.w[e.row + ENGINE.current] = -1;
  freeSpareMessages(e.w, e.arena, e.row);
}

/** Steps i and ii. 0: nobody is runnable. The ULP is in no queue afterwards. */
export function pick(e: EngineState): UlpAt {
  const w = e.w;
  const source = e.handoff;
  if (source !== 0) {
    e.handoff = 0 as UlpAt;
    // Other ULPs have their turn now and then, however long two hand over to each other.
    const turn = ++e.handoffsInARow < LIMITS.handoffsInARow && e.options.handoff;
    if (turn && w[source + ULP.state] === ULP_STATE.runnable) {
      count(e, COUNTER.handoffs, 1);
      remove(w, e.runq, source);
      return source;
    }
  }
  e.handoffsInARow = 0;
  return takeFirst(w, e.runq);
}

/** Runs one ULP until it blocks, yields, is preempted or ends. */
export function dispatch(e: EngineState, ulp: UlpAt): void {
  const w = e.w;
  setState(w, ulp, ULP_STATE.running);
  e.current = ulp;
  if (ulp !== e.lastRun) {
    e.lastRun = ulp;
    e.computesSinceMs = 0;
  }
  e.yieldAtPoll = false;
  w[e.row + ENGINE.running] = ulp << 2;
  w[e.row + ENGINE.current] = w[ulp + ULP.index]!;
  e.ctl[e.index]![CTL.current >> 2] = ulp << 2;
  w[e.row + ENGINE.running] = ulp << 2;
  w[ulp + ULP.switches] = w[ulp + ULP.switches]! + 1;
  count(e, COUNTER.switches, 1);
  let top = 0;
  try {
    top = uload(e, ulp);
  } catch (error) {
    failed(e, ulp, error);
    return;
  }
  if (top === 0) {
    uterminate(e, ulp, w[ulp + ULP.exitCode]!);
    return;
  }
  usave(e, ulp, top);
  if (e.options.shuffle !== 0) e.moves.shuffle(e, ulp);
}

/** A ULP's program has thrown: its own proc_exit, a trap, or a limit of upvm. Other ULPs go on. */
function failed(e: EngineState, ulp: UlpAt, error: unknown): void {
  const w = e.w;
  if ((w[ulp + ULP.flags]! & ULP_FLAG.exiting) !== 0) {
    uterminate(e, ulp, w[ulp + ULP.exitCode]!);
    return;
  }
  if (!(error instanceof Error) || error.name === "AssertionError" || error instanceof TypeError) throw error;
  const index = w[ulp + ULP.index]!;
  const { message, stack = "" } = error;
  const trap = error instanceof WebAssembly.RuntimeError ? e.contexts[index]?.trapText() : undefined;
  e.edge.failed({ index, message: trap ?? message, stack });
  uterminate(e, ulp, TRAP_EXIT_CODE);
}

/** Takes the ULPs that other threads have woken, or made, for this engine. */
export function serveWakes(e: EngineState): void {
  const w = e.w;
  for (let ulp = takeWakes(e); ulp !== 0; ) {
    const next = nextWake(w, ulp);
    const state = getState(w, ulp);
    if (state === ULP_STATE.unInit && !isQueued(w, ulp)) append(w, e.runq, ulp);
    else if (state === ULP_STATE.blocked && !e.deliverArrived(ulp)) recheck(e, ulp);
    ulp = next;
  }
}

/** Takes the parcels that were sent here. */
export function serveMail(e: EngineState): void {
  while (Atomics.load(e.w, e.row + ENGINE.mail) !== 0) {
    const parcel = e.edge.receive();
    if (parcel === undefined) return;
    open(e, parcel);
    // Only now: until then the process is not idle.
    Atomics.sub(e.w, e.row + ENGINE.mail, 1);
  }
}

function open(e: EngineState, parcel: Parcel): void {
  switch (parcel.kind) {
    case "ulp":
      e.moves.adopt(e, parcel);
      break;
    case "program":
      e.programs[parcel.program.id] = parcel.program;
      break;
    case "answer":
      e.answer(e, parcel);
      break;
    case "exec":
      e.exec(e, parcel);
      return;
    case "create":
      e.create(e, parcel);
      break;
    case "notice":
      deliverNotice(e, parcel);
      break;
    case "stop":
      stopUlp(e, parcel);
      break;
    case "freeze":
      freezeUlp(e, parcel);
      break;
    case "stays":
      throw new Error("bug: only the process's own thread is told that a ULP stays");
  }
}

/** A parcel about a ULP that has moved to another engine, or to the process's own thread, goes after it. */
export function forward(e: EngineState, engine: number, parcel: Parcel): void {
  e.edge.send(engine, parcel);
  if (engine === e.engines) return;
  Atomics.add(e.w, e.heap.engineRow(engine) + ENGINE.mail, 1);
  ring(e, engine);
  if (parcel.kind === "stop" || parcel.kind === "freeze") demandAttention(e.ctl[engine]!);
}

/** Sends a message of the virtual machine to a ULP; if there is no room for it, it is dropped, counted as that, and told. */
function deliverNotice(e: EngineState, parcel: NoticeParcel): void {
  const { index, src, tag, context, wid, data } = parcel;
  const ulp = ulpAt(e.w, index);
  if (getState(e.w, ulp) === ULP_STATE.exited) return;
  const engine = Atomics.load(e.w, ulp + ULP.engine);
  if (engine !== e.index) {
    forward(e, engine, parcel);
    return;
  }
  const gbid = parcel.dropped === true ? 0 : newBuffer(e, PVM_CONSTANT.PvmDataDefault, data);
  if (gbid === 0 || post(e, src, ulp, tag, gbid, data.length, context, wid) < 0) {
    count(e, COUNTER.dropped, 1);
    e.undelivered(e, ulp, parcel);
  }
  if (gbid !== 0) e.gb.gdecref(gbid);
}

/** Ends a ULP; one that runs just now is ended at its next poll or wait, one on its way here when it is here. */
function stopUlp(e: EngineState, parcel: StopParcel): void {
  const { w } = e;
  const ulp = ulpAt(w, parcel.index);
  const state = getState(w, ulp);
  if (state === ULP_STATE.exited) return;
  const engine = Atomics.load(w, ulp + ULP.engine);
  if (engine !== e.index) forward(e, engine, parcel);
  else if (state === ULP_STATE.running || isMigrating(w, ulp)) {
    e.deferred.push(parcel);
    demandAttention(e.ctl[e.index]!);
  } else ukill(e, ulp, parcel.signum);
}

/**
 * Gives a ULP to the process's own thread, in whatever state it is; one that runs just now at its next poll or wait. That is
 * the deferral of the paper's 3.2.7: a routine of the library is never left in its middle.
 */
function freezeUlp(e: EngineState, parcel: FreezeParcel): void {
  const { w } = e;
  const { index } = parcel;
  const ulp = ulpAt(w, index);
  const state = getState(w, ulp);
  const engine = Atomics.load(w, ulp + ULP.engine);
  if (state === ULP_STATE.exited) e.edge.send(e.engines, { kind: "stays", index, why: "ended" });
  else if (engine !== e.index) forward(e, engine, parcel);
  else if (state === ULP_STATE.running || isMigrating(w, ulp)) {
    e.deferred.push(parcel);
    demandAttention(e.ctl[e.index]!);
  } else {
    const done = e.moves.freeze(e, ulp);
    if (done === "later") e.deferred.push(parcel);
    else if (done !== "frozen") e.edge.send(e.engines, { kind: "stays", index, why: done });
  }
}

/** Obeys what could not be obeyed when it came. */
function serveDeferred(e: EngineState): void {
  for (const parcel of e.deferred.splice(0)) {
    if (parcel.kind === "stop") stopUlp(e, parcel);
    else freezeUlp(e, parcel);
  }
}

/** Wakes the ULPs whose deadline has passed: a timed receive returns 0, so does a sleep. */
export function serveTimers(e: EngineState): void {
  if (e.timers.length === 0) return;
  const now = e.edge.now();
  while (e.timers.nextMs <= now) {
    const ulp = ulpAt(e.w, e.timers.nextIndex);
    // One that another thread has claimed comes by way of the wakes, which are served next.
    if (!timeOut(e, ulp, 0)) return;
  }
}
