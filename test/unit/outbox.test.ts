/** The outbox: messages to other processes leave in order, in place, one ring for many; and it has a limit. */
import assert from "node:assert/strict";
import { test } from "uvu";
import {
  copyOf,
  drainOutbox,
  isOutboxFull,
  type Outgoing,
  releaseOutgoing,
} from "../../runtime/scheduler/outbox.ts";
import { TURN } from "../../runtime/scheduler/turn.ts";
import { HEAD, STOP, ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { PVM_ERROR, tidBaseOf, tidOf } from "../../wire/pvm.ts";
import { type Actor, actor, IDLE, leftovers, type Process, processOf } from "../one-thread.ts";

const AT = 0x100;

/** ULP 0 is here, ULP 1 is not; nobody takes what is sent before the test does. */
function sender(heapBytes?: number): { p: Process; a: Actor; rings: () => number } {
  const options = { ulps: 2, elsewhere: (index: number) => index === 1, outside: true };
  const p = processOf(IDLE, { ...options, ...(heapBytes !== undefined && { heapBytes }) });
  let rings = 0;
  p.engines[0]!.edge.ringOutbox = () => {
    rings++;
  };
  return { p, a: actor(p, 0), rings: () => rings };
}

function send(a: Actor, value: number, tag: number): number {
  a.call("pvm_initsend", 0);
  a.view.setInt32(AT, value, true);
  a.call("pvm_pkint", AT, 1, 1);
  return a.call("pvm_send", tidOf(1), tag);
}

function take(p: Process): Outgoing[] {
  const taken: Outgoing[] = [];
  drainOutbox(p.library, (message) => taken.push(message));
  return taken;
}

test("many messages ring once, and leave in the order in which they were sent", () => {
  const { p, a, rings } = sender();
  for (let i = 0; i < 10; i++) assert.equal(send(a, i, i), 0);
  assert.equal(rings(), 1);
  const taken = take(p);
  assert.deepEqual(
    taken.map(({ tag }) => tag),
    Array.from({ length: 10 }, (_, i) => i),
  );
  assert.deepEqual([taken[3]!.to, taken[3]!.src, taken[3]!.bytes], [tidOf(1), tidOf(0), 4]);
  send(a, 10, 10);
  assert.equal(rings(), 2);
  for (const message of [...taken, ...take(p)]) releaseOutgoing(p.library, message);
  assert.equal(p.library.w[HEAD.outboxUnits], 0);
  assert.equal(leftovers(p), "");
});

test("what is packed behind a message that was sent is not of it, and nothing of the message changes", () => {
  const { p, a } = sender();
  a.call("pvm_initsend", 1);
  a.bytes.fill(1, 0x1000, 0x1000 + 9000);
  a.call("pvm_pkbyte", 0x1000, 9000, 1);
  a.call("pvm_send", tidOf(1), 1);
  a.bytes.fill(2, 0x1000, 0x1000 + 9000);
  a.call("pvm_pkbyte", 0x1000, 9000, 1);
  a.call("pvm_send", tidOf(1), 2);
  send(a, 3, 3);
  const [first, second, third] = take(p);
  assert.ok(copyOf(first!).length === 9000 && copyOf(first!).every((byte) => byte === 1));
  assert.ok(
    copyOf(second!)
      .subarray(9000)
      .every((byte) => byte === 2) && second!.bytes === 18000,
  );
  for (const message of [first!, second!, third!]) releaseOutgoing(p.library, message);
  assert.equal(leftovers(p), "");
});

test("a full outbox is waited for, and then the message is refused; when it has room again, all is as before", () => {
  const { p, a } = sender(256 << 20);
  const bytes = 1 << 20;
  a.call("pvm_initsend", 1);
  for (let i = 0; i < bytes / 0x8000; i++) a.call("pvm_pkbyte", 0x1000, 0x8000, 1);
  let sent = 0;
  while (p.nowMs === 0 && a.call("pvm_send", tidOf(1), 1) === 0) sent++;
  assert.equal(sent, Math.ceil(LIMITS.outboxBytes / (bytes + 64)));
  assert.equal(p.nowMs, LIMITS.outboxWaitMs);
  assert.equal(a.call("pvm_send", tidOf(1), 1), PVM_ERROR.PvmNoMem.code);
  const taken = take(p);
  assert.equal(taken.length, sent);
  releaseOutgoing(p.library, taken.pop()!);
  const waited = p.nowMs;
  assert.equal(a.call("pvm_send", tidOf(1), 1), 0);
  assert.equal(p.nowMs, waited);
  for (const message of [...taken, ...take(p)]) releaseOutgoing(p.library, message);
  assert.equal(leftovers(p), "");
});

test("who waits for room does not wait on when the process stops", () => {
  const { p, a } = sender(256 << 20);
  p.library.w[HEAD.outboxUnits] = LIMITS.outboxBytes;
  p.engines[0]!.edge.wait = () => {
    p.library.w[HEAD.stop] = STOP.interrupted;
  };
  assert.equal(send(a, 1, 1), PVM_ERROR.PvmNoMem.code);
  assert.equal(p.nowMs, 0);
  p.library.w[HEAD.outboxUnits] = 0;
  assert.equal(leftovers(p), "");
});

/** As an engine that the process's own thread runs: it cannot wait. */
function inTurns({ engines }: Process): Int32Array {
  const turn = new Int32Array(new SharedArrayBuffer(TURN.words * 4));
  Object.assign(engines[0]!.edge, { turn });
  return turn;
}

test("an engine on the own thread waits for room between its turns: its turn is over, and at twice the limit it is refused", () => {
  const { p, a } = sender(256 << 20);
  const turn = inTurns(p);
  const bytes = 1 << 20;
  a.call("pvm_initsend", 1);
  for (let i = 0; i < bytes / 0x8000; i++) a.call("pvm_pkbyte", 0x1000, 0x8000, 1);
  const limit = Math.ceil(LIMITS.outboxBytes / (bytes + 64));
  for (let sent = 0; sent < limit; sent++) {
    assert.equal(isOutboxFull(p.library.w), false);
    assert.equal(a.call("pvm_send", tidOf(1), 1), 0);
    assert.equal(turn[TURN.over], 0);
  }
  assert.equal(isOutboxFull(p.library.w), true);
  let beyond = 0;
  while (a.call("pvm_send", tidOf(1), 1) === 0) beyond++;
  assert.equal(beyond, limit);
  assert.deepEqual([turn[TURN.over], p.nowMs], [1, 0]);
  const taken = take(p);
  for (const message of taken.splice(limit)) releaseOutgoing(p.library, message);
  turn[TURN.waited] = 1;
  assert.equal(a.call("pvm_send", tidOf(1), 1), PVM_ERROR.PvmNoMem.code);
  for (const message of taken) releaseOutgoing(p.library, message);
  assert.equal(a.call("pvm_send", tidOf(1), 1), 0);
  for (const message of take(p)) releaseOutgoing(p.library, message);
  assert.equal(leftovers(p), "");
});

test("pvm_room tells, before it is sent, whether a message would have to wait", () => {
  const { p, a } = sender(256 << 20);
  const turn = inTurns(p);
  const { w } = p.library;
  const room = (bytes: number) => a.call("pvm_room", tidOf(1), bytes);
  assert.deepEqual([room(0), room(LIMITS.outboxBytes * 4)], [1, 1], "alone it may be of any length");
  a.call("pvm_initsend", 1);
  a.call("pvm_send", tidOf(1), 1);
  assert.deepEqual([room(LIMITS.outboxBytes / 2), room(LIMITS.outboxBytes)], [1, 0]);
  assert.equal(isOutboxFull(w), false);
  assert.equal(a.call("pvm_room", a.call("pvm_mytid"), LIMITS.outboxBytes), 1, "one of this process");
  assert.equal(a.call("pvm_room", -1, LIMITS.outboxBytes), 1, "nobody");
  for (let look = 0; look < LIMITS.vainLooks; look++) room(LIMITS.outboxBytes);
  assert.equal(turn[TURN.over], 1, "who looks in vain lets the own thread send");
  for (const message of take(p)) releaseOutgoing(p.library, message);
  assert.equal(leftovers(p), "");
});

test("an engine on the own thread ends its turn when its ULP looks for messages again and again in vain", () => {
  const { p, a } = sender();
  const turn = inTurns(p);
  for (let look = 1; look < LIMITS.vainLooks; look++) a.call("pvm_nrecv", -1, -1);
  assert.equal(turn[TURN.over], 0);
  a.call("pvm_nrecv", -1, -1);
  assert.equal(turn[TURN.over], 1);
  turn[TURN.over] = 0;
  for (let look = 0; look < LIMITS.vainLooks; look++) a.call("pvm_yield");
  assert.equal(turn[TURN.over], 1);
  assert.equal(leftovers(p), "");
});

test("the ULPs of a job have tids of their own, which are nobody's in another", () => {
  const p = processOf(IDLE, { ulps: 2, tidBase: tidBaseOf(3) });
  const a = actor(p, 0);
  assert.equal(a.call("pvm_mytid"), 0xc0001);
  a.call("pvm_initsend", 0);
  assert.equal(a.call("pvm_send", 0xc0002, 5), 0);
  assert.equal(p.library.w[p.ulp(1) + ULP.msgqCount], 1);
  assert.equal(a.call("pvm_send", 0x40002, 5), 0);
  assert.match(p.printed[0]!.text, /there never was a task t40002/);
  assert.equal(leftovers(p), "");
});

test.run();
