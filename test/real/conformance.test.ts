/**
 * The conformance suite under upvm: each case prints what it prints under PVM 3.4.6, but for the differences that are
 * meant. What PVM prints is kept in test/conformance/golden/; conformance-pvm.test.ts says whether it still does.
 */
import assert from "node:assert/strict";
import { test } from "uvu";
import { DIFFERENCES } from "../conformance/differences.ts";
import { onUpvm } from "../conformance/on-upvm.ts";
import { expected, golden, type PROGRAMS } from "../conformance/suite.ts";

/** Programs whose routines are there: the others wait for theirs. */
const READY: readonly (typeof PROGRAMS)[number][] = ["groups"];

for (const program of READY)
  for (const [name, printed] of golden(program))
    test(`${program} ${name} is as under PVM`, async () => {
      assert.equal(await onUpvm(program, name), expected(program, name, printed));
    });

test("every difference belongs to a case", () => {
  const lost = DIFFERENCES.filter((row) => !golden(row.program).has(row.case));
  assert.deepEqual(lost, []);
});

test.run();
