/**
 * Virtual machines of real pvmds on this machine, for tests: each host in a home of its own.
 *
 * Owns: that nothing is left, also when a test fails: no process, no folder.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Done, upvm } from "./command.ts";

export interface HostStatus {
  readonly host: string;
  readonly pid: number;
  readonly address: string;
  readonly keyFile: string;
  readonly hosts: readonly { readonly name: string; readonly arch: string; readonly state: string }[];
}

export class Hosts {
  private readonly folder = mkdtempSync(join(tmpdir(), "upvm-hosts-"));
  private readonly pids = new Set<number>();
  /**
   * `--dead-after` of first hosts, seconds: more than the product's, since a machine with tests may keep a pvmd waiting for that
   * long. A test that waits for a death says less.
   */
  deadAfter = 60;

  /** The home of a host. */
  home(name: string): string {
    return join(this.folder, name);
  }

  /** Runs `upvm WORDS...` on a host. */
  on(name: string, words: readonly string[], input?: string): Promise<Done> {
    return upvm(words, { env: { UPVM_HOME: this.home(name) }, ...(input !== undefined && { input }) });
  }

  /** Starts a pvmd. @throws Error with what it said, if it is not in service */
  async start(name: string, ...words: string[]): Promise<HostStatus> {
    const patience = words.includes("--join") ? [] : ["--dead-after", `${this.deadAfter}`];
    const given = ["start", "--name", name, "--json", ...patience, ...words];
    const { code, out, err } = await this.on(name, given);
    if (code !== 0) throw new Error(`upvm start ended with ${code}: ${out}${err}`);
    const status = JSON.parse(out) as HostStatus;
    this.pids.add(status.pid);
    return status;
  }

  /** A first host and others that have joined it, in order. */
  async all(...names: string[]): Promise<HostStatus[]> {
    const [first = "", ...others] = names;
    const master = await this.start(first);
    const rest = others.map((name) =>
      this.start(name, "--join", master.address, "--key-file", master.keyFile),
    );
    return [master, ...(await Promise.all(rest))];
  }

  async status(name: string): Promise<HostStatus> {
    const { out } = await this.on(name, ["status", "--json"]);
    return JSON.parse(out) as HostStatus;
  }

  log(name: string): string {
    const file = join(this.home(name), "log");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  /** Waits until something holds; as long as the test may run. */
  async until(holds: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await holds())) await new Promise((done) => setTimeout(done, 50));
  }

  /** True if the process runs; one that has ended and that nobody has asked about does not. */
  static runs(pid: number): boolean {
    try {
      process.kill(pid, 0);
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3) !== "Z";
    } catch (error) {
      // No /proc: another system, where the signal has told.
      return (error as NodeJS.ErrnoException).code === "ENOENT" && process.platform !== "linux";
    }
  }

  /** A pvmd that something else has started. */
  adopt(pid: number): number {
    this.pids.add(pid);
    return pid;
  }

  /** Ends what is left. */
  close(): void {
    for (const pid of this.pids) if (Hosts.runs(pid)) process.kill(pid, "SIGKILL");
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Calls `use` with hosts that are all gone afterwards. */
export async function withHosts(use: (hosts: Hosts) => Promise<void>): Promise<void> {
  const hosts = new Hosts();
  try {
    await use(hosts);
  } finally {
    hosts.close();
  }
}
