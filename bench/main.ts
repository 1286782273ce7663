/**
 * `upvm bench [NAMES] [--json]`: measures, and prints the tables or JSON.
 *
 * With --json each line is an object: what is known before (figures.ts, ReportHead), then each sheet as soon as it is
 * done, so that a run that is interrupted is not lost.
 *
 * Owns: which measurements run, one after another, and the folder they work in. Each is in its own file.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem, type } from "node:os";
import { join } from "node:path";
import { packageRoot, packageVersion } from "../upvm/node-package.ts";
import { EXIT } from "../wire/errors.ts";
import { contextSwitch } from "./context-switch.ts";
import type { Machine, ReportHead, Sheet } from "./figures.ts";
import { barrier, broadcast, spawnTasks } from "./groups.ts";
import { laplace } from "./laplace.ts";
import { link } from "./link.ts";
import { linkCost } from "./link-cost.ts";
import { message } from "./message.ts";
import { migrateCost, migrateHosts, migratePause } from "./migrate.ts";
import { native } from "./native.ts";
import { overhead } from "./overhead.ts";
import { overlap } from "./overlap.ts";
import { programs } from "./programs.ts";
import { remoteMessage, remoteRing } from "./remote.ts";
import { remoteGrid, remoteLaplace } from "./remote-laplace.ts";
import { ring } from "./ring.ts";
import { store } from "./store.ts";
import { machineText, sheetText } from "./text.ts";
import type { Measurement } from "./tools.ts";
import { traced } from "./traced.ts";
import { twoEngines } from "./two-engines.ts";
import { ulps } from "./ulps.ts";

const MEASUREMENTS: readonly Measurement[] = [
  contextSwitch,
  message,
  twoEngines,
  link,
  remoteMessage,
  ring,
  remoteRing,
  migrateCost,
  migratePause,
  migrateHosts,
  spawnTasks,
  barrier,
  broadcast,
  laplace,
  remoteLaplace,
  remoteGrid,
  overlap,
  overhead,
  store,
  traced,
  linkCost,
  ulps,
];
const BATCHES = 7;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const json = args.includes("--json");
  const words = args.filter((arg) => arg !== "--json");
  // A whole name means that one only.
  const wanted = (word: string) => {
    const exact = MEASUREMENTS.filter(({ name }) => name === word);
    return exact.length > 0 ? exact : MEASUREMENTS.filter(({ name }) => name.includes(word));
  };
  const unknown = words.find((word) => wanted(word).length === 0);
  if (unknown !== undefined) {
    const names = MEASUREMENTS.map(({ name }) => name).join(", ");
    process.stderr.write(`upvm bench: Cannot measure ${unknown}: there are ${names}\n`);
    return EXIT.usage;
  }
  const chosen = MEASUREMENTS.filter(
    (each) => words.length === 0 || words.some((word) => wanted(word).includes(each)),
  );
  const head: ReportHead = {
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    loadBefore: loadavg()[0] ?? 0,
  };
  const print = (text: string) => process.stdout.write(text);
  if (json) print(`${JSON.stringify(head)}\n`);
  const failed = await measureAll(chosen, (sheet, seconds) => {
    if (!json) print(`\n${sheetText(sheet, false)}`);
    else {
      print(`${JSON.stringify(sheet)}\n`);
      process.stderr.write(`upvm bench: ${sheet.name}: ${seconds.toFixed(0)} s\n`);
    }
  });
  if (!json) print(`\n${machineText(head)}\n`);
  return failed ? EXIT.failed : EXIT.ok;
}

/** One that fails is told and does not end the others. @returns whether one failed */
async function measureAll(
  chosen: readonly Measurement[],
  show: (sheet: Sheet, seconds: number) => void,
): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "upvm-bench-"));
  const rivals = native(folder, join(packageRoot, "bench"));
  const progress = (text: string) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  };
  const tools = {
    programs: programs(folder),
    native: rivals,
    cores: availableParallelism(),
    batches: BATCHES,
    progress,
  };
  let failed = false;
  // Children die with this process's exit; an exit is what a signal must become.
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => process.exit(EXIT.interrupted));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  // Not on the user's virtual machine.
  process.env["UPVM_HOME"] = join(folder, "none");
  for (const { name, measure } of chosen) {
    const beganMs = performance.now();
    try {
      const sheet = await measure(tools);
      progress("");
      show(sheet, (performance.now() - beganMs) / 1000);
      for (const failure of sheet.failures) process.stderr.write(`upvm bench: ${name}: ${failure}\n`);
      failed ||= sheet.failures.length > 0;
    } catch (error) {
      failed = true;
      progress("");
      process.stderr.write(
        `upvm bench: ${name} failed: ${error instanceof Error ? error.message : String(error)}\n`,
      );
    }
  }
  await rivals.stop();
  return failed;
}

function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown processor",
    cores: availableParallelism(),
    memoryGb: totalmem() / 2 ** 30,
    os: `${type()} ${release()}`,
    node: process.versions.node,
    upvm: packageVersion(),
  };
}
