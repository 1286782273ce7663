/**
 * The rivals' side: C programs compiled by gcc and run as processes, on MPI, or on a PVM that is started for them.
 *
 * Owns: the rivals' processes and their working folder. Everything started is stopped: a PVM too, also after a failure.
 * What is not installed is undefined, never an error.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import { isInstalled, outcome, printedBy } from "./spawn.ts";

export interface Native {
  /** Compiles bench/<path> with gcc -O2 and returns a function that runs it with arguments, or undefined. */
  program(path: string, flags?: readonly string[]): Promise<RunProgram | undefined>;
  /** The same on Open MPI: `ranks` processes. */
  mpi(path: string): Promise<((ranks: number, ...args: string[]) => Promise<string>) | undefined>;
  /** The same on PVM, with bench/guests/spmd.h's arguments. */
  pvm(path: string): Promise<RunProgram | undefined>;
  /** Ends what was started. */
  stop(): Promise<void>;
}
export type RunProgram = (...args: string[]) => Promise<string>;

/** Debian's, from the package `pvm`. */
const PVM_ROOT = "/usr/lib/pvm3";
/** How long a PVM may take to start or to halt, milliseconds. */
const PVM_LIMIT_MS = 10_000;

/** @param folder  working folder of the rivals, exists; @param sources  the folder bench/ */
export function native(folder: string, sources: string): Native {
  let pvm: Promise<Pvm | undefined> | undefined;
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
      pvm ??= startPvm(folder);
      const virtualMachine = await pvm;
      if (virtualMachine === undefined) return undefined;
      const file = await build("gcc", path, virtualMachine.programs, ["-lpvm3"]);
      return (...args) => printedBy(file, args, { env: virtualMachine.env });
    },
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

interface Pvm {
  /** Where pvm_spawn looks for programs. */
  readonly programs: string;
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** A virtual machine of this host alone, with a home and sockets of its own beside any other. */
async function startPvm(folder: string): Promise<Pvm | undefined> {
  if (!existsSync(PVM_ROOT) || !(await isInstalled("pvmd", "-h"))) return undefined;
  const home = join(folder, "pvm");
  const programs = join(home, "bin");
  mkdirSync(programs, { recursive: true });
  const hostFile = join(home, "hosts");
  writeFileSync(hostFile, `* ep=${programs}:/usr/bin wd=${home}\n${hostname()}\n`);
  const env = { HOME: home, PVM_TMP: home, PVM_ROOT, PVM_ARCH: "LINUX64", PVM_ALLOW_ROOT: "1" };
  const daemon = spawn("pvmd", [hostFile], {
    cwd: home,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const killDaemon = () => daemon.kill("SIGKILL");
  process.on("exit", killDaemon);
  const ended = new Promise<void>((done) => daemon.on("exit", () => done()));
  const ready = new Promise<boolean>((done) => {
    // It prints its socket's name when it can be reached.
    daemon.stdout.once("data", () => done(true));
    daemon.on("error", () => done(false));
    daemon.on("exit", () => done(false));
    setTimeout(() => done(false), PVM_LIMIT_MS).unref();
  });
  const stop = async () => {
    process.off("exit", killDaemon);
    // The console waits for more after `halt` has cut it off: its end is not awaited, the daemon's is.
    const halted = outcome("pvm", [], { env, cwd: home, input: "halt\n", limitMs: PVM_LIMIT_MS / 2 }).catch(
      () => {},
    );
    const timer = setTimeout(killDaemon, PVM_LIMIT_MS);
    await Promise.all([ended, halted]);
    clearTimeout(timer);
  };
  if (await ready) return { programs, env, stop };
  killDaemon();
  return undefined;
}
