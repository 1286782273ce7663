import assert from "node:assert/strict";
import { test } from "uvu";
import { Arena } from "../../runtime/heap/arena.ts";
import { POOL_OWNER, SharedHeap } from "../../runtime/heap/shared-heap.ts";
import { BLOCK_KIND, ENGINE, HEAD, ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { assertClean, newHeap } from "../heap-fixture.ts";

const { plain, chunk, lasting, frames, ulp } = BLOCK_KIND;

/** Allocates until the heap is full. */
function fill(arena: Arena, bytes: number): number[] {
  const blocks: number[] = [];
  for (let at = arena.hmalloc(bytes, plain); at !== 0; at = arena.hmalloc(bytes, plain)) blocks.push(at);
  return blocks;
}

test("format refuses private memory, too little memory, and too many engines", () => {
  const shared = (bytes: number) => ({ buffer: new SharedArrayBuffer(bytes) });
  assert.throws(() => SharedHeap.format({ buffer: new ArrayBuffer(8 << 20) }, 1), /bug: .* not shared/);
  assert.throws(() => SharedHeap.format(shared(LIMITS.heapBytesMin - 16), 1), /bug: a heap of \d+ bytes/);
  for (const engines of [0, LIMITS.engines + 1]) {
    assert.throws(() => SharedHeap.format(shared(8 << 20), engines), /bug: \d+ engines/);
  }
  const most = SharedHeap.format(shared(LIMITS.heapBytesMin), LIMITS.engines);
  for (let engine = 0; engine <= LIMITS.engines; engine += 1) {
    assert.notEqual(new Arena(most, engine).hmalloc(ULP.words * 4, ulp), 0, `engine ${engine} gets nothing`);
  }
  most.check();
});

test("attach sees what another thread formatted, and refuses what is no heap", () => {
  const memory = { buffer: new SharedArrayBuffer(8 << 20) };
  assert.throws(() => SharedHeap.attach(memory), /bug: the memory holds no process heap/);
  const heap = SharedHeap.format(memory, 3);
  const at = new Arena(heap, 2).hmalloc(100, plain);
  const seen = SharedHeap.attach(memory);
  assert.equal(seen.engines, 3);
  assert.deepEqual(seen.liveBlocks(), [{ at, bytes: 104, kind: plain, owner: 2 }]);
  heap.i32[HEAD.abi] = 99;
  assert.throws(() => SharedHeap.attach(memory), /version 99/);
});

test("tables do not overlap: every row can be written and the heap is as it was", () => {
  const heap = newHeap(8 << 20, 4);
  heap.i32.fill(-1, heap.ulpRow(0), heap.ulpRow(LIMITS.ulps));
  heap.i32.fill(-1, heap.engineRow(0), heap.engineRow(4) + ENGINE.words);
  for (let engine = 0; engine <= 4; engine += 1) {
    heap.i32[heap.engineRow(engine) + ENGINE.freed] = 0;
    heap.i32[heap.engineRow(engine) + ENGINE.buffers] = 0;
  }
  heap.check();
  assert.equal(heap.i32[HEAD.engines], 4);
});

test("formatting again empties the heap", () => {
  const memory = { buffer: new SharedArrayBuffer(8 << 20) };
  fill(new Arena(SharedHeap.format(memory, 1), 0), 5000);
  const heap = SharedHeap.format(memory, 1);
  assert.deepEqual(heap.liveBlocks(), []);
  assert.equal(heap.peakBytes(), 0);
  assertClean(heap);
});

test("an arena is for an engine that there is", () => {
  const heap = newHeap();
  new Arena(heap, heap.engines);
  assert.throws(() => new Arena(heap, heap.engines + 1), /bug: no engine 2/);
});

test("hmalloc gives multiples of 16 that do not overlap, of every size", () => {
  const heap = newHeap();
  const arena = new Arena(heap, 0);
  const sizes = [0, 1, 24, 25, 248, 4112, 8184, 8185, 60_000, 65_536, 65_537, 300_000, 1 << 20];
  const blocks = sizes.map((bytes) => ({ at: arena.hmalloc(bytes, plain), bytes }));
  blocks.sort((a, b) => a.at - b.at);
  let end = 0;
  for (const { at, bytes } of blocks) {
    assert.equal(at % 16, 0);
    assert.ok(at > end);
    end = at + bytes;
  }
  heap.check();
  for (const { at } of blocks) arena.hfree(at);
  assertClean(heap);
});

test("a large block comes from the pool, and any engine gives it back at once", () => {
  const heap = newHeap(8 << 20, 2);
  const [a, b] = [new Arena(heap, 0), new Arena(heap, 1)];
  const at = a.hmalloc(1 << 20, plain);
  assert.deepEqual(heap.liveBlocks(), [{ at, bytes: (1 << 20) + 8, kind: plain, owner: POOL_OWNER }]);
  b.hfree(at);
  assertClean(heap);
  assert.equal(a.hmalloc(1 << 20, plain), at);
});

test("10,000 times 1 MB, allocated and freed, needs no more than one", () => {
  const heap = newHeap(64 << 20);
  const arena = new Arena(heap, 0);
  for (let i = 0; i < 10_000; i += 1) arena.hfree(arena.hmalloc(1 << 20, plain));
  assert.ok(heap.peakBytes() < (1 << 20) + 1024, `${heap.peakBytes()} bytes`);
  assertClean(heap);
});

test("what another engine frees comes back to the engine that it is of", () => {
  const heap = newHeap(8 << 20, 2);
  const [a, b] = [new Arena(heap, 0), new Arena(heap, 1)];
  const blocks = Array.from({ length: 100 }, () => a.hmalloc(248, plain));
  for (const at of blocks) b.hfree(at);
  assert.deepEqual(heap.liveBlocks(), []);
  heap.check();
  const again = Array.from({ length: 100 }, () => a.hmalloc(248, plain));
  assert.deepEqual(new Set(again), new Set(blocks));
  heap.check();
});

test("hfree of what is no block in use is a bug, also of another engine's", () => {
  const heap = newHeap(8 << 20, 2);
  const [a, b] = [new Arena(heap, 0), new Arena(heap, 1)];
  const mine = a.hmalloc(100, plain);
  const theirs = b.hmalloc(100, plain);
  const large = a.hmalloc(1 << 20, plain);
  for (const at of [mine + 16, theirs + 16, theirs + 4, 0, 16, 1 << 30, large + 32]) {
    assert.throws(() => a.hfree(at), /bug: \d+ is freed or resized, which is no block in use/, `${at}`);
  }
  for (const at of [mine, theirs, large]) {
    a.hfree(at);
    assert.throws(() => a.hfree(at), /bug: \d+ is freed or resized, which is no block in use/);
  }
  a.hfree(a.hmalloc(1 << 20, plain));
  assertClean(heap);
});

test("a full heap gives 0, and is as good as new when all is freed", () => {
  for (const bytes of [24, 248, 3000, 50_000, 400_000]) {
    const heap = newHeap(4 << 20);
    const arena = new Arena(heap, 0);
    const blocks = fill(arena, bytes);
    assert.ok(blocks.length * bytes > 2 << 20, `${blocks.length} blocks of ${bytes} bytes`);
    assert.equal(arena.hmalloc(bytes, plain), 0);
    heap.check();
    for (const at of blocks) arena.hfree(at);
    arena.trim();
    assertClean(heap);
    const largest = (4 << 20) - (200 << 10);
    assert.notEqual(arena.hmalloc(largest, plain), 0, `after blocks of ${bytes} bytes`);
  }
});

test("an arena does not starve another: what it freed, the other gets", () => {
  const heap = newHeap(8 << 20, 2);
  const [a, b] = [new Arena(heap, 0), new Arena(heap, 1)];
  const blocks = fill(a, 248);
  const most = blocks.length;
  assert.equal(b.hmalloc(5000, plain), 0);
  for (const at of blocks) a.hfree(at);
  const others = fill(b, 248).length;
  const kept = (LIMITS.arenaQuickBytes + heap.i32[HEAD.chunkBytes]! * 2) / 256;
  assert.ok(others > most - kept, `${others} of ${most} blocks`);
  a.trim();
  assert.ok(others + fill(b, 248).length > most * 0.99);
  heap.check();
});

test("trim gives back what others freed, so that they can have it", () => {
  const heap = newHeap(8 << 20, 2);
  const [a, b] = [new Arena(heap, 0), new Arena(heap, 1)];
  for (const at of fill(a, 248)) b.hfree(at);
  assert.equal(b.hmalloc(300_000, plain), 0, "the blocks are on their way to engine 0");
  a.trim();
  assert.equal(a.usedBytes(), 0);
  assert.notEqual(b.hmalloc(4 << 20, plain), 0);
  heap.check();
});

test("an engine takes back what others freed before it says that the heap is full", () => {
  const heap = newHeap(8 << 20, 2);
  const [a, b] = [new Arena(heap, 0), new Arena(heap, 1)];
  for (const at of fill(a, 248)) b.hfree(at);
  assert.notEqual(a.hmalloc(3 << 20, plain), 0);
  heap.check();
});

test("one empty chunk is kept, more go back to the pool", () => {
  const heap = newHeap(16 << 20);
  const arena = new Arena(heap, 0);
  const blocks = Array.from({ length: 100 }, () => arena.hmalloc(50_000, plain));
  const chunks = () => Number(/chunk: (\d+) blocks/.exec(heap.hdisplay(1))?.[1] ?? 0);
  assert.ok(chunks() >= 20);
  for (const at of blocks) arena.hfree(at);
  assert.equal(chunks(), 1);
  arena.trim();
  assert.equal(chunks(), 0);
  assertClean(heap);
});

test("chunks that others emptied go back to the pool at the next allocation", () => {
  const heap = newHeap(16 << 20, 2);
  const [a, b] = [new Arena(heap, 0), new Arena(heap, 1)];
  const blocks = Array.from({ length: 100 }, () => a.hmalloc(50_000, plain));
  for (const at of blocks) b.hfree(at);
  a.hmalloc(50_000, plain);
  assert.match(heap.hdisplay(1), /chunk: [12] blocks/);
  heap.check();
});

test("peakBytes is the most that was ever taken, not what is", () => {
  const heap = newHeap(16 << 20);
  const arena = new Arena(heap, 0);
  const [one, two] = [arena.hmalloc(3 << 20, plain), arena.hmalloc(2 << 20, plain)];
  arena.hfree(one);
  arena.hfree(two);
  arena.hfree(arena.hmalloc(1 << 20, plain));
  assert.ok(heap.peakBytes() >= 5 << 20 && heap.peakBytes() < (5 << 20) + 4096, `${heap.peakBytes()} bytes`);
});

test("check finds a block that is neither in use nor free", () => {
  const heap = newHeap(8 << 20, 2);
  const [a, b] = [new Arena(heap, 0), new Arena(heap, 1)];
  b.hfree(a.hmalloc(100, plain));
  heap.check();
  heap.i32[heap.engineRow(0) + ENGINE.freed] = 0;
  assert.throws(() => heap.check(), /bug: block \d+ is neither in use nor free/);
});

test("hrealloc keeps contents and kind, whoever's the block is, else leaves it alone", () => {
  const heap = newHeap(8 << 20, 2);
  const [a, b] = [new Arena(heap, 0), new Arena(heap, 1)];
  let at = a.hrealloc(0, 1000, frames);
  for (let i = 0; i < 250; i += 1) heap.i32[(at >> 2) + i] = i;
  const same = () => {
    for (let i = 0; i < 250; i += 1) assert.equal(heap.i32[(at >> 2) + i], i);
  };
  for (const [arena, bytes] of [
    [a, 3000],
    [b, 5000],
    [b, 200_000],
    [a, 400_000],
    [a, 1000],
  ] as const) {
    at = arena.hrealloc(at, bytes, plain);
    same();
    assert.deepEqual(
      heap.liveBlocks().map(({ kind }) => kind),
      [frames],
    );
    heap.check();
  }
  assert.equal(b.hrealloc(at, 100 << 20, frames), 0);
  same();
  assert.equal(b.hrealloc(at, 0, frames), 0);
  a.trim();
  assertClean(heap);
  assert.throws(() => a.hrealloc(at, 10, frames), /bug: /);
});

test("leaks names what is left by kind; descriptors and lasting blocks are no leak", () => {
  const heap = newHeap();
  const arena = new Arena(heap, 0);
  arena.hmalloc(256, ulp);
  arena.hmalloc(256, lasting);
  assert.equal(heap.leaks(), "");
  arena.hmalloc(100, frames);
  const large = arena.hmalloc(300_000, BLOCK_KIND.segment);
  assert.equal(heap.leaks(), "segment: 1 blocks, 300008 bytes\nframes: 1 blocks, 104 bytes");
  arena.hfree(large);
  assert.equal(heap.leaks(), "frames: 1 blocks, 104 bytes");
});

test("hdisplay shows the pool and each engine that has memory", () => {
  const heap = newHeap(8 << 20, 3);
  new Arena(heap, 1).hmalloc(100, plain);
  const lines = heap.hdisplay(1).split("\n");
  assert.match(lines[0]!, /^pool: \d+ bytes: \d+ in use, \d+ free/);
  assert.match(lines[1]!, /^ {2}chunk: 1 blocks/);
  assert.match(lines[2]!, /^engine 1: \d+ bytes: 112 in use/);
  assert.equal(lines.length, 4);
});

test("check finds a chunk that no arena has, and a buffer that was not counted", () => {
  const lost = newHeap();
  lost.take(5000, chunk);
  assert.throws(() => lost.check(), /bug: chunk \d+ is in no arena/);
  const uncounted = newHeap();
  new Arena(uncounted, 0).hmalloc(248, BLOCK_KIND.buffer);
  assert.throws(() => uncounted.check(), /bug: 1 message buffers are alive, 0 are counted/);
});

test.run();
