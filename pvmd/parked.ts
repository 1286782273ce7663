/**
 * What the master has for a task that is ordered to another process: it waits until the order is answered, and goes to where the
 * task is then. Sent at once it would go to the source, which passes it on, and what is sent to the task's new place after the
 * move could overtake it.
 *
 * Owns: the order of what waits for one task, and how much it may be. Who is ordered away is move-orders.ts. Pure.
 */
import { LIMITS } from "../wire/limits.ts";

export class Parked<W> {
  private waiting: ((ways: W) => void)[] = [];
  private bytes = 0;
  private isFull = false;

  /**
   * Keeps what is to be done at the task's process.
   *
   * @param bytes  what it keeps in memory, beside a little
   * @returns what goes on to the process that has the task by the table, in order: nothing, or, beyond the limits, all that waited
   *   and all that comes from now on. The source keeps that as long as it can (freezer.ts)
   */
  add(bytes: number, act: (ways: W) => void): readonly ((ways: W) => void)[] {
    this.waiting.push(act);
    this.bytes += bytes;
    this.isFull ||= this.waiting.length > LIMITS.keptParcels || this.bytes > LIMITS.parkedBytes;
    return this.isFull ? this.take() : [];
  }

  /** What came was beyond the limits: it does not wait any more. */
  get isOver(): boolean {
    return this.isFull;
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0 && !this.isFull;
  }

  /** Empties it. @returns what waited, in order */
  take(): readonly ((ways: W) => void)[] {
    return this.waiting.splice(0);
  }
}
