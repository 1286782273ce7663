/**
 * How long the hosts of a virtual machine may be silent. The first host says it (`upvm start --dead-after`), and who joins is
 * told: all go by the same times.
 *
 * Owns: how the times depend on each other. Nothing else.
 */
import { LIMITS } from "../wire/limits.ts";

export interface Patience {
  /** Nothing heard of a host for so long: it is dead, its tasks have ended, milliseconds. */
  readonly deadMs: number;
  /**
   * A host that its master has not answered for so long ends its tasks and itself, milliseconds: before it is taken for dead, by
   * more than clocks differ meanwhile and its tasks need to end.
   */
  readonly giveUpMs: number;
  /** A host tells its master that it is there so often, milliseconds. */
  readonly heartbeatMs: number;
}

/** @param deadMs  LIMITS.hostDeadLeastMs to LIMITS.hostDeadMostMs */
export function patienceOf(deadMs: number): Patience {
  return { deadMs, giveUpMs: (deadMs * 2) / 3, heartbeatMs: deadMs / 6 };
}

export const PATIENCE = patienceOf(LIMITS.hostDeadMs);
