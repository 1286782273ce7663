/**
 * A PVM 3.4 of Debian's, of this host alone, started for a measurement or a test and ended after it.
 *
 * Owns: its daemon, its home and its sockets, beside any other PVM of this machine.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { isInstalled, outcome } from "./spawn.ts";

/** Debian's, from the package `pvm`. */
const PVM_ROOT = "/usr/lib/pvm3";
/** How long a PVM may take to start or to halt, milliseconds. */
const PVM_LIMIT_MS = 10_000;

export interface RealPvm {
  /** Where pvm_spawn looks for programs. */
  readonly programs: string;
  /** For a program that shall be a task of it. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Whether programs for PVM can be compiled and run here. */
export async function isPvmInstalled(): Promise<boolean> {
  return (
    existsSync(PVM_ROOT) &&
    existsSync("/usr/include/pvm3.h") &&
    (await isInstalled("pvmd", "-h")) &&
    (await isInstalled("gcc", "--version"))
  );
}

/**
 * Starts one. @param home  its folder, made if it is not there; it must be no other's
 * @returns undefined if PVM is not installed or does not start
 */
export async function startPvm(home: string): Promise<RealPvm | undefined> {
  if (!existsSync(PVM_ROOT) || !(await isInstalled("pvmd", "-h"))) return undefined;
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
    // A program may have halted it; a console without a daemon would start another.
    if (daemon.exitCode !== null || daemon.signalCode !== null) return;
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
