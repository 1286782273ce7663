/** Who counts engines as idle: the deadlock that was none (see idle.ts, "Dropped"). */
import assert from "node:assert/strict";
import { test } from "uvu";
import { SharedHeap } from "../../runtime/heap/shared-heap.ts";
import { ring } from "../../runtime/scheduler/mailbox.ts";
import { ENGINE, HEAD } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";

test("waking an engine does not count it as busy: it does so itself, before it takes its mail", () => {
  const pages = LIMITS.heapBytesMin >> 16;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const heap = SharedHeap.format(memory, 2);
  const w = heap.i32;
  const row = heap.engineRow(1);
  w[row + ENGINE.idle] = 1;
  w[HEAD.idleEngines] = 1;
  const bell = w[row + ENGINE.bell]!;
  ring({ w, heap }, 1);
  assert.deepEqual([w[row + ENGINE.idle], w[row + ENGINE.bell]], [0, bell + 1]);
  // Had the waker subtracted here, it could have been late: after the engine had gone idle a second time.
  assert.equal(w[HEAD.idleEngines], 1);
  ring({ w, heap }, 1);
  assert.equal(w[row + ENGINE.bell], bell + 1);
});

test.run();
