/** A pvmd that asks to be let in: how long it waits, and what it is told. Whole lives are test/property/hosts.test.ts. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { Membership, type MembershipEffect } from "../../pvmd/membership.ts";
import { patienceOf } from "../../pvmd/patience.ts";
import { LIMITS } from "../../wire/limits.ts";

/** One whose name is held by a host that is lost, and that asks again until it is told otherwise. @returns when, and its end */
function waits(deadMs: number): { readonly ms: number; readonly end: MembershipEffect | undefined } {
  const membership = new Membership(0);
  const patience = patienceOf(deadMs);
  membership.start();
  let effects = membership.step({ kind: "linked" }, 0);
  for (let ms = 0; ms < 10 * LIMITS.startMs; ms += LIMITS.hostRetryMs) {
    const end = effects.find(({ kind }) => kind === "end");
    if (end !== undefined) return { ms, end };
    if (effects.some(({ kind }) => kind === "ask"))
      membership.step({ kind: "refused", why: "wait", patience }, ms);
    effects = membership.step({ kind: "tick" }, ms);
  }
  return { ms: Number.POSITIVE_INFINITY, end: undefined };
}

test("one that takes the place of a killed pvmd waits until that is dead, however long its machine waits for the silent", () => {
  for (const deadMs of [LIMITS.hostDeadLeastMs, LIMITS.hostDeadMs, 60_000]) {
    const { ms, end } = waits(deadMs);
    assert.ok(ms > deadMs && ms < LIMITS.startMs, `${ms} of ${deadMs}`);
    assert.deepEqual(end, { kind: "end", why: "wait" }, "nobody has its name who is there");
  }
  assert.ok(waits(LIMITS.hostDeadMostMs).ms < LIMITS.startMs, "who started it hears why");
});

test("one whose question has no answer is not let wait for ever", () => {
  const membership = new Membership(0);
  membership.step({ kind: "linked" }, 0);
  assert.deepEqual(membership.step({ kind: "tick" }, LIMITS.hostJoinMs - 1), []);
  assert.deepEqual(membership.step({ kind: "tick" }, LIMITS.hostJoinMs), [
    { kind: "end", why: "unreachable" },
  ]);
});

test.run();
