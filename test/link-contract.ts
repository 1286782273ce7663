/**
 * The contract of a link: every kind passes these tests (unit/net-memory-links, real/net-links).
 */
import assert from "node:assert/strict";
import { test } from "uvu";
import type { Frame, FrameSink, Link, LinkEnd, PeerIdentity } from "../net/link.ts";
import { ProtocolError } from "../net/link.ts";
import { LIMITS } from "../wire/limits.ts";
import { FRAME } from "../wire/protocol.ts";

export interface Ends {
  readonly a: Link;
  readonly b: Link;
  /** Breaks the link without a word, as when `a`'s host dies. */
  readonly cut: () => void;
  /** Lets go of what the ends stand on. */
  readonly stop: () => Promise<void>;
}
export const IDENTITY: { readonly a: PeerIdentity; readonly b: PeerIdentity } = {
  a: { role: "process", vm: "lab", host: "host1", job: 1, member: 0 },
  b: { role: "process", vm: "lab", host: "host2", job: 1, member: 1 },
};

/** Bytes that differ by place and seed. */
export function pattern(bytes: number, seed = 1): Uint8Array {
  const out = new Uint8Array(bytes);
  let x = seed >>> 0 || 1;
  for (let i = 0; i < bytes; i++) {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
    out[i] = x >>> 24;
  }
  return out;
}
const frame = (type: number, a: number, ...body: Uint8Array[]): Frame => ({ type, a, b: 0, c: 0, body });
const ended = (link: Link): Promise<LinkEnd> => new Promise((done) => link.onClose(done));
/** Waits until the test's condition holds; the runner's time limit ends a wait that never would. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((go) => setTimeout(go, 1));
}

export function linkContract(kind: string, make: () => Promise<Ends>): void {
  const check = (name: string, run: (ends: Ends) => Promise<void>): void => {
    test(`${kind}: ${name}`, async () => {
      const ends = await make();
      try {
        await run(ends);
      } finally {
        ends.a.close();
        ends.b.close();
        await ends.stop();
      }
    });
  };

  check("each end knows who the other is", async ({ a, b }) => {
    assert.deepEqual(a.peer, IDENTITY.b);
    assert.deepEqual(b.peer, IDENTITY.a);
  });

  check("frames of any size arrive as they were sent, in order, both ways", async ({ a, b }) => {
    const sizes = [
      0,
      1,
      15,
      4095,
      4096,
      4097,
      65_536,
      LIMITS.fragmentBytes,
      LIMITS.fragmentBytes + 1,
      3_000_000,
      2,
    ];
    const got: Record<string, Frame[]> = { a: [], b: [] };
    a.onFrame((f) => got["a"]!.push(f));
    b.onFrame((f) => got["b"]!.push(f));
    for (const [i, size] of sizes.entries()) {
      const body = pattern(size, i + 1);
      a.send({
        type: 1000 + i,
        a: i,
        b: 0xffff_ffff,
        c: 7,
        body: [body.subarray(0, size >> 1), body.subarray(size >> 1)],
      });
      b.send({ type: 2000 + i, a: i, b: 1, c: 0xffff_fffe, body: [body] });
    }
    await until(() => got["a"]!.length === sizes.length && got["b"]!.length === sizes.length);
    for (const [i, size] of sizes.entries()) {
      const expected = pattern(size, i + 1);
      const [atA, atB] = [got["a"]![i]!, got["b"]![i]!];
      assert.deepEqual([atB.type, atB.a, atB.b, atB.c], [1000 + i, i, 0xffff_ffff, 7]);
      assert.deepEqual([atA.type, atA.a, atA.b, atA.c], [2000 + i, i, 1, 0xffff_fffe]);
      for (const { body } of [atA, atB]) {
        assert.equal(body.length, 1);
        assert.ok(Buffer.from(body[0]!).equals(expected), `body of ${size} bytes`);
      }
    }
  });

  check("ten thousand small frames keep their order, and none is there twice", async ({ a, b }) => {
    const got: number[] = [];
    b.onFrame((f) => got.push(f.a));
    for (let i = 0; i < 10_000; i++) a.send(frame(1000, i, pattern(i % 50)));
    await until(() => got.length >= 10_000);
    assert.deepEqual(
      got,
      Array.from({ length: 10_000 }, (_, i) => i),
    );
  });

  check("what came before there is a taker is kept for it", async ({ a, b }) => {
    a.send(frame(1000, 1));
    await new Promise((go) => setTimeout(go, 5));
    const got: number[] = [];
    b.onFrame((f) => got.push(f.a));
    a.send(frame(1000, 2));
    await until(() => got.length === 2);
    assert.deepEqual(got, [1, 2]);
  });

  check("each body is told written once, and shared memory can be sent", async ({ a, b }) => {
    let bytes = 0;
    b.onFrame((f) => {
      bytes += f.body[0]!.length;
    });
    const counts = [0, 0, 0, 0];
    for (const [i, size] of [0, 100, 100_000, 1_000_000].entries()) {
      const shared = new Uint8Array(new SharedArrayBuffer(size));
      shared.set(pattern(size));
      a.send(frame(1000, i, shared), () => {
        counts[i]!++;
        shared.fill(0);
      });
    }
    await until(() => bytes === 1_100_100 && counts.every((n) => n > 0));
    assert.deepEqual(counts, [1, 1, 1, 1]);
  });

  check("a stream gets a long frame piece by piece, and one in a single piece too", async ({ a, b }) => {
    const log: string[] = [];
    const sink = (a: number): FrameSink => ({
      add: (piece) => log.push(`${a} +${piece.length > 0}`),
      end: () => log.push(`${a} end`),
      drop: () => log.push(`${a} drop`),
    });
    b.onStream(1000, (head) => sink(head.a));
    b.onFrame((f) => log.push(`frame ${f.a}`));
    const writer = a.begin({ type: 1000, a: 1, b: 0, c: 0 });
    writer.add(pattern(300_000));
    await until(() => log.length > 1);
    a.send(frame(1001, 2));
    a.send(frame(1000, 3, pattern(10)));
    writer.add(pattern(5));
    writer.end();
    await until(() => log.includes("1 end"));
    assert.ok(log.indexOf("frame 2") < log.indexOf("1 end"), "a frame in between overtakes the end");
    assert.deepEqual(
      log.filter((line) => line.startsWith("3")),
      ["3 +true", "3 end"],
    );
    assert.equal(log.filter((line) => line === "1 end").length, 1);
  });

  check(
    "a stream may say where its bytes are read to, and knows their number unless the sender did not",
    async ({ a, b }) => {
      const sizes = [0, 10, 5000, 70_000, 600_000];
      const got: Uint8Array[] = [];
      const lengths: (number | undefined)[] = [];
      b.onStream(1000, (_, bytes) => {
        const place = new Uint8Array(new SharedArrayBuffer(1 << 20));
        let came = 0;
        lengths.push(bytes);
        return {
          room: (most) => place.subarray(came, came + most),
          add: (piece) => {
            const there = piece.buffer === place.buffer && piece.byteOffset === came;
            if (!there) place.set(piece, came);
            came += piece.length;
          },
          end: () => got.push(place.subarray(0, came)),
          drop: () => {},
        };
      });
      b.onFrame(() => {});
      for (const size of sizes) {
        const bytes = pattern(size);
        a.send(frame(1000, 0, bytes.subarray(0, 3), bytes.subarray(3)));
      }
      const writer = a.begin({ type: 1000, a: 0, b: 0, c: 0 });
      for (const byte of pattern(200)) writer.add(Uint8Array.of(byte));
      writer.end();
      await until(() => got.length === sizes.length + 1);
      for (const [i, size] of [...sizes, 200].entries())
        assert.ok(Buffer.from(got[i]!).equals(pattern(size)));
      assert.deepEqual(lengths, [...sizes, undefined]);
    },
  );

  check("a stream is dropped when the link ends in its middle", async ({ a, b, cut }) => {
    const log: string[] = [];
    b.onStream(1000, () => ({
      add: () => log.push("add"),
      end: () => log.push("end"),
      drop: () => log.push("drop"),
    }));
    b.onFrame(() => {});
    a.begin({ type: 1000, a: 1, b: 0, c: 0 }).add(pattern(10));
    await until(() => log.length > 0);
    cut();
    await until(() => log.at(-1) === "drop");
  });

  check("a receiver that does not read slows the sender, whose queue stays bounded", async ({ a, b }) => {
    let got = 0;
    b.onFrame((f) => {
      got += f.body[0]!.length;
    });
    b.pause();
    const piece = pattern(100_000);
    const total = 40 << 20;
    let sent = 0;
    let most = 0;
    let waits = 0;
    const sender = (async () => {
      while (sent < total) {
        a.send(frame(1000, 0, piece));
        sent += piece.length;
        most = Math.max(most, a.queuedBytes);
        if (a.queuedBytes > LIMITS.linkQueueBytes) {
          waits++;
          await a.drained();
        }
      }
    })();
    await until(() => waits > 0);
    await new Promise((go) => setTimeout(go, 30));
    const stuckAt = sent;
    assert.ok(stuckAt < total, "the sender waits");
    b.resume();
    await sender;
    await until(() => got === sent);
    assert.ok(most <= LIMITS.linkQueueBytes + 2 * piece.length, `${most} bytes were queued`);
  });

  check("a taker may pause in the middle of what has come", async ({ a, b }) => {
    const got: number[] = [];
    b.onFrame((f) => {
      got.push(f.a);
      if (f.a === 3) b.pause();
    });
    for (let i = 0; i < 10; i++) a.send(frame(1000, i));
    await until(() => got.length >= 4);
    await new Promise((go) => setTimeout(go, 10));
    assert.deepEqual(got, [0, 1, 2, 3]);
    b.resume();
    await until(() => got.length === 10);
    assert.deepEqual(got, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  check("a sender that never waits is ended before it takes all memory", async ({ a, b }) => {
    b.onFrame(() => {});
    b.pause();
    const piece = new Uint8Array(8 << 20);
    for (
      let sent = 0;
      sent < LIMITS.linkQueueBytesMax + (128 << 20) && a.end === undefined;
      sent += piece.length
    ) {
      a.send(frame(1000, 0, piece));
      await new Promise((go) => setImmediate(go));
    }
    assert.equal((await ended(a)).why, "overrun");
    assert.equal(a.queuedBytes, 0);
    await a.drained();
  });

  check("what was sent before a close arrives; the peer hears that it left", async ({ a, b }) => {
    const got: number[] = [];
    b.onFrame((f) => got.push(f.body[0]!.length));
    a.send(frame(1000, 0, pattern(2_000_000)));
    a.send(frame(1000, 1, pattern(3)));
    a.close();
    assert.equal((await ended(b)).why, "left");
    assert.deepEqual(got, [2_000_000, 3]);
    assert.equal((await ended(a)).why, "closed");
    let written = 0;
    a.send(frame(1000, 2, pattern(3)), () => written++);
    assert.equal(written, 1, "a frame on a link that has ended is dropped");
    assert.equal(a.end?.why, "closed");
  });

  check("a link that breaks is lost, and says so once to each who asked", async ({ a, b, cut }) => {
    a.onFrame(() => {});
    b.onFrame(() => {});
    const told: string[] = [];
    b.onClose((end) => told.push(end.why));
    b.onClose((end) => told.push(end.why));
    cut();
    await ended(b);
    assert.deepEqual(told, ["lost", "lost"]);
    assert.equal((await ended(b)).why, "lost", "who asks late is told at once");
  });

  check("who sends what no peer sends ends the link, and harms nobody", async ({ a, b }) => {
    a.onFrame(() => {});
    b.onFrame(() => {
      throw new ProtocolError("nonsense");
    });
    a.send(frame(1000, 0));
    assert.deepEqual(await ended(b), { why: "broken", text: "nonsense" });
    assert.equal((await ended(a)).why, "lost");
  });

  for (const [what, b, c, body] of [
    ["that goes on without a beginning", 0, 0, new Uint8Array(20)],
    ["without a header", 1, 0, new Uint8Array(15)],
    ["that hides a frame of the link", 1, 0, Uint8Array.of(FRAME.BYE, ...new Uint8Array(15))],
    ["longer than its whole", 1, 3, new Uint8Array(20)],
    ["that ends before its whole does", 3, 5, new Uint8Array(20)],
    ["at a wrong place", 0, 5, new Uint8Array(20)],
  ] as const) {
    check(`a fragment ${what} ends the link`, async ({ a, b: other }) => {
      other.onFrame(() => {});
      if (what === "at a wrong place")
        a.send({ type: FRAME.FRAGMENT, a: 9, b: 1, c: 0, body: [new Uint8Array(20)] });
      a.send({ type: FRAME.FRAGMENT, a: 9, b, c, body: [body] });
      assert.equal((await ended(other)).why, "broken");
    });
  }

  check("more frames in fragments at once than the limit end the link", async ({ a, b }) => {
    b.onFrame(() => {});
    for (let i = 0; i <= LIMITS.openWholes; i++)
      a.begin({ type: 1000, a: i, b: 0, c: 0 }).add(new Uint8Array(1));
    assert.equal((await ended(b)).why, "broken");
  });
}
