/**
 * Everything that reads bytes of a peer gets garbage: cut, changed, lengths gone wild. It refuses by name, and holds no
 * more than its limit. fast-check prints the seed and the path that replay a failure.
 */
import assert from "node:assert/strict";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import fc from "fast-check";
import { test } from "uvu";
import { parseAddress } from "../../net/address.ts";
import { FrameReader } from "../../net/frame-reader.ts";
import { FramedLink } from "../../net/framed-link.ts";
import { Intake } from "../../net/intake.ts";
import { type Frame, type Link, ProtocolError } from "../../net/link.ts";
import { memoryLinks } from "../../net/memory-links.ts";
import { frameBytes, openLink } from "../../net/open-link.ts";
import { Rpc } from "../../net/rpc.ts";
import { UpvmError } from "../../wire/errors.ts";
import { LIMITS } from "../../wire/limits.ts";
import { FRAME, FRAMES } from "../../wire/protocol.ts";
import { FakeStream } from "../fake-stream.ts";
import { IDENTITY } from "../link-contract.ts";

const RUNS = 150;
const word = fc.oneof(
  fc.nat(20),
  fc.constantFrom(0xffff_ffff, 0x8000_0000, LIMITS.frameBytes),
  fc.nat(0xffff_ffff),
);
const type = fc.oneof(fc.constantFrom(...Object.values(FRAMES).map(({ code }) => code)), fc.nat(2000));
const body = fc.uint8Array({ maxLength: 200 });
const frames = fc.array(fc.record({ type, a: word, b: word, c: word, body: fc.tuple(body) }), {
  maxLength: 12,
});
const cuts = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 20 });

/** Bytes in chunks of these lengths, over and over. */
function* chunks(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = at + (lengths[i % lengths.length] as number);
    yield bytes.slice(at, end);
    at = end;
  }
}
const encoded = (all: readonly Frame[]): Uint8Array => Buffer.concat(all.map(frameBytes));

test("frames come out as they went in, however their bytes are cut", () => {
  fc.assert(
    fc.property(frames, cuts, (all, lengths) => {
      const reader = new FrameReader(LIMITS.frameBytes);
      const got: Frame[] = [];
      for (const chunk of chunks(encoded(all), lengths)) {
        reader.push(chunk);
        for (let next = reader.next(); next !== undefined; next = reader.next()) {
          const { pieces, ...head } = next;
          got.push({ ...head, body: [new Uint8Array(Buffer.concat(pieces))] });
        }
      }
      assert.deepEqual(
        got,
        all.map((frame) => ({ ...frame })),
      );
    }),
    { numRuns: RUNS },
  );
});

test("a reader of garbage gives frames within the limit or a ProtocolError, and nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), frames, cuts, fc.nat(), (noise, all, lengths, at) => {
      const bytes = Buffer.from(encoded(all));
      bytes.set(
        noise.subarray(0, Math.max(0, bytes.length - (at % (bytes.length + 1)))),
        at % (bytes.length + 1),
      );
      const reader = new FrameReader(100);
      try {
        for (const chunk of chunks(Buffer.concat([bytes, noise]), lengths)) {
          reader.push(chunk);
          for (let next = reader.next(); next !== undefined; next = reader.next())
            assert.ok(next.pieces.reduce((sum, piece) => sum + piece.length, 0) <= 100 - 16);
        }
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error));
      }
    }),
    { numRuns: RUNS },
  );
});

test("fragments of any kind in any order make frames or a ProtocolError; all sinks are ended or dropped once", () => {
  const serial = fc.nat(3);
  const fragment = fc.record({
    a: serial,
    b: fc.nat(3),
    c: fc.oneof(fc.constantFrom(0, 16, 184), word),
    body,
  });
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 20 }), (all) => {
      const intake = new Intake();
      let open = 0;
      intake.onFrame(() => {});
      for (const streamed of [0, 1, 5])
        intake.onStream(streamed, () => {
          open++;
          return { add: () => {}, end: () => open--, drop: () => open-- };
        });
      try {
        for (const { body: bytes, ...fields } of all)
          intake.accept({ type: FRAME.FRAGMENT, ...fields }, [bytes]);
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error));
      }
      intake.drop();
      assert.equal(open, 0);
    }),
    { numRuns: RUNS },
  );
});

test("a link that gets garbage ends, or goes on, and hands up nothing that belongs to the link", () => {
  fc.assert(
    fc.property(frames, fc.uint8Array({ maxLength: 60 }), cuts, (all, noise, lengths) => {
      const stream = new FakeStream();
      const link = new FramedLink(IDENTITY.b, 0, stream, new FrameReader(0), () => () => {});
      const linkTypes: number[] = [FRAME.FRAGMENT, FRAME.BYE, FRAME.ULP_LIBALIVE, FRAME.ULP_LIBALIVEQ];
      link.onFrame((frame) => assert.ok(!linkTypes.includes(frame.type)));
      for (const chunk of chunks(Buffer.concat([encoded(all), noise]), lengths)) stream.taker.bytes(chunk);
      stream.taker.ended("over");
      assert.ok(link.end !== undefined);
    }),
    { numRuns: RUNS },
  );
});

test("requests of any content are refused or answered, and cost a link at most", async () => {
  const json = fc.json({ maxDepth: 3 }).map((text) => new TextEncoder().encode(text));
  const ask = fc.oneof(
    body,
    json,
    fc.jsonValue().map((value) => new TextEncoder().encode(JSON.stringify(["ping", value]))),
  );
  const frame = fc.record({
    type: fc.constantFrom(80, 81, 82, 83),
    a: fc.nat(3),
    b: word,
    exact: fc.boolean(),
    c: word,
    ask,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { maxLength: 8 }), async (all) => {
      const { a, b } = memoryLinks(IDENTITY.a, IDENTITY.b);
      const bugs: unknown[] = [];
      const rpc = new Rpc(b, {}, { onBug: (error) => bugs.push(error) });
      const asked = [rpc.request("ping", {}, undefined, 0), rpc.request("ping", {}, undefined, 0)];
      const settled = Promise.allSettled(asked);
      a.onFrame(() => {});
      for (const { ask: bytes, exact, c, ...fields } of all)
        a.send({ ...fields, c: exact ? bytes.length : c, body: [bytes] });
      await new Promise((go) => setImmediate(go));
      b.close();
      for (const result of await settled)
        if (result.status === "rejected")
          assert.ok(result.reason instanceof UpvmError, String(result.reason));
      assert.deepEqual(bugs, []);
    }),
    { numRuns: 60 },
  );
});

const KEY = randomBytes(32);
/** Both sides of a handshake over streams whose bytes a test may change. @returns links or failures */
function handshake(change: (bytes: Buffer, from: number) => Buffer): { links: (Link | undefined)[] } {
  const streams = [new FakeStream(), new FakeStream()] as const;
  const links: (Link | undefined)[] = [undefined, undefined];
  const crypto = {
    random: (bytes: number) => randomBytes(bytes),
    hmac: (key: Uint8Array, parts: readonly Uint8Array[]) =>
      parts.reduce((hmac, part) => hmac.update(part), createHmac("sha256", key)).digest(),
    equal: timingSafeEqual,
  };
  for (const [i, side] of (["caller", "listener"] as const).entries()) {
    const identity = i === 0 ? IDENTITY.a : IDENTITY.b;
    openLink(streams[i]!, { side, key: KEY, identity, crypto, after: () => () => {} }, (opened) => {
      if ("link" in opened) links[i] = opened.link;
    });
  }
  for (let round = 0; round < 8; round++) {
    for (const from of [0, 1]) {
      const bytes = streams[from]!.bytes();
      streams[from]!.clear();
      if (bytes.length > 0) streams[1 - from]!.taker.bytes(change(bytes, from));
    }
  }
  return { links };
}

test("a handshake in which anything was changed, cut or added makes no link that was not meant", () => {
  assert.ok(handshake((bytes) => bytes).links.every((link) => link !== undefined));
  fc.assert(
    fc.property(
      fc.nat(6),
      fc.nat(400),
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      fc.boolean(),
      (at, place, noise, cut) => {
        let index = 0;
        let changed = false;
        const { links } = handshake((bytes) => {
          if (index++ !== at) return bytes;
          const where = place % bytes.length;
          const damaged = cut
            ? bytes.subarray(0, where)
            : Buffer.concat([bytes.subarray(0, where), noise, bytes.subarray(where + noise.length)]);
          changed = !damaged.equals(bytes);
          return damaged;
        });
        if (changed) assert.ok(links[0] === undefined || links[1] === undefined);
        for (const [i, link] of links.entries())
          if (link !== undefined) assert.deepEqual(link.peer, i === 0 ? IDENTITY.b : IDENTITY.a);
      },
    ),
    { numRuns: RUNS },
  );
});

test("any text is an address or is refused as one", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `tcp:${text}`),
        fc.webUrl(),
      ),
      (text) => {
        try {
          const address = parseAddress(text);
          if (address.kind !== "unix") assert.ok(address.port <= 65_535 && address.host !== "");
        } catch (error) {
          assert.ok(error instanceof UpvmError && error.code === "BAD_ADDRESS");
        }
      },
    ),
    { numRuns: RUNS },
  );
});

test.run();
