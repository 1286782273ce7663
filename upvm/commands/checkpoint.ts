/** `upvm checkpoint` and `upvm restart`: a job kept in a file, and taken up again on any hosts. */
import type { Rpc } from "../../net/rpc.ts";
import { CheckpointWriter, readManifest, readPart } from "../../runtime/migrate/checkpoint.ts";
import type { Manifest } from "../../wire/checkpoint.ts";
import { EXIT, UpvmError } from "../../wire/errors.ts";
import { LINKS, ROUTES } from "../../wire/job.ts";
import { LIMITS } from "../../wire/limits.ts";
import { usage } from "../args.ts";
import { command } from "../command.ts";
import type { Edge } from "../edge.ts";
import { exitCodeOf, resultJson, ulpReports } from "../outcome.ts";
import { painter } from "../paint.ts";
import { report } from "../report.ts";
import { commandHandlers, restartOnMachine } from "../run-vm.ts";
import { masterIfAny, masterPvmd, withRpc } from "../vm.ts";
import { printers } from "../whole-lines.ts";

export const checkpoint = command({
  summary: "Keep a job that runs in a file, from which upvm restart goes on",
  about: [
    "All ULPs of the job stop at one moment, are written, and go on. The file has their programs, too; it can be restarted on other hosts, also of another processor type.",
    "Files that ULPs have open are not in it: a restarted program finds them as they are then. What its tasks have in the virtual machine is: groups, notifications, entries of the message box, contexts of pvm_newcontext, who waits in a barrier or for an entry. Tasks of other jobs are not: a restarted group is without them.",
    "A job cannot be kept as long as one of its ULPs waits for standard input, or serves the virtual machine as a plug-in. If one does not stop within ten seconds, since it computes without polls, the others go on and it is named.",
  ],
  args: {
    job: { count: "one", help: "number of the job, as upvm jobs lists it" },
    file: { count: "one", help: "the file; one that is there is replaced when the new one is whole" },
  },
  flags: { json: { kind: "switch", help: "print what was written as JSON" } },
  examples: ["upvm checkpoint 3 solver.ckpt"],
  exits: {
    0: "written",
    1: "not written, and why; the job goes on",
    2: "wrong usage",
    3: "the file cannot be written",
  },
  async run({ args, flags }, edge) {
    if (!/^[1-9][0-9]{0,5}$/.test(args.job) || Number(args.job) > LIMITS.jobs)
      throw usage(`Cannot take a checkpoint of ${args.job}: it is no job's number`, "checkpoint");
    const job = Number(args.job);
    const master = masterPvmd(await edge.vm(), "take a checkpoint");
    const { ulps, bytes } = await withRpc(master, (rpc) => keep(rpc, job, args.file, edge));
    if (flags.json) edge.out(`${JSON.stringify({ job, file: args.file, ulps, bytes })}\n`);
    else edge.out(`${args.file}: job ${job}, ${ulps} ULPs, ${bytes} bytes\n`);
    return EXIT.ok;
  },
});

/** Stops the job, writes the file, and lets the job go on, whatever happens. */
async function keep(
  rpc: Rpc,
  job: number,
  path: string,
  edge: Edge,
): Promise<{ ulps: number; bytes: number }> {
  const files = await edge.checkpoints();
  // First the file: a job is not stopped for one that cannot be written.
  const file = files.create(path);
  try {
    const { body, bytes: box } = await rpc.request("checkpoint", { job }, undefined, 0);
    const { wish, ulps, programs, living, kept } = body;
    let bytes: number;
    try {
      const writer = new CheckpointWriter(files.sum, (some) => file.write(some));
      for (const program of programs.keys())
        writer.module((await rpc.request("checkpointModule", { job, program }, undefined, 0)).bytes);
      for (const { tid, index, program } of living)
        writer.image(tid, index, program, [
          (await rpc.request("checkpointImage", { job, tid }, undefined, 0)).bytes,
        ]);
      bytes = writer.end({ job, wish, ulps, programs, kept, box });
    } finally {
      rpc.tell("checkpointEnd", { job });
    }
    file.commit();
    return { ulps: living.length, bytes };
  } finally {
    file.drop();
  }
}

export const restart = command({
  summary: "Go on with a job from its checkpoint",
  about: [
    "The job has the number that it had, since its ULPs know their tids; no other job may have it. Its ULPs have the instances that they had in their groups, their contexts, and their entries in the message box; if a task of another job has one of these now, nothing begins. They are told what they have asked to be told of (pvm_notify) and has happened since: hosts and tasks that are not there any more, hosts that are new. It runs on all hosts in service, or those of --hosts, to its end: as with upvm run, output comes here, and Ctrl-C ends it.",
  ],
  args: { file: { count: "one", help: "what upvm checkpoint has written" } },
  flags: {
    hosts: {
      kind: "list",
      value: "NAME[,NAME]",
      help: "hosts to run on; without it, all that are in service",
    },
    link: {
      kind: "choice",
      choices: LINKS,
      help: "how its processes on different hosts reach each other, as for upvm run",
      absent: "as it was run",
    },
    route: {
      kind: "choice",
      choices: ROUTES,
      help: "way of these links, as for upvm run",
      absent: "as it was run",
    },
    json: { kind: "switch", help: "print the result as JSON" },
  },
  examples: ["upvm restart solver.ckpt", "upvm restart solver.ckpt --hosts host2,host3 --link tls"],
  exits: {
    0: "every ULP ended well",
    1: "a ULP failed, or the job cannot begin",
    2: "wrong usage",
    3: "the file is no checkpoint, damaged, or of another version",
    130: "interrupted",
    143: "ended by upvm kill, or its virtual machine was halted",
  },
  async run({ args, flags }, edge) {
    const names = flags.hosts.flatMap((text) => text.split(",")).filter((name) => name !== "");
    const files = await edge.checkpoints();
    return await files.withFile(args.file, async (file) => {
      const kept = readManifest(file, files.sum);
      const { hosts: _, seats: __, ...asked } = kept.wish;
      const { link = asked.link, route = asked.route } = flags;
      const wish = { ...asked, link, ...(route && { route }), ...(names.length > 0 && { hosts: names }) };
      const manifest: Manifest = { ...kept, wish };
      const modules = manifest.programs.map((part) => readPart(file, part, files.sum));
      const images = new Map(manifest.images.map((part) => [part.tid, part]));
      // All of it is looked at before anything begins.
      for (const part of images.values()) readPart(file, part, files.sum);
      const box = readPart(file, manifest.box, files.sum);
      const { out, err } = printers(edge);
      const input = edge.input();
      const signal = edge.interrupts();
      const row = (name: string): number => manifest.programs.findIndex((program) => program.name === name);
      const vm = await edge.vm();
      const master = await masterIfAny(vm, {
        ...commandHandlers(
          {
            module: modules[0]!,
            input,
            loadProgram: async (name) => modules[row(name)],
            output: (fd, bytes, tid) => (fd === 1 && !flags.json ? out(bytes, tid) : err(bytes, tid)),
          },
          (text) => edge.err(`upvm: ${text}\n`),
          edge.jobBegun,
        ),
        restartImage: ({ tid }) => ({ body: {}, bytes: readPart(file, images.get(tid)!, files.sum) }),
      });
      if (master === undefined)
        throw new UpvmError("NO_PVMD", { what: "restart a job", path: vm.home.folder });
      const result = await restartOnMachine(manifest, modules, box, signal, master).finally(() =>
        input.close(),
      );
      const ulps = ulpReports(result.ulps, modules);
      if (flags.json)
        edge.out(`${JSON.stringify(resultJson(manifest.wish.name, result, ulps, undefined))}\n`);
      else {
        const lines = report(manifest.wish.name, result.reason, ulps, painter(edge.colour.err));
        if (lines.length > 0) err.end();
        if (lines.length > 0) edge.err(`${lines.join("\n")}\n`);
      }
      return exitCodeOf(result.reason);
    });
  },
});
