/** Groups of a job that goes on from its checkpoint: the same instances, who waited waits on, and nobody acts before all are there. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { Groups } from "../../pvmd/group-book.ts";
import type { Kept, KeptGroup } from "../../wire/checkpoint.ts";
import { LIMITS } from "../../wire/limits.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import type { RequestOf } from "../../wire/requests.ts";
import { FakeMachine, type FakeMember } from "../fake-jobs.ts";

const tid = (job: number, index: number): number => (job << 18) + 1 + index;
const [A, B, C, OTHER] = [tid(3, 0), tid(3, 1), tid(3, 2), tid(4, 0)] as const;
const JOB = new Set([A, B, C]);
const kept = (tids: number[], more: Partial<KeptGroup> = {}): KeptGroup => {
  return { name: "g", tids, frozen: 0, defunct: false, waits: [], ...more };
};
const barrier = (who: number, serial: number, count: number): RequestOf<"barrier"> => {
  return { kind: "barrier", tid: who, serial, body: { name: "g", count } };
};
const freeze = (who: number, serial: number, size: number): RequestOf<"freezeGroup"> => {
  return { kind: "freezeGroup", tid: who, serial, body: { name: "s", size } };
};
const having = (...groups: KeptGroup[]): Kept => {
  return { groups, hosts: [], tasks: [], wishes: [], entries: [], readers: [], contexts: [] };
};
const groupsOf = async ({ machine }: FakeMachine): Promise<KeptGroup[]> => {
  const now = await machine.keep(3, JOB);
  return typeof now === "string" ? [] : now.kept.groups;
};
const book = (): Groups => new Groups(() => {});

test("what is kept of groups is their instances, who waits for how many, and nothing of other jobs", () => {
  const groups = book();
  for (const one of [OTHER, B, A]) groups.join(one, "g");
  groups.join(OTHER, "others");
  for (const one of [A, B, C]) groups.join(one, "s");
  groups.barrier(barrier(OTHER, 1, 3), "g", 3);
  groups.barrier(barrier(B, 7, -1), "g", -1);
  groups.freeze(freeze(A, 9, 3), "s", 3);
  assert.deepEqual(groups.kept(JOB), [
    kept([0, B, A], { waits: [{ kind: "barrier", tid: B, serial: 7, count: 3 }] }),
    kept([A, B, C], { name: "s", waits: [{ kind: "freezeGroup", tid: A, serial: 9, count: 3 }] }),
  ]);
  groups.freeze(freeze(B, 1, 3), "s", 3);
  groups.freeze(freeze(C, 1, 3), "s", 3);
  const [, whole] = groups.kept(JOB);
  assert.deepEqual(whole, kept([A, B, C], { name: "s", frozen: 3 }));
  // Who is not in the checkpoint has left a static group.
  const [, without] = groups.kept(new Set([A, C]));
  assert.deepEqual(without, kept([A, -B, C], { name: "s", frozen: 3, defunct: true }));
});

test("what was kept is there again as it was, and goes with its members", () => {
  const groups = book();
  const picture = [kept([0, B, 0, A]), kept([C, -B, A], { name: "s", frozen: 3, defunct: true })];
  assert.equal(groups.restore(picture), undefined);
  assert.deepEqual(groups.kept(JOB), picture);
  assert.deepEqual(groups.membersOf(3).sort(), [A, B, C]);
  assert.deepEqual([groups.instance(A, "g", A), groups.size(A, "g"), groups.size(A, "s")], [3, 2, 3]);
  assert.equal(groups.join(OTHER, "g"), 0, "the first that is free");
  assert.equal(groups.join(OTHER, "s"), PVM_ERROR.PvmNotInGroup.code);
  assert.equal(groups.barrier(barrier(A, 1, 3), "s", 3).value, PVM_ERROR.PvmNoGroup.code, "one has left");
  for (const one of JOB) groups.left(one);
  assert.equal(groups.size(OTHER, "s"), PVM_ERROR.PvmNoGroup.code);
  assert.equal(groups.size(OTHER, "g"), 1);
});

test("a group of today that is in the way is named, and nothing is changed", () => {
  const groups = book();
  groups.join(OTHER, "g");
  groups.join(OTHER, "s");
  groups.freeze(freeze(OTHER, 1, 1), "s", 1);
  const first = kept([A], { name: "first" });
  assert.match(groups.restore([first, kept([B])])!, /^t100001 has instance 0 of group g now$/);
  assert.match(groups.restore([first, kept([0, B], { frozen: 1 })])!, /group g, which was static/);
  assert.match(groups.restore([first, kept([0, B], { name: "s" })])!, /group s is static now/);
  const many = Array.from({ length: LIMITS.groups - 1 }, (_, i) => kept([A], { name: `n${i}` }));
  assert.match(groups.restore(many)!, /there are 2 groups already/);
  assert.deepEqual(groups.membersOf(3), []);
  assert.equal(groups.size(A, "first"), PVM_ERROR.PvmNoGroup.code);
});

test("what restarted tasks ask waits until all are there; who waited in a barrier was there first", async () => {
  const vm = new FakeMachine(1, 1);
  const waits = [{ kind: "barrier" as const, tid: B, serial: 70, count: 2 }];
  const all = having(kept([B, A], { waits }));
  assert.equal(vm.machine.restarting(3, all), undefined);
  const [a, b] = vm.job(3, 2) as [FakeMember, FakeMember];
  const early = vm.ask(A, "barrier", { name: "g", count: 2 });
  for (let i = 0; i < 5; i++) await new Promise((go) => setImmediate(go));
  assert.deepEqual([a.answers, b.answers], [[], []]);
  assert.deepEqual(await groupsOf(vm), [kept([B, A])]);
  await vm.machine.restarted(3, all);
  await early;
  assert.deepEqual([a.answers, b.answers], [[[A, 0]], [[B, 0]]]);
  assert.deepEqual(
    (await vm.store.list("group/")).map(([key]) => key),
    ["group/g"],
  );
  // Their ends are watched, as of any that has joined.
  await vm.machine.taskEnded(B);
  await vm.ask(A, "groupSize", { name: "g" });
  assert.deepEqual(a.answers.at(-1), [A, 1]);
  await vm.machine.jobEnded(3);
  assert.deepEqual(await vm.store.list("group/"), []);
});

test("a restart that comes to nothing leaves no member, and its job's number is free when all of it is gone", async () => {
  const vm = new FakeMachine(1);
  assert.equal(vm.machine.restarting(3, having(kept([A, B]))), undefined);
  assert.match(vm.machine.restarting(5, having(kept([tid(5, 0)])))!, /t.* has instance 0 of group g now/);
  const ended = vm.machine.jobEnded(3);
  await vm.machine.gone(3);
  assert.deepEqual(await groupsOf(vm), []);
  assert.deepEqual(await vm.store.list("group/"), []);
  await ended;
  vm.job(3, 1);
  await vm.ask(A, "joinGroup", { name: "g" });
  assert.deepEqual(await groupsOf(vm), [kept([A])], "nothing waits any more");
});

test.run();
