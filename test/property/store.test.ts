/**
 * Clients of one store whose links are cut at random, with leases that run out, in an order that a seed gives: no update is
 * lost or doubled, watchers end up with what is in the store, revisions grow. UPVM_SEED=n replays one.
 */
import assert from "node:assert/strict";
import { test } from "uvu";
import { type ControlStore, type LeaseId, StoreError } from "../../pvmd/control-store.ts";
import { MemoryStore } from "../../pvmd/memory-store.ts";
import { StoreServer } from "../../pvmd/store-server.ts";
import { LIMITS } from "../../wire/limits.ts";
import { seeded } from "../link-stages.ts";
import { put, text } from "../store-contract.ts";
import { Client, Clock } from "../store-fixture.ts";
import { BadWay, Turns } from "../turns.ts";

const SEEDS = 150;
const CLIENTS = 3;
const STEPS = 12;
const TTL_MS = 1000;

/** What a client knows of its own doings. */
interface Deeds {
  readonly sure: Set<string>;
  /** The store was out of reach when it was to tell: done, or not, or done later, but once. */
  readonly maybe: Set<string>;
  /** Last value of its own key, if that is known. */
  own: string | undefined;
}

async function outcome<T>(asked: Promise<T>): Promise<T | "none" | "unknown"> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof StoreError) return error.outcome;
    throw error;
  }
}

/** Appends one word to the list that all write; without looking first whether it is there. */
async function append(store: ControlStore, word: string, deeds: Deeds): Promise<void> {
  for (;;) {
    const old = await outcome(store.get("list"));
    if (old === "none" || old === "unknown") continue;
    const list = old === undefined ? "" : new TextDecoder().decode(old.value);
    const compare = [{ key: "list", revision: old?.revision ?? 0 }];
    const done = await outcome(store.txn(compare, [put("list", `${list}${word},`)]));
    if (typeof done === "number") deeds.sure.add(word);
    else if (done === "unknown") deeds.maybe.add(word);
    if (done !== undefined && done !== "none") return;
  }
}

class Actor {
  readonly client: Client;
  readonly mirror = new Map<string, number>();
  readonly deeds: Deeds = { sure: new Set(), maybe: new Set(), own: undefined };
  readonly name: string;
  private readonly turns: Turns;
  private readonly clock: Clock;
  private lease: LeaseId | undefined;

  constructor(name: string, server: StoreServer, clock: Clock, turns: Turns) {
    this.name = name;
    this.turns = turns;
    this.clock = clock;
    this.client = new Client(name, server, clock, (run) => void turns.pause().then(run));
    let last = 0;
    this.client.store.watch("", ({ key, entry, revision }) => {
      assert.ok(revision >= last, `${name}: revision ${revision} after ${last}`);
      last = revision;
      if (entry === undefined) this.mirror.delete(key);
      else this.mirror.set(key, entry.revision);
    });
  }

  async act(): Promise<void> {
    const { store } = this.client;
    for (let n = 0; n < STEPS; n++) {
      await this.turns.pause();
      const what = this.turns.random();
      if (what < 0.5) await append(store, `${this.name}.${n}`, this.deeds);
      else if (what < 0.7) {
        // Without a comparison: it must not be done again after the next one.
        const beganMs = this.clock.nowMs;
        const done = await outcome(store.txn([], [put(`own/${this.name}`, `${n}`)]));
        this.deeds.own = typeof done === "number" ? `${n}` : undefined;
        // Unless it was without a link for too long after it was done.
        if (typeof done === "number" && this.clock.nowMs - beganMs < LIMITS.storeWaitMs)
          assert.equal(this.mirror.get(`own/${this.name}`), done, "told of what it did itself");
      } else await this.live();
    }
  }

  private async live(): Promise<void> {
    const { store } = this.client;
    if (this.lease === undefined || (await outcome(store.renew(this.lease))) === false) {
      const lease = await outcome(store.lease(TTL_MS));
      this.lease = typeof lease === "string" ? undefined : lease;
      if (this.lease === undefined) return;
      await outcome(store.txn([], [put(`alive/${this.name}`, "1", this.lease)]));
    }
  }

  /** Its link breaks now and then, and comes back sooner or later. */
  async breakLinks(over: () => boolean): Promise<void> {
    while (!over()) {
      await this.turns.pause();
      if (this.client.connection === undefined) {
        if (this.turns.chance(0.2)) await this.client.connect().catch(() => this.client.cut());
      } else if (this.client.connection.links.a.end !== undefined || this.turns.chance(0.05))
        this.client.cut();
    }
  }
}

async function simulate(seed: number): Promise<void> {
  const turns = new Turns(seeded(seed));
  const clock = new Clock();
  const memory = new MemoryStore(clock.now);
  // It takes its time for everything, so that others come between.
  const server = new StoreServer(new BadWay(memory, turns, 0), "one");
  const actors = ["a", "b", "c"].slice(0, CLIENTS).map((name) => new Actor(name, server, clock, turns));
  await turns.run(actors.map(({ client }) => client.connect().then(() => client.store.get("list"))));
  let busy = actors.length;
  const over = (): boolean => busy === 0;
  const acting = actors.map((actor) => actor.act().finally(() => busy--));
  const breaking = actors.map((actor) => actor.breakLinks(over));
  const time = (async () => {
    while (!over()) {
      await turns.pause();
      // Now and then long enough for whoever waits for a link to give up.
      clock.step(turns.chance(0.01) ? LIMITS.storeWaitMs : Math.floor(turns.random() * 200));
      memory.tick();
    }
  })();
  await turns.run([...acting, ...breaking, time]);

  // All come back, and are told what they missed.
  await turns.run(
    actors.map(async ({ client }) => {
      client.cut();
      await client.connect();
      await client.store.get("list");
    }),
  );
  const there = new Map((await memory.list("")).map(([key, { revision }]) => [key, revision]));
  const list = ((await text(memory, "list")) ?? "").split(",").filter((word) => word !== "");
  assert.equal(new Set(list).size, list.length, "no update is done twice");
  for (const { deeds, mirror } of actors) {
    for (const word of deeds.sure) assert.ok(list.includes(word), `${word} was done, and is lost`);
    assert.deepEqual([...mirror].sort(), [...there].sort(), "a watcher has what the store has");
  }
  const known = new Set(actors.flatMap(({ deeds }) => [...deeds.sure, ...deeds.maybe]));
  for (const word of list)
    assert.ok(known.has(word), `${word} was done, and its writer was told that it was not`);
  for (const { name, deeds, client } of actors) {
    if (deeds.own !== undefined) assert.equal(await text(memory, `own/${name}`), deeds.own);
    client.store.close();
  }
  await clock.pass(2 * TTL_MS, () => memory.tick());
  assert.deepEqual(await memory.list("alive/"), [], "nothing of a lease is left when its time is over");
}

test("clients of a store, whatever happens to their links, lose and double nothing", async () => {
  const only = process.env["UPVM_SEED"];
  for (let seed = only === undefined ? 1 : Number(only); ; seed++) {
    try {
      await simulate(seed);
    } catch (error) {
      const replay = `replay with UPVM_SEED=${seed} node test/property/store.test.ts`;
      throw new Error(`${replay}: ${(error as Error).message}`, { cause: error });
    }
    if (only !== undefined || seed === SEEDS) return;
  }
});

test.run();
