import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "uvu";
import { ULP } from "../../wire/layout.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import { assertClean, newEngine, newGuest } from "../heap-fixture.ts";

const GUEST_BYTES = 128 << 10;
const { PvmNoData, PvmOverflow } = PVM_ERROR;

/** One call of pack or unpack. */
interface Portion {
  readonly itemBytes: 1 | 2 | 4 | 8 | 16;
  readonly nitem: number;
  readonly stride: number;
  /** Guest address. */
  readonly at: number;
}
const portion: fc.Arbitrary<Portion> = fc.record({
  itemBytes: fc.constantFrom(1 as const, 2 as const, 4 as const, 8 as const, 16 as const),
  nitem: fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 40 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 1200 }) },
  ),
  stride: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 5 })),
  at: fc.nat(5000),
});
const portions = fc.array(portion, { maxLength: 30, size: "max" });

/** Guest memory with bytes that follow from a seed. */
function noise(seed: number): Uint8Array {
  const guest = newGuest(GUEST_BYTES);
  let x = seed | 1;
  for (let i = 0; i < guest.length; i += 1) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    guest[i] = x;
  }
  return guest;
}

/** What a portion takes from guest memory, in order: the definition of stride, told another way. */
function taken(guest: Uint8Array, { itemBytes, nitem, stride, at }: Portion): number[] {
  const bytes: number[] = [];
  for (let i = 0; i < nitem * itemBytes; i += 1) {
    const item = Math.trunc(i / itemBytes);
    bytes.push(guest[at + item * stride * itemBytes + (i % itemBytes)]!);
  }
  return bytes;
}

test("whatever is packed is unpacked, in whatever portions, and nothing beside it is written", () => {
  fc.assert(
    fc.property(portions, portions, fc.integer(), (out, back, seed) => {
      const e = newEngine();
      const [s, r] = [e.ulp(0), e.ulp(1)];
      const guest = noise(seed);
      e.btab.initSend(s, 0);
      const stream: number[] = [];
      for (const p of out) {
        assert.equal(e.pack.pack(s, guest, p.at, p.itemBytes, p.nitem, p.stride), 0);
        stream.push(...taken(guest, p));
        assert.equal(e.btab.sealSend(s), stream.length);
      }
      e.pass(s, r);
      let read = 0;
      for (const p of back) {
        const before = noise(seed + 1);
        const into = before.slice();
        const bytes = p.nitem * p.itemBytes;
        const done = e.pack.unpack(r, into, p.at, p.itemBytes, p.nitem, p.stride);
        if (read + bytes > stream.length) {
          assert.equal(done, PvmNoData.code);
          assert.deepEqual(into, before);
          continue;
        }
        assert.equal(done, 0);
        assert.deepEqual(taken(into, p), stream.slice(read, read + bytes));
        for (let i = 0; i < bytes; i += 1) {
          const at = p.at + Math.trunc(i / p.itemBytes) * p.stride * p.itemBytes + (i % p.itemBytes);
          into[at] = before[at]!;
        }
        assert.deepEqual(into, before, "bytes between the items were written");
        read += bytes;
        assert.ok(e.heap.i32[r + ULP.unpackAt]! <= e.heap.i32[r + ULP.unpackEnd]!);
      }
      e.end(s);
      e.end(r);
      assertClean(e.heap);
    }),
    { numRuns: 60 },
  );
});

test("longs come back as they were, or PvmOverflow, from any position", () => {
  const value = fc.oneof(
    fc.bigInt({ min: -(2n ** 31n), max: 2n ** 32n - 1n }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  );
  const list = fc.array(value, { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(
      list,
      fc.boolean(),
      fc.nat(230),
      fc.integer({ min: 1, max: 4 }),
      (values, signed, shift, stride) => {
        const e = newEngine();
        const [s, r] = [e.ulp(0), e.ulp(1)];
        const guest = newGuest(8192);
        const view = new DataView(guest.buffer);
        e.btab.initSend(s, 0);
        e.pack.pack(s, guest, 0, 1, shift, 1);
        for (const [i, v] of values.entries()) {
          view.setBigInt64(0, v, true);
          assert.equal(e.pack.pack(s, guest, 0, 8, 1, 1), 0, `${i}`);
        }
        e.pass(s, r);
        e.pack.unpack(r, guest, 0, 1, shift, 1);
        const [low, high] = signed ? [-(2n ** 31n), 2n ** 31n - 1n] : [0n, 2n ** 32n - 1n];
        const fit = values.every((v) => v >= low && v <= high);
        guest.fill(0);
        assert.equal(
          e.pack.unpackLong(r, guest, 16, values.length, stride, signed),
          fit ? 0 : PvmOverflow.code,
        );
        for (const [i, v] of values.entries()) {
          const at = 16 + i * 4 * stride;
          const got = BigInt(signed ? view.getInt32(at, true) : view.getUint32(at, true));
          assert.equal(got, fit ? v : 0n);
        }
        assert.equal(e.pack.unpack(r, guest, 0, 8, values.length, 1), fit ? PvmNoData.code : 0);
        e.end(s);
        e.end(r);
        assertClean(e.heap);
      },
    ),
    { numRuns: 100 },
  );
});

test("strings between other data come back, whatever their bytes", () => {
  const text = fc.uint8Array({ maxLength: 600 }).map((bytes) => bytes.map((byte) => byte || 1));
  fc.assert(
    fc.property(fc.array(fc.record({ text, before: fc.nat(220) }), { maxLength: 12 }), (list) => {
      const e = newEngine();
      const [s, r] = [e.ulp(0), e.ulp(1)];
      const guest = newGuest(4096);
      e.btab.initSend(s, 0);
      for (const { text: bytes, before } of list) {
        e.pack.pack(s, guest, 1024, 1, before, 1);
        guest.set([...bytes, 0], 0);
        assert.equal(e.pack.packString(s, guest, 0), 0);
      }
      e.pass(s, r);
      for (const { text: bytes, before } of list) {
        e.pack.unpack(r, guest, 1024, 1, before, 1);
        assert.equal(e.pack.nextStringBytes(r), bytes.length + 1);
        guest.fill(77);
        assert.equal(e.pack.unpackString(r, guest, 2000), 0);
        assert.deepEqual([...guest.subarray(1999, 2002 + bytes.length)], [77, ...bytes, 0, 77]);
      }
      e.end(s);
      e.end(r);
      assertClean(e.heap);
    }),
    { numRuns: 60 },
  );
});

test.run();
