/** Several jobs on one virtual machine, with members of arrays: what is one's is not another's, and what can go wrong in a spawn. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { KeptGroups } from "../../pvmd/kept-groups.ts";
import { MemoryStore } from "../../pvmd/memory-store.ts";
import { LIMITS } from "../../wire/limits.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import type { RequestBody } from "../../wire/requests.ts";
import { FakeMachine, FakeMember } from "../fake-jobs.ts";

const { PvmHostFail, PvmNoFile, PvmNoHost, PvmNoTask, PvmOutOfRes } = PVM_ERROR;
const tid = (job: number, index: number): number => (job << 18) + 1 + index;
const spawnOf = (count: number, more: Partial<RequestBody<"spawn">> = {}): RequestBody<"spawn"> => ({
  ...{ name: "p", flags: 0, where: "", count, args: [], env: [], output: [], program: -1, refused: 0 },
  ...{ context: 0, options: [] },
  ...more,
});
const put = (name: string, flags = 0): RequestBody<"putinfo"> => ({
  name,
  flags,
  encoding: 0,
  data: new Uint8Array(4),
});
const notifyOf = (task: number): RequestBody<"notify"> => ({
  what: 1,
  tag: 5,
  count: 1,
  tids: [task],
  context: 0,
});

test("jobs meet in a group by its name, and a job's end is the end of its own tasks only", async () => {
  const vm = new FakeMachine(1, 1);
  const [a, d] = vm.job(1, 2) as [FakeMember, FakeMember];
  const [b, c] = vm.job(2, 2) as [FakeMember, FakeMember];
  for (const job of [1, 2]) for (const i of [0, 1]) await vm.ask(tid(job, i), "joinGroup", { name: "g" });
  assert.deepEqual(
    [a.answers, d.answers, b.answers, c.answers],
    [[[tid(1, 0), 0]], [[tid(1, 1), 1]], [[tid(2, 0), 2]], [[tid(2, 1), 3]]],
  );
  await vm.ask(tid(2, 1), "groupTid", { name: "g", instance: 0 });
  assert.deepEqual(c.answers.at(-1), [tid(2, 1), tid(1, 0)]);
  await vm.ask(tid(1, 0), "barrier", { name: "g", count: 2 });
  await vm.ask(tid(2, 0), "barrier", { name: "g", count: 2 });
  assert.deepEqual(
    [a.answers.at(-1), b.answers.at(-1)],
    [
      [tid(1, 0), 0],
      [tid(2, 0), 0],
    ],
  );
  await vm.ask(tid(1, 0), "barrier", { name: "g", count: 2 });
  await vm.ask(tid(1, 0), "putinfo", put("x"));
  await vm.ask(tid(2, 0), "putinfo", put("y"));
  await vm.ask(tid(2, 1), "notify", notifyOf(tid(1, 1)));
  await vm.ask(tid(1, 1), "notify", notifyOf(tid(2, 1)));
  for (const job of [1, 2])
    await vm.store.txn([], [{ key: `ulp/${job}/${tid(job, 0)}`, value: new Uint8Array(1) }]);
  await vm.machine.jobEnded(1, 1);
  const keys = (await vm.store.list("")).map(([key]) => key);
  assert.deepEqual(keys, ["group/g", "mbox/y/0000000000", `ulp/2/${tid(2, 0)}`]);
  assert.deepEqual(
    c.notices.map(({ to, tag }) => [to, tag]),
    [[tid(2, 1), 5]],
  );
  await vm.ask(tid(2, 0), "barrier", { name: "g", count: 2 });
  await vm.ask(tid(2, 1), "barrier", { name: "g", count: 2 });
  assert.deepEqual(b.answers.at(-1), [tid(2, 0), 0]);
  assert.deepEqual(c.answers.at(-1), [tid(2, 1), 0]);
  await vm.machine.jobEnded(2, 2);
  assert.deepEqual(await vm.store.list(""), []);
  assert.equal(vm.machine.router.memberOf(tid(2, 0)), undefined);
});

test("the store gets every change of a group: also those from when it was out of reach, and more than one transaction holds", async () => {
  const store = new MemoryStore();
  const txn = store.txn.bind(store);
  const kept = new KeptGroups(store);
  const count = LIMITS.txnKeys + 3;
  for (let i = 0; i < count; i++) kept.book.join(tid(1, 0), `g${i}`);
  store.txn = () => Promise.reject(new Error("out of reach"));
  await assert.rejects(kept.kept(), /out of reach/);
  store.txn = txn;
  kept.book.join(tid(1, 1), "g0");
  await kept.kept();
  const keys = await store.list("group/");
  assert.equal(keys.length, count);
  assert.deepEqual(JSON.parse(new TextDecoder().decode(keys[0]![1].value)).tids, [tid(1, 0), tid(1, 1)]);
  kept.book.left(tid(1, 0));
  kept.book.left(tid(1, 1));
  kept.book.join(tid(1, 2), "g0");
  store.txn = (compare, changes) => {
    assert.equal(new Set(changes.map(({ key }) => key)).size, changes.length);
    return txn(compare, changes);
  };
  await kept.kept();
  assert.deepEqual(
    (await store.list("")).map(([key]) => key),
    ["group/g0"],
  );
  kept.book.left(tid(1, 2));
  await kept.kept();
  assert.deepEqual(await store.list(""), []);
});

test("a job that others may come to is in no deadlock: it is in the message box, in a group, waits for it, for hosts or other jobs, or has heard of them", async () => {
  const host = (what: number) => ({ what, tag: 5, count: 1, tids: [0x40000], context: 0 });
  const wait = { name: "x", index: 0, flags: 32 };
  const cases: readonly (readonly [boolean, (vm: FakeMachine) => Promise<void>])[] = [
    [true, (vm) => vm.ask(tid(1, 0), "joinGroup", { name: "g" })],
    [
      false,
      async (vm) => {
        await vm.ask(tid(1, 0), "joinGroup", { name: "g" });
        await vm.ask(tid(1, 0), "leaveGroup", { name: "g" });
      },
    ],
    [false, (vm) => vm.ask(tid(1, 0), "notify", notifyOf(tid(1, 1)))],
    [false, (vm) => vm.ask(tid(1, 0), "recvinfo", { ...wait, flags: 0 })],
    [true, (vm) => vm.ask(tid(1, 0), "recvinfo", wait)],
    [true, (vm) => vm.ask(tid(1, 0), "putinfo", put("x"))],
    [true, (vm) => vm.ask(tid(1, 0), "notify", notifyOf(tid(2, 0)))],
    [true, (vm) => vm.ask(tid(1, 0), "notify", host(2))],
    [true, (vm) => vm.ask(tid(1, 0), "notify", host(3))],
    [true, (vm) => vm.ask(tid(1, 0), "regTasker", {})],
    [
      true,
      (vm) =>
        vm.ask(tid(2, 0), "relay", { to: tid(1, 0), tag: 1, wid: 0, context: 0, data: new Uint8Array(0) }),
    ],
  ];
  for (const [may, act] of cases) {
    const vm = new FakeMachine(1);
    vm.job(1, 1);
    vm.job(2, 1);
    await act(vm);
    assert.equal(vm.machine.mayHear(1), may);
    await vm.machine.jobEnded(1, 1);
    vm.job(1, 1);
    assert.ok(!vm.machine.mayHear(1), "another job of its number");
  }
});

test("a plug-in is the machine's: members of all jobs know of it, and those that come", async () => {
  const vm = new FakeMachine(1, 1);
  const [a] = vm.job(1, 1) as [FakeMember];
  const [b] = vm.job(2, 1) as [FakeMember];
  await vm.ask(tid(1, 0), "regTasker", {});
  assert.deepEqual([a.plugins, b.plugins], [2, 2]);
  const [c] = vm.job(3, 1) as [FakeMember];
  assert.equal(c.plugins, 2);
  await vm.machine.jobEnded(1, 1);
  assert.deepEqual([b.plugins, c.plugins], [0, 0]);
});

test("what is for a task goes to the member that has it, also when it has moved, and nowhere when it has ended", async () => {
  const vm = new FakeMachine(1, 1);
  const [a, b] = vm.job(1, 2) as [FakeMember, FakeMember];
  const other = vm.job(2, 1)[0]!;
  await vm.ask(tid(2, 0), "kill", { task: tid(1, 0) });
  assert.deepEqual(a.stopped, [tid(1, 0)]);
  vm.machine.taskMoved(tid(1, 0), 1);
  await vm.ask(tid(2, 0), "sendsig", { task: tid(1, 0), signum: 9 });
  assert.deepEqual([a.stopped, b.stopped], [[tid(1, 0)], [tid(1, 0)]]);
  assert.equal(vm.machine.router.hostOf(tid(1, 0)), 0x80000);
  await vm.ask(tid(1, 0), "newContext", {});
  assert.deepEqual([a.answers.length, b.answers.length], [0, 1]);
  // Its old member is lost: it is not there.
  await vm.machine.memberLost(1, 0);
  await vm.ask(tid(2, 0), "pstat", { task: tid(1, 0) });
  await vm.machine.memberLost(1, 1);
  await vm.ask(tid(2, 0), "pstat", { task: tid(1, 0) });
  assert.deepEqual(other.answers.slice(-2), [
    [tid(2, 0), 0],
    [tid(2, 0), PvmNoTask.code],
  ]);
  await vm.ask(tid(2, 0), "kill", { task: tid(1, 0) });
  assert.equal(b.stopped.length, 1);
});

test("what is for a task that is ordered elsewhere waits, in order, but for what ends it; what is too much goes to its source, and so does the rest", () => {
  const vm = new FakeMachine(1, 1);
  const [a, b] = vm.job(1, 2) as [FakeMember, FakeMember];
  const to = tid(1, 0);
  const { router } = vm.machine;
  const post = (tag: number, bytes = 4): void => router.post({ to, tag, data: new Uint8Array(bytes) });
  const tags = (member: FakeMember) => member.notices.map(({ tag }) => tag);
  vm.machine.park(to);
  post(1);
  router.post({ to: tid(1, 1), tag: 9, data: new Uint8Array(4) });
  router.stop(to, 15);
  post(2);
  // The order may be long in coming to its end, or its source gone by then.
  assert.deepEqual([tags(a), a.stopped, tags(b)], [[], [to], [9]]);
  vm.machine.taskMoved(to, 1);
  assert.deepEqual(tags(b), [9], "the order is not answered");
  vm.machine.letGo(to);
  post(3);
  assert.deepEqual([tags(a), tags(b), b.stopped], [[], [9, 1, 2, 3], [to]]);
  vm.machine.park(to);
  post(4);
  assert.equal(router.isOver(to), false);
  post(5, LIMITS.parkedBytes);
  assert.equal(router.isOver(to), true);
  post(6);
  assert.deepEqual(tags(b).slice(4), [4, 5, 6]);
  vm.machine.letGo(to);
  vm.machine.letGo(to);
  assert.deepEqual([tags(b).length, router.isOver(to)], [7, false]);
  vm.machine.park(to);
  for (let n = 0; n < LIMITS.keptParcels; n++) post(n, 0);
  assert.equal(tags(b).length, 7);
  post(7, 0);
  assert.equal(tags(b).length, 7 + LIMITS.keptParcels + 1);
});

test("tasks run when all of them are made, and carry what their parent gives", async () => {
  const vm = new FakeMachine(1, 1);
  const [a, b] = vm.job(1, 2) as [FakeMember, FakeMember];
  let go: (codes: readonly number[]) => void = () => {};
  b.creates = () => new Promise((done) => (go = done));
  const asked = vm.ask(
    tid(1, 0),
    "spawn",
    spawnOf(3, { args: ["x"], env: ["E=1"], context: 4, options: [7, 8] }),
  );
  while (b.orders.length === 0) await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual([a.begun, a.answers], [[], []]);
  assert.ok(vm.machine.router.has(tid(1, 3)), "it is known before it is made: it may be asked about at once");
  go([0]);
  await asked;
  assert.deepEqual([a.begun, b.begun], [[tid(1, 2), tid(1, 4)], [tid(1, 3)]]);
  assert.deepEqual(b.orders, [
    {
      ...{ tids: [tid(1, 3)], siblingFirst: tid(1, 2), siblingCount: 3, parent: tid(1, 0), program: 0 },
      ...{ args: ["p", "x"], env: ["E=1"], context: 4, options: [7, 8] },
    },
  ]);
});

test("what cannot be made is an error for its task, behind the tids: a member without room, one that is lost, one that cannot be", async () => {
  const answers: (readonly number[])[] = [];
  const vm = new FakeMachine(1, 1, 1);
  const [a, b] = vm.job(1, 2) as [FakeMember, FakeMember];
  a.answer = (_, { ints }) => answers.push(ints ?? []);
  a.creates = async () => [PvmOutOfRes.code];
  b.creates = async ({ tids }) => tids.map(() => 0);
  await vm.ask(tid(1, 0), "spawn", spawnOf(3));
  assert.deepEqual(answers.pop(), [0, tid(1, 3), PvmOutOfRes.code, PvmHostFail.code]);
  assert.equal(vm.machine.router.memberOf(tid(1, 2)), undefined);
  b.creates = () => Promise.reject(new Error("the link has ended"));
  await vm.ask(tid(1, 0), "spawn", spawnOf(1, { flags: 1, where: "h2" }));
  assert.deepEqual(answers.pop(), [0, PvmHostFail.code]);
  vm.enlist = async () => {
    vm.machine.memberJoined(1, 2, 0xc0000, new FakeMember());
    return 2;
  };
  await vm.ask(tid(1, 0), "spawn", spawnOf(1, { flags: 1, where: "h3" }));
  assert.equal(answers.pop()?.[1], tid(1, 6));
  await vm.ask(tid(1, 0), "spawn", spawnOf(2, { name: "none" }));
  assert.deepEqual(answers.pop(), [0, PvmNoFile.code, PvmNoFile.code]);
  await vm.ask(tid(1, 0), "spawn", spawnOf(1, { flags: 1, where: "h9" }));
  assert.deepEqual(answers.pop(), [0, PvmNoHost.code]);
  // Nothing is told one by one that nobody can have.
  await vm.ask(tid(1, 0), "spawn", spawnOf(2 ** 30, { name: "none" }));
  assert.equal(answers.pop()?.length, 12_001);
});

test("the clock of a host that does not answer is PvmHostFail", async () => {
  const vm = new FakeMachine(1);
  const [a] = vm.job(1, 1) as [FakeMember];
  await vm.ask(tid(1, 0), "hostsync", { host: 0x40000 });
  assert.deepEqual(a.answers, [[tid(1, 0), PvmHostFail.code]]);
});

test("who asks for tasks may end before they are made, and its job with it: nothing is left over", async () => {
  const vm = new FakeMachine(1, 1);
  const [a, b] = vm.job(1, 2) as [FakeMember, FakeMember];
  let go: (codes: readonly number[]) => void = () => {};
  b.creates = () => new Promise((done) => (go = done));
  const asked = vm.ask(tid(1, 0), "spawn", spawnOf(2));
  while (b.orders.length === 0) await Promise.resolve();
  await vm.machine.jobEnded(1, 1);
  go([0]);
  await asked;
  assert.deepEqual([a.answers, a.begun, b.begun], [[], [], []]);
  const late = vm.job(1, 1)[0]!;
  assert.equal(vm.machine.router.memberOf(tid(1, 1)), undefined);
  await vm.ask(tid(1, 0), "spawn", spawnOf(1));
  assert.deepEqual(
    late.orders.map(({ tids }) => tids),
    [[tid(1, 1)]],
  );
});

test.run();
