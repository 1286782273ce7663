/** Limits of links and requests that no ordinary use reaches. */
import assert from "node:assert/strict";
import { test } from "uvu";
import * as v from "valibot";
import { FrameReader } from "../../net/frame-reader.ts";
import { FramedLink } from "../../net/framed-link.ts";
import { Gathered } from "../../net/gathered.ts";
import { Intake } from "../../net/intake.ts";
import { ProtocolError } from "../../net/link.ts";
import { memoryLinks } from "../../net/memory-links.ts";
import { Rpc } from "../../net/rpc.ts";
import { UpvmError } from "../../wire/errors.ts";
import { LIMITS } from "../../wire/limits.ts";
import { FRAGMENT_FIRST, FRAGMENT_LAST, FRAME, FRAME_WORDS_BYTES } from "../../wire/protocol.ts";
import type { RpcTable } from "../../wire/rpc.ts";
import { FakeStream } from "../fake-stream.ts";
import { IDENTITY } from "../link-contract.ts";

test("fragments of one link come to LIMITS.wholeBytes together and no further, also those of frames side by side", () => {
  const intake = new Intake();
  intake.onFrame(() => {});
  intake.onStream(1000, () => ({ add: () => {}, end: () => {}, drop: () => {} }));
  const piece = new Uint8Array(LIMITS.fragmentBytes);
  const head = new Uint8Array(FRAME_WORDS_BYTES);
  new DataView(head.buffer).setUint32(0, 1000, true);
  for (const serial of [1, 2])
    intake.accept({ type: FRAME.FRAGMENT, a: serial, b: FRAGMENT_FIRST, c: 0 }, [head]);
  const half = LIMITS.wholeBytes / 2;
  for (let at = 0; at < half; at += piece.length)
    for (const serial of [1, 2]) intake.accept({ type: FRAME.FRAGMENT, a: serial, b: 0, c: at }, [piece]);
  assert.throws(
    () => intake.accept({ type: FRAME.FRAGMENT, a: 1, b: 0, c: half }, [Uint8Array.of(1)]),
    (error: unknown) => error instanceof ProtocolError && /1073741824 bytes/.test(error.message),
  );
});

test("an announced length counts as if it had come, before anybody is told of it, until its frame has ended", () => {
  const opened = (): {
    intake: Intake;
    told: (number | undefined)[];
    first: (a: number, c: number) => void;
  } => {
    const intake = new Intake();
    const told: (number | undefined)[] = [];
    intake.onStream(1000, (_, bytes) => {
      told.push(bytes);
      return { add: () => {}, end: () => {}, drop: () => {} };
    });
    const head = new Uint8Array(FRAME_WORDS_BYTES + 1);
    new DataView(head.buffer).setUint32(0, 1000, true);
    return {
      intake,
      told,
      first: (a, c) => intake.accept({ type: FRAME.FRAGMENT, a, b: FRAGMENT_FIRST, c }, [head]),
    };
  };
  const refused = (error: unknown): boolean =>
    error instanceof ProtocolError && /1073741824 bytes/.test(error.message);
  const long = opened();
  assert.throws(() => long.first(1, LIMITS.wholeBytes + 1), refused);
  assert.throws(() => opened().first(1, 0xffff_ffff), refused);
  const many = opened();
  many.first(1, LIMITS.wholeBytes - 2);
  many.first(2, 2);
  assert.throws(() => many.first(3, 1), refused);
  assert.deepEqual([long.told, many.told], [[], [LIMITS.wholeBytes - 2, 2]]);
  // What has ended counts no more, by what it was counted with.
  const ends = opened();
  for (let serial = 1; serial < 5; serial++) {
    ends.first(serial, 2);
    ends.first(serial + 100, 0);
    for (const a of [serial, serial + 100])
      ends.intake.accept({ type: FRAME.FRAGMENT, a, b: FRAGMENT_LAST, c: 1 }, [Uint8Array.of(1)]);
  }
  ends.first(99, LIMITS.wholeBytes);
  assert.equal(ends.told.at(-1), LIMITS.wholeBytes);
});

test("a body that comes byte by byte is kept in blocks, not byte by byte", () => {
  const gathered = new Gathered();
  const bytes = 5 * LIMITS.linkBlockBytes;
  const one = new Uint8Array(1);
  for (let at = 0; at < bytes; at++) {
    one[0] = at % 251;
    gathered.add(one);
  }
  const { pieces } = gathered;
  assert.ok(pieces.length < 40, `${pieces.length} pieces`);
  const held = pieces.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  assert.ok(held <= 2 * bytes, `${held} bytes for ${bytes}`);
  const all = Buffer.concat(pieces);
  assert.equal(all.length, bytes);
  assert.ok(all.every((byte, at) => byte === at % 251));
  const long = new Gathered();
  for (let i = 0; i < 3; i++) long.add(new Uint8Array(LIMITS.linkPlaceBytes));
  assert.deepEqual(
    long.pieces.map(({ buffer }) => buffer.byteLength),
    [LIMITS.linkPlaceBytes, LIMITS.linkPlaceBytes, LIMITS.linkPlaceBytes],
  );
});

test("a frame of LIMITS.frameBytes is read, a longer one refused by its first four bytes", () => {
  const length = (bytes: number): Uint8Array => new Uint8Array(Uint32Array.of(bytes).buffer);
  const reader = new FrameReader(LIMITS.frameBytes);
  reader.push(length(LIMITS.frameBytes));
  assert.equal(reader.next(), undefined);
  reader.push(new Uint8Array(LIMITS.frameBytes));
  assert.ok(reader.next() !== undefined);
  reader.push(length(LIMITS.frameBytes + 1));
  assert.throws(() => reader.next(), ProtocolError);
});

test("a closed link whose peer takes nothing is let go after LIMITS.linkCloseMs", () => {
  const stream = new FakeStream();
  const timers: [number, () => void][] = [];
  const link = new FramedLink(IDENTITY.b, 0, stream, new FrameReader(0), (ms, run) => {
    timers.push([ms, run]);
    return () => {};
  });
  link.close();
  assert.equal(stream.state, "ended");
  const [, letGo] = timers.find(([ms]) => ms === LIMITS.linkCloseMs)!;
  letGo();
  assert.equal(stream.state, "destroyed");
});

const TABLE = {
  wait: { from: ["process"], ask: v.string(), reply: v.string(), doc: "" },
} as const satisfies RpcTable;

test("a peer that asks for more at once than LIMITS.rpcWaiting is refused what is beyond", async () => {
  const { a, b } = memoryLinks(IDENTITY.a, IDENTITY.b);
  new Rpc<typeof TABLE>(b, { wait: () => new Promise(() => {}) }, { table: TABLE });
  const refused: number[] = [];
  a.onFrame(({ type, a: serial }) => {
    assert.equal(type, FRAME.RPC_FAILED);
    refused.push(serial);
  });
  const json = new TextEncoder().encode('["wait",""]');
  for (let i = 0; i < LIMITS.rpcWaiting + 2; i++)
    a.send({ type: FRAME.RPC_ASK, a: i, b: 0, c: json.length, body: [json] });
  while (refused.length < 2) await new Promise((go) => setImmediate(go));
  assert.deepEqual(refused, [LIMITS.rpcWaiting, LIMITS.rpcWaiting + 1]);
});

test("of a peer's words so many are shown, and JSON that is too long is not parsed", async () => {
  const { a, b } = memoryLinks(IDENTITY.a, IDENTITY.b);
  const text = "x".repeat(3 * LIMITS.rpcTextLength);
  const asker = new Rpc<typeof TABLE>(a, {}, { table: TABLE });
  const onBug = (): void => {};
  new Rpc<typeof TABLE>(
    b,
    {
      wait: () => {
        throw new Error(text);
      },
    },
    { table: TABLE, onBug },
  );
  const error = await asker.request("wait", "").catch((failed: unknown) => failed);
  assert.ok(error instanceof UpvmError && error.message.length < LIMITS.rpcTextLength + 100);
  b.send({
    type: FRAME.RPC_TELL,
    a: 0,
    b: 0,
    c: LIMITS.rpcJsonBytes + 1,
    body: [new Uint8Array(LIMITS.rpcJsonBytes + 1)],
  });
  assert.equal((await asker.closed).why, "broken");
});

test.run();
