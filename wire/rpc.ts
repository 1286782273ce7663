/**
 * Requests between daemons, application processes and commands: one row for each kind.
 *
 * A row says who may ask whom, the shape of the body and of the reply (a schema: both are checked where they arrive,
 * and what does not fit is refused by name), and what is done. Bodies are plain JSON; what is big goes as bytes behind
 * them. A kind that is only told has no reply: `Rpc.tell`. What goes between ULPs, and migration, are frames of their
 * own (protocol.ts).
 *
 * Owns: the kinds. Each part of the system has its rows in a file of its own, wire/rpc-<part>.ts, and its line here;
 * docs/protocol.md lists them (`npm run generate`).
 */
import * as v from "valibot";
import type { Role } from "./protocol.ts";
import { RPC_CHECKPOINT } from "./rpc-checkpoint.ts";
import { RPC_HOSTS } from "./rpc-hosts.ts";
import { RPC_JOB } from "./rpc-job.ts";
import { RPC_MOVE } from "./rpc-move.ts";
import { RPC_ROUTE } from "./rpc-route.ts";
import { RPC_STORE } from "./rpc-store.ts";

export type RpcSchema = v.GenericSchema<unknown, unknown>;

export interface RpcRow {
  /** Who may ask. Checked where it arrives: against mistakes, all that have the key are trusted alike. */
  readonly from: readonly Role[];
  readonly ask: RpcSchema;
  /** Shape of the reply; of what is only told v.undefined(). */
  readonly reply: RpcSchema;
  readonly doc: string;
}
export type RpcTable = Readonly<Record<string, RpcRow>>;

/** Rows of the links themselves: every Rpc answers these. */
const RPC_LINK = {
  ping: { from: ["pvmd", "process", "command"], ask: v.strictObject({}), reply: v.strictObject({}), doc: "answers at once" },
} as const satisfies RpcTable;

export const RPC = {
  ...RPC_LINK,
  ...RPC_STORE,
  ...RPC_HOSTS,
  ...RPC_JOB,
  ...RPC_CHECKPOINT,
  ...RPC_MOVE,
  ...RPC_ROUTE,
} as const satisfies RpcTable;

export type RpcAsk<R extends RpcRow> = v.InferOutput<R["ask"]>;
export type RpcReply<R extends RpcRow> = v.InferOutput<R["reply"]>;
