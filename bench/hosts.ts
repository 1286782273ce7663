/**
 * Virtual machines for measurements: some pvmds on this machine, each in a home of its own, and orders to their master.
 *
 * Owns: homes and daemons, which are gone afterwards, and the jobs that were started here. It is called as a user would call it,
 * but for orders, which go over one link that stays open: a command of its own would take longer than what it asks for.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "../net/node-links.ts";
import { Rpc } from "../net/rpc.ts";
import { keyOf } from "../upvm/home.ts";
import { packageRoot } from "../upvm/node-package.ts";
import type { TaskRow } from "../wire/rpc-job.ts";
import type { MigratedRow } from "../wire/rpc-move.ts";
import { printedBy, type Started, started } from "./spawn.ts";

const COMMAND = join(packageRoot, "bin", "upvm.js");
const SIGTERM = 15;

/** A job that runs. */
export interface BenchJob {
  /** Its ULPs by index. */
  readonly tasks: readonly TaskRow[];
  /** Ends it, if it has not ended. @returns what it has printed */
  end(): Promise<string>;
  /** Waits for its end. @returns what it has printed. @throws Error if it failed */
  ended(): Promise<string>;
}

export class BenchHosts {
  readonly names: readonly string[];
  private readonly rpc: Rpc;

  constructor(names: readonly string[], rpc: Rpc) {
    this.names = names;
    this.rpc = rpc;
  }

  /** Runs a linked program, and waits until it has printed its first line. */
  async run(linked: string, flags: readonly string[], ...args: string[]): Promise<BenchJob> {
    const words = [COMMAND, "run", linked, ...flags, "--", ...args];
    const child: Started = started(process.execPath, words);
    await child.firstLine;
    const { tasks } = (await this.rpc.request("tasks", {})).body;
    const job = tasks[0]!.job;
    return {
      tasks: tasks.toSorted((a, b) => a.index - b.index),
      end: async () => {
        await this.rpc.request("kill", { tids: [], jobs: [job], signum: SIGTERM });
        return (await child.ended).stdout;
      },
      ended: async () => {
        const { code, stdout, stderr } = await child.ended;
        if (code !== 0) throw new Error(`${linked} ended with ${code}: ${stderr}`);
        return stdout;
      },
    };
  }

  /** Moves a ULP. @throws Error if it stays */
  async migrate(tid: number, to: string): Promise<MigratedRow> {
    const [row] = (await this.rpc.request("migrate", { tids: [tid], to }, undefined, 0)).body.ulps;
    if (row === undefined || row.refused !== undefined)
      throw new Error(`a ULP was not moved to ${to}: ${row?.refused?.why}`);
    return row;
  }
}

/** Runs with hosts "a" and "b" in service. */
export const onTwoHosts = (measure: (hosts: BenchHosts) => Promise<void>): Promise<void> =>
  onHosts(["a", "b"], measure);

/** Has a virtual machine of these hosts, the first the master; `upvm run` of this process and its children uses it. */
export async function onHosts(
  names: readonly string[],
  measure: (hosts: BenchHosts) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "upvm-bench-vm-"));
  const before = process.env["UPVM_HOME"];
  const home = (host: string): string => join(folder, host);
  const upvm = (host: string, ...words: string[]): Promise<string> =>
    printedBy(process.execPath, [COMMAND, ...words], { env: { UPVM_HOME: home(host) } });
  const [first = "a", ...others] = names;
  let isUp = false;
  // A pvmd whose home is deleted ends.
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.once("exit", remove);
  try {
    const { address } = JSON.parse(await upvm(first, "start", "--name", first, "--json")) as {
      address: string;
    };
    isUp = true;
    const keyFile = join(home(first), "key");
    for (const host of others)
      await upvm(host, "start", "--name", host, "--join", address, "--key-file", keyFile);
    process.env["UPVM_HOME"] = home(first);
    const key = keyOf(readFileSync(keyFile, "utf8"))!;
    const identity = { role: "command", vm: "", host: "bench" } as const;
    const rpc = new Rpc(await connect({ address: `unix:${join(home(first), "socket")}`, identity, key }), {});
    try {
      await measure(new BenchHosts(names, rpc));
    } finally {
      rpc.link.close();
    }
  } finally {
    if (before === undefined) delete process.env["UPVM_HOME"];
    else process.env["UPVM_HOME"] = before;
    // A pvmd that joined ends with its master.
    if (isUp) await upvm(first, "halt");
    process.off("exit", remove);
    remove();
  }
}
