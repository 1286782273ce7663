/**
 * Frames as they are on the wire, written down by hand from docs/protocol.md. Another implementation must make these
 * bytes. A change here is a new PROTOCOL_VERSION.
 */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "uvu";
import { FrameReader } from "../../net/frame-reader.ts";
import { FramedLink } from "../../net/framed-link.ts";
import { Handshake, type LinkCrypto } from "../../net/handshake.ts";
import type { Frame } from "../../net/link.ts";
import { frameBytes } from "../../net/open-link.ts";
import { LIMITS } from "../../wire/limits.ts";
import { FRAME, FRAME_NAMES, FRAMES, PROTOCOL_VERSION, SEND_HEAD } from "../../wire/protocol.ts";
import { FakeStream } from "../fake-stream.ts";
import { IDENTITY } from "../link-contract.ts";

const text = (said: string): Uint8Array => new TextEncoder().encode(said);
const words = (...all: number[]): Uint8Array => new Uint8Array(Uint32Array.from(all).buffer);

/** Name, field 1 to 3, body; the bytes. */
const FRAMES_ON_THE_WIRE: readonly [keyof typeof FRAME, number, number, number, Uint8Array, string][] = [
  ["ULP_CONFIGQ", 0, 0, 0, text(""), "10000000 01000000 00000000 00000000 00000000"],
  ["ULP_CONFIG", 24, 0, 0, text("{}"), "12000000 02000000 18000000 00000000 00000000 7b7d"],
  ["ULP_STATUSQ", 0x40001, 0, 0, text(""), "10000000 03000000 01000400 00000000 00000000"],
  ["ULP_STATUS", 0x40001, 2, 3, text(""), "10000000 04000000 01000400 02000000 03000000"],
  [
    "ULP_SEND",
    0x40002,
    0x40001,
    0,
    words(0, 7, 0, 0, 0x12345678),
    "24000000 05000000 02000400 01000400 00000000 00000000 07000000 00000000 00000000 78563412",
  ],
  [
    "ULP_MCAST",
    2,
    0x40001,
    0,
    words(0x40002, 0x40003, 0, 7, 0, 0, 0x12345678),
    "2c000000 29000000 02000000 01000400 00000000 02000400 03000400 00000000 07000000 00000000 00000000 78563412",
  ],
  ["ULP_MSGFWD", 0x40002, 0x40001, 1, text(""), "10000000 06000000 02000400 01000400 01000000"],
  ["ULP_SIGNAL", 0x40002, 0x40001, 15, text(""), "10000000 07000000 02000400 01000400 0f000000"],
  ["ULP_EXIT", 0x40001, 0, 0, text(""), "10000000 08000000 01000400 00000000 00000000"],
  ["ULP_LIBALIVEQ", 1, 0, 0, text(""), "10000000 09000000 01000000 00000000 00000000"],
  ["ULP_LIBALIVE", 0, 0, 0, text(""), "10000000 0a000000 00000000 00000000 00000000"],
  ["ULP_MIGRATING", 0x40001, 5, 2, text(""), "10000000 22000000 01000400 05000000 02000000"],
  ["ULP_MIGACK", 0x40001, 5, 1, text(""), "10000000 23000000 01000400 05000000 01000000"],
  [
    "ULP_MSGLATE",
    0x40002,
    0x40001,
    5,
    words(0, 7, 0, 0, 0x12345678),
    "24000000 2a000000 02000400 01000400 05000000 00000000 07000000 00000000 00000000 78563412",
  ],
  ["ULP_FLUSHED", 0x40001, 5, 0, text(""), "10000000 2b000000 01000400 05000000 00000000"],
  ["BYE", 0, 0, 0, text(""), "10000000 45000000 00000000 00000000 00000000"],
  [
    "RPC_ASK",
    1,
    0,
    11,
    text('["ping",{}]!'),
    "1c000000 50000000 01000000 00000000 0b000000 5b2270696e67222c7b7d5d21",
  ],
];

test("frames are these bytes, and these bytes are the frames", () => {
  for (const [name, a, b, c, body, hex] of FRAMES_ON_THE_WIRE) {
    const frame: Frame = { type: FRAME[name], a, b, c, body: [body] };
    const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
    assert.equal(Buffer.from(frameBytes(frame)).toString("hex"), bytes.toString("hex"), name);
    const reader = new FrameReader(LIMITS.frameBytes);
    reader.push(bytes);
    const { pieces, ...head } = reader.next()!;
    assert.deepEqual(
      [head, Buffer.concat(pieces).toString("hex")],
      [{ type: FRAME[name], a, b, c }, Buffer.from(body).toString("hex")],
    );
    assert.equal(reader.next(), undefined);
  }
});

test("a link writes them so: frames of a turn together, a long one in fragments with the header of the whole first", async () => {
  const stream = new FakeStream();
  const link = new FramedLink(IDENTITY.b, 0, stream, new FrameReader(0), () => () => {});
  const small = FRAMES_ON_THE_WIRE.slice(0, 5);
  for (const [name, a, b, c, body] of small) link.send({ type: FRAME[name], a, b, c, body: [body] });
  await Promise.resolve();
  assert.equal(stream.writes, 1);
  assert.equal(
    stream.hex(),
    small
      .map(([, , , , , hex]) => hex)
      .join("")
      .replaceAll(" ", ""),
  );
  stream.clear();
  const body = new Uint8Array(LIMITS.fragmentBytes + 2).fill(9);
  link.send({ type: FRAME.ULP_SEND, a: 1, b: 2, c: 3, body: [body] });
  await Promise.resolve();
  const nines = (count: number): string => "09".repeat(count);
  const first = `20000400 46000000 01000000 01000000 02000400 05000000 01000000 02000000 03000000 ${nines(LIMITS.fragmentBytes)}`;
  const second = `12000000 46000000 01000000 02000000 00000400 ${nines(2)}`;
  assert.ok(stream.hex() === `${first}${second}`.replaceAll(" ", ""));
});

test("a handshake with fixed random numbers is these bytes", () => {
  const key = new Uint8Array(32).fill(1);
  const crypto = (nonce: number): LinkCrypto => ({
    random: (bytes) => new Uint8Array(bytes).fill(nonce),
    hmac: (with_, parts) =>
      parts.reduce((hmac, part) => hmac.update(part), createHmac("sha256", with_)).digest(),
    equal: (a, b) => Buffer.from(a).equals(b),
  });
  const caller = new Handshake({ side: "caller", key, identity: IDENTITY.a, crypto: crypto(2) });
  const listener = new Handshake({ side: "listener", key, identity: IDENTITY.b, crypto: crypto(3) });
  const log: string[] = [];
  let sent = caller.start();
  for (let from = "c"; sent.length > 0; from = from === "c" ? "l" : "c") {
    const to = from === "c" ? listener : caller;
    const answers: Frame[] = [];
    for (const frame of sent) {
      log.push(`${from} ${Buffer.from(frameBytes(frame)).toString("hex")}`);
      answers.push(...to.take(frame, frame.body).send);
    }
    sent = answers;
  }
  const hmac = (label: string, ...parts: Uint8Array[]): string =>
    parts
      .reduce((mac, part) => mac.update(part), createHmac("sha256", key).update(`upvm ${label}\0`))
      .digest("hex");
  const [nc, nl, version] = [Buffer.alloc(32, 2), Buffer.alloc(32, 3), words(PROTOCOL_VERSION)];
  const who = { a: text(JSON.stringify(IDENTITY.a)), b: text(JSON.stringify(IDENTITY.b)) };
  const head = (type: number, a: number, bodyBytes: number): string =>
    Buffer.from(words(16 + bodyBytes, type, a, 0, 0)).toString("hex");
  assert.deepEqual(log, [
    `c ${head(64, 0, 32)}${nc.toString("hex")}`,
    `l ${head(64, 0, 32)}${nl.toString("hex")}`,
    `c ${head(65, 0, 32)}${hmac("proof of the caller", nc, nl)}`,
    `l ${head(65, 0, 32)}${hmac("proof of the listener", nc, nl)}`,
    `l ${head(66, 3, 32 + who.b.length)}${hmac("identity of the listener", nc, nl, version, who.b)}${Buffer.from(who.b).toString("hex")}`,
    `c ${head(66, 3, 32 + who.a.length)}${hmac("identity of the caller", nc, nl, version, who.a)}${Buffer.from(who.a).toString("hex")}`,
    `l ${head(67, 0, 0)}`,
  ]);
});

test("codes are on the wire: none is there twice, and those of before stay", () => {
  const codes = FRAME_NAMES.map((name) => FRAMES[name].code);
  assert.equal(new Set(codes).size, codes.length);
  assert.equal(PROTOCOL_VERSION, 3);
  const known = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 64, 65, 66, 67, 68, 69, 70, 80, 81,
    82, 83,
  ];
  for (const code of known) assert.ok((codes as readonly number[]).includes(code), String(code));
  assert.deepEqual(SEND_HEAD, { context: 0, tag: 1, encoding: 2, wid: 3, words: 4 });
});

test.run();
