/**
 * Moves of this process's ULPs to other processes of their job, and of theirs to this one: what the protocol decides
 * (runtime/migrate/migration.ts) is done here, on frozen ULPs, links, the control store and the master.
 *
 * Owns: the way of each message that leaves or comes, the ULPs that are on their way, and orders until they are answered. It
 * runs on the process's own thread. No clock and no socket of its own.
 */
import { type Frame, type FrameHead, type FrameSink, ProtocolError } from "../net/link.ts";
import type { ControlStore } from "../pvmd/control-store.ts";
import { StoreError } from "../pvmd/control-store.ts";
import { claimUlp, type Place, placeOf } from "../pvmd/locations.ts";
import type { Pages } from "../runtime/migrate/filling.ts";
import type { Addressed } from "../runtime/migrate/freezer.ts";
import { Migration } from "../runtime/migrate/migration.ts";
import {
  type Location,
  type Member,
  type MoveEffect,
  type MoveEvent,
  type MoveFrame,
  NOBODY,
  type Outcome,
  type Owner,
  REFUSALS,
  type Settled,
  type Tid,
  type Weight,
} from "../runtime/migrate/moves.ts";
import { newArrived } from "../runtime/scheduler/outside.ts";
import { ulpAt } from "../runtime/scheduler/queue.ts";
import { ULP } from "../wire/layout.ts";
import { LIMITS } from "../wire/limits.ts";
import { FRAME } from "../wire/protocol.ts";
import type { RpcReply } from "../wire/rpc.ts";
import { LOCATED } from "../wire/rpc-job.ts";
import type { RPC_MOVE } from "../wire/rpc-move.ts";
import { LeavingUlps } from "./leaving-ulps.ts";
import { decodeMove, encodeMove, type Offer } from "./move-frames.ts";
import { forwardParcels } from "./parcels.ts";
import { type Arrivals, joined, type Mail, type PeerLinks } from "./peer-links.ts";
import { noRoom, type Room, refusal } from "./room.ts";
import type { PartProcess } from "./run-here.ts";
import { ComingState } from "./state-transfer.ts";

/** What a mover needs of its process. */
export interface MoverWorld {
  readonly member: Member;
  /** Of its job (JobSpec): part of the names of its keys. */
  readonly life: number;
  readonly process: PartProcess;
  readonly links: PeerLinks;
  readonly arrivals: Arrivals;
  readonly store: ControlStore;
  /** SHA-256 of the linked module of a program, by its row, hexadecimal. */
  readonly hashes: readonly (string | undefined)[];
  /** Milliseconds, of a clock that only goes forward. */
  nowMs(): number;
  /** Milliseconds since 1970. */
  dayMs(): number;
  after(ms: number, run: () => void): void;
  /** Memory that this process may still take, bytes: as it was a moment ago, and longer ago if little is wanted of it. */
  availableBytes(wantedBytes: number): number;
  /** Undefined: the system cannot be asked. */
  readonly pages?: Pages | undefined;
  /** A move of a ULP has come so far: an effect, or a frame, of the protocol is next. For tests that stop it there. */
  reached(stage: string): void;
  /** Gives all that is in the outbox to `leave`. */
  drain(): void;
  /** Asks the master where a ULP is; `located` answers. */
  locate(tid: Tid): void;
  /** Tells the master that a ULP is here now. */
  moved(tid: Tid, move: number): void;
  /** Nobody knows whose a ULP is: the process must end. */
  cutOff(why: string): void;
}

export class Mover {
  private readonly world: MoverWorld;
  private readonly protocol: Migration<Mail>;
  private readonly leaving: LeavingUlps;
  private readonly coming = new Map<Tid, ComingState>();
  /** Messages for a ULP that is about to be admitted. */
  private readonly front = new Map<Tid, Mail[]>();
  /** What ULPs have sent, while others of the job do not know this process; undefined: all know it. */
  private early: Mail[] | undefined;
  private readonly orders = new Map<number, (outcome: Outcome) => void>();
  private lastOrder = 0;
  private readonly events: MoveEvent[] = [];
  private taking = false;
  private timerMs = Number.POSITIVE_INFINITY;
  private over = false;

  constructor(world: MoverWorld, members: Iterable<Member>, first: Iterable<readonly [Tid, Member]>) {
    this.world = world;
    this.protocol = new Migration(world.member, members, {
      keepsFrom: (src) => this.leaving.keepsFrom(src),
      sentTo: (member) => world.links.sentTo(member),
      takenFrom: (member) => world.links.takenFrom(member),
    });
    this.leaving = new LeavingUlps(world, (event) => this.take(event));
    for (const [tid, member] of first) this.created(tid, { member, move: 0 });
  }

  /** Nothing is under way, and no message waits here. */
  get idle(): boolean {
    return this.protocol.unfinished === 0;
  }

  where(tid: Tid): Member | undefined {
    return this.protocol.locations.at(tid)?.member;
  }

  created(tid: Tid, location: Location): void {
    this.take({ kind: "created", tid, location });
  }

  /** The master has said where a ULP is; or LOCATED. */
  located(tid: Tid, member: Member): void {
    if (member === LOCATED.notMade) this.take({ kind: "notMade", tid });
    else if (member === LOCATED.ended) this.ended(tid);
    else this.created(tid, { member, move: 0 });
  }

  ended(tid: Tid): void {
    this.take({ kind: "ended", tid });
  }

  joined(member: Member): void {
    this.take({ kind: "joined", member });
  }

  /** A process of the job is gone. @returns its ULPs, which have ended */
  lost(member: Member): Tid[] {
    this.take({ kind: "lost", member });
    const theirs = this.protocol.locations.endedWith(member);
    for (const tid of theirs) this.ended(tid);
    return theirs;
  }

  /** Moves ULPs of this process. Answers for each what has come of it; never fails. */
  order(tids: readonly Tid[], to: Member): Promise<ToldOutcome[]> {
    const each = tids.map((tid) => {
      const order = ++this.lastOrder;
      const outcome = new Promise<Outcome>((done) => this.orders.set(order, done));
      const eventMs = this.world.dayMs();
      this.take({ kind: "order", order, tid, to });
      return outcome.then((it) => told(it, eventMs));
    });
    return Promise.all(each);
  }

  /** Moves of these ULPs are waited for no longer; their orders are answered all the same. */
  callOff(tids: readonly Tid[], queued: boolean): void {
    for (const tid of tids) this.take({ kind: "callOff", tid, queued });
  }

  // Messages

  /** A ULP of this process sends one to another process. */
  leave(mail: Mail): void {
    if (this.early === undefined) this.route(mail, 0);
    else this.early.push(mail);
  }

  /** Others do not know this process, which came late: what its ULPs send waits, until all do or it ends. */
  awaitOthers(): void {
    this.early = [];
  }
  knownToOthers(): void {
    for (const mail of this.takeEarly()) this.route(mail, 0);
  }
  /** The job ends, and the links have: what is on its way stays undecided, and nothing of it is left in the heap. */
  drop(): void {
    this.over = true;
    this.world.arrivals.drop();
    this.leaving.drop();
    for (const coming of this.coming.values()) coming.drop();
    this.coming.clear();
    const held = [...this.takeEarly(), ...this.protocol.locations.drop(), ...[...this.front.values()].flat()];
    this.front.clear();
    for (const mail of held) mail.release();
  }
  private takeEarly(): Mail[] {
    const early = this.early ?? [];
    this.early = undefined;
    return early;
  }

  /** One has come. @param times  it was sent on before */
  arrive(mail: Mail, times: number): void {
    const here = this.where(mail.to) === this.world.member;
    if (here || times < LIMITS.forwards) this.route(mail, times + 1);
    else mail.release();
  }

  /** One has come behind the state of its receiver. It is kept where it comes from too, until the ULP is here. */
  late(from: Member, mail: Mail, move: number): void {
    const coming = this.coming.get(mail.to);
    if (coming?.from === from && coming.move === move) coming.late.push(mail);
    else mail.release();
  }

  private route(mail: Mail, times: number): void {
    const { to, src } = mail;
    const where = this.protocol.sent(to, { src, message: mail });
    if (where === "here") this.deliver(mail);
    else if (where === "unknown") this.world.locate(to);
    else if (where === "nowhere") mail.release();
    else if (where !== "held") this.world.links.mail(where, mail, times);
  }

  private deliver(mail: Mail): void {
    const front = this.front.get(mail.to);
    if (front === undefined) this.world.arrivals.deliver(mail);
    else front.push(mail);
  }

  /** What the virtual machine has for a ULP that is of another process now goes after it. */
  away(parcel: Addressed): void {
    const { w } = this.world.process.library;
    const tid = w[ulpAt(w, parcel.index) + ULP.tid]!;
    const member = this.where(tid);
    if (member !== undefined && member !== NOBODY) forwardParcels(this.world.links, tid, member, [parcel]);
  }

  // Frames

  /** Takes a frame of another process. @returns false: it has nothing to do with moves. @throws ProtocolError */
  frame(from: Member, frame: Frame): boolean {
    if (frame.type === FRAME.ULP_STATE_END) {
      if (this.comingFrom(from, frame)?.end(frame.c) === true)
        this.take({ kind: "received", tid: frame.a | 0, move: frame.b });
      return true;
    }
    const move = decodeMove(frame);
    if (move?.kind === "MIGRATING" && move.member === this.world.member && move.weight === undefined)
      throw new ProtocolError("a ULP that comes here without what it needs");
    if (move !== undefined) this.take({ kind: "frame", from, frame: move });
    return move !== undefined;
  }

  /** A piece of a state comes. @throws ProtocolError */
  state(from: Member, head: FrameHead): FrameSink {
    return this.comingFrom(from, head)?.sink(head.c) ?? NOWHERE;
  }

  /** What this frame is part of: only the source of a move has to do with its state. */
  private comingFrom(from: Member, { a, b }: FrameHead): ComingState | undefined {
    const coming = this.coming.get(a | 0);
    return coming?.from === from && coming.move === b ? coming : undefined;
  }

  // The protocol

  private take(event: MoveEvent): void {
    if (this.over) return;
    this.events.push(event);
    // What is done for one event may be another.
    if (this.taking) return;
    this.taking = true;
    try {
      for (let next = this.events.shift(); next !== undefined; next = this.events.shift())
        for (const effect of this.protocol.take(next, this.world.nowMs())) this.perform(effect);
    } finally {
      this.taking = false;
    }
    this.setTimer();
  }

  private setTimer(): void {
    const { nextMs } = this.protocol;
    if (nextMs >= this.timerMs) return;
    this.timerMs = nextMs;
    this.world.after(Math.max(1, nextMs - this.world.nowMs()), () => {
      if (this.timerMs !== nextMs) return;
      this.timerMs = Number.POSITIVE_INFINITY;
      this.take({ kind: "tick" });
    });
  }

  private perform(effect: MoveEffect<Mail>): void {
    const { links } = this.world;
    this.world.reached(effect.kind === "send" ? effect.frame.kind : effect.kind);
    switch (effect.kind) {
      case "send":
        if (effect.frame.kind === "MIGABORT") this.leaving.withdraw(effect.frame.tid);
        links.send(effect.to, encodeMove(effect.frame));
        break;
      case "offer":
        this.leaving.offer(effect.to, effect.frame);
        break;
      case "freeze":
        void this.leaving.freeze(effect.tid, effect.move);
        break;
      case "thaw":
        this.leaving.thaw(effect.tid);
        break;
      case "shipMemory":
        this.leaving.shipMemory(effect.tid, effect.move, effect.to);
        break;
      case "ship":
        void this.leaving.ship(effect.tid, effect.move);
        break;
      case "shipLate":
        this.leaving.shipLate(effect.tid, effect.move, effect.to);
        break;
      case "stopShipping":
        this.leaving.stopShipping(effect.tid);
        break;
      case "free":
        this.leaving.free(effect.tid, effect.to);
        break;
      case "judge":
        this.judge(effect.from, effect.frame);
        break;
      case "weigh":
        this.weigh(effect.tid, effect.move, effect.weight);
        break;
      case "adopt":
        this.adopt(effect.tid);
        break;
      case "discard":
        this.discard(effect.tid, effect.move);
        break;
      case "claim":
        void this.claim(effect.tid, effect.move, effect.revision);
        break;
      case "read":
        void this.read(effect.tid, effect.move);
        break;
      case "release":
        this.release(effect.tid, effect.to, effect.held);
        break;
      case "migrated":
        this.world.moved(effect.tid, effect.move);
        break;
      case "answer":
        this.orders.get(effect.order)!(effect.outcome);
        this.orders.delete(effect.order);
        break;
      case "cutOff":
        this.world.cutOff(`the control store does not say whose ULP ${effect.tid.toString(16)} is`);
        break;
    }
  }

  // Destination

  private judge(from: Member, { tid, move, offer }: MoveFrame): void {
    const { hash, bytes } = offer as Offer;
    const refused = refusal(offer as Offer, this.programOf(hash) !== undefined, this.roomFor(tid));
    if (refused === undefined) this.coming.set(tid, this.comingState(from, tid, move, bytes));
    this.take({ kind: "judged", tid, move, refused });
  }

  private weigh(tid: Tid, move: number, weight: Weight): void {
    const refused = noRoom(this.roomFor(tid), weight);
    if (refused === undefined) this.coming.get(tid)?.weighed(weight);
    this.take({ kind: "weighed", tid, move, refused });
  }

  /** What is left for this ULP beside all others that come. */
  private roomFor(tid: Tid): Room {
    const promised = { memoryBytes: 0, heapBytes: 0 };
    for (const [other, { toCome }] of this.coming) {
      if (other === tid) continue;
      promised.memoryBytes += toCome.memoryBytes;
      promised.heapBytes += toCome.heapBytes;
    }
    const { process } = this.world;
    return { process, availableBytes: (wanted) => this.world.availableBytes(wanted), promised };
  }

  /** Not what its next move brings. */
  private discard(tid: Tid, move: number): void {
    const coming = this.coming.get(tid);
    if (coming?.move !== move) return;
    coming.drop();
    this.coming.delete(tid);
  }

  private programOf(hash: string) {
    const row = this.world.hashes.indexOf(hash);
    return row < 0 ? undefined : this.world.process.library.programs[row];
  }

  private comingState(from: Member, tid: Tid, move: number, memoryBytes: number): ComingState {
    const { process } = this.world;
    const destination = {
      library: process.library,
      programOf: (hash: string) => this.programOf(hash),
      points: ({ id }: { readonly id: number }) => process.loader.points[id],
      nowMs: process.nowMs,
      grants: process.grants,
      pages: this.world.pages,
      ...(process.files && { files: process.files }),
    };
    const promised = { memoryBytes, heapBytes: 0 };
    return new ComingState({ from, move, promised }, destination, (refused) =>
      this.take({ kind: "broken", tid, move, refused }),
    );
  }

  private adopt(tid: Tid): void {
    const { incoming, late } = this.coming.get(tid)!;
    this.coming.delete(tid);
    const mails = this.front.get(tid) ?? [];
    this.front.set(tid, mails);
    const held = (): number[] => {
      this.world.drain();
      this.front.delete(tid);
      const early = this.early?.filter(({ to }) => to === tid) ?? [];
      this.early = this.early?.filter(({ to }) => to !== tid);
      return [...late, ...early, ...mails].flatMap((mail) => this.descriptor(mail));
    };
    this.world.process.freezer.admit(incoming!, held);
  }

  /** A message as one of a queue. */
  private descriptor(mail: Mail): number[] {
    if (mail.keep !== undefined) return [mail.keep()];
    const { library } = this.world.process;
    const at = newArrived(library, mail, joined(mail));
    mail.release();
    return at === 0 ? [] : [at];
  }

  private release(tid: Tid, to: Member | "here" | "nowhere", held: readonly Mail[]): void {
    if (to === "here" && this.coming.has(tid)) this.front.set(tid, [...held]);
    else if (to === "here") for (const mail of held) this.deliver(mail);
    else if (to === "nowhere") for (const mail of held) mail.release();
    else for (const mail of held) this.world.links.mail(to, mail, 0);
  }

  /** The source keeps the ULP by it, or the destination gets it. */
  private async claim(tid: Tid, move: number, revision: number): Promise<void> {
    const outcome = this.coming.has(tid) ? "committed" : "aborted";
    const place: Place = { member: this.world.member, move: `${move}`, outcome };
    const result = await this.store<Settled>(async () => {
      const done = await claimUlp(this.world.store, this.world.life, tid, revision, place);
      return done === undefined ? "refused" : { revision: done };
    });
    this.take({ kind: "settled", tid, move, result });
  }

  private async read(tid: Tid, move: number): Promise<void> {
    const owner = await this.store<Owner>(async () => {
      const { place, revision } = await placeOf(this.world.store, this.world.life, tid);
      // Without a key the job is over.
      return { member: place?.member ?? NOBODY, revision };
    });
    this.take({ kind: "owner", tid, move, owner });
  }

  private async store<R>(ask: () => Promise<R>): Promise<R | "unknown"> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof StoreError) return "unknown";
      throw error;
    }
  }
}

const NOTHING = (): void => {};
const NOWHERE: FrameSink = { add: NOTHING, end: NOTHING, drop: NOTHING };

/** What came of an order, as the master is told. */
type ToldOutcome = RpcReply<(typeof RPC_MOVE)["moveOrder"]>["outcomes"][number];
export const NOT_YET: ToldOutcome = { moved: false, refused: { code: "notHere", detail: REFUSALS.notHere } };

/** With the reason as a sentence. */
function told(outcome: Outcome, eventMs: number): ToldOutcome {
  if (outcome.moved) return { ...outcome, stages: { ...outcome.stages }, eventMs };
  const { code, detail } = outcome.refused;
  return {
    moved: false,
    refused: { code, detail: `${REFUSALS[code]}${detail === "" ? "" : `: ${detail}`}` },
  };
}
