/**
 * Turns of an engine that has no thread of its own: the process's own thread runs it, and between two turns looks after the
 * links, the master and the rest (upvm/node-own-engine.ts). A message of another process then needs one wake-up, that of the
 * thread that reads it; with an engine of its own thread it needs two.
 *
 * Owns: the words by which a turn is ended. Another thread ends one that lasts, sooner where that is worth it: it sets `over`
 * and demands attention, and the running ULP suspends itself at its next poll. A message to another process ends one when its
 * sender waits, or goes on with what is not sending. What an engine would wait for by sleeping (room in the outbox), this one
 * cannot wait for in its turn: it exceeds the limit by what its ULP does until its next poll, at most twice the limit.
 */
import { ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import type { EngineState } from "./engine-state.ts";
import { demandAttention } from "./mailbox.ts";

/** Words of EngineEdge.turn. */
export const TURN = {
  /** Number of the turn that runs, 0: none. */
  running: 0,
  /** Nonzero, OVER: it is to end. */
  over: 1,
  /** 1: another thread sees to it that no turn lasts. */
  watched: 2,
  /** 1: ULPs have waited LIMITS.outboxWaitMs for room for their messages in vain. */
  waited: 3,
  /** How many times LIMITS.turnMs a turn may last: a power of two (TurnPatience). */
  patience: 4,
  words: 5,
} as const;

/** Why a turn is to end. */
export const OVER = {
  asked: 1,
  /** Messages are to leave. */
  leaving: 2,
  /** It has lasted. */
  lasted: 3,
} as const;

/**
 * How long turns may last. To end one costs about 50 µs, and as much again where a program that computes has to get its caches
 * back: where nothing has come meanwhile it was in vain, and the next one may last twice as long.
 *
 * Pure.
 */
export class TurnPatience {
  private times = 1;

  /**
   * A turn begins behind one that was ended since it lasted.
   *
   * @param came  something has come in between
   * @param timers  ULPs wait for a time, which is looked at when a turn ends
   * @returns TURN.patience
   */
  behindLasted(came: boolean, timers: boolean): number {
    const most = timers ? 1 : LIMITS.turnPatience;
    this.times = came ? 1 : Math.min(2 * this.times, most);
    return this.times;
  }
}

/** A ULP waits for a time, which is looked at when a turn ends, at the latest: however long turns might last. */
export function lookOften({ edge: { turn } }: EngineState): void {
  if (turn !== undefined) turn[TURN.patience] = 1;
}

/** True if the engine's turn is to end, and no other ULP is to begin in it. */
export function isTurnOver(e: EngineState): boolean {
  const words = e.edge.turn;
  return words !== undefined && words[TURN.over] !== 0;
}

/**
 * The running ULP has sent a message to another process, the first of maybe many. They leave when it waits, and not behind all
 * others that can run: the other process may need them. They also leave when the ULP has received something that was
 * there already, or computes: two that exchange messages in each step would else compute by turns, each two steps at a time.
 */
export function leaveSoon(e: EngineState): void {
  const words = e.edge.turn!;
  if (words[TURN.over] !== 0) return;
  words[TURN.over] = OVER.leaving;
  e.leavingSinceMs = e.edge.now();
  e.leavingReceived = e.w[e.current + ULP.received]!;
  demandAttention(e.ctl[e.index]!);
}

/** The same at a poll of the running ULP, which may be between two messages that it sends. */
export function isTurnOverAtPoll(e: EngineState): boolean {
  const over = e.edge.turn?.[TURN.over];
  if (over !== OVER.leaving) return over !== undefined && over !== 0;
  if (e.w[e.current + ULP.received] !== e.leavingReceived) return true;
  if (e.edge.now() - e.leavingSinceMs >= LIMITS.leavingUs / 1000) return true;
  demandAttention(e.ctl[e.index]!);
  return false;
}

/** The turn ends at the running ULP's next poll or wait. Only for an engine that has turns. */
export function endTurn(e: EngineState): void {
  e.edge.turn![TURN.over] = OVER.asked;
  demandAttention(e.ctl[e.index]!);
}

/**
 * There is no room for more of what the own thread takes from here. The turn ends soon, and ULPs wait for room.
 *
 * @param bearable  it is not far beyond its limit yet
 * @returns true: it may be exceeded until then; false: it is refused
 */
export function mayExceed(e: EngineState, bearable: boolean): boolean {
  if (e.edge.turn![TURN.waited] !== 0) return false;
  endTurn(e);
  return bearable;
}

/** The running ULP has looked for something in vain. If it does so again and again, what it waits for may lie in a socket. */
export function lookedInVain(e: EngineState): void {
  if (e.edge.turn === undefined) return;
  e.vainLooks += 1;
  if (e.vainLooks < LIMITS.vainLooks) return;
  e.vainLooks = 0;
  endTurn(e);
}
