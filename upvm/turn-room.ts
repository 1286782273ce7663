/**
 * Whether ULPs of an engine that has turns (runtime/scheduler/turn.ts) have to wait for room.
 *
 * Owns: how long they wait. For room among messages so long at most, as those of an engine with a thread of its own, then what
 * finds none is refused; for their output to be taken without end, since output is never refused. Never looks at a clock.
 */
import { LIMITS } from "../wire/limits.ts";

/** What is beyond its limit. */
export interface Full {
  /** HEAD.outputBytes. */
  readonly output: boolean;
  /** The outbox, or what is on its way to other jobs. */
  readonly messages: boolean;
}

export class TurnRoom {
  /** Since when there was no room for messages, milliseconds. */
  private fullMs: number | undefined;

  /**
   * Before each turn.
   *
   * @param nowMs  of a clock that only goes forward
   * @returns waits: no ULP may run; refused: there was no room for messages for LIMITS.outboxWaitMs (TURN.waited)
   */
  look({ output, messages }: Full, nowMs: number): { readonly waits: boolean; readonly refused: boolean } {
    this.fullMs = messages ? (this.fullMs ?? nowMs) : undefined;
    const refused = this.fullMs !== undefined && nowMs - this.fullMs >= LIMITS.outboxWaitMs;
    return { waits: output || (messages && !refused), refused };
  }
}
