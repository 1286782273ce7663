/** Requests about moves of ULPs between hosts (pvmd/move-orders.ts, upvm/mover.ts); the moves themselves are frames. */
import * as v from "valibot";
import { LIMITS } from "./limits.ts";
import type { RpcTable } from "./rpc.ts";

const int = v.pipe(v.number(), v.safeInteger());
const tid = v.pipe(v.number(), v.integer(), v.minValue(-0x80000000), v.maxValue(0x7fffffff));
const member = v.pipe(int, v.minValue(0), v.maxValue(LIMITS.members - 1));
const ms = v.pipe(v.number(), v.finite());

const STAGES = v.strictObject({ preparedMs: ms, frozenMs: ms, flushedMs: ms, sentMs: ms, committedMs: ms });

/** What came of an order for one ULP: runtime/migrate/moves.ts, Outcome. */
const OUTCOME = v.variant("moved", [
  v.strictObject({
    moved: v.literal(true),
    move: int,
    bytes: int,
    obtrusiveMs: ms,
    migrationMs: ms,
    stages: STAGES,
    eventMs: ms,
  }),
  v.strictObject({ moved: v.literal(false), refused: v.strictObject({ code: v.string(), detail: v.string() }) }),
]);

/** What a command is told of each ULP. */
const MIGRATED = v.strictObject({
  tid,
  from: v.string(),
  to: v.string(),
  /** Undefined: it has moved. */
  refused: v.optional(v.strictObject({ code: v.string(), why: v.string() })),
  bytes: int,
  obtrusiveMs: ms,
  migrationMs: ms,
  stages: v.optional(STAGES),
  /** When the order came to the process that had the ULP, milliseconds since 1970, by its clock. */
  eventMs: v.optional(ms),
});
export type MigratedRow = v.InferOutput<typeof MIGRATED>;

export const RPC_MOVE = {
  migrate: {
    from: ["command"],
    ask: v.strictObject({
      tids: v.pipe(v.array(tid), v.maxLength(LIMITS.movesWaiting)),
      /** All ULPs of this host too. */
      from: v.optional(v.string()),
      to: v.string(),
    }),
    reply: v.strictObject({ ulps: v.array(MIGRATED) }),
    doc: "move ULPs to a host; replied to when each has moved or is refused",
  },
  moveOrder: {
    from: ["pvmd"],
    ask: v.strictObject({ tids: v.pipe(v.array(tid), v.maxLength(LIMITS.movesWaiting)), to: member }),
    reply: v.strictObject({ outcomes: v.array(OUTCOME) }),
    doc: "move ULPs of this process to another of the job",
  },
  moveOff: {
    from: ["pvmd"],
    ask: v.strictObject({ tids: v.pipe(v.array(tid), v.maxLength(LIMITS.movesWaiting)), queued: v.boolean() }),
    reply: v.undefined(),
    doc: "moves of these ULPs are called off, if it is not decided that they are elsewhere; `queued`: only those that have not begun",
  },
  moved: {
    from: ["process"],
    ask: v.strictObject({ tid, move: int }),
    reply: v.undefined(),
    doc: "a ULP is in this process now, by its move of this number",
  },
  ulpsGone: {
    from: ["pvmd"],
    ask: v.strictObject({ tids: v.array(tid) }),
    reply: v.undefined(),
    doc: "ULPs that were on the way from or to a process that is gone have ended with it",
  },
} as const satisfies RpcTable;
