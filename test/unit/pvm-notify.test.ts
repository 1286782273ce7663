/** pvm_notify, pvm_kill, pvm_sendsig, pvm_pstat: what PVM 3.4.6 answers and sends. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { uterminate } from "../../runtime/scheduler/end.ts";
import { ULP, ULP_STATE } from "../../wire/layout.ts";
import { PVM_CONSTANT, PVM_ERROR } from "../../wire/pvm.ts";
import { party } from "../machine-actors.ts";
import type { Actor } from "../one-thread.ts";

const { PvmTaskExit, PvmHostDelete, PvmHostAdd, PvmRouteAdd, PvmRouteDelete, PvmNotifyCancel } = PVM_CONSTANT;
const BAD_PARAM = PVM_ERROR.PvmBadParam.code;
const NOBODY = 0x40999;
const LIST = 0x100;

function watchers(n = 3) {
  const base = party(n);
  return {
    ...base,
    notify: (who: Actor, what: number, tag: number, tids: readonly number[], count = tids.length) => {
      tids.forEach((tid, i) => {
        who.view.setInt32(LIST + 4 * i, tid, true);
      });
      return base.ask(who, "pvm_notify", what, tag, count, LIST);
    },
    /** The tid in the next message with a tag; 0: there is none. */
    told: (who: Actor, tag: number): number => (who.call("pvm_nrecv", -1, tag) > 0 ? base.unpack(who) : 0),
    endOf: async (who: Actor) => {
      uterminate(base.p.engines[0]!, who.ulp, 0);
      await base.machine.serve();
    },
  };
}

test("a message from the daemon for each task that ends, to each that asked, once", async () => {
  const { actors, notify, told, endOf, end } = watchers();
  const [a, b, c] = actors as [Actor, Actor, Actor];
  assert.equal(await notify(a, PvmTaskExit, 7, [b.tid, c.tid]), 0);
  assert.equal(await notify(c, PvmTaskExit, 8, [b.tid]), 0);
  assert.equal(told(a, 7), 0);
  await endOf(b);
  assert.equal(told(a, 7), b.tid);
  const bufid = a.call("pvm_getrbuf");
  assert.equal(a.call("pvm_bufinfo", bufid, 0x50, 0x54, 0x58), 0);
  assert.equal(a.view.getInt32(0x50, true), 4);
  assert.equal(a.view.getInt32(0x58, true), -2147483648);
  assert.equal(told(a, 7), 0);
  assert.equal(told(c, 8), b.tid);
  await endOf(c);
  assert.equal(told(a, 7), c.tid);
  end();
});

test("of a task that has ended, left PVM or never was, the message comes at once", async () => {
  const { actors, notify, told, endOf, machine, end } = watchers();
  const [a, b, c] = actors as [Actor, Actor, Actor];
  await endOf(b);
  assert.equal(await notify(a, PvmTaskExit, 7, [b.tid, NOBODY]), 0);
  assert.equal(told(a, 7), b.tid);
  assert.equal(told(a, 7), NOBODY);
  assert.equal(await notify(a, PvmTaskExit, 9, [c.tid]), 0);
  c.call("pvm_exit");
  await machine.serve();
  assert.equal(told(a, 9), c.tid);
  assert.equal(await notify(a, PvmTaskExit, 9, [c.tid]), 0);
  assert.equal(told(a, 9), c.tid);
  end();
});

test("who calls a routine after pvm_exit is in PVM again: seen, told of, and without what was sent meanwhile", async () => {
  const sent = (who: Actor, to: number, tag: number) => {
    who.call("pvm_initsend", 0);
    assert.equal(who.call("pvm_send", to, tag), 0);
  };
  // Each joins by itself, also those that the kernel shortens, and mytid, which is code of the program.
  const ways: [string, ...number[]][] = [
    ["pvm_mytid"],
    ["pvm_parent"],
    ["pvm_siblings_get", 0, 0],
    ["pvm_tasks_get", 0, 0, 0],
    ["pvm_send", 0x40001, 3],
    ["pvm_psend", 0x40001, 3, 0, 1, 1],
    ["pvm_mcast", LIST, 1, 3],
    ["pvm_nrecv", -1, 3],
    ["pvm_probe", -1, 3],
    ["pvm_recv", -1, 3],
    ["pvm_precv", -1, 3, 0, 1, 1, 0, 0, 0],
    ["pvm_getinst", 0x8000, 0x40001],
    ["pvm_config_get", 0, 0, 0, 0],
  ];
  for (const [routine, ...args] of ways) {
    const { actors, notify, told, endOf, machine, ask, end } = watchers();
    const [a, b, c] = actors as [Actor, Actor, Actor];
    const listed = async (who: Actor) => (await ask(a, "pvm_tasks_get", who.tid, 0, 0)) === 1;
    sent(a, b.tid, 5);
    assert.equal(b.call("pvm_exit"), 0);
    await machine.serve();
    sent(a, b.tid, 5);
    sent(c, b.tid, 5);
    assert.equal(await ask(a, "pvm_pstat", b.tid), PVM_ERROR.PvmNoTask.code, routine);
    assert.ok(!(await listed(b)) && (await listed(c)), routine);
    b.text("no group");
    b.view.setInt32(LIST, a.tid, true);
    b.call("pvm_initsend", 0);
    await ask(b, routine, ...args);
    assert.equal(await ask(a, "pvm_pstat", b.tid), 0, routine);
    assert.ok(await listed(b), routine);
    assert.equal(await notify(a, PvmTaskExit, 9, [b.tid]), 0);
    assert.equal(told(a, 9), 0, routine);
    if (routine.endsWith("recv") && routine !== "pvm_nrecv") {
      a.call("pvm_initsend", 0);
      a.call("pvm_send", b.tid, 3);
    } else assert.equal(b.call("pvm_nrecv", -1, 5), 0, routine);
    await endOf(b);
    assert.equal(told(a, 9), b.tid, routine);
    end();
  }
});

test("cancelling tells at once, as if it had happened, one message for one wish", async () => {
  const { actors, notify, told, endOf, end } = watchers();
  const [a, b] = actors as [Actor, Actor];
  await notify(a, PvmTaskExit, 7, [b.tid]);
  assert.equal(await notify(a, PvmTaskExit | PvmNotifyCancel, 8, [b.tid]), 0, "another tag: no such wish");
  assert.equal(told(a, 8), 0);
  assert.equal(await notify(a, PvmTaskExit | PvmNotifyCancel, 7, [b.tid]), 0);
  assert.equal(told(a, 7), b.tid);
  await endOf(b);
  assert.equal(told(a, 7), 0);
  end();
});

test("hosts: the one there is stays, any other is gone, none is added; routes are gone", async () => {
  const { actors, notify, told, end } = watchers();
  const [a, b] = actors as [Actor, Actor];
  assert.equal(await notify(a, PvmHostDelete, 7, [0x40000, b.tid]), 0);
  assert.equal(told(a, 7), 0);
  assert.equal(await notify(a, PvmHostDelete, 7, [0xc0000]), 0);
  assert.equal(told(a, 7), 0xc0000);
  assert.equal(await notify(a, PvmHostDelete | PvmNotifyCancel, 7, [0x40000]), 0);
  assert.equal(told(a, 7), 0x40000);
  for (const count of [3, -1, 0]) assert.equal(await notify(a, PvmHostAdd, 9, [], count), 0);
  assert.equal(await notify(a, PvmHostAdd | PvmNotifyCancel, 9, [], 3), 0);
  assert.equal(await notify(a, PvmRouteAdd, 9, [], -1), 0);
  assert.equal(told(a, 9), 0);
  assert.equal(await notify(a, PvmRouteDelete, 10, [b.tid]), 0);
  assert.equal(told(a, 10), b.tid);
  end();
});

test("bad parameters are refused and printed", async () => {
  const { actors, notify, ask, errors, end } = watchers();
  const [a] = actors as [Actor];
  for (const tid of [0x40000, 0, -1]) assert.equal(await notify(a, PvmTaskExit, 7, [tid]), BAD_PARAM);
  for (const what of [0, 6, PvmNotifyCancel]) assert.equal(await notify(a, what, 7, [a.tid]), BAD_PARAM);
  assert.equal(await notify(a, PvmTaskExit, -1, [a.tid]), BAD_PARAM);
  assert.equal(await notify(a, PvmTaskExit, 7, [], 0), BAD_PARAM);
  assert.equal(await ask(a, "pvm_notify", PvmTaskExit, 7, 1, 0), BAD_PARAM);
  assert.deepEqual(new Set(errors()), new Set(["pvm_notify(): Bad parameter"]));
  end();
});

test("pvm_kill ends a task in any state: not begun, runnable, blocked, itself; its messages and memory go", async () => {
  const { p, actors, ask, notify, told, end } = watchers(5);
  const [a, b, c, d] = actors as [Actor, Actor, Actor, Actor];
  const state = (who: Actor): number => p.library.w[who.ulp + ULP.state]!;
  b.call("pvm_recv", -1, 1);
  assert.equal(state(b), ULP_STATE.blocked);
  await notify(a, PvmTaskExit, 7, [b.tid, c.tid]);
  assert.equal(await ask(a, "pvm_kill", b.tid), 0);
  assert.equal(state(b), ULP_STATE.exited);
  assert.equal(told(a, 7), b.tid);
  assert.equal(state(c), ULP_STATE.unInit);
  assert.equal(await ask(a, "pvm_kill", c.tid), 0);
  assert.equal(state(c), ULP_STATE.exited);
  assert.equal(told(a, 7), c.tid);
  d.call("pvm_getsbuf");
  assert.equal(await ask(d, "pvm_kill", d.tid), undefined);
  assert.equal(state(d), ULP_STATE.exited);
  assert.deepEqual(
    [b, d].map((who) => p.library.w[who.ulp + ULP.killed]),
    [15, 15],
  );
  assert.equal(p.library.w[b.ulp + ULP.exitCode], 0, "that is no failure");
  end();
});

test("pvm_kill and pvm_sendsig leave a task alone that has left PVM, until it is back: as PVM's daemon does", async () => {
  const { p, actors, ask, end } = watchers(2);
  const [a, b] = actors as [Actor, Actor];
  const state = (): number => p.library.w[b.ulp + ULP.state]!;
  b.call("pvm_exit");
  assert.equal(await ask(a, "pvm_kill", b.tid), 0);
  assert.equal(await ask(a, "pvm_sendsig", b.tid, 9), 0);
  assert.notEqual(state(), ULP_STATE.exited);
  assert.equal(b.call("pvm_mytid"), b.tid);
  assert.equal(await ask(a, "pvm_kill", b.tid), 0);
  assert.equal(state(), ULP_STATE.exited);
  end();
});

test("pvm_kill and pvm_sendsig of a task that is not there are no errors; of what is no task they are", async () => {
  const { actors, ask, errors, end } = watchers();
  const [a] = actors as [Actor];
  assert.equal(await ask(a, "pvm_kill", NOBODY), 0);
  assert.equal(await ask(a, "pvm_sendsig", NOBODY, 15), 0);
  assert.deepEqual(errors(), []);
  for (const tid of [0, -1, 0x40000]) {
    assert.equal(await ask(a, "pvm_kill", tid), BAD_PARAM);
    assert.deepEqual(errors(), ["pvm_sendsig(): Bad parameter", "pvm_kill(): Bad parameter"]);
    assert.equal(await ask(a, "pvm_sendsig", tid, 15), BAD_PARAM);
    assert.deepEqual(errors(), ["pvm_sendsig(): Bad parameter"]);
  }
  end();
});

test("a signal whose default ends a process ends the task, any other does nothing", async () => {
  const { p, actors, ask, end } = watchers();
  const [a, b, c] = actors as [Actor, Actor, Actor];
  for (const signum of [0, -5, 999, 17, 18, 19, 23, 28])
    assert.equal(await ask(a, "pvm_sendsig", b.tid, signum), 0);
  assert.equal(await ask(a, "pvm_pstat", b.tid), 0);
  assert.equal(await ask(a, "pvm_sendsig", b.tid, 10), 0);
  assert.equal(await ask(a, "pvm_sendsig", c.tid, 2), 0);
  assert.deepEqual(
    [b, c].map((who) => p.library.w[who.ulp + ULP.killed]),
    [10, 2],
  );
  end();
});

test("pvm_pstat: there, or PvmNoTask without a word; PvmBadParam for what is no task", async () => {
  const { actors, ask, endOf, errors, end } = watchers();
  const [a, b] = actors as [Actor, Actor];
  assert.equal(await ask(a, "pvm_pstat", b.tid), 0);
  await endOf(b);
  assert.equal(await ask(a, "pvm_pstat", b.tid), PVM_ERROR.PvmNoTask.code);
  assert.equal(await ask(a, "pvm_pstat", NOBODY), PVM_ERROR.PvmNoTask.code);
  assert.deepEqual(errors(), []);
  assert.equal(await ask(a, "pvm_pstat", 0x40000), BAD_PARAM);
  assert.deepEqual(errors(), ["pvm_pstat(): Bad parameter"]);
  end();
});

test("pvm_tidtohost takes the host's bits", () => {
  const { actors, end } = watchers();
  const [a] = actors as [Actor];
  assert.equal(a.call("pvm_tidtohost", a.tid), 0x40000);
  assert.equal(a.call("pvm_tidtohost", 0xc0001), 0xc0000);
  assert.equal(a.call("pvm_tidtohost", 5), 0);
  end();
});

test.run();
