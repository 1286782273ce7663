/**
 * A small message between ULPs on two engines: when the other engine is awake, and when it sleeps.
 */
import { SheetBuilder } from "./figures.ts";
import { addRun } from "./message.ts";
import { outputOf } from "./output.ts";
import { betweenThreads } from "./threads.ts";
import type { Measurement } from "./tools.ts";

const SIZES = ["4", "1000", "100000"];

export const twoEngines: Measurement = {
  name: "two-engines",
  async measure(tools) {
    const sheet = new SheetBuilder({
      name: "two-engines",
      title: "One-way message between ULPs on two engines",
      unit: "µs",
      rowHead: "bytes",
    });
    const { programs, native, batches, cores, progress } = tools;
    if (cores < 2) {
      sheet.note("one core: two engines were not measured");
      return sheet.done();
    }
    const options = { ulps: 2, cores: 2, flags: ["--place", "cyclic"] };
    progress("two ULPs on two engines, awake");
    const pingPong = await programs.compile("message.c");
    const args = ["2", "-", "default", String(batches), ...SIZES];
    await addRun(sheet, "awake", () => programs.upvm(pingPong, options, ...args));
    progress("two ULPs on two engines, asleep");
    const wake = await programs.compile("wake.c");
    await sheet.attempt("asleep", async () =>
      sheet.add("4", "asleep", outputOf(await programs.upvm(wake, options)).figures.get("asleep")),
    );
    progress("two threads");
    await sheet.attempt("two threads", async () => {
      sheet.add("4", "two threads, awake", await betweenThreads("awake"));
      sheet.add("4", "two threads, asleep", await betweenThreads("asleep"));
    });
    progress("two processes, a socket pair");
    const sockets = await native.program("rivals/sockets.c");
    if (sockets) await addRun(sheet, "socket pair", () => sockets(String(batches), ...SIZES));
    else sheet.note("socket pair: no gcc here");
    const mpi = await native.mpi("rivals/mpi-message.c");
    if (mpi) await addRun(sheet, "Open MPI", () => mpi(2, String(batches), ...SIZES));
    else sheet.note("Open MPI: not installed");
    sheet.aim("4 bytes, the other engine is awake", "less", 1, "µs", sheet.median("4", "awake"));
    sheet.aim("4 bytes, the other engine sleeps", "less", 8, "µs", sheet.median("4", "asleep"));
    return sheet.done();
  },
};
