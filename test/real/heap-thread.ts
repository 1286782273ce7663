/**
 * One thread of heap-threads.test.ts: an engine's arena, used while the other threads use theirs.
 *
 * Threads hand blocks to each other through `slots`: words of shared memory, each with a block's address or
 * 0, taken and put by exchange. So whoever takes a block owns it, looks whether it is as its maker left it,
 * and frees it.
 */
import { parentPort, workerData } from "node:worker_threads";
import { Arena } from "../../runtime/heap/arena.ts";
import { Gbdesc } from "../../runtime/heap/gbdesc.ts";
import { type HeapMemory, SharedHeap } from "../../runtime/heap/shared-heap.ts";
import { BLOCK_KIND } from "../../wire/layout.ts";

export interface ThreadData {
  readonly memory: HeapMemory;
  readonly slots: Int32Array<SharedArrayBuffer>;
  /** How many threads are ready: they begin together. */
  readonly ready: Int32Array<SharedArrayBuffer>;
  readonly engine: number;
  readonly rounds: number;
  readonly largestBytes: number;
  /** A buffer to which every thread has a reference. */
  readonly gbid: number;
}
export interface ThreadResult {
  readonly made: number;
  readonly freed: number;
  /** Times that the heap was full. */
  readonly full: number;
}

const data: ThreadData = workerData;
const heap = SharedHeap.attach(data.memory);
const arena = new Arena(heap, data.engine);
const gb = new Gbdesc(arena);
const { i32, u8 } = heap;
let seed = data.engine * 7919 + 1;
const result = { made: 0, freed: 0, full: 0 };

function random(below: number): number {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) % below;
}

/** A block that says how long it is and has a mark of its own at both ends; 0 if the heap is full. */
function make(): number {
  const bytes = 16 + (random(4) === 0 ? random(data.largestBytes) : random(400));
  const at = arena.hmalloc(bytes, BLOCK_KIND.plain);
  if (at === 0) {
    result.full += 1;
    return 0;
  }
  const mark = random(256);
  i32[at >> 2] = bytes;
  u8.fill(mark, at + 4, at + 16);
  u8.fill(mark, at + bytes - 1, at + bytes);
  result.made += 1;
  return at;
}

function lookAndFree(at: number): void {
  const bytes = i32[at >> 2]!;
  const mark = u8[at + 4];
  for (let i = 4; i < 16; i += 1) if (u8[at + i] !== mark) throw new Error(`block ${at} was written over`);
  if (u8[at + bytes - 1] !== mark) throw new Error(`block ${at} was written over at its end`);
  arena.hfree(at);
  result.freed += 1;
}

Atomics.add(data.ready, 0, 1);
while (Atomics.load(data.ready, 0) < heap.engines) {}
for (let round = 0; round < data.rounds; round += 1) {
  gb.gincref(data.gbid);
  gb.gdecref(data.gbid);
}
for (let round = 0; round < data.rounds; round += 1) {
  const before = Atomics.exchange(data.slots, random(data.slots.length), make());
  if (before !== 0) lookAndFree(before);
  if (round % 1000 === 0) arena.trim();
}
gb.gdecref(data.gbid);
// The slots that are left are the last thread's to empty; and then each takes back what is its own.
parentPort?.once("message", () => {
  for (let slot = data.engine; slot < data.slots.length; slot += heap.engines) {
    const at = Atomics.exchange(data.slots, slot, 0);
    if (at !== 0) lookAndFree(at);
  }
  parentPort?.once("message", () => {
    arena.trim();
    parentPort?.postMessage({ ...result } satisfies ThreadResult);
    parentPort?.close();
  });
  parentPort?.postMessage("emptied");
});
parentPort?.postMessage("worked");
