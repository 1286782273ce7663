/**
 * Whether a process that has nothing to run looks at its sockets for a while before it sleeps, as MPI's processes do: to be
 * woken takes a process that sleeps 30 to 60 µs, one that looks 2.
 *
 * Owns: the decision, by an account in microseconds. What is found by looking pays in what it has saved. A look in vain takes out
 * what it took, for it took that from somebody else, maybe from the very process that was to answer; where threads share
 * processors that may be a whole time slice. Each wait pays in a little. Nobody looks on credit. So in waits that are too long,
 * or where all processors are wanted, looking takes LIMITS.lookPerWaitUs of each wait at most, and in an idle process nothing.
 * Pure: times are handed in.
 */
import { LIMITS } from "../wire/limits.ts";

export class Looking {
  private accountUs = 0;
  /** When this look began; undefined: nobody looks. */
  private beganMs: number | undefined;
  private lastMs = 0;

  /** A wait begins. @returns whether to look */
  begin(nowMs: number): boolean {
    this.end(nowMs);
    this.pay(LIMITS.lookPerWaitUs);
    if (this.accountUs < 0) return false;
    this.beganMs = nowMs;
    this.lastMs = nowMs;
    return true;
  }

  /** Nothing was found yet. @returns whether to look again */
  again(nowMs: number): boolean {
    if (this.beganMs === undefined) return false;
    if (this.isLost(nowMs) || nowMs >= this.beganMs + LIMITS.lookUs / 1000) {
      this.inVain(nowMs);
      return false;
    }
    this.lastMs = nowMs;
    return true;
  }

  /** The wait is over. */
  end(nowMs: number): void {
    if (this.beganMs === undefined) return;
    if (this.isLost(nowMs)) this.inVain(nowMs);
    else this.pay(LIMITS.lookSavesUs);
    this.beganMs = undefined;
  }

  /** So long since the last look: another thread had the processor. A process that sleeps is given it sooner. */
  private isLost(nowMs: number): boolean {
    return nowMs - this.lastMs > LIMITS.lookLostUs / 1000;
  }

  private inVain(nowMs: number): void {
    const tookUs = (nowMs - (this.beganMs ?? nowMs)) * 1000;
    this.accountUs = Math.max(this.accountUs - tookUs, -LIMITS.lookOwedUs);
    this.beganMs = undefined;
  }

  private pay(us: number): void {
    this.accountUs = Math.min(this.accountUs + us, LIMITS.lookUs);
  }
}
