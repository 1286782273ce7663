/** Tasks of a virtual machine of several hosts: spawn, groups, notify, hosts, over the real master and engines of the test's thread. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { Turns } from "../../pvmd/placement.ts";
import { ulpOf } from "../../runtime/scheduler/ulp.ts";
import { HEAD, ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { PVM_OPTION } from "../../wire/options.ts";
import { SM } from "../../wire/plugins.ts";
import { DAEMON_TID, PVM_ERROR } from "../../wire/pvm.ts";
import { Cluster, type ClusterOptions } from "../cluster.ts";

const { PvmNoHost, PvmNoFile, PvmOutOfRes } = PVM_ERROR;
const TIDS = 0x400;
const [HERE, THERE, YONDER] = [0x40000, 0x80000, 0xc0000];
const FLAG = { host: 1, arch: 2, complement: 32, orphan: 64 } as const;

function cluster(options: Partial<ClusterOptions> = {}) {
  const c = new Cluster({ ulps: 3, members: 3, ...options });
  const [a, b, d] = [c.tid(0), c.tid(1), c.tid(2)] as [number, number, number];
  return {
    c,
    a,
    b,
    d,
    async spawn(by: number, n: number, flag = 0, where = "", name = "test") {
      const who = c.actor(by);
      const at = where === "" ? 0 : who.text(where, 0x9000);
      const made = await c.ask(by, "pvm_spawn", who.text(name), 0, flag, at, n, TIDS);
      return [made, ...Array.from({ length: n }, (_, i) => who.view.getInt32(TIDS + 4 * i, true))];
    },
    async hostsOf(by: number, tids: readonly number[]) {
      const hosts: (number | undefined)[] = [];
      for (const tid of tids) hosts.push(await c.ask(by, "pvm_tidtohost", tid));
      return hosts;
    },
    /** A notify of one tid, or of so many hosts. */
    notify(by: number, what: number, tag: number, tids: readonly number[], count = tids.length) {
      const { view } = c.actor(by);
      tids.forEach((tid, i) => {
        view.setInt32(0x700 + 4 * i, tid, true);
      });
      return c.ask(by, "pvm_notify", what, tag, count, tids.length === 0 ? 0 : 0x700);
    },
    /** Ints of a message of this tag, if one has come. */
    got(by: number, tag: number, n = 1): number[] | undefined {
      const who = c.actor(by);
      if (who.call("pvm_nrecv", -1, tag) <= 0) return undefined;
      assert.equal(who.call("pvm_upkint", 0x780, n, 1), 0);
      return Array.from({ length: n }, (_, i) => who.view.getInt32(0x780 + 4 * i, true));
    },
    async hosts(by: number, name: string, names: readonly string[]) {
      const who = c.actor(by);
      names.forEach((host, i) => {
        who.view.setInt32(0x300 + 4 * i, who.text(host, 0x900 + 32 * i), true);
      });
      const result = await c.ask(by, name, 0x300, names.length, 0x700);
      return [result, ...names.map((_, i) => who.view.getInt32(0x700 + 4 * i, true))];
    },
    /** Rows of pvm_tasks: tid, parent, host, flags. */
    async tasks(by: number, where: number) {
      const n = await c.ask(by, "pvm_tasks_get", where, TIDS, 16);
      const at = (row: number, word: number) => c.actor(by).view.getInt32(TIDS + 20 * row + 4 * word, true);
      return n! < 0 ? n : Array.from({ length: n! }, (_, row) => [0, 1, 2, 3].map((word) => at(row, word)));
    },
  };
}

test("spawned tasks go to the hosts in turn, and the turn goes on with the next spawn", async () => {
  const { c, a, b, spawn, hostsOf } = cluster();
  const [made, ...tids] = await spawn(a, 4);
  assert.equal(made, 4);
  assert.deepEqual(
    tids,
    [3, 4, 5, 6].map((index) => c.tid(index)),
  );
  assert.deepEqual(await hostsOf(b, tids as number[]), [HERE, THERE, YONDER, HERE]);
  const [, next] = await spawn(b, 1);
  assert.deepEqual(await hostsOf(a, [next!]), [THERE]);
  const child = c.actor(tids[1]!);
  assert.equal(child.call("pvm_parent"), a);
  assert.equal(child.call("pvm_siblings_get", TIDS, 4), 4);
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => child.view.getInt32(TIDS + 4 * i, true)),
    tids,
  );
  await c.finish();
});

test("a host with more engines gets more tasks, spread evenly", () => {
  const turns = new Turns();
  const host = (tid: number, engines: number) => ({ tid, name: "", machine: "", engines });
  assert.deepEqual(turns.take([host(1, 2), host(2, 1)], 6), [1, 2, 1, 1, 2, 1]);
  assert.deepEqual(turns.take([host(1, 2), host(2, 1)], 3), [1, 2, 1]);
  turns.forget(1);
  assert.deepEqual(turns.take([host(2, 1)], 2), [2, 2]);
});

test("where a task is spawned: by host, own host, architecture, and all but these", async () => {
  const { c, b, spawn, hostsOf } = cluster();
  const on = async (flag: number, where: string) => {
    const [, ...tids] = await spawn(b, 2, flag, where);
    return tids.every((tid) => tid! > 0) ? hostsOf(b, tids as number[]) : tids;
  };
  assert.deepEqual(await on(FLAG.host, "yonder"), [YONDER, YONDER]);
  assert.deepEqual(await on(FLAG.host, "yonder:/tmp"), [YONDER, YONDER]);
  assert.deepEqual(await on(FLAG.host, "."), [THERE, THERE]);
  assert.deepEqual(await on(FLAG.host + FLAG.complement, "."), [HERE, YONDER]);
  assert.deepEqual(new Set(await on(FLAG.arch, "WASM")).size, 2);
  assert.deepEqual(new Set(await on(FLAG.arch, "x64")).size, 2);
  assert.deepEqual(await on(FLAG.arch, "SUN4"), [PvmNoHost.code, PvmNoHost.code]);
  assert.deepEqual(await on(FLAG.arch + FLAG.complement, "WASM"), [PvmNoHost.code, PvmNoHost.code]);
  assert.deepEqual(await on(FLAG.host, "nowhere"), [PvmNoHost.code, PvmNoHost.code]);
  const [none, why] = await spawn(b, 1, 0, "", "nothing");
  assert.deepEqual([none, why], [0, PvmNoFile.code]);
  const [, orphan] = await spawn(b, 1, FLAG.orphan);
  assert.equal(c.actor(orphan!).call("pvm_parent"), PVM_ERROR.PvmParentNotSet.code);
  assert.deepEqual(c.errors(), []);
  await c.finish();
});

test("a job that was given hosts stays on them; another gets a process where it has none", async () => {
  const closed = cluster({ closed: true });
  closed.c.reachable.push("beyond");
  assert.deepEqual(await closed.hosts(closed.a, "pvm_addhosts", ["beyond"]), [1, 0x100000]);
  assert.deepEqual((await closed.spawn(closed.a, 1, FLAG.host, "beyond"))[1], PvmNoHost.code);
  await closed.c.finish();
  const { c, a, spawn, hostsOf, hosts } = cluster();
  c.reachable.push("beyond");
  assert.deepEqual(await hosts(a, "pvm_addhosts", ["beyond", "there", "nowhere"]), [
    1,
    0x100000,
    PVM_ERROR.PvmDupHost.code,
    PvmNoHost.code,
  ]);
  const [made, tid] = await spawn(a, 1, FLAG.host, "beyond");
  assert.equal(made, 1);
  assert.deepEqual(await hostsOf(tid!, [tid!, a]), [0x100000, HERE]);
  await c.finish();
});

test("a child has its parent's context, options and environment, its arguments, and sends what it prints where they say", async () => {
  const { c, a, spawn } = cluster();
  const who = c.actor(a);
  who.call("pvm_setcontext", 77);
  who.call("pvm_setopt", PVM_OPTION.PvmOutputTid.code, a);
  who.call("pvm_setopt", PVM_OPTION.PvmOutputCode.code, 9);
  const [, tid] = await spawn(a, 1, FLAG.host, "yonder");
  const child = c.actor(tid!);
  assert.equal(child.call("pvm_getcontext"), 77);
  assert.equal(child.call("pvm_getopt", PVM_OPTION.PvmSelfOutputTid.code), a);
  assert.equal(child.call("pvm_getopt", PVM_OPTION.PvmSelfOutputCode.code), 9);
  assert.equal(who.call("pvm_setcontext", 0), 77);
  assert.ok(who.call("pvm_nrecv", -1, 9) > 0, "TO_NEW has come from another process");
  await c.finish();
});

test("a task sends to tasks that its process has not heard of: siblings, parents, and tids that are nobody's", async () => {
  const { c, a, b, d, spawn, got } = cluster();
  const [, one, two] = (await spawn(a, 2, FLAG.host, "there")) as number[];
  const [, other] = (await spawn(b, 1, FLAG.host, "yonder")) as number[];
  const send = async (from: number, to: number, value: number) => {
    const who = c.actor(from);
    who.call("pvm_initsend", 0);
    who.view.setInt32(0x40, value, true);
    who.call("pvm_pkint", 0x40, 1, 1);
    return c.ask(from, "pvm_send", to, 3);
  };
  for (const [from, to] of [
    [d, one!],
    [one!, other!],
    [other!, two!],
    [two!, a],
  ] as const) {
    assert.equal(await send(from, to, from), 0);
    assert.deepEqual(got(to, 3), [from]);
  }
  // The next tid to be given: whoever gets it does not get what was sent before.
  const next = other! + 1;
  for (const from of [a, b, d]) assert.equal(await send(from, next, 1), 0);
  const [made, tid] = (await spawn(a, 1, FLAG.host, "here")) as number[];
  assert.deepEqual([made, tid], [1, next]);
  assert.equal(got(next, 3), undefined);
  assert.equal(await send(d, next, 5), 0);
  assert.deepEqual(got(next, 3), [5]);
  await c.end(next);
  assert.equal(await send(d, next, 5), 0);
  await c.finish();
});

test("there is room for LIMITS.ulps tasks of a job: those beyond are PvmOutOfRes, and refused ones behind the tids", async () => {
  const { c, a, spawn } = cluster({ ulps: LIMITS.ulps - 2 });
  const [made, ...tids] = await spawn(a, 4);
  assert.equal(made, 2);
  assert.deepEqual(tids, [
    c.tid(LIMITS.ulps - 2),
    c.tid(LIMITS.ulps - 1),
    PvmOutOfRes.code,
    PvmOutOfRes.code,
  ]);
  c.actor(a).call("pvm_setopt", PVM_OPTION.PvmAutoErr.code, 0);
  assert.deepEqual(await spawn(a, 2), [0, PvmOutOfRes.code, PvmOutOfRes.code]);
  await c.finish();
});

test("pvm_tasks tells of all tasks and their hosts, of a host's, of one", async () => {
  const { c, a, b, d, spawn, tasks } = cluster();
  const [, tid] = await spawn(a, 1, FLAG.host, "there");
  assert.deepEqual(await tasks(d, 0), [
    [a, 0, HERE, 4],
    [b, 0, THERE, 4],
    [d, 0, YONDER, 4],
    [tid, a, THERE, 6],
  ]);
  assert.deepEqual(await tasks(d, YONDER), [[d, 0, YONDER, 4]]);
  assert.deepEqual(await tasks(d, b), [[b, 0, THERE, 4]]);
  assert.equal(await tasks(d, 0x200000), PvmNoHost.code);
  assert.equal(await tasks(d, 0x200001), PvmNoHost.code, "there is no such job");
  await c.end(b);
  assert.deepEqual(await tasks(d, b), []);
  assert.equal(await c.ask(d, "pvm_task_name", tid!, 0x500, 16), 4);
  assert.equal(new TextDecoder().decode(c.actor(d).bytes.slice(0x500, 0x504)), "test");
  assert.equal(await c.ask(d, "pvm_task_name", d, 0x500, 16), 4);
  assert.equal(await c.ask(d, "pvm_task_name", b, 0x500, 16), PVM_ERROR.PvmNoTask.code);
  c.errors();
  assert.equal(await c.ask(d, "pvm_pstat", a), 0);
  assert.equal(await c.ask(d, "pvm_pstat", b), PVM_ERROR.PvmNoTask.code);
  await c.finish();
});

test("hosts: configuration, states, clocks", async () => {
  const { c, a, b } = cluster();
  const who = c.actor(b);
  assert.equal(await c.ask(b, "pvm_config_get", 0x100, 4, 0x200, 256), 3);
  assert.deepEqual(
    [0, 1, 2].map((i) => who.view.getInt32(0x100 + 12 * i, true)),
    [HERE, THERE, YONDER],
  );
  assert.equal(new TextDecoder().decode(who.bytes.slice(0x200, 0x200 + 32)).split("\0")[2], "there");
  for (const [name, value] of [
    ["here", 0],
    [".", 0],
    ["beyond", PvmNoHost.code],
  ] as const)
    assert.equal(await c.ask(b, "pvm_mstat", who.text(name)), value);
  const clockOf = async (tid: number) => {
    assert.equal(await c.ask(b, "pvm_hostsync", tid, 0x100, 0), 0);
    return Number(who.view.getBigInt64(0x100, true)) - 1_700_000_000;
  };
  assert.deepEqual([await clockOf(YONDER), await clockOf(a), await clockOf(b)], [3, 1, 2]);
  await c.finish();
});

test("a task's end is told everywhere: by return, by kill, with its process, and pvm_exit is one", async () => {
  const { c, a, b, d, spawn, notify, got } = cluster();
  const [, one, two, three] = (await spawn(a, 3, FLAG.host, "there")) as number[];
  await notify(a, 1, 5, [one!, two!, three!, b]);
  await notify(d, 1, 6, [two!]);
  await c.end(one!);
  assert.deepEqual(got(a, 5), [one]);
  assert.equal(await c.ask(d, "pvm_kill", two!), 0);
  assert.deepEqual([got(a, 5), got(d, 6)], [[two], [two]]);
  assert.equal(await c.ask(three!, "pvm_exit"), 0);
  assert.deepEqual(got(a, 5), [three]);
  assert.equal(await c.ask(a, "pvm_pstat", three!), PVM_ERROR.PvmNoTask.code);
  await c.loseMember(1);
  assert.deepEqual(got(a, 5), [b]);
  assert.equal(got(a, 5), undefined, "who had left PVM is told of once");
  await notify(a, 1, 7, [one!]);
  assert.deepEqual(got(a, 7), [one], "it has happened already");
  await c.finish();
});

test("who joins PVM again is listed, may ask to be told, and is told of; its old things are gone before it gets new ones", async () => {
  const { c, a, b, notify, got, tasks } = cluster();
  const listed = async () => ((await tasks(a, 0)) as number[][]).some(([tid]) => tid === b);
  const group = c.actor(b).text("group", 0x8000);
  assert.equal(await c.ask(b, "pvm_joingroup", group), 0);
  await notify(a, 1, 5, [b]);
  assert.equal(await c.ask(b, "pvm_exit"), 0);
  assert.deepEqual(got(a, 5), [b]);
  assert.ok(!(await listed()));
  assert.equal(await c.ask(b, "pvm_mytid"), b);
  assert.ok(await listed());
  assert.equal(await c.ask(a, "pvm_pstat", b), 0);
  assert.equal(await c.ask(b, "pvm_getinst", group, b), PVM_ERROR.PvmNoGroup.code);
  await notify(a, 1, 6, [b]);
  assert.equal(got(a, 6), undefined);
  await c.end(b);
  assert.deepEqual(got(a, 6), [b]);
  await c.finish();
});

test("a host that leaves or is lost: its tasks end, and who asked is told once; a new one is told so often as was asked", async () => {
  const { c, a, b, d, notify, got, hosts } = cluster();
  await notify(a, 2, 5, [THERE, HERE]);
  await notify(a, 1, 6, [b]);
  await notify(d, 3, 7, [], 1);
  await notify(a, 3, 8, [], -1);
  assert.deepEqual(await hosts(a, "pvm_delhosts", ["here", "there", "nowhere"]), [
    1,
    PVM_ERROR.PvmBadParam.code,
    0,
    PvmNoHost.code,
  ]);
  assert.deepEqual([got(a, 5), got(a, 6), got(a, 5)], [[THERE], [b], undefined]);
  assert.ok(!c.lives(b));
  await notify(a, 2, 9, [THERE]);
  assert.deepEqual(got(a, 9), [THERE], "it is gone already");
  c.reachable.push("there", "beyond");
  assert.deepEqual(await hosts(a, "pvm_addhosts", ["there"]), [1, 0x100000]);
  assert.deepEqual(
    [got(d, 7, 2), got(a, 8, 2)],
    [
      [1, 0x100000],
      [1, 0x100000],
    ],
  );
  assert.deepEqual(await hosts(a, "pvm_addhosts", ["beyond"]), [1, 0x140000]);
  assert.deepEqual([got(d, 7, 2), got(a, 8, 2)], [undefined, [1, 0x140000]]);
  await notify(a, 3 + 256, 8, [], -1);
  assert.deepEqual(got(a, 8), [0], "cancelled: as if it had happened");
  await c.finish();
});

test("what a lost process leaves: its message box entries, groups and plug-ins go, and others go on", async () => {
  const { c, a, b, d, got } = cluster();
  const name = (tid: number, text: string) => c.actor(tid).text(text);
  const put = async (tid: number) => {
    const who = c.actor(tid);
    const bufid = who.call("pvm_initsend", 0);
    who.call("pvm_pkint", 0x40, 1, 1);
    return c.ask(tid, "pvm_putinfo", name(tid, "box"), bufid, 0);
  };
  assert.equal(await put(b), 0);
  for (const tid of [a, b, d]) await c.ask(tid, "pvm_joingroup", name(tid, "g"));
  assert.equal(await c.ask(b, "pvm_reg_tasker"), 0);
  assert.equal(c.members[2]!.p.library.w[HEAD.plugins], 2);
  assert.equal(await c.ask(a, "pvm_barrier", name(a, "g"), 3), undefined);
  await c.loseMember(1);
  assert.equal(c.members[2]!.p.library.w[HEAD.plugins], 0);
  assert.equal(await c.ask(d, "pvm_gsize", name(d, "g")), 2);
  assert.equal(await c.ask(d, "pvm_recvinfo", name(d, "box"), 0, 0), PVM_ERROR.PvmNotFound.code);
  assert.equal(got(d, 1), undefined);
  assert.equal(c.result(a), undefined, "a dynamic group's barrier waits for another member");
  await c.finish();
});

test("a tasker lets tasks of all hosts run; when it ends, those that wait run", async () => {
  const { c, a, b, spawn } = cluster();
  const runs = (tid: number): boolean => {
    const { p } = c.members[c.memberOf(tid)]!;
    return p.library.w[ulpOf(p.library.w, tid) + ULP.queueNext] !== -1;
  };
  await c.ask(b, "pvm_reg_tasker");
  const [made, ...tids] = (await spawn(a, 3)) as number[];
  assert.equal(made, 3);
  assert.deepEqual(tids.map(runs), [false, false, false]);
  const tasker = c.actor(b);
  tasker.call("pvm_setopt", PVM_OPTION.PvmResvTids.code, 1);
  assert.ok(tasker.call("pvm_nrecv", -1, SM.SM_STTASK.tag) > 0);
  assert.equal(tasker.call("pvm_upkint", 0x40, 1, 1), 0);
  const first = tasker.view.getInt32(0x40, true);
  assert.equal(first, tids[0]);
  const text = (): string => {
    assert.equal(tasker.call("pvm_upkstr", 0x600), 0);
    return new TextDecoder().decode(tasker.bytes.slice(0x600, tasker.bytes.indexOf(0, 0x600)));
  };
  const int = (): number => {
    tasker.call("pvm_upkint", 0x44, 1, 1);
    return tasker.view.getInt32(0x44, true);
  };
  assert.deepEqual(
    [int(), text(), int(), text(), int(), text(), text()],
    [0, "test", 1, "test", 2, "HOME=/h", "E=0"],
  );
  tasker.call("pvm_initsend", 0);
  tasker.call("pvm_pkint", 0x40, 1, 1);
  await c.ask(b, "pvm_send", DAEMON_TID, SM.SM_STTASK.tag);
  assert.deepEqual(tids.map(runs), [true, false, false]);
  await c.end(b);
  assert.deepEqual(tids.map(runs), [true, true, true]);
  await c.finish();
});

test("a request of another job's task is dropped, and one of a task that has ended", async () => {
  const { c, a, b, got, notify } = cluster();
  await notify(a, 1, 5, [b]);
  await c.machine.take({ kind: "kill", tid: a, serial: 0, body: { task: b } }, 2);
  await c.machine.take({ kind: "kill", tid: 0x40fff, serial: 0, body: { task: b } }, 1);
  await c.serve();
  assert.ok(c.lives(b));
  assert.equal(got(a, 5), undefined);
  await c.finish();
});

test("pvm_halt ends the machine", async () => {
  const { c, a } = cluster();
  await c.ask(a, "pvm_halt");
  assert.ok(c.halted);
  await c.finish();
});

test.run();
