/**
 * Jobs of a virtual machine, played with random events: whatever happens, each job is over once, its commands get an answer,
 * and no process is left that nobody will end. UPVM_SEED=n node test/property/jobs.test.ts plays one seed.
 */
import assert from "node:assert/strict";
import { test } from "uvu";
import { type JobEffect, type JobEvent, Jobs, jobOf } from "../../pvmd/jobs.ts";
import type { JobWish } from "../../wire/job.ts";
import { seatsOf } from "../../wire/job.ts";
import { LIMITS } from "../../wire/limits.ts";
import { tidBaseOf } from "../../wire/pvm.ts";

const ONE = process.env["UPVM_SEED"];
const SEEDS = ONE === undefined ? Array.from({ length: 400 }, (_, i) => i + 1) : [Number(ONE)];

function random(seed: number): (n: number) => number {
  let x = Math.imul(seed, 0x9e3779b1) | 1;
  return (n) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % n;
  };
}

function wish(ulps: number, place: "block" | "cyclic"): JobWish {
  const plain = { name: "p", hash: "0".repeat(64), link: "tcp", input: false, tag: false } as const;
  return { ...plain, ulps, place, args: [], env: [], grants: [], handoff: true, framesBytes: 1 << 20 };
}

/** A process as the world has it. */
type Process = {
  at: "starting" | "helloed" | "ready" | "running" | "ordered" | "done" | "dead";
  tasks: Set<number>;
};

class World {
  readonly jobs = new Jobs();
  readonly next: (n: number) => number;
  nowMs = 0;
  readonly processes = new Map<string, Process>();
  /** Jobs that were begun, by command, and those that were over. */
  readonly begun = new Map<number, number>();
  readonly over: number[] = [];
  readonly lost = new Map<number, ReadonlyMap<number, string>>();
  refused = 0;
  spawned = 100;

  constructor(seed: number) {
    this.next = random(seed);
  }

  step(event: JobEvent): void {
    for (const effect of this.jobs.step(event, this.nowMs)) this.act(effect);
  }

  private process(job: number, member: number): Process | undefined {
    return this.processes.get(`${job} ${member}`);
  }

  private act(effect: JobEffect): void {
    switch (effect.kind) {
      case "start":
        assert.equal(this.process(effect.job, effect.member), undefined, "a member is started once");
        this.processes.set(`${effect.job} ${effect.member}`, { at: "starting", tasks: new Set() });
        break;
      case "begin": {
        const { spec } = this.jobs.get(effect.job)!;
        for (const member of effect.to) {
          const process: Process = this.process(effect.job, member)!;
          assert.ok(process.at === "ready" || process.at === "dead", process.at);
          if (process.at === "dead") continue;
          process.at = "running";
          if (member >= spec.founders) continue;
          seatsOf(spec).forEach((seat, index) => {
            if (seat.member === member) process.tasks.add(tidBaseOf(effect.job) + 1 + index);
          });
        }
        break;
      }
      case "stop":
      case "finish": {
        const process = this.process(effect.job, effect.to)!;
        if (effect.kind === "finish" && process.at === "running")
          assert.equal(process.tasks.size, 0, "finished while a task lives");
        if (process.at === "running") process.at = "ordered";
        break;
      }
      case "kill": {
        const process = this.process(effect.job, effect.member);
        if (process !== undefined) process.at = "dead";
        break;
      }
      case "over": {
        const { job } = effect.job.spec;
        this.over.push(job);
        assert.equal(this.jobs.get(job), undefined);
        for (const [name, { at }] of this.processes)
          if (name.startsWith(`${job} `)) {
            assert.ok(at === "done" || at === "dead", `process ${name} is ${at} when its job is over`);
            this.processes.delete(name);
          }
        break;
      }
      case "refuse":
        this.refused++;
        break;
      case "lost":
      case "tasksLost":
      case "retiring":
      case "retired":
        break;
    }
  }

  /** One thing happens, if it can. */
  play(): void {
    this.nowMs += this.next(50);
    const roll = this.next(100);
    if (roll < 4) this.run();
    else if (roll < 5) this.step({ kind: "clientGone", client: 1 + this.next(3) });
    else if (roll < 7) this.step({ kind: "tick" });
    else this.one(roll);
  }

  private run(): void {
    const hosts = 1 + this.next(4);
    const members = Array.from({ length: hosts }, (_, i) => ({ host: `h${i}`, engines: 1 + this.next(2) }));
    const client = 1 + this.next(3);
    const place = this.next(2) === 0 ? "block" : "cyclic";
    this.step({ kind: "run", client, wish: wish(1 + this.next(9), place), members });
    this.begun.set(client, (this.begun.get(client) ?? 0) + 1);
  }

  private one(roll: number): void {
    const all = [...this.processes];
    if (all.length === 0) return;
    const [name, process] = all[this.next(all.length)]!;
    const [job, member] = name.split(" ").map(Number) as [number, number];
    if (roll < 10 && process.at !== "dead") {
      process.at = "dead";
      process.tasks.clear();
      this.step({ kind: "gone", job, member, why: "killed" });
    } else if (roll < 12 && process.at === "helloed") {
      process.at = "dead";
      this.step({ kind: "failed", job, member, failure: { code: "HEAP_FULL", facts: {}, text: "full" } });
    } else if (roll < 15) this.step({ kind: "enlist", job, member: { host: "h9", engines: 1 } });
    else if (roll < 16) this.step({ kind: "stop", job, reason: "halted" });
    else this.forward(job, member, process);
  }

  /** A process goes on. */
  private forward(job: number, member: number, process: Process): void {
    switch (process.at) {
      case "starting":
        process.at = "helloed";
        this.step({ kind: "hello", job, member, address: "tcp:127.0.0.1:1" });
        break;
      case "helloed":
        process.at = "ready";
        this.step({ kind: "ready", job, member });
        break;
      case "running":
        this.live(job, member, process);
        break;
      case "ordered":
        process.at = "done";
        process.tasks.clear();
        this.step({ kind: "result", job, member });
        break;
    }
  }

  /** A task ends, or spawns one. */
  private live(job: number, member: number, process: Process): void {
    const [tid] = process.tasks;
    if (tid === undefined) return;
    assert.equal(jobOf(tid), job);
    if (this.next(4) === 0) {
      this.step({ kind: "making", job, count: 2 });
      const made = tidBaseOf(job) + this.spawned++;
      if (process.at === "running") process.tasks.add(made);
      this.step({ kind: "made", job, count: 2, tids: [[made, member]] });
    } else {
      process.tasks.delete(tid);
      this.step({ kind: "ended", job, tids: [tid] });
    }
  }
}

/** Plays a seed to its end: all commands go, and time goes by. */
function play(seed: number): void {
  const world = new World(seed);
  for (let i = 0; i < 300; i++) world.play();
  for (const client of [1, 2, 3]) world.step({ kind: "clientGone", client });
  for (let i = 0; i < 3; i++) {
    world.nowMs += LIMITS.jobStartMs + LIMITS.jobStopMs;
    world.step({ kind: "tick" });
  }
  assert.deepEqual(world.jobs.all(), []);
  assert.equal(world.processes.size, 0);
  const begun = [...world.begun.values()].reduce((sum, n) => sum + n, 0);
  assert.equal(world.over.length + world.refused, begun);
}

test("every job is over once, whatever happens to its processes, its tasks and who runs it", () => {
  for (const seed of SEEDS) {
    try {
      play(seed);
    } catch (error) {
      const replay = `replay with UPVM_SEED=${seed} node test/property/jobs.test.ts`;
      throw new Error(replay, { cause: error });
    }
  }
});

test.run();
