/**
 * The control store in a real etcd: its contract, and what it does when servers restart, answers are lost, history is
 * compacted. Skipped where Debian's package etcd-server is not installed.
 */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "uvu";
import { EtcdCluster, isEtcdInstalled } from "../../bench/real-etcd.ts";
import { type ControlStore, StoreError } from "../../pvmd/control-store.ts";
import { EtcdCalls, type EtcdEdge, type EtcdUser, NotAnswered } from "../../pvmd/etcd-calls.ts";
import { EtcdStore } from "../../pvmd/etcd-store.ts";
import { ETCD_EDGE } from "../../upvm/node-etcd.ts";
import { LIMITS } from "../../wire/limits.ts";
import { seeded } from "../link-stages.ts";
import { contract, put, text } from "../store-contract.ts";

let roots = 0;
const opened: EtcdStore[] = [];
async function open(
  urls: readonly string[],
  edge: EtcdEdge = ETCD_EDGE,
  user?: EtcdUser,
  root = `upvm/t${++roots}/`,
): Promise<EtcdStore> {
  const store = await EtcdStore.open(new EtcdCalls(urls, user, edge), root);
  opened.push(store);
  return store;
}

async function admin(url: string, path: string, body: unknown): Promise<void> {
  const answer = await fetch(`${url}/v3/${path}`, { method: "POST", body: JSON.stringify(body) });
  assert.equal(answer.status, 200, `${path}: ${await answer.text()}`);
}

/** Times of the edge so many times shorter: nobody waits for a limit of seconds. */
function hasty(edge: EtcdEdge, times: number): EtcdEdge {
  return {
    ...edge,
    post: (url, token, body, ms) => edge.post(url, token, body, ms / times),
    after: (ms, run) => edge.after(ms / times, run),
  };
}

/** Counts with a comparison. @returns how often it was done */
async function count(store: ControlStore, key: string, times: number): Promise<void> {
  for (let n = 0; n < times; ) {
    const old = await store.get(key);
    const value = Number(old === undefined ? 0 : new TextDecoder().decode(old.value)) + 1;
    if (await store.txn([{ key, revision: old?.revision ?? 0 }], [put(key, `${value}`)])) n += 1;
  }
}

/** What a watcher has been told. */
function mirror(store: ControlStore): Map<string, string> {
  const has = new Map<string, string>();
  let last = 0;
  store.watch("", ({ key, entry, revision }) => {
    assert.ok(revision >= last, "in order of revisions");
    last = revision;
    if (entry === undefined) has.delete(key);
    else has.set(key, new TextDecoder().decode(entry.value));
  });
  return has;
}

async function texts(store: ControlStore): Promise<Map<string, string>> {
  return new Map(
    (await store.list("")).map(([key, { value }]) => [key, new TextDecoder().decode(value)] as const),
  );
}

/** Waits for what comes by itself; never, if it does not within a minute. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let n = 0; n < 1200; n++) {
    if (await holds()) return;
    await sleep(50);
  }
  assert.fail("it never came");
}

if (!isEtcdInstalled()) {
  console.log("etcd is not installed here: apt-get install etcd-server");
  test.skip("the control store in etcd", () => {});
} else {
  let cluster: EtcdCluster;
  test.before(async () => {
    cluster = await EtcdCluster.start();
  });
  test.after(async () => {
    await cluster.end();
    // Those of tests that failed: nothing of them may keep this process.
    for (const store of opened) await store.close();
  });

  contract("etcd", async () => {
    const store = await open(cluster.urls);
    const pass = async (ms: number): Promise<void> => {
      await sleep(ms);
    };
    return { store, pass, ttlMs: 3000, close: () => store.close() };
  });

  test("two stores of one root share all, those of different roots nothing", async () => {
    const root = `upvm/t${++roots}/`;
    const [one, two] = [
      await open(cluster.urls, ETCD_EDGE, undefined, root),
      await open(cluster.urls, ETCD_EDGE, undefined, root),
    ];
    const other = await open(cluster.urls);
    const seen = [mirror(one), mirror(two)];
    const nothing = mirror(other);
    await Promise.all([one, two, one, two].map((store) => count(store, "n", 10)));
    assert.equal(await text(one, "n"), "40");
    await until(() => seen.every((has) => has.get("n") === "40"));
    assert.deepEqual([...nothing], []);
    assert.deepEqual(await other.list(""), []);
    await one.clear();
    assert.deepEqual(await two.list(""), []);
    for (const store of [one, two, other]) await store.close();
  });

  test("a list of more keys than a page has is complete and in order", async () => {
    const store = await open(cluster.urls);
    const keys = Array.from(
      { length: 2 * LIMITS.etcdPageKeys + 5 },
      (_, i) => `k${String(i).padStart(5, "0")}`,
    );
    const pieces = Array.from({ length: Math.ceil(keys.length / LIMITS.txnKeys) }, (_, i) =>
      keys.slice(i * LIMITS.txnKeys, (i + 1) * LIMITS.txnKeys),
    );
    await Promise.all(
      pieces.map((piece) =>
        store.txn(
          [],
          piece.map((key) => put(key, "1")),
        ),
      ),
    );
    assert.deepEqual(
      (await store.list("k")).map(([key]) => key),
      keys,
    );
    await store.clear();
    await store.close();
  });

  test("values up to the limit are taken; beyond it nothing is done", async () => {
    const store = await open(cluster.urls);
    const value = new Uint8Array(store.txnBytesMax).fill(7);
    assert.ok(await store.txn([], [{ key: "a", value }]));
    assert.equal((await store.get("a"))?.value.length, value.length);
    const tooLong = store.txn([], [{ key: "b", value: new Uint8Array(store.txnBytesMax + 1) }]);
    await assert.rejects(tooLong, (error) => error instanceof StoreError && error.outcome === "none");
    const tooLongKey = store.txn([], [put("k".repeat(2 << 20), "")]);
    await assert.rejects(tooLongKey, (error) => error instanceof StoreError && error.outcome === "none");
    assert.equal(await store.get("b"), undefined);
    await store.close();
  });

  test("what is asked for again because an answer was lost is done once", async () => {
    const random = seeded(7);
    let lost = 0;
    const lossy: EtcdEdge = {
      ...ETCD_EDGE,
      post: async (url, token, body, ms) => {
        if (random() < 0.1) throw new NotAnswered(false, "the request was lost");
        if (random() < 0.1) {
          void sleep(random() * 20).then(() => ETCD_EDGE.post(url, token, body, ms).catch(() => undefined));
          lost += 1;
          throw new NotAnswered(true, "the request is on its way");
        }
        const answer = await ETCD_EDGE.post(url, token, body, ms);
        if (random() < 0.1) {
          lost += 1;
          throw new NotAnswered(true, "the answer was lost");
        }
        return answer;
      },
      stream: (url, token, body, line, ended) => {
        const close = ETCD_EDGE.stream(url, token, body, line, ended);
        const timer = setTimeout(() => {
          close();
          ended("it was cut");
        }, random() * 100);
        return () => {
          clearTimeout(timer);
          close();
        };
      },
    };
    const store = await open(cluster.urls, hasty(lossy, 20));
    const has = mirror(store);
    await Promise.all(["a", "a", "b", "b"].map((key) => count(store, key, 15)));
    // Without a comparison: a late one must not be done after the next.
    for (let n = 0; n < 20; n++) {
      await store.txn([], [put("own", `${n}`)]);
      assert.equal(await text(store, "own"), `${n}`);
    }
    assert.ok(lost > 5, `only ${lost} answers were lost`);
    assert.deepEqual([...(await texts(store))].sort(), [
      ["a", "30"],
      ["b", "30"],
      ["own", "19"],
    ]);
    await until(() => has.get("own") === "19" && has.get("a") === "30" && has.get("b") === "30");
    await store.close();
  });

  test("what changed while the stream was cut and etcd forgot it is told all the same", async () => {
    let cut = false;
    const closers = new Set<() => void>();
    const edge: EtcdEdge = {
      ...ETCD_EDGE,
      stream: (url, token, body, line, ended) => {
        if (cut) throw new NotAnswered(false, "it is cut");
        const close = ETCD_EDGE.stream(url, token, body, line, ended);
        closers.add(() => {
          close();
          ended("it was cut");
        });
        return close;
      },
    };
    const root = `upvm/t${++roots}/`;
    const store = await open(cluster.urls, hasty(edge, 10), undefined, root);
    const other = await open(cluster.urls, ETCD_EDGE, undefined, root);
    const has = mirror(store);
    await store.txn([], [put("kept", "1"), put("changed", "1"), put("gone", "1")]);
    cut = true;
    for (const close of closers) close();
    for (const n of ["2", "3"]) await other.txn([], [put("changed", n)]);
    const revision = await other.txn([], [{ key: "gone" }, put("new", "1")]);
    await admin(cluster.urls[0]!, "kv/compaction", { revision: String(revision) });
    cut = false;
    await until(() => has.has("new"));
    assert.deepEqual([...has].sort(), [
      ["changed", "3"],
      ["kept", "1"],
      ["new", "1"],
    ]);
    await store.txn([], [put("after", "1")]);
    assert.ok(has.has("after"));
    await store.close();
    await other.close();
  });

  test("a server that is killed and starts again loses nothing and doubles nothing", async () => {
    const store = await open(cluster.urls);
    const has = mirror(store);
    let over = false;
    const counting = Promise.all(
      ["a", "b"].map(async (key) => {
        let n = 0;
        for (; !over; n += 5) await count(store, key, 5);
        return [key, `${n}`] as const;
      }),
    );
    for (let n = 0; n < 2; n++) {
      await until(() => has.has("a"));
      await cluster.killServer(0);
      await sleep(200);
      await cluster.startServer(0);
      await store.txn([], [put("alive", `${n}`)]);
      has.delete("a");
    }
    over = true;
    const counts = await counting;
    assert.deepEqual([...(await texts(store))].sort(), [...counts, ["alive", "1"]].sort());
    await until(() => counts.every(([key, n]) => has.get(key) === n));
    await store.close();
  });

  test("what is asked while no server is there ends with an error, and nothing was done", async () => {
    const { after } = ETCD_EDGE;
    const store = await open(cluster.urls, { ...ETCD_EDGE, after: (ms, run) => after(ms / 100, run) });
    await cluster.killServer(0);
    try {
      await assert.rejects(
        store.txn([], [put("a", "1")]),
        (error) =>
          error instanceof StoreError && error.outcome === "none" && /ECONNREFUSED/.test(error.message),
      );
    } finally {
      await cluster.startServer(0);
    }
    assert.equal(await text(store, "a"), undefined);
    await store.txn([], [put("a", "2")]);
    assert.equal(await text(store, "a"), "2");
    await store.close();
  });

  test("a process whose leases ended while it was out of reach goes on with new ones", async () => {
    const store = await open(cluster.urls);
    await store.txn([], [put("a", "1")]);
    const leases = await fetch(`${cluster.urls[0]}/v3/lease/leases`, { method: "POST", body: "{}" });
    const { leases: all } = (await leases.json()) as { leases: { ID: string }[] };
    for (const { ID } of all) await admin(cluster.urls[0]!, "lease/revoke", { ID });
    await assert.rejects(
      store.txn([], [put("a", "2")]),
      (error) => error instanceof StoreError && error.outcome === "unknown",
    );
    assert.ok(await store.txn([], [put("a", "3")]));
    await store.close();
  });

  test("a user of etcd logs in, again when the server has forgotten it, and not with a wrong password", async () => {
    const url = cluster.urls[0]!;
    await admin(url, "auth/user/add", { name: "root", password: "secret" });
    await admin(url, "auth/role/add", { name: "root" });
    await admin(url, "auth/user/grant", { user: "root", role: "root" });
    await admin(url, "auth/enable", {});
    const refused = (user?: EtcdUser): Promise<void> =>
      assert.rejects(open(cluster.urls, ETCD_EDGE, user), (error) => error instanceof StoreError);
    await refused();
    await refused({ name: "root", password: "wrong" });
    const store = await open(cluster.urls, ETCD_EDGE, { name: "root", password: "secret" });
    const has = mirror(store);
    await store.txn([], [put("a", "1")]);
    await cluster.killServer(0);
    await cluster.startServer(0);
    await store.txn([], [put("a", "2")]);
    assert.equal(await text(store, "a"), "2");
    await until(() => has.get("a") === "2");
    await store.close();
  });

  test("of three servers one may die; a minority changes nothing, and goes on when the others are back", async () => {
    const three = await EtcdCluster.start(3);
    try {
      const store = await open(three.urls);
      const has = mirror(store);
      await store.txn([], [put("a", "1")]);
      await three.killServer(0);
      await store.txn([], [put("a", "2")]);
      assert.equal(has.get("a"), "2");
      three.signal(1, "SIGSTOP");
      const cutOff = new EtcdCalls([three.urls[2]!], undefined, hasty(ETCD_EDGE, 50));
      await assert.rejects(EtcdStore.open(cutOff, "upvm/cut-off/"), StoreError);
      three.signal(1, "SIGCONT");
      await store.txn([], [put("a", "3")]);
      assert.equal(await text(store, "a"), "3");
      assert.equal(has.get("a"), "3");
      await store.close();
    } finally {
      await three.end();
    }
  });
}

test.run();
