/** The first half of the conformance suite (test/conformance/cases.ts): each file is a process, and two run at once. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { testCases } from "../conformance/cases.ts";
import { DIFFERENCES } from "../conformance/differences.ts";
import { golden, PROGRAMS } from "../conformance/suite.ts";

testCases(PROGRAMS.slice(0, PROGRAMS.length / 2));

test("every difference belongs to a case", () => {
  const lost = DIFFERENCES.filter((row) => !golden(row.program).has(row.case));
  assert.deepEqual(lost, []);
});

test.run();
