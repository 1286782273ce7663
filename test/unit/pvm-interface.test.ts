/** The interface that upvm is measured by: the names in PVM 3.4.6's own header, where that is installed. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "uvu";
import { PVM_DECLARED } from "../../scripts/pvm-declared.ts";

/** Debian's, from the package pvm-dev. */
const HEADER = "/usr/include/pvm3.h";
const declared = Object.values(PVM_DECLARED).flat();

test("no routine is declared twice", () => {
  assert.equal(new Set(declared).size, declared.length);
});

if (existsSync(HEADER))
  test("the routines are those that PVM's header declares", () => {
    const header = readFileSync(HEADER, "latin1");
    const names = [...header.matchAll(/^\w+ \*?\(?\*?(\w+)\s+__ProtoGlarp__/gm)].map((match) => match[1]!);
    assert.ok(names.length > 100);
    // For systems without tmpnam only.
    assert.deepEqual(names.filter((name) => name !== "pvmtmpnam").sort(), [...declared].sort());
  });
else test.skip("the routines are those that PVM's header declares: it is not installed", () => {});

test.run();
