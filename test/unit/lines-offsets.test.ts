/** The section `upvm.offsets`: its format, and what it says about a byte between two pairs. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "uvu";
import {
  decodeOffsets,
  encodeOffsets,
  type OffsetPair,
  originalOffset,
} from "../../runtime/link/offset-map.ts";

const map = {
  codeStart: 226,
  pairs: [
    [300, 0],
    [310, 290],
    [320, 0],
    [325, 300],
    [400, 250],
  ] as const,
};

test("a stretch keeps the distance, and code of the link step has no original", () => {
  assert.equal(originalOffset(map, 299), 0, "before the first pair");
  assert.equal(originalOffset(map, 305), 0);
  assert.equal(originalOffset(map, 310), 290);
  assert.equal(originalOffset(map, 319), 299);
  assert.equal(originalOffset(map, 324), 0);
  assert.equal(originalOffset(map, 399), 374);
  assert.equal(originalOffset(map, 1000), 850, "the last stretch has no end");
});

test("the format is version 1 to the byte", () => {
  const contents = encodeOffsets({
    codeStart: 226,
    pairs: [
      [300, 0],
      [310, 290],
      [320, 288],
    ],
  });
  assert.deepEqual([...contents], [1, 0xe2, 0x01, 3, 0xd9, 0x04, 20, 0xa2, 0x02, 20, 0x7e]);
});

test("pairs out of order, or an offset that is none, are the link step's bug", () => {
  const encode = (...pairs: OffsetPair[]) => encodeOffsets({ codeStart: 8, pairs });
  assert.throws(() => encode([5, 1], [5, 2]), RangeError);
  assert.throws(() => encode([5, 1], [4, 2]), RangeError);
  assert.throws(() => encode([5, -1]), RangeError);
  assert.throws(() => encode([5, 1.5]), RangeError);
  assert.throws(() => encode([2 ** 31, 1]), RangeError);
});

const offset = fc.oneof(fc.constant(0), fc.nat(300), fc.nat(2 ** 31 - 1));
const anyMap = fc
  .tuple(offset, fc.uniqueArray(fc.tuple(offset, offset), { selector: (pair) => pair[0] }))
  .map(([codeStart, pairs]) => ({ codeStart, pairs: pairs.sort((a, b) => a[0] - b[0]) }));

test("what is encoded is decoded", () => {
  fc.assert(fc.property(anyMap, (each) => assert.deepEqual(decodeOffsets(encodeOffsets(each)), each)));
});

test("a section that is cut short or has more is refused", () => {
  fc.assert(
    fc.property(anyMap, fc.nat(), (each, cut) => {
      const whole = encodeOffsets(each);
      assert.equal(decodeOffsets(whole.subarray(0, cut % whole.length)), undefined);
      assert.equal(decodeOffsets(Uint8Array.of(...whole, 0)), undefined);
    }),
  );
});

test("garbage is refused, or is a map that encodes to itself", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const garbage = Uint8Array.of(1, ...bytes);
      const found = decodeOffsets(garbage);
      if (found !== undefined) assert.deepEqual(decodeOffsets(encodeOffsets(found)), found);
    }),
    { numRuns: 2000 },
  );
});

test("a count far beyond the bytes that follow is refused at once", () => {
  assert.equal(decodeOffsets(Uint8Array.of(1, 8, 0xff, 0xff, 0xff, 0xff, 0x0f, 2, 2)), undefined);
});

test.run();
