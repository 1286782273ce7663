/**
 * ULPs that change their engine, inside one process.
 *
 * Owns: HEAD.beggars, who gives what to whom, and what a ULP has outside the shared heap: its memory, which
 * both engines map, its globals and tables, output that waits for its newline. Nothing of the memory is
 * copied.
 *
 * An engine with nothing to run sets its bit in HEAD.beggars. An engine with ULPs to spare, at its next
 * switch, clears a bit and gives that engine half of them. An engine that does not switch because a ULP
 * computes is asked by its attention word and gives at the next poll, when a ULP has waited
 * LIMITS.stealAgainMs or more: not at once, since most ULPs that become runnable run within a microsecond,
 * beside what they have in the caches.
 *
 * Between the giver's last word and the taker's first the ULP is marked Migrating and the taker's: messages
 * go into its queue or inbox as to any other, nobody runs it, nobody wakes it.
 *
 * The process's own thread takes ULPs in the same way, to freeze them (freezer.ts). It is "engine" HEAD.engines.
 */
import { ATTENTION, BLOCK_KIND, ENGINE, HEAD, ULP, ULP_FLAG, ULP_STATE, WAIT } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { recheck } from "../scheduler/blocking.ts";
import { Context } from "../scheduler/context.ts";
import {
  COUNTER,
  count,
  deadlineOf,
  type EngineState,
  type Moves,
  type UlpParcel,
} from "../scheduler/engine-state.ts";
import { claimWake, demandAttention, ring } from "../scheduler/mailbox.ts";
import { queueFront } from "../scheduler/messages.ts";
import { append, isQueued, last, remove, ulpAt } from "../scheduler/queue.ts";
import { arriveMeeting, departMeeting, isMeeting } from "../scheduler/rendezvous.ts";
import { getState, isMigrating, setMigrating, type UlpAt } from "../scheduler/state.ts";
import { saveTables } from "../scheduler/tables.ts";
import { umalloc } from "../scheduler/uheap.ts";
import { usetremote } from "../scheduler/ulp.ts";

const beggarWord = (engine: number): number => HEAD.beggars + (engine >> 5);
const beggarBit = (engine: number): number => 1 << (engine & 31);

/** Clears a beggar's bit: who does so must give. -1: nobody begs. */
function claimBeggar(e: EngineState): number {
  for (let engine = 0; engine < e.engines; engine++) {
    if (engine === e.index) continue;
    const bit = beggarBit(engine);
    if ((Atomics.load(e.w, beggarWord(engine)) & bit) === 0) continue;
    if ((Atomics.and(e.w, beggarWord(engine), ~bit) & bit) !== 0) return engine;
  }
  return -1;
}

/**
 * Sends a ULP that is runnable, blocked and claimed, or not yet begun, to another engine. It leaves its
 * queue.
 *
 * @returns false: the heap has no room for its globals; it stays
 */
export function sendUlp(e: EngineState, ulp: UlpAt, to: number): boolean {
  const w = e.w;
  const index = w[ulp + ULP.index]!;
  const context = e.contexts[index];
  let tables = context?.tables ?? [];
  if (context?.linked !== undefined) {
    const program = e.programs[w[ulp + ULP.module]!]!;
    const at = umalloc(e, ulp, Math.max(program.stateBytes, 1), BLOCK_KIND.saved);
    if (at === 0) return false;
    context.linked.upvm_save(at);
    w[ulp + ULP.savedAt] = at;
    tables = saveTables(context.linked, program.tables);
  }
  remove(w, getState(w, ulp) === ULP_STATE.blocked ? e.waitq : e.runq, ulp);
  e.timers.remove(index);
  if (e.handoff === ulp) e.handoff = 0 as UlpAt;
  if (!isMigrating(w, ulp)) setMigrating(w, ulp, true);
  e.contexts[index] = undefined;
  if (context !== undefined) {
    e.copier.forget(context.memory);
    // The engine imported it last: nothing here keeps it alive.
    if (e.imports.upvm["memory"] === context.memory) delete e.imports.upvm["memory"];
  }
  e.fileHandles?.forget(index);
  const held = (context?.held ?? []).map((line) => line?.bytes.slice(0, line.used));
  usetremote(e, ulp, to);
  e.edge.send(to, {
    kind: "ulp",
    index,
    memory: context?.memory,
    held,
    closed: context?.closed ?? 0,
    files: context?.files,
    tables,
  });
  if (to !== e.engines) {
    Atomics.add(w, e.heap.engineRow(to) + ENGINE.mail, 1);
    ring(e, to);
  }
  count(e, COUNTER.moves, 1);
  return true;
}

/** Waits that a message ends: who wakes the ULP claims it first. */
const CLAIMED: readonly (number | undefined)[] = [WAIT.recv, WAIT.trecv, WAIT.precv, WAIT.attended];

/** Gives a ULP that is not running to the process's own thread: see Moves.freeze. */
function freeze(e: EngineState, ulp: UlpAt): ReturnType<Moves["freeze"]> {
  const { w } = e;
  const state = getState(w, ulp);
  if (state === ULP_STATE.unInit && !isQueued(w, ulp)) return "held";
  const waits = state === ULP_STATE.blocked;
  const meets = waits && isMeeting(w, ulp);
  const claims = waits && CLAIMED.includes(w[ulp + ULP.wait]);
  if (meets ? !departMeeting(e, ulp) : claims && !claimWake(e, ulp)) return "later";
  if (sendUlp(e, ulp, e.engines)) return "frozen";
  // It is claimed, and goes on waiting.
  if (meets) arriveMeeting(e, ulp);
  else if (claims) recheck(e, ulp);
  return "memory";
}

/** Takes in a ULP that was sent here: into the queue of the state it has. */
function adopt(e: EngineState, parcel: UlpParcel): void {
  const w = e.w;
  const ulp = ulpAt(w, parcel.index);
  if (parcel.memory !== undefined) {
    const context = new Context(parcel.memory);
    parcel.held.forEach((bytes, fd) => {
      if (bytes !== undefined && bytes.length > 0)
        context.held[fd] = { bytes: bytes.slice(), used: bytes.length };
    });
    context.closed = parcel.closed;
    context.files = parcel.files?.slice();
    context.tables = parcel.tables;
    e.contexts[parcel.index] = context;
  }
  queueFront(w, ulp);
  if (getState(w, ulp) !== ULP_STATE.blocked) {
    setMigrating(w, ulp, false);
    append(w, e.runq, ulp);
    return;
  }
  append(w, e.waitq, ulp);
  if (isMeeting(w, ulp)) {
    arriveMeeting(e, ulp);
    return;
  }
  setMigrating(w, ulp, false);
  if ((w[ulp + ULP.flags]! & ULP_FLAG.outside) !== 0) e.timers.add(parcel.index, deadlineOf(e, ulp));
  // A sleeper and one that waits for an answer are not woken by messages.
  if (CLAIMED.includes(w[ulp + ULP.wait])) recheck(e, ulp);
}

/**
 * Half of the ULPs that would have to wait, from the tail of the run queue; those last queued are the
 * coldest.
 */
function give(e: EngineState, running: boolean): void {
  const w = e.w;
  const spare = w[e.row + ENGINE.runnable]! - (running ? 0 : 1);
  if (spare <= 0) return;
  const to = claimBeggar(e);
  if (to < 0) return;
  for (let n = Math.min((spare + 1) >> 1, LIMITS.ulpsPerGift); n > 0; n--) {
    const ulp = last(w, e.runq);
    if (ulp === e.handoff || !sendUlp(e, ulp, to)) return;
  }
}

function beg(e: EngineState): void {
  Atomics.or(e.w, beggarWord(e.index), beggarBit(e.index));
  e.lookAgainMs = LIMITS.stealAgainMs;
}

/** Asks the engines that have a runnable ULP and have not switched since the last look. */
function look(e: EngineState): number {
  for (let engine = 0; engine < e.engines; engine++) {
    if (engine === e.index) continue;
    const row = e.heap.engineRow(engine);
    const switches = e.f64[(row >> 1) + COUNTER.switches]!;
    if (Atomics.load(e.w, row + ENGINE.runnable) > 0 && switches === e.switchesSeen[engine])
      demandAttention(e.ctl[engine]!, ATTENTION.give);
    e.switchesSeen[engine] = switches;
  }
  const wait = e.lookAgainMs;
  e.lookAgainMs = Math.min(2 * wait, LIMITS.stealAgainMsMax);
  return wait;
}

function thank(e: EngineState): void {
  Atomics.and(e.w, beggarWord(e.index), ~beggarBit(e.index));
}

/** Next number of a seeded sequence (xorshift32), kept in the engine. */
function nextRandom(e: EngineState): number {
  let x = e.shuffleState;
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  e.shuffleState = x;
  return x >>> 0;
}

/** For tests: half of the ULPs that are suspended here go on elsewhere, in whatever state they are. */
function shuffle(e: EngineState, ulp: UlpAt): void {
  const random = nextRandom(e);
  if (e.alone || (random & 1) === 0) return;
  const state = getState(e.w, ulp);
  const to = (e.index + 1 + ((random >>> 1) % (e.engines - 1))) % e.engines;
  if (state === ULP_STATE.runnable) {
    if (e.handoff !== ulp) sendUlp(e, ulp, to);
    return;
  }
  const kind = e.w[ulp + ULP.wait];
  if (kind !== WAIT.recv && kind !== WAIT.trecv && kind !== WAIT.precv) return;
  // Claimed, nobody else wakes it until it is there; it looks for what came meanwhile.
  if (claimWake(e, ulp) && !sendUlp(e, ulp, to)) recheck(e, ulp);
}

export const engineMoves: Moves = { adopt, freeze, give, beg, look, thank, shuffle };
