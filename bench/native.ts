/**
 * The rivals' side: C programs compiled by gcc and run as processes, on MPI, or on a PVM that is started for them.
 *
 * Owns: the rivals' processes and their working folder. Everything started is stopped: a PVM too, also after a failure.
 * What is not installed is undefined, never an error.
 */
import { basename, join } from "node:path";
import { erlang } from "./erlang.ts";
import { type RealPvm, startPvm } from "./real-pvm.ts";
import { isInstalled, printedBy } from "./spawn.ts";

export interface Native {
  /** Compiles bench/<path> with gcc -O2 and returns a function that runs it with arguments, or undefined. */
  program(path: string, flags?: readonly string[]): Promise<RunProgram | undefined>;
  /** The same on Open MPI: `ranks` processes. */
  mpi(path: string): Promise<((ranks: number, ...args: string[]) => Promise<string>) | undefined>;
  /** The same on PVM, with bench/guests/spmd.h's arguments. */
  pvm(path: string): Promise<RunProgram | undefined>;
  /** Two nodes of Erlang: rivals/ping.erl. */
  erlang(): Promise<RunProgram | undefined>;
  /** Ends what was started. */
  stop(): Promise<void>;
}
export type RunProgram = (...args: string[]) => Promise<string>;

/** @param folder  working folder of the rivals, exists; @param sources  the folder bench/ */
export function native(folder: string, sources: string): Native {
  let pvm: Promise<RealPvm | undefined> | undefined;
  const build = async (compiler: string, path: string, to: string, flags: readonly string[]) => {
    const file = join(to, basename(path, ".c"));
    await printedBy(compiler, ["-O2", join(sources, path), "-o", file, ...flags]);
    return file;
  };
  return {
    async program(path, flags = []) {
      if (!(await isInstalled("gcc", "--version"))) return undefined;
      const file = await build("gcc", path, folder, flags);
      return (...args) => printedBy(file, args);
    },
    async mpi(path) {
      if (!(await isInstalled("mpicc.openmpi", "--version"))) return undefined;
      const file = await build("mpicc.openmpi", path, folder, []);
      return (ranks, ...args) =>
        printedBy("mpirun.openmpi", [...MPI_FLAGS, "-np", String(ranks), file, ...args]);
    },
    async pvm(path) {
      pvm ??= startPvm(join(folder, "pvm"));
      const virtualMachine = await pvm;
      if (virtualMachine === undefined) return undefined;
      const file = await build("gcc", path, virtualMachine.programs, ["-lgpvm3", "-lpvm3"]);
      return (...args) => printedBy(file, args, { env: virtualMachine.env });
    },
    erlang: () => erlang(folder, sources),
    async stop() {
      await (await pvm)?.stop();
    },
  };
}

/**
 * More ranks than cores, as every one of these measurements has: without yielding when idle they collapse by three
 * orders of magnitude. vader is shared memory.
 */
const MPI_FLAGS = [
  ...["--allow-run-as-root", "--oversubscribe"],
  ...["--mca", "btl", "vader,self", "--mca", "mpi_yield_when_idle", "1"],
];
