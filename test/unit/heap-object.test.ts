import assert from "node:assert/strict";
import { test } from "uvu";
import { Heap } from "../../runtime/heap/heap.ts";
import { HEADER_BYTES, QUICK_MAX, STATE } from "../../runtime/heap/heap-format.ts";
import { BLOCK_KIND } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";

const FROM = 8192;

/** A heap (Table II) of the bytes [FROM, FROM + bytes), its state below. */
function heapOf(bytes: number): Heap {
  const heap = new Heap(new Int32Array((FROM + bytes) >> 2), 64, 3);
  heap.hinit(FROM, bytes);
  return heap;
}

test("hinit gives a heap in which nothing is used and all is left", () => {
  const heap = heapOf(64 << 10);
  assert.equal(heap.getHmin(), 0);
  assert.equal(heap.getHmax(), 0);
  assert.ok(heap.hleft() > (64 << 10) - 64);
  heap.check();
});

test("hinit forgets what the heap had before", () => {
  const heap = heapOf(4096);
  const all = heap.hleft();
  heap.hmalloc(100);
  heap.hinit(FROM, 4096);
  assert.equal(heap.hleft(), all);
  heap.check();
});

test("hinit of too few bytes for a block is refused", () => {
  const heap = heapOf(4096);
  assert.throws(() => heap.hinit(FROM, 48), /bug: a heap of 48 bytes has no room for a block/);
});

test("hmalloc gives multiples of 16 inside the heap that do not overlap", () => {
  const heap = heapOf(64 << 10);
  const sizes = [0, 1, 23, 24, 25, 40, 248, 1000, 1016, 1017, 5000, QUICK_MAX, 9000];
  const blocks = sizes.map((bytes) => ({ at: heap.hmalloc(bytes), bytes })).sort((a, b) => a.at - b.at);
  let end = FROM;
  for (const { at, bytes } of blocks) {
    assert.equal(at % 16, 0);
    assert.ok(at >= end + HEADER_BYTES, `${at} begins before ${end}`);
    end = at + bytes;
  }
  assert.ok(end <= FROM + (64 << 10));
  heap.check();
});

test("hmalloc returns 0 when there is no room, for nonsense too, and nothing changes", () => {
  const heap = heapOf(4096);
  const all = heap.hleft();
  for (const bytes of [4096, 1 << 30, LIMITS.heapBytesMax, 2 ** 31, 2 ** 40, -1, Number.NaN]) {
    assert.equal(heap.hmalloc(bytes), 0, `${bytes} bytes`);
  }
  assert.equal(heap.hleft(), all);
  heap.check();
});

test("the block freed last of a size is given out first", () => {
  const heap = heapOf(4096);
  const [a, b] = [heap.hmalloc(100), heap.hmalloc(100)];
  heap.hfree(a);
  heap.hfree(b);
  assert.equal(heap.hmalloc(100), b);
  assert.equal(heap.hmalloc(104), a);
  heap.check();
});

test("hfree joins neighbours: after all is freed the largest block fits again", () => {
  const heap = heapOf(64 << 10);
  const largest = heap.hleft() - HEADER_BYTES;
  for (const bytes of [24, 500, 2000, 9000]) {
    const blocks: number[] = [];
    for (let at = heap.hmalloc(bytes); at !== 0; at = heap.hmalloc(bytes)) blocks.push(at);
    assert.ok(blocks.length > 4);
    for (let i = 0; i < blocks.length; i += 2) heap.hfree(blocks[i]!);
    heap.check();
    for (let i = 1; i < blocks.length; i += 2) heap.hfree(blocks[i]!);
    heap.check();
    const all = heap.hmalloc(largest);
    assert.notEqual(all, 0, `blocks of ${bytes} bytes were not joined`);
    heap.hfree(all);
  }
});

test("hfree of what is no block in use is a bug: twice, inside a block, 0, outside", () => {
  const heap = heapOf(4096);
  for (const bytes of [100, 2500]) {
    const at = heap.hmalloc(bytes);
    assert.throws(() => heap.hfree(at + 16), /bug: -?\d+ is freed or resized, which is no block in use/);
    assert.throws(() => heap.hfree(at + 1), /bug: -?\d+ is freed or resized, which is no block in use/);
    heap.hfree(at);
    assert.throws(() => heap.hfree(at), /bug: -?\d+ is freed or resized, which is no block in use/);
  }
  assert.throws(() => heap.hfree(0), /bug: 0 is freed or/);
  assert.throws(() => heap.hfree(1 << 30), /bug: -?\d+ is freed or resized, which is no block in use/);
  heap.check();
});

test("hfree of another heap's block is a bug", () => {
  const i32 = new Int32Array(8192);
  const one = new Heap(i32, 64, 1);
  const two = new Heap(i32, 64 + STATE.words * 4, 2);
  one.hinit(FROM, 4096);
  two.hinit(FROM + 4096, 4096);
  const at = two.hmalloc(10);
  assert.throws(() => one.hfree(at), /no block in use of heap 1/);
  two.hfree(at);
});

test("hrealloc keeps contents and kind, in place where it can", () => {
  const heap = heapOf(64 << 10);
  const at = heap.hmalloc(100, BLOCK_KIND.frames);
  for (let i = 0; i < 25; i += 1) heap.i32[(at >> 2) + i] = i;
  assert.equal(heap.hrealloc(at, 3000), at, "there is free memory behind it");
  const after = heap.hmalloc(16);
  const moved = heap.hrealloc(at, 9000);
  assert.notEqual(moved, at);
  for (let i = 0; i < 25; i += 1) assert.equal(heap.i32[(moved >> 2) + i], i);
  assert.match(heap.hdisplay(1), /frames: 1 blocks/);
  assert.equal(heap.hrealloc(moved, 40), moved, "smaller in place");
  heap.check();
  heap.hfree(moved);
  heap.hfree(after);
  assert.equal(heap.getHmax(), 0);
  heap.check();
});

test("hrealloc(0, n) allocates, hrealloc(at, 0) frees", () => {
  const heap = heapOf(4096);
  const at = heap.hrealloc(0, 50);
  assert.notEqual(at, 0);
  assert.equal(heap.hrealloc(at, 0), 0);
  assert.equal(heap.getHmin(), 0);
  heap.check();
});

test("hrealloc returns 0 when there is no room, and the block stays as it was", () => {
  const heap = heapOf(4096);
  const at = heap.hmalloc(64);
  const after = heap.hmalloc(64);
  heap.i32[at >> 2] = 42;
  const left = heap.hleft();
  assert.equal(heap.hrealloc(at, 8000), 0);
  assert.equal(heap.i32[at >> 2], 42);
  assert.equal(heap.hleft(), left);
  heap.hfree(at);
  heap.hfree(after);
  heap.check();
});

test("hleft, getHmin and getHmax follow what is used", () => {
  const heap = heapOf(64 << 10);
  const all = heap.hleft();
  const low = heap.hmalloc(100);
  const middle = heap.hmalloc(3000);
  const high = heap.hmalloc(500);
  assert.equal(heap.getHmin(), low);
  assert.ok(heap.getHmax() >= high + 500 && heap.getHmax() < high + 500 + 32);
  assert.equal(heap.hleft(), all - 112 - 3008 - 512);
  heap.hfree(low);
  heap.hfree(high);
  assert.equal(heap.getHmin(), middle);
  assert.ok(heap.getHmax() >= middle + 3000 && heap.getHmax() < high);
  heap.hfree(middle);
  assert.equal(heap.hleft(), all);
});

test("hdisplay shows usage, kinds, and each block", () => {
  const heap = heapOf(4096);
  const at = heap.hmalloc(100, BLOCK_KIND.buffer);
  heap.hmalloc(24, BLOCK_KIND.message);
  heap.hfree(heap.hmalloc(40));
  assert.equal(heap.hdisplay(0), "4064 bytes: 144 in use, 3920 free (48 of them kept by size)");
  assert.match(heap.hdisplay(1), /\n {2}buffer: 1 blocks, 104 bytes\n {2}message: 1 blocks, 24 bytes$/);
  assert.match(heap.hdisplay(2), new RegExp(`\\n {2}region ${FROM}, 4096 bytes\\n {4}${at} 104 buffer\\n`));
  assert.match(heap.hdisplay(2), /40 free\n {4}\d+ \d+ free$/);
});

test("a block that fits is found behind one of its bin that does not", () => {
  const heap = heapOf(32 << 10);
  const large = heap.hmalloc(9192);
  heap.hmalloc(16);
  const small = heap.hmalloc(8200);
  heap.hmalloc(16);
  while (heap.hmalloc(3000) !== 0) {}
  while (heap.hmalloc(16) !== 0) {}
  heap.hfree(large);
  heap.hfree(small);
  assert.equal(heap.hmalloc(9100), large);
  heap.check();
});

test("small free blocks are joined when they are more than the limit", () => {
  const heap = heapOf(4 << 20);
  const blocks: number[] = [];
  for (let at = heap.hmalloc(248); at !== 0; at = heap.hmalloc(248)) blocks.push(at);
  let most = 0;
  for (const at of blocks) {
    heap.hfree(at);
    most = Math.max(most, heap.i32[heap.state + STATE.quickBytes]!);
  }
  assert.ok(most > LIMITS.arenaQuickBytes - 256, `${most}`);
  assert.ok(most <= LIMITS.arenaQuickBytes, `${most} bytes were kept by size`);
  heap.check();
});

test("a heap can have several regions, and gives up one that is empty", () => {
  const heap = new Heap(new Int32Array(16384), 64, 0);
  heap.hinit(FROM, 4096);
  assert.equal(heap.addRegion(32768, 32), false);
  assert.equal(heap.addRegion(32760, 4104), true);
  const first = heap.hmalloc(3000);
  const second = heap.hmalloc(3000);
  assert.equal(heap.hmalloc(3000), 0);
  heap.check();
  const [low, high] = first < second ? [first, second] : [second, first];
  assert.throws(() => heap.removeRegion(32768), /bug: region 32768 has blocks in use/);
  assert.equal(heap.release(high), 0, "kept by its size, so its region is not known to be empty");
  heap.consolidate();
  assert.ok(heap.isEmpty(32768));
  heap.removeRegion(32768);
  heap.check();
  assert.equal(heap.hmalloc(3000), 0);
  heap.hfree(low);
  assert.equal(heap.hleft(), 4064);
  heap.check();
});

test("release says which region became empty", () => {
  const heap = heapOf(64 << 10);
  const one = heap.hmalloc(20_000);
  const two = heap.hmalloc(20_000);
  assert.equal(heap.release(one), 0);
  assert.equal(heap.release(two), FROM);
});

test("a heap of the first bytes of a memory never gives out address 0", () => {
  const heap = new Heap(new Int32Array(8192), 16384, 0);
  heap.hinit(0, 16384);
  for (let i = 0; i < 10; i += 1) assert.ok(heap.hmalloc(10) > 0);
  heap.check();
});

test("check finds a header that was written over", () => {
  for (const [word, value, what] of [
    [-2, 9999 << 4, /bug:/],
    [-2, 16, /bug: block \d+ has 16 bytes/],
    [-1, (5 << 8) | 1, /bug: block \d+ of heap 3 says it is of 5/],
    [-2, 112 | 1, /bug: block \d+ says the one before is free/],
  ] as const) {
    const heap = heapOf(4096);
    heap.hmalloc(100);
    const at = heap.hmalloc(100);
    heap.i32[(at >> 2) + word] = value;
    assert.throws(() => heap.check(), what);
  }
});

test.run();
