/**
 * Rows of `upvm ps` and `upvm jobs`.
 *
 * Owns: asking the processes of each job for their tasks. Of one that does not answer in time, what the master knows by itself
 * is told: which tasks it has.
 */
import type { Rpc } from "../net/rpc.ts";
import { UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import { tidText } from "../wire/pvm.ts";
import type { Inspected, JobRow, TaskRow } from "../wire/rpc-job.ts";
import type { JobPrograms } from "./job-programs.ts";
import type { JobRun } from "./job-run.ts";
import type { Job } from "./jobs.ts";

/** Bits of a tid that number a job's tasks. */
const INDEX = 0x3ffff;

/** A job, with what the master has of it while it runs. */
export interface ListedJob {
  readonly job: Job;
  readonly processes: ReadonlyMap<number, Rpc>;
  readonly programs: JobPrograms;
}

/** All tasks, as their processes tell of them now, by tid. */
export async function taskRows(jobs: readonly ListedJob[]): Promise<TaskRow[]> {
  const rows = jobs.flatMap(({ job, processes, programs }) => {
    const { spec } = job;
    return [...processes].map(async ([member, rpc]): Promise<TaskRow[]> => {
      const { host } = spec.members[member]!;
      const answer = await rpc.request("jobTasks", {}, undefined, LIMITS.tasksMs).catch(() => undefined);
      if (answer === undefined) return silent(job, member);
      return answer.body.tasks.map(([tid, state, doing, program]) => {
        const name = programs.nameOf(program) ?? "";
        return { tid, index: (tid & INDEX) - 1, host, state, doing, program: name, job: spec.job };
      });
    });
  });
  return (await Promise.all(rows)).flat().sort((a, b) => a.tid - b.tid);
}

/** Tasks of a process that does not answer. What each runs is known of those that the job began with. */
function silent({ spec, live }: Job, member: number): TaskRow[] {
  const { host } = spec.members[member]!;
  const theirs = [...live].filter(([, at]) => at === member).map(([tid]) => tid);
  return theirs.map((tid) => {
    const index = (tid & INDEX) - 1;
    const program = index < spec.wish.ulps ? spec.wish.name : "";
    return {
      tid,
      index,
      host,
      state: "unknown",
      doing: "its process does not answer",
      program,
      job: spec.job,
    };
  });
}

/**
 * A task as its process has it; the process is asked again if the task has just moved.
 *
 * @throws UpvmError NO_TASK
 */
export async function inspected(jobs: () => readonly ListedJob[], tid: number): Promise<Inspected> {
  let last: Inspected | undefined;
  for (let tries = 0; tries < LOOKS; tries++) {
    const found = jobs().find(({ job }) => job.live.has(tid));
    if (found === undefined) break;
    const { job, processes, programs } = found;
    const { spec } = job;
    const member = job.live.get(tid)!;
    const { host } = spec.members[member]!;
    const remote = spec.members.flatMap((one, at) => (at !== member && processes.has(at) ? [one.host] : []));
    const index = (tid & INDEX) - 1;
    const task = { tid, index, job: spec.job, host, program: "", remote };
    const answer = await processes
      .get(member)
      ?.request("ulpLook", { tid }, undefined, LIMITS.tasksMs)
      .catch(ignore);
    if (answer === undefined) return { ...task, why: "its process does not answer" };
    const { look, why } = answer.body;
    if (look !== undefined) return { ...task, program: programs.nameOf(look.module) ?? "", look };
    last = { ...task, ...(why !== undefined && { why }) };
  }
  if (last !== undefined) return last;
  throw new UpvmError("NO_TASK", { tid: tidText(tid) });
}
/** A ULP that has moved is asked for at its new place. */
const LOOKS = 5;
const ignore = (): undefined => undefined;

export function jobRow({ spec, state, live }: Job, run: Pick<JobRun, "routes"> | undefined): JobRow {
  const hosts = spec.members.map(({ host }) => host);
  const routed = run?.routes.map(([a, b]): [string, string] => [hosts[a] ?? "", hosts[b] ?? ""]) ?? [];
  return { job: spec.job, state, program: spec.wish.name, ulps: live.size, hosts, routed };
}
