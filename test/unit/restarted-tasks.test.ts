/** What the virtual machine has for tasks that go on from their checkpoint: notifications, the message box, who they are. */
import assert from "node:assert/strict";
import { test } from "uvu";
import type { Kept } from "../../wire/checkpoint.ts";
import { PVM_CONSTANT, PVM_ERROR } from "../../wire/pvm.ts";
import { FakeMachine, type FakeMember } from "../fake-jobs.ts";

const {
  PvmTaskExit,
  PvmHostDelete,
  PvmHostAdd,
  PvmMboxPersistent,
  PvmMboxMultiInstance,
  PvmMboxWaitForInfo,
} = PVM_CONSTANT;
const tid = (job: number, index: number): number => (job << 18) + 1 + index;
const [A, B, C, OTHER] = [tid(3, 0), tid(3, 1), tid(3, 2), tid(4, 0)] as const;
const HERE = new Set([A, B]);
const [H1, H2] = [0x40000, 0x80000] as const;

async function keptOf(vm: FakeMachine): Promise<{ kept: Kept; data: Uint8Array }> {
  const now = await vm.machine.keep(3, HERE);
  assert.ok(typeof now === "object", String(now));
  return { kept: now.kept, data: Uint8Array.from(now.data.flatMap((each) => [...each])) };
}

/** Job 3 goes on with the tasks that it had; the others have ended. */
async function restart(vm: FakeMachine, kept: Kept, data: Uint8Array): Promise<[FakeMember, FakeMember]> {
  assert.equal(await vm.machine.inTheWay(3, kept), undefined);
  assert.equal(vm.machine.restarting(3, kept), undefined);
  const members = vm.job(3, 2) as [FakeMember, FakeMember];
  assert.equal(await vm.machine.giveBack(3, kept, data), undefined);
  assert.deepEqual(
    members.flatMap(({ notices, answers }) => [...notices, ...answers]),
    [],
    "they are not there yet",
  );
  await vm.machine.restarted(3, kept);
  return members;
}

/** What a member was to tell its task: tag, context, and the ints of the message. */
function told({ notices }: FakeMember): number[][] {
  return notices.splice(0).map(({ tag, context = 0, data }) => {
    const view = new DataView(data.buffer, data.byteOffset);
    return [tag, context, ...Array.from({ length: data.length / 4 }, (_, i) => view.getInt32(4 * i, true))];
  });
}

const notify = (
  vm: FakeMachine,
  who: number,
  what: number,
  tag: number,
  tids: number[],
  count = tids.length,
) => vm.ask(who, "notify", { what, tag, count, tids, context: 6 });
const put = (vm: FakeMachine, who: number, name: string, flags: number, ...data: number[]) =>
  vm.ask(who, "putinfo", { name, flags, encoding: 1, data: Uint8Array.from(data) });

test("what a task asked to be told of it is told after its restart, too; what has happened since at once", async () => {
  const vm = new FakeMachine(1, 1);
  vm.job(3, 2);
  vm.job(4, 1);
  await notify(vm, A, PvmTaskExit, 1, [B, OTHER]);
  await notify(vm, B, PvmHostDelete, 2, [H1, H2]);
  // A host by a task that is there.
  await notify(vm, A, PvmHostDelete, 3, [B]);
  await notify(vm, A, PvmHostAdd, 4, [], 2);
  await notify(vm, B, PvmHostAdd, 5, [], -1);
  await notify(vm, OTHER, PvmTaskExit, 9, [A]);
  const { kept, data } = await keptOf(vm);
  assert.deepEqual(kept.hosts, [
    [H1, "h1"],
    [H2, "h2"],
  ]);
  assert.equal(kept.wishes.length, 7);

  const next = new FakeMachine(1, 1, 1);
  next.hosts[1] = { ...next.hosts[1]!, name: "another" };
  const [a, b] = await restart(next, kept, data);
  assert.deepEqual(
    told(a),
    [
      [1, 6, OTHER],
      [4, 6, 2, H2, 0xc0000],
      [3, 6, B],
    ].toSorted(by),
  );
  assert.deepEqual(
    told(b),
    [
      [2, 6, H2],
      [5, 6, 2, H2, 0xc0000],
    ].toSorted(by),
  );
  // What has not happened.
  next.hosts.push({ ...next.hosts[0]!, tid: 0x100000, name: "h4" });
  for (let times = 0; times < 2; times++) await next.machine.hostsAdded([0x100000]);
  assert.deepEqual(told(a), [[4, 6, 1, 0x100000]], "it had asked for two");
  assert.equal(told(b).length, 2, "for ever");
  await next.machine.taskEnded(B);
  assert.deepEqual(told(a), [[1, 6, B]]);
  next.hosts.shift();
  await next.machine.hostDeleted(H1);
  assert.deepEqual(told(b), [], "it has ended");
});

test("on the same hosts nothing is told anew", async () => {
  const vm = new FakeMachine(1, 1);
  vm.job(3, 2);
  await notify(vm, A, PvmTaskExit, 1, [B]);
  await notify(vm, A, PvmHostDelete, 2, [H2]);
  await notify(vm, A, PvmHostAdd, 3, [], 1);
  const { kept, data } = await keptOf(vm);
  await vm.machine.jobEnded(3);
  assert.deepEqual(await vm.store.list("notify/"), []);
  const [a, b] = await restart(vm, kept, data);
  assert.deepEqual([told(a), told(b)], [[], []]);
  assert.deepEqual((await keptOf(vm)).kept, kept);
  vm.hosts.pop();
  await vm.machine.hostDeleted(H2);
  assert.deepEqual(told(a), [[2, 6, H2]]);
});

test("the message box has the job's entries again, of whom they were, in their order; who waits for one waits on", async () => {
  const vm = new FakeMachine(1, 1);
  vm.job(3, 3);
  vm.job(4, 1);
  await put(vm, C, "left", PvmMboxPersistent, 9);
  await put(vm, B, "x", 0, 1, 2);
  await put(vm, A, "x", PvmMboxMultiInstance | PvmMboxPersistent, 3);
  await put(vm, OTHER, "x", PvmMboxMultiInstance, 4);
  void vm.ask(A, "recvinfo", { name: "later", index: 0, flags: PvmMboxWaitForInfo });
  await vm.machine.taskEnded(C);
  const { kept, data } = await keptOf(vm);
  assert.deepEqual(
    kept.entries.map(({ name, index, owner, src, bytes }) => [name, index, owner, src, bytes]),
    [
      ["left", 0, 0, C, 1],
      ["x", 0, B, B, 2],
      ["x", 1, A, A, 1],
    ],
  );
  assert.deepEqual([...data], [9, 1, 2, 3]);
  assert.deepEqual(
    kept.readers.map(({ tid: who, name }) => [who, name]),
    [[A, "later"]],
  );

  const next = new FakeMachine(1, 1);
  next.job(4, 1);
  const [a, b] = await restart(next, kept, data);
  const again = await keptOf(next);
  assert.deepEqual([again.kept.entries, again.kept.readers], [kept.entries, kept.readers]);
  assert.deepEqual(again.data, data);
  // Only its owner may change an entry, and what stays stays.
  await next.ask(A, "delinfo", { name: "x", index: 0 });
  assert.deepEqual(a.answers.splice(0), [[A, PVM_ERROR.PvmDenied.code]]);
  await put(next, OTHER, "later", 0, 7);
  assert.deepEqual(a.answers, [[A, 1]]);
  assert.deepEqual(b.answers, []);
  await next.machine.jobEnded(3);
  assert.deepEqual(
    (await next.store.list("mbox/")).map(([key]) => key),
    ["mbox/later/0000000000", "mbox/left/0000000000", "mbox/x/0000000001"],
  );
  // What the job itself has left behind is in nobody's way.
  await restart(next, kept, data);
});

test("the contexts that a job was allotted are its again, and nobody gets them anew", async () => {
  const vm = new FakeMachine(1, 1);
  const [a] = vm.job(3, 2) as [FakeMember];
  const [other] = vm.job(4, 1) as [FakeMember];
  const answer = async (of: FakeMember, who: number, kind: "newContext" | "freeContext", context = 0) => {
    await vm.ask(who, kind, { context });
    return of.answers.splice(0)[0]![1];
  };
  const contexts: number[] = [];
  for (let i = 0; i < 3; i++) contexts.push(await answer(a, A, "newContext"));
  const theirs = await answer(other, OTHER, "newContext");
  assert.equal(await answer(a, A, "freeContext", contexts[1]), 0);
  const { kept, data } = await keptOf(vm);
  assert.deepEqual(kept.contexts, [contexts[0], contexts[2]]);

  const next = new FakeMachine(1, 1);
  const [taken] = next.job(4, 1) as [FakeMember];
  await next.ask(OTHER, "newContext", {});
  assert.deepEqual(taken.answers.splice(0), [[OTHER, contexts[0]]], "another job has one of them now");
  const [again] = await restart(next, kept, data);
  const asked = async (of: FakeMember, who: number, kind: "newContext" | "freeContext", context = 0) => {
    await next.ask(who, kind, { context });
    return of.answers.splice(0)[0]![1];
  };
  assert.equal(await asked(taken, OTHER, "newContext"), contexts[1], "which nobody has");
  assert.equal(await asked(taken, OTHER, "newContext"), theirs);
  assert.deepEqual((await keptOf(next)).kept.contexts, kept.contexts);
  // Two have it: it is free when both have freed it.
  assert.equal(await asked(taken, OTHER, "freeContext", contexts[0]), 0);
  assert.deepEqual((await keptOf(next)).kept.contexts, kept.contexts);
  assert.equal(await asked(again, A, "freeContext", contexts[0]), 0);
  assert.equal(await asked(again, A, "freeContext", contexts[0]), PVM_ERROR.PvmNotFound.code);
  // Any task may free any.
  assert.equal(await asked(taken, OTHER, "freeContext", contexts[2]), 0);
  assert.deepEqual((await keptOf(next)).kept.contexts, []);
});

test("an entry that another task has now is named, and nothing is changed", async () => {
  const vm = new FakeMachine(1, 1);
  vm.job(3, 2);
  await put(vm, A, "x", 0, 1);
  const { kept, data } = await keptOf(vm);
  const next = new FakeMachine(1, 1);
  next.job(4, 1);
  await put(next, OTHER, "x", 0, 5);
  const why = /t100001 has entry 0 of x in the message box now/;
  assert.match((await next.machine.inTheWay(3, kept))!, why);
  assert.equal(next.machine.restarting(3, kept), undefined);
  next.job(3, 2);
  assert.match((await next.machine.giveBack(3, kept, data))!, why);
  await next.machine.taskEnded(OTHER);
  assert.equal(await next.machine.inTheWay(3, kept), undefined);
});

test("who was spawned has its parent again; who had left PVM has, until it asks for something", async () => {
  const vm = new FakeMachine(1, 1);
  vm.job(3, 2);
  vm.machine.router.restored([{ tid: B, parent: A, name: "worker", left: true }]);
  const { kept, data } = await keptOf(vm);
  const next = new FakeMachine(1, 1);
  const [a] = await restart(next, kept, data);
  assert.deepEqual(
    next.machine.router.all().map((task) => task.tid),
    [A],
  );
  await notify(next, A, PvmTaskExit, 1, [B]);
  assert.deepEqual(told(a), [[1, 6, B]], "it is not there for PVM");
  await next.ask(B, "joined", {});
  const [, row] = next.machine.router.all();
  assert.deepEqual([row!.tid, row!.parent, row!.name], [B, A, "worker"]);
});

test("a task that serves the virtual machine as a plug-in cannot be kept: it is named", async () => {
  const vm = new FakeMachine(1);
  vm.job(3, 2);
  await vm.ask(A, "regHoster", {});
  assert.match(String(await vm.machine.keep(3, HERE)), /^tc0001 serves the virtual machine as its hoster$/);
});

test("a job whose tasks have asked for what other jobs do is no deadlock after its restart", async () => {
  const vm = new FakeMachine(1, 1);
  vm.job(3, 2);
  await notify(vm, A, PvmTaskExit, 1, [B]);
  const own = await keptOf(vm);
  await notify(vm, A, PvmHostAdd, 2, [], 1);
  const more = await keptOf(vm);
  for (const [{ kept, data }, mayHear] of [
    [own, false],
    [more, true],
  ] as const) {
    const next = new FakeMachine(1, 1);
    await restart(next, kept, data);
    assert.equal(next.machine.mayHear(3), mayHear);
  }
});

const by = (a: number[], b: number[]): number => a[0]! - b[0]!;

test.run();
