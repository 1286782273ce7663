/**
 * The contract of a control store. Another implementation passes the same tests: add it to STORES.
 */
import assert from "node:assert/strict";
import { test } from "uvu";
import type { Changed, ControlStore, LeaseId } from "../../pvmd/control-store.ts";
import { MemoryStore } from "../../pvmd/memory-store.ts";

const STORES: Readonly<Record<string, () => ControlStore>> = { memory: () => new MemoryStore() };

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const put = (key: string, text: string, lease?: LeaseId) => ({
  key,
  value: bytes(text),
  ...(lease !== undefined && { lease }),
});
async function text(store: ControlStore, key: string): Promise<string | undefined> {
  const entry = await store.get(key);
  return entry === undefined ? undefined : new TextDecoder().decode(entry.value);
}

for (const [name, make] of Object.entries(STORES)) {
  test(`${name}: what was put is there, what was deleted is not, and revisions grow`, async () => {
    const store = make();
    assert.equal(await text(store, "a"), undefined);
    const first = await store.txn([], [put("a", "1")]);
    assert.ok(first !== undefined && first > 0);
    assert.equal((await store.get("a"))?.revision, first);
    const second = await store.txn([], [put("a", "2"), put("b", "3")]);
    assert.ok(second !== undefined && second > first);
    assert.equal(await text(store, "a"), "2");
    assert.equal(
      (await store.get("b"))?.revision,
      second,
      "all changes of one transaction have one revision",
    );
    await store.txn([], [{ key: "a" }, { key: "nothing" }]);
    assert.equal(await text(store, "a"), undefined);
    assert.equal(await text(store, "b"), "3");
  });

  test(`${name}: a transaction whose comparison does not hold changes nothing`, async () => {
    const store = make();
    const revision = (await store.txn([{ key: "a", revision: 0 }], [put("a", "1")])) ?? 0;
    assert.equal(await store.txn([{ key: "a", revision: 0 }], [put("a", "2"), put("b", "2")]), undefined);
    assert.equal(await store.txn([{ key: "a", revision: revision + 1 }], [{ key: "a" }]), undefined);
    assert.equal(await text(store, "a"), "1");
    assert.equal(await text(store, "b"), undefined);
    assert.ok(await store.txn([{ key: "a", revision }], [put("a", "3")]));
    assert.equal(await text(store, "a"), "3");
  });

  test(`${name}: of concurrent compare-and-set increments none is lost`, async () => {
    const store = make();
    const add = async (): Promise<void> => {
      for (;;) {
        const old = await store.get("n");
        const value = Number(old === undefined ? 0 : new TextDecoder().decode(old.value)) + 1;
        if (await store.txn([{ key: "n", revision: old?.revision ?? 0 }], [put("n", `${value}`)])) return;
      }
    };
    await Promise.all(Array.from({ length: 50 }, add));
    assert.equal(await text(store, "n"), "50");
  });

  test(`${name}: a list has the keys with a prefix, in order`, async () => {
    const store = make();
    await store.txn([], [put("x/2", "b"), put("x/1", "a"), put("y/1", "c"), put("x", "d")]);
    assert.deepEqual(
      (await store.list("x/")).map(([key]) => key),
      ["x/1", "x/2"],
    );
  });

  test(`${name}: keys of a lease go with it; one that was put again without it stays`, async () => {
    const store = make();
    const lease = await store.lease();
    const other = await store.lease();
    assert.notEqual(lease, other);
    await store.txn([], [put("a", "1", lease), put("b", "1", lease), put("c", "1", other)]);
    await store.txn([], [put("b", "2")]);
    await store.endLease(lease);
    await store.endLease(lease);
    assert.equal(await text(store, "a"), undefined);
    assert.equal(await text(store, "b"), "2");
    assert.equal(await text(store, "c"), "1");
    assert.equal(await store.txn([], [put("d", "1", lease)]), undefined, "the lease has ended");
    assert.equal(await text(store, "d"), undefined);
  });

  test(`${name}: a watcher is told of its prefix's changes in order, until it ends`, async () => {
    const store = make();
    const seen: string[] = [];
    let last = 0;
    const end = store.watch("x/", ({ key, entry, revision }: Changed) => {
      assert.ok(revision >= last);
      last = revision;
      seen.push(`${key}=${entry === undefined ? "" : new TextDecoder().decode(entry.value)}`);
    });
    const lease = await store.lease();
    await store.txn([], [put("x/1", "a", lease)]);
    await store.txn([], [put("y/1", "b"), put("x/2", "c")]);
    await store.txn([{ key: "x/1", revision: 0 }], [put("x/3", "never")]);
    await store.endLease(lease);
    assert.deepEqual(seen, ["x/1=a", "x/2=c", "x/1="]);
    end();
    await store.txn([], [put("x/1", "d")]);
    assert.equal(seen.length, 3);
  });

  test(`${name}: a value that its giver changes later stays what it was`, async () => {
    const store = make();
    const value = bytes("one");
    await store.txn([], [{ key: "a", value }]);
    value.fill(0);
    assert.equal(await text(store, "a"), "one");
  });
}

test.run();
