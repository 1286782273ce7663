import assert from "node:assert/strict";
import { test } from "uvu";
import { type Ending, tally } from "../tally.ts";

const counts = (total: number, passed: number, skipped = 0): string =>
  `• • \n\n  Total:     ${total}\n  Passed:    ${passed}\n  Skipped:   ${skipped}\n  Duration:  1.00ms\n\n`;
const well: Ending = { output: counts(3, 3), exitCode: 0, signal: null, timedOut: false };

test("a file whose tests pass counts them", () => {
  assert.deepEqual(tally(well), { passed: 3, failed: 0, skipped: 0 });
});

test("failed and skipped tests are counted once", () => {
  const ending = { ...well, output: counts(5, 3, 2), exitCode: 1 };
  assert.deepEqual(tally(ending), { passed: 3, failed: 2, skipped: 2 });
});

test("tests that never ran because a hook threw are failures, though uvu ends with code 0", () => {
  assert.deepEqual(tally({ ...well, output: counts(4, 0) }), { passed: 0, failed: 4, skipped: 0 });
});

test("a file without a count of tests is one failure", () => {
  const result = tally({ ...well, output: "hello\n" });
  assert.equal(result.failed, 1);
  assert.match(result.why ?? "", /no count of tests/);
});

test("a file with no tests is one failure, one with only skipped tests is not", () => {
  assert.deepEqual(tally({ ...well, output: counts(0, 0) }), {
    passed: 0,
    failed: 1,
    skipped: 0,
    why: "has no tests",
  });
  assert.deepEqual(tally({ ...well, output: counts(0, 0, 2) }), { passed: 0, failed: 0, skipped: 2 });
});

test("a crash or a hang after the tests is a failure beside those that passed", () => {
  assert.equal(tally({ ...well, exitCode: 134 }).failed, 1);
  assert.equal(tally({ ...well, exitCode: null, signal: "SIGSEGV" }).why, "ended by SIGSEGV after its tests");
  const hung = tally({ ...well, exitCode: null, signal: "SIGKILL", timedOut: true });
  assert.deepEqual([hung.passed, hung.failed], [3, 1]);
});

test("only uvu's own closing lines count, not what a test prints", () => {
  const output = `  Total:     99\n  Passed:    99\n${counts(2, 2)}`;
  assert.equal(tally({ ...well, output }).passed, 2);
});

test.run();
