/**
 * Follows all keys of an etcd store under one root: one stream for all watchers, over restarts of servers.
 *
 * Owns: the keys with their revisions as they were told, so that after a compaction what differs is told; how far the
 * stream has come. The stream is opened again when it ends, and when nothing came for LIMITS.etcdIdleMs: a server that is
 * gone without a word looks like one that has nothing to tell.
 */
import { LIMITS } from "../wire/limits.ts";
import type { Changed, Entry } from "./control-store.ts";
import type { EtcdCalls } from "./etcd-calls.ts";
import { endOf, entryOf, keyText, parsedWatch, textOf } from "./etcd-wire.ts";

/** All keys with the root's prefix, at one revision. */
export type ListAll = (values: boolean) => Promise<{
  readonly entries: readonly (readonly [string, Entry])[];
  readonly revision: number;
}>;

export class EtcdWatch {
  private readonly calls: EtcdCalls;
  private readonly root: string;
  private readonly list: ListAll;
  private readonly told: (change: Changed) => void;
  private readonly known = new Map<string, number>();
  /** All changes up to this revision have been told. */
  private last = 0;
  private waiters: { readonly revision: number; readonly go: () => void }[] = [];
  private close: (() => void) | undefined;
  private cancelIdle: (() => void) | undefined;
  private ended = false;
  private failures = 0;

  /** @param told  gets every change under the root, in order; keys with the root */
  constructor(calls: EtcdCalls, root: string, list: ListAll, told: (change: Changed) => void) {
    this.calls = calls;
    this.root = root;
    this.list = list;
    this.told = told;
  }

  /** From now on. @throws StoreError */
  async begin(): Promise<void> {
    const { entries, revision } = await this.list(false);
    for (const [key, entry] of entries) this.known.set(key, entry.revision);
    this.last = revision;
    await this.open();
  }

  end(): void {
    this.ended = true;
    this.close?.();
    this.cancelIdle?.();
    this.wake();
  }

  /** Resolves when all up to a revision has been told, or the store was out of reach for LIMITS.storeWaitMs. */
  async reached(revision: number): Promise<void> {
    if (this.last >= revision || this.ended) return;
    await new Promise<void>((go) => {
      const cancel = this.calls.edge.after(LIMITS.storeWaitMs, () => {
        this.waiters = this.waiters.filter((each) => each !== waiter);
        go();
      });
      const done = (): void => {
        cancel();
        go();
      };
      const waiter = { revision, go: done };
      this.waiters.push(waiter);
    });
  }

  private wake(): void {
    const ready = this.waiters.filter(({ revision }) => revision <= this.last || this.ended);
    this.waiters = this.waiters.filter((each) => !ready.includes(each));
    for (const { go } of ready) go();
  }

  private async open(): Promise<void> {
    const create_request = {
      key: keyText(this.root),
      range_end: endOf(this.root),
      start_revision: String(this.last + 1),
    };
    const { endpoint } = this.calls;
    let over = false;
    const again = (): void => {
      if (over) return;
      over = true;
      this.close?.();
      this.failures += 1;
      this.calls.skip(endpoint);
      this.later();
    };
    const line = (text: string): void => {
      if (over) return;
      this.idleFrom(again);
      const took = this.take(text);
      if (took === "again") again();
      else if (took === "compacted") {
        over = true;
        this.close?.();
        void this.catchUp();
      }
    };
    try {
      const close = await this.calls.stream("/v3/watch", { create_request }, line, again);
      if (over || this.ended) close();
      else this.close = close;
      if (!over) this.idleFrom(again);
    } catch {
      again();
    }
  }

  /** Opens the stream again, after a pause that grows. */
  private later(): void {
    this.cancelIdle?.();
    if (this.ended) return;
    const ms = Math.min(LIMITS.etcdPauseMs * this.failures, LIMITS.etcdPauseMsMax);
    this.calls.edge.after(ms, () => {
      if (!this.ended) void this.open();
    });
  }

  private idleFrom(again: () => void): void {
    this.cancelIdle?.();
    this.cancelIdle = this.calls.edge.after(LIMITS.etcdIdleMs, again);
  }

  /** One message of the stream. */
  private take(text: string): "taken" | "again" | "compacted" {
    const message = parsedWatch(text);
    const result = message?.result;
    if (result === undefined) {
      this.calls.forgetToken();
      return "again";
    }
    if (result.compact_revision > 0) return "compacted";
    if (result.canceled) {
      this.calls.forgetToken();
      return "again";
    }
    this.failures = 0;
    let last = this.last;
    for (const { type, kv } of result.events) {
      // A stream that was opened again may repeat what was the last.
      if (kv.mod_revision <= this.last) continue;
      last = kv.mod_revision;
      const entry = type === "DELETE" ? undefined : entryOf(kv);
      this.tell({ key: textOf(kv.key), entry, revision: kv.mod_revision });
    }
    // All events of a revision come in one message.
    this.last = last;
    this.wake();
    return "taken";
  }

  private tell(change: Changed): void {
    if (change.entry === undefined) this.known.delete(change.key);
    else this.known.set(change.key, change.entry.revision);
    this.told(change);
  }

  /** What was missed is not kept any more: tells what differs. */
  private async catchUp(): Promise<void> {
    try {
      const { entries, revision } = await this.list(true);
      const there = new Set(entries.map(([key]) => key));
      const changed = entries
        .filter(([key, entry]) => this.known.get(key) !== entry.revision)
        .sort(([, a], [, b]) => a.revision - b.revision);
      for (const [key, entry] of changed) this.tell({ key, entry, revision: entry.revision });
      for (const key of [...this.known.keys()])
        if (!there.has(key)) this.tell({ key, entry: undefined, revision });
      this.last = revision;
      this.wake();
    } catch {
      this.failures += 1;
    }
    this.later();
  }
}
