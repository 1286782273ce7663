/**
 * Frozen ULPs of a process: taken off their engine by the process's own thread, in whatever state they are, and given back
 * as they were, or let go to another process. (stage 1 and the end of stage 4 of the paper's 3.2.7)
 *
 * Owns: which ULPs are frozen or about to be, and what came for them meanwhile. Not what is in an image (image.ts), nor who
 * decides (migration.ts). It runs on the process's own thread, whose row is "engine" HEAD.engines: a ULP moves to it as from
 * one engine to another (engine-move.ts), so that no engine stops for longer than taking it out of its queue.
 *
 *     engine ──UlpParcel──▶ frozen: marked Migrating, of the own row. Messages of this process go into its inbox, as ever
 *     thaw:    ──UlpParcel──▶ the engine that has the fewest
 *     admit:   a ULP read from its image, here as if it had been frozen here
 *     release: what it has is freed; a descriptor stays that says: it is of another process
 */
import { ENGINE, HEAD, INBOX_AWAY, MSG, ULP, ULP_FLAG, ULP_STATE } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { SM_FIRST, SM_LAST } from "../../wire/plugins.ts";
import type {
  AnswerParcel,
  ExecParcel,
  FreezeParcel,
  NoticeParcel,
  Parcel,
  StaysParcel,
  StopParcel,
  UlpParcel,
} from "../scheduler/engine-state.ts";
import type { Library } from "../scheduler/library.ts";
import { leaveInbox } from "../scheduler/mailbox.ts";
import { dropMessages } from "../scheduler/messages.ts";
import { closeOutboxTo } from "../scheduler/outbox.ts";
import { isOutside } from "../scheduler/outside.ts";
import { ulpAt } from "../scheduler/queue.ts";
import {
  getState,
  isMigrating,
  setArrived,
  setMigrating,
  setRemote,
  type UlpAt,
} from "../scheduler/state.ts";
import { ufreeAll } from "../scheduler/uheap.ts";
import { usetvpid } from "../scheduler/ulp.ts";
import type { Incoming } from "./incoming.ts";

/** Orders and news for one ULP that go where it is. */
export type Addressed = AnswerParcel | NoticeParcel | StopParcel | ExecParcel;

/** A ULP that no engine has. */
export interface FrozenUlp {
  readonly index: number;
  readonly ulp: UlpAt;
  /** What it has outside the shared heap. */
  readonly parcel: UlpParcel;
  /** What came for it since then, in order. */
  readonly kept: Addressed[];
}

/** Why a ULP cannot be frozen. */
export type WhyNot =
  /** There is none with this index; or it is of another process. */
  | "unknown"
  /** It is frozen, or about to be. */
  | "moving"
  /** The process has stopped. */
  | "stopped"
  | StaysParcel["why"];

/** What a person reads. */
export const WHY_NOT: Readonly<Record<WhyNot, string>> = {
  unknown: "there is no such ULP in this process",
  moving: "it is moving already",
  stopped: "its process ends",
  ended: "it has ended",
  memory: "the process heap has no room for its globals",
  held: "it has not been started yet",
};

export interface FreezerEdge {
  /** Sends a parcel to an engine: EngineThreads.send. */
  send(engine: number, parcel: Parcel): void;
  /** A parcel for a ULP that is of another process now. */
  away(parcel: Addressed): void;
}

export class Freezer {
  private readonly library: Library;
  private readonly edge: FreezerEdge;
  private readonly frozen = new Map<number, FrozenUlp>();
  private readonly waiting = new Map<number, (result: FrozenUlp | WhyNot) => void>();
  /** What came for ULPs that no engine has any more, and whose parcel is on its way here. */
  private readonly early = new Map<number, Addressed[]>();

  constructor(library: Library, edge: FreezerEdge) {
    this.library = library;
    this.edge = edge;
  }

  /** The ULP with this index, if it is frozen. */
  get(index: number): FrozenUlp | undefined {
    return this.frozen.get(index);
  }

  /** Takes a ULP off its engine. Ends when that is done or turns out to be impossible; the ULP is unharmed then. */
  freeze(index: number): Promise<FrozenUlp | WhyNot> {
    const { w } = this.library;
    const ulp = index >= 0 && index < LIMITS.ulps ? ulpAt(w, index) : 0;
    if (this.frozen.has(index) || this.waiting.has(index)) return Promise.resolve("moving");
    if (ulp === 0) return Promise.resolve("unknown");
    if (getState(w, ulp) === ULP_STATE.exited) return Promise.resolve("ended");
    if (isOutside(w, ulp)) return Promise.resolve("unknown");
    // Until it is on an engine again, or gone, there is no deadlock.
    Atomics.add(w, HEAD.outside, 1);
    return new Promise((done) => {
      this.waiting.set(index, done);
      this.edge.send(Atomics.load(w, ulp + ULP.engine), { kind: "freeze", index });
    });
  }

  /** Takes what an engine sent to this thread. */
  take(parcel: Parcel): void {
    const { w } = this.library;
    switch (parcel.kind) {
      case "ulp": {
        const kept = this.early.get(parcel.index) ?? [];
        const frozen = { index: parcel.index, ulp: ulpAt(w, parcel.index), parcel, kept };
        this.early.delete(parcel.index);
        this.frozen.set(parcel.index, frozen);
        this.answer(parcel.index, frozen);
        break;
      }
      case "stays":
        this.settle(parcel.index, parcel.why);
        break;
      case "freeze":
        this.follow(parcel);
        break;
      case "program":
      case "create":
        throw new Error(`bug: the process's own thread is sent a parcel "${parcel.kind}"`);
      default:
        this.route(parcel);
    }
  }

  /** Sends a parcel to where its ULP is; if it is frozen, it is kept until it is on an engine, or let go. */
  route(parcel: Addressed): void {
    const { w } = this.library;
    const ulp = ulpAt(w, parcel.index);
    const kept = this.frozen.get(parcel.index)?.kept ?? this.comingHere(parcel.index, ulp);
    if (kept !== undefined) {
      // A message of the virtual machine for which there is no room is lost, as anywhere; answers, signals and what plug-ins are
      // asked, by tasks that wait for it, are few.
      const few = parcel.kind !== "notice" || (parcel.tag >= SM_FIRST && parcel.tag <= SM_LAST);
      if (few || kept.length < LIMITS.keptParcels) kept.push(parcel);
    } else if (ulp === 0 || isOutside(w, ulp)) this.edge.away(parcel);
    else this.edge.send(Atomics.load(w, ulp + ULP.engine), parcel);
  }

  /** Where it is kept if its engine has sent it to this thread, and it is not here yet: it looks like one of another process. */
  private comingHere(index: number, ulp: UlpAt): Addressed[] | undefined {
    const { w } = this.library;
    const isComing = this.waiting.has(index) && isMigrating(w, ulp) && isOutside(w, ulp);
    if (!isComing) return undefined;
    const kept = this.early.get(index) ?? [];
    this.early.set(index, kept);
    return kept;
  }

  /** The process stops: nothing more comes from the engines. */
  stopped(): void {
    for (const index of [...this.waiting.keys()]) this.settle(index, "stopped");
  }

  /** Gives a frozen ULP to an engine, as it was; then what came for it. */
  thaw(frozen: FrozenUlp): void {
    this.frozen.delete(frozen.index);
    this.give(frozen.ulp, frozen.parcel, frozen.kept);
    Atomics.sub(this.library.w, HEAD.outside, 1);
  }

  /**
   * A ULP that was read from its image is of this process from now on, and goes on. It has carried its messages here; those
   * that wait here for it come next, and before all that is sent to it from now on.
   *
   * @param held  gives the messages of this process's ULPs that were kept for it, and what is in the outbox for it, in order:
   *   addresses of descriptors, as of a queue (keepOutgoing). Called when nothing more comes into the outbox for it
   * @param parcels  what came for it meanwhile
   */
  admit(incoming: Incoming, held: () => readonly number[], parcels: readonly Addressed[] = []): void {
    const { w } = this.library;
    const { ulp } = incoming;
    const engine = this.fewest();
    Atomics.add(w, HEAD.outside, 1);
    Atomics.add(w, HEAD.live, 1);
    if ((w[ulp + ULP.flags]! & ULP_FLAG.outside) !== 0) Atomics.add(w, HEAD.outside, 1);
    // What others have sent before it was here stays in its inbox, behind what it has carried.
    Atomics.compareExchange(w, ulp + ULP.inbox, INBOX_AWAY, 0);
    setArrived(w, ulp, incoming.state);
    usetvpid(w, ulp, engine);
    closeOutboxTo(this.library);
    const front = [...incoming.messages.splice(0), ...held()];
    front.forEach((at, i) => {
      w[(at >> 2) + MSG.next] = front[i + 1] ?? 0;
    });
    w[ulp + ULP.frontAt] = front[0] ?? 0;
    this.give(ulp, incoming.parcel, parcels, engine);
    Atomics.sub(w, HEAD.outside, 1);
  }

  /** Gives a ULP that no engine has to the one that has the fewest: it is marked Migrating. */
  private give(ulp: UlpAt, parcel: UlpParcel, kept: readonly Addressed[], engine = this.fewest()): void {
    usetvpid(this.library.w, ulp, engine);
    this.edge.send(engine, parcel);
    for (const one of kept) this.edge.send(engine, one);
  }

  /** Engine that has the fewest ULPs. */
  fewest(): number {
    const { w, heap } = this.library;
    let best = 0;
    let least = Infinity;
    for (let engine = 0; engine < heap.engines; engine++) {
      const row = heap.engineRow(engine);
      const ulps =
        w[row + ENGINE.runnable]! + w[row + ENGINE.blocked]! + (w[row + ENGINE.current]! < 0 ? 0 : 1);
      if (ulps >= least) continue;
      best = engine;
      least = ulps;
    }
    return best;
  }

  /**
   * Another process has the ULP now: frees all it had here. Its descriptor stays, marked as of another process. What is in
   * its queue was in its image, and goes; what is in its inbox came later.
   *
   * @returns what came later, in order, for its new place: addresses of message descriptors, now the caller's; and parcels
   */
  release(frozen: FrozenUlp): { messages: number[]; parcels: readonly Addressed[] } {
    const { w, arena, gb, btab } = this.library;
    const { ulp, index } = frozen;
    this.frozen.delete(index);
    dropMessages(w, arena, gb, ulp);
    // First the mark: who finds the inbox closed must see it.
    setMigrating(w, ulp, false);
    leaveInbox(w, ulp);
    const messages = takeQueue(w, ulp);
    btab.dispose(ulp);
    ufreeAll(this.library, ulp);
    if ((w[ulp + ULP.flags]! & ULP_FLAG.outside) !== 0) Atomics.sub(w, HEAD.outside, 1);
    setRemote(w, ulp);
    Atomics.sub(w, HEAD.live, 1);
    Atomics.sub(w, HEAD.outside, 1);
    return { messages, parcels: frozen.kept };
  }

  /** A ULP that was to be frozen has changed its engine, or has come here: the order goes after it. */
  private follow(parcel: FreezeParcel): void {
    const { w } = this.library;
    const ulp = ulpAt(w, parcel.index);
    if (isOutside(w, ulp)) this.settle(parcel.index, isMigrating(w, ulp) ? "moving" : "unknown");
    else this.edge.send(Atomics.load(w, ulp + ULP.engine), parcel);
  }

  private settle(index: number, why: WhyNot): void {
    if (!this.waiting.has(index)) return;
    Atomics.sub(this.library.w, HEAD.outside, 1);
    this.answer(index, why);
  }

  private answer(index: number, result: FrozenUlp | WhyNot): void {
    const done = this.waiting.get(index);
    this.waiting.delete(index);
    done?.(result);
  }
}

/** Empties a message queue; the messages are the caller's. (dropMessages has forgotten MORE.scanned.) */
function takeQueue(w: Int32Array, ulp: UlpAt): number[] {
  const messages: number[] = [];
  for (let at = w[ulp + ULP.msgqHead]!; at !== 0; at = w[(at >> 2) + MSG.next]!) messages.push(at);
  w[ulp + ULP.msgqHead] = 0;
  w[ulp + ULP.msgqTail] = 0;
  w[ulp + ULP.msgqCount] = 0;
  return messages;
}
