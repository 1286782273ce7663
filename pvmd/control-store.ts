/**
 * The control store: everything that a virtual machine agrees on, as keys with values.
 *
 * Owns: the interface that every implementation keeps (test/unit/pvmd-store.test.ts is its contract). The one that is
 * built in is memory-store.ts; remote-store.ts reaches the one of another process. Who reads and then writes does it in one
 * `txn` that compares, or by `update` (update.ts).
 */
import assert from "node:assert";
import { UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";

/**
 * A store that is elsewhere could not be reached, for as long as it is worth trying.
 *
 * `unknown`: what was asked for was sent, and may have been done, or may be done yet: who must know reads again, and
 * tries again with the same comparison, so that it is done once at most. `none`: nothing was done, and nothing will be.
 */
export class StoreError extends UpvmError {
  readonly outcome: "none" | "unknown";
  constructor(outcome: "none" | "unknown", why: string) {
    super("STORE_OUT_OF_REACH", { outcome, why });
    this.name = "StoreError";
    this.outcome = outcome;
  }

  get why(): string {
    return String(this.facts["why"]);
  }
}

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

/** All of these are rejected with StoreError if the store is elsewhere and cannot be reached. */
export interface ControlStore {
  /** Bytes of the values of one transaction, at most: more are refused with StoreError, outcome none. */
  readonly txnBytesMax: number;
  /** The key's entry, undefined if there is none. */
  get(key: string): Promise<Entry | undefined>;
  /** All keys that begin with `prefix`, in order of their text. */
  list(prefix: string): Promise<readonly (readonly [string, Entry])[]>;
  /**
   * Does all changes if all comparisons hold, else none; nobody sees some of them. LIMITS.txnKeys of each at most; a key is
   * changed once.
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
  /**
   * Tells of changes to keys that begin with `prefix`, from now on, in order of revisions. What this store object has done
   * itself has been told when its promise resolves; what others do, soon. Of several changes to a key while the store was
   * out of reach only the last is told.
   *
   * @returns a function that ends it
   */
  watch(prefix: string, told: (change: Changed) => void): () => void;
}

/** A transaction that no store takes is a mistake of ours. */
export function checkTxn(compare: readonly Compare[], changes: readonly Change[]): void {
  assert(
    compare.length <= LIMITS.txnKeys && changes.length <= LIMITS.txnKeys,
    "bug: a transaction too large",
  );
  const keys = new Set(changes.map(({ key }) => key));
  assert(keys.size === changes.length, "bug: a transaction changes a key twice");
}
