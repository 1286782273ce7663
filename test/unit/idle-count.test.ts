/** Idle engines: who counts them, deadlocks that are none (idle.ts, "Dropped"), and when one may sleep for ever. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { SharedHeap } from "../../runtime/heap/shared-heap.ts";
import { idle } from "../../runtime/scheduler/idle.ts";
import { ring } from "../../runtime/scheduler/mailbox.ts";
import { ENGINE, HEAD, STOP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { linked, type Process, processOf, programOf } from "../one-thread.ts";

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

/** Every look at the clock takes 10 us. */
function timePasses(p: Process): void {
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
}

test("an engine that sleeps for ever has begged: else one that wakes up has nobody to give to", () => {
  // Two engines; the other sleeps until the virtual machine answers. It did so before this one began to beg, woke up,
  // and had two ULPs, of which one computed without end: nobody took the other.
  const program = programOf(linked("", "(func $resume (param i32 i32 i32) (result i32) (i32.const 0))"));
  const p = processOf(program, { ulps: 2, engines: 2 });
  const { w, heap } = p.library;
  Atomics.store(w, HEAD.outside, 1);
  Atomics.store(w, heap.engineRow(0) + ENGINE.idle, 1);
  Atomics.store(w, HEAD.idleEngines, 1);
  timePasses(p);
  let begged: boolean | undefined;
  p.onSleep = (engine) => {
    begged = (w[HEAD.beggars]! & (1 << engine)) !== 0;
    Atomics.store(w, heap.engineRow(engine) + ENGINE.idle, 0);
  };
  idle(p.engines[1]!);
  assert.equal(begged, true);
});

/** Runs `act` once, right after the n-th time that somebody reads a word with Atomics. */
function afterLoad(n: number, act: () => void, during: () => void): boolean {
  const { load } = Atomics;
  let left = n;
  Atomics.load = ((words: Int32Array, at: number) => {
    const found = load(words, at);
    if (--left === 0) act();
    return found;
  }) as typeof Atomics.load;
  try {
    during();
  } finally {
    Atomics.load = load;
  }
  return left <= 0;
}

test("an answer that is sent while an engine looks for a deadlock is seen, between whichever two words it looks at", () => {
  const program = programOf(linked("", "(func $resume (param i32 i32 i32) (result i32) (i32.const 0))"));
  for (const engines of [1, 2]) {
    for (let n = 1, came = true; came; n++) {
      const p = processOf(program, { ulps: engines, engines });
      const { w, heap } = p.library;
      timePasses(p);
      for (let other = 1; other < engines; other++) {
        Atomics.store(w, heap.engineRow(other) + ENGINE.idle, 1);
        Atomics.add(w, HEAD.idleEngines, 1);
      }
      // As upvm/host-process.ts: first the parcel, then the request counts no more.
      Atomics.store(w, HEAD.outside, 1);
      const answer = (): void => {
        Atomics.add(w, heap.engineRow(0) + ENGINE.mail, 1);
        ring({ w, heap }, 0);
        Atomics.sub(w, HEAD.outside, 1);
      };
      p.onSleep = () => answer();
      came = afterLoad(n, answer, () => idle(p.engines[0]!));
      assert.equal(w[HEAD.stop], STOP.none, `${engines} engines, after ${n} looks`);
    }
  }
});

test.run();
