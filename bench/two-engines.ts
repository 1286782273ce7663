/**
 * A small message between ULPs on two engines: when the other engine is awake, and when it sleeps.
 */
import { SheetBuilder } from "./figures.ts";
import { addAll } from "./message.ts";
import { outputOf } from "./output.ts";
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
    addAll(
      sheet,
      "awake",
      await programs.upvm(pingPong, options, "2", "-", "default", String(batches), ...SIZES),
    );
    progress("two ULPs on two engines, asleep");
    const wake = await programs.compile("wake.c");
    sheet.add("4", "asleep", outputOf(await programs.upvm(wake, options)).figures.get("asleep"));
    progress("two processes, a socket pair");
    const sockets = await native.program("rivals/sockets.c");
    if (sockets) addAll(sheet, "socket pair", await sockets(String(batches), ...SIZES));
    else sheet.note("socket pair: no gcc here");
    const mpi = await native.mpi("rivals/mpi-message.c");
    if (mpi) addAll(sheet, "Open MPI", await mpi(2, String(batches), ...SIZES));
    else sheet.note("Open MPI: not installed");
    sheet.aim("4 bytes, the other engine is awake", "less", 1, "µs", sheet.median("4", "awake"));
    sheet.aim("4 bytes, the other engine sleeps", "less", 8, "µs", sheet.median("4", "asleep"));
    return sheet.done();
  },
};
