/**
 * How many ULPs there can be at once, and what one of them costs in time and memory.
 */
import { measured, SheetBuilder } from "./figures.ts";
import { byTurns, type Measurement } from "./tools.ts";

/** Few, to be taken from many: what remains is the ULPs' own. */
const FEW = 100;
const MANY = [1000, 10_000];
const ROUNDS = 3;

export const ulps: Measurement = {
  name: "ulps",
  async measure({ programs, progress }) {
    const sheet = new SheetBuilder({
      name: "ulps",
      title: `ULPs at once, beyond ${FEW}: each one's share of the whole run`,
      unit: "µs and kB",
      rowHead: "ULPs",
    });
    const program = await programs.compile("idle.wat");
    const counts = [FEW, ...MANY];
    progress(`${counts.join(", ")} ULPs at once`);
    const [few = [], ...more] = await byTurns(
      ROUNDS,
      counts.map((count) => () => programs.whole(program, { ulps: count, cores: 1 })),
    );
    for (const [index, runs] of more.entries()) {
      const count = MANY[index] ?? 0;
      // From its creation over its only message to its end, and all of them there at once in between.
      const beyond = (of: "ms" | "peakBytes", unit: number) =>
        measured(runs.map((run, round) => ((run[of] - (few[round]?.[of] ?? 0)) / (count - FEW)) * unit));
      sheet.add(count, "create, run and end, µs", beyond("ms", 1000));
      if (runs.some((run) => run.peakBytes > 0))
        sheet.add(count, "memory, kB", beyond("peakBytes", 1 / 1024));
      else sheet.note("memory: this system does not tell a process's peak");
    }
    const most = Math.max(...MANY);
    sheet.aim(
      "create a ULP, its run and end included",
      "less",
      200,
      "µs",
      sheet.median(most, "create, run and end, µs"),
    );
    sheet.aim("ULPs at once in one process", "more", 10_000, "", most);
    sheet.aim("memory of a ULP beside the guest's own", "less", 64, "kB", sheet.median(most, "memory, kB"));
    return sheet.done();
  },
};
