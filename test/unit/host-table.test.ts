/** When a host is dead, and what becomes of its key in the control store. Whole lives are test/property/hosts.test.ts. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { type HostEffect, type HostFacts, HostTable } from "../../pvmd/host-table.ts";
import { PATIENCE } from "../../pvmd/patience.ts";
import { LIMITS } from "../../wire/limits.ts";

const LINK = 1;
const { deadMs } = PATIENCE;
const facts = (name: string): HostFacts => {
  const [address, arch, node, version] = ["", "x64", "v26.0.0", "0.1.0"];
  return { name, address, arch, node, version, cores: 1, memoryBytes: 1, pid: 1, incarnation: `i-${name}` };
};

/** A table whose master looks as often as it should, with a host b that was let in at 0. */
function tableWithB() {
  const table = new HostTable(facts("a"), deadMs, 0);
  table.step({ kind: "ask", link: LINK, facts: facts("b"), returns: false }, 0);
  table.step({ kind: "stored", name: "b", incarnation: "i-b" }, 0);
  let lookedMs = 0;
  const until = (nowMs: number): HostEffect[] => {
    const effects: HostEffect[] = [];
    for (; lookedMs + LIMITS.hostLookMs <= nowMs; effects.push(...table.step({ kind: "tick" }, lookedMs)))
      lookedMs += LIMITS.hostLookMs;
    return effects;
  };
  const standStill = (ms: number): void => {
    lookedMs += ms;
  };
  return { table, until, standStill };
}
const kinds = (effects: readonly HostEffect[]): string[] => effects.map(({ kind }) => kind);

test("a host is dead when nothing was heard of it for as long as it may be silent, and not before", () => {
  const { table, until } = tableWithB();
  assert.deepEqual(until(deadMs - LIMITS.hostLookMs), []);
  table.step({ kind: "beat", link: LINK }, deadMs - LIMITS.hostLookMs);
  assert.deepEqual(until(2 * deadMs - 2 * LIMITS.hostLookMs), []);
  assert.deepEqual(kinds(until(2 * deadMs)), ["close", "remove", "deleted"]);
  assert.equal(table.row("b"), undefined);
});

test("a host whose key the store has lost is not dead: the key is written anew", () => {
  const { table, until } = tableWithB();
  const gone = { kind: "keyGone", name: "b", incarnation: "i-b" } as const;
  assert.deepEqual(table.step(gone, 1000), [{ kind: "update", row: table.row("b")! }]);
  const own = { kind: "keyGone", name: "a", incarnation: "i-a" } as const;
  assert.deepEqual(kinds(table.step(own, 1000)), ["update"], "the master's own too");
  until(deadMs);
  assert.deepEqual(table.step(gone, deadMs), [], "of one that is dead it stays away");
  table.step({ kind: "halt" }, deadMs);
  assert.deepEqual(table.step(own, deadMs), [], "and all do at the end");
});

test("time in which the master itself stood still is not held to hosts", () => {
  const { table, until, standStill } = tableWithB();
  until(1000);
  standStill(10 * deadMs);
  // Of the time until it looks again, hostGapMs are held to them.
  const deadAtMs = 11 * deadMs + LIMITS.hostLookMs - LIMITS.hostGapMs;
  assert.deepEqual(until(deadAtMs - LIMITS.hostLookMs), []);
  assert.deepEqual(kinds(until(deadAtMs)), ["close", "remove", "deleted"]);
  assert.equal(table.row("b"), undefined);
});

test.run();
