/**
 * The control store in an etcd cluster, by its v3 JSON gateway: for a virtual machine that must outlive any of its hosts.
 *
 * Owns: the keys under one root of the cluster: `<root>k/…` are the store's, `<root>t/<client>/<slot>` tell which
 * transactions of a client were done. Each transaction takes a slot: it compares the slot's revision and writes it. So it
 * may be asked for again when no answer came, of any server: it is done once, and the slot tells whether it was.
 *
 *     compare: slot unchanged, …    success: put slot, …    failure: read slot
 *
 * Leases are etcd's: their time is rounded up to whole seconds, and to what etcd takes at least. Those without a time to
 * live are renewed from here. No clock, no socket: etcd-calls.ts.
 */
import * as v from "valibot";
import { LIMITS } from "../wire/limits.ts";
import {
  type Change,
  type Changed,
  type Compare,
  type ControlStore,
  checkTxn,
  type Entry,
  type LeaseId,
  StoreError,
} from "./control-store.ts";
import { CODE, type EtcdCalls, EtcdRefused } from "./etcd-calls.ts";
import { EtcdWatch } from "./etcd-watch.ts";
import { DONE, endOf, entryOf, KEPT, keyText, RANGE, TXN, textOf, valueText } from "./etcd-wire.ts";
import { LeaseKeeper } from "./lease-keeper.ts";

/** A key by which the transactions of one client that come one after the other are known. */
interface Slot {
  readonly client: number;
  readonly key: string;
  /** Revision of its last transaction, 0: there was none. */
  revision: number;
}

const ANY = v.object({});

export class EtcdStore implements ControlStore {
  readonly txnBytesMax = LIMITS.etcdTxnBytes;
  private readonly calls: EtcdCalls;
  private readonly root: string;
  private readonly keeper: LeaseKeeper;
  private readonly followed: EtcdWatch;
  private readonly watchers = new Set<{ prefix: string; told: (change: Changed) => void }>();
  /** Slots go with it when this process is gone. */
  private holder = 0 as LeaseId;
  private client = 0;
  /** The next client is about to be. */
  private renewal: Promise<void> | undefined;
  private slotCount = 0;
  private readonly freeSlots: Slot[] = [];
  private slotsInUse = 0;
  private readonly slotWaiters: (() => void)[] = [];
  /** No transaction begins any more: one that did would leave its slot behind. */
  private closed = false;

  private constructor(calls: EtcdCalls, root: string) {
    this.calls = calls;
    this.root = root;
    this.keeper = new LeaseKeeper((lease) => this.renew(lease), calls.edge.after);
    const list = (values: boolean) => this.listAll(this.root, values);
    this.followed = new EtcdWatch(calls, root, list, (change) => this.told(change));
  }

  /**
   * @param root  what all keys begin with, "upvm/lab/": two virtual machines in one cluster have different ones
   * @throws StoreError
   */
  static async open(calls: EtcdCalls, root: string): Promise<EtcdStore> {
    const store = new EtcdStore(calls, root);
    try {
      await store.newClient();
      await store.followed.begin();
    } catch (error) {
      store.end();
      throw error;
    }
    return store;
  }

  async get(key: string): Promise<Entry | undefined> {
    const { kvs } = await this.calls.call("/v3/kv/range", { key: keyText(this.keyOf(key)) }, RANGE);
    return kvs[0] && entryOf(kvs[0]);
  }

  async list(prefix: string): Promise<readonly (readonly [string, Entry])[]> {
    const { entries } = await this.listAll(this.keyOf(prefix), true);
    const { length } = this.keyOf("");
    // etcd sorts bytes; the contract's order is that of texts.
    return entries
      .map(([key, entry]) => [key.slice(length), entry] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }

  async txn(compare: readonly Compare[], changes: readonly Change[]): Promise<number | undefined> {
    checkTxn(compare, changes);
    const bytes = changes.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
    if (bytes > this.txnBytesMax) throw new StoreError("none", `${bytes} bytes are too many`);
    const slot = await this.takeSlot();
    try {
      const revision = await this.inSlot(slot, compare, changes);
      this.giveSlot(slot);
      if (revision !== undefined) await this.followed.reached(revision);
      return revision;
    } catch (error) {
      // What was asked for may be done yet: the slot tells only of one transaction.
      if (error instanceof StoreError && error.outcome === "none") this.giveSlot(slot);
      throw error;
    } finally {
      this.slotsInUse -= 1;
      this.slotWaiters.shift()?.();
    }
  }

  async lease(ttlMs?: number): Promise<LeaseId> {
    const lease = await this.grant(ttlMs ?? LIMITS.holderMs);
    if (ttlMs === undefined) this.keeper.keep(lease);
    return lease;
  }

  async renew(lease: LeaseId): Promise<boolean> {
    const { result } = await this.calls.call("/v3/lease/keepalive", { ID: String(lease) }, KEPT);
    return result.TTL > 0;
  }

  async endLease(lease: LeaseId): Promise<void> {
    this.keeper.drop(lease);
    if (!(await this.revoke(lease)) || this.watchers.size === 0) return;
    // Its keys went at a revision that etcd does not tell: this one comes after it.
    await this.txn([], []);
  }

  watch(prefix: string, told: (change: Changed) => void): () => void {
    const watcher = { prefix, told };
    this.watchers.add(watcher);
    return () => {
      this.watchers.delete(watcher);
    };
  }

  /** Deletes everything under the root: the virtual machine has ended. No transaction begins any more. */
  async clear(): Promise<void> {
    this.closed = true;
    const all = { key: keyText(this.root), range_end: endOf(this.root) };
    await this.calls.call("/v3/kv/deleterange", all, DONE);
  }

  /** Lets go of everything but the store's keys. Fails for nothing: what is left ends with its lease. */
  async close(): Promise<void> {
    const { holder } = this;
    this.closed = true;
    this.keeper.end();
    this.followed.end();
    if (holder !== 0) await this.revoke(holder).catch(() => false);
    this.end();
  }

  private end(): void {
    this.keeper.end();
    this.followed.end();
    this.calls.end();
  }

  private keyOf(key: string): string {
    return `${this.root}k/${key}`;
  }

  private told({ key, entry, revision }: Changed): void {
    const start = this.keyOf("");
    if (!key.startsWith(start)) return;
    const own = key.slice(start.length);
    for (const { prefix, told } of [...this.watchers])
      if (own.startsWith(prefix)) told({ key: own, entry, revision });
  }

  /** All with a prefix at one revision, page by page. */
  private async listAll(
    prefix: string,
    values: boolean,
  ): Promise<{ readonly entries: (readonly [string, Entry])[]; readonly revision: number }> {
    const entries: (readonly [string, Entry])[] = [];
    let revision = 0;
    for (let key = keyText(prefix); ; ) {
      const page = await this.calls.call(
        "/v3/kv/range",
        {
          key,
          range_end: endOf(prefix),
          limit: String(LIMITS.etcdPageKeys),
          revision: String(revision),
          keys_only: !values,
        },
        RANGE,
      );
      revision ||= page.header.revision;
      for (const kv of page.kvs) entries.push([textOf(kv.key), entryOf(kv)]);
      const last = page.kvs.at(-1);
      if (!page.more || last === undefined) return { entries, revision };
      // The next key there can be.
      const next = new Uint8Array(last.key.length + 1);
      next.set(last.key);
      key = valueText(next);
    }
  }

  /** One transaction, until there is an answer. @throws StoreError */
  private async inSlot(
    slot: Slot,
    compare: readonly Compare[],
    changes: readonly Change[],
  ): Promise<number | undefined> {
    const { holder } = this;
    const body = {
      compare: [
        compared(slot.key, slot.revision),
        ...compare.map(({ key, revision }) => compared(this.keyOf(key), revision)),
      ],
      success: [
        { request_put: { key: keyText(slot.key), value: "", lease: String(holder) } },
        ...changes.map((change) => this.operation(change)),
      ],
      failure: [{ request_range: { key: keyText(slot.key) } }],
    };
    let answer: v.InferOutput<typeof TXN>;
    try {
      answer = await this.calls.call("/v3/kv/txn", body, TXN);
    } catch (error) {
      if (!(error instanceof EtcdRefused) || error.grpc !== CODE.notFound) throw error;
      // One of the caller's, or that of the slots.
      if (await this.renew(holder)) return undefined;
      throw await this.outOfReach(holder);
    }
    const found = answer.succeeded
      ? answer.header.revision
      : (answer.responses[0]?.response_range?.kvs[0]?.mod_revision ?? 0);
    if (found === slot.revision) return undefined;
    if (found === 0) throw await this.outOfReach(holder);
    slot.revision = found;
    return found;
  }

  /** The slots are gone, with their lease: they tell nothing. */
  private async outOfReach(holder: LeaseId): Promise<StoreError> {
    // Its slots may have been cleared away. Several transactions may find that at once: they are one client again.
    if (holder === this.holder && !this.closed) await this.renewed();
    return new StoreError("unknown", "out of reach for so long that the leases of this process have ended");
  }

  private operation({ key, value, lease }: Change): object {
    if (value === undefined) return { request_delete_range: { key: keyText(this.keyOf(key)) } };
    const put = { key: keyText(this.keyOf(key)), value: valueText(value) };
    return { request_put: lease === undefined ? put : { ...put, lease: String(lease) } };
  }

  private async takeSlot(): Promise<Slot> {
    while (this.slotsInUse >= LIMITS.etcdTxnsAtOnce && !this.closed)
      await new Promise<void>((go) => this.slotWaiters.push(go));
    if (this.closed) {
      this.slotWaiters.shift()?.();
      throw new StoreError("none", "it is closed");
    }
    this.slotsInUse += 1;
    const free = this.freeSlots.pop();
    if (free !== undefined) return free;
    this.slotCount += 1;
    const key = `${this.root}t/${this.client}/${this.slotCount}`;
    return { client: this.client, key, revision: 0 };
  }

  private giveSlot(slot: Slot): void {
    if (slot.client === this.client) this.freeSlots.push(slot);
  }

  private renewed(): Promise<void> {
    this.renewal ??= this.newClient().finally(() => {
      this.renewal = undefined;
    });
    return this.renewal;
  }

  /** Slots that nobody has had, under a lease that lasts as long as this process. */
  private async newClient(): Promise<void> {
    if (this.holder !== 0) this.keeper.drop(this.holder);
    this.holder = await this.grant(LIMITS.holderMs);
    if (this.closed) await this.revoke(this.holder).catch(() => false);
    else this.keeper.keep(this.holder);
    this.client = this.calls.edge.id();
    this.freeSlots.length = 0;
  }

  private async grant(ttlMs: number): Promise<LeaseId> {
    const id = this.calls.edge.id();
    const TTL = String(Math.ceil(ttlMs / 1000));
    try {
      await this.calls.call("/v3/lease/grant", { TTL, ID: String(id) }, ANY);
    } catch (error) {
      // It was granted when no answer came.
      if (!(error instanceof EtcdRefused) || !error.message.includes("lease already exists")) throw error;
    }
    return id as LeaseId;
  }

  /** False: it had ended. */
  private async revoke(lease: LeaseId): Promise<boolean> {
    try {
      await this.calls.call("/v3/lease/revoke", { ID: String(lease) }, ANY);
      return true;
    } catch (error) {
      if (error instanceof EtcdRefused && error.grpc === CODE.notFound) return false;
      throw error;
    }
  }
}

function compared(key: string, revision: number): object {
  return { target: "MOD", result: "EQUAL", key: keyText(key), mod_revision: String(revision) };
}
