/** The command `upvm bench`: names, JSON, and that a measurement really measures. How fast it is, no test says. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "uvu";
import { reportOf } from "../../bench/figures.ts";

const COMMAND = join(import.meta.dirname, "..", "..", "bin", "upvm.js");
const bench = (...args: string[]) =>
  spawnSync(process.execPath, [COMMAND, "bench", ...args], { encoding: "utf8" });

test("a measurement that there is not is refused, with the names of those that there are", () => {
  const { status, stdout, stderr } = bench("speed");
  assert.equal(status, 2);
  assert.equal(stdout, "");
  assert.match(
    stderr,
    /Cannot measure speed: there are switch, message, two-engines, link, remote-message, ring, remote-ring, migrate-cost, migrate-pause, migrate-hosts, spawn, barrier, broadcast, laplace, remote-laplace, remote-grid, overlap, overhead, store, link-cost, ulps/,
  );
});

test("the switch of two ULPs is measured at each depth, and nothing but JSON is printed", () => {
  const { status, stdout, stderr } = bench("switch", "--json");
  assert.equal(status, 0, stderr);
  const report = reportOf(stdout);
  assert.match(report.date, /^\d{4}-\d\d-\d\d$/);
  assert.ok(report.machine.cores >= 1 && report.machine.cpu.length > 0);
  const [sheet, ...more] = report.sheets;
  assert.ok(sheet !== undefined && more.length === 0);
  const ulps = sheet.figures.filter(({ row }) => row.startsWith("two ULPs"));
  assert.deepEqual(
    ulps.map(({ row }) => row),
    [0, 1, 2, 5].map((depth) => `two ULPs, ${depth} frames deep`),
  );
  for (const { row, min, median, max, batches } of ulps) {
    assert.ok(1 < min && min <= median && median <= max, `${row}: ${min}, ${median}, ${max} ns`);
    assert.ok(batches > 20, `${row}: ${batches} batches`);
  }
});

test.run();
