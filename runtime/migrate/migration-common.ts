/**
 * What the roles of the migration protocol share: who is there, where ULPs are, the time, and the way for effects.
 *
 * Owns: nothing but that. It is made and kept up to date by migration.ts.
 */
import type { Locations } from "./locations.ts";
import type { Location, Member, MoveEffect, Tid } from "./moves.ts";

export interface Common<M> {
  readonly own: Member;
  /** Processes of the job that are there, this one too; those of them that take no ULPs any more. */
  readonly members: Set<Member>;
  readonly leaving: Set<Member>;
  readonly locations: Locations<M>;
  /** Milliseconds, of any clock that only goes forward. */
  nowMs: number;
  others(): Member[];
  /** True if messages of this ULP wait with a frozen ULP of this process whose state has left without them. */
  keepsFrom(src: Tid): boolean;
  out(effect: MoveEffect<M>): void;
  /** News of where a ULP is; lets go on what has waited for that. */
  learn(tid: Tid, location: Location): void;
}
