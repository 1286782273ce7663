import assert from "node:assert/strict";
import { test } from "uvu";
import { PVM_TYPE } from "../../wire/pvm.ts";
import { assertClean, newEngine, newGuest } from "../heap-fixture.ts";

/**
 * The encoding of a message, written down by hand from its definition in runtime/heap/pack.ts: little-endian,
 * no padding, no tags, longs of 64 bits, strings with their length. Another implementation must make these
 * bytes.
 */
const WIRE = [
  ["byte", "41 ff"],
  ["short", "34 12 fe ff"],
  ["ushort", "ff ff"],
  ["int", "78 56 34 12 ff ff ff ff"],
  ["uint", "00 00 00 80"],
  ["float", "00 00 c0 3f"],
  ["double", "00 00 00 00 00 00 04 c0"],
  ["cplx", "00 00 80 3f 00 00 00 c0"],
  ["dcplx", "00 00 00 00 00 00 f0 3f 00 00 00 00 00 00 00 c0"],
  ["long", "78 56 34 12 00 00 00 00 fe ff ff ff ff ff ff ff"],
  ["ulong", "fe ff ff ff 00 00 00 00"],
  ["int64", "08 07 06 05 04 03 02 81"],
  ["str", "03 00 00 00 68 69 00"],
  ["str of no characters", "01 00 00 00 00"],
] as const;

/** The values of WIRE, in guest memory: address of each type's first item. */
function fillGuest(guest: Uint8Array): Record<string, number> {
  const view = new DataView(guest.buffer);
  guest.set([0x41, 0xff], 0);
  view.setInt16(16, 0x1234, true);
  view.setInt16(18, -2, true);
  view.setUint16(32, 65535, true);
  view.setInt32(48, 0x12345678, true);
  view.setInt32(52, -1, true);
  view.setUint32(64, 2 ** 31, true);
  view.setFloat32(80, 1.5, true);
  view.setFloat64(96, -2.5, true);
  view.setFloat32(112, 1, true);
  view.setFloat32(116, -2, true);
  view.setFloat64(128, 1, true);
  view.setFloat64(136, -2, true);
  view.setInt32(160, 0x12345678, true);
  view.setInt32(164, -2, true);
  view.setInt32(176, -2, true);
  view.setBigUint64(192, 0x8102030405060708n, true);
  guest.set(new TextEncoder().encode("hi\0"), 208);
  return {
    byte: 0,
    short: 16,
    ushort: 32,
    int: 48,
    uint: 64,
    float: 80,
    double: 96,
    cplx: 112,
    dcplx: 128,
    long: 160,
    ulong: 176,
    int64: 192,
    str: 208,
    "str of no characters": 210,
  };
}

const COUNT: Record<string, number> = { byte: 2, short: 2, int: 2, long: 2 };

test("one message of all types is these bytes", () => {
  const e = newEngine();
  const [s, r] = [e.ulp(0), e.ulp(1)];
  const guest = newGuest();
  const at = fillGuest(guest);
  e.btab.initSend(s, 0);
  for (const [name] of WIRE) {
    const from = at[name]!;
    const count = COUNT[name] ?? 1;
    if (name.startsWith("str")) assert.equal(e.pack.packString(s, guest, from), 0);
    else if (name === "int64") assert.equal(e.pack.pack(s, guest, from, 8, count, 1), 0);
    else if (name === "long") assert.equal(e.pack.packLong(s, guest, from, count, 1, true), 0);
    else if (name === "ulong") assert.equal(e.pack.packLong(s, guest, from, count, 1, false), 0);
    else assert.equal(e.pack.pack(s, guest, from, PVM_TYPE[name as "byte"].wireBytes, count, 1), 0);
  }
  const want = WIRE.map(([, bytes]) => bytes).join(" ");
  const length = want.split(" ").length;
  assert.equal(e.btab.sealSend(s), length);
  e.pass(s, r);
  const into = new Uint8Array(length);
  assert.equal(e.pack.unpack(r, into, 0, 1, length, 1), 0);
  assert.equal([...into].map((byte) => byte.toString(16).padStart(2, "0")).join(" "), want);
  e.end(s);
  e.end(r);
  assertClean(e.heap);
});

test.run();
