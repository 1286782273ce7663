/**
 * A job in a simulation: processes with the migration protocol in each, ULPs that send each other numbered messages all the
 * time, a control store, a master that orders moves and calls some off, and faults; all from one seed. What is simulated is what Migration's effects ask for; the protocol is the real one. Checked all the time: that no ULP runs
 * twice, numbers and order of what is received; checkRest looks at the end.
 */
import assert from "node:assert/strict";
import {
  type Member,
  type MoveEffect,
  type MoveEvent,
  type MoveFrame,
  NOBODY,
  type Tid,
} from "../runtime/migrate/moves.ts";
import { SimulatedMaster } from "./migration-master.ts";
import {
  checkRest,
  clockOf,
  copyOf,
  type Frame,
  type Key,
  type Message,
  NO_MEMORY,
  newProcess,
  newUlp,
  type Process,
  receive,
  setTimer,
  type Tally,
  type Ulp,
  type WorldPlan,
} from "./migration-parts.ts";
import { SimulatedWires, simulatedRequest } from "./simulated-wires.ts";
import { Timeline } from "./timeline.ts";

export class World extends SimulatedMaster {
  readonly tally: Tally;
  protected readonly time: Timeline;
  private readonly wires: SimulatedWires<Frame>;
  protected readonly processes: Process[] = [];
  protected readonly keys = new Map<Tid, Key>();
  /** Who runs which ULP, or has it frozen. */
  protected readonly owner = new Map<Tid, Member>();
  protected readonly tids: Tid[] = [];
  /** The effect at which a process is killed, and who. */
  private killAt = -1;
  private effects = 0;
  private readonly storeLoses: number;
  private readonly breaks: number;

  constructor(plan: WorldPlan, tally: Tally) {
    super();
    this.tally = tally;
    this.time = new Timeline(plan.seed);
    this.wires = new SimulatedWires(this.time, plan.reorders === true, (to, from, frame) =>
      this.arrived(to, from, frame),
    );
    this.storeLoses = this.time.below(3) === 0 ? 0.3 : 0;
    this.breaks = this.time.below(3) === 0 ? 0.2 : 0;
    const n = 2 + this.time.below(5);
    const ids = Array.from({ length: n }, (_, i) => i);
    for (const id of ids) this.process(id, ids);
    const ulps = this.time.below(8) === 0 ? 40 : 4 + this.time.below(6);
    for (let i = 0; i < ulps; i++) this.create(this.time.below(n), true);
    const untilMs = 60;
    for (let at = 0; at < untilMs; at += 1 + this.time.below(6)) this.time.at(at, () => this.order());
    if (this.time.below(2) === 0) this.killAt = this.time.below(150);
    if (this.time.below(3) === 0)
      this.time.at(this.time.below(untilMs), () => this.kill(this.time.pick(this.living())));
    if (this.time.below(3) === 0) this.time.at(this.time.below(untilMs), () => this.join());
    for (let i = this.time.below(4); i > 0; i--)
      this.time.at(this.time.below(untilMs), () => {
        const begun = this.begun();
        if (begun.length > 0) this.create(this.time.pick(begun).id, false);
      });
  }

  /** Runs until nothing happens any more. */
  run(): this {
    this.time.run(200_000);
    checkRest(this.living(), this.tids, this.table);
    assert.deepEqual([...this.unanswered.keys()], [], "orders without an answer");
    return this;
  }

  // ---- processes and links

  private process(id: Member, members: readonly Member[]): Process {
    const process = newProcess(id, members, this.time);
    this.processes[id] = process;
    return process;
  }

  protected living(): Process[] {
    return this.processes.filter(({ alive }) => alive);
  }

  /** Those that know all others and are known by them: only they get new ULPs. */
  private begun(): Process[] {
    const living = this.living();
    return living.filter((a) =>
      living.every((b) => a.protocol.members.has(b.id) && b.protocol.members.has(a.id)),
    );
  }

  private arrived(to: Member, from: Member, frame: Frame): void {
    const p = this.processes[to]!;
    if (!p.alive) return;
    switch (frame.kind) {
      case "move":
        this.take(p, { kind: "frame", from, frame: frame.frame });
        break;
      case "message":
        p.takenFrom[from] = (p.takenFrom[from] ?? 0) + 1;
        this.route(p, frame.message, true);
        break;
      case "late": {
        const image = p.images.get(frame.message.to);
        if (image?.from === from && image.move === frame.move) image.late.push(frame.message);
        break;
      }
      case "config":
        this.greeted(p, from);
        break;
      case "exit":
        this.take(p, { kind: "ended", tid: frame.tid });
        break;
      case "state":
        this.state(p, frame.tid, frame.move, frame.image);
        break;
    }
  }

  private kill(victim: Process): void {
    if (!victim.alive || this.living().length <= 1) return;
    this.count("killed");
    victim.alive = false;
    for (const tid of victim.ulps.keys()) if (this.owner.get(tid) === victim.id) this.owner.delete(tid);
    for (const other of this.processes) {
      if (other === victim) continue;
      this.time.at(this.wires.cut(victim.id, other.id) + 5 * this.time.rnd(), () => {
        if (!other.alive) return;
        this.take(other, { kind: "lost", member: victim.id });
        this.greeted(other, victim.id);
      });
    }
    this.toMaster(victim, 5, () => this.masterLost(victim.id));
  }

  /** What a process tells the master, its end last, comes in order. */
  private toMaster(p: Process, withinMs: number, act: () => void): void {
    p.masterMs = Math.max(p.masterMs, this.time.nowMs + withinMs * this.time.rnd());
    this.time.at(p.masterMs, act);
  }

  private greeted(p: Process, member: Member): void {
    p.greeting.delete(member);
    this.drain(p);
  }

  private join(): void {
    const id = this.processes.length;
    const others = this.living();
    const p = this.process(
      id,
      others.map((other) => other.id),
    );
    this.count("joined");
    // The master tells it what it has told the others.
    for (const [tid, { member }] of this.table)
      if (member === NOBODY) this.later(p, 2, { kind: "ended", tid });
    for (const other of others) p.greeting.add(other.id);
    for (const other of others)
      this.time.after(3 * this.time.rnd(), () => {
        if (!other.alive || !p.alive) return;
        this.take(other, { kind: "joined", member: id });
        this.wires.send(other.id, id, { kind: "config" });
      });
  }

  // ---- the protocol

  protected take(p: Process, event: MoveEvent): void {
    if (!p.alive) return;
    const effects = p.protocol.take(event, clockOf(p, this.time.nowMs));
    for (const effect of effects) {
      if (!p.alive) return;
      this.perform(p, effect);
      if (this.effects++ === this.killAt)
        this.kill(this.time.below(2) === 0 ? p : this.time.pick(this.living()));
    }
    setTimer(p, this.time, () => this.take(p, { kind: "tick" }));
  }

  private perform(p: Process, effect: MoveEffect<Message>): void {
    this.count(effect.kind === "send" ? effect.frame.kind : effect.kind);
    switch (effect.kind) {
      case "send":
        if (effect.frame.taken !== undefined) this.count("alone");
        if (effect.frame.isClear === true) this.count("clear");
        this.wires.send(p.id, effect.to, { kind: "move", frame: effect.frame });
        break;
      case "offer":
        if (p.ulps.has(effect.frame.tid))
          this.wires.send(p.id, effect.to, { kind: "move", frame: effect.frame });
        else {
          const { tid, move } = effect.frame;
          this.later(p, 0, { kind: "notFrozen", tid, move, refused: { code: "ended", detail: "" } });
        }
        break;
      case "freeze":
        this.freeze(p, effect.tid, effect.move);
        break;
      case "thaw":
        this.drain(p);
        this.thaw(p, this.ulpOf(p, effect.tid));
        break;
      case "shipMemory":
        this.wires.send(p.id, effect.to, { ...effect, kind: "state", image: undefined });
        break;
      case "ship":
        this.ship(p, effect.tid, effect.move, effect.to);
        break;
      case "shipLate":
        this.shipLate(p, this.ulpOf(p, effect.tid), effect.move, effect.to);
        break;
      case "stopShipping":
        p.stopped.add(`${effect.tid}/${effect.move}`);
        break;
      case "free":
        this.free(p, this.ulpOf(p, effect.tid), effect.to);
        break;
      case "judge":
        this.judge(p, effect.from, effect.frame);
        break;
      case "weigh": {
        const refused = this.time.rnd() < this.breaks ? NO_MEMORY : undefined;
        this.count(refused === undefined ? "light" : "too heavy");
        this.later(p, 0, { ...effect, kind: "weighed", refused });
        break;
      }
      case "adopt": {
        this.drain(p);
        const { ulp, late, held } = p.images.get(effect.tid)!;
        const early = p.outbox.filter(({ to }) => to === effect.tid);
        for (const message of early) p.outbox.splice(p.outbox.indexOf(message), 1);
        ulp!.queue.push(...late, ...early, ...held);
        p.images.delete(effect.tid);
        p.ulps.set(effect.tid, ulp!);
        this.owner.set(effect.tid, p.id);
        ulp!.frozen = false;
        break;
      }
      case "discard":
        if (p.images.get(effect.tid)?.move === effect.move) p.images.delete(effect.tid);
        break;
      case "claim":
        this.claim(p, effect.tid, effect.move, effect.revision);
        break;
      case "read":
        this.store(
          p,
          () => this.keys.get(effect.tid) ?? { member: NOBODY, move: 0, revision: 0 },
          (key) => this.take(p, { ...effect, kind: "owner", owner: key === "unknown" ? key : { ...key } }),
        );
        break;
      case "release":
        for (const message of effect.held) {
          if (effect.to === "here") this.put(p, message);
          else if (effect.to !== "nowhere") this.send(p, effect.to, message);
        }
        break;
      case "migrated":
        this.toMaster(p, 2, () => this.learn(effect.tid, { member: p.id, move: effect.move }));
        break;
      case "answer":
        this.toMaster(p, 2, () => this.answered(effect.order, effect.tid, effect.to, effect.outcome));
        break;
      case "cutOff":
        assert.fail("cut off from the store, which answers");
    }
  }

  protected later(p: Process, withinMs: number, event: MoveEvent): void {
    this.time.after(withinMs * this.time.rnd(), () => this.take(p, event));
  }

  private ulpOf(p: Process, tid: Tid): Ulp {
    const ulp = p.ulps.get(tid);
    assert.ok(ulp !== undefined, `process ${p.id} has no ULP ${tid}`);
    return ulp;
  }

  private freeze(p: Process, tid: Tid, move: number): void {
    // Now and then it cannot be stopped in time.
    const delayMs = this.time.below(40) === 0 ? 15_000 : 2 * this.time.rnd();
    this.time.after(delayMs, () => {
      if (!p.alive) return;
      const ulp = p.ulps.get(tid);
      const ended = { code: "ended", detail: "" } as const;
      if (ulp === undefined) return this.take(p, { kind: "notFrozen", tid, move, refused: ended });
      ulp.frozen = true;
      this.drain(p);
      this.take(p, { kind: "frozen", tid, move, weight: { memoryBytes: 9, heapBytes: 9 } });
    });
  }

  private ship(p: Process, tid: Tid, move: number, to: Member): void {
    const ulp = this.ulpOf(p, tid);
    const image = copyOf(ulp);
    ulp.carried = ulp.queue.length;
    const name = `${tid}/${move}`;
    const chunks = 1 + this.time.below(3);
    const next = (chunk: number): void => {
      if (!p.alive || p.stopped.has(name)) return;
      assert.ok(this.ulpOf(p, tid).frozen, "sends the state of a ULP that runs");
      this.wires.send(p.id, to, { kind: "state", tid, move, image: chunk === chunks ? image : undefined });
      if (chunk === chunks) this.later(p, 4, { kind: "shipped", tid, move, bytes: 100 });
      else this.time.after(2 * this.time.rnd(), () => next(chunk + 1));
    };
    next(1);
  }

  private thaw(p: Process, ulp: Ulp): void {
    ulp.frozen = false;
    ulp.carried = Number.POSITIVE_INFINITY;
    this.later(p, 0, { kind: "cleared" });
  }

  private free(p: Process, { tid, queue, carried }: Ulp, to: Member): void {
    p.ulps.delete(tid);
    if (this.owner.get(tid) === p.id) this.owner.delete(tid);
    for (const message of queue.slice(carried)) this.send(p, to, message);
    if (queue.length > carried) this.count("sent after");
    this.later(p, 0, { kind: "cleared" });
  }

  private judge(p: Process, from: Member, { tid, move }: MoveFrame): void {
    const refused = this.time.rnd() < this.breaks ? NO_MEMORY : undefined;
    if (refused === undefined) p.images.set(tid, { from, move, ulp: undefined, late: [], held: [] });
    this.later(p, 2, { kind: "judged", tid, move, refused });
  }

  private shipLate(p: Process, ulp: Ulp, move: number, to: Member): void {
    const late = ulp.queue.slice(ulp.carried);
    for (const message of late) this.wires.send(p.id, to, { kind: "late", move, message });
    ulp.carried += late.length;
    if (late.length > 0) this.count("late");
  }

  private send(p: Process, to: Member, message: Message): void {
    p.sentTo[to] = (p.sentTo[to] ?? 0) + 1;
    this.wires.send(p.id, to, { kind: "message", message });
  }

  private state(p: Process, tid: Tid, move: number, ulp: Ulp | undefined): void {
    const image = p.images.get(tid);
    if (image?.move !== move) return;
    const refused = { code: "notReceived", detail: "" } as const;
    if (ulp === undefined) {
      if (this.time.rnd() < this.breaks / 2) this.take(p, { kind: "broken", tid, move, refused });
      return;
    }
    image.ulp = ulp;
    if (this.time.rnd() < this.breaks) this.later(p, 1, { kind: "broken", tid, move, refused });
    else this.later(p, 1, { kind: "received", tid, move });
  }

  private claim(p: Process, tid: Tid, move: number, revision: number): void {
    this.store(
      p,
      () => {
        if ((this.keys.get(tid)?.revision ?? 0) !== revision) return "refused" as const;
        this.keys.set(tid, { member: p.id, move, revision: ++this.revision });
        return { revision: this.revision };
      },
      (result) => this.take(p, { kind: "settled", tid, move, result }),
    );
  }

  private store<R>(p: Process, act: () => R, answer: (result: R | "unknown") => void): void {
    simulatedRequest(this.time, this.storeLoses, act, (result) => p.alive && answer(result));
  }

  // ---- ULPs

  private create(id: Member, known: boolean): void {
    const tid = this.tids.length + 1;
    this.tids.push(tid);
    const p = this.processes[id]!;
    p.ulps.set(tid, newUlp(tid));
    this.owner.set(tid, id);
    this.table.set(tid, { member: id, move: 0 });
    // The others learn of one that was spawned when they ask.
    for (const other of known ? this.living() : [p])
      this.take(other, { kind: "created", tid, location: { member: id, move: 0 } });
    this.live(tid, 25 + this.time.below(25));
  }

  /** A ULP's life: it receives what there is and sends some more. */
  private live(tid: Tid, left: number): void {
    this.time.after(4 * this.time.rnd(), () => {
      const p = this.processes[this.owner.get(tid) ?? -1];
      if (p === undefined) return;
      const ulp = this.ulpOf(p, tid);
      if (ulp.frozen) return this.live(tid, left);
      receive(ulp);
      if (left === 0) {
        if (this.time.below(3) === 0) this.end(p, tid);
        return;
      }
      for (let n = this.time.below(3); n > 0; n--) {
        const to = this.time.pick(this.tids);
        const number = (ulp.sent.get(to) ?? 0) + 1;
        ulp.sent.set(to, number);
        const message = { src: tid, to, number };
        // A ULP of the same process gets it at once, all others by the process's own thread.
        if (p.ulps.has(to)) this.put(p, message);
        else {
          p.outbox.push(message);
          this.time.after(this.time.rnd(), () => p.alive && this.drain(p));
        }
      }
      this.live(tid, left - 1);
    });
  }

  /** Its program has ended. */
  private end(p: Process, tid: Tid): void {
    p.ulps.delete(tid);
    this.owner.delete(tid);
    this.drain(p);
    for (const to of p.protocol.others()) this.wires.send(p.id, to, { kind: "exit", tid });
    this.toMaster(p, 2, () => this.table.set(tid, { member: NOBODY, move: 0 }));
    this.take(p, { kind: "ended", tid });
  }

  private drain(p: Process): void {
    if (p.greeting.size > 0) return;
    for (const message of p.outbox.splice(0)) this.route(p, message, false);
  }

  private route(p: Process, message: Message, forwarded: boolean): void {
    const where = p.protocol.sent(message.to, { src: message.src, message });
    if (where === "here") this.put(p, message);
    else if (where === "unknown") this.locate(p, message.to);
    else if (typeof where === "number") {
      assert.ok(!forwarded, "forwarded after the barrier");
      this.send(p, where, message);
    } else this.count(where);
  }

  private put(p: Process, message: Message): void {
    const ulp = p.ulps.get(message.to);
    const image = p.images.get(message.to);
    if (ulp === undefined && image?.ulp !== undefined) return void image.held.push(message);
    assert.ok(ulp !== undefined, `process ${p.id} has no ULP ${message.to}`);
    if (ulp.frozen) this.count("carried");
    ulp.queue.push(message);
  }

  protected count(what: string): void {
    this.tally.set(what, (this.tally.get(what) ?? 0) + 1);
    for (const p of this.processes) {
      if (!p.alive) continue;
      for (const { tid, frozen } of p.ulps.values())
        if (!frozen) assert.equal(this.owner.get(tid), p.id, `ULP ${tid} runs twice`);
    }
  }
}
