/**
 * A virtual machine of two hosts for measurements: two pvmds on this machine, each with a home of its own.
 *
 * Owns: that nothing of it is left, also when a measurement fails. What runs there is the measurement's.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../upvm/node-package.ts";
import { printedBy } from "./spawn.ts";

const COMMAND = join(packageRoot, "bin", "upvm.js");
const HOME = "UPVM_HOME";

/** Runs with hosts "a" and "b" in service; `upvm run` of this process and its children uses them. */
export async function onTwoHosts(measure: () => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "upvm-bench-vm-"));
  const before = process.env[HOME];
  const upvm = (host: string, ...words: string[]): Promise<string> => {
    process.env[HOME] = join(folder, host);
    return printedBy(process.execPath, [COMMAND, ...words]);
  };
  const started: string[] = [];
  try {
    const { address } = JSON.parse(await upvm("a", "start", "--name", "a", "--json")) as { address: string };
    started.push("a");
    await upvm("b", "start", "--name", "b", "--join", address, "--key-file", join(folder, "a", "key"));
    process.env[HOME] = join(folder, "a");
    await measure();
  } finally {
    for (const host of started) await upvm(host, "halt");
    if (before === undefined) delete process.env[HOME];
    else process.env[HOME] = before;
    rmSync(folder, { recursive: true, force: true });
  }
}
