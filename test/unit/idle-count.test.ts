/** Idle engines: who counts them (the deadlock that was none: see idle.ts, "Dropped"), and when one may sleep for ever. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { SharedHeap } from "../../runtime/heap/shared-heap.ts";
import { idle } from "../../runtime/scheduler/idle.ts";
import { ring } from "../../runtime/scheduler/mailbox.ts";
import { ENGINE, HEAD } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { linked, processOf, programOf } from "../one-thread.ts";

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

test("an engine that sleeps for ever has begged: else one that wakes up has nobody to give to", () => {
  // Two engines; the other sleeps until the virtual machine answers. It did so before this one began to beg, woke up,
  // and had two ULPs, of which one computed without end: nobody took the other.
  const program = programOf(linked("", "(func $resume (param i32 i32 i32) (result i32) (i32.const 0))"));
  const p = processOf(program, { ulps: 2, engines: 2 });
  const { w, heap } = p.library;
  Atomics.store(w, HEAD.outside, 1);
  Atomics.store(w, heap.engineRow(0) + ENGINE.idle, 1);
  Atomics.store(w, HEAD.idleEngines, 1);
  let now = 0;
  Object.defineProperty(p, "nowMs", {
    get() {
      now += 0.01;
      return now;
    },
    set(to: number) {
      now = to;
    },
  });
  let begged: boolean | undefined;
  p.onSleep = (engine) => {
    begged = (w[HEAD.beggars]! & (1 << engine)) !== 0;
    Atomics.store(w, heap.engineRow(engine) + ENGINE.idle, 0);
  };
  idle(p.engines[1]!);
  assert.equal(begged, true);
});

test.run();
