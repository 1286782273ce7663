import assert from "node:assert/strict";
import { test } from "uvu";
import { Alive } from "../../net/alive.ts";
import { FrameReader } from "../../net/frame-reader.ts";
import { FramedLink } from "../../net/framed-link.ts";
import { frameBytes } from "../../net/open-link.ts";
import { LIMITS } from "../../wire/limits.ts";
import { FRAME } from "../../wire/protocol.ts";
import { FakeStream } from "../fake-stream.ts";
import { IDENTITY } from "../link-contract.ts";

test("a side that hears nothing asks, and gives up after so many ticks", () => {
  const alive = new Alive(3);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => alive.tick(true)),
    ["nothing", "ask", "ask", "silent"],
  );
});

test("anything that comes begins the count anew", () => {
  const alive = new Alive(3);
  for (let i = 0; i < 20; i++) {
    if (i % 3 === 0) alive.heard();
    assert.notEqual(alive.tick(true), "silent");
  }
});

test("who does not read says that it is alive, and concludes nothing, also not from the time before", () => {
  const alive = new Alive(3);
  assert.deepEqual(
    [true, true, true].map((reading) => alive.tick(reading)),
    ["nothing", "ask", "ask"],
  );
  assert.deepEqual(
    [false, false, false, false, false].map((reading) => alive.tick(reading)),
    Array(5).fill("tell"),
  );
  assert.deepEqual(
    [true, true, true].map((reading) => alive.tick(reading)),
    ["ask", "ask", "silent"],
  );
});

/** A link whose clock the test moves. */
function link() {
  const stream = new FakeStream();
  const timers: (() => void)[] = [];
  const reader = new FrameReader(LIMITS.frameBytes);
  const made = new FramedLink(IDENTITY.b, 7, stream, reader, (_ms, run) => {
    timers.push(run);
    return () => {};
  });
  const tick = async (): Promise<void> => {
    timers.shift()?.();
    await Promise.resolve();
  };
  return { link: made, stream, tick };
}
const libalive = (type: number, a: number): Buffer =>
  Buffer.from(frameBytes({ type, a, b: 0, c: 0, body: [] }));

test("ULP_LIBALIVEQ is answered by ULP_LIBALIVE with this side's number, and nobody above the link sees either", async () => {
  const { link: made, stream } = link();
  const seen: number[] = [];
  made.onFrame((frame) => seen.push(frame.type));
  stream.taker.bytes(libalive(FRAME.ULP_LIBALIVEQ, 1));
  stream.taker.bytes(libalive(FRAME.ULP_LIBALIVE, 1));
  await Promise.resolve();
  assert.equal(stream.hex(), libalive(FRAME.ULP_LIBALIVE, 7).toString("hex"));
  assert.deepEqual(seen, []);
});

test("a silent peer is asked every LIMITS.aliveEveryMs, and the link ends within LIMITS.aliveWithinMs", async () => {
  const { link: made, stream, tick } = link();
  made.onFrame(() => {});
  const ticks = LIMITS.aliveWithinMs / LIMITS.aliveEveryMs;
  await tick();
  for (let i = 1; i < ticks; i++) await tick();
  const before = made.end;
  assert.equal(stream.bytes().length, 20 * (ticks - 1));
  await tick();
  assert.deepEqual([before, made.end?.why], [undefined, "silent"]);
  assert.equal(stream.state, "destroyed");
});

test("what came before the end of a connection is taken first, also if the taker pauses", async () => {
  const { link: made, stream } = link();
  const seen: number[] = [];
  let told = "";
  made.onClose(({ why }) => {
    told = why;
  });
  made.onFrame((frame) => {
    seen.push(frame.a);
    made.pause();
  });
  const frame = (a: number): Buffer => Buffer.from(frameBytes({ type: 1000, a, b: 0, c: 0, body: [] }));
  stream.taker.bytes(Buffer.concat([frame(1), frame(2)]));
  stream.taker.ended("gone");
  assert.deepEqual([seen, told], [[1], ""]);
  made.send({ type: 1000, a: 9, b: 0, c: 0, body: [] });
  made.resume();
  made.resume();
  assert.deepEqual([seen, told], [[1, 2], "lost"]);
});

test("bytes are queued until the system has taken them, and who waits goes on when half the limit is free", async () => {
  const { link: made, stream } = link();
  stream.holdWrites = true;
  const piece = new Uint8Array(100_000);
  let sent = 0;
  for (; made.queuedBytes <= LIMITS.linkQueueBytes; sent++)
    made.send({ type: 1000, a: 0, b: 0, c: 0, body: [piece] });
  assert.equal(made.queuedBytes, sent * (piece.length + 20));
  let drained = false;
  const waiting = made.drained().then(() => {
    drained = true;
  });
  await Promise.resolve();
  assert.equal(drained, false);
  stream.finishWrites();
  await waiting;
  assert.equal(made.queuedBytes, 0);
});

test("frames are told written in their order: a small one behind a long one waits for it", async () => {
  const { link: made, stream } = link();
  const told: string[] = [];
  const send = (name: string, bytes: number): void =>
    made.send({ type: 1000, a: 0, b: 0, c: 0, body: [new Uint8Array(bytes)] }, () => told.push(name));
  send("small", 1);
  assert.deepEqual(told, ["small"], "it is copied, and nothing is before it");
  stream.holdWrites = true;
  send("long", 100_000);
  send("next", 1);
  await Promise.resolve();
  send("last", 0);
  await Promise.resolve();
  assert.deepEqual(told, ["small"]);
  stream.finishWrites();
  assert.deepEqual(told, ["small", "long", "next", "last"]);
});

test.run();
