/**
 * What a message costs tasks that are traced: the same exchange with no trace events, with a message for each, and with many in
 * one. The paper has no such figure; PVM's own tracing stands beside it.
 */
import { SheetBuilder } from "./figures.ts";
import { addRun } from "./message.ts";
import type { Measurement } from "./tools.ts";

/** As guests/traced.c has them. */
const HOW = ["off", "each", "buffer"] as const;
/** Two that exchange messages, and one that reads their events. */
const TASKS = "3";

export const traced: Measurement = {
  name: "traced",
  async measure({ programs, native, batches, progress }) {
    const sheet = new SheetBuilder({
      name: "traced",
      title: "A message between tasks that are traced: four events, read by a third, one engine",
      unit: "µs",
      rowHead: "trace events",
    });
    const program = await programs.compile("traced.c");
    const pvm = await native.pvm("guests/traced.c");
    if (pvm === undefined) sheet.note("PVM: not installed");
    for (const how of HOW) {
      progress(`trace events: ${how}`);
      const args = (route: string) => [TASKS, route, how, String(batches)];
      await addRun(sheet, "upvm", () => programs.upvm(program, { ulps: 3, cores: 1 }, ...args("-")));
      for (const route of pvm ? ["daemon", "direct"] : [])
        await addRun(sheet, `PVM ${route}`, () => pvm!(...args(route)));
    }
    const [ours, theirs] = ["upvm", "PVM direct"].map((column) => sheet.median("each", column));
    sheet.aim(
      "PVM's direct route, times ours, a message for each event",
      "more",
      1,
      "",
      ours && theirs && theirs / ours,
    );
    return sheet.done();
  },
};
