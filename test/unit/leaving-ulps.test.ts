/** What comes for a ULP whose state leaves: each message goes with it, behind it or after it, once; and all stay if it does. */
import assert from "node:assert/strict";
import { test } from "uvu";
import type { Link } from "../../net/link.ts";
import { hexOf } from "../../runtime/migrate/image-head.ts";
import type { MoveEvent } from "../../runtime/migrate/moves.ts";
import { LeavingUlps } from "../../upvm/leaving-ulps.ts";
import type { MoverWorld } from "../../upvm/mover.ts";
import type { Mail } from "../../upvm/peer-links.ts";
import { BLOCK_KIND, ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { FRAME } from "../../wire/protocol.ts";
import { tidOf } from "../../wire/pvm.ts";
import { IDLE, processOf } from "../one-thread.ts";
import { blocks, frozen, HASH, outside, ownActor, say } from "../two-processes.ts";

const TO = 1;

/** ULP 0 is frozen and its state has left with one message of ULP 1; nothing of what leaves is written before the test says so. */
async function leaving() {
  const p = processOf(IDLE, { ulps: 3, elsewhere: (index) => index === 2, ...outside });
  const [a, b] = [ownActor(p, 0), ownActor(p, 1)];
  a.call("pvm_mytid");
  const late: Mail[] = [];
  const after: Mail[] = [];
  const types: number[] = [];
  const timers: (() => void)[] = [];
  const givenBack: Uint8Array[] = [];
  const link = { queuedBytes: 0, send: ({ type }: { type: number }) => types.push(type) } as unknown as Link;
  const { library } = p;
  const freezer = {
    freeze: (index: number) => frozen(p, index),
    thaw: p.freezer.thaw.bind(p.freezer),
    release: p.freezer.release.bind(p.freezer),
  };
  const world = {
    process: { library, freezer, grants: [], nowMs: () => 0 },
    links: {
      link: () => link,
      send: (_: number, { type }: { type: number }) => types.push(type),
      late: (_: number, mail: Mail) => late.push(mail),
      mail: (_: number, mail: Mail) => after.push(mail),
    },
    hashes: [hexOf(HASH)],
    arrivals: { idle: true },
    pages: { giveBack: (bytes: Uint8Array) => givenBack.push(bytes) },
    drain: () => {},
    after: (ms: number, run: () => void) => {
      assert.equal(ms, LIMITS.moveOfferMs);
      timers.push(run);
    },
  } as unknown as MoverWorld;
  const events: MoveEvent[] = [];
  const ulps = new LeavingUlps(world, (event) => events.push(event));
  const tid = tidOf(0);
  ulps.offer(TO, { kind: "PREPARE", tid, move: 1, member: 0, revision: 0 });
  assert.deepEqual(types, []);
  say(b, tid, 1, 10);
  await ulps.freeze(tid, 1);
  assert.deepEqual(types, [FRAME.ULP_PREPARE]);
  for (const run of timers) run();
  ulps.shipMemory(tid, 1, TO);
  void ulps.ship(tid, 1);
  assert.deepEqual(types, [FRAME.ULP_PREPARE, FRAME.ULP_STATE, FRAME.ULP_STATE, FRAME.ULP_STATE_END]);
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ["frozen"],
  );
  return { p, b, ulps, tid, late, after, givenBack };
}

const tags = (mails: readonly Mail[]): number[] => mails.map(({ tag }) => tag);

test("what comes behind the state is sent once, in order, and what comes behind that goes on when the ULP has moved", async () => {
  const { p, b, ulps, tid, late, after, givenBack } = await leaving();
  say(b, tid, 2, 20);
  say(b, tid, 3, 30);
  assert.ok(ulps.keepsFrom(b.tid));
  ulps.shipLate(tid, 1, TO);
  assert.deepEqual(tags(late), [2, 3]);
  ulps.shipLate(tid, 1, TO);
  assert.deepEqual(tags(late), [2, 3]);
  assert.equal(new DataView(late[1]!.pieces[0]!.slice().buffer).getInt32(0, true), 30);
  say(b, tid, 4, 40);
  assert.deepEqual(givenBack, []);
  ulps.free(tid, TO);
  assert.equal(givenBack.length, 1, "its memory goes back to the system");
  assert.deepEqual(tags(after), [4]);
  assert.ok(!ulps.keepsFrom(b.tid));
  // Only now the link has written them: until then their bytes are where they were.
  assert.equal(new DataView(late[0]!.pieces[0]!.slice().buffer).getInt32(0, true), 20);
  for (const mail of [...late, ...after]) mail.release();
  const left = blocks(p);
  assert.equal(left[BLOCK_KIND.message], undefined);
  // The sender's own send buffer.
  assert.equal(left[BLOCK_KIND.buffer], 1);
});

test("a ULP that stays has all that came for it, though some of it was sent behind its state", async () => {
  const { p, b, ulps, tid, late, after, givenBack } = await leaving();
  say(b, tid, 2, 20);
  ulps.shipLate(tid, 1, TO);
  assert.deepEqual(tags(late), [2]);
  ulps.stopShipping(tid);
  ulps.thaw(tid);
  assert.deepEqual(givenBack, []);
  const { w } = p.library;
  const count = w[p.ulp(0) + ULP.msgqCount]!;
  assert.equal(count, 1);
  assert.notEqual(w[p.ulp(0) + ULP.inbox], 0);
  assert.deepEqual(after, []);
  for (const mail of late) mail.release();
});

test("a destination that has not been asked when a move is given up is never asked", async () => {
  const p = processOf(IDLE, { ulps: 2, elsewhere: (index) => index === 1, ...outside });
  const types: number[] = [];
  const timers: (() => void)[] = [];
  const world = {
    process: { library: p.library },
    links: { send: (_: number, { type }: { type: number }) => types.push(type) },
    hashes: [hexOf(HASH)],
    after: (_: number, run: () => void) => timers.push(run),
  } as unknown as MoverWorld;
  const ulps = new LeavingUlps(world, () => {});
  const offer = (move: number): void =>
    ulps.offer(TO, { kind: "PREPARE", tid: tidOf(0), move, member: 0, revision: 0 });
  offer(1);
  ulps.withdraw(tidOf(0));
  for (const run of timers) run();
  assert.deepEqual(types, []);
  // The timer of an earlier move is none of the next one's.
  offer(2);
  timers[0]!();
  assert.deepEqual(types, []);
  timers[1]!();
  timers[1]!();
  assert.deepEqual(types, [FRAME.ULP_PREPARE]);
});

test.run();
