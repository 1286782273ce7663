/** The control stores that need nothing but this process keep the contract; what else the built-in one does. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { MemoryStore } from "../../pvmd/memory-store.ts";
import { LIMITS } from "../../wire/limits.ts";
import { contract, put, text } from "../store-contract.ts";
import { Clock, remote } from "../store-fixture.ts";

contract("memory", async () => {
  const clock = new Clock();
  const store = new MemoryStore(clock.now);
  const pass = (ms: number): Promise<void> => clock.pass(ms, () => store.tick());
  return { store, pass, ttlMs: 1000, close: async () => undefined };
});

contract("remote", async () => {
  const { clock, store, pass } = await remote();
  const close = async (): Promise<void> => {
    store.close();
    assert.equal(clock.waiting, 0, "a store that is closed leaves no timer");
  };
  return { store, pass, ttlMs: 1000, close };
});

test("leases do not run out while the store itself was stopped", async () => {
  let nowMs = 0;
  const store = new MemoryStore(() => nowMs);
  const lease = await store.lease(5000);
  await store.txn([], [put("a", "1", lease)]);
  nowMs = 3_600_000;
  store.tick();
  assert.equal(await text(store, "a"), "1");
  for (const end = nowMs + 5000; nowMs < end; nowMs += LIMITS.storeTickMs) store.tick();
  store.tick();
  assert.equal(await text(store, "a"), undefined);
});

test("a lease shorter than the limit, a key twice, a transaction too large are mistakes of ours", async () => {
  const store = new MemoryStore();
  await assert.rejects(store.lease(LIMITS.leaseMsMin - 1), /bug/);
  await assert.rejects(store.txn([], [put("a", "1"), { key: "a" }]), /bug/);
  const many = Array.from({ length: LIMITS.txnKeys + 1 }, (_, i) => put(`k${i}`, "1"));
  await assert.rejects(store.txn([], many), /bug/);
  assert.deepEqual(await store.list(""), []);
});

test.run();
