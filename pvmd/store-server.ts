/**
 * The control store of this process, for other processes: answers the store's requests (wire/rpc-store.ts).
 *
 * Owns: what clients watch, and which transactions they have asked for: one that is asked for again, because the link to
 * it was lost before its answer came, is not done again. A client is known by who it is and a name that it chose.
 * Leases outlive links: they have a time to live.
 */
import type { Handlers, Rpc } from "../net/rpc.ts";
import { UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import type { RPC, RpcAsk } from "../wire/rpc.ts";
import type { Change, Changed, ControlStore, LeaseId } from "./control-store.ts";
import { packChanges, packEntries } from "./store-codec.ts";

type StoreHandlers = Pick<Handlers, Extract<keyof typeof RPC, `store${string}`>>;

/** Results of a client's transactions by serial. */
type Done = Map<number, Promise<number | undefined>>;

interface Watch {
  /** Changes that came while the reply is made. */
  waiting: Changed[] | undefined;
  readonly end: () => void;
}

export class StoreServer {
  private readonly store: ControlStore;
  private readonly epoch: string;
  private readonly clients = new Map<string, Done>();

  /** @param epoch  a text that no other server has: a client finds out that it talks to another store */
  constructor(store: ControlStore, epoch: string) {
    this.store = store;
    this.epoch = epoch;
  }

  /** Serves one link: `handlers` for its Rpc. To be left when the link has ended. */
  seat(rpcOf: () => Rpc): Seat {
    return new Seat(this.store, this.epoch, (client) => this.doneOf(client), rpcOf);
  }

  /** What a client has done, new if it is not known. The least recently seen are forgotten beyond the limit. */
  private doneOf(client: string): { readonly done: Done; readonly known: boolean } {
    const found = this.clients.get(client);
    const done: Done = found ?? new Map();
    this.clients.delete(client);
    this.clients.set(client, done);
    if (this.clients.size > LIMITS.storeClients)
      this.clients.delete(this.clients.keys().next().value as string);
    return { done, known: found !== undefined };
  }
}

export class Seat {
  readonly handlers: StoreHandlers;
  private readonly store: ControlStore;
  private readonly rpcOf: () => Rpc;
  private readonly watches = new Map<number, Watch>();
  private done: Done = new Map();
  private leases = 0;

  constructor(
    store: ControlStore,
    epoch: string,
    doneOf: (client: string) => { readonly done: Done; readonly known: boolean },
    rpcOf: () => Rpc,
  ) {
    this.store = store;
    this.rpcOf = rpcOf;
    this.handlers = {
      storeHello: (body, _, { role, host, job, member }) => {
        const { done, known } = doneOf([role, host, job, member, body.client].join(" "));
        this.done = done;
        return { body: { epoch, known: known && body.epoch === epoch } };
      },
      storeGet: async ({ key }) => {
        const entry = await store.get(key);
        const entries = entry === undefined ? [] : [[key, entry] as const];
        return { body: { entries: entries.length }, bytes: packEntries(entries) };
      },
      storeList: async ({ prefix }) => {
        const entries = await store.list(prefix);
        return { body: { entries: entries.length }, bytes: packEntries(entries) };
      },
      storeTxn: async (body, bytes) => ({ body: { revision: (await this.txn(body, bytes)) ?? 0 } }),
      storeLease: async ({ ttlMs }) => {
        if (this.leases >= LIMITS.storeLeases) throw tooMany("storeLease", LIMITS.storeLeases, "leases");
        this.leases += 1;
        try {
          return { body: { lease: await store.lease(ttlMs) } };
        } catch (error) {
          this.leases -= 1;
          throw error;
        }
      },
      storeRenew: async ({ lease }) => ({
        body: { alive: await store.renew(lease as LeaseId) },
      }),
      storeEndLease: async ({ lease }) => {
        await store.endLease(lease as LeaseId);
        this.leases = Math.max(0, this.leases - 1);
        return { body: {} };
      },
      storeWatch: (body) => this.watch(body),
      storeUnwatch: ({ watch }) => {
        this.unwatch(watch);
        return { body: undefined };
      },
    };
  }

  /** The link has ended. */
  leave(): void {
    for (const id of [...this.watches.keys()]) this.unwatch(id);
  }

  private txn(
    { serial, done, compare, changes }: RpcAsk<(typeof RPC)["storeTxn"]>,
    bytes: Uint8Array,
  ): Promise<number | undefined> {
    for (const old of [...this.done.keys()]) if (old < done) this.done.delete(old);
    const known = this.done.get(serial);
    if (known !== undefined) return known;
    if (serial < done) throw refused("storeTxn", "its serial was given up");
    if (this.done.size >= LIMITS.storeWindow) throw tooMany("storeTxn", LIMITS.storeWindow, "transactions");
    const wanted = changesOf(changes, bytes);
    const result = this.store.txn(
      compare.map(([key, revision]) => ({ key, revision })),
      wanted,
    );
    this.done.set(serial, result);
    return result;
  }

  private async watch({ watch: id, prefix, values }: RpcAsk<(typeof RPC)["storeWatch"]>) {
    if (this.watches.has(id)) throw refused("storeWatch", "there is a watch of this number");
    if (this.watches.size >= LIMITS.storeWatches) throw tooMany("storeWatch", LIMITS.storeWatches, "watches");
    const end = this.store.watch(prefix, (change) => this.changed(id, change));
    const watch: Watch = { waiting: [], end };
    this.watches.set(id, watch);
    let entries: Awaited<ReturnType<ControlStore["list"]>>;
    try {
      entries = await this.store.list(prefix);
    } catch (error) {
      this.unwatch(id);
      throw error;
    }
    if (this.watches.get(id) !== watch)
      throw refused("storeWatch", "it was ended, or too much changed meanwhile");
    const changes = watch.waiting ?? [];
    watch.waiting = undefined;
    const [first, second] = [packEntries(entries, values), packChanges(changes)];
    const bytes = new Uint8Array(first.length + second.length);
    bytes.set(first);
    bytes.set(second, first.length);
    return { body: { entries: entries.length, changes: changes.length }, bytes };
  }

  private changed(id: number, change: Changed): void {
    const watch = this.watches.get(id);
    if (watch === undefined) return;
    const rpc = this.rpcOf();
    if (watch.waiting !== undefined) {
      watch.waiting.push(change);
      if (watch.waiting.length > LIMITS.storeWindow) this.unwatch(id);
    } else if (rpc.link.queuedBytes > LIMITS.linkQueueBytes) {
      // Told in one piece, what there is now is less than each change on the way to it.
      this.unwatch(id);
      rpc.tell("storeStale", { watch: id });
    } else rpc.tell("storeChanged", { watch: id, changes: 1 }, packChanges([change]));
  }

  private unwatch(id: number): void {
    this.watches.get(id)?.end();
    this.watches.delete(id);
  }
}

/** @throws UpvmError NOT_SERVED if the lengths are not those of the bytes, or a key comes twice */
function changesOf(
  rows: readonly (readonly [string, number, number])[],
  bytes: Uint8Array,
): readonly Change[] {
  if (bytes.length > LIMITS.storeTxnBytes) throw tooMany("storeTxn", LIMITS.storeTxnBytes, "bytes");
  if (new Set(rows.map(([key]) => key)).size !== rows.length) throw refused("storeTxn", "a key comes twice");
  let at = 0;
  const changes = rows.map(([key, valueBytes, lease]) => {
    const value = valueBytes < 0 ? undefined : bytes.slice(at, at + valueBytes);
    at += Math.max(0, valueBytes);
    return { key, ...(value && { value }), ...(lease > 0 && { lease: lease as LeaseId }) };
  });
  if (at !== bytes.length) throw refused("storeTxn", `${at} bytes are told, ${bytes.length} came`);
  return changes;
}

function refused(kind: string, why: string): UpvmError {
  return new UpvmError("NOT_SERVED", { kind, why });
}

function tooMany(kind: string, limit: number, what: string): UpvmError {
  return refused(kind, `more than ${limit} ${what}`);
}
