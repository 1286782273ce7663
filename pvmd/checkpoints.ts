/**
 * Checkpoints of jobs: the master stops all ULPs of a job at one moment, and lets who asked read their images; and begins a job
 * from such images.
 *
 * Owns: when a job is stopped: all its ULPs are, in every process, and nothing is on its way between the processes (the flush
 * barrier of the paper's 3.2.7, over the whole job); and that it goes on, whatever happens to who asked. What the
 * virtual machine has for its tasks is kept as it is at that moment (kept-tasks.ts). An answer that is on its way to a ULP is in no checkpoint: another moment is taken.
 */
import type { Handlers, Rpc } from "../net/rpc.ts";
import type { Kept } from "../wire/checkpoint.ts";
import { UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import { tidText } from "../wire/pvm.ts";
import type { LivingUlp } from "../wire/rpc-checkpoint.ts";
import type { JobFailure } from "./job-failure.ts";
import type { JobPrograms } from "./job-programs.ts";
import type { ListedJob } from "./job-rows.ts";
import type { KeptNow } from "./kept-tasks.ts";
import type { Caller } from "./pvmd.ts";
import { tidOfJob } from "./tids.ts";
import type { VirtualMachine } from "./virtual-machine.ts";

export interface CheckpointWorld {
  /** A job that runs, with its processes by member; undefined: there is none. */
  job(number: number): ListedJob | undefined;
  /** A ULP of the job is on its way to another host. None is from then on until `isStopped` is false. */
  isMoving(number: number): boolean;
  /** What the virtual machine has for tasks that are all of a job, and are stopped; a text: why that cannot be kept. */
  keep(job: number, tids: ReadonlySet<number>): Promise<KeptNow<Kept>>;
  /** What the virtual machine has for a task waits (Router.park); true: something does; it goes to the task (Router.letGo). */
  park(tid: number): void;
  isParked(tid: number): boolean;
  /** More came for a task than may wait, and is with it (Router.isOver). */
  isOver(tid: number): boolean;
  letGo(tid: number): void;
  /** Index of the next task of a job. */
  nextIndex(job: number): number;
  after(ms: number, run: () => void): void;
}

/** A job that is stopped, or is being. */
interface Cut {
  readonly client: Rpc;
  readonly processes: Set<Rpc>;
  /** All are stopped: what follows is the client's. */
  isWhole: boolean;
  /** It comes to nothing: its client is gone, or not all could be stopped. */
  isOff: boolean;
  /** Process that has each ULP, and its program. */
  ulps: ReadonlyMap<number, { readonly process: Rpc; readonly program: number }>;
  kept: Kept | undefined;
  /** What entries of the message box hold. */
  data: Uint8Array;
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
      if (cut?.client !== caller.rpc || !cut.isWhole) refuse(job, "it is not stopped");
      return cut;
    };
    return {
      checkpoint: ({ job }) => this.begin(caller.rpc, job),
      checkpointImage: async ({ job, tid }) => {
        const { ulps } = cutOf(job);
        const ulp = ulps.get(tid);
        const hash = this.world.job(job)?.programs.hashOf(ulp?.program ?? -1);
        if (ulp === undefined || hash === undefined) refuse(job, "it has no such ULP");
        const { bytes } = await ask(job, () => ulp.process.request("jobImage", { tid, hash }, undefined, 0));
        // What has gone to it after all may be in the image, and is kept as what is to be told again: it would be told twice.
        if (this.world.isOver(tid)) refuse(job, `too much has come for ${tidText(tid)} meanwhile`);
        return { body: {}, bytes };
      },
      checkpointModule: ({ job, program }) => {
        const programs = this.world.job(job)?.programs;
        const wasm = programs?.module(programs.hashOf(program) ?? "");
        if (wasm === undefined) refuse(job, "it has no such program");
        return { body: {}, bytes: wasm };
      },
      checkpointEnd: ({ job }) => {
        const cut = this.cuts.get(job);
        if (cut?.client === caller.rpc && cut.isWhole) this.end(job, cut);
        return { body: undefined };
      },
    };
  }

  /** A command is gone: what it has stopped goes on, and nobody waits for who has not stopped yet. */
  clientEnded(client: Rpc): void {
    for (const [job, cut] of this.cuts)
      if (cut.client === client)
        if (cut.isWhole) this.end(job, cut);
        else callOff(cut);
  }

  /** True while the ULPs of a job are stopped, or about to be: it waits for nothing, is not deadlocked, and none is to move. */
  isStopped(job: number): boolean {
    return this.cuts.has(job);
  }

  private end(job: number, cut: Cut): void {
    thaw(cut);
    this.unpark(cut);
    this.cuts.delete(job);
  }

  private async begin(client: Rpc, number: number) {
    const found = this.running(number);
    if (this.cuts.has(number)) refuse(number, "another checkpoint of it is being taken");
    const cut: Cut = {
      ...{ client, processes: new Set<Rpc>(), isWhole: false, isOff: false, ulps: new Map() },
      ...{ kept: undefined, data: new Uint8Array(0) },
    };
    this.cuts.set(number, cut);
    try {
      await this.stop(number, cut);
      cut.isWhole = true;
      const { wish } = found.job.spec;
      const living = [...cut.ulps].map(([tid, { program }]): LivingUlp => {
        return { tid, index: tid - tidOfJob(number, 0), program };
      });
      const programs = found.programs.list();
      const ulps = this.world.nextIndex(number);
      return { body: { wish, ulps, programs, living, kept: cut.kept! }, bytes: cut.data };
    } catch (error) {
      this.end(number, cut);
      throw error;
    }
  }

  private running(number: number): ListedJob {
    const found = this.world.job(number);
    if (found === undefined || found.job.state !== "running")
      refuse(number, "there is no such job that runs");
    return found;
  }

  /**
   * Looks until all are stopped, and none waits for an answer: those come while the others stand still. Now and then all go on for
   * a moment: one may wait for what another has to do. @throws UpvmError CANNOT_CHECKPOINT
   */
  private async stop(job: number, cut: Cut): Promise<void> {
    let why: string | undefined = "";
    for (let tries = 1; tries <= LIMITS.checkpointTries; tries++) {
      if (!cut.isOff) why = await this.hold(job, cut);
      if (cut.client.link.end !== undefined) refuse(job, "who asked is gone");
      if (cut.isOff) refuse(job, why ?? "");
      if (why === undefined) return;
      if (tries % LIMITS.checkpointHolds === 0) thaw(cut);
      await this.pause();
    }
    refuse(job, why ?? "");
  }

  /** @returns why this is no moment at which the job can be kept */
  private async hold(number: number, cut: Cut): Promise<string | undefined> {
    const { job, processes } = this.running(number);
    if (this.world.isMoving(number)) return "ULPs of it are on their way to other hosts";
    if (job.making > 0) return "ULPs of it are being made";
    const here = [...processes.values()];
    for (const process of here) cut.processes.add(process);
    const stopped = await this.freeze(number, cut, here);
    const not = stopped.find((one) => one.isLate) ?? stopped.find((one) => one.why !== undefined);
    if (cut.isOff || not !== undefined) return not?.why ?? "its ULPs could not be stopped in time";
    const all = stopped.flatMap(({ process, ulps }) => ulps.map((ulp) => [process, ...ulp] as const));
    const tids = new Set(all.map(([, tid]) => tid));
    // One that has just moved or ended, or was just made, is seen by nobody, or twice.
    const unseen = [...tids.symmetricDifference(new Set(job.live.keys()))];
    if (unseen.length > 0 || tids.size < all.length) return `${tidText(unseen[0] ?? 0)} is on its way`;
    // What it is told from now on is not in its image: either all of it is kept, or nothing of it has happened yet.
    for (const tid of tids) this.world.park(tid);
    cut.ulps = new Map(all.map(([process, tid, program]) => [tid, { process, program }]));
    await this.keep(number, cut, tids);
    const waits = stopped.flatMap((one) => one.waits);
    const early = answered(waits, cut.kept!) ?? [...tids].find((tid) => this.world.isParked(tid));
    const why =
      early !== undefined
        ? `${tidText(early)}: what the virtual machine has for it is on its way`
        : (await this.flush(number, here))
          ? undefined
          : "messages are on their way between its processes";
    if (why !== undefined) this.unpark(cut);
    return why;
  }

  /** Stops what each process has. Who cannot be stopped in time is named, and all go on. */
  private async freeze(job: number, cut: Cut, here: readonly Rpc[]) {
    let isOver = false;
    this.world.after(LIMITS.checkpointFreezeMs, () => {
      if (!isOver) callOff(cut);
    });
    try {
      return await Promise.all(
        here.map(async (process) => {
          const found = await ask(job, () => freeze(process));
          return { process, ...found, isLate: cut.isOff && found.why !== undefined };
        }),
      );
    } finally {
      isOver = true;
    }
  }

  private unpark(cut: Cut): void {
    for (const tid of cut.ulps.keys()) this.world.letGo(tid);
    cut.ulps = new Map();
  }

  /** @throws UpvmError CANNOT_CHECKPOINT: it cannot be kept, or is too much */
  private async keep(job: number, cut: Cut, tids: ReadonlySet<number>): Promise<void> {
    const found = await this.world.keep(job, tids);
    if (typeof found === "string") refuse(job, found);
    const { kept, data } = found;
    const large = kept.groups.find((group) => group.tids.length > LIMITS.ulps);
    if (large !== undefined) refuse(job, `group ${large.name} has instances beyond ${LIMITS.ulps}`);
    const { length } = new TextEncoder().encode(JSON.stringify(kept));
    if (length > LIMITS.checkpointKeptBytes) {
      const { groups, wishes, entries } = kept;
      const counts = `${groups.length} groups, ${wishes.length} notifications, ${entries.length} entries`;
      refuse(job, `its ${counts} of the message box are too much to keep`);
    }
    cut.kept = kept;
    cut.data = joined(data);
  }

  /** True if all that anybody has sent to a ULP of the job has come there; looks for a while. */
  private async flush(job: number, processes: readonly Rpc[]): Promise<boolean> {
    const members = processes.map((process) => process.link.peer.member ?? 0);
    for (let looks = 0; looks < LIMITS.checkpointLooks; looks++) {
      const waves = await Promise.all(
        processes.map(async (process) => {
          const { body } = await ask(job, () => process.request("jobSettled", {}, undefined, 0));
          return body;
        }),
      );
      if (waves.some(({ hasNews }) => hasNews)) return false;
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
  readonly kept: Kept;
  /** What entries of the message box hold. */
  readonly data: Uint8Array;
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
 * @param machine  gives them back what they had, before any runs and when all are there
 * @returns tid and member of each that is there; why not all are
 */
export async function restore(
  restart: Restart,
  seats: readonly number[],
  client: Rpc,
  run: { readonly processes: ReadonlyMap<number, Rpc>; readonly programs: JobPrograms },
  machine: Pick<VirtualMachine, "giveBack" | "restarted">,
): Promise<{ tids: [number, number][]; failure?: JobFailure }> {
  const tids: [number, number][] = [];
  const failed = (text: string) => ({ tids, failure: { code: "", facts: {}, text } });
  const { job, kept } = restart;
  try {
    const taken = await machine.giveBack(job, kept, restart.data);
    if (taken !== undefined) return failed(taken);
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
    await machine.restarted(job, kept);
    return { tids };
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error));
  }
}

/** Who waits by its process and not here any more, or not yet: its answer, or its request, is on its way. */
function answered(waits: readonly (readonly [number, number])[], { groups, readers }: Kept) {
  const all = [...groups.flatMap((group) => group.waits), ...readers];
  const kept = new Set(all.map(({ tid, serial }) => `${tid}/${serial}`));
  return waits.find(([tid, serial]) => !kept.has(`${tid}/${serial}`))?.[0];
}

interface Frozen {
  readonly ulps: [number, number][];
  readonly waits: [number, number][];
  readonly why?: string | undefined;
}

function thaw({ processes }: Cut): void {
  for (const process of processes) if (process.link.end === undefined) process.tell("jobThaw", {});
}

/** Processes that still wait for a ULP that does not stop say so then. */
function callOff(cut: Cut): void {
  cut.isOff = true;
  thaw(cut);
}

/** @throws UpvmError CANNOT_CHECKPOINT: the process is gone, and ULPs with it */
async function ask<T>(job: number, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (!(error instanceof UpvmError) || error.code !== "LINK_LOST") throw error;
    return refuse(job, `a process of it is gone: ${error.message}`);
  }
}

async function freeze(process: Rpc): Promise<Frozen> {
  return (await process.request("jobFreeze", {}, undefined, 0)).body;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function refuse(job: number, why: string): never {
  throw new UpvmError("CANNOT_CHECKPOINT", { job, why });
}
