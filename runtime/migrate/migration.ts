/**
 * Moves of ULPs between the processes of a job: the protocol of the paper's section 3.2.7, seen from one process.
 *
 * Owns: which part has to do with what happens. Pure: what happens goes in by `take`, with the time, what is to be done
 * comes out, in order. No clock, no socket, no heap. test/property/migration.test.ts runs many of these in a simulation.
 *
 * What it needs of the world: frames between two processes come in the order in which they were sent, or not at all
 * because one is gone; the control store does a transaction as a whole or not; a clock that goes forward. Clocks need not
 * agree. A process that joins later lets its ULPs send only when all others have taken `joined`.
 *
 * What always holds: a ULP is run by one process at most; a message between ULPs that live on is received once, in the
 * order of its pair; every order has one answer; when nothing is under way, nothing is kept but the location table.
 */
import { Arrivals } from "./arrival.ts";
import { Departures } from "./departure.ts";
import { Locations, type Where } from "./locations.ts";
import { type Common, NO_TRAFFIC, type Traffic } from "./migration-common.ts";
import type { Location, Member, MoveEffect, MoveEvent, MoveFrame, Sent, Tid } from "./moves.ts";

export class Migration<M> implements Common<M> {
  readonly own: Member;
  readonly members: Set<Member>;
  readonly leaving = new Set<Member>();
  readonly locations: Locations<M>;
  nowMs = 0;
  private readonly departures: Departures<M>;
  private readonly arrivals: Arrivals<M>;
  private effects: MoveEffect<M>[] = [];

  readonly traffic: Traffic;

  /**
   * @param members  processes of the job that are there, this one too
   */
  constructor(own: Member, members: Iterable<Member>, traffic = NO_TRAFFIC) {
    this.own = own;
    this.traffic = traffic;
    this.members = new Set(members).add(own);
    this.locations = new Locations(own);
    this.departures = new Departures(this);
    this.arrivals = new Arrivals(this, (tid, revision) => this.departures.owned(tid, revision));
  }

  /** Something has happened. @returns what is to be done, in this order */
  take(event: MoveEvent, nowMs: number): readonly MoveEffect<M>[] {
    this.nowMs = nowMs;
    this.happened(event);
    const { effects } = this;
    this.effects = [];
    return effects;
  }

  /** A ULP of this process sends, or a message came for one of its. */
  sent(tid: Tid, sent: Sent<M>): Where {
    return this.locations.sent(tid, sent);
  }

  /** When `tick` has to be said next, of the clock of `take`; Infinity: not at all. */
  get nextMs(): number {
    return Math.min(this.departures.nextMs, this.arrivals.nextMs);
  }

  /** Moves that are not over, and ULPs for which messages wait. */
  get unfinished(): number {
    return this.departures.count + this.arrivals.count + this.locations.waiting.length;
  }

  others(): Member[] {
    return [...this.members].filter((member) => member !== this.own);
  }

  out(effect: MoveEffect<M>): void {
    this.effects.push(effect);
  }

  learn(tid: Tid, location: Location): void {
    this.released(this.locations.learn(tid, location));
  }

  private released(effects: readonly MoveEffect<M>[]): void {
    for (const effect of effects) this.out(effect);
    if (effects.length > 0) this.departures.released();
  }

  private happened(event: MoveEvent): void {
    const { departures, arrivals } = this;
    switch (event.kind) {
      case "order":
        departures.order(event.order, event.tid, event.to);
        break;
      case "callOff":
        departures.callOff(event.tid, event.queued);
        break;
      case "frozen":
        departures.frozen(event.tid, event.move, event.weight);
        break;
      case "notFrozen":
        departures.notFrozen(event.tid, event.move, event.refused);
        break;
      case "shipped":
        departures.shipped(event.tid, event.move, event.bytes);
        break;
      case "judged":
        arrivals.judged(event.tid, event.move, event.refused);
        break;
      case "weighed":
        arrivals.weighed(event.tid, event.move, event.refused);
        break;
      case "received":
        arrivals.received(event.tid, event.move);
        break;
      case "broken":
        arrivals.broken(event.tid, event.move, event.refused);
        break;
      case "settled":
        departures.settled(event.tid, event.move, event.result);
        arrivals.settled(event.tid, event.move, event.result);
        break;
      case "owner":
        departures.owner(event.tid, event.move, event.owner);
        arrivals.owner(event.tid, event.move, event.owner);
        break;
      case "frame":
        this.frame(event.from, event.frame);
        break;
      case "created":
        this.learn(event.tid, event.location);
        break;
      case "notMade":
        this.released(this.locations.notMade(event.tid));
        break;
      case "ended":
        departures.ended(event.tid);
        this.released(this.locations.end(event.tid));
        break;
      case "leaving":
        this.leaving.add(event.member);
        break;
      case "joined":
        this.joined(event.member);
        break;
      case "lost":
        this.lost(event.member);
        break;
      case "cleared":
        departures.released();
        break;
      case "tick":
        departures.tick();
        arrivals.tick();
        break;
    }
  }

  private frame(from: Member, frame: MoveFrame): void {
    const { tid, move, isClear = false } = frame;
    switch (frame.kind) {
      case "PREPARE":
        this.arrivals.prepare(from, frame);
        break;
      case "PREPARED":
        this.departures.prepared(from, tid, move, frame.refused);
        break;
      case "MIGRATING":
        this.migrating(from, frame);
        break;
      case "MIGACK":
        this.departures.acknowledged(from, tid, move, isClear);
        break;
      case "FLUSHED":
        this.arrivals.flushed(from, tid, move);
        break;
      case "MIGRATED":
        this.departures.migrated(from, tid, move);
        this.learn(tid, { member: from, move });
        break;
      case "MIGABORT":
        this.departures.failed(from, tid, move, frame.refused);
        this.arrivals.aborted(from, tid, move);
        // Else the destination tells its source that it will not have it.
        if (frame.member === from) this.learn(tid, { member: from, move });
        break;
    }
  }

  /** As one of the others. The answer goes behind all that was sent there before, since the link keeps order. */
  private migrating(from: Member, { tid, move, weight, taken }: MoveFrame): void {
    const known = this.locations.at(tid);
    if (known === undefined || move > known.move) this.locations.hold(tid, move);
    if (weight !== undefined && this.arrivals.isExpected(from, tid, move)) {
      if (taken !== undefined && taken === this.traffic.sentTo(from)) this.arrivals.flushed(from, tid, move);
      this.out({ kind: "weigh", tid, move, weight });
    } else this.out({ kind: "send", to: from, frame: { kind: "MIGACK", tid, move, member: 0 } });
  }

  private joined(member: Member): void {
    this.members.add(member);
    for (const [tid, { move }] of this.locations.movedHere())
      this.out({ kind: "send", to: member, frame: { kind: "MIGRATED", tid, move, member: this.own } });
    this.departures.joined(member);
  }

  private lost(member: Member): void {
    this.members.delete(member);
    this.leaving.delete(member);
    this.locations.lose(member);
    this.arrivals.lost(member);
    this.departures.lost(member);
  }
}
