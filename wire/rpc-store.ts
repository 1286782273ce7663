/**
 * Requests to the control store of the master's pvmd (pvmd/store-server.ts answers, pvmd/remote-store.ts asks).
 *
 * Entries and changes go as bytes behind the body: see pvmd/store-codec.ts.
 */
import * as v from "valibot";
import { LIMITS } from "./limits.ts";
import type { RpcTable } from "./rpc.ts";

const key = v.pipe(v.string(), v.maxLength(LIMITS.storeKeyLength));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const lease = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const name = v.pipe(v.string(), v.maxLength(64));
const nothing = v.strictObject({});
/** Key; bytes of its value among the bytes that come along, -1: it is deleted; its lease, 0: none. */
const change = v.tuple([key, v.pipe(v.number(), v.safeInteger(), v.minValue(-1)), count]);

export const RPC_STORE = {
  storeHello: {
    from: ["pvmd", "process"],
    ask: v.strictObject({ client: name, epoch: name }),
    reply: v.strictObject({ epoch: name, known: v.boolean() }),
    doc: "a client begins or comes back: which store this is, and whether it still knows the client's transactions",
  },
  storeGet: {
    from: ["pvmd", "process"],
    ask: v.strictObject({ key }),
    reply: v.strictObject({ entries: count }),
    doc: "the entry of a key, if there is one",
  },
  storeList: {
    from: ["pvmd", "process"],
    ask: v.strictObject({ prefix: key }),
    reply: v.strictObject({ entries: count }),
    doc: "all entries whose keys begin with a text",
  },
  storeTxn: {
    from: ["pvmd", "process"],
    ask: v.strictObject({
      serial: count,
      done: count,
      compare: v.pipe(v.array(v.tuple([key, count])), v.maxLength(LIMITS.txnKeys)),
      changes: v.pipe(v.array(change), v.maxLength(LIMITS.txnKeys)),
    }),
    reply: v.strictObject({ revision: count }),
    doc: "a transaction, done once however often it is asked for; revision 0: not done. `done`: lower serials are not asked for again",
  },
  storeLease: {
    from: ["pvmd", "process"],
    ask: v.strictObject({ ttlMs: v.pipe(count, v.minValue(LIMITS.leaseMsMin), v.maxValue(LIMITS.leaseMsMax)) }),
    reply: v.strictObject({ lease }),
    doc: "a lease with a time to live",
  },
  storeRenew: {
    from: ["pvmd", "process"],
    ask: v.strictObject({ lease }),
    reply: v.strictObject({ alive: v.boolean() }),
    doc: "lets a lease last for all of its time again",
  },
  storeEndLease: {
    from: ["pvmd", "process"],
    ask: v.strictObject({ lease }),
    reply: nothing,
    doc: "ends a lease",
  },
  storeWatch: {
    from: ["pvmd", "process"],
    ask: v.strictObject({ watch: count, prefix: key, values: v.boolean() }),
    reply: v.strictObject({ entries: count, changes: count }),
    doc: "tell of changes from now on; the reply has what there is (without values, unless asked for), then what changed meanwhile",
  },
  storeUnwatch: {
    from: ["pvmd", "process"],
    ask: v.strictObject({ watch: count }),
    reply: v.undefined(),
    doc: "tell no more",
  },
  storeChanged: {
    from: ["pvmd"],
    ask: v.strictObject({ watch: count, changes: count }),
    reply: v.undefined(),
    doc: "the store tells a client of changes",
  },
  storeStale: {
    from: ["pvmd"],
    ask: v.strictObject({ watch: count }),
    reply: v.undefined(),
    doc: "a client reads too slowly to be told of each change; it has to watch again",
  },
} as const satisfies RpcTable;
