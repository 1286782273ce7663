/**
 * Table IX: what it costs one ULP to yield to another, beside two processes that do so through two pipes.
 */
import { SheetBuilder, scaled } from "./figures.ts";
import { hexBatches, outputOf } from "./output.ts";
import type { Measurement, Tools } from "./tools.ts";

/** Frames between the program's entry function and the one that yields. */
const DEPTHS = [0, 1, 2, 5];
/** As in the paper, by each of the two. */
const YIELDS = 10_000;
const NS = 1000;

export const contextSwitch: Measurement = {
  name: "switch",
  async measure(tools) {
    const sheet = new SheetBuilder({
      name: "switch",
      title: "Context switch, 10,000 yields (Table IX)",
      unit: "ns",
      rowHead: "between",
    });
    await sheet.attempt("two processes", () => processes(sheet, tools));
    const program = await tools.programs.compile("switch.wat");
    for (const depth of DEPTHS) {
      tools.progress(`two ULPs at stack depth ${depth}`);
      await sheet.attempt(`depth ${depth}`, async () => {
        const output = await tools.programs.upvm(program, { ulps: 2, cores: 1 }, String(depth));
        // In the time of its own yields as many of the other's pass.
        sheet.add(`two ULPs, ${depth} frames deep`, "each", scaled(hexBatches(output), 1 / YIELDS / 2));
      });
    }
    const ulp = (depth: number) => sheet.median(`two ULPs, ${depth} frames deep`, "each");
    const [none, two, rival] = [ulp(0), ulp(2), sheet.median("two processes on one CPU", "each")];
    sheet.aim("switch at stack depth 0", "less", 70, "ns", none);
    sheet.aim("switch at stack depth 2", "less", 120, "ns", two);
    sheet.aim(
      "two processes on one CPU, times a switch at depth 2",
      "more",
      20,
      "",
      rival && two && rival / two,
    );
    return sheet.done();
  },
};

async function processes(sheet: SheetBuilder, { native, batches, progress }: Tools): Promise<void> {
  const pipes = await native.program("rivals/pipes.c");
  if (pipes === undefined) {
    sheet.note("two processes: no gcc here");
    return;
  }
  progress("two processes, two pipes");
  const { figures } = outputOf(await pipes(String(YIELDS), String(batches)));
  const add = (row: string, figure: string) => {
    const found = figures.get(figure);
    sheet.add(row, "each", found && scaled(found, NS));
  };
  add("null call (the paper's unit)", "null-call");
  add("two processes on one CPU", "one-cpu");
  add("two processes, unpinned", "unpinned");
}
