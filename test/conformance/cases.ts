/**
 * The conformance suite under upvm as tests: each case prints what it prints under PVM 3.4.6, but for the differences
 * that are meant. What PVM prints is kept in golden/; test/real/conformance-pvm.test.ts says whether it still does.
 */
import assert from "node:assert/strict";
import { test } from "uvu";
import { onUpvm } from "./on-upvm.ts";
import { expected, golden, type ProgramName } from "./suite.ts";

export function testCases(programs: readonly ProgramName[]): void {
  for (const program of programs)
    for (const [name, printed] of golden(program))
      test(`${program} ${name} is as under PVM`, async () => {
        assert.equal(await onUpvm(program, name), expected(program, name, printed));
      });
}
