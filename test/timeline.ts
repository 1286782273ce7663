/** Simulated time and chance: what is to happen is done in order of its time, and everything follows from one seed. */
import assert from "node:assert/strict";

/** Numbers from 0 to below 1 from a seed (mulberry32). */
function random(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

interface Due {
  readonly atMs: number;
  readonly serial: number;
  readonly act: () => void;
}
const before = (a: Due, b: Due): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.serial < b.serial);

export class Timeline {
  nowMs = 0;
  readonly rnd: () => number;
  /** A heap by time, then order of scheduling. */
  private readonly due: Due[] = [];
  private serial = 0;

  constructor(seed: number) {
    this.rnd = random(seed);
  }

  below(n: number): number {
    return Math.floor(this.rnd() * n);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  after(ms: number, act: () => void): void {
    this.at(this.nowMs + ms, act);
  }

  at(atMs: number, act: () => void): void {
    const { due } = this;
    const item = { atMs, serial: this.serial++, act };
    let i = due.length;
    due.push(item);
    while (i > 0) {
      const up = (i - 1) >> 1;
      if (before(due[up]!, item)) break;
      due[i] = due[up]!;
      i = up;
    }
    due[i] = item;
  }

  /** Runs until nothing is due any more; `actsMax` things: it does not come to rest. */
  run(actsMax: number): void {
    for (let n = 0; this.due.length > 0; n++) {
      assert.ok(n < actsMax, "it does not come to rest");
      const { atMs, act } = this.next();
      this.nowMs = Math.max(this.nowMs, atMs);
      act();
    }
  }

  private next(): Due {
    const { due } = this;
    const first = due[0]!;
    const last = due.pop()!;
    if (due.length === 0) return first;
    let i = 0;
    for (let down = 1; down < due.length; down = 2 * i + 1) {
      if (down + 1 < due.length && before(due[down + 1]!, due[down]!)) down += 1;
      if (before(last, due[down]!)) break;
      due[i] = due[down]!;
      i = down;
    }
    due[i] = last;
    return first;
  }
}
