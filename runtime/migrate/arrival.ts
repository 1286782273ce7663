/**
 * A ULP comes: the destination's side of a move (paper, 3.2.7).
 *
 *     PREPARE ─▶ judging ─▶ promised ─▶ deciding ─▶ ours: adopted, all are told
 *                   │           │           ╰─────▶ theirs: discarded
 *                   ╰───────────┴─▶ discarded, when the source says so, is gone, or something is wrong
 *
 * - judging: can it be taken? Program, memory, versions.
 * - promised: the source was told yes. What it has grown to is known when it has been stopped, and comes with MIGRATING: only if
 *   there is room for that, MIGACK answers. Its state comes at once behind that, and is dropped if there is no room; then what
 *   has come for it meanwhile, and FLUSHED, when all of the job hold what goes to it.
 * - deciding: all of it is in place, and nothing for it is on its way to the source. One transaction of the control store makes it ours, unless the source was quicker
 *   to say that it stays, or the master that it has ended with its source. Until that is known nobody runs it.
 *
 * Owns: the moves to this process. Pure.
 */
import { LIMITS } from "../../wire/limits.ts";
import type { Common } from "./migration-common.ts";
import type { Member, MoveFrame, Owner, Refused, Settled, Tid } from "./moves.ts";

interface Arrival {
  readonly tid: Tid;
  readonly from: Member;
  readonly move: number;
  /** Of its key, if nobody else decides meanwhile. */
  readonly revision: number;
  at: "judging" | "promised" | "deciding";
  /** Deciding: when the store is asked again. */
  deadlineMs: number;
  tries: number;
  /** Its state is in place; all others hold what goes to it, and what they had sent has come here. */
  isWhole: boolean;
  isFlushed: boolean;
  /** Judging: there is no room for what it has grown to. */
  refused?: Refused;
}

const BEGINNING = { tries: 0, isWhole: false, isFlushed: false };

export class Arrivals<M> {
  private readonly common: Common<M>;
  private readonly moves = new Map<Tid, Arrival>();
  /** Tells that a ULP is ours, with the revision of its key. */
  private readonly owned: (tid: Tid, revision: number) => void;

  constructor(common: Common<M>, owned: (tid: Tid, revision: number) => void) {
    this.common = common;
    this.owned = owned;
  }

  get count(): number {
    return this.moves.size;
  }

  get nextMs(): number {
    return Math.min(...[...this.moves.values()].map(({ deadlineMs }) => deadlineMs));
  }

  prepare(from: Member, frame: MoveFrame): void {
    const { tid, move, revision = 0 } = frame;
    const fromThere = [...this.moves.values()].filter((a) => a.from === from).length;
    // An earlier move of the same ULP is not decided here yet.
    if (this.common.locations.hasEnded(tid)) this.reply(from, tid, move, { code: "ended", detail: "" });
    else if (this.moves.has(tid)) this.reply(from, tid, move, { code: "moving", detail: "" });
    else if (fromThere >= LIMITS.movesAtOnce) this.reply(from, tid, move, { code: "tooMany", detail: "" });
    else {
      const deadlineMs = Number.POSITIVE_INFINITY;
      this.moves.set(tid, { tid, from, move, revision, at: "judging", deadlineMs, ...BEGINNING });
      this.common.out({ kind: "judge", from, frame });
    }
  }

  judged(tid: Tid, move: number, refused: Refused | undefined): void {
    const a = this.find(tid, move);
    const why = refused ?? a?.refused;
    // The source has given up meanwhile; or it has turned out to be too large.
    if (refused === undefined && (a?.at !== "judging" || why !== undefined))
      this.common.out({ kind: "discard", tid, move });
    if (a?.at !== "judging") return;
    if (why === undefined) a.at = "promised";
    else this.moves.delete(tid);
    this.reply(a.from, tid, move, why);
    if (why === undefined) this.decideIfReady(a);
  }

  /** True if it is about to come from there, and not all of it has. */
  isExpected(from: Member, tid: Tid, move: number): boolean {
    const a = this.find(tid, move);
    return a?.from === from && (a.at === "judging" || a.at === "promised");
  }

  weighed(tid: Tid, move: number, refused: Refused | undefined): void {
    const a = this.find(tid, move);
    if (a === undefined) return;
    if (refused !== undefined && a.at === "judging") a.refused = refused;
    else if (refused !== undefined) this.broken(tid, move, refused);
    else if (this.common.members.has(a.from)) this.acknowledge(a);
  }

  private acknowledge({ from, tid, move, isFlushed: isClear }: Arrival): void {
    const frame = { kind: "MIGACK", tid, move, member: 0, isClear } as const;
    this.common.out({ kind: "send", to: from, frame });
  }

  received(tid: Tid, move: number): void {
    const a = this.find(tid, move);
    if (a === undefined) return;
    a.isWhole = true;
    this.decideIfReady(a);
  }

  /** Nothing for it is on its way to its source, and all that it has sent from there has come. */
  flushed(from: Member, tid: Tid, move: number): void {
    const a = this.find(tid, move);
    if (a?.from !== from) return;
    a.isFlushed = true;
    this.decideIfReady(a);
  }

  private decideIfReady(a: Arrival): void {
    if (a.at !== "promised" || !a.isWhole || !a.isFlushed) return;
    a.at = "deciding";
    this.claim(a);
  }

  broken(tid: Tid, move: number, refused: Refused): void {
    const a = this.find(tid, move);
    if (a?.at === "judging") a.refused = refused;
    if (a?.at !== "promised") return;
    if (this.common.members.has(a.from)) {
      const frame = { kind: "MIGABORT", tid, move, member: a.from, refused } as const;
      this.common.out({ kind: "send", to: a.from, frame });
    }
    this.discard(a);
  }

  /** The source keeps it. While we decide, the control store has the last word. */
  aborted(from: Member, tid: Tid, move: number): void {
    const a = this.find(tid, move);
    if (a === undefined || a.from !== from || a.at === "deciding") return;
    this.drop(a);
  }

  lost(member: Member): void {
    for (const a of [...this.moves.values()]) if (a.from === member && a.at !== "deciding") this.drop(a);
  }

  tick(): void {
    for (const a of [...this.moves.values()])
      if (a.at === "deciding" && this.common.nowMs >= a.deadlineMs) this.claim(a);
  }

  settled(tid: Tid, move: number, result: Settled): void {
    const a = this.find(tid, move);
    if (a?.at !== "deciding") return;
    if (result === "refused") this.common.out({ kind: "read", tid, move });
    else if (result !== "unknown") this.ours(a, result.revision);
  }

  owner(tid: Tid, move: number, owner: Owner): void {
    const a = this.find(tid, move);
    if (a?.at !== "deciding" || owner === "unknown") return;
    if (owner.member === this.common.own) this.ours(a, owner.revision);
    else this.discard(a);
  }

  private claim(a: Arrival): void {
    const { tid, move, revision } = a;
    a.tries += 1;
    if (a.tries > LIMITS.moveStoreTries) {
      a.deadlineMs = Number.POSITIVE_INFINITY;
      this.common.out({ kind: "cutOff", tid });
      return;
    }
    a.deadlineMs = this.common.nowMs + LIMITS.moveAskAgainMs;
    this.common.out({ kind: "claim", tid, move, revision });
  }

  private ours({ tid, move }: Arrival, revision: number): void {
    const { common } = this;
    this.moves.delete(tid);
    this.owned(tid, revision);
    // First what our own ULPs have sent to it meanwhile, then it runs.
    common.learn(tid, { member: common.own, move });
    // What is sent leaves before it runs: where one thread does both, it may run for some time.
    for (const to of common.others()) {
      common.out({ kind: "send", to, frame: { kind: "MIGRATED", tid, move, member: common.own } });
    }
    common.out({ kind: "adopt", tid, move });
    common.out({ kind: "migrated", tid, move, revision });
  }

  /** Not ours. What is judged still is discarded by `judged`. */
  private drop(a: Arrival): void {
    if (a.at === "judging") this.moves.delete(a.tid);
    else this.discard(a);
  }

  private discard({ tid, move }: Arrival): void {
    this.moves.delete(tid);
    this.common.out({ kind: "discard", tid, move });
  }

  private reply(to: Member, tid: Tid, move: number, refused: Refused | undefined): void {
    this.common.out({ kind: "send", to, frame: { kind: "PREPARED", tid, move, member: 0, refused } });
  }

  private find(tid: Tid, move: number): Arrival | undefined {
    const a = this.moves.get(tid);
    return a?.move === move ? a : undefined;
  }
}
