/**
 * etcd servers for tests and measurements: on free ports of the loopback device, with their data in a temporary folder.
 *
 * Owns: these processes and the folder: `end` leaves nothing, and neither does the end of this process.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export function isEtcdInstalled(): boolean {
  return spawnSync("etcd", ["--version"]).status === 0;
}

/** A server that does not answer for so long will not, milliseconds. */
const START_MS = 30_000;

/** Ports of the loopback device where nobody listens. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await new Promise((done) => server.once("listening", done));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

export class EtcdCluster {
  readonly urls: readonly string[];
  private readonly folder = mkdtempSync(join(tmpdir(), "upvm-etcd-"));
  private readonly peers: readonly string[];
  private readonly processes: (ChildProcess | undefined)[];
  private readonly kill = (): void => {
    for (const each of this.processes) each?.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  };

  private readonly isSafe: boolean;

  private constructor(ports: readonly number[], isSafe: boolean) {
    this.isSafe = isSafe;
    const url = (port: number): string => `http://127.0.0.1:${port}`;
    this.urls = ports.slice(0, ports.length / 2).map(url);
    this.peers = ports.slice(ports.length / 2).map(url);
    this.processes = this.urls.map(() => undefined);
    process.on("exit", this.kill);
  }

  /** @param isSafe  true: each change is on the disk before it is done, as in service */
  static async start(servers = 1, isSafe = false): Promise<EtcdCluster> {
    const cluster = new EtcdCluster(await freePorts(2 * servers), isSafe);
    try {
      await Promise.all(cluster.urls.map((_, i) => cluster.startServer(i)));
    } catch (error) {
      await cluster.end();
      throw error;
    }
    return cluster;
  }

  /** Resolves when it answers. */
  async startServer(i: number): Promise<void> {
    const url = this.urls[i]!;
    const peer = this.peers[i]!;
    const options = {
      name: `s${i}`,
      "data-dir": join(this.folder, `s${i}`),
      "listen-client-urls": url,
      "advertise-client-urls": url,
      "listen-peer-urls": peer,
      "initial-advertise-peer-urls": peer,
      "initial-cluster": this.peers.map((each, n) => `s${n}=${each}`).join(","),
      // A lease lasts one and a half elections at least.
      "heartbeat-interval": "50",
      "election-timeout": "500",
    };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    if (!this.isSafe) args.push("--unsafe-no-fsync");
    const started = spawn("etcd", args, { stdio: "ignore" });
    this.processes[i] = started;
    for (let ms = 0; ms < START_MS && started.exitCode === null; ms += 50) {
      const answer = await fetch(`${url}/health`).then(
        (response) => response.text(),
        () => "",
      );
      if (answer.includes('"true"')) return;
      await sleep(50);
    }
    throw new Error(`etcd did not start at ${url}`);
  }

  signal(i: number, signal: NodeJS.Signals): void {
    this.processes[i]?.kill(signal);
  }

  /** Resolves when it is gone. */
  async killServer(i: number): Promise<void> {
    const child = this.processes[i];
    if (child === undefined) return;
    const gone = new Promise((done) => child.once("exit", done));
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await gone;
    }
    this.processes[i] = undefined;
  }

  async end(): Promise<void> {
    for (let i = 0; i < this.processes.length; i++) await this.killServer(i);
    rmSync(this.folder, { recursive: true, force: true });
    process.off("exit", this.kill);
  }
}
