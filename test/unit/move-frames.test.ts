/** Frames of moves: there and back, and what no peer sends. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { ProtocolError } from "../../net/link.ts";
import type { MoveFrame } from "../../runtime/migrate/moves.ts";
import { decodeForwarded, decodeMove, encodeMove } from "../../upvm/move-frames.ts";
import { LIMITS } from "../../wire/limits.ts";
import { FRAME } from "../../wire/protocol.ts";
import { Timeline } from "../timeline.ts";

const OFFER = { hash: "0f".repeat(32), bytes: 1 << 20, abi: 2, image: 1 };
const FRAMES: readonly MoveFrame[] = [
  { kind: "PREPARE", tid: 0x40007, move: 3, member: 0, revision: 2 ** 40, offer: OFFER },
  { kind: "PREPARED", tid: 0x40007, move: 3, member: 0, refused: undefined },
  { kind: "PREPARED", tid: -0x80000000, move: 3, member: 0, refused: { code: "noMemory", detail: "12 MB" } },
  { kind: "MIGRATING", tid: 0x40007, move: 3, member: 5 },
  { kind: "MIGRATING", tid: 0x40007, move: 3, member: 5, weight: { memoryBytes: 2 ** 32, heapBytes: 77 } },
  {
    ...{ kind: "MIGRATING", tid: 0x40007, move: 3, member: 5, weight: { memoryBytes: 1, heapBytes: 77 } },
    taken: 2 ** 40,
  },
  { kind: "MIGACK", tid: 0x40007, move: 3, member: 0, isClear: false },
  { kind: "MIGACK", tid: 0x40007, move: 3, member: 0, isClear: true },
  { kind: "FLUSHED", tid: 0x40007, move: 3, member: 0 },
  { kind: "MIGRATED", tid: 0x40007, move: 2 ** 32 - 1, member: 5 },
  { kind: "MIGABORT", tid: 0x40007, move: 3, member: 1 },
  { kind: "MIGABORT", tid: 0x40007, move: 3, member: 1, refused: { code: "notReceived", detail: "" } },
];

test("a frame of a move is what was sent", () => {
  for (const frame of FRAMES) assert.deepEqual(decodeMove(encodeMove(frame)), frame);
});

test("other frames are none of a move, and reasons of a newer peer are kept as text", () => {
  assert.equal(decodeMove({ type: FRAME.ULP_SEND, a: 1, b: 2, c: 0, body: [] }), undefined);
  const body = [new TextEncoder().encode('{"code":"tooHot","detail":"90 degrees"}')];
  const frame = decodeMove({ type: FRAME.ULP_PREPARED, a: 1, b: 2, c: 0, body });
  assert.deepEqual(frame?.refused, { code: "noAnswer", detail: "tooHot" });
});

test("a body that is cut short, changed, too long or no JSON ends the link and does nothing else", () => {
  const chance = new Timeline(1);
  const whole = FRAMES.filter((frame) => encodeMove(frame).body.length > 0);
  for (let i = 0; i < 2000; i++) {
    const frame = encodeMove(chance.pick(whole));
    const bytes = frame.body[0]!.slice(0, chance.below(frame.body[0]!.length + 1));
    for (let n = chance.below(3); n > 0 && bytes.length > 0; n--)
      bytes[chance.below(bytes.length)] = chance.below(256);
    for (const decode of [() => decodeMove({ ...frame, body: [bytes] }), () => decodeForwarded(bytes)]) {
      try {
        decode();
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error));
      }
    }
  }
  const long = [new Uint8Array(LIMITS.moveBodyBytes + 1).fill(32)];
  assert.throws(() => decodeMove({ type: FRAME.ULP_PREPARE, a: 1, b: 1, c: 0, body: long }), ProtocolError);
});

test.run();
