/** What a store over a link does when the link is lost, the server is slow, gone or another, or what comes is damaged. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { test } from "uvu";
import { type Changed, type ControlStore, type LeaseId, StoreError } from "../../pvmd/control-store.ts";
import { MemoryStore } from "../../pvmd/memory-store.ts";
import { RemoteWatch } from "../../pvmd/remote-watch.ts";
import { packChanges, packEntries, unpackChanges, unpackEntries } from "../../pvmd/store-codec.ts";
import { StoreServer } from "../../pvmd/store-server.ts";
import { UpvmError } from "../../wire/errors.ts";
import { LIMITS } from "../../wire/limits.ts";
import { seeded } from "../link-stages.ts";
import { bytes, put, text } from "../store-contract.ts";
import { Client, remote } from "../store-fixture.ts";

/** A store of which one routine is another. */
function altered(store: ControlStore, change: Partial<ControlStore>): ControlStore {
  return new Proxy(store, {
    get: (target, name) => {
      const own = change[name as keyof ControlStore] ?? target[name as keyof ControlStore];
      return typeof own === "function" ? (own as () => unknown).bind(target) : own;
    },
  });
}

async function failure(asked: Promise<unknown>): Promise<StoreError> {
  const error = await asked.then(
    () => assert.fail("it was done"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof StoreError, String(error));
  return error;
}

/** A watcher's mirror, and what it was told. */
function mirror(store: ControlStore) {
  const has = new Map<string, string>();
  const told: string[] = [];
  let last = 0;
  store.watch("", ({ key, entry, revision }: Changed) => {
    assert.ok(revision >= last, "in order of revisions");
    last = revision;
    told.push(key);
    if (entry === undefined) has.delete(key);
    else has.set(key, new TextDecoder().decode(entry.value));
  });
  return { has, told };
}

test("what is asked without a link waits for one", async () => {
  const { client, store } = await remote();
  client.cut();
  const asked = store.txn([], [put("a", "1")]);
  const read = text(store, "a");
  await setImmediate();
  await client.connect();
  assert.ok(await asked);
  assert.ok((await read) === "1" || (await read) === undefined);
  assert.equal(await text(store, "a"), "1");
});

test("a transaction whose answer was lost is not done again", async () => {
  const memory = new MemoryStore();
  let done = 0;
  const txn: ControlStore["txn"] = async (compare, changes) => {
    done += 1;
    const revision = await memory.txn(compare, changes);
    if (done === 1) client.cut();
    return revision;
  };
  const { client, store } = await remote(() => altered(memory, { txn }));
  const asked = store.txn([{ key: "a", revision: 0 }], [put("a", "1")]);
  await setImmediate();
  await client.connect();
  assert.equal(await asked, 1, "it learns that it was done");
  assert.equal(done, 1);
  assert.equal(await store.txn([], [put("a", "2")]), 2);
  assert.equal(done, 2);
});

test("without a new link in time the outcome is none, or unknown if it was sent", async () => {
  const memory = new MemoryStore();
  const never: ControlStore["txn"] = () => new Promise(() => {});
  const { client, store, pass } = await remote(() => altered(memory, { txn: never }));
  const sent = failure(store.txn([], [put("a", "1")]));
  await setImmediate();
  client.cut();
  const unsent = failure(store.txn([], [put("b", "1")]));
  const read = failure(store.get("b"));
  await pass(LIMITS.storeWaitMs);
  assert.equal((await sent).outcome, "unknown");
  assert.equal((await unsent).outcome, "none");
  assert.equal((await read).outcome, "none");
});

test("a server that has forgotten the client does not do its transaction twice", async () => {
  const memory = new MemoryStore();
  let client!: Client;
  let done = 0;
  const txn: ControlStore["txn"] = async (compare, changes) => {
    done += 1;
    const revision = await memory.txn(compare, changes);
    client.cut();
    return revision;
  };
  const made = await remote(() => altered(memory, { txn }));
  client = made.client;
  const asked = failure(made.store.txn([], [put("a", "1")]));
  await setImmediate();
  for (let i = 0; i < LIMITS.storeClients; i++)
    await new Client(`other${i}`, made.server, made.clock).connect();
  await client.connect();
  assert.equal((await asked).outcome, "unknown");
  assert.equal(done, 1);
  assert.equal(await text(made.store, "a"), "1", "the store can be used");
});

test("another store in the server's place ends the client's", async () => {
  const { client, store } = await remote();
  await store.txn([], [put("a", "1")]);
  client.cut();
  const asked = failure(store.get("a"));
  const error = await failure(client.connect(new StoreServer(new MemoryStore(), "two")));
  assert.match(error.message, /started anew/);
  assert.match((await asked).message, /started anew/);
  assert.match((await failure(store.list(""))).message, /started anew/);
});

test("a store that is closed says so", async () => {
  const { client, store } = await remote();
  client.cut();
  const asked = failure(store.get("a"));
  store.close();
  assert.match((await asked).message, /closed/);
});

test("a watcher is told of all that differs after the link was lost, of each key once", async () => {
  const { client, memory, store } = await remote();
  await store.txn([], [put("kept", "1"), put("changed", "1"), put("gone", "1"), put("again", "1")]);
  const { has, told } = mirror(store);
  await store.txn([], [put("kept", "2"), put("late", "1")]);
  client.cut();
  for (const n of ["2", "3", "4"]) await memory.txn([], [put("changed", n)]);
  await memory.txn([], [{ key: "gone" }, { key: "again" }]);
  await memory.txn([], [put("again", "2"), put("new", "1")]);
  await memory.txn([], [put("short", "1")]);
  await memory.txn([], [{ key: "short" }]);
  told.length = 0;
  await client.connect();
  assert.equal(await text(store, "changed"), "4");
  assert.deepEqual(told.sort(), ["again", "changed", "gone", "new"]);
  assert.deepEqual([...has].sort(), [
    ["again", "2"],
    ["changed", "4"],
    ["kept", "2"],
    ["late", "1"],
    ["new", "1"],
  ]);
});

test("a watcher that begins without a link is told from the first one on", async () => {
  const { client, memory, store } = await remote();
  client.cut();
  const { has } = mirror(store);
  const end = store.watch("", () => assert.fail("it has ended"));
  end();
  await memory.txn([], [put("before", "1")]);
  await client.connect();
  await store.txn([], [put("after", "1")]);
  assert.deepEqual([...has.keys()], ["after"]);
});

test("a client that does not read is not told of each change, and has them all in the end", async () => {
  const { client, memory, store } = await remote();
  const { has, told } = mirror(store);
  await store.txn([], [put("a", "0")]);
  const { links } = client.connection!;
  links.a.pause();
  const big = "x".repeat(1 << 20);
  let queuedMax = 0;
  for (let n = 1; n <= 40; n++) {
    await memory.txn([], [put("a", `${n}${big}`), put(`k${n}`, "1")]);
    queuedMax = Math.max(queuedMax, links.b.queuedBytes);
  }
  assert.ok(queuedMax < LIMITS.linkQueueBytes + (4 << 20), `${queuedMax} bytes`);
  const asked = store.txn([], [put("last", "1")]);
  await setImmediate();
  links.a.resume();
  await asked;
  assert.equal(has.size, 42);
  assert.ok(has.get("a")?.startsWith("40x"));
  assert.ok(told.length < 60, "most changes of one key are told as one");
});

test("leases without a time to live end some time after their holder is gone", async () => {
  const { client, memory, store, pass } = await remote();
  const lease = await store.lease();
  await store.txn([], [put("a", "1", lease)]);
  await pass(3 * LIMITS.holderMs);
  assert.equal(await text(memory, "a"), "1");
  client.cut();
  store.close();
  await pass(LIMITS.holderMs);
  assert.equal(await text(memory, "a"), undefined);
});

test("leases with a time to live outlive a link", async () => {
  const { client, memory, store, pass } = await remote();
  const lease = await store.lease(5000);
  await store.txn([], [put("a", "1", lease)]);
  client.cut();
  await pass(3000);
  await client.connect();
  assert.equal(await store.renew(lease), true);
  await pass(3000);
  assert.equal(await text(memory, "a"), "1");
  await pass(3000);
  assert.equal(await text(memory, "a"), undefined);
});

test("what the server's own store cannot do comes with its outcome", async () => {
  for (const outcome of ["none", "unknown"] as const) {
    const broken = async (): Promise<never> => {
      throw new StoreError(outcome, "the disk is full");
    };
    const { store } = await remote((clock) =>
      altered(new MemoryStore(clock.now), { get: broken, txn: broken }),
    );
    const error = await failure(store.txn([], [put("a", "1")]));
    assert.equal(error.outcome, outcome);
    assert.match(error.message, /disk is full/);
    assert.equal((await failure(store.get("a"))).outcome, outcome);
  }
});

test("a watch begins later if the server's store is out of reach at first", async () => {
  let down = true;
  const memory = new MemoryStore();
  const list: ControlStore["list"] = async (prefix) => {
    if (down) throw new StoreError("none", "it is down");
    return memory.list(prefix);
  };
  const { store, pass } = await remote(() => altered(memory, { list }));
  const { has } = mirror(store);
  const asked = store.txn([], [put("a", "1")]);
  await pass(3 * LIMITS.storeAgainMs);
  down = false;
  await pass(LIMITS.storeAgainMs);
  assert.ok(await asked);
  assert.deepEqual([...has.keys()], ["a"]);
});

test("limits of the server: watches, bytes, transactions at once, keys", async () => {
  const { store, client } = await remote();
  const { rpc } = client.connection!;
  const refused = async (asked: Promise<unknown>, pattern: RegExp): Promise<void> => {
    const error = await asked.then(
      () => assert.fail("it was done"),
      (error: unknown) => error,
    );
    assert.ok(error instanceof UpvmError);
    assert.equal(error.code, "NOT_SERVED");
    assert.match(error.message, pattern);
  };
  const watch = (n: number) => rpc.request("storeWatch", { watch: n, prefix: "", values: false });
  for (let n = 1; n <= LIMITS.storeWatches; n++) await watch(n);
  await refused(watch(LIMITS.storeWatches + 1), /256 watches/);
  await refused(watch(1), /there is a watch/);
  rpc.tell("storeUnwatch", { watch: 1 });
  await watch(1);
  await refused(rpc.request("storeGet", { key: "k".repeat(LIMITS.storeKeyLength + 1) }), /fields are wrong/);
  const body = { serial: 1, done: 0, compare: [] };
  const twice = [["a", 1, 0] as [string, number, number], ["a", -1, 0] as [string, number, number]];
  await refused(rpc.request("storeTxn", { ...body, changes: twice }, bytes("x")), /twice/);
  await refused(rpc.request("storeTxn", { ...body, changes: [["a", 2, 0]] }, bytes("x")), /2 bytes are told/);
  await refused(rpc.request("storeTxn", { ...body, changes: [["a", 1, 0]] }, bytes("xy")), /2 came/);
  await refused(rpc.request("storeLease", { ttlMs: 1 }), /fields are wrong/);
  assert.deepEqual(await store.list(""), []);
  assert.equal(await text(store, "a"), undefined);
});

test("a lease that the server's store cannot give is not counted; there are so many and no more", async () => {
  let given = 0;
  let fails = true;
  const lease = async () => {
    if (fails) throw new StoreError("none", "out of reach");
    return ++given as LeaseId;
  };
  const { client } = await remote(() => altered(new MemoryStore(), { lease }));
  const { rpc } = client.connection!;
  const ask = () => rpc.request("storeLease", { ttlMs: LIMITS.leaseMsMin });
  const ends = new Map<string, number>();
  for (let n = 0; n < 2 * LIMITS.storeLeases + 1; n++) {
    fails = n < LIMITS.storeLeases;
    const end = await ask().then(
      () => "given",
      (error: Error) => error.message.split(": ").at(-1)!,
    );
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  const { storeLeases } = LIMITS;
  assert.deepEqual(
    [...ends],
    [
      ["out of reach", storeLeases],
      ["given", storeLeases],
      [`more than ${storeLeases} leases`, 1],
    ],
  );
});

test("a client does not begin more transactions than the server remembers", async () => {
  const memory = new MemoryStore();
  const never: ControlStore["txn"] = () => new Promise(() => {});
  const { client, store } = await remote(() => altered(memory, { txn: never }));
  client.cut();
  const waiting = Array.from({ length: LIMITS.storeWindow }, () => failure(store.txn([], [put("a", "1")])));
  const error = await failure(store.txn([], [put("a", "1")]));
  assert.equal(error.outcome, "none");
  assert.match(error.message, /wait already/);
  store.close();
  for (const each of waiting) await each;
});

test("entries and changes come back as they were, and damaged ones are refused by name", () => {
  const changes: Changed[] = [
    { key: "a", entry: { value: bytes("one"), revision: 5, created: 2 }, revision: 5 },
    { key: "ключ", entry: undefined, revision: 6 },
    { key: "", entry: { value: bytes(""), revision: 2 ** 53 - 1, created: 1 }, revision: 2 ** 53 - 1 },
  ];
  const packed = packChanges(changes);
  assert.deepEqual(unpackChanges(packed, 3, "x"), changes);
  const [first] = unpackEntries(packEntries([["a", changes[0]!.entry!]], false), 1, "x");
  assert.deepEqual(first, ["a", { value: bytes(""), revision: 5, created: 2 }]);
  assert.throws(() => unpackEntries(packed, 3, "x"), /damaged/);
  assert.throws(() => unpackChanges(packed, 2, "x"), /damaged/);
  assert.throws(() => unpackChanges(packed, 4, "x"), /damaged/);
  const random = seeded(1);
  for (let n = 0; n < 3000; n++) {
    const damaged = packed.slice(0, Math.floor(random() * (packed.length + 1)));
    for (let i = 0; i < 3 && damaged.length > 0; i++)
      damaged[Math.floor(random() * damaged.length)] = Math.floor(random() * 256);
    try {
      const read = unpackChanges(damaged, Math.floor(random() * 5), "x");
      assert.ok(packChanges(read).length <= damaged.length);
    } catch (error) {
      assert.ok(error instanceof UpvmError && error.code === "PEER_FAILED", String(error));
    }
  }
});

test("a change that comes before the reply to its watch is taken is told after what the reply has", () => {
  const told: string[] = [];
  const watch = new RemoteWatch("", ({ key, revision }) => told.push(`${key}@${revision}`));
  const entry = (revision: number) => ({ value: bytes(""), revision, created: revision });
  const change = (key: string, revision: number): Changed => ({ key, entry: entry(revision), revision });
  const { watch: id } = watch.restart();
  watch.changed(packChanges([change("c", 9)]), 1);
  assert.deepEqual(told, []);
  watch.started(id, packChanges([change("a", 3), change("b", 8)]), 1, 1);
  assert.deepEqual(told, ["b@8", "c@9"]);
});

test("a server that tells what cannot be read is left, and all is told over the next link", async () => {
  const { client, memory, store } = await remote();
  const { has } = mirror(store);
  await store.txn([], [put("a", "1")]);
  const lost = new Promise((done) => client.connection!.rpc.link.onClose(done));
  client.served!.tell("storeChanged", { watch: 1, changes: 1 }, bytes("nonsense"));
  await lost;
  await memory.txn([], [put("b", "1")]);
  await client.connect();
  await store.get("a");
  assert.deepEqual([...has.keys()], ["a", "b"]);
});

test.run();
