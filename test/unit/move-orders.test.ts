/** Orders to move ULPs, as the master gives them: to whom, again, and what has become of ULPs whose process is gone. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { memoryLinks } from "../../net/memory-links.ts";
import { type Handlers, Rpc } from "../../net/rpc.ts";
import { claimUlp, NOBODY, type Place, placeOf } from "../../pvmd/locations.ts";
import { MemoryStore } from "../../pvmd/memory-store.ts";
import { MoveOrders, type Seated } from "../../pvmd/move-orders.ts";
import { UpvmError } from "../../wire/errors.ts";
import { LIMITS } from "../../wire/limits.ts";

const STAGES = { preparedMs: 1, frozenMs: 2, flushedMs: 3, sentMs: 4, committedMs: 5 };
const MOVED = {
  moved: true,
  move: 1,
  bytes: 900,
  obtrusiveMs: 4,
  migrationMs: 5,
  stages: STAGES,
  eventMs: 1,
} as const;

/** Job 1 with a process on each of three hosts; ULP 7 is with process 0. */
class Machine {
  readonly store = new MemoryStore();
  readonly places = new Map([[7, 0]]);
  readonly rpcs = new Map<number, Rpc>();
  readonly orders: MoveOrders;
  /** When the master kept what it has for ULPs, and where it went. */
  readonly waits: string[] = [];
  /** A checkpoint of its job is being taken. */
  isKept = false;
  life = 1;

  constructor(answer: Handlers["moveOrder"], moveOff?: Handlers["moveOff"]) {
    const peer = { role: "pvmd", vm: "v", host: "m" } as const;
    for (const member of [0, 1, 2]) {
      const { a, b } = memoryLinks(peer, { role: "process", vm: "v", host: "h", job: 1, member });
      const handlers: Handlers = {
        ...(answer && { moveOrder: answer }),
        ...(moveOff && { moveOff }),
      };
      this.rpcs.set(member, new Rpc(a, {}));
      new Rpc(b, handlers);
    }
    this.orders = new MoveOrders({
      store: this.store,
      find: (tid) => this.seat(tid),
      tasksOn: (host) => [...this.places].filter(([, at]) => `h${at}` === host).map(([tid]) => tid),
      hostOf: ({ member }) => `h${member}`,
      hostState: (name) => (name === "h3" ? "leaving" : ["h0", "h1", "h2"].includes(name) ? "up" : undefined),
      memberOn: async (_, host) => Number(host.slice(1)),
      rpcTo: ({ member }) => this.rpcs.get(member),
      moved: (tid, member) => this.places.set(tid, member),
      ends: () => this.places.size === 0,
      lifeOf: () => this.life,
      isKept: () => this.isKept,
      park: (tid) => this.waits.push(`park ${tid}`),
      letGo: (tid) => this.waits.push(`letGo ${tid} at ${this.places.get(tid)}`),
      after: (_, run) => void setTimeout(run, 0),
    });
  }

  private seat(tid: number): Seated | undefined {
    const member = this.places.get(tid);
    return member === undefined ? undefined : { job: 1, member };
  }
}

test("no ULP is ordered away while a checkpoint of its job is being taken, and the order says so", async () => {
  const machine = new Machine(() => ({ body: { outcomes: [MOVED] } }));
  machine.isKept = true;
  const [kept] = await machine.orders.migrate({ tids: [7], to: "h2" });
  assert.deepEqual(kept!.refused, { code: "moving", why: "a checkpoint of its job is being taken" });
  assert.deepEqual([machine.waits, machine.orders.hasOpen(1)], [[], false]);
  machine.isKept = false;
  const [row] = await machine.orders.migrate({ tids: [7], to: "h2" });
  assert.equal(row!.refused, undefined);
});

test("an order goes to the process that has the ULP; the table follows, and old news changes nothing", async () => {
  const machine = new Machine(() => ({ body: { outcomes: [MOVED] } }));
  const [row] = await machine.orders.migrate({ tids: [7, 7], to: "h2" });
  assert.deepEqual([row!.from, row!.to, row!.bytes, row!.refused], ["h0", "h2", 900, undefined]);
  assert.equal(machine.places.get(7), 2);
  machine.orders.news(7, 1, 1);
  assert.equal(machine.places.get(7), 2);
  machine.orders.news(7, 1, 2);
  assert.equal(machine.places.get(7), 1);
});

test("the next job of a number counts its moves from 1, whatever becomes known late of those of the last one", async () => {
  const { orders, places } = new Machine(undefined);
  const tid = (1 << 18) + 7;
  places.set(tid, 0);
  orders.news(tid, 2, 3);
  places.clear();
  orders.jobEnded(1);
  orders.news(tid, 1, 4);
  places.set(tid, 0);
  orders.news(tid, 2, 1);
  assert.equal(places.get(tid), 2);
});

test("a ULP that was ordered to where it is, and whose process ends then, is lost and not there", async () => {
  const machine = new Machine(() => new Promise(() => {}));
  const moved = machine.orders.migrate({ tids: [7], to: "h0" });
  await new Promise((go) => setTimeout(go, 5));
  machine.rpcs.get(0)!.link.close();
  assert.equal((await moved)[0]!.refused?.code, "lost");
});

test("a ULP that has just moved is ordered where it is now", async () => {
  let asked = 0;
  const gone = { moved: false, refused: { code: "notHere", detail: "it is not here any more" } } as const;
  const machine = new Machine(() => {
    asked += 1;
    machine.places.set(7, 1);
    return { body: { outcomes: [asked === 1 ? gone : MOVED] } };
  });
  const [row] = await machine.orders.migrate({ tids: [], from: "h0", to: "h2" });
  assert.deepEqual([row!.from, row!.refused, asked], ["h1", undefined, 2]);
});

test("each of many ULPs is ordered when it is its turn, and what is for it waits only until its own order is answered", async () => {
  const answers: (() => void)[] = [];
  const machine = new Machine(async () => {
    await new Promise<void>((go) => answers.push(go));
    return { body: { outcomes: [MOVED] } };
  });
  for (let tid = 8; tid < 7 + LIMITS.movesAtOnce + 2; tid++) machine.places.set(tid, 0);
  const moves = machine.orders.migrate({ tids: [], from: "h0", to: "h2" });
  const wait = () => new Promise<void>((go) => setTimeout(go, 0));
  while (answers.length < LIMITS.movesAtOnce) await wait();
  assert.equal(machine.waits.length, LIMITS.movesAtOnce);
  answers[0]!();
  while (answers.length === LIMITS.movesAtOnce) await wait();
  assert.deepEqual(machine.waits.slice(-2), ["letGo 7 at 2", `park ${7 + LIMITS.movesAtOnce}`]);
  // It is there, and its source has not said so yet: it is asked again, in place of one more order to its source.
  machine.places.set(8, 2);
  const again = machine.orders.migrate({ tids: [8, 9], to: "h1" });
  await wait();
  while (answers.length > 0) {
    for (const go of answers.splice(0)) go();
    await wait();
    await wait();
  }
  assert.ok((await moves).every(({ refused }) => refused === undefined));
  assert.deepEqual(
    (await again).map(({ refused }) => refused?.code),
    [undefined, "moving"],
  );
});

test("unknown hosts and tasks are refused by name", async () => {
  const machine = new Machine(undefined);
  const [row] = await machine.orders.migrate({ tids: [99], to: "h2" });
  assert.equal(row!.refused?.code, "noTask");
  const [leaving] = await machine.orders.migrate({ tids: [7], to: "h3" });
  assert.deepEqual(leaving!.refused, { code: "leaving", why: "that host is leaving" });
  assert.equal(machine.places.get(7), 0);
  const unknown = machine.orders.migrate({ tids: [7], to: "nowhere" });
  await assert.rejects(unknown, (error) => error instanceof UpvmError && error.code === "HOST_UNKNOWN");
});

for (const committed of [true, false]) {
  test(`a ULP whose source is gone is ${committed ? "where it had been committed" : "dead, and stays so"}`, async () => {
    let source!: Rpc;
    const machine = new Machine(async () => {
      const place: Place = { member: 2, move: "1", outcome: "committed" };
      if (committed) await claimUlp(machine.store, 1, 7, 0, place);
      source.link.close();
      return { body: { outcomes: [MOVED] } };
    });
    source = machine.rpcs.get(0)!;
    const [row] = await machine.orders.migrate({ tids: [7], to: "h2" });
    assert.equal(row!.refused?.code, committed ? undefined : "lost");
    assert.equal(machine.places.get(7), committed ? 2 : 0);
    const { place } = await placeOf(machine.store, 1, 7);
    assert.equal(place!.member, committed ? 2 : NOBODY);
    // Its destination would be refused now.
    const late: Place = { member: 2, move: "1", outcome: "committed" };
    assert.equal(await claimUlp(machine.store, 1, 7, 0, late), undefined);
  });
}

test("a ULP that ends with its job while its order is on the way has ended, and was not lost", async () => {
  let source!: Rpc;
  const machine = new Machine(async () => {
    machine.places.clear();
    source.link.close();
    return { body: { outcomes: [MOVED] } };
  });
  source = machine.rpcs.get(0)!;
  const [row] = await machine.orders.migrate({ tids: [7], to: "h2" });
  assert.deepEqual(row!.refused, { code: "ended", why: "it has ended" });
});

test("a second order that is refused does not make a ULP forgotten that is on its way when its source is lost", async () => {
  let source!: Rpc;
  let asked = 0;
  let die = (): void => {};
  const dies = new Promise<void>((go) => {
    die = go;
  });
  const machine = new Machine(async () => {
    asked += 1;
    await claimUlp(machine.store, 1, 7, 0, { member: 2, move: "1", outcome: "committed" });
    await dies;
    source.link.close();
    return { body: { outcomes: [MOVED] } };
  });
  source = machine.rpcs.get(0)!;
  const first = machine.orders.migrate({ tids: [7], to: "h2" });
  const [second] = await machine.orders.migrate({ tids: [7], to: "h1" });
  assert.deepEqual([second!.refused?.code, asked], ["moving", 1]);
  // The master hears of the lost process, before any answer.
  await new Promise<void>((then) => machine.orders.settled({ job: 1, member: 0 }, then));
  assert.equal(machine.places.get(7), 2);
  die();
  const [row] = await first;
  assert.equal(row!.refused, undefined);
  assert.deepEqual(machine.waits, ["park 7", "letGo 7 at 2"]);
});

test("orders to a host or away from it are called off: what has not gone out does not, the others are answered", async () => {
  const told: unknown[] = [];
  const stays: (() => void)[] = [];
  const off = { moved: false, refused: { code: "calledOff", detail: "it was called off" } } as const;
  const machine = new Machine(
    async () => {
      await new Promise<void>((done) => stays.push(done));
      return { body: { outcomes: [off] } };
    },
    (ask) => {
      told.push(ask);
      if (!ask.queued) for (const done of stays.splice(0)) done();
      return { body: undefined };
    },
  );
  const many = Array.from({ length: LIMITS.movesAtOnce + 3 }, (_, i) => 7 + i);
  for (const tid of many) machine.places.set(tid, 0);
  const moving = machine.orders.migrate({ tids: many, to: "h2" });
  await new Promise((then) => setTimeout(then, 0));
  assert.deepEqual(
    ["h0", "h1", "h2"].map((host) => machine.orders.isMoving(host)),
    [true, false, true],
  );
  machine.orders.callOff("h1", false);
  machine.orders.callOff("h0", true);
  let over = false;
  void moving.then(() => {
    over = true;
  });
  while (!over) {
    machine.orders.callOff("h2", false);
    await new Promise((then) => setTimeout(then, 1));
  }
  const rows = await moving;
  assert.ok(rows.every(({ refused }) => refused?.code === "calledOff"));
  assert.deepEqual(told[0], { tids: many.slice(0, LIMITS.movesAtOnce), queued: true });
  assert.equal(machine.orders.isMoving("h0"), false);
});

test.run();
