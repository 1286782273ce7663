/**
 * Where the ULPs of a job are, seen from one of its processes, and the messages that wait until that is decided.
 *
 * Owns: the location table, and for each ULP that is on its way the messages that ULPs of this process have sent to it
 * since: its hold queue. Messages are opaque here. How many there may be is no matter of this: one that waits here keeps its
 * place in the outbox (runtime/scheduler/outbox.ts), where who sends waits for room. Pure.
 *
 * Order of a pair of ULPs is kept by three rules: who has a hold queue puts every message behind it; a queue goes out as a
 * whole before anything else to that ULP; and a ULP with messages in a hold queue does not leave (departure.ts).
 */
import { type Location, type Member, type MoveEffect, NOBODY, type Sent, type Tid } from "./moves.ts";

interface Hold<M> {
  /** The move that is waited for; 0: none, it is not known where it is. */
  move: number;
  readonly queue: Sent<M>[];
}

/** What becomes of a message; "unknown": it is kept as if it were "held", and the caller does `locate`. */
export type Where = Member | "here" | "held" | "nowhere" | "unknown";

export class Locations<M> {
  private readonly own: Member;
  private readonly table = new Map<Tid, Location>();
  private readonly holds = new Map<Tid, Hold<M>>();
  private readonly lost = new Set<Member>();

  constructor(own: Member) {
    this.own = own;
  }

  at(tid: Tid): Location | undefined {
    return this.table.get(tid);
  }

  isHere(tid: Tid): boolean {
    return this.table.get(tid)?.member === this.own;
  }

  hasEnded(tid: Tid): boolean {
    return this.table.get(tid)?.member === NOBODY;
  }

  /** ULPs of this process that have moved, or have tried to. */
  *movedHere(): Generator<[Tid, Location]> {
    for (const [tid, location] of this.table)
      if (location.member === this.own && location.move > 0) yield [tid, location];
  }

  /**
   * Takes a message to a ULP and keeps it if it has to wait.
   *
   * @returns where the caller has to send it; "here": into its inbox, also if it is frozen
   */
  sent(tid: Tid, sent: Sent<M>): Where {
    const hold = this.holds.get(tid);
    if (hold !== undefined) {
      hold.queue.push(sent);
      return "held";
    }
    const location = this.table.get(tid);
    if (location !== undefined) return this.reach(location.member);
    this.hold(tid, 0).queue.push(sent);
    return "unknown";
  }

  /** From now on messages to it wait for the end of this move. */
  hold(tid: Tid, move: number): Hold<M> {
    let hold = this.holds.get(tid);
    if (hold === undefined) {
      hold = { move, queue: [] };
      this.holds.set(tid, hold);
    }
    hold.move = Math.max(hold.move, move);
    return hold;
  }

  /** News of where a ULP is; old news changes nothing. What waits for it goes there, if that can be reached. */
  learn(tid: Tid, location: Location): readonly MoveEffect<M>[] {
    const known = this.table.get(tid);
    if (known === undefined || location.move > known.move) this.table.set(tid, location);
    return this.release(tid);
  }

  /**
   * Nobody of this name has been made: what waits for it goes nowhere. That is not remembered, since its tid may be given to
   * one that is made later: who sends to it then has to ask again.
   */
  notMade(tid: Tid): readonly MoveEffect<M>[] {
    const hold = this.holds.get(tid);
    if (hold === undefined || hold.move > 0 || this.table.has(tid)) return [];
    this.holds.delete(tid);
    return this.out(tid, hold, "nowhere");
  }

  /** It has ended: nobody gets what waits for it. */
  end(tid: Tid): readonly MoveEffect<M>[] {
    this.table.set(tid, { member: NOBODY, move: Number.MAX_SAFE_INTEGER });
    return this.release(tid);
  }

  /**
   * A process is gone. What is for ULPs that are there goes nowhere: none of them can have left without our answer, and
   * since that their messages wait.
   */
  lose(member: Member): void {
    this.lost.add(member);
  }

  /** ULPs that were with this process, which is gone, and on no way: they have ended with it. */
  endedWith(member: Member): Tid[] {
    const theirs = [...this.table].filter(([tid, at]) => at.member === member && !this.holds.has(tid));
    return theirs.map(([tid]) => tid);
  }

  /** The process ends. @returns what waits here, and goes nowhere */
  drop(): M[] {
    const waiting = [...this.holds.values()].flatMap(({ queue }) => queue.map(({ message }) => message));
    this.holds.clear();
    return waiting;
  }

  /** True if messages of this ULP wait here. */
  holdsFrom(src: Tid): boolean {
    for (const { queue } of this.holds.values()) if (queue.some((sent) => sent.src === src)) return true;
    return false;
  }

  /** ULPs for which something waits, or which are waited for. */
  get waiting(): readonly Tid[] {
    return [...this.holds.keys()];
  }

  private release(tid: Tid): readonly MoveEffect<M>[] {
    const hold = this.holds.get(tid);
    const location = this.table.get(tid);
    if (hold === undefined || location === undefined || location.move < hold.move) return [];
    this.holds.delete(tid);
    return this.out(tid, hold, this.reach(location.member));
  }

  private out(tid: Tid, { queue }: Hold<M>, to: Member | "here" | "nowhere"): readonly MoveEffect<M>[] {
    if (queue.length === 0) return [];
    return [{ kind: "release", tid, to, held: queue.map(({ message }) => message) }];
  }

  private reach(member: Member): Member | "here" | "nowhere" {
    if (member === this.own) return "here";
    return member === NOBODY || this.lost.has(member) ? "nowhere" : member;
  }
}
