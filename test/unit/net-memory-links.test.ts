import assert from "node:assert/strict";
import { test } from "uvu";
import { memoryLinks } from "../../net/memory-links.ts";
import { IDENTITY, linkContract } from "../link-contract.ts";

linkContract("memory", async () => ({ ...memoryLinks(IDENTITY.a, IDENTITY.b), stop: async () => {} }));

test("a simulation decides when each frame arrives, and cannot change their order", () => {
  const events: (() => void)[] = [];
  const { a, b } = memoryLinks(IDENTITY.a, IDENTITY.b, (run) => events.push(run));
  const got: number[] = [];
  b.onFrame((frame) => got.push(frame.a));
  for (let i = 0; i < 4; i++) a.send({ type: 1000, a: i, b: 0, c: 0, body: [] });
  assert.equal(events.length, 4);
  events.pop()!();
  assert.deepEqual(got, [0]);
  for (const run of events) run();
  assert.deepEqual(got, [0, 1, 2, 3]);
});

test("a frame on its way when the link is cut is lost, and the event that would have brought it does nothing", () => {
  const events: (() => void)[] = [];
  const { a, b, cut } = memoryLinks(IDENTITY.a, IDENTITY.b, (run) => events.push(run));
  const got: number[] = [];
  b.onFrame((frame) => got.push(frame.a));
  a.send({ type: 1000, a: 1, b: 0, c: 0, body: [] });
  cut();
  for (const run of events) run();
  assert.deepEqual([got, a.end?.why, b.end?.why], [[], "lost", "lost"]);
});

test.run();
