/** `upvm ps`, `upvm jobs`, `upvm kill`: what runs on the virtual machine. */
import { EXIT } from "../../wire/errors.ts";
import { tidText } from "../../wire/pvm.ts";
import type { JobRow, TaskRow } from "../../wire/rpc-job.ts";
import { usage } from "../args.ts";
import { command } from "../command.ts";
import { columns } from "../host-lines.ts";
import { masterPvmd, withRpc } from "../vm.ts";

const JSON_FLAG = { json: { kind: "switch", help: "print them as JSON" } } as const;
const LISTED = {
  0: "listed",
  1: "there is no virtual machine, or it does not answer",
  2: "wrong usage",
} as const;

export const ps = command({
  summary: "List the ULPs that run on the virtual machine",
  about: [
    "Each with its host, its state (Figure 5 of the paper), its program and its job, and what it does.",
  ],
  args: {},
  flags: JSON_FLAG,
  examples: ["upvm ps", "upvm ps --json"],
  exits: LISTED,
  async run({ flags }, edge) {
    const master = masterPvmd(await edge.vm(), "list tasks");
    const { body } = await withRpc(master, (rpc) => rpc.request("tasks", {}, undefined));
    if (flags.json) edge.out(`${JSON.stringify(body.tasks.map(taskJson))}\n`);
    else edge.out(`${taskLines(body.tasks).join("\n")}\n`);
    return EXIT.ok;
  },
});

function taskJson({
  tid,
  index,
  host,
  state,
  doing,
  program,
  job,
}: TaskRow): Record<string, string | number> {
  return { tid: tidText(tid), index, host, state, doing, program, job };
}

function taskLines(tasks: readonly TaskRow[]): string[] {
  const rows = tasks.map(({ tid, index, host, state, program, job, doing }) => {
    return [tidText(tid), String(job), String(index), host, state, program, doing];
  });
  return columns([["TID", "JOB", "ULP", "HOST", "STATE", "PROGRAM", "DOES"], ...rows]);
}

export const jobs = command({
  summary: "List the jobs that run on the virtual machine",
  about: ["A job is one upvm run; it has a process on each of its hosts."],
  args: {},
  flags: JSON_FLAG,
  examples: ["upvm jobs", "upvm jobs --json"],
  exits: LISTED,
  async run({ flags }, edge) {
    const master = masterPvmd(await edge.vm(), "list jobs");
    const { body } = await withRpc(master, (rpc) => rpc.request("jobs", {}));
    if (flags.json) edge.out(`${JSON.stringify(body.jobs)}\n`);
    else edge.out(`${jobLines(body.jobs).join("\n")}\n`);
    return EXIT.ok;
  },
});

function jobLines(all: readonly JobRow[]): string[] {
  const rows = all.map(({ job, state, program, ulps, hosts }) => {
    return [String(job), state, program, String(ulps), hosts.join(",")];
  });
  return columns([["JOB", "STATE", "PROGRAM", "ULPS", "HOSTS"], ...rows]);
}

const SIGTERM = 15;

export const kill = command({
  summary: "End ULPs or whole jobs",
  about: [
    "As pvm_kill: a ULP that is ended has not failed, and who asked to be notified of its end is. The command that runs the job says that it was, and its exit code is 143. One that computes ends at its next poll; without polls (upvm run --no-polls), when it next waits.",
  ],
  args: {
    what: {
      count: "many",
      help: "tids, such as t40002, and numbers of jobs, as upvm ps and upvm jobs list them",
    },
  },
  flags: { json: { kind: "switch", help: "print what became of each as JSON" } },
  examples: ["upvm kill t40002", "upvm kill 3"],
  exits: { 0: "ended", 1: "some of them are not there", 2: "wrong usage" },
  async run({ args, flags }, edge) {
    if (args.what.length === 0) throw usage("Cannot kill without TID or JOB", "kill");
    const tids = args.what.filter((word) => /^t[0-9a-f]+$/i.test(word));
    const numbers = args.what.filter((word) => /^[1-9][0-9]{0,3}$/.test(word));
    const other = args.what.find((word) => !tids.includes(word) && !numbers.includes(word));
    if (other !== undefined)
      throw usage(`Cannot kill ${other}: it is no tid, such as t40002, and no job's number`, "kill");
    const asked = {
      tids: tids.map((word) => Number.parseInt(word.slice(1), 16) | 0),
      jobs: numbers.map(Number),
      signum: SIGTERM,
    };
    const master = masterPvmd(await edge.vm(), "kill");
    const { body } = await withRpc(master, (rpc) => rpc.request("kill", asked));
    const failed = body.noTids.length + body.noJobs.length > 0;
    if (flags.json) {
      const rows = [
        ...asked.tids.map((tid) => ({ tid: tidText(tid), ended: !body.noTids.includes(tid) })),
        ...asked.jobs.map((job) => ({ job, ended: !body.noJobs.includes(job) })),
      ];
      edge.out(`${JSON.stringify(rows)}\n`);
      return failed ? EXIT.failed : EXIT.ok;
    }
    for (const tid of body.noTids) edge.err(`upvm: Cannot kill ${tidText(tid)}: there is no such task\n`);
    for (const job of body.noJobs) edge.err(`upvm: Cannot kill ${job}: there is no such job\n`);
    return failed ? EXIT.failed : EXIT.ok;
  },
});
