import assert from "node:assert/strict";
import * as fc from "fast-check";
import { test } from "uvu";
import { distance, nearest } from "../../upvm/nearest.ts";

test("a swap of neighbours, a missing, an extra and a wrong letter are one edit each", () => {
  assert.equal(distance("ulps", "ulps"), 0);
  assert.equal(distance("upls", "ulps"), 1);
  assert.equal(distance("ups", "ulps"), 1);
  assert.equal(distance("uulps", "ulps"), 1);
  assert.equal(distance("ulpz", "ulps"), 1);
  assert.equal(distance("", "ulps"), 4);
});

test("distance is symmetric, 0 only for equal words, and never more than the longer word", () => {
  const word = fc.string({ maxLength: 8, unit: fc.constantFrom("a", "b", "c") });
  return fc.assert(
    fc.property(word, word, (a, b) => {
      const edits = distance(a, b);
      assert.equal(edits, distance(b, a));
      assert.equal(edits === 0, a === b);
      assert.ok(edits <= Math.max(a.length, b.length));
    }),
  );
});

test("a slip finds its word, a far word finds none", () => {
  const words = ["ulps", "cores", "place", "stats", "slice"];
  assert.equal(nearest("upls", words), "ulps");
  assert.equal(nearest("core", words), "cores");
  assert.equal(nearest("plcae", words), "place");
  assert.equal(nearest("sta", words), "stats");
  assert.equal(nearest("frobnicate", words), undefined);
  assert.equal(nearest("x", words), undefined);
  assert.equal(nearest("5", ["0", "1", "2", "3", "s", "z"]), undefined);
});

test.run();
