/**
 * The control store that is built in: a map in the memory of one process.
 *
 * Owns: revisions, leases, watchers. Values are copied in and never handed out to be changed. Order of watchers' calls is
 * order of revisions; they are called before `txn` resolves. Never reads a clock or sets a timer: time is what `now`
 * says, and leases run out in `tick`.
 */
import assert from "node:assert";
import { LIMITS } from "../wire/limits.ts";
import {
  type Change,
  type Changed,
  type Compare,
  type ControlStore,
  checkTxn,
  type Entry,
  type LeaseId,
} from "./control-store.ts";

interface Held extends Entry {
  readonly lease: LeaseId | undefined;
}

interface Lease {
  readonly keys: Set<string>;
  /** 0: it has no time to live. */
  readonly ttlMs: number;
  untilMs: number;
}

export class MemoryStore implements ControlStore {
  readonly txnBytesMax = Number.MAX_SAFE_INTEGER;
  private readonly entries = new Map<string, Held>();
  private readonly watchers = new Set<{ prefix: string; told: (change: Changed) => void }>();
  private revision = 0;
  private leases = 0;
  private readonly held = new Map<LeaseId, Lease>();
  private readonly now: () => number;
  private tickedMs: number;

  /** @param now  milliseconds of a clock that never goes back; without it leases do not run out */
  constructor(now: () => number = () => 0) {
    this.now = now;
    this.tickedMs = now();
  }

  async get(key: string): Promise<Entry | undefined> {
    return this.entries.get(key);
  }

  async list(prefix: string): Promise<readonly (readonly [string, Entry])[]> {
    return [...this.entries].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  async txn(compare: readonly Compare[], changes: readonly Change[]): Promise<number | undefined> {
    checkTxn(compare, changes);
    const holds = compare.every(({ key, revision }) => (this.entries.get(key)?.revision ?? 0) === revision);
    const leased = changes.every(({ lease }) => lease === undefined || this.held.has(lease));
    if (!holds || !leased) return undefined;
    this.apply(changes);
    return this.revision;
  }

  async lease(ttlMs = 0): Promise<LeaseId> {
    assert(ttlMs === 0 || ttlMs >= LIMITS.leaseMsMin, `bug: a lease of ${ttlMs} ms`);
    this.leases += 1;
    const id = this.leases as LeaseId;
    this.held.set(id, { keys: new Set(), ttlMs, untilMs: this.now() + ttlMs });
    return id;
  }

  async renew(lease: LeaseId): Promise<boolean> {
    const held = this.held.get(lease);
    if (held !== undefined) held.untilMs = this.now() + held.ttlMs;
    return held !== undefined;
  }

  async endLease(lease: LeaseId): Promise<void> {
    this.end(lease);
  }

  /**
   * Ends leases whose time has run out; to be called every LIMITS.storeTickMs or so. If it was not called for long (the
   * process was stopped), holders could not renew either: what is beyond LIMITS.storeGapMs does not count for leases.
   */
  tick(): void {
    const nowMs = this.now();
    const lostMs = Math.max(0, nowMs - this.tickedMs - LIMITS.storeGapMs);
    this.tickedMs = nowMs;
    for (const [id, lease] of [...this.held]) {
      if (lease.ttlMs === 0) continue;
      lease.untilMs = Math.min(lease.untilMs + lostMs, nowMs + lease.ttlMs);
      if (lease.untilMs <= nowMs) this.end(id);
    }
  }

  watch(prefix: string, told: (change: Changed) => void): () => void {
    const watcher = { prefix, told };
    this.watchers.add(watcher);
    return () => {
      this.watchers.delete(watcher);
    };
  }

  private end(lease: LeaseId): void {
    const keys = this.held.get(lease)?.keys;
    this.held.delete(lease);
    if (keys !== undefined && keys.size > 0) this.apply([...keys].map((key) => ({ key })));
  }

  /** All changes have one revision. */
  private apply(changes: readonly Change[]): void {
    this.revision += 1;
    for (const { key, value, lease } of changes) {
      const old = this.entries.get(key);
      if (old?.lease !== undefined) this.held.get(old.lease)?.keys.delete(key);
      if (value === undefined) this.entries.delete(key);
      else {
        const created = old?.created ?? this.revision;
        this.entries.set(key, { value: value.slice(), revision: this.revision, created, lease });
        if (lease !== undefined) this.held.get(lease)?.keys.add(key);
      }
    }
    for (const { key } of changes) this.tell(key);
  }

  private tell(key: string): void {
    const changed = { key, entry: this.entries.get(key), revision: this.revision };
    for (const { prefix, told } of [...this.watchers]) if (key.startsWith(prefix)) told(changed);
  }
}
