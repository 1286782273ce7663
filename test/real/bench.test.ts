/** The command `upvm bench`: names, JSON, and that a measurement really measures. How fast it is, no test says. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import { reportOf } from "../../bench/figures.ts";
import { Hosts } from "../hosts.ts";

const COMMAND = join(import.meta.dirname, "..", "..", "bin", "upvm.js");
const bench = (...args: string[]) =>
  spawnSync(process.execPath, [COMMAND, "bench", ...args], { encoding: "utf8" });

test("a measurement that there is not is refused, with the names of those that there are", () => {
  const { status, stdout, stderr } = bench("speed");
  assert.equal(status, 2);
  assert.equal(stdout, "");
  assert.match(
    stderr,
    /Cannot measure speed: there are switch, message, two-engines, link, remote-message, ring, remote-ring, migrate-cost, migrate-pause, migrate-hosts, spawn, barrier, broadcast, laplace, remote-laplace, remote-grid, overlap, overhead, store, traced, link-cost, ulps/,
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

test("one that is ended takes its temporary folder, its virtual machine and what it runs along", async () => {
  const folder = mkdtempSync(join(tmpdir(), "upvm-test-"));
  const env = { ...process.env, TMPDIR: folder };
  const child = spawn(process.execPath, [COMMAND, "bench", "remote-message"], { env, stdio: "ignore" });
  const ended = new Promise((done) => child.on("exit", done));
  const vm = (): string | undefined => readdirSync(folder).find((name) => name.startsWith("upvm-bench-vm-"));
  const pids: number[] = [];
  try {
    while (pids.length < 2) {
      const home = vm();
      pids.length = 0;
      for (const host of home === undefined ? [] : ["a", "b"]) {
        const state = join(folder, home!, host, "state.json");
        if (existsSync(state)) pids.push(JSON.parse(readFileSync(state, "utf8")).pid);
      }
      await new Promise((go) => setTimeout(go, 50));
    }
    child.kill("SIGTERM");
    await ended;
    while (readdirSync(folder).some((name) => name.startsWith("upvm-bench-")) || pids.some(Hosts.runs))
      await new Promise((go) => setTimeout(go, 50));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
