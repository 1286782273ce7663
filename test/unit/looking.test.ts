/** When a process looks at its sockets before it sleeps, and when it sleeps at once. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { Looking } from "../../upvm/looking.ts";
import { LIMITS } from "../../wire/limits.ts";

const LOOK_EVERY_US = 2;

/** A process on a clock of its own. */
class Waits {
  readonly looking = new Looking();
  private nowMs = 1000;
  /** Time in which it looked. */
  lookedUs = 0;

  /** Waits so long, looking all the time if it may. @returns whether it looked */
  wait(us: number, lookEveryUs = LOOK_EVERY_US): boolean {
    const beganMs = this.nowMs;
    const overMs = beganMs + us / 1000;
    const looks = this.looking.begin(beganMs);
    for (let again = looks; again && this.nowMs + lookEveryUs / 1000 < overMs; ) {
      this.nowMs += lookEveryUs / 1000;
      again = this.looking.again(this.nowMs);
    }
    this.lookedUs += (this.nowMs - beganMs) * 1000;
    this.nowMs = overMs;
    this.looking.end(this.nowMs);
    return looks;
  }
}

test("a process whose waits are short looks in all of them", () => {
  const waits = new Waits();
  for (let i = 0; i < 1000; i++) assert.ok(waits.wait(30), `wait ${i}`);
});

test("one that waits for longer looks for no more than its limit of each wait, however long it goes on", () => {
  for (const us of [LIMITS.lookUs + 10, 300, 1000, 1_000_000]) {
    const waits = new Waits();
    for (let i = 0; i < 10_000; i++) waits.wait(us);
    const most = 10_000 * LIMITS.lookPerWaitUs + 2 * LIMITS.lookUs;
    assert.ok(waits.lookedUs <= most, `waits of ${us} µs: looked for ${waits.lookedUs} µs`);
    assert.ok(waits.lookedUs > 0);
  }
});

test("one that waits for good stops looking after its limit", () => {
  const waits = new Waits();
  for (let i = 0; i < 1000; i++) waits.wait(20);
  waits.lookedUs = 0;
  assert.ok(waits.wait(3_600_000_000));
  assert.ok(waits.lookedUs <= LIMITS.lookUs + LOOK_EVERY_US);
});

test("when its processor was lost while it looked it sleeps as many waits as that time pays for", () => {
  const waits = new Waits();
  waits.wait(20);
  const lostUs = 3000;
  // Found, but only after another thread's time slice.
  waits.wait(lostUs, lostUs * 2);
  let slept = 0;
  while (!waits.wait(50)) slept += 1;
  const paid = (lostUs - LIMITS.lookUs) / LIMITS.lookPerWaitUs;
  assert.ok(slept > paid * 0.9 && slept <= lostUs / LIMITS.lookPerWaitUs, `slept in ${slept} waits`);
});

test("it begins to look again soon after a time in which its processor was always lost", () => {
  const waits = new Waits();
  for (let i = 0; i < 10_000; i++) waits.wait(4000, 8000);
  let slept = 0;
  while (!waits.wait(50)) slept += 1;
  assert.ok(slept <= LIMITS.lookOwedUs / LIMITS.lookPerWaitUs, `slept in ${slept} waits`);
});

test.run();
