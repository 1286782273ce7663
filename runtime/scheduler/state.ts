/**
 * States of a ULP (Figure 5) and the one function that changes them.
 *
 * Owns: which change is legal. Not why it happens, nor the queues that go with a state (queue.ts).
 * Always true: a ULP's state word holds one of ULP_STATE, plus ULP_MIGRATING while it is handed over.
 *
 *     unInit ──▶ running ──▶ exited
 *                 ▲  │ ▲─┐
 *                 │  ▼   └─ runnable (preempted, or moved while it ran)
 *      runnable ◀── blocked
 *
 * Figure 5 has no arrow to Exited but from Running; a process that is stopped ends ULPs in any state, so
 * every live state may become Exited. Names of 3.2.1: ready is runnable, terminated is exited, migrated is
 * remote.
 */
import assert from "node:assert";
import { ULP_MIGRATING, ULP_STATE as ULP_STATE_TABLE, ULP as ULP_TABLE } from "../../wire/layout.ts";

// V8 folds the fields of a constant of this file into its code, those of an import it loads (1.5 times
// slower).
const ULP = ULP_TABLE;
const ULP_STATE = ULP_STATE_TABLE;

export type UlpState = (typeof ULP_STATE)[keyof typeof ULP_STATE];

/** Word index of a ULP descriptor in the heap: its byte address / 4. */
export type UlpAt = number & { readonly ulpAt: true };

const { running, runnable, blocked, exited } = ULP_STATE;

/** From state → the states that it may change to. */
const NEXT: readonly (readonly UlpState[])[] = [
  /* unInit */ [running, exited],
  /* running */ [runnable, blocked, exited],
  /* runnable */ [running, exited],
  /* blocked */ [runnable, exited],
  /* exited */ [],
];

/** The same in one number, for speed: bit 5 × from + to. */
const LEGAL = NEXT.reduce(
  (all, next, from) => next.reduce((bits, to) => bits | (1 << (5 * from + to)), all),
  0,
);

const STATE_NAME: readonly string[] = ["unInit", "running", "runnable", "blocked", "exited"];

/** True if Figure 5 has an arrow between the two. */
export function isLegal(from: UlpState, to: UlpState): boolean {
  return NEXT[from]!.includes(to);
}

/** State without the Migrating qualifier. (Table I: ugetstate) */
export function getState(w: Int32Array, ulp: UlpAt): UlpState {
  return (w[ulp + ULP.state]! & ~ULP_MIGRATING) as UlpState;
}

/**
 * The one place where a state changes. (Table I: usetstate)
 *
 * @throws AssertionError if Figure 5 has no such arrow, or the ULP is being handed over: a bug of ours
 */
export function setState(w: Int32Array, ulp: UlpAt, to: UlpState): void {
  const from = w[ulp + ULP.state]!;
  if (from >= ULP_MIGRATING || ((LEGAL >> (5 * from + to)) & 1) === 0) refuse(w, ulp, to);
  w[ulp + ULP.state] = to;
}

/** Sets or clears the Migrating qualifier; the state itself stays visible. */
export function setMigrating(w: Int32Array, ulp: UlpAt, on: boolean): void {
  const state = w[ulp + ULP.state]!;
  assert(state >= ULP_MIGRATING !== on, "bug: a ULP is handed over twice, or taken twice");
  w[ulp + ULP.state] = on ? state | ULP_MIGRATING : state & ~ULP_MIGRATING;
}

/** Words of a descriptor that say who the ULP is, wherever it is, and that any thread may look at just now. */
const IDENTITY: readonly number[] = [
  ULP.tid,
  ULP.index,
  ULP.engine,
  ULP.inbox,
  ULP.inboxCount,
  ULP.queueNext,
  ULP.queuePrev,
  ULP.module,
  ULP.parentTid,
  ULP.siblingFirst,
  ULP.siblingCount,
] as const;

/** The ULP has gone to another process: its descriptor here is as if it had always been there. (paper, 3.2.1: remote) */
export function setRemote(w: Int32Array, ulp: UlpAt): void {
  for (let word = 0; word < ULP.words; word++) if (!IDENTITY.includes(word)) w[ulp + word] = 0;
}

/** A ULP of another process comes to this one, in the state that it had there; no engine has it yet. */
export function setArrived(w: Int32Array, ulp: UlpAt, state: UlpState): void {
  assert(w[ulp + ULP.state] === ULP_STATE.unInit, "bug: a ULP arrives that is here");
  w[ulp + ULP.state] = state | ULP_MIGRATING;
}

export function isMigrating(w: Int32Array, ulp: UlpAt): boolean {
  return w[ulp + ULP.state]! >= ULP_MIGRATING;
}

/** For people: `blocked`, `runnable+migrating`. */
export function stateText(word: number): string {
  const name = STATE_NAME[word & ~ULP_MIGRATING] ?? `state ${word}`;
  return word >= ULP_MIGRATING ? `${name}+migrating` : name;
}

function refuse(w: Int32Array, ulp: UlpAt, to: UlpState): never {
  const from = stateText(w[ulp + ULP.state]!);
  assert.fail(`bug: ULP ${w[ulp + ULP.index]} cannot change from ${from} to ${stateText(to)}`);
}
