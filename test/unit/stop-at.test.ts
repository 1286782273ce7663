/** UPVM_STOP_AT: a process stops once, at the stage that a file names, or says why it cannot. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import { stopAt } from "../../upvm/node-stop-at.ts";

const folder = mkdtempSync(join(tmpdir(), "upvm-stop-at-"));
const file = join(folder, "stage");
const { kill } = process;
const stopped: (string | number | undefined)[] = [];

test.before(() => {
  process.kill = (pid, signal) => {
    assert.equal(pid, process.pid);
    stopped.push(signal);
    return true;
  };
});
test.after(() => {
  process.kill = kill;
  rmSync(folder, { recursive: true });
});

test("it stops at the stage that the file named, once", () => {
  for (const stage of ["ship", "MIGACK"]) {
    writeFileSync(file, `${stage}\n`);
    const reached = stopAt(file);
    for (const other of ["freeze", "PREPARED"]) reached(other);
    assert.deepEqual(stopped, []);
    reached(stage);
    reached(stage);
    assert.deepEqual(stopped.splice(0), ["SIGSTOP"]);
  }
  const reached = stopAt(undefined);
  for (const stage of ["ship", "undefined", ""]) reached(stage);
  assert.deepEqual(stopped, []);
});

test("a file that cannot be read, or names no stage that comes, is refused", () => {
  for (const path of [join(folder, "none"), folder])
    assert.throws(() => stopAt(path), { code: "FILE_NOT_FOUND" });
  for (const stage of ["", "shipping", "send", "PREPARE", "toString"]) {
    writeFileSync(file, stage);
    assert.throws(() => stopAt(file), { code: "USAGE", message: /no stage of a move/ });
  }
  writeFileSync(file, "x".repeat(1 << 20));
  assert.throws(
    () => stopAt(file),
    ({ message }: Error) => message.length < 1000,
  );
});

test.run();
