/**
 * The time of a simulation: what is to happen, and when.
 *
 * Owns: the order of it. Nothing else moves the clock.
 */

/** What happens next; at the same moment, in the order of asking. */
export class Agenda {
  nowMs = 0;
  private readonly heap: Due[] = [];
  private serial = 0;

  at(atMs: number, act: () => void): void {
    const due = { atMs, serial: this.serial++, act };
    let i = this.heap.push(due) - 1;
    for (let up = (i - 1) >> 1; i > 0 && before(due, this.heap[up]!); i = up, up = (i - 1) >> 1)
      [this.heap[i], this.heap[up]] = [this.heap[up]!, due];
  }

  /** @returns false: nothing is left before `untilMs` */
  next(untilMs: number): boolean {
    const first = this.heap[0];
    if (first === undefined || first.atMs > untilMs) return false;
    const last = this.heap.pop()!;
    if (this.heap.length > 0) {
      this.heap[0] = last;
      for (let i = 0; ; ) {
        const [left, right] = [2 * i + 1, 2 * i + 2];
        let least = i;
        for (const child of [left, right])
          if (child < this.heap.length && before(this.heap[child]!, this.heap[least]!)) least = child;
        if (least === i) break;
        [this.heap[i], this.heap[least]] = [this.heap[least]!, this.heap[i]!];
        i = least;
      }
    }
    this.nowMs = first.atMs;
    first.act();
    return true;
  }
}

interface Due {
  readonly atMs: number;
  readonly serial: number;
  readonly act: () => void;
}
const before = (a: Due, b: Due): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.serial < b.serial);
