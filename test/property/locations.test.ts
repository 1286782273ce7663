/**
 * Where ULPs are, when moves end in every way: partners that crash, give up or ask again, over a way to the store that
 * loses and delays. UPVM_SEED=n replays one.
 */
import assert from "node:assert/strict";
import { test } from "uvu";
import { type ControlStore, StoreError } from "../../pvmd/control-store.ts";
import { buryUlp, claimUlp, forgetPlaces, NOBODY, type Place, placeOf } from "../../pvmd/locations.ts";
import { MemoryStore } from "../../pvmd/memory-store.ts";
import { update } from "../../pvmd/update.ts";
import { seeded } from "../link-stages.ts";
import { text } from "../store-contract.ts";
import { BadWay, Turns } from "../turns.ts";

const SEEDS = 300;
const MEMBERS = 4;
const ULPS = 3;
const MOVES = 5;

/** Asks until it is told, as a member does that may not run the ULP before. */
async function persist<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    }
  }
}

/** Claims until it is told whose the ULP is. @returns whether it is the claimer's */
async function claims(store: ControlStore, tid: number, base: number, place: Place): Promise<boolean> {
  for (;;) {
    try {
      if ((await claimUlp(store, 1, tid, base, place)) !== undefined) return true;
      const now = (await persist(() => placeOf(store, 1, tid))).place;
      return now?.member === place.member && now.move === place.move;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    }
  }
}

/** One ULP that is moved again and again; who crashes never says or asks anything again. */
async function moveAround(store: MemoryStore, turns: Turns, tid: number): Promise<void> {
  const way = new BadWay(store, turns, 0.15);
  let owner = turns.pick([0, 1, 2, 3]);
  for (let n = 1; n <= MOVES; n++) {
    const { revision: base } = await persist(() => placeOf(way, 1, tid));
    const to = (owner + 1 + Math.floor(turns.random() * (MEMBERS - 1))) % MEMBERS;
    const move = `${n}`;
    const committed: Place = { member: to, move, outcome: "committed" };
    const aborted: Place = { member: owner, move, outcome: "aborted" };
    const destination = async (): Promise<boolean | undefined> => {
      if (turns.chance(0.2)) return undefined;
      if (turns.chance(0.2)) {
        // It crashes while it claims.
        void claimUlp(way, 1, tid, base, committed).catch(() => undefined);
        return undefined;
      }
      for (; turns.chance(0.5); ) await turns.pause();
      return claims(way, tid, base, committed);
    };
    const isLost = turns.chance(0.1);
    const source = async (): Promise<boolean> => {
      for (; turns.chance(0.7); ) await turns.pause();
      if (!isLost) return claims(way, tid, base, aborted);
      // It is gone: the master looks whether the ULP has left it.
      return (await persist(() => buryUlp(way, 1, tid, owner))) === undefined;
    };
    const [got, kept] = await Promise.all([destination(), source()]);
    if (got !== undefined) assert.equal(got, !kept, "one of them has it, and both know");
    const { place } = await persist(() => placeOf(way, 1, tid));
    const wanted = kept ? (isLost ? NOBODY : owner) : to;
    assert.equal(place?.member, wanted);
    // A partner that slept claims again what it did not get.
    assert.equal(await claims(way, tid, base, { ...(kept ? committed : aborted), member: 9 }), false);
    assert.equal((await persist(() => placeOf(way, 1, tid))).place?.member, wanted);
    if (wanted === NOBODY) return;
    owner = wanted;
  }
}

function forSeeds(body: (seed: number) => Promise<void>): () => Promise<void> {
  return async () => {
    const only = process.env["UPVM_SEED"];
    for (let seed = only === undefined ? 1 : Number(only); ; seed++) {
      try {
        await body(seed);
      } catch (error) {
        const replay = `replay with UPVM_SEED=${seed} node test/property/locations.test.ts`;
        throw new Error(`${replay}: ${(error as Error).message}`, { cause: error });
      }
      if (only !== undefined || seed === SEEDS) return;
    }
  };
}

test(
  "a ULP that is moved is its source's or its destination's, never both, and all know whose, however requests are lost or late",
  forSeeds(async (seed) => {
    const turns = new Turns(seeded(seed));
    const store = new MemoryStore();
    const tids = Array.from({ length: ULPS }, (_, i) => (1 << 18) + 1 + i);
    await turns.run(tids.map((tid) => moveAround(store, turns, tid)));
    await forgetPlaces(store, 2);
    assert.equal((await store.list("ulp/")).length, ULPS, "those of another job stay");
    await forgetPlaces(store, 1);
    assert.deepEqual(await store.list("ulp/"), []);
  }),
);

test(
  "no update is lost or done twice if the value tells who wrote it",
  forSeeds(async (seed) => {
    const turns = new Turns(seeded(seed));
    const store = new MemoryStore();
    const names = ["a", "b", "c", "d"];
    const add = async (name: string): Promise<void> => {
      const way = new BadWay(store, turns, 0.2);
      await persist(() =>
        update(way, "list", (entry) => {
          const list = entry === undefined ? [] : new TextDecoder().decode(entry.value).split(",");
          if (list.includes(name)) return { result: undefined };
          return { value: new TextEncoder().encode([...list, name].join(",")), result: undefined };
        }),
      );
    };
    await turns.run(names.map(add));
    assert.deepEqual((await text(store, "list"))?.split(",").sort(), names);
  }),
);

test.run();
