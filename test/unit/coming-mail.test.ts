/** Messages of other processes while they come: into the heap, however they are cut, and nothing stays of what does not come. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { ProtocolError } from "../../net/link.ts";
import { arrivingIn, type BeginMail, ComingMail } from "../../upvm/coming-mail.ts";
import { joined, type Mail } from "../../upvm/peer-links.ts";
import { ULP } from "../../wire/layout.ts";
import { SEND_HEAD } from "../../wire/protocol.ts";
import { tidOf } from "../../wire/pvm.ts";
import { pattern } from "../link-contract.ts";
import { actor, IDLE, leftovers, type Process, processOf } from "../one-thread.ts";

const FRAME_HEAD = { type: 5, a: tidOf(0), b: tidOf(1), c: 0 };

function process(): Process {
  return processOf(IDLE, { ulps: 2, elsewhere: (index) => index === 1, outside: true });
}
function body(bytes: number): Uint8Array {
  const head = new Int32Array(SEND_HEAD.words);
  head[SEND_HEAD.tag] = 7;
  head[SEND_HEAD.encoding] = 1;
  return Uint8Array.of(...new Uint8Array(head.buffer), ...pattern(bytes));
}
const into =
  (p: Process): BeginMail =>
  (head, bytes) =>
    arrivingIn(p.library, head, bytes);
const nowhere: BeginMail = () => undefined;

/** Lets a message come in pieces of so many bytes, every other one where it says that it belongs. */
function come(all: Uint8Array, cut: number, total: number | undefined, begin: BeginMail): Mail[] {
  const got: Mail[] = [];
  const coming = new ComingMail(FRAME_HEAD, total, begin, (mail) => got.push(mail));
  for (let at = 0, turn = 0; at < all.length; turn++) {
    const room = turn % 2 === 1 ? coming.room(all.length - at) : undefined;
    const piece = all.slice(at, at + Math.min(cut, room?.length ?? cut));
    if (room === undefined) coming.add(piece);
    else {
      room.set(piece);
      coming.add(room.subarray(0, piece.length));
    }
    // It was lent.
    piece.fill(0xee);
    at += piece.length;
  }
  coming.end();
  return got;
}

test("a message is received as it was sent, however it is cut, also if its length or a place for it is not known", () => {
  const p = process();
  const a = actor(p, 0);
  for (const bytes of [0, 1, 40, 5000, 100_000]) {
    for (const cut of [1, 15, 16, 17, 4096, 1 << 20]) {
      if (bytes / cut > 6000) continue;
      const all = body(bytes);
      for (const [total, begin] of [
        [all.length, into(p)],
        [undefined, into(p)],
        [all.length, nowhere],
      ] as const) {
        const [mail] = come(all, cut, total, begin);
        const what = `${bytes} bytes in pieces of ${cut}`;
        assert.equal(mail!.deliver !== undefined, total !== undefined && begin !== nowhere);
        assert.deepEqual([mail!.to, mail!.src, mail!.tag, mail!.bytes], [tidOf(0), tidOf(1), 7, bytes], what);
        assert.ok(Buffer.from(joined(mail!)).equals(pattern(bytes)), what);
        if (mail!.deliver === undefined) mail!.release();
        else if (cut === 4096) {
          assert.equal(mail!.deliver(), true);
          assert.ok(a.call("pvm_recv", tidOf(1), 7) > 0);
          const some = Math.min(bytes, 1000);
          assert.equal(a.call("pvm_upkbyte", 0x1000, some, 1), 0);
          assert.ok(Buffer.from(a.bytes.subarray(0x1000, 0x1000 + some)).equals(pattern(some)), what);
        } else mail!.release();
      }
    }
  }
  assert.equal(p.library.w[p.ulp(0) + ULP.inboxCount], 0);
  assert.equal(leftovers(p), "");
});

test("of a message that does not come to its end nothing stays; one that is shorter than its head is refused", () => {
  const p = process();
  for (const came of [0, 10, 16, 1000]) {
    const all = body(5000);
    const coming = new ComingMail(FRAME_HEAD, all.length, into(p), () => assert.fail("it has not come"));
    if (came > 0) coming.add(all.subarray(0, came));
    coming.drop();
  }
  const short = new ComingMail(FRAME_HEAD, 15, into(p), () => assert.fail("it is none"));
  short.add(new Uint8Array(15));
  assert.throws(() => short.end(), ProtocolError);
  assert.equal(leftovers(p), "");
});

test("a heap without room is no end: the message comes beside it", () => {
  const p = process();
  const all = body(1000);
  const [mail] = come(all, 4096, all.length, (head) => arrivingIn(p.library, head, 1 << 30));
  assert.equal(mail!.deliver, undefined);
  assert.ok(Buffer.from(joined(mail!)).equals(pattern(1000)));
  assert.equal(leftovers(p), "");
});

test.run();
