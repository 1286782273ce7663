/** Messages of other processes while they come: into the heap, however they are cut, and nothing stays of what does not come. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { Intake } from "../../net/intake.ts";
import { type Frame, type FrameHead, ProtocolError } from "../../net/link.ts";
import { memoryLinks } from "../../net/memory-links.ts";
import { drainOutbox, releaseOutgoing } from "../../runtime/scheduler/outbox.ts";
import { takeOutside } from "../../runtime/scheduler/outside.ts";
import { arrivingIn, type BeginMail, ComingMail } from "../../upvm/coming-mail.ts";
import { joined, type Mail, PeerLinks } from "../../upvm/peer-links.ts";
import { ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { FRAME, SEND_HEAD } from "../../wire/protocol.ts";
import { tidOf } from "../../wire/pvm.ts";
import { IDENTITY, pattern } from "../link-contract.ts";
import { actor, IDLE, leftovers, type Process, processOf } from "../one-thread.ts";
import { Timeline } from "../timeline.ts";

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

test("announced lengths leave a part of the heap to everybody else; what is beyond comes beside it and is received", () => {
  const p = process();
  const a = actor(p, 0);
  const { heap } = p.library;
  const free = heap.leftBytes();
  const part = heap.u8.length * LIMITS.heapSparePart;
  const announced: ComingMail[] = [];
  for (let bytes = heap.u8.length; bytes > LIMITS.smallFrameBytes; bytes = Math.floor(bytes / 2)) {
    for (let i = 0; i < 4; i++) {
      const coming = new ComingMail(FRAME_HEAD, bytes, into(p), () => assert.fail("it has not come"));
      coming.add(body(0));
      announced.push(coming);
    }
  }
  const left = heap.leftBytes();
  assert.ok(left < free && left > part - 2 * LIMITS.arenaChunkBytes, `${left} of ${free} bytes are left`);
  const all = body(20_000);
  const [mail] = come(all, 1000, all.length, into(p));
  assert.equal(mail!.deliver, undefined);
  assert.equal(takeOutside(p.library, { ...mail!, data: joined(mail!) }), true);
  assert.ok(a.call("pvm_recv", tidOf(1), 7) > 0);
  for (const coming of announced) coming.drop();
  assert.equal(heap.leftBytes() > left, true);
  assert.equal(leftovers(p), "");
});

test("what no process sends is refused: receivers, encodings", () => {
  const p = process();
  const refused = (head: FrameHead, all: Uint8Array): void =>
    assert.throws(() => {
      const coming = new ComingMail(head, all.length, into(p), () => {});
      coming.add(all);
      coming.end();
    }, ProtocolError);
  for (const encoding of [-1, 3, 0x7fff_ffff]) {
    const all = body(10);
    new DataView(all.buffer).setInt32(4 * SEND_HEAD.encoding, encoding, true);
    refused(FRAME_HEAD, all);
  }
  for (const receivers of [0, LIMITS.mcastReceivers + 1, 0xffff_ffff])
    refused({ ...FRAME_HEAD, type: FRAME.ULP_MCAST, a: receivers }, body(100));
  assert.equal(leftovers(p), "");
});

test("frames of any fields, lengths and cuts are messages or a ProtocolError, and nothing stays in the heap", () => {
  const p = process();
  const chance = new Timeline(3);
  const types = [FRAME.ULP_SEND, FRAME.ULP_MCAST, FRAME.ULP_MSGFWD, FRAME.FRAGMENT];
  const words = [
    0,
    1,
    2,
    3,
    17,
    60,
    100_000,
    0x7fff_ffff,
    0xffff_ffff,
    LIMITS.wholeBytes,
    tidOf(0),
    tidOf(1),
  ];
  let whole = 0;
  let refused = 0;
  for (let run = 0; run < 300; run++) {
    const intake = new Intake();
    intake.onFrame(() => {});
    for (const type of types.slice(0, 3))
      intake.onStream(
        type,
        (head, bytes) =>
          new ComingMail(head, bytes, into(p), (mail) => {
            whole++;
            const bytesCame = mail.pieces.reduce((sum, { length }) => sum + length, 0);
            assert.equal(bytesCame, mail.bytes);
            mail.release();
          }),
      );
    try {
      for (let n = 1 + chance.below(6); n > 0; n--) {
        const frame = {
          type: chance.pick(types),
          a: chance.pick(words),
          b: chance.below(4),
          c: chance.pick(words),
        };
        const inner = Uint32Array.of(chance.pick(types), chance.pick(words), 0, 0);
        const content = Array.from(
          { length: chance.below(12) },
          () => chance.pick(words) & chance.pick([-1, 3]),
        );
        const all = Buffer.concat([
          new Uint8Array(inner.buffer, 0, frame.type === FRAME.FRAGMENT ? 16 : 0),
          new Uint8Array(Int32Array.from(content).buffer),
          new Uint8Array(chance.below(3) * 3000),
        ]);
        const sink = intake.begin(frame, all.length);
        const cut = 1 + chance.below(40);
        for (let at = 0; at < all.length; at += cut) sink.add(all.subarray(at, at + cut));
        sink.end();
      }
    } catch (error) {
      assert.ok(error instanceof ProtocolError, String(error));
      refused++;
    }
    intake.drop();
  }
  assert.ok(whole > 20 && refused > 20, `${whole} messages, ${refused} refused`);
  assert.equal(leftovers(p), "");
});

test("a multicast goes to each host once, whatever its length, and keeps its place among a sender's messages", async () => {
  const here = [0, 1];
  const elsewhere = (own: readonly number[]) => (index: number) => !own.includes(index);
  const options = { ulps: 5, outside: true };
  const from = processOf(IDLE, { ...options, elsewhere: elsewhere(here) });
  const to = processOf(IDLE, { ...options, elsewhere: elsewhere([2, 3, 4]) });
  from.engines[0]!.edge.ringOutbox = () => {};
  const { a, b } = memoryLinks(IDENTITY.a, IDENTITY.b);
  const nobody = () => assert.fail("no such frame was sent");
  const came: number[] = [];
  const linksOf = (p: Process) =>
    new PeerLinks({
      library: () => p.library,
      mail: (mail) => {
        came.push(mail.to);
        assert.equal(mail.deliver!(), true);
      },
      frame: nobody,
      late: nobody,
      state: nobody,
      lost: () => {},
    });
  const out = linksOf(from);
  const sent: Frame[] = [];
  const send = a.send.bind(a);
  a.send = (frame, written) => {
    sent.push(frame);
    send(frame, written);
  };
  out.add(1, a);
  const into = linksOf(to);
  into.add(0, b);
  const sender = actor(from, 0);
  const receivers = [tidOf(2), tidOf(3), tidOf(4)];
  for (const [i, tid] of receivers.entries()) sender.view.setInt32(0x100 + 4 * i, tid, true);
  const leave = (): void =>
    drainOutbox(from.library, (mail) =>
      out.mail(1, { ...mail, release: () => releaseOutgoing(from.library, mail) }, 0),
    );
  for (const bytes of [40, 30_000]) {
    const data = pattern(bytes, bytes);
    sender.bytes.set(data, 0x1000);
    const before = (tag: number): void => {
      sender.call("pvm_initsend", 1);
      assert.equal(sender.call("pvm_send", tidOf(3), tag), 0);
    };
    before(1);
    sender.call("pvm_initsend", 1);
    sender.call("pvm_pkbyte", 0x1000, bytes, 1);
    assert.equal(sender.call("pvm_mcast", 0x100, 3, 2), 0);
    before(3);
    sent.length = 0;
    came.length = 0;
    leave();
    await new Promise((go) => setTimeout(go, 1));
    assert.deepEqual(
      sent.map(({ type }) => type),
      [FRAME.ULP_SEND, FRAME.ULP_MCAST, FRAME.ULP_SEND],
    );
    assert.deepEqual(came, [tidOf(3), ...receivers, tidOf(3)]);
    for (const index of [2, 3, 4]) {
      const receiver = actor(to, index);
      if (index === 3) assert.ok(receiver.call("pvm_recv", tidOf(0), 1) > 0);
      assert.ok(receiver.call("pvm_recv", tidOf(0), -1) > 0);
      assert.equal(receiver.call("pvm_upkbyte", 0x1000, bytes, 1), 0);
      assert.ok(Buffer.from(receiver.bytes.subarray(0x1000, 0x1000 + bytes)).equals(data));
      if (index === 3) assert.ok(receiver.call("pvm_recv", tidOf(0), 3) > 0);
    }
  }
  assert.deepEqual([out.counts().sent, into.counts().received], [[0, 10], [10]]);
  out.close();
  assert.equal(leftovers(from), "");
  assert.equal(leftovers(to), "");
});

test.run();
