/** Requests about checkpoints (pvmd/checkpoints.ts, upvm/application-checkpoint.ts): a job is stopped, read, and goes on. */
import * as v from "valibot";
import { KEPT } from "./checkpoint.ts";
import { HASH, JOB, JOB_WISH, TID } from "./job.ts";
import { LIMITS } from "./limits.ts";
import type { RpcTable } from "./rpc.ts";

const NONE = v.strictObject({});
const TOLD = v.undefined();
const natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const PROGRAM = v.strictObject({ name: v.string(), hash: HASH });
/** A ULP that has not ended, and the row of its program. */
const LIVING = v.strictObject({ tid: TID, index: v.pipe(natural, v.maxValue(LIMITS.ulps - 1)), program: natural });
export type LivingUlp = v.InferOutput<typeof LIVING>;

export const RPC_CHECKPOINT = {
  checkpoint: {
    from: ["command"],
    ask: v.strictObject({ job: JOB }),
    reply: v.strictObject({
      ...{ wish: JOB_WISH, ulps: natural, programs: v.array(PROGRAM), living: v.array(LIVING) },
      kept: KEPT,
    }),
    doc: "stop all ULPs of a job where they are, until checkpointEnd; replied to when nothing is on its way between them; bytes: what entries of the message box hold",
  },
  checkpointImage: {
    from: ["command"],
    ask: v.strictObject({ job: JOB, tid: TID }),
    reply: NONE,
    doc: "bytes: the image of a ULP of a job that is stopped",
  },
  checkpointModule: {
    from: ["command"],
    ask: v.strictObject({ job: JOB, program: natural }),
    reply: NONE,
    doc: "bytes: the linked module of a program of a job, by row",
  },
  checkpointEnd: { from: ["command"], ask: v.strictObject({ job: JOB }), reply: TOLD, doc: "the job goes on" },
  restart: {
    from: ["command"],
    ask: v.strictObject({
      ...{ job: JOB, wish: JOB_WISH, programs: v.array(PROGRAM), living: v.array(LIVING) },
      kept: KEPT,
    }),
    reply: v.strictObject({ job: JOB }),
    doc: "as run: a job from its checkpoint. The modules were put before; bytes: what entries of the message box hold",
  },
  restartImage: { from: ["pvmd"], ask: v.strictObject({ tid: TID }), reply: NONE, doc: "the master asks who restarts a job; bytes: the image of a ULP" },
  jobFreeze: {
    from: ["pvmd"],
    ask: NONE,
    reply: v.strictObject({
      ...{ ulps: v.array(v.tuple([TID, natural])), waits: v.array(v.tuple([TID, natural])) },
      why: v.optional(v.string()),
    }),
    doc: "stop all ULPs here that are not, and let those that have got an answer take it first: tid and program's row of each; `waits`: those that wait for other tasks, and the numbers of their requests; `why`: one is not stopped, or has no image now",
  },
  jobSettled: {
    from: ["pvmd"],
    ask: NONE,
    reply: v.strictObject({
      ...{ settled: v.boolean(), sent: v.array(natural), received: v.array(natural) },
      hasNews: v.boolean(),
    }),
    doc: "whether all that has come is with its ULPs; how many messages went to each member, and came from each; `hasNews`: the virtual machine has told something to one that is stopped",
  },
  jobThaw: { from: ["pvmd"], ask: NONE, reply: TOLD, doc: "the ULPs here go on; jobFreeze waits for none any longer, and says which has not stopped" },
  jobImage: {
    from: ["pvmd"],
    ask: v.strictObject({ tid: TID, hash: HASH }),
    reply: NONE,
    doc: "bytes: the image of a ULP that is stopped here; `hash`: of its program",
  },
  ulpRestore: {
    from: ["pvmd"],
    ask: v.strictObject({ hash: HASH, program: natural }),
    reply: v.strictObject({ why: v.optional(v.string()) }),
    doc: "bytes: an image; its ULP goes on here. `why`: it cannot",
  },
} as const satisfies RpcTable;
