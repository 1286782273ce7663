/**
 * Where upvm differs from PVM 3.4.6 on purpose, and why: one row for each line of the conformance suite that differs.
 *
 * Owns: the rows. docs/pvm-interface.md is made from them, and the suite fails if one does not hold any more.
 */
import type { ProgramName } from "./suite.ts";

export interface Difference {
  readonly program: ProgramName;
  readonly case: string;
  /** Lines that PVM prints. */
  readonly pvm: string;
  /** What upvm prints in their place; "" for nothing. */
  readonly upvm: string;
  /** One sentence, for a person who knows PVM. */
  readonly why: string;
}

export const DIFFERENCES: readonly Difference[] = [];
