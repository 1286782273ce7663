/**
 * Rows of `upvm ps` and `upvm jobs`.
 *
 * Owns: asking the processes of each job for their tasks. Of one that does not answer in time, what the master knows by itself
 * is told: which tasks it has.
 */
import type { Rpc } from "../net/rpc.ts";
import { LIMITS } from "../wire/limits.ts";
import type { JobRow, TaskRow } from "../wire/rpc-job.ts";
import type { JobPrograms } from "./job-programs.ts";
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

export function jobRow({ spec, state, live }: Job): JobRow {
  const hosts = spec.members.map(({ host }) => host);
  return { job: spec.job, state, program: spec.wish.name, ulps: live.size, hosts };
}
