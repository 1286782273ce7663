/**
 * Deadlines of the blocked ULPs of one engine, soonest first: a binary heap that knows where each ULP is in
 * it.
 *
 * Owns: the order. Not the clock: times are milliseconds since the process began, as in ULP.deadline.
 * Pure. Add, remove and next cost O(log n); no allocation after the heap has grown to its size.
 * Always true: a ULP is in it once or not at all; `#place[index]` is its position + 1.
 */
export class Timers {
  #indices: Int32Array;
  #times: Float64Array;
  readonly #place: Int32Array;
  #length = 0;

  /** @param ulps  rows of the ULP table: indices are below it */
  constructor(ulps: number) {
    this.#indices = new Int32Array(64);
    this.#times = new Float64Array(64);
    this.#place = new Int32Array(ulps);
  }

  get length(): number {
    return this.#length;
  }

  /** Time of the soonest, Infinity if there is none. */
  get nextMs(): number {
    return this.#length === 0 ? Infinity : this.#times[0]!;
  }

  /** ULP index of the soonest. There is one. */
  get nextIndex(): number {
    return this.#indices[0]!;
  }

  has(index: number): boolean {
    return this.#place[index] !== 0;
  }

  /** The ULP has no deadline yet. */
  add(index: number, timeMs: number): void {
    if (this.#length === this.#indices.length) this.#grow();
    this.#rise(this.#length++, index, timeMs);
  }

  /** Forgets a ULP's deadline, if it has one. */
  remove(index: number): void {
    const at = this.#place[index]! - 1;
    if (at < 0) return;
    this.#place[index] = 0;
    const last = --this.#length;
    if (at === last) return;
    const moved = this.#indices[last]!;
    const timeMs = this.#times[last]!;
    if (at > 0 && timeMs < this.#times[(at - 1) >> 1]!) this.#rise(at, moved, timeMs);
    else this.#sink(at, moved, timeMs);
  }

  #put(at: number, index: number, timeMs: number): void {
    this.#indices[at] = index;
    this.#times[at] = timeMs;
    this.#place[index] = at + 1;
  }

  #rise(from: number, index: number, timeMs: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#times[parent]! <= timeMs) break;
      this.#put(at, this.#indices[parent]!, this.#times[parent]!);
      at = parent;
    }
    this.#put(at, index, timeMs);
  }

  #sink(from: number, index: number, timeMs: number): void {
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#length) break;
      if (child + 1 < this.#length && this.#times[child + 1]! < this.#times[child]!) child++;
      if (this.#times[child]! >= timeMs) break;
      this.#put(at, this.#indices[child]!, this.#times[child]!);
      at = child;
    }
    this.#put(at, index, timeMs);
  }

  #grow(): void {
    const indices = new Int32Array(this.#indices.length * 2);
    const times = new Float64Array(indices.length);
    indices.set(this.#indices);
    times.set(this.#times);
    this.#indices = indices;
    this.#times = times;
  }
}
