import assert from "node:assert/strict";
import { test } from "uvu";
import { ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { PVM_ERROR, PVM_TYPE } from "../../wire/pvm.ts";
import { assertClean, type EngineHeap, newEngine, newGuest } from "../heap-fixture.ts";

const { PvmBadParam, PvmNoBuf, PvmNoData, PvmNoMem, PvmOverflow, PvmBadMsg } = PVM_ERROR;

interface Pair {
  readonly e: EngineHeap;
  readonly s: number;
  readonly r: number;
  readonly guest: Uint8Array;
}

/** An engine, a sender with an empty send buffer, a receiver, and memory that both use. */
function pair(heapBytes?: number, guestBytes?: number): Pair {
  const e = newEngine(heapBytes);
  const [s, r] = [e.ulp(0), e.ulp(1)];
  e.btab.initSend(s, 0);
  return { e, s, r, guest: newGuest(guestBytes) };
}
function end({ e, s, r }: Pair): void {
  e.end(s);
  e.end(r);
  e.arena.trim();
  assertClean(e.heap);
}
const position = ({ e, r }: Pair) => [e.heap.i32[r + ULP.unpackAt], e.heap.i32[r + ULP.unpackEnd]];

test("every type goes there and back, with stride 1 and 3", () => {
  for (const [name, { wireBytes, cBytes }] of Object.entries(PVM_TYPE)) {
    if (name === "long" || name === "ulong") continue;
    assert.equal(wireBytes, cBytes);
    for (const stride of [1, 3]) {
      const p = pair();
      const { e, s, r, guest } = p;
      for (let i = 0; i < 4096; i += 1) guest[i] = i * 13 + 1;
      assert.equal(e.pack.pack(s, guest, 5, wireBytes, 9, stride), 0);
      assert.equal(e.btab.sealSend(s), 9 * wireBytes);
      e.pass(s, r);
      guest.fill(0, 8192);
      assert.equal(e.pack.unpack(r, guest, 8192, wireBytes, 9, stride), 0);
      for (let i = 0; i < 9 * stride; i += 1) {
        for (let k = 0; k < wireBytes; k += 1) {
          const want = i % stride === 0 ? guest[5 + i * wireBytes + k] : 0;
          assert.equal(guest[8192 + i * wireBytes + k], want, `${name}, stride ${stride}, item ${i}`);
        }
      }
      end(p);
    }
  }
});

test("what was packed in one portion can be unpacked in others, over segment ends and inside items", () => {
  const p = pair();
  const { e, s, r, guest } = p;
  for (let i = 0; i < 20_000; i += 1) guest[i] = i * 31 + (i >> 8);
  let packed = 0;
  for (const bytes of [3, 200, 20, 1, 5000, 4000, 7, 2769]) {
    assert.equal(e.pack.pack(s, guest, packed, 1, bytes, 1), 0);
    packed += bytes;
  }
  assert.equal(packed, 12_000);
  for (const [itemBytes, stride] of [
    [1, 1],
    [2, 1],
    [8, 1],
    [16, 1],
    [2, 2],
    [4, 3],
    [8, 2],
    [16, 2],
  ] as const) {
    e.pass(s, r);
    const into = new Uint8Array(12_000 * stride);
    assert.equal(e.pack.unpack(r, into, 0, itemBytes, 12_000 / itemBytes, stride), 0);
    for (let i = 0; i < 12_000; i += 1) {
      const at = Math.floor(i / itemBytes) * itemBytes * stride + (i % itemBytes);
      assert.equal(into[at], guest[i], `byte ${i}, items of ${itemBytes}, stride ${stride}`);
    }
  }
  end(p);
});

test("one call packs into one segment", () => {
  const p = pair();
  const { e, s, guest } = p;
  for (const bytes of [100, 150, 5000, 3000, 60_000]) {
    assert.equal(e.pack.pack(s, guest, 0, 1, bytes, 1), 0);
    const at = e.heap.i32[s + ULP.packAt]!;
    assert.ok(at - bytes >= 0 && e.heap.i32[s + ULP.packEnd]! >= at);
  }
  assert.equal(e.btab.sealSend(s), 68_250);
  end(p);
});

test("a message of 10 MB takes two copies, and its memory comes back", () => {
  const p = pair(64 << 20, 24 << 20);
  const { e, s, r, guest } = p;
  const words = new Int32Array(guest.buffer);
  const count = 10 << 18;
  for (let i = 0; i < count; i += 1) words[i] = i * 2654435761;
  assert.equal(e.pack.pack(s, guest, 0, 4, count, 1), 0);
  e.pass(s, r);
  assert.equal(e.pack.unpackRoom(r, 10 << 20), 0, "it lies in one segment");
  assert.equal(e.pack.unpack(r, guest, 12 << 20, 4, count, 1), 0);
  for (let i = 0; i < count; i += 1) assert.equal(words[(12 << 18) + i], words[i]);
  assert.ok(e.heap.peakBytes() < 11 << 20);
  end(p);
});

test("parameters that make no sense are PvmBadParam, before all else", () => {
  const p = pair();
  const { e, s, r, guest } = p;
  const calls = [
    (u: number, at: number, n: number, stride: number) => e.pack.pack(u, guest, at, 4, n, stride),
    (u: number, at: number, n: number, stride: number) => e.pack.unpack(u, guest, at, 4, n, stride),
    (u: number, at: number, n: number, stride: number) => e.pack.packLong(u, guest, at, n, stride, true),
    (u: number, at: number, n: number, stride: number) => e.pack.unpackLong(u, guest, at, n, stride, true),
  ];
  const bytes = guest.length;
  const bad: readonly (readonly [at: number, n: number, stride: number])[] = [
    [0, -1, 1],
    [0, 1, 0],
    [0, 1, -3],
    [0, -(2 ** 31), 1],
    [bytes - 3, 1, 1],
    [bytes, 1, 1],
    [-4, 1, 1],
    [-1, 1, 1],
    [0, bytes / 4 + 1, 1],
    [4, bytes / 4, 1],
    [0, bytes / 8 + 1, 2],
    [0, 2, 2 ** 31 - 1],
    [0, 2 ** 31 - 1, 2 ** 31 - 1],
  ];
  for (const call of calls) {
    for (const [at, n, stride] of bad) {
      for (const u of [s, r])
        assert.equal(call(u, at, n, stride), PvmBadParam.code, `${at}, ${n}, ${stride}`);
    }
  }
  assert.equal(e.btab.sealSend(s), 0);
  end(p);
});

test("a range that just fits in the guest's memory is good", () => {
  const p = pair();
  const { e, s, r, guest } = p;
  const bytes = guest.length;
  assert.equal(e.pack.pack(s, guest, bytes - 4, 4, 1, 1000), 0);
  assert.equal(e.pack.pack(s, guest, 4, 4, bytes / 8, 2), 0);
  assert.equal(e.pack.pack(s, guest, 0, 1, bytes, 1), 0);
  e.pass(s, r);
  assert.equal(e.pack.unpack(r, guest, 0, 1, 4 + bytes / 2, 1), 0);
  assert.equal(e.pack.unpack(r, guest, 4, 4, bytes / 8, 2), 0);
  end(p);
});

test("without a default buffer it is PvmNoBuf, for no items too", () => {
  const { e, guest } = pair();
  const u = e.ulp(9);
  for (const n of [0, 1]) {
    assert.equal(e.pack.pack(u, guest, 0, 4, n, 1), PvmNoBuf.code);
    assert.equal(e.pack.unpack(u, guest, 0, 4, n, 1), PvmNoBuf.code);
    assert.equal(e.pack.packLong(u, guest, 0, n, 1, true), PvmNoBuf.code);
    assert.equal(e.pack.unpackLong(u, guest, 0, n, 1, true), PvmNoBuf.code);
  }
  assert.equal(e.pack.packString(u, guest, 0), PvmNoBuf.code);
  assert.equal(e.pack.unpackString(u, guest, 0), PvmNoBuf.code);
  assert.equal(e.pack.nextStringBytes(u), PvmNoBuf.code);
  assert.equal(e.pack.packRoom(u, 0), PvmNoBuf.code);
  assert.equal(e.pack.unpackRoom(u, 0), PvmNoBuf.code);
});

test("no items are no bytes and no error, at any address", () => {
  const p = pair();
  const { e, s, r, guest } = p;
  assert.equal(e.pack.pack(s, guest, -1, 4, 0, 1), 0);
  assert.equal(e.btab.sealSend(s), 0);
  e.pass(s, r);
  assert.equal(e.pack.unpack(r, guest, -1, 16, 0, 9), 0);
  assert.equal(e.pack.unpack(r, guest, 0, 1, 1, 1), PvmNoData.code);
  end(p);
});

test("unpacking beyond the end is PvmNoData, and neither position nor memory changes", () => {
  const p = pair();
  const { e, s, r, guest } = p;
  guest.fill(1);
  e.pack.pack(s, guest, 0, 1, 150, 1);
  e.pack.pack(s, guest, 0, 1, 5000, 1);
  e.pass(s, r);
  e.pack.unpack(r, guest, 0, 1, 100, 1);
  const at = position(p);
  const into = newGuest();
  assert.equal(e.pack.unpack(r, into, 0, 1, 5051, 1), PvmNoData.code);
  assert.equal(e.pack.unpack(r, into, 0, 4, 1263, 2), PvmNoData.code);
  assert.equal(e.pack.unpackLong(r, into, 0, 632, 1, true), PvmNoData.code);
  assert.deepEqual(position(p), at);
  assert.ok(into.every((byte) => byte === 0));
  assert.equal(e.pack.unpack(r, into, 0, 1, 5050, 1), 0);
  assert.equal(e.pack.unpack(r, into, 0, 1, 1, 1), PvmNoData.code);
  end(p);
});

test("a full heap is PvmNoMem, and the buffer stays as it was", () => {
  const p = pair(4 << 20, 8 << 20);
  const { e, s, r, guest } = p;
  guest.fill(7);
  e.pack.pack(s, guest, 0, 1, 100, 1);
  e.pack.pack(s, guest, 0, 1, 300, 1);
  const length = e.btab.sealSend(s);
  const at = e.heap.i32[s + ULP.packAt];
  assert.equal(e.pack.pack(s, guest, 0, 1, 5 << 20, 1), PvmNoMem.code);
  assert.equal(e.pack.packLong(s, guest, 0, 1 << 20, 1, true), PvmNoMem.code);
  assert.equal(e.pack.packString(s, guest.fill(0, guest.length - 1), 0), PvmNoMem.code);
  assert.equal(e.heap.i32[s + ULP.packAt], at);
  assert.equal(e.btab.sealSend(s), length);
  assert.equal(e.pack.pack(s, guest, 0, 1, 50, 1), 0);
  e.pass(s, r);
  assert.equal(e.pack.unpack(r, guest, 0, 1, 450, 1), 0);
  end(p);
});

test("a full heap recovers: a sender that got PvmNoMem packs the same when a receiver has read", () => {
  const p = pair(4 << 20, 1 << 20);
  const { e, s, r, guest } = p;
  const queue: number[] = [];
  for (;;) {
    e.btab.initSend(s, 0);
    const done = e.pack.pack(s, guest, 0, 1, 1 << 19, 1);
    if (done === PvmNoMem.code) break;
    queue.push(e.send(s));
  }
  assert.ok(queue.length >= 6, `${queue.length} messages`);
  for (const message of queue) e.receive(r, message);
  e.btab.free(r, e.btab.btgetrbid(r));
  assert.equal(e.pack.pack(s, guest, 0, 1, 1 << 19, 1), 0);
  end(p);
});

test("a C long is 64 bits on the wire, with its sign or without", () => {
  for (const signed of [true, false]) {
    const p = pair();
    const { e, s, r, guest } = p;
    const view = new DataView(guest.buffer);
    const values = [0, 1, -1, 0x7fffffff, -0x80000000, 123456789];
    values.forEach((value, i) => {
      view.setInt32(i * 8, value, true);
    });
    assert.equal(e.pack.packLong(s, guest, 0, values.length, 2, signed), 0);
    assert.equal(e.btab.sealSend(s), values.length * 8);
    e.pass(s, r);
    assert.equal(e.pack.unpack(r, guest, 1024, 8, values.length, 1), 0);
    values.forEach((value, i) => {
      const wide = signed ? BigInt(value) : BigInt(value >>> 0);
      assert.equal(view.getBigInt64(1024 + i * 8, true), wide);
    });
    e.pass(s, r);
    guest.fill(0, 2048);
    assert.equal(e.pack.unpackLong(r, guest, 2048, values.length, 3, signed), 0);
    values.forEach((value, i) => {
      assert.equal(view.getInt32(2048 + i * 12, true), value);
    });
    end(p);
  }
});

test("a value that does not fit in a C long is PvmOverflow, and nothing is unpacked", () => {
  const fits: readonly (readonly [value: bigint, signed: boolean, unsigned: boolean])[] = [
    [0n, true, true],
    [2n ** 31n - 1n, true, true],
    [2n ** 31n, false, true],
    [2n ** 32n - 1n, false, true],
    [2n ** 32n, false, false],
    [-1n, true, false],
    [-(2n ** 31n), true, false],
    [-(2n ** 31n) - 1n, false, false],
    [2n ** 40n, false, false],
    [2n ** 56n, false, false],
    [-(2n ** 63n), false, false],
  ];
  for (const [value, ...good] of fits) {
    for (const [i, signed] of [true, false].entries()) {
      const p = pair();
      const { e, s, r, guest } = p;
      const view = new DataView(guest.buffer);
      view.setBigInt64(0, 5n, true);
      view.setBigInt64(8, value, true);
      // A segment ends between the two.
      e.pack.pack(s, guest, 0, 1, LIMITS.bufferFirstBytes - 8, 1);
      e.pack.pack(s, guest, 0, 8, 1, 1);
      e.pack.pack(s, guest, 8, 8, 1, 1);
      e.pass(s, r);
      e.pack.unpack(r, guest, 100, 1, LIMITS.bufferFirstBytes - 8, 1);
      const at = position(p);
      guest.fill(0);
      assert.equal(
        e.pack.unpackLong(r, guest, 0, 2, 1, signed),
        good[i] ? 0 : PvmOverflow.code,
        `${value} ${signed}`,
      );
      if (good[i]) assert.equal(BigInt(signed ? view.getInt32(4, true) : view.getUint32(4, true)), value);
      else {
        assert.deepEqual(position(p), at);
        assert.ok(guest.every((byte) => byte === 0));
        assert.equal(e.pack.unpack(r, guest, 0, 8, 2, 1), 0);
      }
      end(p);
    }
  }
});

test("a string is its length with the NUL as an int, then its bytes", () => {
  const p = pair();
  const { e, s, r, guest } = p;
  guest.set(new TextEncoder().encode("grüß\0more"), 10);
  assert.equal(e.pack.packString(s, guest, 10), 0);
  assert.equal(e.pack.packString(s, guest, 16), 0);
  assert.equal(e.btab.sealSend(s), 4 + 7 + 4 + 1);
  e.pass(s, r);
  assert.equal(e.pack.nextStringBytes(r), 7);
  guest.fill(9, 100, 200);
  assert.equal(e.pack.unpackString(r, guest, 100), 0);
  assert.equal(new TextDecoder().decode(new Uint8Array(guest.subarray(100, 107))), "grüß\0");
  assert.equal(guest[107], 9);
  assert.equal(e.pack.nextStringBytes(r), 1);
  assert.equal(e.pack.unpackString(r, guest, 100), 0);
  assert.equal(guest[100], 0);
  assert.equal(e.pack.nextStringBytes(r), PvmNoData.code);
  assert.equal(e.pack.unpackString(r, guest, 100), PvmNoData.code);
  end(p);
});

test("a long string goes over segment ends", () => {
  const p = pair();
  const { e, s, r, guest } = p;
  guest.fill(97, 0, 30_000);
  guest[30_000] = 0;
  e.pack.pack(s, guest, 0, 1, 210, 1);
  assert.equal(e.pack.packString(s, guest, 0), 0);
  e.pass(s, r);
  e.pack.unpack(r, guest, 40_000, 1, 210, 1);
  assert.equal(e.pack.unpackString(r, guest, 30_002), 0);
  assert.ok(guest.subarray(30_002, 60_002).every((byte) => byte === 97));
  assert.equal(guest[60_002], 0);
  end(p);
});

test("bytes that are no string are PvmBadMsg, and can still be unpacked as what they are", () => {
  const noStrings: readonly (readonly number[])[] = [
    [0, 0, 0, 0, 0],
    [255, 255, 255, 255, 0],
    [3, 0, 0, 0, 65, 0],
    [2, 0, 0, 0, 65, 66],
    [0, 0, 0, 128, 0, 0],
    [1, 0, 0, 0],
  ];
  for (const bytes of noStrings) {
    const p = pair();
    const { e, s, r, guest } = p;
    guest.set(bytes);
    e.pack.pack(s, guest, 0, 1, bytes.length, 1);
    e.pass(s, r);
    const at = position(p);
    assert.equal(e.pack.unpackString(r, guest, 100), PvmBadMsg.code, `${bytes}`);
    assert.equal(e.pack.nextStringBytes(r), PvmBadMsg.code);
    assert.deepEqual(position(p), at);
    assert.equal(guest[100], 0);
    assert.equal(e.pack.unpack(r, guest, 200, 1, bytes.length, 1), 0);
    assert.deepEqual([...guest.subarray(200, 200 + bytes.length)], bytes);
    end(p);
  }
});

test("three bytes are too few for a string's length: PvmNoData", () => {
  const p = pair();
  const { e, s, r, guest } = p;
  e.pack.pack(s, guest, 0, 1, 3, 1);
  e.pass(s, r);
  assert.equal(e.pack.unpackString(r, guest, 0), PvmNoData.code);
  end(p);
});

test("a string without NUL, and one that does not fit where it goes, are PvmBadParam", () => {
  const p = pair();
  const { e, s, r, guest } = p;
  guest.fill(65);
  assert.equal(e.pack.packString(s, guest, 0), PvmBadParam.code);
  assert.equal(e.pack.packString(s, guest, -1), PvmBadParam.code);
  assert.equal(e.btab.sealSend(s), 0);
  guest[99] = 0;
  assert.equal(e.pack.packString(s, guest, 0), 0);
  e.pass(s, r);
  assert.equal(e.pack.unpackString(r, guest, guest.length - 99), PvmBadParam.code);
  assert.equal(e.pack.unpackString(r, guest, -1), PvmBadParam.code);
  assert.equal(e.pack.unpackString(r, guest, guest.length - 100), 0);
  assert.equal(guest[guest.length - 1], 0);
  end(p);
});

test("packRoom makes room that the caller fills; unpackRoom says where it can be read", () => {
  const p = pair();
  const { e, s, r } = p;
  const { i32, u8 } = e.heap;
  const put = (bytes: number, value: number) => {
    assert.equal(e.pack.packRoom(s, bytes), 0);
    const at = i32[s + ULP.packAt]!;
    assert.ok(i32[s + ULP.packEnd]! - at >= bytes);
    u8.fill(value, at, at + bytes);
    i32[s + ULP.packAt] = at + bytes;
  };
  put(100, 1);
  put(1000, 2);
  put(20_000, 3);
  assert.equal(e.btab.sealSend(s), 21_100);
  e.pass(s, r);
  for (const [bytes, value] of [
    [100, 1],
    [1000, 2],
    [20_000, 3],
  ] as const) {
    assert.equal(e.pack.unpackRoom(r, bytes), 0);
    const at = i32[r + ULP.unpackAt]!;
    assert.ok(u8.subarray(at, at + bytes).every((byte) => byte === value));
    i32[r + ULP.unpackAt] = at + bytes;
  }
  const at = position(p);
  assert.equal(e.pack.unpackRoom(r, 0), 0);
  assert.deepEqual(position(p), at);
  assert.equal(e.pack.unpackRoom(r, 1), PvmNoData.code);
  e.pass(s, r);
  assert.equal(e.pack.unpackRoom(r, 101), 1, "in two segments");
  assert.equal(e.pack.unpackRoom(r, 21_101), PvmNoData.code);
  assert.equal(e.pack.unpackRoom(r, 100), 0);
  end(p);
});

test("copyOut copies any part of a buffer, as precv needs it", () => {
  const p = pair();
  const { e, s, r, guest } = p;
  for (let i = 0; i < 9000; i += 1) guest[i] = i * 3 + (i >> 7);
  for (const [at, bytes] of [
    [0, 200],
    [200, 800],
    [1000, 8000],
  ] as const)
    e.pack.pack(s, guest, at, 1, bytes, 1);
  e.pass(s, r);
  const gbid = e.btab.btgetrgbid(r);
  for (const [from, bytes] of [
    [0, 9000],
    [199, 2],
    [250, 8000],
    [1000, 0],
    [8999, 1],
  ] as const) {
    const into = newGuest();
    e.pack.copyOut(gbid, from, into, 50, bytes);
    assert.deepEqual(into.subarray(50, 50 + bytes), guest.subarray(from, from + bytes));
    assert.equal(into[50 + bytes], 0);
    assert.equal(into[49], 0);
  }
  end(p);
});

test("guest memory that has grown is used as it is now", () => {
  const p = pair();
  const { e, s, r } = p;
  const small = newGuest(1024);
  const large = newGuest(4096);
  large.fill(5, 2048, 3072);
  assert.equal(e.pack.pack(s, small, 2048, 1, 1024, 1), PvmBadParam.code);
  assert.equal(e.pack.pack(s, large, 2048, 1, 1024, 1), 0);
  e.pass(s, r);
  assert.equal(e.pack.unpack(r, small, 0, 1, 1024, 1), 0);
  assert.ok(small.every((byte) => byte === 5));
  end(p);
});

test.run();
