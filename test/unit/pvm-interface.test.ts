/** The interface that upvm is measured by: the names in PVM 3.4.6's own header, where that is installed. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "uvu";
import { PVM_DECLARED } from "../../scripts/pvm-declared.ts";

/** Debian's, from the package pvm-dev. */
const HEADERS = ["/usr/include/pvm3.h", "/usr/include/pvmtev.h"];
const declared = Object.values(PVM_DECLARED).flat();

test("no routine is declared twice", () => {
  assert.equal(new Set(declared).size, declared.length);
});

if (HEADERS.every((header) => existsSync(header)))
  test("the routines are those that PVM's headers declare", () => {
    const header = HEADERS.map((path) => readFileSync(path, "latin1")).join("\n");
    const names = [...header.matchAll(/^\w+ \*?\(?\*?(\w+)\s+__ProtoGlarp__/gm)].map((match) => match[1]!);
    assert.ok(names.length > 100);
    // For systems without tmpnam only.
    assert.deepEqual(names.filter((name) => name !== "pvmtmpnam").sort(), [...declared].sort());
  });
else test.skip("the routines are those that PVM's headers declare: they are not installed", () => {});

test.run();
