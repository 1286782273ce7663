/**
 * What several engines tell the process's own thread, in the order in which they told it.
 *
 * Owns: that order. Each engine has a port of its own, so that what a ULP printed on one engine could come behind what it prints
 * on the one that took it over, or behind itself on its way to another host. Who tells something takes a number first, which
 * all engines count; what comes before its turn waits for what is on its way.
 */
export class NewsOrder {
  private next = 0;
  private readonly early = new Map<number, () => void>();

  /** @param number  taken from a word that all engines count: it begins again behind the largest of 32 bits */
  take(number: number, tell: () => void): void {
    // One that nothing waits for any more.
    if (((number - this.next) | 0) < 0) return tell();
    this.early.set(number, tell);
    for (let due = this.early.get(this.next); due !== undefined; due = this.early.get(this.next)) {
      this.early.delete(this.next);
      this.next = (this.next + 1) | 0;
      due();
    }
  }

  /** An engine is gone, maybe with what it was about to tell: nothing waits for it. */
  giveUp(): void {
    const waiting = [...this.early].sort(([a], [b]) => (a - b) | 0);
    this.early.clear();
    for (const [number, tell] of waiting) {
      this.next = (number + 1) | 0;
      tell();
    }
  }
}
