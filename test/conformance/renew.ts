/**
 * Writes the golden files anew from the real PVM: `node test/conformance/renew.ts [PROGRAM...]`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onPvm } from "./on-pvm.ts";
import { PROGRAMS, writeGolden } from "./suite.ts";

const words = process.argv.slice(2);
for (const program of PROGRAMS) {
  if (words.length > 0 && !words.includes(program)) continue;
  const folder = mkdtempSync(join(tmpdir(), "upvm-conformance-"));
  try {
    writeGolden(program, await onPvm(program, folder));
    console.log(program);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
