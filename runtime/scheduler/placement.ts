/**
 * Allocation modules (paper, 3.2.2, step vi): on which engine a ULP is created. A policy, so it is pluggable.
 *
 * Owns: the policies that come with upvm. Pure.
 */

/**
 * Says where ULP `index` of `ulps` begins.
 *
 * @returns engine, 0 … engines − 1
 */
export type Placement = (index: number, ulps: number, engines: number) => number;

/** `--place` by name. */
export const PLACEMENT = {
  /** Neighbours together: 0 0 0 1 1 1; sizes differ by one at most. */
  block: (index, ulps, engines) => Math.floor((index * Math.min(engines, ulps)) / ulps),
  /** Dealt out in turn: 0 1 0 1 0 1. */
  cyclic: (index, _ulps, engines) => index % engines,
} as const satisfies Record<string, Placement>;
export type PlacementName = keyof typeof PLACEMENT;

/** Asks a policy, and refuses an answer that is no engine, by name. */
export function place(policy: Placement, index: number, ulps: number, engines: number): number {
  const engine = policy(index, ulps, engines);
  if (Number.isInteger(engine) && engine >= 0 && engine < engines) return engine;
  throw new RangeError(
    `Cannot place ULP ${index}: the placement says engine ${engine}, there are ${engines}`,
  );
}
