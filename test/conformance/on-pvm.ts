/**
 * Runs the conformance suite under the real PVM: gcc, a virtual machine for each program, one case after another.
 *
 * Owns: the processes. What of their output counts is suite.ts's.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { startPvm } from "../../bench/real-pvm.ts";
import { outcome, printedBy } from "../../bench/spawn.ts";
import { type ProgramName, shown, sourceOf } from "./suite.ts";

/** Longest a case may take, milliseconds: those that wait do so for less than a second. */
const CASE_LIMIT_MS = 30_000;
/** Programs whose cases need a PVM each: what a plug-in took over stays taken, and a halt is for all. */
const ALONE: readonly ProgramName[] = ["plugins", "halt"];

/** Compiles a program with gcc into a folder. @throws Error with what gcc said */
export function compileForPvm(program: ProgramName, folder: string): string {
  const file = join(folder, program);
  const done = spawnSync("gcc", ["-w", "-O1", sourceOf(program), "-o", file, "-lgpvm3", "-lpvm3"], {
    encoding: "utf8",
  });
  if (done.status !== 0) throw new Error(`gcc could not compile ${program}.c: ${done.stderr}`);
  return file;
}

/** All cases of a program → what they print. @param folder  exists, and is the caller's to remove */
export async function onPvm(program: ProgramName, folder: string): Promise<Map<string, string>> {
  const cases = new Map<string, string>();
  const names = (await printedBy(compileForPvm(program, folder), [])).trim().split("\n");
  const groups = ALONE.includes(program) ? names.map((name) => [name]) : [names];
  for (const [i, group] of groups.entries()) {
    const pvm = await startPvm(join(folder, `${program}-${i}`));
    if (pvm === undefined) throw new Error("PVM does not start");
    try {
      const file = compileForPvm(program, pvm.programs);
      for (const name of group) {
        const { stdout, stderr } = await outcome(file, [name], { env: pvm.env, limitMs: CASE_LIMIT_MS });
        cases.set(name, shown(stdout, stderr));
      }
    } finally {
      await pvm.stop();
    }
  }
  return cases;
}
