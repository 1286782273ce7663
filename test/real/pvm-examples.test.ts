/**
 * The C programs of Debian's pvm-examples, unmodified: they compile, and print under upvm what they print under PVM,
 * up to tids, times and order. Skipped where the package, PVM or gcc is not installed.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import { isPvmInstalled, startPvm } from "../../bench/real-pvm.ts";
import { BUILDS, LINKED_IN, NOT_COMPARED, SESSIONS, SKIPPED } from "../examples/examples.ts";
import { areExamplesInstalled, buildForPvm, onPvm, onUpvm, unpack } from "../examples/run.ts";

if (!areExamplesInstalled() || !(await isPvmInstalled())) {
  console.log(
    "pvm-examples, PVM and gcc are not all installed: apt-get install pvm pvm-dev pvm-examples gcc",
  );
  test.skip("programs of pvm-examples behave as under PVM", () => {});
} else {
  const files = unpack();
  const folder = mkdtempSync(join(tmpdir(), "upvm-examples-"));
  const pvm = await startPvm(folder);

  test("every C file of the package is built, or is skipped for a reason", () => {
    const built = [...BUILDS.values()].flatMap(({ sources }) => sources);
    assert.deepEqual([...new Set([...built, ...LINKED_IN, ...SKIPPED.keys()])].sort(), files.sort());
  });

  test("every program runs in a session, by itself or spawned", () => {
    const words = SESSIONS.flatMap(({ run }) => run.join(" ").split(" "));
    const spawned = ["hello_other", "inherit2", "slave1", "timing_slave", "tnb"];
    assert.deepEqual(
      [...BUILDS.keys()].filter((name) => !words.includes(name) && !spawned.includes(name)),
      [],
    );
  });

  test("PVM starts, and gcc compiles the programs", () => {
    assert.ok(pvm !== undefined);
    buildForPvm(pvm);
  });

  for (const session of SESSIONS) {
    if (NOT_COMPARED.has(session.name)) continue;
    test(`${session.name}: prints what it prints under PVM`, async () => {
      assert.ok(pvm !== undefined);
      const expected = await onPvm(session, pvm);
      assert.equal(await onUpvm(session), expected);
    });
  }

  test.after(async () => {
    await pvm?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
}

test.run();
