/** What the simulation of migration (migration-world.ts) is made of, and what must hold when it has come to rest. */
import assert from "node:assert/strict";
import { Migration } from "../runtime/migrate/migration.ts";
import { type Location, type Member, type MoveFrame, NOBODY, type Tid } from "../runtime/migrate/moves.ts";
import type { Timeline } from "./timeline.ts";

export interface Message {
  readonly src: Tid;
  readonly to: Tid;
  readonly number: number;
}
export interface Ulp {
  readonly tid: Tid;
  frozen: boolean;
  readonly sent: Map<Tid, number>;
  readonly received: Map<Tid, number>;
  queue: Message[];
  /** Its state has left with so many of them. */
  carried: number;
}
export type Frame =
  | { readonly kind: "move"; readonly frame: MoveFrame }
  | { readonly kind: "message"; readonly message: Message }
  /** As shipLate. */
  | { readonly kind: "late"; readonly move: number; readonly message: Message }
  | { readonly kind: "exit"; readonly tid: Tid }
  /** As ULP_CONFIG: who has come late is known here. */
  | { readonly kind: "config" }
  | { readonly kind: "state"; readonly tid: Tid; readonly move: number; readonly image: Ulp | undefined };

/** A ULP that comes. */
export interface Image {
  readonly from: Member;
  readonly move: number;
  ulp: Ulp | undefined;
  /** What came for it after its state; what was held for it here. */
  readonly late: Message[];
  readonly held: Message[];
}

export interface Process {
  readonly id: Member;
  readonly protocol: Migration<Message>;
  readonly ulps: Map<Tid, Ulp>;
  /** State that has come or is coming, by ULP. */
  readonly images: Map<Tid, Image>;
  /** Messages by process that they went to, and came from. */
  readonly sentTo: number[];
  readonly takenFrom: number[];
  readonly outbox: Message[];
  readonly stopped: Set<string>;
  /** Who does not know yet that this one, which came late, is there: until then its ULPs' messages wait. */
  readonly greeting: Set<Member>;
  /** Its clock: offset and speed against the world's. */
  readonly offsetMs: number;
  readonly speed: number;
  alive: boolean;
  tickMs: number;
  /** When the last that it has told the master arrives there. */
  masterMs: number;
}

export interface Key extends Location {
  readonly revision: number;
}

export function newProcess(id: Member, members: readonly Member[], time: Timeline): Process {
  const ulps = new Map<Tid, Ulp>();
  const keepsFrom = (src: Tid): boolean =>
    [...ulps.values()].some(({ queue, carried }) =>
      queue.slice(carried).some((message) => message.src === src),
    );
  const [sentTo, takenFrom]: [number[], number[]] = [[], []];
  const traffic = {
    keepsFrom,
    sentTo: (member: Member) => sentTo[member] ?? 0,
    takenFrom: (member: Member) => takenFrom[member] ?? 0,
  };
  return {
    id,
    protocol: new Migration(id, members, traffic),
    ...{ sentTo, takenFrom },
    ulps,
    images: new Map(),
    outbox: [],
    stopped: new Set(),
    greeting: new Set(),
    offsetMs: time.below(100_000),
    speed: 0.9 + 0.2 * time.rnd(),
    alive: true,
    tickMs: Number.POSITIVE_INFINITY,
    masterMs: 0,
  };
}

export interface WorldPlan {
  readonly seed: number;
  /** The transport reorders frames, and a layer above it puts them into order. */
  readonly reorders?: boolean;
}

/** What has happened, over all seeds: a simulation that never gets somewhere proves nothing about it. */
export type Tally = Map<string, number>;

/** A process's clock. */
export const clockOf = ({ offsetMs, speed }: Process, nowMs: number): number => offsetMs + speed * nowMs;

/** Has `tick` called when the protocol wants it, by the process's clock. */
export function setTimer(p: Process, time: Timeline, tick: () => void): void {
  const { nextMs } = p.protocol;
  if (nextMs === Number.POSITIVE_INFINITY || nextMs >= p.tickMs) return;
  p.tickMs = nextMs;
  time.at(Math.max(time.nowMs, (nextMs - p.offsetMs) / p.speed + 0.01), () => {
    if (p.tickMs !== nextMs) return;
    p.tickMs = Number.POSITIVE_INFINITY;
    tick();
  });
}

export const copyOf = (ulp: Ulp): Ulp => ({
  tid: ulp.tid,
  frozen: true,
  sent: new Map(ulp.sent),
  received: new Map(ulp.received),
  queue: ulp.queue.slice(),
  carried: Number.POSITIVE_INFINITY,
});

/** A ULP takes what is in its queue. @throws if something was lost, doubled or overtaken */
export function receive(ulp: Ulp): void {
  for (const { src, number } of ulp.queue.splice(0)) {
    const before = ulp.received.get(src) ?? 0;
    assert.equal(number, before + 1, `ULP ${ulp.tid} from ULP ${src}: lost, doubled or out of order`);
    ulp.received.set(src, number);
  }
}

/** Nothing is left of any move, all know where every ULP is, and every message between those that live has come. */
export function checkRest(
  living: readonly Process[],
  tids: readonly Tid[],
  table: ReadonlyMap<Tid, Location>,
): void {
  const alive = new Map<Tid, Ulp>();
  for (const p of living) {
    assert.equal(p.protocol.unfinished, 0, `process ${p.id} has moves that are not over`);
    assert.deepEqual(p.protocol.locations.waiting, [], `process ${p.id} has messages that wait`);
    assert.equal(p.images.size, 0, `process ${p.id} keeps an image`);
    for (const [tid, ulp] of p.ulps) {
      assert.ok(!ulp.frozen, `ULP ${tid} stays frozen in process ${p.id}`);
      assert.ok(!alive.has(tid), `ULP ${tid} is in two processes`);
      receive(ulp);
      alive.set(tid, ulp);
      for (const other of living) {
        const known = other.protocol.locations.at(tid);
        if (known !== undefined) assert.equal(known.member, p.id, `process ${other.id} looks elsewhere`);
      }
      assert.equal(table.get(tid)?.member, p.id, "the master looks elsewhere");
    }
  }
  for (const tid of tids)
    assert.equal(table.get(tid)!.member === NOBODY, !alive.has(tid), `ULP ${tid} is lost`);
  for (const [src, { sent }] of alive)
    for (const [to, number] of sent)
      if (alive.has(to))
        assert.equal(alive.get(to)!.received.get(src) ?? 0, number, `from ULP ${src} to ULP ${to}`);
}

export const NO_MEMORY = { code: "noMemory", detail: "" } as const;

export function newUlp(tid: Tid): Ulp {
  const carried = Number.POSITIVE_INFINITY;
  return { tid, frozen: false, sent: new Map(), received: new Map(), queue: [], carried };
}
