/** The stream of changes of etcd, over servers that say nothing, end, refuse, or repeat themselves. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { test } from "uvu";
import { EtcdCalls, type EtcdEdge, NotAnswered } from "../../pvmd/etcd-calls.ts";
import { EtcdWatch, type ListAll } from "../../pvmd/etcd-watch.ts";
import { keyText, valueText } from "../../pvmd/etcd-wire.ts";
import { LIMITS } from "../../wire/limits.ts";
import { bytes } from "../store-contract.ts";
import { Clock } from "../store-fixture.ts";

interface Stream {
  readonly url: string;
  readonly from: number;
  readonly line: (text: string) => void;
  readonly ended: (why: string) => void;
  closed: boolean;
}

/** Two servers whose streams a test writes. */
async function followed(list: ListAll = async () => ({ entries: [], revision: 7 })) {
  const clock = new Clock();
  const streams: Stream[] = [];
  let refuses = false;
  const edge: EtcdEdge = {
    post: async () => assert.fail("nothing is posted"),
    stream: (url, _token, body, line, ended) => {
      if (refuses) throw new NotAnswered(false, "nobody listens");
      const { start_revision } = (JSON.parse(body) as { create_request: { start_revision: string } })
        .create_request;
      const stream = { url, from: Number(start_revision), line, ended, closed: false };
      streams.push(stream);
      return () => {
        stream.closed = true;
      };
    },
    after: clock.after,
    id: () => 1,
  };
  const told: string[] = [];
  const calls = new EtcdCalls(["http://a", "http://b"], undefined, edge);
  const watch = new EtcdWatch(calls, "r/", list, ({ key, entry, revision }) =>
    told.push(`${key}${entry === undefined ? " gone" : ""}@${revision}`),
  );
  await watch.begin();
  const last = (): Stream => streams.at(-1)!;
  const refuse = (on: boolean): void => {
    refuses = on;
  };
  return { clock, watch, told, streams, last, refuse };
}

const message = (result: object): string => JSON.stringify({ result: { header: {}, ...result } });
const put = (key: string, revision: number) => ({
  kv: { key: keyText(key), value: valueText(bytes("x")), mod_revision: `${revision}`, create_revision: "1" },
});
const gone = (key: string, revision: number) => ({
  type: "DELETE",
  kv: { key: keyText(key), mod_revision: `${revision}` },
});

test("it begins behind what there is, and tells changes in order", async () => {
  const { watch, told, last, clock } = await followed();
  assert.deepEqual([last().url, last().from], ["http://a/v3/watch", 8]);
  last().line(message({ created: true }));
  last().line(message({ events: [put("r/a", 8), put("r/b", 8)] }));
  last().line(message({ events: [gone("r/a", 9)] }));
  assert.deepEqual(told, ["r/a@8", "r/b@8", "r/a gone@9"]);
  watch.end();
  assert.ok(last().closed);
  assert.equal(clock.waiting, 0, "no timer is left");
});

test("a stream that says nothing for long is opened at the next server, behind what was told", async () => {
  const { watch, told, streams, last, clock } = await followed();
  last().line(message({ events: [put("r/a", 9)] }));
  await clock.pass(LIMITS.etcdIdleMs - 200);
  assert.equal(streams.length, 1);
  await clock.pass(LIMITS.etcdPauseMs + 400);
  assert.equal(streams.length, 2);
  assert.ok(streams[0]!.closed);
  assert.deepEqual([last().url, last().from], ["http://b/v3/watch", 10]);
  // The old one's words count no more, and the new one may repeat.
  streams[0]!.line(message({ events: [put("r/old", 10)] }));
  last().line(message({ events: [put("r/a", 9)] }));
  last().line(message({ events: [put("r/c", 10)] }));
  assert.deepEqual(told, ["r/a@9", "r/c@10"]);
  watch.end();
});

test("a stream that ends, is refused or cannot be read is opened again", async () => {
  const { watch, told, streams, last, refuse, clock } = await followed();
  const nonsense = ["{", "[]", '{"error":{"message":"no leader"}}', message({ canceled: true })];
  for (const [n, line] of nonsense.entries()) {
    last().line(line);
    await clock.pass(LIMITS.etcdPauseMsMax);
    assert.equal(streams.length, n + 2, line);
  }
  last().ended("reset");
  refuse(true);
  await clock.pass(20 * LIMITS.etcdPauseMsMax);
  refuse(false);
  await clock.pass(LIMITS.etcdPauseMsMax);
  last().line(message({ events: [put("r/a", 8)] }));
  assert.deepEqual(told, ["r/a@8"]);
  watch.end();
});

test("after a compaction it tells what differs, also when the first list of it fails", async () => {
  let lists = 0;
  const entry = (revision: number) => ({ value: bytes("x"), revision, created: 1 });
  const list: ListAll = async () => {
    lists += 1;
    if (lists === 1)
      return {
        entries: [
          ["r/a", entry(3)],
          ["r/b", entry(4)],
        ],
        revision: 5,
      };
    if (lists === 2) throw new NotAnswered(false, "it is down");
    return {
      entries: [
        ["r/c", entry(8)],
        ["r/a", entry(7)],
      ],
      revision: 9,
    };
  };
  const { watch, told, last, clock } = await followed(list);
  for (let n = 0; n < 2; n++) {
    assert.equal(last().from, 6);
    last().line(message({ canceled: true, compact_revision: "8" }));
    await clock.pass(LIMITS.etcdPauseMsMax);
  }
  assert.deepEqual(told, ["r/a@7", "r/c@8", "r/b gone@9"]);
  assert.equal(last().from, 10);
  watch.end();
});

test("who waits until something was told waits for that, or for so long at most", async () => {
  const { watch, last, clock } = await followed();
  const done: number[] = [];
  for (const revision of [7, 8, 9]) void watch.reached(revision).then(() => done.push(revision));
  await setImmediate();
  assert.deepEqual(done, [7], "that was there before");
  last().line(message({ events: [put("r/a", 8)] }));
  await setImmediate();
  assert.deepEqual(done, [7, 8]);
  await clock.pass(LIMITS.storeWaitMs);
  assert.deepEqual(done, [7, 8, 9]);
  void watch.reached(12).then(() => done.push(12));
  watch.end();
  await setImmediate();
  assert.deepEqual(done, [7, 8, 9, 12], "nobody waits for a store that is closed");
});

test.run();
