/**
 * Where ULPs are, when migrations end in every way: partners that crash, give up or ask again, over a way to the store
 * that loses and delays. UPVM_SEED=n replays one.
 */
import assert from "node:assert/strict";
import { test } from "uvu";
import { StoreError } from "../../pvmd/control-store.ts";
import {
  abortMove,
  commitMove,
  forgetPlaces,
  Locations,
  type Move,
  type Outcome,
  outcomeOf,
  placeOf,
} from "../../pvmd/locations.ts";
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

/** One ULP that is moved again and again; who crashes never says or asks anything again. */
async function moveAround(store: MemoryStore, turns: Turns, tid: number): Promise<void> {
  const way = new BadWay(store, turns, 0.15);
  let owner = turns.pick([0, 1, 2, 3]);
  const past: { move: Move; outcome: Outcome }[] = [];
  for (let n = 0; n < MOVES; n++) {
    const { revision } = await persist(() => placeOf(way, tid));
    const to = (owner + 1 + Math.floor(turns.random() * (MEMBERS - 1))) % MEMBERS;
    const move: Move = { tid, id: `${tid}.${n}`, base: revision, from: owner, to };
    const destination = async (): Promise<Outcome | undefined> => {
      if (turns.chance(0.2)) return undefined;
      if (turns.chance(0.2)) {
        // It crashes while it commits.
        void commitMove(way, move).catch(() => undefined);
        return undefined;
      }
      for (; turns.chance(0.5); ) await turns.pause();
      return persist(() => commitMove(way, move));
    };
    const source = async (): Promise<Outcome> => {
      for (; turns.chance(0.7); ) await turns.pause();
      return persist(() => abortMove(way, move));
    };
    const [said, outcome] = await Promise.all([destination(), source()]);
    if (said !== undefined) assert.equal(said, outcome, "both partners know the same");
    assert.equal(await persist(() => outcomeOf(way, move)), outcome);
    owner = outcome === "committed" ? to : owner;
    const { place } = await persist(() => placeOf(way, tid));
    assert.equal(place?.member, owner);
    past.push({ move, outcome });
    // A partner that slept asks again about an old migration.
    const old = turns.pick(past);
    const late = old.outcome === "committed" ? abortMove : commitMove;
    assert.equal(await persist(() => late(way, old.move)), old.outcome);
    const { place: still } = await persist(() => placeOf(way, tid));
    assert.equal(still?.member, owner, "an old migration changes nothing");
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
  "a migration is committed or aborted, never both, and all know which, however requests are lost or late",
  forSeeds(async (seed) => {
    const turns = new Turns(seeded(seed));
    const store = new MemoryStore();
    const locations = new Locations(store);
    const tids = Array.from({ length: ULPS }, (_, i) => (1 << 18) + 1 + i);
    await turns.run(tids.map((tid) => moveAround(store, turns, tid)));
    for (const tid of tids) assert.equal(locations.memberOf(tid), (await placeOf(store, tid)).place?.member);
    await forgetPlaces(store, 2);
    assert.equal((await store.list("ulp/")).length, ULPS, "those of another job stay");
    await forgetPlaces(store, 1);
    assert.deepEqual(await store.list("ulp/"), []);
    assert.equal(locations.memberOf(tids[0]!), undefined);
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
