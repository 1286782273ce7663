/**
 * A ULP leaves: the source's side of a move (paper, 3.2.7).
 *
 *     order ─▶ freezing ─▶ waiting ─▶ flushing ─▶ shipping ─▶ shipped ─▶ gone
 *                 │           │          │           │           │
 *                 ╰───────────┴──────────╯           ╰─ undoing ─┤
 *                       stays, thawed                  stays ◀───╯ or gone: the control store says
 *
 * - freezing: the destination is asked (PREPARE), and at the same time the ULP is being stopped. Its answer is not waited for:
 *   what it will not have it drops. What cannot be stopped in time is `unfreezing`: refused, and thawed when it stops.
 * - waiting: messages that it has sent wait here for ULPs that move; they must leave before it does.
 * - flushing: all others are told (MIGRATING) and answer behind everything they have sent (MIGACK). An answer also says
 *   that everything that the ULP has sent from here has come, so that what it sends from elsewhere cannot overtake it.
 *   Its state is sent meanwhile, with the messages that it has (shipMemory, ship). What comes for it until all have answered is
 *   sent after it (shipLate), and kept; then the destination is told (FLUSHED). If there is nobody but the destination, that
 *   knows by itself whether something of its own is on its way: so a move takes one message to it and no answer.
 * - shipping, shipped: all have answered; its state is on the way, or there. The destination decides, by one transaction of the control store: with it
 *   the ULP is its. Only a transaction on the same key can prevent that (undoing), so exactly one has it.
 *
 * Owns: the moves from this process. Pure. Nothing here is undone by a message that is late: (tid, move) names an attempt.
 */
import { LIMITS } from "../../wire/limits.ts";
import type { Common } from "./migration-common.ts";
import type {
  Member,
  MoveFrameKind,
  Outcome,
  Owner,
  Refusal,
  Refused,
  Settled,
  Stages,
  Tid,
  Weight,
} from "./moves.ts";

type At = "freezing" | "unfreezing" | "waiting" | "flushing" | "shipping" | "shipped" | "undoing";

interface Departure {
  readonly tid: Tid;
  readonly to: Member;
  readonly move: number;
  readonly order: number;
  readonly sinceMs: number;
  readonly stages: Stages;
  at: At;
  /** When the stage has taken too long; undoing: when the store is asked again. */
  deadlineMs: number;
  /** The destination has said yes. */
  isPrepared: boolean;
  /** Who has not answered MIGRATING. */
  readonly acks: Set<Member>;
  bytes: number;
  /** As it was stopped. */
  weight: Weight | undefined;
  /** MIGRATED came before our own link said that all is written. */
  isThere: boolean;
  /** All is written. */
  isSent: boolean;
  /** Nobody but the destination had to be told: it may decide before it has answered. */
  isAlone: boolean;
  /** Why it stays, as soon as it is stopped; why it is undone. */
  refused: Refused | undefined;
  tries: number;
}

const STAGE_MS: Readonly<Record<At, number>> = {
  freezing: LIMITS.moveFreezeMs,
  unfreezing: Number.POSITIVE_INFINITY,
  waiting: LIMITS.moveFlushMs,
  flushing: LIMITS.moveFlushMs,
  shipping: LIMITS.moveStateMs,
  shipped: LIMITS.moveDecideMs,
  undoing: LIMITS.moveAskAgainMs,
};
const TOO_LATE: Readonly<Record<At, Refusal>> = {
  freezing: "notFrozen",
  unfreezing: "notFrozen",
  waiting: "notFlushed",
  flushing: "notFlushed",
  shipping: "notReceived",
  shipped: "noAnswer",
  undoing: "noAnswer",
};

export class Departures<M> {
  private readonly common: Common<M>;
  private readonly moves = new Map<Tid, Departure>();
  /** Revision of the keys of ULPs that have moved; 0: no key. */
  private readonly revisions = new Map<Tid, number>();
  /** Orders beyond LIMITS.movesAtOnce. */
  private readonly queue: { order: number; tid: Tid; to: Member; sinceMs: number }[] = [];

  constructor(common: Common<M>) {
    this.common = common;
  }

  get count(): number {
    return this.moves.size + this.queue.length;
  }

  private has(tid: Tid): boolean {
    return this.moves.has(tid) || this.queue.some((order) => order.tid === tid);
  }

  get nextMs(): number {
    return Math.min(...[...this.moves.values()].map(({ deadlineMs }) => deadlineMs));
  }

  /** It has come here with this revision of its key. */
  owned(tid: Tid, revision: number): void {
    this.revisions.set(tid, revision);
  }

  order(order: number, tid: Tid, to: Member): void {
    const why = this.cannot(tid, to);
    if (why !== undefined) this.answer(order, tid, to, { moved: false, refused: { code: why, detail: "" } });
    else {
      this.queue.push({ order, tid, to, sinceMs: this.common.nowMs });
      this.startQueued();
    }
  }

  /** The order's answer says what has become of it. @param queued  only if it has not begun */
  callOff(tid: Tid, queued: boolean): void {
    this.dropQueued(tid, "calledOff");
    const d = queued ? undefined : this.moves.get(tid);
    // Of one that is there or about to be the destination tells.
    if (d !== undefined && !d.isThere) this.giveUp(d, "calledOff");
  }

  private dropQueued(tid: Tid, code: Refusal): void {
    const at = this.queue.findIndex((order) => order.tid === tid);
    if (at < 0) return;
    const [{ order, to }] = this.queue.splice(at, 1) as [(typeof this.queue)[number]];
    this.answer(order, tid, to, { moved: false, refused: { code, detail: "" } });
  }

  private cannot(tid: Tid, to: Member): Refusal | undefined {
    const { locations, own, members, leaving } = this.common;
    if (locations.hasEnded(tid)) return "ended";
    if (!locations.isHere(tid)) return "notHere";
    if (this.has(tid)) return "moving";
    if (to === own) return "already";
    if (leaving.has(to)) return "leaving";
    if (!members.has(to)) return "unknownHost";
    return this.queue.length >= LIMITS.movesWaiting ? "tooMany" : undefined;
  }

  /** One that is refused already, and only waits to be thawed, takes nobody's place. */
  private get underWay(): number {
    return [...this.moves.values()].filter(({ at }) => at !== "unfreezing").length;
  }

  /** Begins with what has waited, as far as the limit allows. */
  private startQueued(): void {
    while (this.underWay < LIMITS.movesAtOnce) {
      const next = this.queue.shift();
      if (next === undefined) return;
      const { order, tid, to, sinceMs } = next;
      // It may have ended, or its destination gone, since it was ordered.
      const why = this.cannot(tid, to);
      if (why === undefined) this.start(order, tid, to, sinceMs);
      else this.answer(order, tid, to, { moved: false, refused: { code: why, detail: "" } });
    }
  }

  private start(order: number, tid: Tid, to: Member, sinceMs: number): void {
    const move = this.common.locations.at(tid)!.move + 1;
    const stages = { preparedMs: 0, frozenMs: 0, flushedMs: 0, sentMs: 0, committedMs: 0 };
    const d: Departure = {
      tid,
      to,
      move,
      order,
      sinceMs,
      stages,
      at: "freezing",
      deadlineMs: 0,
      isPrepared: false,
      acks: new Set(),
      bytes: 0,
      weight: undefined,
      isThere: false,
      isSent: false,
      isAlone: false,
      refused: undefined,
      tries: 0,
    };
    this.moves.set(tid, d);
    this.enter(d, "freezing");
    const revision = this.revisions.get(tid) ?? 0;
    this.common.out({ kind: "offer", to, frame: { kind: "PREPARE", tid, move, member: 0, revision } });
    this.common.out({ kind: "freeze", tid, move });
  }

  prepared(from: Member, tid: Tid, move: number, refused: Refused | undefined): void {
    const d = this.find(tid, move);
    if (d === undefined || d.isPrepared || from !== d.to || d.at === "unfreezing") return;
    if (refused !== undefined) {
      // It is answered when it runs again, so that it can be moved elsewhere then.
      if (d.at === "freezing") d.refused = refused;
      // Else only what the control store says counts by now, and nobody there will ask it.
      else if (d.at !== "undoing") this.stay(d, refused);
      return;
    }
    d.isPrepared = true;
    d.stages.preparedMs = this.elapsed(d);
  }

  frozen(tid: Tid, move: number, weight: Weight | undefined): void {
    const d = this.find(tid, move);
    if (d?.at === "unfreezing") {
      this.common.out({ kind: "thaw", tid });
      this.remove(d);
    } else if (d?.at === "freezing") {
      d.stages.frozenMs = this.elapsed(d);
      d.weight = weight;
      this.enter(d, "waiting");
      if (d.refused !== undefined) this.stay(d, d.refused);
      else this.flushIfClear(d);
    }
  }

  notFrozen(tid: Tid, move: number, refused: Refused): void {
    const d = this.find(tid, move);
    if (d?.at === "unfreezing") this.remove(d);
    else if (d?.at === "freezing") this.stay(d, d.refused ?? refused, true);
  }

  /** A ULP of this process has ended: it cannot have been frozen yet. */
  ended(tid: Tid): void {
    this.revisions.delete(tid);
    this.dropQueued(tid, "ended");
    const d = this.moves.get(tid);
    if (d !== undefined && (d.at === "freezing" || d.at === "unfreezing"))
      this.notFrozen(tid, d.move, { code: "ended", detail: "" });
  }

  /** Hold queues have become shorter, or the queues of frozen ULPs. */
  released(): void {
    for (const d of [...this.moves.values()]) if (d.at === "waiting") this.flushIfClear(d);
  }

  private flushIfClear(d: Departure): void {
    if (this.common.locations.holdsFrom(d.tid) || this.common.traffic.keepsFrom(d.tid)) return;
    const { tid, move, to } = d;
    const others = this.common.others();
    this.enter(d, "flushing");
    d.isAlone = others.length === 1;
    for (const member of others) d.acks.add(member);
    // First those whose answers are waited for.
    for (const member of others) if (member !== to) this.tell(member, d);
    this.tell(to, d);
    this.common.out({ kind: "shipMemory", tid, move, to });
    this.common.out({ kind: "ship", tid, move, to });
  }

  private tell(member: Member, { tid, move, to, weight, isAlone, acks }: Departure): void {
    const taken = isAlone && acks.has(member) ? this.common.traffic.takenFrom(member) : undefined;
    const more = member === to && { ...(weight && { weight }), ...(taken !== undefined && { taken }) };
    this.common.out({
      kind: "send",
      to: member,
      frame: { kind: "MIGRATING", tid, move, member: to, ...more },
    });
  }

  /** @param isClear  it is the destination, which knows by itself that nothing is on its way to it or to us */
  acknowledged(from: Member, tid: Tid, move: number, isClear: boolean): void {
    const d = this.find(tid, move);
    if (d?.at !== "flushing") return;
    d.acks.delete(from);
    this.goOnIfFlushed(d, isClear);
  }

  private goOnIfFlushed(d: Departure, isClear = false): void {
    if (d.acks.size > 0) return;
    const { tid, move, to } = d;
    d.stages.flushedMs = this.elapsed(d);
    this.common.locations.hold(tid, move);
    if (!isClear) {
      this.common.out({ kind: "shipLate", tid, move, to });
      this.send(to, "FLUSHED", d, 0);
    }
    this.enter(d, d.isSent ? "shipped" : "shipping");
  }

  shipped(tid: Tid, move: number, bytes: number): void {
    const d = this.find(tid, move);
    // Undoing began before the link had told: it still may be that all is there.
    if (d === undefined || (d.at !== "flushing" && d.at !== "shipping" && d.at !== "undoing")) return;
    d.bytes = bytes;
    d.stages.sentMs = this.elapsed(d);
    d.isSent = true;
    if (d.at !== "shipping") return;
    this.enter(d, "shipped");
    if (d.isThere) this.gone(d);
  }

  /** The destination has committed. */
  migrated(from: Member, tid: Tid, move: number): void {
    const d = this.find(tid, move);
    if (d === undefined || from !== d.to) return;
    if (d.at === "shipping") {
      d.isThere = true;
      d.stages.committedMs = this.elapsed(d);
    } else if (d.at === "shipped" || d.at === "undoing") this.gone(d);
  }

  /** The destination will never commit: it says so. */
  failed(from: Member, tid: Tid, move: number, refused: Refused | undefined): void {
    const d = this.find(tid, move);
    // What we have asked of the control store must be known before it moves again.
    if (d === undefined || from !== d.to || d.at === "undoing" || d.at === "unfreezing") return;
    this.stay(d, refused ?? { code: "notReceived", detail: "" });
  }

  lost(member: Member): void {
    for (const d of [...this.moves.values()]) {
      if (d.to === member) {
        if (d.isThere) this.gone(d);
        else this.giveUp(d, "lost");
      } else if (d.at === "flushing") {
        d.acks.delete(member);
        this.goOnIfFlushed(d);
      }
    }
  }

  /** A process that has come late is told of every move that others know of. */
  joined(member: Member): void {
    // Its answer is not waited for: it has sent nothing yet (migration.ts).
    for (const d of this.moves.values())
      if (["flushing", "shipping", "shipped", "undoing"].includes(d.at)) this.tell(member, d);
  }

  tick(): void {
    const now = this.common.nowMs;
    for (const d of [...this.moves.values()]) {
      if (now < d.deadlineMs) continue;
      if (d.at === "undoing") this.claim(d);
      else if (d.isThere) this.gone(d);
      else this.giveUp(d, d.isPrepared ? TOO_LATE[d.at] : "noAnswer");
    }
  }

  settled(tid: Tid, move: number, result: Settled): void {
    const d = this.find(tid, move);
    if (d?.at !== "undoing") return;
    if (result === "refused") this.common.out({ kind: "read", tid, move });
    else if (result !== "unknown") this.kept(d, result.revision);
  }

  owner(tid: Tid, move: number, owner: Owner): void {
    const d = this.find(tid, move);
    if (d?.at !== "undoing" || owner === "unknown") return;
    if (owner.member === this.common.own) this.kept(d, owner.revision);
    else this.gone(d);
  }

  /** Ends a move from our side. Once the destination may have decided, only the control store can say that it stays. */
  private giveUp(d: Departure, code: Refusal): void {
    const refused = d.refused ?? { code, detail: "" };
    if (d.at === "undoing") return;
    if (d.at === "unfreezing") return;
    const mayBeThere = d.at === "shipping" || d.at === "shipped" || (d.at === "flushing" && d.isAlone);
    if (!mayBeThere) {
      this.stay(d, refused);
      return;
    }
    if (d.at !== "shipped") this.common.out({ kind: "stopShipping", tid: d.tid, move: d.move });
    d.refused = refused;
    this.enter(d, "undoing");
    this.claim(d);
  }

  private claim(d: Departure): void {
    const { tid, move } = d;
    d.tries += 1;
    if (d.tries > LIMITS.moveStoreTries) {
      this.common.out({ kind: "cutOff", tid });
      d.deadlineMs = Number.POSITIVE_INFINITY;
      return;
    }
    d.deadlineMs = this.common.nowMs + LIMITS.moveAskAgainMs;
    this.common.out({ kind: "claim", tid, move, revision: this.revisions.get(tid) ?? 0 });
  }

  /** The control store has said that it stays. */
  private kept(d: Departure, revision: number): void {
    this.revisions.set(d.tid, revision);
    this.stay(d, d.refused ?? { code: "notReceived", detail: "" });
  }

  /** It stays; who was told that it leaves is told. */
  private stay(d: Departure, refused: Refused, ended = false): void {
    const { common } = this;
    const { tid, move, to, at, order } = d;
    if (at === "flushing" || at === "shipping") common.out({ kind: "stopShipping", tid, move });
    const told = ["flushing", "shipping", "shipped", "undoing"].includes(at);
    for (const member of told ? common.others() : [to])
      if (common.members.has(member)) this.send(member, "MIGABORT", d, common.own);
    this.answer(order, tid, to, { moved: false, refused });
    // First what has waited for it, then it runs: what it is sent then must not come before that.
    common.learn(tid, { member: common.own, move });
    if (at === "freezing" && !ended) {
      // It may be on its way to us: then it goes back when it comes.
      this.enter(d, "unfreezing");
      this.startQueued();
      return;
    }
    if (at !== "freezing") common.out({ kind: "thaw", tid });
    this.remove(d);
  }

  /** It is the destination's, whatever has become of that since. */
  private gone(d: Departure): void {
    const { tid, to, move, order, bytes, stages } = d;
    const migrationMs = this.elapsed(d);
    stages.committedMs ||= migrationMs;
    stages.sentMs ||= stages.committedMs;
    this.common.out({ kind: "free", tid, to });
    this.answer(order, tid, to, {
      moved: true,
      move,
      bytes,
      obtrusiveMs: stages.sentMs,
      migrationMs,
      stages,
    });
    this.revisions.delete(tid);
    this.remove(d);
    this.common.learn(tid, { member: to, move });
  }

  private remove(d: Departure): void {
    this.moves.delete(d.tid);
    this.startQueued();
  }

  private find(tid: Tid, move: number): Departure | undefined {
    const d = this.moves.get(tid);
    return d?.move === move ? d : undefined;
  }

  private enter(d: Departure, at: At): void {
    d.at = at;
    d.deadlineMs = this.common.nowMs + STAGE_MS[at];
  }

  private elapsed(d: Departure): number {
    return this.common.nowMs - d.sinceMs;
  }

  private send(to: Member, kind: MoveFrameKind, { tid, move }: Departure, member: Member): void {
    this.common.out({ kind: "send", to, frame: { kind, tid, move, member } });
  }

  private answer(order: number, tid: Tid, to: Member, outcome: Outcome): void {
    this.common.out({ kind: "answer", order, tid, to, outcome });
  }
}
