/**
 * What the roles of the migration protocol share: who is there, where ULPs are, the time, and the way for effects.
 *
 * Owns: nothing but that. It is made and kept up to date by migration.ts.
 */
import type { Locations } from "./locations.ts";
import type { Location, Member, MoveEffect, Tid } from "./moves.ts";

/** What the protocol asks of the messages of its process. */
export interface Traffic {
  /** True if messages of this ULP wait with a frozen ULP of this process whose state has left without them. */
  keepsFrom(src: Tid): boolean;
  /** Messages that have been given to the link to another process, and that have been taken from it, ever. */
  sentTo(member: Member): number;
  takenFrom(member: Member): number;
}
export const NO_TRAFFIC: Traffic = { keepsFrom: () => false, sentTo: () => 0, takenFrom: () => 0 };

export interface Common<M> {
  readonly own: Member;
  /** Processes of the job that are there, this one too; those of them that take no ULPs any more. */
  readonly members: Set<Member>;
  readonly leaving: Set<Member>;
  readonly locations: Locations<M>;
  /** Milliseconds, of any clock that only goes forward. */
  nowMs: number;
  others(): Member[];
  readonly traffic: Traffic;
  out(effect: MoveEffect<M>): void;
  /** News of where a ULP is; lets go on what has waited for that. */
  learn(tid: Tid, location: Location): void;
}
