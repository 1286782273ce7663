/** Which control stores can be asked for, and what is told about one that cannot be used. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import { EtcdCalls, type EtcdEdge, NotAnswered } from "../../pvmd/etcd-calls.ts";
import { parsed, RANGE, valueText, WATCHED } from "../../pvmd/etcd-wire.ts";
import { openStore, storeSpec } from "../../pvmd/open-store.ts";
import { ETCD_EDGE } from "../../upvm/node-etcd.ts";
import { readUser } from "../../upvm/node-store.ts";
import { type ErrorCode, UpvmError } from "../../wire/errors.ts";
import { LIMITS } from "../../wire/limits.ts";
import { seeded } from "../link-stages.ts";
import { put, text } from "../store-contract.ts";
import { Clock } from "../store-fixture.ts";

function is(code: ErrorCode, pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof UpvmError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, pattern);
    return true;
  };
}

/** The edge with times so many times shorter. */
const hasty: EtcdEdge = {
  ...ETCD_EDGE,
  post: (url, token, body, ms) => ETCD_EDGE.post(url, token, body, ms / 20),
  after: (ms, run) => ETCD_EDGE.after(ms / 20, run),
};
const open = (url: string, edge: EtcdEdge = hasty) =>
  openStore(storeSpec(`etcd:${url}`), { vm: "lab", now: () => 0 }, edge);

/** A server that answers each request alike. */
async function serving(
  status: number,
  body: string,
  use: (url: string, server: Server) => Promise<void>,
): Promise<void> {
  const server = createServer((_, answer) => answer.writeHead(status).end(body)).listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, server);
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
}

test("a specification is memory, or etcd with its servers", () => {
  const endpoints = (spec: string): readonly string[] => {
    const parsed = storeSpec(spec);
    return parsed.kind === "etcd" ? parsed.endpoints : [];
  };
  assert.deepEqual(storeSpec("memory"), { kind: "memory" });
  assert.deepEqual(endpoints("etcd:http://h1"), ["http://h1:2379"]);
  assert.deepEqual(endpoints("etcd:http://h1:2379,h2:4001"), ["http://h1:2379", "http://h2:4001"]);
  assert.deepEqual(endpoints("etcd:https://h1/,[::1]:1"), ["https://h1:2379", "https://[::1]:1"]);
  assert.deepEqual(endpoints("etcd:http://h1:80"), ["http://h1"], "the default of http, not etcd's");
});

test("other specifications are refused by name, and no password is repeated", () => {
  for (const spec of ["", "disk", "etcd", "etcd:", "etcd:h1:2379", "etcd:ftp://h1", "etcd:http://"])
    assert.throws(() => storeSpec(spec), is("STORE_SPEC", /Cannot use/));
  assert.throws(() => storeSpec("etcd:http://h1,ftp://h2"), is("STORE_SPEC", /"ftp:\/\/h2" is no server/));
  assert.throws(() => storeSpec("etcd:http://h1/v2"), is("STORE_SPEC", /more than a host and a port/));
  const many = Array.from({ length: LIMITS.etcdEndpoints + 1 }, (_, i) => `h${i}`).join(",");
  assert.throws(() => storeSpec(`etcd:http://${many}`), is("STORE_SPEC", /more than 16 servers/));
  assert.throws(
    () => storeSpec("etcd:http://me:hush@h1"),
    (error) => is("STORE_SPEC", /passwords do not belong/)(error) && !String(error).includes("hush"),
  );
});

test("the built-in store ends leases by itself until it is closed", async () => {
  const clock = new Clock();
  const opened = await openStore(
    { kind: "memory" },
    { vm: "lab", now: clock.now },
    { ...hasty, after: clock.after },
  );
  const lease = await opened.store.lease(1000);
  await opened.store.txn([], [put("a", "1", lease)]);
  await clock.pass(500);
  assert.equal(await text(opened.store, "a"), "1");
  await clock.pass(1000);
  assert.equal(await text(opened.store, "a"), undefined);
  await opened.close(true);
  assert.equal(clock.waiting, 0);
});

test("a server that is not there, is not etcd, is too old or refuses is told by name", async () => {
  await serving(200, "", async (url, server) => {
    await new Promise((done) => server.close(done));
    await assert.rejects(open(url), is("STORE_NOT_OPEN", /ECONNREFUSED/));
    server.listen(0, "127.0.0.1");
    await new Promise((done) => server.once("listening", done));
  });
  await serving(404, "Not Found", (url) => assert.rejects(open(url), is("STORE_VERSION", /no etcd/)));
  await serving(200, "<html>hello</html>", (url) =>
    assert.rejects(open(url), is("STORE_NOT_OPEN", /answer is not etcd's/)),
  );
  for (const version of ["3.3.27", "2.0.1", "nonsense"])
    await serving(200, JSON.stringify({ version }), (url) =>
      assert.rejects(open(url), is("STORE_VERSION", new RegExp(`is ${version}`))),
    );
  await serving(401, JSON.stringify({ message: "etcdserver: user name is empty", code: 3 }), (url) =>
    assert.rejects(open(url), is("STORE_REFUSED", /user name is empty/)),
  );
  await serving(503, JSON.stringify({ message: "etcdserver: no leader", code: 14 }), (url) =>
    assert.rejects(open(url), is("STORE_NOT_OPEN", /no leader/)),
  );
  await assert.rejects(
    openStore(storeSpec("etcd:http://127.0.0.1:1"), { vm: "a/b", now: () => 0 }, hasty),
    is("STORE_SPEC", /no name for keys/),
  );
});

test("the next server is asked when one does not answer", async () => {
  const asked: string[] = [];
  const edge: EtcdEdge = {
    ...hasty,
    post: async (url) => {
      asked.push(url);
      if (url.includes("h1")) throw new NotAnswered(false, "it is gone");
      return { status: 200, text: '{"kvs":[],"header":{"revision":"7"}}' };
    },
  };
  const calls = new EtcdCalls(["http://h1", "http://h2"], undefined, edge);
  assert.equal((await calls.call("/x", {}, RANGE)).header.revision, 7);
  await calls.call("/x", {}, RANGE);
  assert.deepEqual(asked, ["http://h1/x", "http://h2/x", "http://h2/x"]);
});

test("a user comes from a file that only its owner reads", () => {
  const folder = mkdtempSync(join(tmpdir(), "upvm-store-"));
  const path = join(folder, "user");
  try {
    assert.throws(() => readUser(path), is("STORE_USER", /ENOENT/));
    writeFileSync(path, "root:se:cret\n", { mode: 0o600 });
    assert.deepEqual(readUser(path), { name: "root", password: "se:cret" });
    chmodSync(path, 0o644);
    if (process.platform !== "win32") assert.throws(() => readUser(path), is("STORE_USER", /others/));
    chmodSync(path, 0o600);
    for (const text of ["", "root", "root:", ":secret", "a:b\nc:d\n"]) {
      writeFileSync(path, text);
      assert.throws(() => readUser(path), is("STORE_USER", /not one line/));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("whatever an etcd answers is taken or refused, and crashes nothing", () => {
  const good = JSON.stringify({
    result: {
      header: { revision: "5" },
      events: [{ kv: { key: valueText(new Uint8Array([107])), value: "AAE=", mod_revision: "5" } }],
    },
  });
  assert.deepEqual(parsed(WATCHED, good)?.result?.events[0]?.kv.value, new Uint8Array([0, 1]));
  const random = seeded(3);
  for (let n = 0; n < 2000; n++) {
    const letters = [...good];
    for (let i = 0; i < 3; i++)
      letters[Math.floor(random() * letters.length)] = String.fromCharCode(32 + random() * 95);
    const text = letters.slice(0, Math.floor(random() * (letters.length + 1))).join("");
    const read = parsed(WATCHED, text);
    const revision = read?.result?.header.revision ?? 0;
    assert.ok(Number.isSafeInteger(revision));
  }
  assert.equal(parsed(RANGE, '{"header":{"revision":"1e400"}}'), undefined);
  assert.equal(parsed(RANGE, '{"kvs":[{"key":"%%%"}]}'), undefined);
});

test.run();
