/** Messages to tasks of other jobs: they go by the virtual machine, in order, and no more than can be passed on. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { HostProcess } from "../../upvm/host-process.ts";
import { HEAD } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import { FakeMachine, type FakeMember } from "../fake-jobs.ts";
import { actor, IDLE, leftovers, processOf } from "../one-thread.ts";

const FIRST_OF_2 = 0x80001;

function sender() {
  const p = processOf(IDLE, { ulps: 1, outside: true });
  p.library.w[HEAD.machine] = 1;
  const a = actor(p, 0);
  const send = (tid: number, value: number): number => {
    a.call("pvm_initsend", 0);
    a.view.setInt32(0x40, value, true);
    a.call("pvm_pkint", 0x40, 1, 1);
    return a.call("pvm_send", tid, 5);
  };
  const { w } = p.library;
  return { p, a, w, send };
}

test("a message to another job's task is handed to the virtual machine, which posts it", async () => {
  const { p, a, w, send } = sender();
  a.call("pvm_setcontext", 9);
  assert.equal(send(FIRST_OF_2, 1), 0);
  a.view.setInt32(0x100, FIRST_OF_2, true);
  a.view.setInt32(0x104, a.tid, true);
  assert.equal(a.call("pvm_mcast", 0x100, 2, 6), 0);
  assert.equal(a.call("pvm_psend", FIRST_OF_2, 7, 0x40, 1, 3), 0);
  assert.deepEqual(
    p.asked.map(({ kind }) => kind),
    ["relay", "relay", "relay"],
  );
  assert.ok(w[HEAD.relayed]! > 0);
  const vm = new FakeMachine(1);
  vm.job(1, 1);
  const [other] = vm.job(2, 1) as [FakeMember];
  const host = new HostProcess(p.library, (request) => vm.machine.take(request, 1));
  for (const request of p.asked) await host.take(request);
  host.throwBug();
  assert.deepEqual(
    other.notices.map(({ to, src, tag, context, data }) => [to, src, tag, context, data[0]]),
    [5, 6, 7].map((tag) => [FIRST_OF_2, a.tid, tag, 9, 1]),
  );
  assert.equal(w[HEAD.relayed], 0);
  assert.deepEqual(p.printed, []);
  assert.equal(leftovers(p), "");
});

test("who finds too much on its way waits for that, and at last is refused", () => {
  const { p, a, w, send } = sender();
  a.call("pvm_setopt", 1, 0);
  w[HEAD.relayed] = LIMITS.relayBytes / 64;
  const before = p.nowMs;
  assert.equal(send(FIRST_OF_2, 1), PVM_ERROR.PvmNoMem.code);
  assert.ok(p.nowMs - before >= LIMITS.outboxWaitMs);
  w[HEAD.relayed] = LIMITS.relayBytes / 64 - 1;
  assert.equal(send(FIRST_OF_2, 1), 0);
  assert.equal(p.asked.length, 1);
  assert.equal(leftovers(p), "");
});

test("a run without a virtual machine knows of no other job", () => {
  const { p, w, send } = sender();
  w[HEAD.machine] = 0;
  assert.equal(send(FIRST_OF_2, 1), 0);
  assert.deepEqual(p.asked, []);
  assert.match(p.printed[0]!.text, /there never was a task t80001/);
  assert.equal(leftovers(p), "");
});

test.run();
