/**
 * The master of a simulated job (migration-world.ts): it orders moves and calls some off, has a table of where ULPs are, and decides about those of
 * processes that are gone.
 */
import assert from "node:assert/strict";
import {
  type Location,
  type Member,
  type MoveEvent,
  NOBODY,
  type Outcome,
  type Tid,
} from "../runtime/migrate/moves.ts";
import type { Key, Process } from "./migration-parts.ts";
import type { Timeline } from "./timeline.ts";

export abstract class SimulatedMaster {
  protected abstract readonly time: Timeline;
  protected abstract readonly processes: readonly Process[];
  protected abstract readonly keys: Map<Tid, Key>;
  protected abstract readonly owner: ReadonlyMap<Tid, Member>;
  protected abstract readonly tids: readonly Tid[];
  protected revision = 0;
  protected readonly table = new Map<Tid, Location>();
  /** Processes that are known to be gone. */
  private readonly gone = new Set<Member>();
  private orders = 0;
  protected readonly unanswered = new Map<number, { tid: Tid; at: Member }>();

  protected abstract living(): Process[];
  protected abstract take(p: Process, event: MoveEvent): void;
  protected abstract later(p: Process, withinMs: number, event: MoveEvent): void;
  protected abstract count(what: string): void;

  protected order(): void {
    // Of one ULP, of several, or of all of a process.
    const from = this.time.pick(this.tids);
    const all = this.tids.filter((tid) => this.table.get(tid)!.member === this.table.get(from)!.member);
    const tids = [[from], [from], [from, ...all.slice(0, 2)], all][this.time.below(4)]!;
    const to = this.time.below(20) === 0 ? 99 : this.time.pick(this.living()).id;
    for (const tid of tids) {
      const at = this.table.get(tid)!.member;
      if (at === NOBODY) continue;
      const order = this.orders++;
      this.unanswered.set(order, { tid, at });
      const [p, queued] = [this.processes[at]!, this.time.below(3) === 0];
      this.time.after(this.time.rnd(), () => {
        if (p.greeting.size > 0) this.unanswered.delete(order);
        else this.take(p, { kind: "order", order, tid, to });
      });
      if (this.time.below(6) === 0) this.later(p, 20, { kind: "callOff", tid, queued });
    }
  }

  protected answered(order: number, tid: Tid, to: Member, outcome: Outcome): void {
    assert.ok(this.unanswered.delete(order), `order ${order} is answered twice`);
    this.count(outcome.moved ? "moved" : outcome.refused.code);
    // Who is there answers, and who is lost is not waited for.
    assert.ok(outcome.moved || outcome.refused.code !== "notFlushed", "the barrier waits for nobody");
    if (outcome.moved) this.learn(tid, { member: to, move: outcome.move });
  }

  protected learn(tid: Tid, location: Location): void {
    const known = this.table.get(tid)!;
    if (known.member === NOBODY || location.move <= known.move) return;
    this.table.set(tid, location);
    if (this.gone.has(location.member)) this.bury(tid);
  }

  protected locate(p: Process, tid: Tid): void {
    this.count("locate");
    this.time.after(2 * this.time.rnd(), () => {
      const location = this.table.get(tid)!;
      if (location.member === NOBODY) this.later(p, 2, { kind: "ended", tid });
      else this.later(p, 2, { kind: "created", tid, location });
    });
  }

  protected masterLost(id: Member): void {
    for (const [order, { at }] of this.unanswered) if (at === id) this.unanswered.delete(order);
    this.gone.add(id);
    for (const [tid, { member }] of this.table) if (member === id) this.bury(tid);
  }

  /** It was where nobody is any more. The control store says whether it is elsewhere; else it has ended, and stays so. */
  private bury(tid: Tid): void {
    const key = this.keys.get(tid);
    if (key !== undefined && !this.gone.has(key.member)) {
      this.learn(tid, key);
      return;
    }
    this.keys.set(tid, { member: NOBODY, move: 0, revision: ++this.revision });
    this.table.set(tid, { member: NOBODY, move: 0 });
    assert.equal(this.owner.get(tid), undefined, "the master buries a ULP that lives");
    for (const p of this.living()) this.later(p, 5, { kind: "ended", tid });
  }
}
