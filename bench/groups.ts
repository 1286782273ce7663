/**
 * Barrier and broadcast of a group, and the start of tasks, by number of members: beside PVM's.
 *
 * Owns: the three sheets. The programs, guests/group.c and guests/spawn.c, are the same for both.
 */
import { type Sheet, SheetBuilder } from "./figures.ts";
import { addRun } from "./message.ts";
import type { Measurement, Tools } from "./tools.ts";

const MEMBERS = [2, 4, 8, 16, 32];
/** Where the aims are taken. */
const MANY = 32;

export const barrier: Measurement = {
  name: "barrier",
  measure: (tools) => group(tools, "barrier", "Barrier of a group"),
};
export const broadcast: Measurement = {
  name: "broadcast",
  measure: (tools) => group(tools, "broadcast", "Broadcast of one int in a group, and an answer of each"),
};

async function group(tools: Tools, what: "barrier" | "broadcast", title: string): Promise<Sheet> {
  const sheet = new SheetBuilder({ name: what, title, unit: "µs", rowHead: "members" });
  const { programs, native, batches, cores, progress } = tools;
  const program = await programs.compile("group.c");
  const pvm = await native.pvm("guests/group.c");
  if (pvm === undefined) sheet.note("PVM: not installed");
  for (const ulps of MEMBERS) {
    progress(`${what} of ${ulps}`);
    const args = [String(ulps), "-", what, String(batches)];
    await addRun(sheet, "upvm, 1 engine", () => programs.upvm(program, { ulps, cores: 1 }, ...args));
    if (cores > 1)
      await addRun(sheet, `upvm, ${cores} engines`, () => programs.upvm(program, { ulps, cores }, ...args));
    for (const route of pvm === undefined ? [] : ["daemon", "direct"])
      await addRun(sheet, `PVM ${route}`, () => pvm!(String(ulps), route, what, String(batches)));
  }
  ahead(sheet, "upvm, 1 engine", ["PVM daemon", "PVM direct"]);
  return sheet.done();
}

export const spawnTasks: Measurement = {
  name: "spawn",
  async measure({ programs, native, batches, cores, progress }) {
    const sheet = new SheetBuilder({
      name: "spawn",
      title: "Tasks of one pvm_spawn, until each has said that it runs",
      unit: "µs",
      rowHead: "tasks",
    });
    const program = await programs.compile("spawn.c");
    const pvm = await native.pvm("guests/spawn.c");
    if (pvm === undefined) sheet.note("PVM: not installed");
    for (const tasks of MEMBERS) {
      progress(`${tasks} tasks at once`);
      const args = [String(tasks), String(batches)];
      await addRun(sheet, "upvm, 1 engine", () => programs.upvm(program, { ulps: 1, cores: 1 }, ...args));
      if (cores > 1)
        await addRun(sheet, `upvm, ${cores} engines`, () =>
          programs.upvm(program, { ulps: 1, cores }, ...args),
        );
      if (pvm) await addRun(sheet, "PVM", () => pvm(...args));
    }
    ahead(sheet, "upvm, 1 engine", ["PVM"]);
    return sheet.done();
  },
};

/** How many times faster than the best of PVM's ways. */
function ahead(sheet: SheetBuilder, ours: string, theirs: readonly string[]): void {
  const best = Math.min(...theirs.map((column) => sheet.median(MANY, column) ?? Number.POSITIVE_INFINITY));
  const own = sheet.median(MANY, ours);
  const times = own && Number.isFinite(best) ? best / own : undefined;
  sheet.aim(`PVM's best, times ours, ${MANY} of them`, "more", 10, "", times);
}
