/**
 * Table XII: one int once around a ring of VPs, all on one engine.
 */
import { printed, SheetBuilder } from "./figures.ts";
import { addRun } from "./message.ts";
import { RING_US } from "./paper.ts";
import type { Measurement, Tools } from "./tools.ts";

const PAPER_SIZES = [2, 4, 6, 8, 10, 14, 20, 24];
const LARGE_SIZES = [1000, 10_000];

export const ring: Measurement = {
  name: "ring",
  async measure(tools) {
    const sheet = new SheetBuilder({
      name: "ring",
      title: "Ring, one int once around, one engine (Table XII)",
      unit: "µs",
      rowHead: "VPs",
    });
    const { programs, batches } = tools;
    const program = await programs.compile("ring.c");
    for (const ulps of [...PAPER_SIZES, ...LARGE_SIZES]) {
      tools.progress(`ring of ${ulps} ULPs`);
      const args = [String(ulps), "-", "default", String(batches)];
      await addRun(sheet, "upvm", () => programs.upvm(program, { ulps, cores: 1 }, ...args));
    }
    await rivals(sheet, tools);
    for (const ulps of PAPER_SIZES) {
      const { pvm, upvm } = RING_US;
      if (pvm[ulps] !== undefined) sheet.add(ulps, "paper: PVM", printed(pvm[ulps]));
      if (upvm[ulps] !== undefined) sheet.add(ulps, "paper: UPVM", printed(upvm[ulps]));
    }
    sheet.aim("24 VPs", "less", 8, "µs", sheet.median(24, "upvm"));
    sheet.aim("1000 VPs", "less", 400, "µs", sheet.median(1000, "upvm"));
    return sheet.done();
  },
};

async function rivals(sheet: SheetBuilder, { native, batches, progress }: Tools): Promise<void> {
  const pvm = await native.pvm("guests/ring.c");
  const mpi = await native.mpi("rivals/mpi-ring.c");
  if (pvm === undefined) sheet.note("PVM: not installed");
  if (mpi === undefined) sheet.note("Open MPI: not installed");
  for (const tasks of PAPER_SIZES) {
    progress(`ring of ${tasks} on PVM and Open MPI`);
    const n = String(tasks);
    if (pvm) {
      await addRun(sheet, "PVM daemon", () => pvm(n, "daemon", "default", String(batches)));
      await addRun(sheet, "PVM direct raw", () => pvm(n, "direct", "raw", String(batches)));
    }
    if (mpi) await addRun(sheet, "Open MPI", () => mpi(tasks, String(batches)));
  }
}
