/**
 * The conformance suite under the real PVM 3.4.6: the golden files are what it prints. Skipped where Debian's packages
 * pvm and pvm-dev are not installed.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import { isPvmInstalled } from "../../bench/real-pvm.ts";
import { onPvm } from "../conformance/on-pvm.ts";
import { golden, PROGRAMS } from "../conformance/suite.ts";

if (await isPvmInstalled()) {
  for (const program of PROGRAMS)
    test(`PVM prints what the golden file of ${program} says`, async () => {
      const folder = mkdtempSync(join(tmpdir(), "upvm-conformance-"));
      try {
        assert.deepEqual(await onPvm(program, folder), golden(program));
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
} else {
  console.log("PVM and gcc are not installed here: apt-get install pvm pvm-dev gcc");
  test.skip("PVM prints what the golden files say", () => {});
}

test.run();
