import assert from "node:assert/strict";
import { test } from "uvu";
import {
  getState,
  isLegal,
  isMigrating,
  setMigrating,
  setState,
  stateText,
  type UlpAt,
  type UlpState,
} from "../../runtime/scheduler/state.ts";
import { ULP, ULP_STATE } from "../../wire/layout.ts";

const { unInit, running, runnable, blocked, exited } = ULP_STATE;
const ALL = [unInit, running, runnable, blocked, exited] as const;
const U = 64 as UlpAt;

/** Figure 5's arrows; the ends from other states than running are a process that is stopped. */
const FIGURE_5: readonly (readonly [UlpState, UlpState])[] = [
  [unInit, running],
  [running, blocked],
  [running, runnable],
  [running, exited],
  [blocked, runnable],
  [runnable, running],
];
const STOPPED: readonly (readonly [UlpState, UlpState])[] = [
  [unInit, exited],
  [runnable, exited],
  [blocked, exited],
];

test("the arrows of Figure 5 are legal, and a stopped process may end a ULP in any state; nothing else is", () => {
  const arrows = [...FIGURE_5, ...STOPPED].map(String);
  for (const from of ALL)
    for (const to of ALL)
      assert.equal(
        isLegal(from, to),
        arrows.includes(String([from, to])),
        `${stateText(from)} to ${stateText(to)}`,
      );
});

test("usetstate does what is legal and refuses the rest without a change", () => {
  for (const from of ALL) {
    for (const to of ALL) {
      const w = new Int32Array(256);
      w[U + ULP.state] = from;
      if (isLegal(from, to)) {
        setState(w, U, to);
        assert.equal(getState(w, U), to);
      } else {
        assert.throws(() => setState(w, U, to), /cannot change from/);
        assert.equal(getState(w, U), from);
      }
    }
  }
});

test("a random walk stays in the model: every state of the walk was reached by an arrow", () => {
  let seed = 12345;
  const random = (n: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % n;
  };
  for (let walk = 0; walk < 200; walk++) {
    const w = new Int32Array(256);
    let model: UlpState = unInit;
    for (let step = 0; step < 50; step++) {
      const to = ALL[random(ALL.length)]!;
      const arrow = FIGURE_5.some(([a, b]) => a === model && b === to) || (model !== exited && to === exited);
      const legal = arrow && !(model === exited);
      if (legal) {
        setState(w, U, to);
        model = to;
      } else assert.throws(() => setState(w, U, to));
      assert.equal(getState(w, U), model);
    }
  }
});

test("Migrating is a qualifier: the state stays visible, and cannot change meanwhile", () => {
  const w = new Int32Array(256);
  w[U + ULP.state] = blocked;
  setMigrating(w, U, true);
  assert.equal(getState(w, U), blocked);
  assert.equal(isMigrating(w, U), true);
  assert.equal(stateText(w[U + ULP.state]!), "blocked+migrating");
  assert.throws(() => setState(w, U, runnable), /blocked\+migrating/);
  assert.throws(() => setMigrating(w, U, true), /twice/);
  setMigrating(w, U, false);
  setState(w, U, runnable);
  assert.equal(getState(w, U), runnable);
});

test.run();
