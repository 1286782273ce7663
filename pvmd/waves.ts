/**
 * Deadlock of a job with several processes (Mattern's four counters).
 *
 * In waves, every process tells whether nothing can happen in it by itself, how many messages it has sent to each of the others
 * and how many have come from each. If all are idle in two waves one after the other, the counts are the same in both, and
 * what was sent has come, then no message is on its way and none will be sent. Messages of processes that are gone do not
 * count. Pure.
 */

export interface WaveState {
  readonly idle: boolean;
  /** Messages, by member. */
  readonly sent: readonly number[];
  readonly received: readonly number[];
}

export class Waves {
  /** The counts of the last wave, if all were idle in it. */
  private quiet: string | undefined;

  /**
   * A wave is complete. @param states  of all members that are there, by number
   *
   * @returns true: nothing will happen any more
   */
  judge(states: ReadonlyMap<number, WaveState>): boolean {
    const members = [...states.keys()];
    const pairs = members.flatMap((a) => members.filter((b) => b !== a).map((b) => [a, b] as const));
    const settled = pairs.every(
      ([a, b]) => (states.get(a)!.sent[b] ?? 0) === (states.get(b)!.received[a] ?? 0),
    );
    const idle = settled && [...states.values()].every((state) => state.idle);
    const counts = JSON.stringify([members, pairs.map(([a, b]) => states.get(a)!.sent[b] ?? 0)]);
    const again = idle && this.quiet === counts;
    this.quiet = idle ? counts : undefined;
    return again;
  }
}
