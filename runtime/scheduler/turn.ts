/**
 * Turns of an engine that has no thread of its own: the process's own thread runs it, and between two turns looks after the
 * links, the master and the rest (upvm/node-own-engine.ts). A message of another process then needs one wake-up, that of the
 * thread that reads it; with an engine of its own thread it needs two.
 *
 * Owns: the words by which a turn is ended. Another thread ends one that lasts: it sets `over` and demands attention, and
 * the running ULP suspends itself at its next poll. A message to another process ends one when its sender waits. What an
 * engine would wait for by sleeping (room in the outbox), this one cannot wait for in its turn: it exceeds the limit by what its
 * ULP does until its next poll, at most twice the limit.
 */
import { LIMITS } from "../../wire/limits.ts";
import type { EngineState } from "./engine-state.ts";
import { demandAttention } from "./mailbox.ts";

/** Words of EngineEdge.turn. */
export const TURN = {
  /** Number of the turn that runs, 0: none. */
  running: 0,
  /** Nonzero: it is to end. */
  over: 1,
  /** 1: another thread sees to it that no turn lasts. */
  watched: 2,
  /** 1: ULPs have waited LIMITS.outboxWaitMs for room for their messages in vain. */
  waited: 3,
  words: 4,
} as const;

/** True if the engine's turn is to end. */
export function isTurnOver(e: EngineState): boolean {
  const words = e.edge.turn;
  return words !== undefined && words[TURN.over] !== 0;
}

/** The turn ends at the running ULP's next poll or wait. Only for an engine that has turns. */
export function endTurn(e: EngineState): void {
  e.edge.turn![TURN.over] = 1;
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
