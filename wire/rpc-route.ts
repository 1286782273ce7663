/**
 * Requests about links through daemons: rows of wire/rpc.ts.
 *
 * Owns: their shapes. A process asks its own pvmd for a way to another process of its job; that one asks the pvmd of the other's
 * host, or the master's if it does not reach that; each connects to the next, and answers when the whole way is there. From then
 * on the connection carries the bytes of that one link, in frames ROUTED.
 */
import * as v from "valibot";
import { JOB, MEMBER } from "./job.ts";
import { LIMITS } from "./limits.ts";
import type { Role } from "./protocol.ts";
import type { RpcTable } from "./rpc.ts";
import { HOST_NAME } from "./rpc-hosts.ts";

const NONE = v.strictObject({});
const ID = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/));
/** Of a peer, and perhaps for a terminal. */
const WHY = v.pipe(
  v.string(),
  v.maxLength(LIMITS.routeEndLength),
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
  v.transform((why) => why.replace(/[\u0000-\u001f\u007f-\u009f]/g, "?")),
);
const PVMD: readonly Role[] = ["pvmd"];

export const RPC_ROUTE = {
  route: {
    from: ["process", "pvmd"],
    ask: v.strictObject({ job: JOB, member: MEMBER, host: HOST_NAME }),
    reply: NONE,
    doc: "make a way to this process, on that host: a process asks its own pvmd, for its own job; a pvmd that of the host, or the master's",
  },
  routeComes: { from: PVMD, ask: NONE, reply: NONE, doc: "told to a process by its pvmd: what follows is another one's link" },
  routeBack: {
    from: PVMD,
    ask: v.strictObject({ id: ID, job: JOB, member: MEMBER }),
    reply: NONE,
    doc: "the master, who does not reach the pvmd of that host, asks it to connect, for a way to this process",
  },
  routeTake: { from: PVMD, ask: v.strictObject({ id: ID }), reply: NONE, doc: "answers routeBack, on a connection of its own: this is it" },
  routeEnd: { from: ["pvmd", "process"], ask: v.strictObject({ why: WHY }), reply: v.undefined(), doc: "why the way is about to end" },
} as const satisfies RpcTable;
