/** The control stores that need nothing but this process keep the contract; what else the built-in one does. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { MemoryStore } from "../../pvmd/memory-store.ts";
import { LIMITS } from "../../wire/limits.ts";
import { contract, put, text } from "../store-contract.ts";

/** A built-in store, and the hand of its clock. */
function timed(): { store: MemoryStore; pass(ms: number): Promise<void> } {
  let nowMs = 0;
  const store = new MemoryStore(() => nowMs);
  const pass = async (ms: number): Promise<void> => {
    for (const end = nowMs + ms + 1; nowMs < end; store.tick())
      nowMs = Math.min(end, nowMs + LIMITS.storeTickMs);
  };
  return { store, pass };
}

contract("memory", async () => ({ ...timed(), ttlMs: 1000, close: async () => undefined }));

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

test("a lease shorter than the limit is a mistake of ours", async () => {
  await assert.rejects(new MemoryStore().lease(LIMITS.leaseMsMin - 1), /bug/);
});

test.run();
