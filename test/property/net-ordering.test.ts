/**
 * The ordering layer: over a network that loses, repeats and exchanges packets, a link keeps its contract.
 */
import assert from "node:assert/strict";
import { test } from "uvu";
import type { After } from "../../net/byte-stream.ts";
import { FrameReader } from "../../net/frame-reader.ts";
import { FramedLink } from "../../net/framed-link.ts";
import { OrderedStream } from "../../net/ordered-stream.ts";
import { LIMITS } from "../../wire/limits.ts";
import { type BadNetwork, badNetwork } from "../bad-network.ts";
import { type Ends, IDENTITY, linkContract, pattern, until } from "../link-contract.ts";

/** Time goes ten times as fast: the layer waits for lost packets only. */
const after: After = (ms, run) => {
  const timer = setTimeout(run, ms / 10);
  return () => clearTimeout(timer);
};
const SEED = Number(process.env["UPVM_SEED"] ?? 1);

function streams(network: BadNetwork): { a: OrderedStream; b: OrderedStream } {
  const a: OrderedStream = new OrderedStream(
    network.way((packet) => b.came(packet)),
    after,
  );
  const b: OrderedStream = new OrderedStream(
    network.way((packet) => a.came(packet)),
    after,
  );
  return { a, b };
}

let made = 0;
linkContract("packets", async (): Promise<Ends> => {
  const network = badNetwork(SEED + made++);
  const { a, b } = streams(network);
  const never: After = () => () => {};
  return {
    a: new FramedLink(IDENTITY.b, 0, a, new FrameReader(0), never),
    b: new FramedLink(IDENTITY.a, 1, b, new FrameReader(0), never),
    cut: () => {
      network.cut();
      a.taker.ended("the network is cut");
      b.taker.ended("the network is cut");
    },
    stop: async () => network.cut(),
  };
});

test("bytes come out once and in order whatever the network does (UPVM_SEED=N replays)", async () => {
  for (let seed = SEED; seed < SEED + 12; seed++) {
    const network = badNetwork(seed, { loss: 0.1, repeat: 0.1, late: 0.5 });
    const { a, b } = streams(network);
    const got: Buffer[] = [];
    let ended = "";
    let written = 0;
    b.taker = { bytes: (chunk) => got.push(Buffer.from(chunk)), ended: (why) => (ended = why) };
    const sent = pattern(200_000, seed);
    for (let at = 0; at < sent.length; at += 7001) a.write([sent.subarray(at, at + 7001)], () => written++);
    if (seed % 2 === 0) {
      b.pause();
      await new Promise((go) => setTimeout(go, 5));
      b.resume();
    }
    a.end();
    await until(() => ended !== "");
    assert.ok(Buffer.concat(got).equals(sent), `seed ${seed}`);
    assert.equal(written, Math.ceil(sent.length / 7001));
    const { lost, repeated, late } = network.did;
    assert.ok(lost > 0 && repeated > 0 && late > 0);
  }
});

test("a receiver that does not read fills a window and no more", async () => {
  const network = badNetwork(SEED, { loss: 0, repeat: 0, late: 0 });
  const { a, b } = streams(network);
  let bytes = 0;
  b.taker = { bytes: (chunk) => (bytes += chunk.length), ended: () => {} };
  b.pause();
  let written = 0;
  const piece = new Uint8Array(LIMITS.packetBytes);
  const pieces = LIMITS.packetWindow * 3;
  for (let i = 0; i < pieces; i++) a.write([piece], () => written++);
  await new Promise((go) => setTimeout(go, 20));
  assert.ok(written < LIMITS.packetWindow, `${written}`);
  assert.equal(bytes, 0);
  b.resume();
  await until(() => bytes === pieces * piece.length);
  a.destroy();
});

test("packets of any content harm nobody", () => {
  const { a, b } = streams(badNetwork(SEED, { loss: 1 }));
  let bytes = 0;
  for (const stream of [a, b]) stream.taker = { bytes: (chunk) => (bytes += chunk.length), ended: () => {} };
  const noise = pattern(20_000, SEED);
  for (let at = 0; at < noise.length; at += 37) a.came(noise.subarray(at, at + (at % 60)));
  // Far ahead, far behind, and acknowledging what was never sent.
  for (const words of [
    [0xffff_ffff, 9, 1],
    [LIMITS.packetWindow, 0, 1],
    [5, 0xffff_ffff, 0],
  ])
    b.came(new Uint8Array(Uint32Array.from(words).buffer));
  assert.equal(bytes, 0);
  b.came(new Uint8Array(2000));
});

test("a peer that answers nothing is given up", async () => {
  const timers: (() => void)[] = [];
  const stream = new OrderedStream(
    () => {},
    (_ms, run) => {
      timers.push(run);
      return () => {};
    },
  );
  let ended = "";
  stream.taker = { bytes: () => {}, ended: (why) => (ended = why) };
  stream.write([new Uint8Array(10)], () => {});
  for (let i = 0; i <= LIMITS.packetTries; i++) timers.shift()!();
  assert.equal(ended, "no packet is answered");
});

test.run();
