/**
 * Renews the leases without a time to live of a store that knows only such with one: they last as long as their holder.
 *
 * Owns: which these are. No clock: `after` is handed in.
 */
import { LIMITS } from "../wire/limits.ts";
import type { LeaseId } from "./control-store.ts";

/** Calls `run` after so many milliseconds. @returns a function that prevents it */
export type After = (ms: number, run: () => void) => () => void;

export class LeaseKeeper {
  private readonly leases = new Set<LeaseId>();
  private readonly renew: (lease: LeaseId) => Promise<boolean>;
  private readonly after: After;
  private cancel: (() => void) | undefined;

  /** @param renew  false: the lease has ended; rejected: the store is out of reach, and it is tried again later */
  constructor(renew: (lease: LeaseId) => Promise<boolean>, after: After) {
    this.renew = renew;
    this.after = after;
  }

  keep(lease: LeaseId): void {
    this.leases.add(lease);
    if (this.cancel === undefined) this.begin();
  }

  /** The lease is to end, or has. */
  drop(lease: LeaseId): void {
    this.leases.delete(lease);
    if (this.leases.size === 0) this.end();
  }

  end(): void {
    this.cancel?.();
    this.cancel = undefined;
    this.leases.clear();
  }

  private begin(): void {
    // A third: two renewals may fail.
    this.cancel = this.after(LIMITS.holderMs / 3, () => void this.round());
  }

  private async round(): Promise<void> {
    const all = [...this.leases];
    for (let i = 0; i < all.length; i += LIMITS.renewAtOnce)
      await Promise.all(all.slice(i, i + LIMITS.renewAtOnce).map((lease) => this.one(lease)));
    if (this.cancel !== undefined) this.begin();
  }

  private async one(lease: LeaseId): Promise<void> {
    const alive = await this.renew(lease).catch(() => true);
    if (!alive) this.leases.delete(lease);
  }
}
