/**
 * Checkpoints of jobs: the master stops all ULPs of a job at one moment, and lets who asked read their images; and begins a job
 * from such images.
 *
 * Owns: when a job is stopped: all its ULPs are, in every process, and nothing is on its way between the processes (the flush
 * barrier of the paper's 3.2.7, over the whole job); and that it goes on, whatever happens to who asked. Not in a checkpoint, and
 * so refused: groups, and an answer that a ULP waits for.
 */
import type { Handlers, Rpc } from "../net/rpc.ts";
import { UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import { tidText } from "../wire/pvm.ts";
import type { LivingUlp } from "../wire/rpc-checkpoint.ts";
import type { ControlStore } from "./control-store.ts";
import type { JobFailure } from "./job-failure.ts";
import type { JobPrograms } from "./job-programs.ts";
import type { ListedJob } from "./job-rows.ts";
import { isInGroup } from "./kept-groups.ts";
import type { Caller } from "./pvmd.ts";
import { tidOfJob } from "./tids.ts";

export interface CheckpointWorld {
  /** A job that runs, with its processes by member; undefined: there is none. */
  job(number: number): ListedJob | undefined;
  readonly store: ControlStore;
  /** Index of the next task of a job. */
  nextIndex(job: number): number;
  after(ms: number, run: () => void): void;
}

/** A job that is stopped. */
interface Cut {
  readonly client: Rpc;
  /** Process that has each ULP, and its program. */
  readonly ulps: Map<number, { readonly process: Rpc; readonly program: number }>;
  readonly processes: readonly Rpc[];
}

export class Checkpoints {
  private readonly world: CheckpointWorld;
  private readonly cuts = new Map<number, Cut>();

  constructor(world: CheckpointWorld) {
    this.world = world;
  }

  /** What a command may ask. */
  handlers(caller: Pick<Caller, "rpc">): Handlers {
    const cutOf = (job: number): Cut => {
      const cut = this.cuts.get(job);
      if (cut?.client !== caller.rpc) refuse(job, "it is not stopped");
      return cut;
    };
    return {
      checkpoint: async ({ job }) => ({ body: await this.begin(caller.rpc, job) }),
      checkpointImage: async ({ job, tid }) => {
        const { ulps } = cutOf(job);
        const ulp = ulps.get(tid);
        const hash = this.world.job(job)?.programs.hashOf(ulp?.program ?? -1);
        if (ulp === undefined || hash === undefined) refuse(job, "it has no such ULP");
        const { bytes } = await ulp.process.request("jobImage", { tid, hash }, undefined, 0);
        return { body: {}, bytes };
      },
      checkpointModule: ({ job, program }) => {
        const programs = this.world.job(job)?.programs;
        const wasm = programs?.module(programs.hashOf(program) ?? "");
        if (wasm === undefined) refuse(job, "it has no such program");
        return { body: {}, bytes: wasm };
      },
      checkpointEnd: ({ job }) => {
        if (this.cuts.get(job)?.client === caller.rpc) this.end(job);
        return { body: undefined };
      },
    };
  }

  /** A command is gone: what it has stopped goes on. */
  clientEnded(client: Rpc): void {
    for (const [job, cut] of this.cuts) if (cut.client === client) this.end(job);
  }

  /** True while the ULPs of a job are stopped: it waits for nothing, and is not deadlocked. */
  isStopped(job: number): boolean {
    return this.cuts.has(job);
  }

  private end(job: number): void {
    for (const process of this.cuts.get(job)?.processes ?? []) process.tell("jobThaw", {});
    this.cuts.delete(job);
  }

  private async begin(client: Rpc, number: number) {
    const found = this.world.job(number);
    if (found === undefined || found.job.state !== "running")
      refuse(number, "there is no such job that runs");
    if (this.cuts.has(number)) refuse(number, "another checkpoint of it is being taken");
    const processes = [...found.processes.values()];
    const cut: Cut = { client, ulps: new Map(), processes };
    this.cuts.set(number, cut);
    try {
      await this.stop(number, cut);
      const { wish } = found.job.spec;
      const living = [...cut.ulps].map(([tid, { program }]): LivingUlp => {
        return { tid, index: tid - tidOfJob(number, 0), program };
      });
      return { wish, ulps: this.world.nextIndex(number), programs: found.programs.list(), living };
    } catch (error) {
      this.end(number);
      throw error;
    }
  }

  /** Tries until no ULP waits for an answer: those come. @throws UpvmError CANNOT_CHECKPOINT */
  private async stop(job: number, cut: Cut): Promise<void> {
    let why = "";
    for (let tries = 0; tries < LIMITS.checkpointTries; tries++) {
      if (await isInGroup(this.world.store, job))
        refuse(job, "its ULPs are in groups, which are not kept in a checkpoint");
      const stopped = await Promise.all(
        cut.processes.map(async (process) => ({ process, ...(await freeze(process)) })),
      );
      const not = stopped.find((one) => one.why !== undefined);
      if (not === undefined && this.world.job(job)?.job.making === 0 && (await this.flush(cut))) {
        for (const { process, ulps } of stopped)
          for (const [tid, program] of ulps) cut.ulps.set(tid, { process, program });
        return;
      }
      why = not?.why ?? "messages are on their way between its processes";
      for (const process of cut.processes) process.tell("jobThaw", {});
      await this.pause();
      if (cut.client.link.end !== undefined) refuse(job, "who asked is gone");
    }
    refuse(job, why);
  }

  /** True if all that any process has sent to another has come there; looks for a while. */
  private async flush({ processes }: Cut): Promise<boolean> {
    const members = processes.map((process) => process.link.peer.member ?? 0);
    for (let looks = 0; looks < LIMITS.checkpointLooks; looks++) {
      const waves = await Promise.all(
        processes.map(async (process) => (await process.request("jobSettled", {}, undefined, 0)).body),
      );
      const settled = waves.every((from, i) =>
        waves.every((to, k) => (from.sent[members[k]!] ?? 0) === (to.received[members[i]!] ?? 0)),
      );
      if (settled && waves.every((one) => one.settled)) return true;
      await this.pause();
    }
    return false;
  }

  private pause(): Promise<void> {
    return new Promise((done) => this.world.after(LIMITS.checkpointPauseMs, done));
  }
}

/** What a job is restarted from. */
export interface Restart {
  readonly job: number;
  readonly programs: readonly { readonly name: string; readonly hash: string }[];
  readonly living: readonly LivingUlp[];
}

/** Tids of those of the job's first `ulps` ULPs that had ended. */
export function endedTids({ job, living }: Restart, ulps: number): number[] {
  const alive = new Set(living.map(({ index }) => index));
  return Array.from({ length: ulps }, (_, index) => index).flatMap((index) =>
    alive.has(index) ? [] : [tidOfJob(job, index)],
  );
}

/**
 * Brings the ULPs of a job that has just begun to their processes, each from its image; the others have ended.
 *
 * @param seats  member of each, by index
 * @returns tid and member of each that is there; why not all are
 */
export async function restore(
  restart: Restart,
  seats: readonly number[],
  client: Rpc,
  run: { readonly processes: ReadonlyMap<number, Rpc>; readonly programs: JobPrograms },
): Promise<{ tids: [number, number][]; failure?: JobFailure }> {
  const tids: [number, number][] = [];
  const failed = (text: string) => ({ tids, failure: { code: "", facts: {}, text } });
  try {
    for (const [row, { name }] of restart.programs.entries())
      if ((await run.programs.row(name)) !== row) return failed(`its program ${name} cannot be loaded`);
    const ended = endedTids(restart, seats.length);
    for (const process of run.processes.values()) process.tell("ulpsGone", { tids: ended });
    for (const { tid, index, program } of restart.living) {
      const { bytes } = await client.request("restartImage", { tid }, undefined, 0);
      const member = seats[index]!;
      const asked = { hash: restart.programs[program]!.hash, program };
      const answer = await run.processes.get(member)?.request("ulpRestore", asked, bytes, 0);
      if (answer?.body.why !== undefined) return failed(`${tidText(tid)} cannot go on: ${answer.body.why}`);
      tids.push([tid, member]);
    }
    return { tids };
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
}

async function freeze(process: Rpc): Promise<{ ulps: [number, number][]; why?: string | undefined }> {
  return (await process.request("jobFreeze", {}, undefined, 0)).body;
}

function refuse(job: number, why: string): never {
  throw new UpvmError("CANNOT_CHECKPOINT", { job, why });
}
