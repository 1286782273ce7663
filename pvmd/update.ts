/**
 * Read, decide, write: the way to change a key that depends on what it was.
 *
 * Owns: the trying again, when another was quicker and when nobody knows whether a transaction was done.
 */
import { LIMITS } from "../wire/limits.ts";
import { type ControlStore, type Entry, StoreError } from "./control-store.ts";

/** What `decide` wants: a value to be written, or nothing, and what `update` is to return. */
export interface Decision<T> {
  readonly value?: Uint8Array;
  readonly result: T;
}

/**
 * Writes what `decide` makes of the key's entry, unless it makes nothing of it. Nobody's change is lost: what was decided
 * from an entry is written only in its place.
 *
 * @param decide  called again with what is there when another was quicker, and also when the outcome is not known: so the
 *                value must tell, if that matters, who wrote it. Pure
 * @throws StoreError  the store stayed out of reach, or others were quicker LIMITS.storeTries times (outcome none)
 */
export async function update<T>(
  store: ControlStore,
  key: string,
  decide: (entry: Entry | undefined) => Decision<T>,
): Promise<T> {
  for (let tries = 0; tries < LIMITS.storeTries; tries++) {
    const entry = await store.get(key);
    const { value, result } = decide(entry);
    if (value === undefined) return result;
    const compare = [{ key, revision: entry?.revision ?? 0 }];
    if (await isDone(store.txn(compare, [{ key, value }]))) return result;
  }
  throw new StoreError("none", `others were quicker ${LIMITS.storeTries} times`);
}

/** False: it was not done, or nobody knows. Who calls then reads, which fails if the store is still out of reach. */
async function isDone(txn: Promise<number | undefined>): Promise<boolean> {
  try {
    return (await txn) !== undefined;
  } catch (error) {
    if (error instanceof StoreError) return false;
    throw error;
  }
}
