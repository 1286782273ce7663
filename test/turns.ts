/**
 * Things that happen at the same time, one step at a time, in an order that a seed gives; and a store whose way is bad.
 *
 * Owns: the order. Who takes part waits for its turn (`pause`) wherever another could come between.
 */
import { setImmediate } from "node:timers/promises";
import type { Change, Changed, Compare, ControlStore, Entry, LeaseId } from "../pvmd/control-store.ts";
import { StoreError } from "../pvmd/control-store.ts";

export class Turns {
  readonly random: () => number;
  private waiting: (() => void)[] = [];

  constructor(random: () => number) {
    this.random = random;
  }

  /** Resolves when the seed says that it is this one's turn. */
  pause(): Promise<void> {
    return new Promise((go) => this.waiting.push(go));
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  pick<T>(among: readonly T[]): T {
    return among[Math.floor(this.random() * among.length)]!;
  }

  /** Gives turns until `all` are done and nobody waits. */
  async run(all: readonly Promise<unknown>[]): Promise<void> {
    let done = false;
    const end = Promise.allSettled(all).then((results) => {
      done = true;
      return results;
    });
    for (;;) {
      // What a turn sets off runs to its next pause.
      await setImmediate();
      const [go] = this.waiting.splice(Math.floor(this.random() * this.waiting.length), 1);
      if (go !== undefined) go();
      else if (done) break;
    }
    for (const result of await end) if (result.status === "rejected") throw result.reason;
  }
}

/** One client's way to a store: what it asks, and what it is answered, is lost now and then, or done late. */
export class BadWay implements ControlStore {
  readonly txnBytesMax = Number.MAX_SAFE_INTEGER;
  private readonly store: ControlStore;
  private readonly turns: Turns;
  /** Probability of each of three misfortunes. */
  private readonly fault: number;

  constructor(store: ControlStore, turns: Turns, fault: number) {
    this.store = store;
    this.turns = turns;
    this.fault = fault;
  }

  get(key: string): Promise<Entry | undefined> {
    return this.way(() => this.store.get(key));
  }
  list(prefix: string): Promise<readonly (readonly [string, Entry])[]> {
    return this.way(() => this.store.list(prefix));
  }
  txn(compare: readonly Compare[], changes: readonly Change[]): Promise<number | undefined> {
    return this.way(() => this.store.txn(compare, changes));
  }
  lease(ttlMs?: number): Promise<LeaseId> {
    return this.way(() => this.store.lease(ttlMs));
  }
  renew(lease: LeaseId): Promise<boolean> {
    return this.way(() => this.store.renew(lease));
  }
  endLease(lease: LeaseId): Promise<void> {
    return this.way(() => this.store.endLease(lease));
  }
  watch(prefix: string, told: (change: Changed) => void): () => void {
    return this.store.watch(prefix, told);
  }

  private async way<T>(ask: () => Promise<T>): Promise<T> {
    const { turns, fault } = this;
    await turns.pause();
    if (turns.chance(fault)) throw new StoreError("none", "the request was lost");
    if (turns.chance(fault)) {
      void turns
        .pause()
        .then(() => turns.pause())
        .then(ask);
      throw new StoreError("unknown", "the request is on its way");
    }
    const answer = await ask();
    await turns.pause();
    if (turns.chance(fault)) throw new StoreError("unknown", "the answer was lost");
    return answer;
  }
}
