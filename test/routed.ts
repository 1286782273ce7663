/**
 * Daemons and processes in one process, with real sockets: only what carries links between processes, no jobs.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Link, PeerIdentity } from "../net/link.ts";
import { connect, type Listener, listen } from "../net/node-links.ts";
import { type Handlers, Rpc } from "../net/rpc.ts";
import { Routes } from "../pvmd/routes.ts";
import { processSocket } from "../upvm/home.ts";
import { JobLinks } from "../upvm/node-job-links.ts";
import { UpvmError } from "../wire/errors.ts";
import type { JobLinking } from "../wire/job.ts";
import { LIMITS } from "../wire/limits.ts";

export const KEY = randomBytes(32);
const VM = "lab";

export class Daemon {
  readonly host: string;
  readonly folder: string;
  readonly log: string[] = [];
  /** Processes that it has started: "member of job". */
  readonly processes = new Set<string>();
  /** Of other hosts, whose addresses are not what others reach them at. */
  readonly unreached = new Set<string>();
  readonly routes: Routes;
  /** Links of peers that have connected. */
  readonly links = new Set<Link>();
  /** Processes that have found it gone. */
  readonly lostBy: number[] = [];
  /** Ways that it carries at once. */
  most: number = LIMITS.routes;
  address = "";
  local = "";
  private readonly all: Map<string, Daemon>;
  private readonly listeners: Listener[] = [];
  /** To the master, as a host that has joined keeps it. */
  private toMaster: Rpc | undefined;

  /** The first is the master. */
  constructor(host: string, all: Map<string, Daemon>) {
    this.host = host;
    this.all = all;
    const isFirst = all.size === 0;
    all.set(host, this);
    this.folder = mkdtempSync(join(tmpdir(), "upvm-routed-"));
    const most = () => this.most;
    const toMaster = () => this.toMaster as Rpc;
    const first = () => [...all.values()][0] as Daemon;
    this.routes = new Routes({
      host,
      role: isFirst ? "master" : "joined",
      get master() {
        return toMaster();
      },
      get masterAddress() {
        return first().address;
      },
      addressOf: (other) => (this.unreached.has(other) ? "tcp:127.0.0.1:1" : all.get(other)?.address),
      rpcTo: (other) => this.callers.get(other),
      hasProcess: (job, member) => this.processes.has(`${member} of ${job}`),
      processAddress: (job, member) => `unix:${processSocket(this.folder, job, member)}`,
      connect: (address, accept, connectMs) =>
        connect({ address, identity: this.identity, key: KEY, accept, ...(connectMs && { connectMs }) }),
      newId: () => randomBytes(16).toString("hex"),
      log: (text) => this.log.push(text),
      get most() {
        return most();
      },
    });
  }

  private readonly callers = new Map<string, Rpc>();

  private get identity(): PeerIdentity {
    return { role: "pvmd", vm: VM, host: this.host };
  }

  private serve(link: Link): Rpc {
    const caller = {
      peer: link.peer,
      get rpc() {
        return rpc;
      },
    };
    const rpc: Rpc = new Rpc(link, this.routes.handlers(caller));
    return rpc;
  }

  async start(): Promise<this> {
    const take = (link: Link): void => {
      this.links.add(link);
      link.onClose(() => this.links.delete(link));
      const rpc = this.serve(link);
      if (link.peer.role === "pvmd" && !this.callers.has(link.peer.host))
        this.callers.set(link.peer.host, rpc);
    };
    const options = { identity: () => this.identity, key: KEY };
    this.listeners.push(await listen({ ...options, address: "tcp:127.0.0.1:0" }, take));
    this.listeners.push(await listen({ ...options, address: `unix:${join(this.folder, "socket")}` }, take));
    [this.address, this.local] = this.listeners.map(({ address }) => address) as [string, string];
    const first = [...this.all.values()][0] as Daemon;
    if (first !== this)
      this.toMaster = this.serve(
        await connect({ address: first.address, identity: this.identity, key: KEY }),
      );
    return this;
  }

  /** A process of it. */
  process(job: number, member: number, how: JobLinking): JobLinks {
    this.processes.add(`${member} of ${job}`);
    const { host, folder, local: daemon } = this;
    const setup = { vm: VM, host, job, member, folder, ...how, listen: "127.0.0.1", daemon };
    return new JobLinks(setup, KEY, () => this.lostBy.push(member));
  }

  stopListening(): void {
    for (const listener of this.listeners.splice(0)) listener.close();
  }

  stop(): void {
    for (const link of this.links) link.close();
    this.toMaster?.link.close();
    this.stopListening();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Daemons of hosts h1, h2, …; h1 is the master. Runs with them and stops them. */
export async function withDaemons(
  count: number,
  run: (...daemons: [Daemon, Daemon, Daemon]) => Promise<void>,
): Promise<void> {
  const daemons = await startDaemons(count);
  try {
    await run(...(daemons as [Daemon, Daemon, Daemon]));
  } finally {
    for (const daemon of daemons) await daemon.stop();
  }
}

export async function startDaemons(count: number): Promise<Daemon[]> {
  const all = new Map<string, Daemon>();
  const daemons = Array.from({ length: count }, (_, i) => new Daemon(`h${i + 1}`, all));
  for (const daemon of daemons) await daemon.start();
  return daemons;
}

/** The code of what it throws. */
export async function codeOf(asked: Promise<unknown>): Promise<readonly [string, string]> {
  try {
    await asked;
    return ["", ""];
  } catch (error) {
    if (error instanceof UpvmError) return [error.code, error.message];
    throw error;
  }
}

/** Asks a daemon as a peer of any kind would. */
export async function askAs(address: string, peer: Partial<PeerIdentity>): Promise<Rpc> {
  const identity: PeerIdentity = { role: "process", vm: VM, host: "h1", ...peer };
  const handlers: Handlers = {};
  return new Rpc(await connect({ address, identity, key: KEY }), handlers);
}
