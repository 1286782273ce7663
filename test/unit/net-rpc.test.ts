import assert from "node:assert/strict";
import { test } from "uvu";
import * as v from "valibot";
import { memoryLinks } from "../../net/memory-links.ts";
import { type Handlers, Rpc, type RpcOptions } from "../../net/rpc.ts";
import { UpvmError } from "../../wire/errors.ts";
import { LIMITS } from "../../wire/limits.ts";
import { FRAME } from "../../wire/protocol.ts";
import { RPC, type RpcTable } from "../../wire/rpc.ts";
import { IDENTITY } from "../link-contract.ts";

const TABLE = {
  ping: RPC.ping,
  double: {
    from: ["process"],
    ask: v.strictObject({ n: v.pipe(v.number(), v.integer()) }),
    reply: v.strictObject({ n: v.number() }),
    doc: "",
  },
  echo: { from: ["process"], ask: v.string(), reply: v.string(), doc: "" },
  news: { from: ["process"], ask: v.string(), reply: v.undefined(), doc: "" },
  masterOnly: { from: ["pvmd"], ask: v.strictObject({}), reply: v.strictObject({}), doc: "" },
} as const satisfies RpcTable;
type T = typeof TABLE;

function pair(handlers: Handlers<T>, options: RpcOptions<T> = {}) {
  const links = memoryLinks(IDENTITY.a, IDENTITY.b);
  const asker = new Rpc<T>(links.a, {}, { table: TABLE, ...options });
  const server = new Rpc<T>(links.b, handlers, { table: TABLE, ...options });
  return { ...links, asker, server };
}
const fails = async (asked: Promise<unknown>, code: string, pattern: RegExp): Promise<void> => {
  const error = await asked.then(
    () => assert.fail("it was done"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof UpvmError);
  assert.equal(error.code, code);
  assert.match(error.message, pattern);
};

test("a request gets its reply, with bytes both ways, also more of them than a frame holds", async () => {
  const { asker } = pair({
    double: ({ n }, bytes) => ({ body: { n: 2 * n }, bytes: bytes.map((byte) => byte + 1) }),
  });
  const bytes = new Uint8Array(LIMITS.fragmentBytes * 3).fill(4);
  const reply = await asker.request("double", { n: 21 }, bytes);
  assert.equal(reply.body.n, 42);
  assert.deepEqual([reply.bytes.length, reply.bytes[0], reply.bytes.at(-1)], [bytes.length, 5, 5]);
  assert.deepEqual((await asker.request("ping", {})).body, {}, "every side answers ping");
});

test("requests are begun in the order they come, and answered as they are ready", async () => {
  const begun: string[] = [];
  const ready: Record<string, () => void> = {};
  const { asker } = pair({
    echo: async (text) => {
      begun.push(text);
      await new Promise<void>((go) => {
        ready[text] = go;
      });
      return { body: text };
    },
    news: (text) => {
      begun.push(text);
      return { body: undefined };
    },
  });
  const answered: string[] = [];
  const asked = ["a", "b"].map((text) => asker.request("echo", text).then(({ body }) => answered.push(body)));
  asker.tell("news", "n");
  await asker.request("ping", {});
  assert.deepEqual(begun, ["a", "b", "n"]);
  ready["b"]!();
  await asked[1];
  ready["a"]!();
  await asked[0];
  assert.deepEqual(answered, ["b", "a"]);
});

test("an operator's problem arrives as the same error; its text cannot command a terminal", async () => {
  const { asker } = pair({
    echo: () => {
      throw new UpvmError("FILE_NOT_FOUND", { path: "/x\u001b[2J", why: "gone" });
    },
  });
  await fails(asker.request("echo", ""), "FILE_NOT_FOUND", /^Cannot read \/x\?\[2J: gone$/);
});

test("a bug of the other side is told there, loudly, and here as its failure", async () => {
  const bugs: unknown[] = [];
  const { asker } = pair(
    {
      echo: () => {
        throw new TypeError("oops");
      },
    },
    { onBug: (error) => bugs.push(error) },
  );
  await fails(
    asker.request("echo", ""),
    "PEER_FAILED",
    /^process 1 of job 1 on host2 could not do echo: .*oops/,
  );
  assert.equal(bugs.length, 1);
});

test("what is unknown, not allowed, not served here or of a wrong shape is refused by name", async () => {
  const { asker, a } = pair({ masterOnly: () => ({ body: {} }) });
  await fails(asker.request("masterOnly", {}), "NOT_SERVED", /a process may not ask for it/);
  await fails(asker.request("echo", ""), "NOT_SERVED", /this is not where it is done/);
  await fails(asker.request("double", { n: 1.5 }), "NOT_SERVED", /fields are wrong: n: .*integer/);
  await fails(asker.request("double", { n: 1, m: 2 } as never), "NOT_SERVED", /fields are wrong: m/);
  for (const kind of ["nothing", "toString", "__proto__", 7, null]) {
    const json = new TextEncoder().encode(JSON.stringify([kind, {}]));
    a.send({ type: FRAME.RPC_ASK, a: 1000, b: 0, c: json.length, body: [json] });
  }
  await asker.request("ping", {});
  assert.equal(a.end, undefined, "a wrong request does not cost the link");
});

test("an answer of a wrong shape is the other side's failure", async () => {
  const { asker } = pair({ double: () => ({ body: { n: "x" } as never }) });
  await fails(asker.request("double", { n: 1 }), "PEER_FAILED", /its answer is not what an answer is: n:/);
});

test("a request that is not answered in time fails, and its late answer is dropped", async () => {
  const timers: (() => void)[] = [];
  let answer = (): void => {};
  const { asker } = pair(
    { echo: (text) => new Promise((done) => (answer = () => done({ body: text }))) },
    {
      after: (_ms, run) => {
        timers.push(run);
        return () => {};
      },
    },
  );
  const asked = asker.request("echo", "", undefined, 5);
  const failed = fails(asked, "NO_ANSWER", /echo from process 1 of job 1 on host2: none came within 5 ms/);
  await asker.request("ping", {});
  timers[0]!();
  await failed;
  answer();
  await asker.request("ping", {});
  assert.equal(asker.link.end, undefined);
});

test("when the link ends, all that wait fail, and so does who asks later", async () => {
  const { asker, server, cut } = pair({ echo: () => new Promise(() => {}) });
  const asked = asker.request("echo", "", undefined, 0);
  await asker.request("ping", {});
  cut();
  await fails(asked, "LINK_LOST", /the connection is gone: the link was cut/);
  await fails(asker.request("ping", {}), "LINK_LOST", /./);
  assert.equal((await server.closed).why, "lost");
});

test("more requests than may wait are refused on the spot, and do not cost the link", async () => {
  const { asker } = pair({ echo: () => new Promise(() => {}) });
  const waiting = Array.from({ length: LIMITS.rpcWaiting }, () => asker.request("echo", "", undefined, 0));
  await fails(asker.request("ping", {}), "TOO_MANY_REQUESTS", /16384 requests wait/);
  const failed = Promise.allSettled(waiting);
  asker.link.close();
  assert.ok((await failed).every(({ status }) => status === "rejected"));
});

test("damaged frames end the link as broken", async () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  for (const [type, c, body] of [
    [FRAME.RPC_ASK, 100, bytes("{}")],
    [FRAME.RPC_ASK, 0xffff_ffff, bytes("{}")],
    [FRAME.RPC_ASK, 3, bytes("{x}")],
    [FRAME.RPC_ANSWER, 2, Uint8Array.of(0xff, 0xfe)],
    [FRAME.RPC_FAILED, 0, bytes("")],
    [FRAME.ULP_SEND, 2, bytes("{}")],
  ] as const) {
    const { a, server } = pair({});
    a.send({ type, a: 1, b: 0, c, body: [body] });
    assert.equal((await server.closed).why, "broken");
  }
});

test("a failure of any shape is an error here, not a crash", async () => {
  for (const body of [
    null,
    1,
    {},
    { code: "toString" },
    { code: 7 },
    { code: "FILE_NOT_FOUND", facts: { path: {} } },
  ]) {
    const { asker, b } = pair({});
    b.onFrame(({ a }) => {
      const json = new TextEncoder().encode(JSON.stringify(body));
      b.send({ type: FRAME.RPC_FAILED, a, b: 0, c: json.length, body: [json] });
    });
    await fails(asker.request("ping", {}), "PEER_FAILED", /it does not say why/);
  }
});

test.run();
