/**
 * Requests about jobs: rows of wire/rpc.ts. Between the master's pvmd and the application processes, the commands that run
 * and look at jobs, and the pvmds that start processes.
 *
 * Owns: their shapes. Bytes of a request or an answer of a ULP that are a field of it go behind the JSON; `bytesAt` names the
 * field.
 */
import * as v from "valibot";
import { HASH, JOB, JOB_SPEC, JOB_WISH, LINK_KIND, MEMBER, ROUTE, TID } from "./job.ts";
import { LIMITS } from "./limits.ts";
import { REQUEST_KINDS } from "./requests.ts";
import type { RpcTable } from "./rpc.ts";

const NONE = v.strictObject({});
const TOLD = v.undefined();
const int = v.pipe(v.number(), v.integer());
const ints = v.array(int);
const texts = v.array(v.string());
/** Output: stream, tid, bytes of each piece; they follow each other in the bytes. */
const PIECES = v.strictObject({ pieces: v.array(v.tuple([v.picklist([1, 2]), TID, v.pipe(int, v.minValue(0))])) });
export type OutputPiece = v.InferOutput<typeof PIECES>["pieces"][number];

/** An application process, its address for the others of its job. */
const PEER = v.strictObject({ member: MEMBER, host: v.string(), address: v.string() });
export type JobPeer = v.InferOutput<typeof PEER>;

/** Why a job's ULPs are stopped. halted: by a task of its own (pvm_halt); closed: with its virtual machine, by others. */
export const JOB_STOPS = ["interrupted", "halted", "closed", "killed", "deadlock", "failed"] as const;
export type JobStop = (typeof JOB_STOPS)[number];

const JOB_STATES = ["starting", "running", "ending"] as const;
export type JobState = (typeof JOB_STATES)[number];

const TASK_ROW = v.strictObject({
  tid: TID,
  index: int,
  host: v.string(),
  state: v.string(),
  doing: v.string(),
  program: v.string(),
  job: JOB,
});
export type TaskRow = v.InferOutput<typeof TASK_ROW>;

/** A ULP's descriptor (paper, 3.2.1) as its process has it. Sizes in bytes; lists are cut at LIMITS.lookRows. */
const ULP_LOOK = v.strictObject({
  state: v.string(),
  doing: v.string(),
  engine: int,
  /** Row of its program. */
  module: int,
  /** Linear memory, which begins at 0; 0: it has none yet, or moves just now. */
  memoryBytes: int,
  /** What it has of the process heap, and the unwind frames in that. */
  ...{ heapBlocks: int, heapBytes: int, frameBytes: int },
  ...{ context: int, parent: int, flags: texts, switches: int, sent: int, received: int },
  /** Unread messages, and of the first source, tag and length of each. */
  messages: int,
  queue: v.array(v.tuple([int, int, int])),
  /** Its buffer table: local id, whether it is a default buffer, length, references. */
  buffers: v.array(v.tuple([int, v.picklist(["", "send", "receive"]), int, int])),
});
export type UlpLook = v.InferOutput<typeof ULP_LOOK>;

/** `remote`: other hosts of its job, in whose processes it is marked remote. `why`: there is no look. */
const INSPECTED = v.strictObject({
  ...{ tid: TID, index: int, job: JOB, host: v.string(), program: v.string(), remote: texts },
  ...{ look: v.optional(ULP_LOOK), why: v.optional(v.string()) },
});
export type Inspected = v.InferOutput<typeof INSPECTED>;

const JOB_ROW = v.strictObject({
  job: JOB,
  state: v.picklist(JOB_STATES),
  program: v.string(),
  ulps: int,
  hosts: texts,
  /** Of these, two whose processes have their link through the daemons; all others have a direct one. */
  routed: v.array(v.tuple([v.string(), v.string()])),
});
export type JobRow = v.InferOutput<typeof JOB_ROW>;

/** In place of a member, of a ULP that none has. */
export const LOCATED = { ended: -1, notMade: -2 } as const;

export const RPC_JOB = {
  // An application process asks or tells the master.
  processHello: {
    from: ["process"],
    ask: v.strictObject({ address: v.string(), abi: int }),
    reply: JOB_SPEC,
    doc: "an application process is there; `address`: where the others of its job reach it; `abi`: LINK_ABI",
  },
  module: {
    from: ["process", "pvmd"],
    ask: v.strictObject({ hash: HASH }),
    reply: NONE,
    doc: "bytes: the linked module",
  },
  linksRouted: {
    from: ["process"],
    ask: v.strictObject({ links: v.array(v.strictObject({ member: MEMBER, why: v.optional(v.string()) })) }),
    reply: TOLD,
    doc: "links that it has made to these go through the daemons; `why` there is no direct one, if one was tried",
  },
  processReady: { from: ["process"], ask: NONE, reply: TOLD, doc: "it has its program: it can begin" },
  ulpAsk: {
    from: ["process"],
    ask: v.strictObject({
      kind: v.picklist(REQUEST_KINDS),
      tid: TID,
      serial: v.pipe(int, v.minValue(0)),
      body: v.record(v.string(), v.union([int, v.string(), ints, texts])),
      bytesAt: v.optional(v.string()),
    }),
    reply: NONE,
    doc: "a ULP asks the virtual machine (wire/requests.ts); replied to when it is answered, parked or done",
  },
  ulpsEnded: {
    from: ["process"],
    ask: v.strictObject({ ended: v.array(v.tuple([TID, int, int])) }),
    reply: TOLD,
    doc: "ULPs have ended: tid, exit code, signal or 0 of each",
  },
  output: { from: ["process"], ask: PIECES, reply: NONE, doc: "ULPs have printed; replied to when there is room for more" },
  peerLost: {
    from: ["process"],
    ask: v.strictObject({ member: MEMBER, why: v.string() }),
    reply: TOLD,
    doc: "the link to another process of the job has broken: what was on it is lost",
  },
  locate: {
    from: ["process"],
    ask: v.strictObject({ tid: TID }),
    reply: v.strictObject({ member: v.pipe(int, v.minValue(-2)) }),
    doc: "which member has this ULP; -1: it has ended; -2: nobody has got this tid yet",
  },
  processResult: { from: ["process"], ask: NONE, reply: NONE, doc: "bytes: the run's result here (upvm/run.ts), as JSON" },
  processFailed: {
    from: ["process"],
    ask: v.strictObject({ code: v.string(), facts: v.record(v.string(), v.union([v.string(), v.number()])), text: v.string() }),
    reply: TOLD,
    doc: "it cannot begin, or has a bug",
  },

  // The master tells an application process.
  jobBegin: { from: ["pvmd"], ask: v.strictObject({ members: v.array(PEER) }), reply: TOLD, doc: "all are ready: link, make the ULPs, run" },
  jobLost: { from: ["pvmd"], ask: v.strictObject({ member: MEMBER }), reply: TOLD, doc: "a process of the job is gone, with its ULPs" },
  jobStop: { from: ["pvmd"], ask: v.strictObject({ reason: v.picklist(JOB_STOPS) }), reply: TOLD, doc: "stop the ULPs here and send the result" },
  jobFinish: { from: ["pvmd"], ask: NONE, reply: TOLD, doc: "all ULPs of the job have ended: send the result" },
  jobKnown: {
    from: ["pvmd"], ask: NONE, reply: v.strictObject({}),
    doc: "replied to when all others of the job know that this process is there: ULPs can come",
  },
  jobWave: {
    from: ["pvmd"],
    ask: NONE,
    reply: v.strictObject({ idle: v.boolean(), sent: ints, received: ints }),
    doc: "whether nothing can happen here by itself; how many messages went to each member, and came from each",
  },
  jobTasks: {
    from: ["pvmd"],
    ask: NONE,
    reply: v.strictObject({ tasks: v.array(v.tuple([TID, v.string(), v.string(), int])) }),
    doc: "ULPs that are here and have not ended: tid, state, what it does, row of its program",
  },
  ulpLook: {
    from: ["pvmd"],
    ask: v.strictObject({ tid: TID }),
    reply: v.strictObject({ look: v.optional(ULP_LOOK), why: v.optional(v.string()) }),
    doc: "the descriptor of a ULP that is here; `why`: it cannot be looked at",
  },
  programLoad: {
    from: ["pvmd"],
    ask: v.strictObject({ row: v.pipe(int, v.minValue(1)), name: v.string(), hash: HASH }),
    reply: NONE,
    doc: "fetch a program and give it to all engines; replied to when they have it",
  },
  ulpAnswer: {
    from: ["pvmd"],
    ask: v.strictObject({
      kind: v.picklist(REQUEST_KINDS),
      tid: TID,
      serial: int,
      value: int,
      ints: v.optional(ints),
      texts: v.optional(texts),
      bytes: v.boolean(),
    }),
    reply: TOLD,
    doc: "the virtual machine's answer to a ULP",
  },
  ulpNotice: {
    from: ["pvmd"],
    ask: v.strictObject({ to: TID, tag: int, context: int, src: TID, wid: int }),
    reply: TOLD,
    doc: "a message of the virtual machine to a ULP; bytes: its data",
  },
  ulpsCreate: {
    from: ["pvmd"],
    ask: v.strictObject({
      tids: v.array(TID),
      siblingFirst: TID,
      siblingCount: int,
      parent: TID,
      program: int,
      args: texts,
      env: texts,
      context: int,
      options: ints,
    }),
    reply: v.strictObject({ codes: ints }),
    doc: "make tasks (pvm_spawn): they wait to be let run; for each 0 or an error's code",
  },
  ulpsBegin: { from: ["pvmd"], ask: v.strictObject({ tids: v.array(TID) }), reply: TOLD, doc: "ULPs that were made may run" },
  ulpStop: { from: ["pvmd"], ask: v.strictObject({ tid: TID, signum: int }), reply: TOLD, doc: "end a ULP for a signal" },
  plugins: { from: ["pvmd"], ask: v.strictObject({ bits: int }), reply: TOLD, doc: "which plug-ins there are: PLUGIN_BIT" },

  // Commands ask the master.
  run: {
    from: ["command"],
    ask: JOB_WISH,
    reply: v.strictObject({ job: JOB }),
    doc: "run a job; replied to at its end, bytes: the result as JSON. The module was put before",
  },
  hasModule: { from: ["command"], ask: v.strictObject({ hash: HASH }), reply: v.strictObject({ has: v.boolean() }), doc: "whether the master has it" },
  putModule: { from: ["command"], ask: v.strictObject({ hash: HASH }), reply: NONE, doc: "bytes: a linked module" },
  interrupt: { from: ["command"], ask: NONE, reply: TOLD, doc: "Ctrl-C: stop the jobs that this command runs" },
  tasks: { from: ["command"], ask: NONE, reply: v.strictObject({ tasks: v.array(TASK_ROW) }), doc: "all ULPs that have not ended" },
  inspect: { from: ["command"], ask: v.strictObject({ tid: TID }), reply: INSPECTED, doc: "the descriptor of a ULP, wherever it is" },
  jobs: { from: ["command"], ask: NONE, reply: v.strictObject({ jobs: v.array(JOB_ROW) }), doc: "all jobs" },
  kill: {
    from: ["command"],
    ask: v.strictObject({ tids: v.array(TID), jobs: v.array(JOB), signum: int }),
    reply: v.strictObject({ noTids: v.array(TID), noJobs: v.array(JOB) }),
    doc: "end tasks and jobs; which of them there are not",
  },

  // The master asks the command that runs a job.
  jobBegun: { from: ["pvmd"], ask: v.strictObject({ job: JOB, hosts: texts }), reply: TOLD, doc: "the job has begun" },
  jobNotice: { from: ["pvmd"], ask: v.strictObject({ text: v.string() }), reply: TOLD, doc: "what who runs the job should know: a line" },
  jobOutput: { from: ["pvmd"], ask: PIECES, reply: NONE, doc: "ULPs have printed" },
  jobInput: { from: ["pvmd"], ask: v.strictObject({ bytes: v.pipe(int, v.minValue(0), v.maxValue(LIMITS.inputBytes)) }), reply: NONE, doc: "bytes: standard input" },
  jobInputReady: { from: ["pvmd"], ask: v.strictObject({ ms: int }), reply: v.strictObject({ ready: v.boolean() }), doc: "wait for standard input" },
  jobProgram: {
    from: ["pvmd"],
    ask: v.strictObject({ name: v.string() }),
    reply: v.strictObject({ found: v.boolean() }),
    doc: "pvm_spawn asks for a program; bytes: the linked module",
  },

  // The master asks the pvmd of a host, which tells of the end of what it has started.
  processStart: {
    from: ["pvmd"],
    ask: v.strictObject({ job: JOB, member: MEMBER, link: LINK_KIND, route: ROUTE }),
    reply: v.strictObject({ pid: int }),
    doc: "start an application process",
  },
  hostClock: { from: ["pvmd"], ask: NONE, reply: v.strictObject({ seconds: int, microseconds: int }), doc: "the host's clock, since 1970 (pvm_hostsync)" },
  processKill: { from: ["pvmd"], ask: v.strictObject({ job: JOB, member: MEMBER }), reply: TOLD, doc: "end one by force" },
  processEnded: {
    from: ["pvmd"],
    ask: v.strictObject({ job: JOB, member: MEMBER, how: v.string() }),
    reply: TOLD,
    doc: "one has ended",
  },
} as const satisfies RpcTable;
