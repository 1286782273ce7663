import assert from "node:assert/strict";
import { Worker } from "node:worker_threads";
import { test } from "uvu";
import { lock, unlock } from "../../runtime/heap/lock.ts";
import { HEAD } from "../../wire/layout.ts";
import { assertClean, EngineHeap, newHeap } from "../heap-fixture.ts";
import type { ThreadData, ThreadResult } from "./heap-thread.ts";

/** The next message of each worker; an error of one fails. */
function all(workers: readonly Worker[]): Promise<unknown[]> {
  return Promise.all(
    workers.map(
      (worker) =>
        new Promise((resolve, reject) => {
          worker.once("message", resolve);
          worker.once("error", reject);
        }),
    ),
  );
}

/**
 * Two threads make, hand over and free blocks of one heap; returns what each did. The heap is empty
 * afterwards.
 */
async function run(
  heapBytes: number,
  slots: number,
  largestBytes: number,
  rounds: number,
): Promise<ThreadResult[]> {
  const heap = newHeap(heapBytes, 2);
  const main = new EngineHeap(heap, 2);
  const gbid = main.gb.gnew(0);
  main.gb.ginitref(gbid, 3);
  const shared = new Int32Array(new SharedArrayBuffer(slots * 4));
  const ready = new Int32Array(new SharedArrayBuffer(4));
  const workers = [0, 1].map((engine) => {
    const workerData: ThreadData = {
      memory: heap.memory,
      slots: shared,
      ready,
      engine,
      rounds,
      largestBytes,
      gbid,
    };
    return new Worker(new URL("./heap-thread.ts", import.meta.url), { workerData });
  });
  try {
    assert.deepEqual(await all(workers), ["worked", "worked"]);
    assert.equal(main.gb.gref(gbid), 1);
    const emptied = all(workers);
    for (const worker of workers) worker.postMessage(0);
    assert.deepEqual(await emptied, ["emptied", "emptied"]);
    const ended = all(workers);
    for (const worker of workers) worker.postMessage(0);
    const results = (await ended) as ThreadResult[];
    main.gb.gdecref(gbid);
    main.arena.trim();
    assertClean(heap);
    return results;
  } finally {
    for (const worker of workers) await worker.terminate();
  }
}

test("two threads free each other's blocks, and none is lost or given out twice", async () => {
  const results = await run(64 << 20, 500, 100_000, 100_000);
  const sum = (key: keyof ThreadResult) => results.reduce((total, result) => total + result[key], 0);
  assert.equal(sum("made"), 200_000);
  assert.equal(sum("freed"), 200_000);
  assert.equal(sum("full"), 0);
});

test("two threads that fill the heap get it back when the other frees", async () => {
  const results = await run(4 << 20, 400, 300_000, 30_000);
  for (const { made, full } of results) {
    assert.ok(full > 0, "the heap was never full");
    assert.ok(made > 10_000, `${made} blocks were made`);
    assert.equal(made + full, 30_000);
  }
});

test("a thread that waits for the lock gets it when it is free", async () => {
  const heap = newHeap();
  lock(heap.i32, HEAD.poolLock);
  const module = new URL("../../runtime/heap/shared-heap.ts", import.meta.url).href;
  const source = `
    import { parentPort, workerData } from "node:worker_threads";
    import { SharedHeap } from ${JSON.stringify(module)};
    const heap = SharedHeap.attach(workerData);
    parentPort.postMessage("waits");
    parentPort.postMessage(heap.take(1000, 1));
  `;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
    workerData: heap.memory,
  });
  const messages: unknown[] = [];
  worker.on("message", (message) => messages.push(message));
  try {
    // 2 in the lock's word: it sleeps.
    while (Atomics.load(heap.i32, HEAD.poolLock) !== 2) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(messages, ["waits"]);
    const got = all([worker]);
    unlock(heap.i32, HEAD.poolLock);
    const [at] = await got;
    assert.equal(at, heap.liveBlocks()[0]?.at);
    assert.equal(heap.i32[HEAD.poolLock], 0);
  } finally {
    await worker.terminate();
  }
});

test.run();
