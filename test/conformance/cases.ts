/**
 * The conformance suite under upvm as tests: each case prints what it prints under PVM 3.4.6, but for the differences
 * that are meant. What PVM prints is kept in golden/; test/real/conformance-pvm.test.ts says whether it still does.
 */
import assert from "node:assert/strict";
import { test } from "uvu";
import { onUpvm } from "./on-upvm.ts";
import { expected, golden, type ProgramName } from "./suite.ts";

/** Programs, and cases of them, that wait for something that is not there yet. */
const PENDING: readonly string[] = ["buffers in-place"];

export function testCases(programs: readonly ProgramName[]): void {
  for (const program of programs)
    for (const [name, printed] of golden(program)) {
      if (PENDING.includes(program) || PENDING.includes(`${program} ${name}`)) continue;
      test(`${program} ${name} is as under PVM`, async () => {
        assert.equal(await onUpvm(program, name), expected(program, name, printed));
      });
    }
}
