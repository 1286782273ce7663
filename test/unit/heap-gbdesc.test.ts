import assert from "node:assert/strict";
import { test } from "uvu";
import { SEG_HEADER_BYTES } from "../../runtime/heap/gbdesc.ts";
import { BLOCK_KIND, ENGINE, GBUF, SEG } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { assertClean, EngineHeap, newEngine, newHeap } from "../heap-fixture.ts";

/** Appends a segment and says it is full. */
function addFull({ gb, heap }: EngineHeap, gbid: number, minBytes: number): number {
  const at = gb.addSegment(gbid, minBytes);
  assert.notEqual(at, 0);
  heap.i32[(at >> 2) + SEG.used] = heap.i32[(at >> 2) + SEG.capacity]!;
  return at;
}
const capacity = ({ heap }: EngineHeap, segment: number) => heap.i32[(segment >> 2) + SEG.capacity]!;

test("gnew gives an empty buffer without references, in one block of 256 bytes", () => {
  const e = newEngine();
  const gbid = e.gb.gnew(1);
  assert.deepEqual(e.heap.liveBlocks(), [{ at: gbid, bytes: 248, kind: BLOCK_KIND.buffer, owner: 0 }]);
  assert.equal(e.gb.gref(gbid), 0);
  assert.equal(e.gb.length(gbid), 0);
  assert.equal(e.heap.i32[(gbid >> 2) + GBUF.encoding], 1);
  assert.equal(e.heap.buffers(), 1);
  e.gb.gfree(gbid);
  assertClean(e.heap);
});

test("gnew of a reused block is as empty as the first", () => {
  const e = newEngine();
  const first = e.gb.gnew(0);
  addFull(e, first, 5000);
  e.gb.gfree(first);
  const gbid = e.gb.gnew(2);
  assert.equal(gbid, first);
  assert.equal(e.gb.length(gbid), 0);
  assert.equal(e.gb.gref(gbid), 0);
  e.gb.gfree(gbid);
  assertClean(e.heap);
});

test("buffers have different ids as long as they live", () => {
  const e = newEngine();
  const ids = Array.from({ length: 1000 }, () => e.gb.gnew(0));
  assert.equal(new Set(ids).size, 1000);
  assert.equal(e.heap.buffers(), 1000);
  for (const gbid of ids) e.gb.gfree(gbid);
  assertClean(e.heap);
});

test("gincref and gdecref count, and the last reference frees the buffer", () => {
  const e = newEngine();
  const gbid = e.gb.gnew(0);
  e.gb.ginitref(gbid);
  assert.equal(e.gb.gincref(gbid), 2);
  assert.equal(e.gb.gincref(gbid), 3);
  assert.equal(e.gb.gref(gbid), 3);
  assert.equal(e.gb.gdecref(gbid), 2);
  assert.equal(e.gb.gdecref(gbid), 1);
  assert.equal(e.heap.buffers(), 1);
  assert.equal(e.gb.gdecref(gbid), 0);
  assertClean(e.heap);
});

test("ginitref sets the count to the references that are handed out", () => {
  const e = newEngine();
  const gbid = e.gb.gnew(0);
  e.gb.ginitref(gbid, 3);
  assert.equal(e.gb.gref(gbid), 3);
  for (const left of [2, 1, 0]) assert.equal(e.gb.gdecref(gbid), left);
  assertClean(e.heap);
});

test("a count below 0, and a reference to what nobody has, are bugs", () => {
  const e = newEngine();
  const fresh = e.gb.gnew(0);
  assert.throws(() => e.gb.gdecref(fresh), /bug: buffer \d+ has -1 references/);
  const gbid = e.gb.gnew(0);
  assert.throws(() => e.gb.gincref(gbid), /bug: buffer \d+ with 0 references gets another/);
  const freed = e.gb.gnew(0);
  e.gb.ginitref(freed);
  e.gb.gdecref(freed);
  assert.throws(() => e.gb.gdecref(freed), /bug: buffer \d+ has -1 references/);
  const freedToo = e.gb.gnew(0);
  e.gb.ginitref(freedToo);
  e.gb.gdecref(freedToo);
  assert.throws(() => e.gb.gincref(freedToo), /bug: buffer \d+ with 0 references/);
});

test("gfree with references, and twice, are bugs", () => {
  const e = newEngine();
  const gbid = e.gb.gnew(0);
  e.gb.ginitref(gbid, 2);
  assert.throws(() => e.gb.gfree(gbid), /bug: buffer \d+ is freed with 2 references/);
  e.gb.ginitref(gbid, 0);
  e.gb.gfree(gbid);
  assert.throws(() => e.gb.gfree(gbid), /bug: /);
});

test("segments double, from the smallest later one to the largest", () => {
  const e = newEngine(64 << 20);
  const gbid = e.gb.gnew(0);
  const sizes: number[] = [];
  for (let i = 0; i < 11; i += 1) sizes.push(capacity(e, addFull(e, gbid, 1)));
  assert.equal(sizes[0], LIMITS.bufferSegmentBytes);
  for (let i = 1; i < sizes.length; i += 1) {
    assert.equal(sizes[i], Math.min(sizes[i - 1]! * 2, LIMITS.bufferSegmentBytesMax));
  }
  assert.equal(sizes[10], LIMITS.bufferSegmentBytesMax);
  assert.equal(
    e.gb.length(gbid),
    sizes.reduce((a, b) => a + b),
  );
  e.gb.gfree(gbid);
  e.arena.trim();
  assertClean(e.heap);
});

test("a large request gets a segment of its size, however large", () => {
  const e = newEngine(64 << 20);
  const gbid = e.gb.gnew(0);
  for (const bytes of [3000, 1 << 20, 10_000_000]) {
    const segment = addFull(e, gbid, bytes);
    assert.equal(capacity(e, segment), bytes);
    assert.equal(segment % 16, 0);
  }
  assert.equal(e.gb.length(gbid), 3000 + (1 << 20) + 10_000_000);
  e.gb.gfree(gbid);
  assertClean(e.heap);
});

test("length counts what was packed, not what there is room for", () => {
  const e = newEngine();
  const gbid = e.gb.gnew(0);
  const first = (gbid >> 2) + GBUF.words;
  e.heap.i32[first + SEG.used] = 100;
  const segment = e.gb.addSegment(gbid, 4000);
  e.heap.i32[(segment >> 2) + SEG.used] = 5;
  assert.equal(e.gb.length(gbid), 105);
  e.gb.gfree(gbid);
});

test("reset empties a buffer of many segments and keeps its first only", () => {
  const e = newEngine();
  const gbid = e.gb.gnew(0);
  e.gb.ginitref(gbid);
  addFull(e, gbid, 5000);
  addFull(e, gbid, 9000);
  e.gb.reset(gbid, 1);
  assert.equal(e.gb.length(gbid), 0);
  assert.equal(e.heap.i32[(gbid >> 2) + GBUF.encoding], 1);
  assert.deepEqual(
    e.heap.liveBlocks().map(({ at }) => at),
    [gbid],
  );
  assert.equal(capacity(e, addFull(e, gbid, 1)), LIMITS.bufferSegmentBytes, "and grows from the beginning");
  e.gb.gincref(gbid);
  assert.throws(() => e.gb.reset(gbid, 0), /bug: buffer \d+ is cleared with 2 references/);
  e.gb.gdecref(gbid);
  e.gb.gdecref(gbid);
  assertClean(e.heap);
});

test("reset keeps a second segment that is the only other and not large, and packing goes on there", () => {
  const e = newEngine();
  const gbid = e.gb.gnew(0);
  e.gb.ginitref(gbid);
  const second = addFull(e, gbid, 10_000);
  e.gb.reset(gbid, 0);
  assert.equal(e.gb.length(gbid), 0);
  assert.equal(e.heap.i32[(gbid >> 2) + GBUF.lastAt], second);
  addFull(e, gbid, 100);
  e.gb.reset(gbid, 0);
  assert.equal(e.heap.liveBlocks().length, 1, "of three segments it keeps the first");
  addFull(e, gbid, LIMITS.bufferKeptBytes + 1);
  e.gb.reset(gbid, 0);
  assert.equal(e.heap.liveBlocks().length, 1, "a large one is not kept");
  addFull(e, gbid, 1000);
  e.gb.reset(gbid, 0);
  e.gb.gdecref(gbid);
  assertClean(e.heap);
});

test("gcopy copies the first bytes over segment ends, with a reference of its own", () => {
  const e = newEngine();
  const { u8, i32 } = e.heap;
  const gbid = e.gb.gnew(1);
  e.gb.ginitref(gbid);
  const first = gbid + GBUF.words * 4;
  i32[(first >> 2) + SEG.used] = 100;
  const second = e.gb.addSegment(gbid, 1000);
  i32[(second >> 2) + SEG.used] = 1000;
  for (let i = 0; i < 100; i += 1) u8[first + SEG_HEADER_BYTES + i] = i;
  for (let i = 0; i < 1000; i += 1) u8[second + SEG_HEADER_BYTES + i] = 100 + i;
  for (const bytes of [0, 50, 100, 216, 217, 1100]) {
    const copy = e.gb.gcopy(gbid, bytes);
    assert.equal(e.gb.gref(copy), 1);
    assert.equal(e.gb.length(copy), bytes);
    const read = new Uint8Array(bytes);
    e.gb.read(copy, 0, read, 0, bytes);
    assert.deepEqual(
      read,
      new Uint8Array(bytes).map((_, i) => i),
    );
    e.gb.gdecref(copy);
  }
  const part = new Uint8Array(20);
  e.gb.read(gbid, 95, part, 5, 10);
  assert.deepEqual([...part], [0, 0, 0, 0, 0, 95, 96, 97, 98, 99, 100, 101, 102, 103, 104, 0, 0, 0, 0, 0]);
  e.gb.gdecref(gbid);
  assertClean(e.heap);
});

test("a full heap gives 0 for gnew, addSegment and gcopy, and nothing is lost", () => {
  const e = newEngine(4 << 20);
  const gbid = e.gb.gnew(0);
  const first = (gbid >> 2) + GBUF.words;
  e.heap.i32[first + SEG.used] = 200;
  addFull(e, gbid, 20_000);
  const length = e.gb.length(gbid);
  const blocks: number[] = [];
  for (let at = e.arena.hmalloc(20_000, 1); at !== 0; at = e.arena.hmalloc(20_000, 1)) blocks.push(at);
  assert.equal(e.gb.addSegment(gbid, 100_000), 0);
  assert.equal(e.gb.gcopy(gbid, length), 0);
  assert.equal(e.gb.length(gbid), length);
  for (let at = e.arena.hmalloc(24, 1); at !== 0; at = e.arena.hmalloc(24, 1)) blocks.push(at);
  assert.equal(e.gb.gnew(0), 0);
  assert.equal(e.heap.buffers(), 1);
  for (const at of blocks) e.arena.hfree(at);
  e.gb.gfree(gbid);
  e.arena.trim();
  assertClean(e.heap);
});

test("a buffer made on one engine and freed on another is counted once", () => {
  const heap = newHeap(8 << 20, 2);
  const [a, b] = [new EngineHeap(heap, 0), new EngineHeap(heap, 1)];
  const gbid = a.gb.gnew(0);
  a.gb.ginitref(gbid);
  addFull(a, gbid, 5000);
  b.gb.gdecref(gbid);
  assert.equal(heap.i32[heap.engineRow(0) + ENGINE.buffers], 1);
  assert.equal(heap.i32[heap.engineRow(1) + ENGINE.buffers], -1);
  assertClean(heap);
});

test.run();
