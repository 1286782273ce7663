/**
 * The control store: everything that a virtual machine agrees on, as keys with values.
 *
 * Owns: the interface that every implementation keeps (test/unit/pvmd-store.test.ts is its contract). The one that is
 * built in is memory-store.ts. Who reads and then writes does it in one `txn` that compares, or by `update`.
 */

export interface Entry {
  readonly value: Uint8Array;
  /** Revision of the store at its last change; above 0. */
  readonly revision: number;
  /** Revision at which the key came to be. */
  readonly created: number;
}

/** What must hold for a transaction to be done. */
export interface Compare {
  readonly key: string;
  /** 0: there is no such key. */
  readonly revision: number;
}

/** A change. Without a value the key is deleted, whether it is there or not. */
export interface Change {
  readonly key: string;
  readonly value?: Uint8Array;
  /** The key goes when this lease ends. */
  readonly lease?: LeaseId;
}

export type LeaseId = number & { readonly leaseId: true };

/** What a watcher is told, in order of revisions. */
export interface Changed {
  readonly key: string;
  /** Undefined: deleted. */
  readonly entry: Entry | undefined;
  readonly revision: number;
}

export interface ControlStore {
  /** The key's entry, undefined if there is none. */
  get(key: string): Promise<Entry | undefined>;
  /** All keys that begin with `prefix`, in order of their text. */
  list(prefix: string): Promise<readonly (readonly [string, Entry])[]>;
  /**
   * Does all changes if all comparisons hold, else none; nobody sees some of them.
   *
   * @returns revision of the store afterwards; undefined: a comparison did not hold, or a lease has ended
   */
  txn(compare: readonly Compare[], changes: readonly Change[]): Promise<number | undefined>;
  /**
   * A lease: keys that were put with it go together when it ends.
   *
   * @param ttlMs  it ends by itself when it was not renewed for so long, soon after and never before; without, it lasts
   *               until it is ended, or its holder is gone. At least LIMITS.leaseMsMin
   */
  lease(ttlMs?: number): Promise<LeaseId>;
  /** Lets a lease with a time to live last for all of it again. @returns false: it has ended */
  renew(lease: LeaseId): Promise<boolean>;
  /** Ends a lease; one that has ended is no error. */
  endLease(lease: LeaseId): Promise<void>;
  /** Tells of every change to keys that begin with `prefix`, from now on. @returns a function that ends it */
  watch(prefix: string, told: (change: Changed) => void): () => void;
}
