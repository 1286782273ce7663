/**
 * How a job comes to be: what is looked for before it has a number, and which command it is of.
 *
 * Owns: the numbers of commands that run jobs (jobs.ts knows them by these), and that a command which is gone, or was
 * interrupted, gets no job that runs, however early that was. What becomes of a job that has begun is job-master.ts's matter.
 */
import type { Rpc } from "../net/rpc.ts";
import { UpvmError } from "../wire/errors.ts";
import type { JobWish } from "../wire/job.ts";
import type { Restart } from "./checkpoints.ts";
import { errorOf, NO_HOST } from "./job-failure.ts";
import { checkSeats, hostsFor, type JobHost, memberOn } from "./job-hosts.ts";
import type { Modules } from "./job-programs.ts";
import { JobRun } from "./job-run.ts";
import type { JobEffect, JobEvent, Jobs } from "./jobs.ts";
import type { VirtualMachine } from "./virtual-machine.ts";

export interface JobStartsWorld {
  readonly jobs: Jobs;
  /** Jobs that run: a new one is added. */
  readonly runs: Map<number, JobRun>;
  readonly modules: Modules;
  machine(): VirtualMachine;
  /** Hosts in service. */
  hosts(): readonly JobHost[];
  nowMs(): number;
  /** A linked module. @throws UpvmError there is none */
  module(hash: string): Promise<Uint8Array>;
  step(event: JobEvent): void;
  act(effect: JobEffect): void;
}

/** A command that runs jobs, or is about to. */
interface Client {
  readonly number: number;
  /** Its jobs are to end, and none begins. */
  isOff: boolean;
}

export class JobStarts {
  private readonly world: JobStartsWorld;
  /** By their links. */
  private readonly clients = new Map<Rpc, Client>();
  private lastClient = 0;

  constructor(world: JobStartsWorld) {
    this.world = world;
  }

  private of(rpc: Rpc): Client {
    const client = this.clients.get(rpc) ?? { number: ++this.lastClient, isOff: false };
    this.clients.set(rpc, client);
    return client;
  }

  /** The jobs of a command are to end, also those that it asks for just now. */
  interrupt(rpc: Rpc): void {
    const client = this.of(rpc);
    client.isOff = true;
    this.world.step({ kind: "clientGone", client: client.number });
  }

  /** A link has ended, maybe a command's. */
  ended(rpc: Rpc): void {
    if (this.clients.has(rpc)) this.interrupt(rpc);
    this.clients.delete(rpc);
  }

  /** @returns at its end: its number, and what the command gets. @throws UpvmError why it cannot begin */
  async run(
    rpc: Rpc,
    wish: JobWish,
    restart?: Restart,
  ): Promise<{ body: { job: number }; bytes: Uint8Array }> {
    const { jobs, runs, modules } = this.world;
    const machine = this.world.machine();
    const client = this.of(rpc);
    const hosts = hostsFor(wish, this.world.hosts());
    const main = await this.world.module(wish.hash);
    const members = hosts.map((host) => memberOn(host, wish));
    checkSeats(wish, members);
    // Nothing of a job that had its number may be taken for its own; if one has it still, that is said below.
    const free = restart !== undefined && jobs.get(restart.job) === undefined;
    if (free) await machine.gone(restart.job);
    const taken = free ? await machine.inTheWay(restart.job, restart.kept) : undefined;
    const begins = free && jobs.get(restart.job) === undefined;
    const why = taken ?? (begins ? machine.restarting(restart.job, restart.kept) : undefined);
    if (why !== undefined) throw new UpvmError("JOB_NOT_RUN", { why });
    const from = restart && { restart: { job: restart.job, living: restart.living.length } };
    const wanted = { kind: "run", client: client.number, wish, members, ...from } as const;
    const effects = jobs.step(wanted, this.world.nowMs());
    const [first] = effects;
    if (first?.kind !== "start") {
      if (begins) void machine.jobEnded(restart.job);
      throw errorOf(first?.kind === "refuse" ? first.failure : NO_HOST);
    }
    const run = new JobRun(rpc, wish, main, modules, restart);
    runs.set(first.job, run);
    // While the module was looked for it may have gone: its job ends before anything of it has begun, as any.
    if (client.isOff) this.world.step({ kind: "clientGone", client: client.number });
    else for (const effect of effects) this.world.act(effect);
    return { body: { job: first.job }, bytes: await run.result };
  }
}
