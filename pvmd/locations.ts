/**
 * Where ULPs are: the keys `ulp/<tid>`, and the one moment at which a migration changes them.
 *
 * Owns: these keys. A ULP without one is where it was created. The destination of a migration commits it, its source aborts
 * it, both by a transaction that compares with the revision that the source read when it began: so exactly one of them is
 * done, whoever crashes, and who does not know reads the key. An aborted migration writes the key too: if it left it as it
 * was, a commit that comes late would be done.
 * A key stays when its ULP ends, for the same reason; those of a job go together when the job has ended.
 * Source: the paper's section 3.2.7; one copy, never two, under failures of hosts.
 */
import { LIMITS } from "../wire/limits.ts";
import type { ControlStore } from "./control-store.ts";
import { decode, encode } from "./machine.ts";
import { isDone, update } from "./update.ts";

export type Outcome = "committed" | "aborted";

/** A value of these keys. */
export interface Place {
  /** Number of the application process in its job. */
  readonly member: number;
  /** The last migration, and how it ended. */
  readonly move: string;
  readonly outcome: Outcome;
}

/** What source and destination agree on before it can be decided. */
export interface Move {
  readonly tid: number;
  /** Its name: no other migration of this ULP ever has it. */
  readonly id: string;
  /** Revision of the ULP's key when the migration began, 0 if it had none. */
  readonly base: number;
  readonly from: number;
  readonly to: number;
}

const ROOT = "ulp/";
const TID_SHIFT = 18;
/** Key of a ULP's place. */
export const keyOfUlp = (tid: number): string => `${ROOT}${tid}`;

/** Where a ULP is, and the revision that a migration of it begins with. `place` undefined: where it was created. */
export async function placeOf(
  store: ControlStore,
  tid: number,
): Promise<{ readonly place: Place | undefined; readonly revision: number }> {
  const entry = await store.get(keyOfUlp(tid));
  return { place: entry && decode<Place>(entry.value), revision: entry?.revision ?? 0 };
}

/** The destination has all of the ULP. @returns committed: it is the destination's now; aborted: it never will be */
export function commitMove(store: ControlStore, move: Move): Promise<Outcome> {
  return settle(store, move, { member: move.to, move: move.id, outcome: "committed" });
}

/** The source wants the ULP back. @returns aborted: it has it; committed: it is the destination's */
export function abortMove(store: ControlStore, move: Move): Promise<Outcome> {
  return settle(store, move, { member: move.from, move: move.id, outcome: "aborted" });
}

/**
 * How a migration ended; undefined: it has not yet. For a bystander; the two partners call commitMove and abortMove, which
 * decide it.
 */
export async function outcomeOf(store: ControlStore, { tid, id }: Move): Promise<Outcome | undefined> {
  const { place } = await placeOf(store, tid);
  return place?.move === id ? place.outcome : undefined;
}

/**
 * May be repeated, with the same result, for as long as the job is there.
 *
 * @throws StoreError  the store is out of reach: nobody may run the ULP before this has been asked again
 */
async function settle(store: ControlStore, { tid, id, base }: Move, wish: Place): Promise<Outcome> {
  const key = keyOfUlp(tid);
  const value = encode(wish);
  if (await isDone(store.txn([{ key, revision: base }], [{ key, value }]))) return wish.outcome;
  return update<Outcome>(store, key, (entry) => {
    if ((entry?.revision ?? 0) === base) return { value, result: wish.outcome };
    const found = entry && decode<Place>(entry.value);
    if (found?.move === id) return { result: found.outcome };
    // A later migration: only who won this one could begin it, and who asks does not know of it.
    return { result: wish.outcome === "committed" ? "aborted" : "committed" };
  });
}

/** A job has ended, and all its processes are gone. */
export async function forgetPlaces(store: ControlStore, job: number): Promise<void> {
  const entries = await store.list(ROOT);
  const keys = entries
    .map(([key]) => key)
    .filter((key) => Number(key.slice(ROOT.length)) >> TID_SHIFT === job);
  for (let i = 0; i < keys.length; i += LIMITS.txnKeys)
    await store.txn(
      [],
      keys.slice(i, i + LIMITS.txnKeys).map((key) => ({ key })),
    );
}

/** Where ULPs are that are not where they were created, as the store tells it: what a router goes by. */
export class Locations {
  private readonly places = new Map<number, Place>();
  private readonly stop: () => void;

  /** @param told  gets each change; a move that was aborted too */
  constructor(store: ControlStore, told: (tid: number, place: Place) => void = () => undefined) {
    this.stop = store.watch(ROOT, ({ key, entry }) => {
      const tid = Number(key.slice(ROOT.length));
      if (entry === undefined) this.places.delete(tid);
      else {
        const place = decode<Place>(entry.value);
        this.places.set(tid, place);
        told(tid, place);
      }
    });
  }

  /** Undefined: where it was created, or there is no such ULP. */
  memberOf(tid: number): number | undefined {
    return this.places.get(tid)?.member;
  }

  end(): void {
    this.stop();
  }
}
