/**
 * The table of hosts against pvmds that join, leave and die: links end and come back, messages are late, clocks differ, the
 * control store pauses and loses keys, the master and whole machines stand still.
 *
 * One number decides all that happens; a failure prints the command that plays it again. UPVM_SEEDS says how many.
 */
import assert from "node:assert/strict";
import { test } from "uvu";
import {
  type HostEffect,
  type HostEvent,
  type HostFacts,
  type HostRow,
  HostTable,
} from "../../pvmd/host-table.ts";
import { Membership, type MembershipEffect, type MembershipEvent } from "../../pvmd/membership.ts";
import { PATIENCE, type Patience, patienceOf } from "../../pvmd/patience.ts";
import { LIMITS } from "../../wire/limits.ts";
import { Agenda } from "../agenda.ts";

const SEEDS = Number(process.env["UPVM_SEEDS"] ?? 1500);
const ONE = process.env["UPVM_SEED"];
/** Pvmds that are started in one play; some have the same name. */
const PVMDS = 9;
const NAMES = ["a", "b", "c", "d"];
/** Things go wrong for so long, milliseconds; then all must come to rest. */
const TROUBLE_MS = 20_000;
const QUIET_MS = 40_000;
const TICK_MS = 100;
/** Clocks run faster or slower by this much at most. */
const DRIFT = 0.03;

/** Mulberry32. */
function random(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A link between the master and a pvmd: each direction keeps order; what is under way when it ends is lost. */
interface Wire {
  readonly id: number;
  readonly pvmd: Pvmd;
  /** Each end has been told that it ended. */
  masterKnows: boolean;
  pvmdKnows: boolean;
  broken: boolean;
  /** What was sent last arrives then, and what is sent next not before it. */
  lastMs: { up: number; down: number };
}

class Pvmd {
  readonly facts: HostFacts;
  readonly membership: Membership;
  alive = true;
  wire: Wire | undefined;
  why: string | undefined;
  private readonly rate: number;
  private offsetMs: number;
  /** Its machine sleeps until then, and its clock with it. */
  asleepToMs = 0;
  private readonly world: World;

  constructor(world: World, name: string, incarnation: string) {
    this.world = world;
    this.rate = 1 + DRIFT * (2 * world.rng() - 1);
    this.offsetMs = world.rng() * 1e6;
    const [arch, node, version] = ["x64", "v26.0.0", "0.1.0"];
    this.facts = { name, incarnation, address: "", arch, node, version, cores: 1, memoryBytes: 1, pid: 1 };
    this.membership = new Membership(this.nowMs);
  }

  get nowMs(): number {
    return this.offsetMs + this.world.agenda.nowMs * this.rate;
  }

  step(event: MembershipEvent): void {
    if (this.world.agenda.nowMs < this.asleepToMs)
      return this.world.agenda.at(this.asleepToMs, () => this.step(event));
    if (this.alive) this.do(this.membership.step(event, this.nowMs));
  }

  sleep(ms: number): void {
    if (this.world.agenda.nowMs < this.asleepToMs) return;
    this.asleepToMs = this.world.agenda.nowMs + ms;
    this.offsetMs -= ms * this.rate;
  }

  do(effects: readonly MembershipEffect[]): void {
    for (const effect of effects) this.one(effect);
  }

  private one(effect: MembershipEffect): void {
    const { world } = this;
    switch (effect.kind) {
      case "connect":
        return world.connect(this);
      case "ask":
        return world.up(this, (link) => ({ kind: "ask", link, facts: this.facts, returns: effect.returns }));
      case "beat":
        return world.up(this, (link) => ({ kind: "beat", link }), effect.sentMs);
      case "endTasks":
        return world.later(LIMITS.hostEndMs / 2, () => this.step({ kind: "tasksEnded" }));
      case "tellLeft":
        return world.up(this, (link) => ({ kind: "left", link }));
      case "end":
        this.why = effect.why;
        return world.later(50, () => this.die());
      case "inService":
        return;
    }
  }

  /** As by kill -9. */
  die(): void {
    this.alive = false;
    if (this.wire !== undefined) this.world.cut(this.wire);
  }
}

class World {
  readonly rng: () => number;
  readonly agenda = new Agenda();
  readonly table: HostTable;
  readonly pvmds: Pvmd[] = [];
  private readonly store = new Map<string, HostRow>();
  /** What is asked of the store is done in turn: so far until then. It pauses until `pausedToMs`. */
  private storeToMs = 0;
  private pausedToMs = 0;
  /** The master's process stands still until then. */
  private stoppedToMs = 0;
  private readonly wires = new Map<number, Wire>();
  /** When the heartbeats arrived whose answers are under way, by link and kind. */
  private readonly beats = new Map<number, number[]>();
  /** By name: the incarnation that has been added and not deleted. */
  private readonly told = new Map<string, string>();
  private links = 0;
  /** By incarnation: when the master has heard of it last. */
  private readonly heard = new Map<string, number>();
  /** Incarnations whose clocks stood still: they cannot know in time. */
  private readonly slept = new Set<string>();
  /** Names of hosts that have died; whether one of them has been given again. */
  private readonly dead = new Set<string>();
  replaced = false;
  masterAlive = true;
  halted = 0;
  trouble = true;
  /** A third of the machines have the least that can be had. */
  readonly patience: Patience;
  readonly log: string[] = [];

  constructor(seed: number) {
    this.rng = random(seed);
    this.patience = seed % 3 === 0 ? patienceOf(LIMITS.hostDeadLeastMs) : PATIENCE;
    const own = {
      name: "master",
      incarnation: "m",
      address: "",
      arch: "x64",
      node: "v26.0.0",
      version: "0.1.0",
    };
    const facts = { ...own, cores: 1, memoryBytes: 1, pid: 1 };
    this.table = new HostTable(facts, this.patience.deadMs, this.agenda.nowMs);
    this.look();
  }

  private look(): void {
    if (this.agenda.nowMs >= this.stoppedToMs) this.take({ kind: "tick" });
    this.later(LIMITS.hostLookMs, () => this.look());
  }

  later(ms: number, act: () => void): void {
    this.agenda.at(this.agenda.nowMs + ms, act);
  }
  chance(part: number): boolean {
    return this.rng() < part;
  }
  /** Milliseconds that a message takes. */
  delay(): number {
    return this.trouble && this.chance(0.03) ? this.rng() * 3000 : this.rng() * 20;
  }

  connect(pvmd: Pvmd): void {
    this.later(this.delay(), () => {
      if (!pvmd.alive) return;
      if (!this.masterAlive) return pvmd.step({ kind: "unreachable", refused: this.chance(0.5) });
      if (this.trouble && this.chance(0.1)) return pvmd.step({ kind: "unreachable", refused: false });
      this.links += 1;
      const wire = { id: this.links, pvmd, masterKnows: false, pvmdKnows: false, broken: false };
      pvmd.wire = { ...wire, lastMs: { up: 0, down: 0 } };
      this.wires.set(wire.id, pvmd.wire);
      pvmd.step({ kind: "linked" });
    });
  }

  private carry(wire: Wire, way: "up" | "down", act: () => void): void {
    const atMs = Math.max(wire.lastMs[way], this.agenda.nowMs + this.delay());
    wire.lastMs[way] = atMs;
    this.agenda.at(atMs, () => {
      if (!wire.broken) act();
    });
  }

  /** Pvmd to master. */
  up(pvmd: Pvmd, event: (link: number) => HostEvent, sentMs?: number): void {
    const { wire } = pvmd;
    if (wire === undefined) return;
    this.carry(wire, "up", () => {
      if (!this.masterAlive || wire.masterKnows) return;
      if (sentMs !== undefined) this.beats.set(wire.id, [...(this.beats.get(wire.id) ?? []), sentMs]);
      this.take(event(wire.id));
    });
  }

  /** Master to pvmd. */
  private down(link: number, event: MembershipEvent): void {
    const wire = this.wires.get(link);
    if (wire === undefined) return;
    this.carry(wire, "down", () => {
      if (!wire.pvmdKnows && wire.pvmd.wire === wire) wire.pvmd.step(event);
    });
  }

  /** The link ends; either side hears of it when it does. */
  cut(wire: Wire): void {
    if (wire.broken) return;
    wire.broken = true;
    this.later(this.delay(), () => {
      if (!wire.masterKnows && this.masterAlive) this.take({ kind: "closed", link: wire.id });
      wire.masterKnows = true;
    });
    this.later(this.delay(), () => {
      if (!wire.pvmdKnows && wire.pvmd.wire === wire) {
        wire.pvmd.wire = undefined;
        wire.pvmd.step({ kind: "closed" });
      }
      wire.pvmdKnows = true;
    });
  }

  take(event: HostEvent): void {
    const { nowMs } = this.agenda;
    if (nowMs < this.stoppedToMs) return this.agenda.at(this.stoppedToMs, () => this.take(event));
    if (!this.masterAlive) return;
    const from = event.kind === "ask" && event.returns ? event.facts : undefined;
    const host = from ?? (event.kind === "beat" ? this.table.hostOf(event.link) : undefined);
    if (host !== undefined) this.heard.set(host.incarnation, nowMs);
    const effects = this.table.step(event, nowMs);
    this.table.check();
    for (const effect of effects) this.one(effect);
    this.table.check();
  }

  private one(effect: HostEffect): void {
    switch (effect.kind) {
      case "put":
        return this.put(effect.row);
      case "update":
        return this.inStore(() => {
          const row = this.table.row(effect.row.name);
          if (row?.incarnation === effect.row.incarnation) this.store.set(row.name, row);
        });
      case "remove":
        return this.inStore(() => {
          const row = this.store.get(effect.row.name);
          if (row?.incarnation === effect.row.incarnation) this.store.delete(row.name);
        });
      case "admit":
        return this.down(effect.link, { kind: "admitted", patience: this.patience });
      case "refuse":
        return this.down(effect.link, { kind: "refused", why: effect.why, patience: this.patience });
      case "alive": {
        const sentMs = this.beats.get(effect.link)?.shift();
        assert(sentMs !== undefined);
        return this.down(effect.link, { kind: "alive", sentMs, known: effect.known });
      }
      case "order":
        return this.down(effect.link, { kind: "order", what: effect.what });
      case "close": {
        const wire = this.wires.get(effect.link)!;
        wire.masterKnows = true;
        return this.cut(wire);
      }
      case "added":
        assert(!this.told.has(effect.row.name), "added twice");
        assert.equal(
          this.store.get(effect.row.name)?.incarnation,
          effect.row.incarnation,
          "not in the store",
        );
        this.told.set(effect.row.name, effect.row.incarnation);
        if (this.dead.has(effect.row.name)) this.replaced = true;
        return;
      case "deleted":
        return this.deleted(effect.row, effect.why);
      case "halted":
        this.halted += 1;
        return;
    }
  }

  private deleted(row: HostRow, why: string): void {
    assert.equal(this.told.get(row.name), row.incarnation, "deleted, and not added before");
    this.told.delete(row.name);
    if (why === "dead") this.dead.add(row.name);
    const silentMs = this.agenda.nowMs - (this.heard.get(row.incarnation) ?? 0);
    assert(
      why === "left" || silentMs >= this.patience.deadMs,
      `dead, and was silent for ${silentMs} ms only`,
    );
    const pvmd = this.pvmds.find(({ facts }) => facts.incarnation === row.incarnation)!;
    const busy = pvmd.alive && pvmd.membership.inService && !this.slept.has(row.incarnation);
    assert(!busy, `${row.name} ${row.incarnation} was deleted (${why}) and is in service`);
  }

  private put(row: HostRow): void {
    const wire = this.wires.get(this.table.linkOf(row.name) ?? 0);
    if (this.trouble && wire !== undefined && this.chance(0.05)) this.cut(wire);
    this.inStore(() => {
      const why = this.store.has(row.name)
        ? "taken"
        : this.trouble && this.chance(0.03)
          ? "store"
          : undefined;
      if (why === undefined) this.store.set(row.name, row);
      this.later(this.delay(), () => this.take({ kind: "stored", ...row, ...(why && { why }) }));
    });
  }

  private inStore(act: () => void): void {
    this.storeToMs = Math.max(this.storeToMs, this.pausedToMs, this.agenda.nowMs) + this.delay();
    this.agenda.at(this.storeToMs, () => {
      if (this.masterAlive) act();
    });
  }

  start(): void {
    const n = this.pvmds.length;
    const pvmd = new Pvmd(this, NAMES[Math.floor(this.rng() * NAMES.length)]!, `i${n}`);
    this.pvmds.push(pvmd);
    pvmd.do(pvmd.membership.start());
    const tick = (): void => {
      pvmd.step({ kind: "tick" });
      if (pvmd.alive) this.later(TICK_MS, tick);
    };
    this.later(this.rng() * TICK_MS, tick);
  }

  /** One thing that goes wrong, or that somebody wants. */
  private mischief(): void {
    const pvmd = this.pvmds[Math.floor(this.rng() * this.pvmds.length)]!;
    const what = this.rng();
    if (what < 0.15) pvmd.die();
    else if (what < 0.5) {
      if (pvmd.wire !== undefined) this.cut(pvmd.wire);
    } else if (what < 0.75) {
      if (pvmd.wire !== undefined) this.stall(pvmd.wire);
    } else if (what < 0.87) this.take({ kind: "delete", name: pvmd.facts.name });
    else if (what < 0.89) this.take({ kind: "empty", name: pvmd.facts.name });
    else if (what < 0.9) this.take({ kind: "keep", name: pvmd.facts.name });
    else if (what < 0.94) pvmd.step({ kind: "order", what: "leave" });
    else if (what < 0.95) this.loseKey(pvmd.facts);
    else if (what < 0.97) this.pausedToMs = this.agenda.nowMs + this.rng() * 20_000;
    else if (what < 0.98) this.stoppedToMs = this.agenda.nowMs + this.rng() * 9000;
    else {
      pvmd.sleep(this.rng() * 9000);
      this.slept.add(pvmd.facts.incarnation);
    }
  }

  /** Nothing arrives for a while, in one direction or both; then all of it. */
  private stall(wire: Wire): void {
    for (const way of ["up", "down"] as const)
      if (this.chance(0.7))
        wire.lastMs[way] = Math.max(wire.lastMs[way], this.agenda.nowMs + this.rng() * 9000);
  }

  /** The store loses a key, as when somebody deletes it by hand. */
  private loseKey({ name, incarnation }: HostFacts): void {
    if (this.told.get(name) !== incarnation || this.store.get(name)?.incarnation !== incarnation) return;
    this.store.delete(name);
    this.later(this.delay(), () => this.take({ kind: "keyGone", name, incarnation }));
  }

  play(): void {
    for (let i = 0; i < PVMDS; i++) this.agenda.at(this.rng() * TROUBLE_MS, () => this.start());
    for (let i = 0; i < 12; i++)
      this.agenda.at(this.rng() * TROUBLE_MS, () => {
        if (this.pvmds.length > 0) this.mischief();
      });
    const end = this.rng();
    this.agenda.at(this.rng() * TROUBLE_MS, () => {
      if (end < 0.3) this.killMaster();
      else if (end < 0.6) {
        this.take({ kind: "halt" });
        this.later(LIMITS.haltMs, () => this.take({ kind: "late" }));
      }
    });
    while (this.agenda.next(TROUBLE_MS)) {}
    this.trouble = false;
    while (this.agenda.next(TROUBLE_MS + QUIET_MS)) {}
    this.atRest(end);
  }

  private killMaster(): void {
    this.masterAlive = false;
    for (const wire of this.wires.values()) this.cut(wire);
  }

  private atRest(end: number): void {
    const living = this.pvmds.filter(({ alive }) => alive);
    if (end < 0.6)
      assert.deepEqual(
        living.map(({ facts }) => facts),
        [],
        "all end with the machine",
      );
    if (end >= 0.3 && end < 0.6) {
      assert.equal(this.halted, 1);
      assert.equal(this.table.rows().length, 1, "halted, and there are hosts");
    }
    if (end < 0.3) return;
    assert.equal(end >= 0.6 ? this.halted : 0, 0);
    const inService = living.map(({ facts, membership }) => {
      assert(membership.inService, "alive, and neither in nor ended");
      return facts.incarnation;
    });
    const rows = this.table.rows().filter(({ number }) => number !== 1);
    assert.deepEqual(rows.map(({ incarnation }) => incarnation).sort(), inService.sort());
    assert.deepEqual([...this.told.values()].sort(), inService.sort());
    const stored = [...this.store.values()];
    assert.deepEqual(stored.map(({ incarnation }) => incarnation).sort(), inService.sort());
  }
}

test("hosts join, leave and die in any order: the table is what is, and who was deleted runs nothing", () => {
  const outcomes = new Set<string>();
  const seeds = ONE === undefined ? Array.from({ length: SEEDS }, (_, i) => i + 1) : [Number(ONE)];
  for (const seed of seeds) {
    const world = new World(seed);
    try {
      world.play();
    } catch (error) {
      console.log(`UPVM_SEED=${seed} node test/property/hosts.test.ts`);
      throw error;
    }
    if (world.replaced) outcomes.add("replaced");
    for (const { why } of world.pvmds) if (why !== undefined) outcomes.add(why);
  }
  // The plays reach every way in which a membership ends, else they show little.
  const all = ["replaced", "gone", "halted", "lapsed", "left", "silent", "taken", "unreachable"];
  if (ONE === undefined && SEEDS >= 1000)
    for (const why of all) assert(outcomes.has(why), `none ended: ${why}`);
});

test.run();
