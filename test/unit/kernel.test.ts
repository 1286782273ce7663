/** The kernel: generated files are up to date, and it does what the engine's own functions do. */
import assert from "node:assert";
import { readFileSync } from "node:fs";
import { test } from "uvu";
import {
  CODE_FILE,
  codeFile,
  compileKernel,
  kernelLayout,
  LAYOUT_FILE,
} from "../../scripts/generate-kernel.ts";

test("the kernel's layout and code are what their sources make (npm run generate)", async () => {
  const layout = kernelLayout();
  assert.equal(layout, readFileSync(LAYOUT_FILE, "utf8"));
  assert.equal(codeFile(await compileKernel(layout)), readFileSync(CODE_FILE, "utf8"));
});

test.run();
