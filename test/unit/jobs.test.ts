/** Jobs: numbers, seats, what the others are told, how a job ends; and deadlock of several processes. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { type JobEffect, type JobEvent, Jobs } from "../../pvmd/jobs.ts";
import { Waves } from "../../pvmd/waves.ts";
import { type JobSpec, type JobWish, seatsOf } from "../../wire/job.ts";
import { LIMITS } from "../../wire/limits.ts";
import { tidOf } from "../../wire/pvm.ts";

function wish(ulps: number, place: "block" | "cyclic" = "block"): JobWish {
  const plain = { name: "p", hash: "0".repeat(64), link: "tcp", input: false, tag: false } as const;
  return { ...plain, ulps, place, args: [], env: [], grants: [], handoff: true, framesBytes: 1 << 20 };
}
const seats = (ulps: number, place: "block" | "cyclic", engines: readonly number[]): string => {
  const members = engines.map((n, i) => ({ host: `h${i}`, engines: n }));
  const spec: JobSpec = { job: 1, life: 1, wish: wish(ulps, place), founders: members.length, members };
  return seatsOf(spec)
    .map(({ member, engine }) => `${member}.${engine}`)
    .join(" ");
};

test("block keeps neighbours together, on an engine and then on a host", () => {
  assert.equal(seats(6, "block", [1, 2]), "0.0 0.0 1.0 1.0 1.1 1.1");
  assert.equal(seats(4, "block", [2, 2]), "0.0 0.1 1.0 1.1");
});
test("fewer ULPs than engines are spread over the hosts", () => {
  assert.equal(seats(2, "block", [2, 2]), "0.0 1.0");
  assert.equal(seats(1, "block", [2, 2]), "0.0");
  assert.equal(seats(3, "block", [4, 4, 4]), "0.0 1.0 2.0");
});
test("cyclic deals out to the hosts in turn, and on each to its engines", () => {
  assert.equal(seats(6, "cyclic", [2, 1]), "0.0 1.0 0.1 0.0 1.0 0.1");
});
test("processes that come later change no seat", () => {
  const members = [1, 1, 1].map((engines, i) => ({ host: `h${i}`, engines }));
  const spec: JobSpec = { job: 1, life: 1, wish: wish(4), founders: 2, members };
  assert.deepEqual(
    seatsOf(spec).map(({ member }) => member),
    [0, 0, 1, 1],
  );
});

/** Jobs with two processes each; `tell` plays an event and gives what is to be done, in short. */
function twoHosts(): { jobs: Jobs; tell: (event: JobEvent, nowMs?: number) => string[]; begin: () => void } {
  const jobs = new Jobs();
  const short = (effect: JobEffect): string => {
    if (effect.kind === "begin") return `begin ${effect.to.join()}`;
    if (effect.kind === "over") return "over";
    if (effect.kind === "refuse") return "refuse";
    const whom = "to" in effect ? effect.to : effect.member;
    return `${effect.kind} ${whom}${effect.kind === "stop" ? ` ${effect.reason}` : ""}`;
  };
  const tell = (event: JobEvent, nowMs = 0): string[] => jobs.step(event, nowMs).map(short);
  const members = ["a", "b"].map((host) => ({ host, engines: 1 }));
  const begin = (): void => {
    tell({ kind: "run", client: 7, wish: wish(2), members });
    for (const member of [0, 1]) {
      tell({ kind: "hello", job: 1, member, address: `tcp:h:${member}` });
      tell({ kind: "ready", job: 1, member });
    }
  };
  return { jobs, tell, begin };
}

test("a job begins when all of its processes are ready, and ends when all of its tasks have and all results are in", () => {
  const { tell } = twoHosts();
  const members = ["a", "b"].map((host) => ({ host, engines: 1 }));
  assert.deepEqual(tell({ kind: "run", client: 7, wish: wish(2), members }), ["start 0", "start 1"]);
  tell({ kind: "hello", job: 1, member: 1, address: "x" });
  assert.deepEqual(tell({ kind: "ready", job: 1, member: 1 }), []);
  tell({ kind: "hello", job: 1, member: 0, address: "y" });
  assert.deepEqual(tell({ kind: "ready", job: 1, member: 0 }), ["begin 0,1"]);
  assert.deepEqual(tell({ kind: "ended", job: 1, tids: [tidOf(0)] }), []);
  assert.deepEqual(tell({ kind: "ended", job: 1, tids: [tidOf(1)] }), ["finish 0", "finish 1"]);
  assert.deepEqual(tell({ kind: "result", job: 1, member: 0 }), []);
  assert.deepEqual(tell({ kind: "result", job: 1, member: 1 }), ["over"]);
});

test("a job whose tasks have all ended goes on while one is being made", () => {
  const { tell, begin } = twoHosts();
  begin();
  tell({ kind: "making", job: 1, count: 1 });
  assert.deepEqual(tell({ kind: "ended", job: 1, tids: [tidOf(0), tidOf(1)] }), []);
  assert.deepEqual(tell({ kind: "made", job: 1, count: 1, tids: [[tidOf(2), 1]] }), []);
  assert.deepEqual(tell({ kind: "ended", job: 1, tids: [tidOf(2)] }), ["finish 0", "finish 1"]);
});

test("a process without tasks retires when it is told to: it is asked for its result, and the others go on", () => {
  const { jobs, tell, begin } = twoHosts();
  begin();
  assert.deepEqual(tell({ kind: "retire", job: 1, member: 1 }), [], "it has a task");
  tell({ kind: "ended", job: 1, tids: [tidOf(1)] });
  assert.deepEqual(tell({ kind: "retire", job: 1, member: 1 }), ["retiring 1", "finish 1"]);
  assert.deepEqual(tell({ kind: "retire", job: 1, member: 1 }), []);
  assert.deepEqual(tell({ kind: "result", job: 1, member: 1 }), ["retired 1"]);
  assert.equal(jobs.get(1)!.state, "running");
});

test("a process that dies takes its tasks along, the other is told, and the job goes on", () => {
  const { jobs, tell, begin } = twoHosts();
  begin();
  const effects = tell({ kind: "gone", job: 1, member: 1, why: "SIGKILL" });
  assert.deepEqual(effects, ["kill 1", "tasksLost 1", "lost 0"]);
  const job = jobs.get(1)!;
  assert.deepEqual([...job.lost], [[tidOf(1), "SIGKILL"]]);
  tell({ kind: "ended", job: 1, tids: [tidOf(0)] });
  assert.deepEqual(tell({ kind: "result", job: 1, member: 0 }), ["over"]);
});

test("a process that comes to a running job and cannot be, or never is ready, harms nobody; one that runs and fails ends it", () => {
  const { jobs, tell, begin } = twoHosts();
  begin();
  const job = jobs.get(1)!;
  const come = () => tell({ kind: "enlist", job: 1, member: { host: "c", engines: 1 } }, 0);
  const failure = { code: "ABI_DIFFERS", facts: {}, text: "another version" };
  assert.deepEqual(come(), ["start 2"]);
  tell({ kind: "hello", job: 1, member: 2, address: "z" });
  const effects = tell({ kind: "failed", job: 1, member: 2, failure });
  assert.deepEqual(effects, ["kill 2", "tasksLost 2", "lost 0", "lost 1"]);
  assert.deepEqual([job.state, job.members[2]], ["running", { at: "gone", why: "another version" }]);
  come();
  tell({ kind: "hello", job: 1, member: 3, address: "z" });
  assert.deepEqual(tell({ kind: "tick" }, LIMITS.jobStartMs - 1), []);
  assert.deepEqual(tell({ kind: "tick" }, LIMITS.jobStartMs), ["kill 3", "tasksLost 3", "lost 0", "lost 1"]);
  assert.match((job.members[3] as { why: string }).why, /not ready within 120000 ms/);
  come();
  tell({ kind: "hello", job: 1, member: 4, address: "z" });
  assert.deepEqual(tell({ kind: "ready", job: 1, member: 4 }), ["begin 4"]);
  assert.deepEqual(tell({ kind: "tick" }, 2 * LIMITS.jobStartMs), []);
  tell({ kind: "failed", job: 1, member: 4, failure });
  assert.equal(job.state, "ending");
});

test("a job that ends does not wait for a process that is being made for it", () => {
  for (const end of ["stop", "ended"] as const) {
    const { jobs, tell, begin } = twoHosts();
    begin();
    const job = jobs.get(1)!;
    tell({ kind: "enlist", job: 1, member: { host: "c", engines: 1 } });
    tell({ kind: "enlist", job: 1, member: { host: "d", engines: 1 } });
    tell({ kind: "hello", job: 1, member: 3, address: "z" });
    const without = ["kill 2", "tasksLost 2", "kill 3", "tasksLost 3"];
    if (end === "stop") {
      const stops = ["stop 0 interrupted", "stop 1 interrupted"];
      assert.deepEqual(tell({ kind: "stop", job: 1, reason: "interrupted" }), [...stops, ...without]);
    } else {
      const effects = tell({ kind: "ended", job: 1, tids: [tidOf(0), tidOf(1)] });
      assert.deepEqual(effects, ["finish 0", "finish 1", ...without]);
    }
    assert.deepEqual(tell({ kind: "ready", job: 1, member: 3 }), []);
    tell({ kind: "result", job: 1, member: 0 });
    assert.deepEqual(tell({ kind: "result", job: 1, member: 1 }), ["over"]);
    assert.equal(job.lost.size, 0);
  }
});

test("a process that dies before all are ready fails the job, and the others are ended", () => {
  const { jobs, tell } = twoHosts();
  const members = ["a", "b"].map((host) => ({ host, engines: 1 }));
  tell({ kind: "run", client: 7, wish: wish(2), members });
  const job = jobs.get(1)!;
  const effects = tell({ kind: "gone", job: 1, member: 0, why: "exit code 70" });
  assert.deepEqual(effects, ["kill 0", "tasksLost 0", "kill 1", "over"]);
  assert.match(job.failure!.text, /process on a has ended: exit code 70/);
});

test("processes that do not stop in time are ended by force; those that did have their results", () => {
  const { jobs, tell, begin } = twoHosts();
  begin();
  const job = jobs.get(1)!;
  assert.deepEqual(tell({ kind: "clientGone", client: 7 }), ["stop 0 interrupted", "stop 1 interrupted"]);
  assert.deepEqual(tell({ kind: "stop", job: 1, reason: "halted" }), [], "the first reason counts");
  tell({ kind: "result", job: 1, member: 0 });
  assert.deepEqual(tell({ kind: "tick" }, LIMITS.jobStopMs - 1), []);
  assert.deepEqual(tell({ kind: "tick" }, LIMITS.jobStopMs), ["kill 1", "tasksLost 1", "over"]);
  assert.equal(job.stopped, "interrupted");
});

test("job numbers go round, and none that is in use comes again", () => {
  const { tell, jobs } = twoHosts();
  const members = [{ host: "a", engines: 1 }];
  for (let i = 0; i < LIMITS.jobs; i++) tell({ kind: "run", client: 1, wish: wish(1), members });
  assert.deepEqual(tell({ kind: "run", client: 1, wish: wish(1), members }), ["refuse"]);
  tell({ kind: "stop", job: 5, reason: "halted" });
  tell({ kind: "stop", job: 3, reason: "halted" });
  tell({ kind: "run", client: 1, wish: wish(1), members });
  assert.equal(jobs.get(3) === undefined, false);
  assert.equal(jobs.get(5), undefined);
});

const wave = (...states: (readonly [boolean, readonly number[], readonly number[]])[]) =>
  new Map(states.map(([idle, sent, received], member) => [member, { idle, sent, received }]));

test("deadlock needs two waves in a row in which all are idle and what was sent has come", () => {
  const waves = new Waves();
  const onItsWay = wave([true, [0, 2], [0, 0]], [true, [0, 0], [1, 0]]);
  assert.equal(waves.judge(onItsWay) || waves.judge(onItsWay), false);
  const quiet = wave([true, [0, 2], [0, 0]], [true, [0, 0], [2, 0]]);
  assert.equal(waves.judge(quiet), false, "once");
  assert.equal(waves.judge(wave([true, [0, 3], [0, 1]], [true, [1, 0], [3, 0]])), false, "something moved");
  assert.equal(waves.judge(wave([false, [0, 3], [0, 1]], [true, [1, 0], [3, 0]])), false, "one is busy");
  assert.equal(waves.judge(wave([true, [0, 3], [0, 1]], [true, [1, 0], [3, 0]])), false);
  assert.equal(waves.judge(wave([true, [0, 3], [0, 1]], [true, [1, 0], [3, 0]])), true);
});

test("what a process that is gone sent and got does not count", () => {
  const waves = new Waves();
  const left = new Map([[1, { idle: true, sent: [9, 0], received: [4, 0] }]]);
  assert.equal(waves.judge(left), false);
  assert.equal(waves.judge(left), true);
});

test.run();
