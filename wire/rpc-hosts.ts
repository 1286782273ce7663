/**
 * Requests about the virtual machine and its hosts: joining, heartbeats, leaving, what there is, halting.
 *
 * Owns: these rows of wire/rpc.ts. A pvmd that has joined asks its master over the link that it keeps; the master's
 * orders come over the same link. A command asks the pvmd of its UPVM_HOME who is master, and then the master.
 */
import * as v from "valibot";
import { LIMITS } from "./limits.ts";
import type { Role } from "./protocol.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const short = v.pipe(v.string(), v.maxLength(200));

/** A host's name. */
export const HOST_NAME = v.pipe(
  v.string(),
  v.maxLength(LIMITS.hostNameLength),
  v.regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, "letters, digits, \".\", \"-\" and \"_\""),
);

/** What a host says of itself: see HostFacts in pvmd/host-table.ts. */
const FACTS = {
  name: HOST_NAME,
  address: short,
  arch: short,
  node: short,
  version: short,
  cores: v.pipe(count, v.minValue(1)),
  memoryBytes: count,
  pid: count,
  incarnation: short,
};
const ROW = v.strictObject({ ...FACTS, number: count, state: v.picklist(["joining", "up", "leaving"]) });
const REFUSAL = v.picklist(["taken", "wait", "lapsed", "halting", "full", "store"]);
/** What becomes of the tasks of a host that leaves: they move to others, and it stays if one cannot; or that one ends; or all end. */
const LEAVING = v.picklist(["move", "moveOrEnd", "end"]);
export type Leaving = v.InferOutput<typeof LEAVING>;
const NAMES = v.pipe(v.array(short), v.maxLength(LIMITS.hosts));
const MOVED = v.strictObject({ tid: v.pipe(v.number(), v.safeInteger()), to: v.string() });
/** For each host that was named: what became of it; without `error`: it was done. `moved`: ULPs, and where they are now. */
const EACH = v.strictObject({
  hosts: v.array(
    v.strictObject({ host: v.string(), error: v.optional(v.string()), moved: v.optional(v.array(MOVED)) }),
  ),
});
export type HostResult = v.InferOutput<typeof EACH>["hosts"][number];

const PVMD: readonly Role[] = ["pvmd"];
const ALL: readonly Role[] = ["pvmd", "process", "command"];
const ASKERS: readonly Role[] = ["pvmd", "command"];

export const RPC_HOSTS = {
  whoIsMaster: { from: ALL, ask: v.strictObject({}), reply: v.strictObject({ vm: short, host: short, self: v.boolean(), address: short }), doc: "name of the virtual machine, of this host, and where its master listens: `self`: here" },
  status: { from: ["command"] as readonly Role[], ask: v.strictObject({}), reply: v.strictObject({ host: short, pid: count, address: short, role: v.picklist(["master", "joined"]), master: short, vm: short, version: short, hosts: v.array(ROW) }), doc: "this pvmd, and the virtual machine's hosts as far as it knows" },
  hosts: { from: ALL, ask: v.strictObject({}), reply: v.strictObject({ hosts: v.array(ROW) }), doc: "master: the table of hosts" },
  join: { from: PVMD, ask: v.strictObject({ facts: v.strictObject(FACTS), returns: v.boolean() }), reply: v.strictObject({ vm: short, master: short, number: count, deadMs: v.pipe(count, v.minValue(LIMITS.hostDeadLeastMs), v.maxValue(LIMITS.hostDeadMostMs)), refused: v.optional(REFUSAL) }), doc: "master: take a host in; `returns`: it was in, and its link ended; `deadMs`: who is silent for so long is dead" },
  heartbeat: { from: PVMD, ask: v.strictObject({}), reply: v.strictObject({ known: v.boolean() }), doc: "master: the host is there; false: it is not in the table any more" },
  left: { from: PVMD, ask: v.strictObject({}), reply: v.undefined(), doc: "told to the master: the host's tasks have ended, and its pvmd is about to" },
  order: { from: PVMD, ask: v.strictObject({ what: v.picklist(["leave", "halt"]) }), reply: v.undefined(), doc: "told by the master: end your tasks and yourself" },
  table: { from: PVMD, ask: v.strictObject({ hosts: v.array(ROW) }), reply: v.undefined(), doc: "told by the master: the table of hosts has changed" },
  addHosts: { from: ASKERS, ask: v.strictObject({ hosts: NAMES, hoster: v.optional(short), remote: v.optional(short) }), reply: EACH, doc: "master: start pvmds on other hosts by the hoster" },
  deleteHosts: { from: ASKERS, ask: v.strictObject({ hosts: NAMES, tasks: LEAVING }), reply: EACH, doc: "master: have hosts leave; `tasks`: whether theirs move to other hosts before, or end; answered when they have left" },
  halt: { from: ASKERS, ask: v.strictObject({}), reply: v.strictObject({ late: v.array(short) }), doc: "master: end the virtual machine; answered when all other hosts have ended, or are not waited for: `late`. Then the master ends" },
  log: { from: ASKERS, ask: v.strictObject({ host: v.optional(short), lines: count }), reply: v.strictObject({}), doc: "the last lines of a host's log, as bytes; the master passes it on to the host" },
} as const;
