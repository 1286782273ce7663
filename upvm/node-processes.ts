/**
 * Application processes of a host: its pvmd starts them, and is told when one ends.
 *
 * Owns: the child processes. What each is told goes to its standard input, which stays open: a process whose pvmd dies sees
 * it close, and ends. What one leaves in the home goes with it. What a process says on its standard error is for the log.
 */
import type { ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import { processSocket } from "./home.ts";
import type { ApplicationSetup } from "./node-application-thread.ts";
import { nodeCommand } from "./node-command.ts";
import { packageRoot } from "./node-package.ts";
import { startChild } from "./node-start-child.ts";

export class Processes {
  private readonly children = new Map<string, ChildProcess>();
  private readonly log: (text: string) => void;
  private readonly ended: (job: number, member: number, how: string) => void;

  /** @param ended  told once of each process that was started */
  constructor(log: (text: string) => void, ended: (job: number, member: number, how: string) => void) {
    this.log = log;
    this.ended = ended;
  }

  /** @returns its process id. @throws UpvmError JOB_NOT_RUN */
  async start(setup: ApplicationSetup): Promise<number> {
    const { job, member } = setup;
    const name = nameOf(job, member);
    if (this.children.has(name))
      throw new UpvmError("JOB_NOT_RUN", { why: `it has process ${name} already` });
    const [node, ...words] = nodeCommand();
    const child = startChild(node, [...words, join(packageRoot, "bin", "upvm.js"), "application"], {
      stdio: ["pipe", "ignore", "pipe"],
      // Ctrl-C of a terminal is the command's.
      detached: true,
    });
    if (typeof child === "string") throw new UpvmError("JOB_NOT_RUN", { why: child });
    this.children.set(name, child);
    let said = "";
    child.stderr.on("data", (data: Buffer) => {
      said = (said + data.toString()).slice(-LIMITS.hosterTextLength);
    });
    child.stdin.on("error", () => {});
    child.stdin.write(`${JSON.stringify(setup)}\n`);
    child.on("close", (code, signal) => {
      this.children.delete(name);
      // One that was killed has left it.
      removeSocket(setup);
      if (said !== "") this.log(`process ${name}: ${said.trimEnd()}`);
      // By the system, when it has no memory left, by a user, or by us, when it had not ended in time: nobody else could tell.
      if (signal !== null) this.log(`process ${name} was ended by ${signal}`);
      this.ended(job, member, signal ?? `exit code ${code}`);
    });
    return await new Promise((done, fail) => {
      child.on("spawn", () => done(child.pid ?? 0));
      child.on("error", (error) => {
        this.children.delete(name);
        fail(new UpvmError("JOB_NOT_RUN", { why: error.message }));
      });
    });
  }

  has(job: number, member: number): boolean {
    return this.children.has(nameOf(job, member));
  }

  kill(job: number, member: number): void {
    this.children.get(nameOf(job, member))?.kill("SIGKILL");
  }

  /** Waits so long for all to end, and ends those that have not. Resolves when they have. */
  async endAll(waitMs: number): Promise<void> {
    const all = [...this.children.values()];
    const gone = Promise.all(all.map((child) => new Promise((done) => child.once("close", done))));
    const late = setTimeout(() => {
      for (const child of all) child.kill("SIGKILL");
    }, waitMs);
    await gone;
    clearTimeout(late);
  }
}

/** What stays is in nobody's way: who listens there next takes it for what it is. */
function removeSocket({ folder, job, member }: ApplicationSetup): void {
  try {
    rmSync(processSocket(folder, job, member), { force: true });
  } catch {
    // Somebody has taken away our right to.
  }
}

function nameOf(job: number, member: number): string {
  return `${member} of job ${job}`;
}
