/**
 * The contract of a control store: every implementation passes these tests.
 *
 * Owns: the tests, not the stores: each file that has one calls `contract`.
 */
import assert from "node:assert/strict";
import { test } from "uvu";
import type { Changed, ControlStore, LeaseId } from "../pvmd/control-store.ts";

/** A store of its own for one test. */
export interface Harness {
  readonly store: ControlStore;
  /** Shortest time to live to try, milliseconds. */
  readonly ttlMs: number;
  /** Lets so much time go by for the store, and a little more. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const put = (key: string, text: string, lease?: LeaseId) => ({
  key,
  value: bytes(text),
  ...(lease !== undefined && { lease }),
});
export async function text(store: ControlStore, key: string): Promise<string | undefined> {
  const entry = await store.get(key);
  return entry === undefined ? undefined : new TextDecoder().decode(entry.value);
}

/** Adds the tests for one kind of store. */
export function contract(name: string, make: () => Promise<Harness>): void {
  const holds = (sentence: string, body: (store: ControlStore, harness: Harness) => Promise<void>): void => {
    test(`${name}: ${sentence}`, async () => {
      const harness = await make();
      try {
        await body(harness.store, harness);
      } finally {
        await harness.close();
      }
    });
  };

  holds("what was put is there, what was deleted is not, and revisions grow", async (store) => {
    assert.equal(await text(store, "a"), undefined);
    const first = await store.txn([], [put("a", "1")]);
    assert.ok(first !== undefined && first > 0);
    assert.equal((await store.get("a"))?.revision, first);
    const second = await store.txn([], [put("a", "2"), put("b", "3")]);
    assert.ok(second !== undefined && second > first);
    assert.equal(await text(store, "a"), "2");
    assert.equal((await store.get("a"))?.created, first);
    assert.equal(
      (await store.get("b"))?.revision,
      second,
      "all changes of one transaction have one revision",
    );
    await store.txn([], [{ key: "a" }, { key: "nothing" }]);
    assert.equal(await text(store, "a"), undefined);
    assert.equal(await text(store, "b"), "3");
  });

  holds("a transaction whose comparison does not hold changes nothing", async (store) => {
    const revision = (await store.txn([{ key: "a", revision: 0 }], [put("a", "1")])) ?? 0;
    assert.equal(await store.txn([{ key: "a", revision: 0 }], [put("a", "2"), put("b", "2")]), undefined);
    assert.equal(await store.txn([{ key: "a", revision: revision + 1 }], [{ key: "a" }]), undefined);
    assert.equal(await text(store, "a"), "1");
    assert.equal(await text(store, "b"), undefined);
    assert.ok(await store.txn([{ key: "a", revision }], [put("a", "3")]));
    assert.equal(await text(store, "a"), "3");
  });

  holds("a key that was deleted and put again is another one", async (store) => {
    const first = (await store.txn([], [put("a", "1")])) ?? 0;
    await store.txn([], [{ key: "a" }]);
    const second = (await store.txn([{ key: "a", revision: 0 }], [put("a", "1")])) ?? 0;
    assert.equal((await store.get("a"))?.created, second);
    assert.equal(await store.txn([{ key: "a", revision: first }], [{ key: "a" }]), undefined);
  });

  holds("of concurrent compare-and-set increments none is lost", async (store) => {
    const add = async (): Promise<void> => {
      for (;;) {
        const old = await store.get("n");
        const value = Number(old === undefined ? 0 : new TextDecoder().decode(old.value)) + 1;
        if (await store.txn([{ key: "n", revision: old?.revision ?? 0 }], [put("n", `${value}`)])) return;
      }
    };
    await Promise.all(Array.from({ length: 20 }, add));
    assert.equal(await text(store, "n"), "20");
  });

  holds("a list has the keys with a prefix, in order", async (store) => {
    await store.txn([], [put("x/2", "b"), put("x/1", "a"), put("y/1", "c"), put("x", "d"), put("x/ü", "")]);
    const list = await store.list("x/");
    assert.deepEqual(
      list.map(([key, { value }]) => [key, new TextDecoder().decode(value)]),
      [
        ["x/1", "a"],
        ["x/2", "b"],
        ["x/ü", ""],
      ],
    );
    assert.equal((await store.list("")).length, 5);
    assert.deepEqual(await store.list("z"), []);
  });

  holds("keys of a lease go with it; one that was put again without it stays", async (store) => {
    const lease = await store.lease();
    const other = await store.lease();
    assert.notEqual(lease, other);
    await store.txn([], [put("a", "1", lease), put("b", "1", lease), put("c", "1", other)]);
    await store.txn([], [put("b", "2")]);
    assert.equal(await store.renew(lease), true);
    await store.endLease(lease);
    await store.endLease(lease);
    assert.equal(await store.renew(lease), false);
    assert.equal(await text(store, "a"), undefined);
    assert.equal(await text(store, "b"), "2");
    assert.equal(await text(store, "c"), "1");
    assert.equal(await store.txn([], [put("d", "1", lease)]), undefined, "the lease has ended");
    assert.equal(await text(store, "d"), undefined);
  });

  holds(
    "a lease with a time to live lasts while it is renewed, and then ends by itself",
    async (store, harness) => {
      const { ttlMs } = harness;
      const [renewed, left, endless] = [
        await store.lease(ttlMs),
        await store.lease(ttlMs),
        await store.lease(),
      ];
      await store.txn(
        [],
        [put("renewed", "1", renewed), put("left", "1", left), put("endless", "1", endless)],
      );
      const gone: string[] = [];
      store.watch("", ({ key, entry }) => {
        if (entry === undefined) gone.push(key);
      });
      for (let i = 0; i < 4; i++) {
        await harness.pass(ttlMs / 2);
        assert.equal(await store.renew(renewed), true);
      }
      // An implementation may round a time to live up; it ends all the same.
      for (let i = 0; i < 20 && (await text(store, "left")) !== undefined; i++) {
        await harness.pass(ttlMs / 2);
        await store.renew(renewed);
      }
      assert.equal(await text(store, "left"), undefined);
      assert.equal(await store.renew(left), false);
      assert.equal(await text(store, "renewed"), "1");
      for (let i = 0; i < 20 && (await text(store, "renewed")) !== undefined; i++) await harness.pass(ttlMs);
      assert.equal(await text(store, "renewed"), undefined);
      assert.equal(await text(store, "endless"), "1");
      // What another does to a store is told soon, not at once.
      for (let i = 0; i < 20 && gone.length < 2; i++) await harness.pass(ttlMs / 2);
      assert.deepEqual(gone, ["left", "renewed"]);
    },
  );

  holds("a watcher is told of its prefix's changes in order, until it ends", async (store) => {
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

  holds(
    "a watcher has been told of a change when its transaction is done, also of a deletion",
    async (store) => {
      const has = new Set<string>();
      await store.txn([], [put("before", "1")]);
      store.watch("", ({ key, entry }) => {
        if (entry === undefined) has.delete(key);
        else has.add(key);
      });
      for (let i = 0; i < 5; i++) {
        await store.txn([], [put(`k${i}`, "1")]);
        assert.ok(has.has(`k${i}`));
        await store.txn([], [{ key: `k${i}` }]);
        assert.ok(!has.has(`k${i}`));
      }
      assert.equal(has.has("before"), false, "only of changes from then on");
    },
  );

  holds("a value that its giver changes later stays what it was", async (store) => {
    const value = bytes("one");
    await store.txn([], [{ key: "a", value }]);
    value.fill(0);
    assert.equal(await text(store, "a"), "one");
  });

  holds("values are bytes, keys any text", async (store) => {
    const value = Uint8Array.from({ length: 256 }, (_, i) => i);
    const key = 'odd/"ключ"\u0001 \\ %2F/𝄞';
    await store.txn([], [{ key, value }]);
    assert.deepEqual([...((await store.get(key))?.value ?? [])], [...value]);
    assert.deepEqual(
      (await store.list("odd/")).map(([each]) => each),
      [key],
    );
  });
}
