/**
 * Where ULPs are: the keys `ulp/<life of the job>/<tid>`, and the one moment at which a move changes them.
 *
 * Owns: these keys. A ULP without one is where it was created. The destination of a move claims the ULP, its source claims
 * it back, both by a transaction that compares with the revision that the source read when the move began: so exactly one
 * of them has it, whoever crashes, and who does not know reads the key. The source writes the key too: if it left it as it
 * was, a claim that comes late would be done.
 * A key stays when its ULP ends, for the same reason; those of a job go together when the job has ended. A process of it that
 * is not gone yet may write one after that: nobody reads it, as no other job has its life (JobSpec), though it has its number.
 * Source: the paper's section 3.2.7; one copy, never two, under failures of hosts.
 */
import { LIMITS } from "../wire/limits.ts";
import type { ControlStore } from "./control-store.ts";
import { decode, encode } from "./machine.ts";
import { update } from "./update.ts";

/** A value of these keys. */
export interface Place {
  /** Number of the application process in its job, or NOBODY. */
  readonly member: number;
  /** The last move, and how it ended. */
  readonly move: string;
  readonly outcome: "committed" | "aborted" | "lost";
}

/** The ULP has ended with its process. */
export const NOBODY = -1;

const ROOT = "ulp/";
const keyOf = (life: number, tid: number): string => `${ROOT}${life}/${tid}`;

/** Where a ULP is, and the revision that a move of it begins with. `place` undefined: where it was created. */
export async function placeOf(
  store: ControlStore,
  life: number,
  tid: number,
): Promise<{ readonly place: Place | undefined; readonly revision: number }> {
  const entry = await store.get(keyOf(life, tid));
  return { place: entry && decode<Place>(entry.value), revision: entry?.revision ?? 0 };
}

/**
 * Has a ULP from now on, unless its key was changed meanwhile.
 *
 * @param base  revision of its key when the move began, 0 if it had none
 * @returns the key's revision; undefined: another has claimed it, or this was done already: read it
 * @throws StoreError  outcome unknown: nobody may run it before it is known whose it is
 */
export function claimUlp(
  store: ControlStore,
  life: number,
  tid: number,
  base: number,
  place: Place,
): Promise<number | undefined> {
  return store.txn(
    [{ key: keyOf(life, tid), revision: base }],
    [{ key: keyOf(life, tid), value: encode(place) }],
  );
}

/**
 * The process that had a ULP is gone, and so is the ULP, unless it has been claimed by another: then where it is.
 *
 * @returns undefined: it is gone, and no claim of before will be done
 * @throws StoreError
 */
export function buryUlp(
  store: ControlStore,
  life: number,
  tid: number,
  member: number,
): Promise<Place | undefined> {
  const nobody: Place = { member: NOBODY, move: "lost", outcome: "lost" };
  return update(store, keyOf(life, tid), (entry) => {
    const place = entry && decode<Place>(entry.value);
    if (place?.member === NOBODY) return { result: undefined };
    if (place !== undefined && place.member !== member) return { result: place };
    return { value: encode(nobody), result: undefined };
  });
}

/** A job has ended. */
export async function forgetPlaces(store: ControlStore, life: number): Promise<void> {
  const keys = (await store.list(`${ROOT}${life}/`)).map(([key]) => key);
  for (let i = 0; i < keys.length; i += LIMITS.txnKeys)
    await store.txn(
      [],
      keys.slice(i, i + LIMITS.txnKeys).map((key) => ({ key })),
    );
}
