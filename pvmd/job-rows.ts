/**
 * Rows of `upvm ps` and `upvm jobs`.
 *
 * Owns: asking the processes of each job for their tasks. One that does not answer in time tells nothing.
 */
import type { Rpc } from "../net/rpc.ts";
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
  const rows = jobs.flatMap(({ job: { spec }, processes, programs }) =>
    [...processes].map(async ([member, rpc]): Promise<TaskRow[]> => {
      const { host } = spec.members[member]!;
      const answer = await rpc.request("jobTasks", {}).catch(() => undefined);
      return (answer?.body.tasks ?? []).map(([tid, state, doing, program]) => {
        const name = programs.nameOf(program) ?? "";
        return { tid, index: (tid & INDEX) - 1, host, state, doing, program: name, job: spec.job };
      });
    }),
  );
  return (await Promise.all(rows)).flat().sort((a, b) => a.tid - b.tid);
}

export function jobRow({ spec, state, live }: Job): JobRow {
  const hosts = spec.members.map(({ host }) => host);
  return { job: spec.job, state, program: spec.wish.name, ulps: live.size, hosts };
}
