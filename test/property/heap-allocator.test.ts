import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "uvu";
import { Arena } from "../../runtime/heap/arena.ts";
import { Heap } from "../../runtime/heap/heap.ts";
import { HEADER_BYTES, QUICK_MAX } from "../../runtime/heap/heap-format.ts";
import { BLOCK_KIND } from "../../wire/layout.ts";
import { assertClean, newHeap } from "../heap-fixture.ts";

interface Block {
  readonly at: number;
  readonly bytes: number;
  readonly mark: number;
}

/** What a test does with a heap: `size` picks bytes, `which` one of the blocks there are. */
type Step =
  | { readonly kind: "malloc"; readonly bytes: number }
  | { readonly kind: "free"; readonly which: number }
  | { readonly kind: "realloc"; readonly which: number; readonly bytes: number };

const size = (most: number) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 300 }) },
    { weight: 2, arbitrary: fc.integer({ min: QUICK_MAX - 40, max: QUICK_MAX + 40 }) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: most }) },
  );
const steps = (most: number, length: number): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("malloc" as const), bytes: size(most) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant("free" as const), which: fc.nat() }) },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant("realloc" as const), which: fc.nat(), bytes: size(most) }),
      },
    ),
    { maxLength: length, size: "max" },
  );

/** The allocator under test. */
interface Allocator {
  malloc(bytes: number): number;
  realloc(at: number, bytes: number): number;
  free(at: number): void;
}

/** Fills a block with its own mark; looks whether it still has it. */
function paint(u8: Uint8Array, { at, bytes, mark }: Block): void {
  u8.fill(mark, at, at + bytes);
}
function isPainted(u8: Uint8Array, at: number, bytes: number, mark: number): boolean {
  for (let i = at; i < at + bytes; i += 1) if (u8[i] !== mark) return false;
  return true;
}

/** Does the steps and looks at each what must hold; returns the blocks that are left. */
function play(
  u8: Uint8Array,
  heap: Allocator,
  list: readonly Step[],
  after: (blocks: Block[]) => void,
): Block[] {
  const blocks: Block[] = [];
  let mark = 0;
  const add = (at: number, bytes: number) => {
    assert.equal(at % 16, 0);
    for (const other of blocks) {
      assert.ok(at + bytes <= other.at || other.at + other.bytes <= at, `${at} overlaps ${other.at}`);
    }
    mark = (mark % 255) + 1;
    const block = { at, bytes, mark };
    blocks.push(block);
    paint(u8, block);
  };
  for (const step of list) {
    if (step.kind === "malloc") {
      const at = heap.malloc(step.bytes);
      if (at !== 0) add(at, step.bytes);
    } else if (blocks.length > 0) {
      const [block] = blocks.splice(step.which % blocks.length, 1) as [Block];
      assert.ok(isPainted(u8, block.at, block.bytes, block.mark), `block ${block.at} was written over`);
      if (step.kind === "free") heap.free(block.at);
      else {
        const at = heap.realloc(block.at, step.bytes);
        if (at === 0 && step.bytes > 0) blocks.push(block);
        else if (at !== 0) {
          assert.ok(
            isPainted(u8, at, Math.min(block.bytes, step.bytes), block.mark),
            "realloc lost contents",
          );
          add(at, step.bytes);
        }
      }
    }
    after(blocks);
  }
  return blocks;
}

const FROM = 8192;
const LENGTH = 96 << 10;

test("a heap never overlaps blocks, and hleft, getHmin and getHmax fit what is used", () => {
  fc.assert(
    fc.property(steps(20_000, 120), fc.nat(40), (list, odd) => {
      const i32 = new Int32Array((FROM + LENGTH + 64) >> 2);
      const u8 = new Uint8Array(i32.buffer);
      const heap = new Heap(i32, 64, 7);
      heap.hinit(FROM + odd, LENGTH - odd);
      const all = heap.hleft();
      const left = play(
        u8,
        {
          malloc: (bytes) => heap.hmalloc(bytes),
          realloc: (at, bytes) => heap.hrealloc(at, bytes),
          free: (at) => heap.hfree(at),
        },
        list,
        (blocks) => {
          heap.check();
          const used = all - heap.hleft();
          const asked = blocks.reduce((sum, { bytes }) => sum + bytes + HEADER_BYTES, 0);
          assert.ok(used >= asked && used <= asked + blocks.length * 48, `${used} in use for ${asked}`);
          const least = Math.min(...blocks.map(({ at }) => at));
          assert.equal(heap.getHmin(), blocks.length === 0 ? 0 : least);
          assert.ok(blocks.every(({ at, bytes }) => at + bytes <= heap.getHmax()));
          assert.ok(heap.getHmax() <= FROM + LENGTH);
        },
      );
      for (const { at } of left) heap.hfree(at);
      assert.equal(heap.hleft(), all);
      assert.notEqual(heap.hmalloc(all - HEADER_BYTES), 0, "what was freed was not joined");
    }),
    { numRuns: 60 },
  );
});

test("a heap refuses only what does not fit", () => {
  fc.assert(
    fc.property(steps(20_000, 100), fc.integer({ min: 0, max: 30_000 }), (list, bytes) => {
      const heap = new Heap(new Int32Array((FROM + LENGTH) >> 2), 64, 0);
      heap.hinit(FROM, LENGTH);
      play(
        new Uint8Array(heap.i32.buffer),
        {
          malloc: (n) => heap.hmalloc(n),
          realloc: (at, n) => heap.hrealloc(at, n),
          free: (at) => heap.hfree(at),
        },
        list,
        () => {},
      );
      heap.consolidate();
      const gaps = heap
        .hdisplay(2)
        .split("\n")
        .filter((line) => line.endsWith(" free"))
        .map((line) => Number(line.trim().split(" ")[1]));
      const fits = gaps.some((gap) => gap >= bytes);
      assert.equal(heap.hmalloc(bytes) !== 0, fits, `${bytes} bytes, free: ${gaps}`);
    }),
    { numRuns: 100 },
  );
});

test("arenas of three engines that free each other's blocks never overlap, and lose nothing", () => {
  const turn = fc.record({ maker: fc.nat(2), other: fc.nat(2), list: steps(200_000, 25) });
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 12 }), (turns) => {
      const heap = newHeap(4 << 20, 2);
      const arenas = [0, 1, 2].map((engine) => new Arena(heap, engine));
      const kept: Block[] = [];
      for (const { maker, other, list } of turns) {
        const [a, b] = [arenas[maker]!, arenas[other]!];
        const left = play(
          heap.u8,
          {
            malloc: (bytes) => a.hmalloc(bytes, BLOCK_KIND.plain),
            realloc: (at, bytes) => b.hrealloc(at, bytes, BLOCK_KIND.plain),
            free: (at) => b.hfree(at),
          },
          list,
          () => {},
        );
        heap.check();
        kept.push(...left);
        assert.equal(heap.liveBlocks().length, kept.length);
        for (const { at, bytes, mark } of kept) assert.ok(isPainted(heap.u8, at, bytes, mark));
        while (kept.length > 40) arenas[other]!.hfree(kept.shift()!.at);
      }
      for (const { at } of kept) arenas[1]!.hfree(at);
      for (const arena of arenas) arena.trim();
      assertClean(heap);
      assert.equal(heap.hdisplay(), heap.hdisplay().split("\n")[0], "an arena has memory");
    }),
    { numRuns: 40 },
  );
});

test.run();
