/**
 * The book of groups of a service, and its copy in the control store.
 *
 * Owns: the keys `group/<name>`: what each group is. The book decides alone; the store gets every change, in order, so
 * that whoever looks there sees the groups as they are.
 */
import { LIMITS } from "../wire/limits.ts";
import type { Change, ControlStore } from "./control-store.ts";
import { type Group, Groups } from "./group-book.ts";

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const PREFIX = "group/";
const keyOf = ({ name }: Group): string => `${PREFIX}${encodeURIComponent(name)}`;

export class KeptGroups {
  readonly book: Groups;
  private readonly store: ControlStore;
  private readonly dirty = new Set<Group>();
  private written: Promise<unknown> = Promise.resolve();

  constructor(store: ControlStore) {
    this.store = store;
    this.book = new Groups((group) => {
      this.dirty.add(group);
    });
  }

  /** Resolves when the store has all changes that were made until now. @throws what the store does */
  async kept(): Promise<void> {
    if (this.dirty.size > 0) this.written = this.written.catch(() => {}).then(() => this.write());
    await this.written;
  }

  private async write(): Promise<void> {
    while (this.dirty.size > 0) {
      const groups = [...this.dirty].slice(0, LIMITS.txnKeys);
      // One key once: a group that is no more may have one of its name behind it.
      const changes = new Map<string, Change>();
      for (const group of groups) {
        const { rows: tids, frozen, defunct, members } = group;
        const key = keyOf(group);
        changes.set(key, members === 0 ? { key } : { key, value: encode({ tids, frozen, defunct }) });
      }
      for (const group of groups) this.dirty.delete(group);
      try {
        await this.store.txn([], [...changes.values()]);
      } catch (error) {
        // Out of reach: whoever changes a group next has it written too.
        for (const group of groups) this.dirty.add(group);
        throw error;
      }
    }
  }
}
