/**
 * The control store that is built in: a map in the memory of one process.
 *
 * Owns: revisions, leases, watchers. Values are copied in and never handed out to be changed. Order of watchers' calls is
 * order of revisions; they are called before `txn` resolves.
 */
import type { Change, Changed, Compare, ControlStore, Entry, LeaseId } from "./control-store.ts";

interface Held extends Entry {
  readonly lease: LeaseId | undefined;
}

export class MemoryStore implements ControlStore {
  private readonly entries = new Map<string, Held>();
  private readonly watchers = new Set<{ prefix: string; told: (change: Changed) => void }>();
  private revision = 0;
  private leases = 0;
  private readonly leaseKeys = new Map<LeaseId, Set<string>>();

  async get(key: string): Promise<Entry | undefined> {
    return this.entries.get(key);
  }

  async list(prefix: string): Promise<readonly (readonly [string, Entry])[]> {
    return [...this.entries].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  async txn(compare: readonly Compare[], changes: readonly Change[]): Promise<number | undefined> {
    const holds = compare.every(({ key, revision }) => (this.entries.get(key)?.revision ?? 0) === revision);
    const leased = changes.every(({ lease }) => lease === undefined || this.leaseKeys.has(lease));
    if (!holds || !leased) return undefined;
    this.apply(changes);
    return this.revision;
  }

  async lease(): Promise<LeaseId> {
    this.leases += 1;
    const id = this.leases as LeaseId;
    this.leaseKeys.set(id, new Set());
    return id;
  }

  async endLease(lease: LeaseId): Promise<void> {
    const keys = this.leaseKeys.get(lease);
    this.leaseKeys.delete(lease);
    if (keys !== undefined && keys.size > 0) this.apply([...keys].map((key) => ({ key })));
  }

  watch(prefix: string, told: (change: Changed) => void): () => void {
    const watcher = { prefix, told };
    this.watchers.add(watcher);
    return () => {
      this.watchers.delete(watcher);
    };
  }

  /** All changes have one revision. */
  private apply(changes: readonly Change[]): void {
    this.revision += 1;
    for (const { key, value, lease } of changes) {
      const old = this.entries.get(key);
      if (old?.lease !== undefined) this.leaseKeys.get(old.lease)?.delete(key);
      if (value === undefined) this.entries.delete(key);
      else {
        const created = old?.created ?? this.revision;
        this.entries.set(key, { value: value.slice(), revision: this.revision, created, lease });
        if (lease !== undefined) this.leaseKeys.get(lease)?.add(key);
      }
    }
    for (const { key } of changes) this.tell(key);
  }

  private tell(key: string): void {
    const changed = { key, entry: this.entries.get(key), revision: this.revision };
    for (const { prefix, told } of [...this.watchers]) if (key.startsWith(prefix)) told(changed);
  }
}
