/**
 * What a service knows of the message box besides its entries: how full it is, who waits, whose entries stay.
 *
 * Owns: these three. They are of this service's tasks and can be made again from the store.
 */
import type { RequestOf } from "../wire/requests.ts";
import type { ControlStore } from "./control-store.ts";

export class BoxState {
  /** Entries, and bytes of all of them. */
  entries = 0;
  bytes = 0;
  /** How often any entry has changed: who has read and found nothing looks whether that is still so. */
  changes = 0;
  private readonly sizes = new Map<string, number>();
  private readonly parked = new Map<string, RequestOf<"recvinfo">[]>();
  /** By owner: keys of entries that stay when it ends. */
  private readonly kept = new Map<number, Set<string>>();

  constructor(store: ControlStore) {
    store.watch("mbox/", ({ key, entry }) => {
      this.changes += 1;
      this.bytes += (entry?.value.length ?? 0) - (this.sizes.get(key) ?? 0);
      if (entry === undefined) this.sizes.delete(key);
      else this.sizes.set(key, entry.value.length);
      this.entries = this.sizes.size;
    });
  }

  /** A task waits for an entry of a class. */
  park(request: RequestOf<"recvinfo">): void {
    const { name } = request.body;
    this.parked.set(name, [...(this.parked.get(name) ?? []), request]);
  }

  takeParked(name: string): readonly RequestOf<"recvinfo">[] {
    const requests = this.parked.get(name) ?? [];
    this.parked.delete(name);
    return requests;
  }

  /** Who waits, in order for each class. */
  waiting(): RequestOf<"recvinfo">[] {
    return [...this.parked.values()].flat();
  }

  /** The task waits no more. */
  unpark(tid: number): void {
    for (const [name, requests] of this.parked) {
      const others = requests.filter((request) => request.tid !== tid);
      if (others.length === 0) this.parked.delete(name);
      else this.parked.set(name, others);
    }
  }

  keepsAfter(owner: number, key: string): void {
    const keys = this.kept.get(owner) ?? new Set();
    this.kept.set(owner, keys.add(key));
  }

  takeKept(owner: number): readonly string[] {
    const keys = [...(this.kept.get(owner) ?? [])];
    this.kept.delete(owner);
    return keys;
  }
}
