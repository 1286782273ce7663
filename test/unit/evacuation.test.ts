/** A host that is to leave: where its tasks go, what is done about those that nobody takes, and when its processes end. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { evacuate } from "../../pvmd/evacuation.ts";
import { Jobs } from "../../pvmd/jobs.ts";
import type { JobWish } from "../../wire/job.ts";
import { LIMITS } from "../../wire/limits.ts";
import type { MigratedRow } from "../../wire/rpc-move.ts";

const WISH = {
  name: "p",
  hash: "0".repeat(64),
  link: "tcp",
  place: "block",
  input: false,
  tag: false,
  handoff: true,
  framesBytes: 1 << 20,
} as const;

class World {
  readonly jobs = new Jobs();
  readonly cores: Record<string, number>;
  /** Hosts that refuse every task, with a reason. */
  readonly full = new Map<string, { code: string; why: string }>();
  readonly retired: string[] = [];
  nowMs = 0;
  /** Called at each pause; and how long an order takes, Infinity: it has no answer. */
  paused = (): void => {};
  orderMs = 0;
  private moving = 0;
  /** Answers an order that would take for ever. */
  private callOff = (): void => {};
  /** Orders are not answered when they are called off. */
  isDeaf = false;
  readonly offs: boolean[] = [];

  constructor(cores: Record<string, number>) {
    this.cores = cores;
  }

  job(ulps: number, on: readonly string[], wish: Partial<JobWish> = {}): number {
    const members = on.map((host) => ({ host, engines: 1 }));
    const [first] = this.jobs.step(
      { kind: "run", client: 1, wish: { ...WISH, args: [], env: [], grants: [], ulps, ...wish }, members },
      0,
    );
    return first?.kind === "start" ? first.job : 0;
  }

  begin(job: number): void {
    this.jobs.get(job)!.members.forEach((_, member) => {
      this.jobs.step({ kind: "hello", job, member, address: "" }, 0);
      this.jobs.step({ kind: "ready", job, member }, 0);
    });
  }

  /** Hosts of the living tasks of a job, and how many there are on each. */
  places(job: number): Record<string, number> {
    const { live, spec } = this.jobs.get(job)!;
    const counts: Record<string, number> = {};
    for (const member of live.values()) {
      const { host } = spec.members[member]!;
      counts[host] = (counts[host] ?? 0) + 1;
    }
    return counts;
  }

  private move(tid: number, to: string): MigratedRow {
    const row = { tid, from: "", to, bytes: 1, obtrusiveMs: 1, migrationMs: 1 };
    const refused = this.full.get(to);
    if (refused !== undefined) return { ...row, refused };
    const { job } = this.jobs.find(tid)!;
    const number = job.spec.job;
    let member = job.spec.members.findIndex(({ host }) => host === to);
    if (member < 0) {
      member = job.spec.members.length;
      this.jobs.step({ kind: "enlist", job: number, member: { host: to, engines: 1 } }, 0);
      this.jobs.step({ kind: "hello", job: number, member, address: "" }, 0);
      this.jobs.step({ kind: "ready", job: number, member }, 0);
    }
    this.jobs.step({ kind: "moved", job: number, tid, member }, 0);
    return row;
  }

  leave(host: string) {
    return evacuate(host, {
      jobs: () => this.jobs.all(),
      hosts: () =>
        Object.entries(this.cores).flatMap(([name, cores], i) =>
          name === host ? [] : [{ name, cores, tid: i + 1 }],
        ),
      migrate: async (tids, to) => {
        this.moving += 1;
        if (this.orderMs === Infinity)
          await new Promise<void>((done) => {
            this.callOff = done;
          });
        if (this.orderMs > 0 && this.orderMs < Infinity)
          await new Promise<void>((done) => this.after(this.orderMs, done));
        this.moving -= 1;
        if (this.orderMs === Infinity) this.full.set(to, { code: "calledOff", why: "it was called off" });
        return tids.map((tid) => this.move(tid, to));
      },
      isMoving: () => this.moving > 0,
      callOff: (queued) => {
        this.offs.push(queued);
        if (!queued && !this.isDeaf) this.callOff();
      },
      retire: (job, member) => {
        this.jobs.step({ kind: "retire", job, member }, 0);
        this.retired.push(`${job}/${member}`);
        // The process sends its result.
        this.jobs.step({ kind: "result", job, member }, 0);
      },
      nowMs: () => this.nowMs,
      after: (ms, run) => {
        this.paused();
        this.after(ms, run);
      },
    });
  }

  private readonly timers: { readonly atMs: number; readonly run: () => void }[] = [];
  /** Time goes on to the first of those that wait, when nothing else can happen. */
  private after(ms: number, run: () => void): void {
    this.timers.push({ atMs: this.nowMs + ms, run });
    setImmediate(() => {
      const next = this.timers.toSorted((a, b) => a.atMs - b.atMs)[0]!;
      this.timers.splice(this.timers.indexOf(next), 1);
      this.nowMs = next.atMs;
      next.run();
    });
  }
}

test("tasks of a host that leaves go where their job has a process, by cores, and its processes end", async () => {
  const world = new World({ a: 1, b: 1, c: 2, d: 8 });
  const one = world.job(6, ["a", "b", "c"]);
  const two = world.job(2, ["b"]);
  world.begin(one);
  world.begin(two);
  const { moved, stay } = await world.leave("b");
  assert.deepEqual(stay, []);
  assert.equal(moved.length, 4);
  // The second job has no process elsewhere: it gets one, where most cores are free.
  assert.deepEqual(world.places(one), { a: 2, c: 4 });
  assert.deepEqual(world.places(two), { d: 2 });
  assert.deepEqual(world.retired.sort(), [`${one}/1`, `${two}/0`]);
  assert.equal(world.jobs.get(one)!.state, "running");
});

test("a task that one host refuses is offered to the next; if all refuse it stays, and why is told", async () => {
  const world = new World({ a: 1, b: 1, c: 1 });
  const job = world.job(2, ["a", "b"]);
  world.begin(job);
  world.full.set("a", { code: "noMemory", why: "too little memory there" });
  const first = await world.leave("b");
  assert.deepEqual([first.moved.map(({ to }) => to), first.stay], [["c"], []]);
  world.full.set("b", { code: "version", why: "that host has another version of upvm" });
  const { moved, stay } = await world.leave("c");
  assert.deepEqual(moved, []);
  assert.match(stay[0]!.why, /another version|too little memory/);
  assert.deepEqual(world.retired, [`${job}/1`], "what has tasks goes on");
});

test("a job that may use no other host keeps its host; one that has not begun is waited for", async () => {
  const world = new World({ a: 1, b: 1 });
  const bound = world.job(1, ["b"], { hosts: ["b"] });
  world.begin(bound);
  const { stay } = await world.leave("b");
  assert.deepEqual(
    stay.map(({ why }) => why),
    ["its job may use no other host"],
  );
  world.jobs.step({ kind: "ended", job: bound, tids: [...world.jobs.get(bound)!.live.keys()] }, 0);
  world.jobs.step({ kind: "result", job: bound, member: 0 }, 0);
  const late = world.job(2, ["a", "b"]);
  let pauses = 0;
  world.paused = () => {
    pauses += 1;
    if (pauses === 3) world.begin(late);
  };
  assert.deepEqual((await world.leave("b")).stay, []);
  assert.deepEqual(world.places(late), { a: 2 });
});

const { hostEmptyMs, hostDecideMs, hostEmptyAgainMs } = LIMITS;

test("all is over in time, also if orders have no answer or a long one, or a job does not begin; and why is told", async () => {
  for (const [orderMs, why, endMs, isDeaf] of [
    [Infinity, "it had not moved after 60 s", hostEmptyMs + 2 * hostDecideMs, true],
    // Called off: it is known that it stays.
    [Infinity, "it had not moved after 60 s", hostEmptyMs + hostDecideMs + hostEmptyAgainMs, false],
    [hostEmptyMs * 2, "it had not moved after 60 s", hostEmptyMs + 2 * hostDecideMs, false],
    // Moving when time is up: it is waited for.
    [hostEmptyMs + hostDecideMs / 2, undefined, hostEmptyMs + hostDecideMs, false],
    [hostEmptyMs / 2, undefined, hostEmptyMs, false],
  ] as const) {
    const world = new World({ a: 1, b: 1 });
    const job = world.job(1, ["b"]);
    world.begin(job);
    world.orderMs = orderMs;
    world.isDeaf = isDeaf;
    const { moved, stay } = await world.leave("b");
    assert.deepEqual(
      stay.map((task) => task.why),
      why === undefined ? [] : [why],
    );
    assert.equal(moved.length, why === undefined ? 1 : 0);
    assert.ok(world.nowMs <= endMs, `${world.nowMs}`);
    // First only what has not begun.
    assert.deepEqual([...new Set(world.offs)], why === undefined ? world.offs.slice(0, 1) : [true, false]);
  }
  const world = new World({ a: 1, b: 1 });
  world.job(1, ["b"]);
  const { stay } = await world.leave("b");
  assert.deepEqual(
    stay.map(({ why }) => why),
    ["its job had not begun after 60 s"],
  );
  assert.equal(world.nowMs, LIMITS.hostEmptyMs);
});

test("a task that is always about to move is asked again until time is up; then it is not said that it may go nowhere", async () => {
  const world = new World({ a: 1, b: 1 });
  const job = world.job(1, ["b"]);
  world.begin(job);
  world.full.set("a", { code: "moving", why: "it is moving" });
  const { stay } = await world.leave("b");
  assert.deepEqual(
    stay.map(({ why }) => why),
    ["it had not moved after 60 s"],
  );
});

test.run();
