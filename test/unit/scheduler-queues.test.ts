import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "uvu";
import { PLACEMENT, place } from "../../runtime/scheduler/placement.ts";
import {
  append,
  first,
  initQueue,
  isQueued,
  last,
  members,
  NOT_QUEUED,
  type QueueAt,
  queueLength,
  remove,
  takeFirst,
} from "../../runtime/scheduler/queue.ts";
import type { UlpAt } from "../../runtime/scheduler/state.ts";
import { Timers } from "../../runtime/scheduler/timers.ts";
import { ULP } from "../../wire/layout.ts";

const Q = 8 as QueueAt;
const ULPS = 12;
const at = (i: number): UlpAt => (64 + i * ULP.words) as UlpAt;

function memory(): Int32Array {
  const w = new Int32Array(64 + ULPS * ULP.words);
  for (let i = 0; i < ULPS; i++) w[at(i) + ULP.queueNext] = NOT_QUEUED;
  initQueue(w, Q);
  return w;
}

test("a queue is first in, first out, whatever is taken out of its middle", () => {
  const action = fc.record({ kind: fc.constantFrom("append", "take", "remove"), ulp: fc.nat(ULPS - 1) });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const w = memory();
      const model: UlpAt[] = [];
      for (const { kind, ulp } of actions) {
        const u = at(ulp);
        if (kind === "append" && !model.includes(u)) {
          append(w, Q, u);
          model.push(u);
        } else if (kind === "take") assert.equal(takeFirst(w, Q), model.shift() ?? 0);
        else if (kind === "remove" && model.includes(u)) {
          remove(w, Q, u);
          model.splice(model.indexOf(u), 1);
        }
        assert.deepEqual(members(w, Q), model);
        assert.equal(queueLength(w, Q), model.length);
        assert.equal(first(w, Q), model[0] ?? 0);
        assert.equal(last(w, Q), model.at(-1) ?? 0);
        for (let i = 0; i < ULPS; i++) assert.equal(isQueued(w, at(i)), model.includes(at(i)));
      }
    }),
  );
});

test("deadlines come out soonest first, whatever is added and removed", () => {
  const action = fc.record({
    kind: fc.constantFrom("add", "remove", "next"),
    ulp: fc.nat(299),
    ms: fc.integer({ min: 0, max: 50 }),
  });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 400 }), (actions) => {
      const timers = new Timers(300);
      const model = new Map<number, number>();
      for (const { kind, ulp, ms } of actions) {
        if (kind === "add" && !model.has(ulp)) {
          timers.add(ulp, ms);
          model.set(ulp, ms);
        } else if (kind === "remove") {
          timers.remove(ulp);
          model.delete(ulp);
        } else if (kind === "next" && model.size > 0) {
          assert.equal(model.get(timers.nextIndex), timers.nextMs);
          model.delete(timers.nextIndex);
          timers.remove(timers.nextIndex);
        }
        assert.equal(timers.nextMs, Math.min(Infinity, ...model.values()));
        assert.equal(timers.length, model.size);
        assert.equal(timers.has(ulp), model.has(ulp));
      }
    }),
  );
});

test("block placement keeps neighbours together and balances to one; cyclic deals out", () => {
  for (const [ulps, engines] of [
    [1, 1],
    [7, 3],
    [24, 2],
    [10, 4],
    [3, 8],
  ] as const) {
    const block = Array.from({ length: ulps }, (_, i) => place(PLACEMENT.block, i, ulps, engines));
    assert.deepEqual(
      block,
      [...block].sort((a, b) => a - b),
    );
    const sizes = Map.groupBy(block, (engine) => engine)
      .values()
      .map(({ length }) => length)
      .toArray();
    assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, `${sizes}`);
    const cyclic = Array.from({ length: ulps }, (_, i) => place(PLACEMENT.cyclic, i, ulps, engines));
    assert.deepEqual(
      cyclic,
      Array.from({ length: ulps }, (_, i) => i % engines),
    );
  }
});

test("an allocation module of the user's is asked, and refused if it names no engine", () => {
  assert.equal(
    place((index) => (index === 3 ? 1 : 0), 3, 4, 2),
    1,
  );
  for (const bad of [-1, 2, 0.5, Number.NaN])
    assert.throws(() => place(() => bad, 0, 1, 2), /Cannot place ULP 0: the placement says engine/);
});

test.run();
