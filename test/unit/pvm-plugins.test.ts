/** Plug-ins: tasker, resource manager, hoster, tracer; each leaves or ends while others wait for it. */
import assert from "node:assert/strict";
import { test } from "uvu";
import type { Changed } from "../../pvmd/control-store.ts";
import { encode } from "../../pvmd/machine.ts";
import { MemoryStore } from "../../pvmd/memory-store.ts";
import { Packer, Unpacker } from "../../pvmd/plugin-data.ts";
import { keyOfPlugin, PluginState } from "../../pvmd/plugin-state.ts";
import { uterminate } from "../../runtime/scheduler/end.ts";
import { optionOf } from "../../runtime/scheduler/more.ts";
import { isQueued } from "../../runtime/scheduler/queue.ts";
import { getState } from "../../runtime/scheduler/state.ts";
import { ulpOf } from "../../runtime/scheduler/ulp.ts";
import { ULP, ULP_STATE } from "../../wire/layout.ts";
import { PVM_OPTION } from "../../wire/options.ts";
import { PLUGIN_BIT, type PluginKind, SM } from "../../wire/plugins.ts";
import { DAEMON_TID, PVM_ERROR } from "../../wire/pvm.ts";
import { party } from "../machine-actors.ts";
import { type Actor, actor } from "../one-thread.ts";

const TIDS = 0x400;
const INFO = 0x500;
const DATA = 0x600;
const HOSTS = 0x300;
const RESERVED = PVM_OPTION.PvmResvTids.code;

/** Tasks that speak PVM's messages of plug-ins. */
function plugged(ulps: number) {
  const base = party(ulps);
  const { p, machine, ask } = base;
  const e = p.engines[0]!;
  const tids = (who: Actor, n: number) =>
    Array.from({ length: n }, (_, i) => who.view.getInt32(TIDS + 4 * i, true));
  return {
    ...base,
    tids,
    /** What a call that waited has returned; undefined: it waits on. */
    result: (who: Actor) =>
      getState(p.library.w, who.ulp) === ULP_STATE.runnable ? who.resumed() : undefined,
    /** Registers, and may send reserved tags. */
    async plug(who: Actor, name: string, ...args: number[]) {
      who.call("pvm_setopt", RESERVED, 1);
      return ask(who, name, ...args);
    },
    spawn: (who: Actor, name: string, n: number, flag = 0, where = "") =>
      ask(who, "pvm_spawn", who.text(name), 0, flag, who.text(where, 0x9000), n, TIDS),
    /** The next message with this tag: its source, wait id and data. */
    take(who: Actor, tag: number) {
      const bufid = who.call("pvm_nrecv", -1, tag);
      assert.ok(bufid > 0, "there is a message");
      assert.equal(who.call("pvm_getminfo", bufid, INFO), 0);
      const word = (i: number) => who.view.getInt32(INFO + 4 * i, true);
      const bytes = word(0);
      assert.equal(who.call("pvm_upkbyte", DATA, bytes, 1), 0);
      return { wid: word(3), src: word(6), data: new Unpacker(who.bytes.slice(DATA, DATA + bytes)) };
    },
    /** Sends data with a wait id. */
    async send(who: Actor, to: number, tag: number, data: Packer, wid = 0) {
      const bufid = who.call("pvm_initsend", 0);
      const bytes = data.data();
      who.bytes.set(bytes, DATA);
      assert.equal(who.call("pvm_pkbyte", DATA, bytes.length, 1), 0);
      assert.equal(who.call("pvm_getminfo", bufid, INFO), 0);
      who.view.setInt32(INFO + 12, wid, true);
      assert.equal(who.call("pvm_setminfo", bufid, INFO), 0);
      assert.equal(who.call("pvm_send", to, tag), 0);
      await machine.serve();
    },
    /** Ends a task as a kill does. */
    async ends(who: Actor) {
      uterminate(e, who.ulp, 0);
      await machine.serve();
    },
    runs: (tid: number) => isQueued(p.library.w, ulpOf(p.library.w, tid)),
    lives: (tid: number) => getState(p.library.w, ulpOf(p.library.w, tid)) !== ULP_STATE.exited,
  };
}
const ONE = 0x40001;
const TWO = 0x40002;
const THREE = 0x40003;
const FOUR = 0x40004;

test("a tasker is asked for each task, lets it run or says that it is gone; there is one", async () => {
  const { actors, plug, spawn, take, send, runs, lives, ask, tids, end } = plugged(2);
  const [a, b] = actors as [Actor, Actor];
  assert.equal(await plug(a, "pvm_reg_tasker"), 0);
  assert.equal(await plug(a, "pvm_reg_tasker"), 0, "again is no mistake");
  assert.equal(await plug(b, "pvm_reg_tasker"), PVM_ERROR.PvmAlready.code);
  assert.equal(await spawn(b, "test", 2), 2);
  assert.deepEqual(tids(b, 2), [THREE, FOUR]);
  assert.ok(!runs(THREE) && !runs(FOUR));
  assert.equal(await ask(b, "pvm_pstat", THREE), 0);
  const { src, data } = take(a, SM.SM_STTASK.tag);
  assert.equal(src, DAEMON_TID);
  assert.deepEqual(
    [data.int(), data.int(), data.text(), data.list(), data.list()],
    [THREE, 0, "test", ["test"], []],
  );
  assert.ok(data.ended && !data.bad);
  await send(a, src, SM.SM_STTASK.tag, new Packer().ints(THREE));
  assert.ok(runs(THREE) && !runs(FOUR));
  await send(a, src, SM.SM_STTASK.tag, new Packer().ints(THREE));
  await send(a, src, SM.SM_TASKX.tag, new Packer().ints(FOUR, 256, 0, 0, 0, 0));
  assert.ok(lives(THREE) && !lives(FOUR));
  assert.equal(await ask(b, "pvm_pstat", FOUR), PVM_ERROR.PvmNoTask.code);
  end();
});

test("tasks that a tasker has not let run do so when it ends or leaves PVM", async () => {
  for (const way of ["end", "exit"]) {
    const { actors, plug, spawn, runs, ends, machine, end } = plugged(2);
    const [a, b] = actors as [Actor, Actor];
    assert.equal(await plug(a, "pvm_reg_tasker"), 0);
    assert.equal(await spawn(b, "test", 1), 1);
    assert.ok(!runs(THREE));
    if (way === "end") await ends(a);
    else {
      a.call("pvm_exit");
      await machine.serve();
    }
    assert.ok(runs(THREE));
    assert.equal(await spawn(b, "test", 1), 1);
    assert.ok(runs(FOUR), "and new ones run at once");
    end();
  }
});

test("a task that ends while it is held is nobody's any more", async () => {
  const { actors, plug, spawn, ask, send, lives, machine, end } = plugged(2);
  const [a, b] = actors as [Actor, Actor];
  assert.equal(await plug(a, "pvm_reg_tasker"), 0);
  assert.equal(await spawn(b, "test", 1), 1);
  assert.equal(await ask(b, "pvm_kill", THREE), 0);
  await machine.serve();
  assert.ok(!lives(THREE));
  await send(a, DAEMON_TID, SM.SM_STTASK.tag, new Packer().ints(THREE));
  assert.ok(!lives(THREE));
  end();
});

test("a resource manager refuses a spawn, and places another with SM_EXEC", async () => {
  const { actors, plug, spawn, take, send, runs, ask, result, tids, ends, end } = plugged(2);
  const [a, b] = actors as [Actor, Actor];
  assert.equal(await plug(a, "pvm_reg_rm"), 0);
  assert.equal(await plug(a, "pvm_reg_rm"), ONE, "as in PVM: who was it before");
  assert.equal(await spawn(b, "a program", 2, 1, "a place"), undefined, "it waits for the manager");
  const first = take(a, SM.SM_SPAWN.tag);
  assert.equal(first.src, TWO);
  const { data } = first;
  assert.deepEqual([data.text(), data.int(), data.text(), data.int()], ["a program", 1, "a place", 2]);
  assert.deepEqual([data.list(), data.ints(6), data.list()], [[], [0, 0, 0, 0, 0, 0], []]);
  assert.ok(data.ended && !data.bad);
  const { PvmOutOfRes, PvmNoFile } = PVM_ERROR;
  await send(a, TWO, SM.SM_SPAWN.tag, new Packer().ints(2, PvmOutOfRes.code, PvmNoFile.code), first.wid);
  assert.equal(result(b), 0);
  assert.deepEqual(tids(b, 2), [PvmOutOfRes.code, PvmNoFile.code]);

  assert.equal(await spawn(b, "a program", 1), undefined);
  const second = take(a, SM.SM_SPAWN.tag);
  const exec = new Packer()
    .ints(TWO)
    .text("test")
    .ints(0, 1)
    .list(["one", "two"])
    .ints(0, 0, 0, 0, 0, 0)
    .list(["A=1"]);
  await send(a, DAEMON_TID, SM.SM_EXEC.tag, exec, 7);
  const made = take(a, SM.SM_EXECACK.tag);
  assert.deepEqual([made.wid, made.data.int(), made.data.int()], [7, 1, THREE]);
  assert.ok(runs(THREE));
  await send(a, TWO, SM.SM_SPAWN.tag, new Packer().ints(1, THREE), second.wid);
  assert.equal(result(b), 1);
  assert.deepEqual(tids(b, 1), [THREE]);
  assert.equal(await ask(a, "pvm_kill", THREE), 0);
  await send(a, DAEMON_TID, SM.SM_EXEC.tag, new Packer().ints(1), 8);
  assert.equal(take(a, SM.SM_TASKX.tag).data.int(), THREE, "it hears of its tasks' ends");
  assert.deepEqual([take(a, SM.SM_EXECACK.tag).data.int()], [PVM_ERROR.PvmBadParam.code]);

  assert.equal(await spawn(b, "test", 1), undefined);
  await ends(a);
  assert.equal(result(b), 1, "without a manager it goes on");
  assert.ok(runs(FOUR));
  end();
});

test("what else a resource manager is asked: hosts, tasks, notifications, and to give way", async () => {
  const { actors, plug, take, send, ask, result, machine, end } = plugged(2);
  const [a, b] = actors as [Actor, Actor];
  assert.equal(await plug(a, "pvm_reg_rm"), 0);
  const answer = async (tag: number, data: Packer) => {
    const { wid } = take(a, tag);
    assert.ok(wid > 0);
    await send(a, TWO, tag, data, wid);
    return result(b);
  };
  assert.equal(await ask(b, "pvm_config_get", 0x100, 2, 0x200, 64), undefined);
  const hosts = new Packer().ints(2, 1);
  for (const tid of [0x40000, 0x80000]) hosts.ints(tid).text("h").text("W").ints(5, 6);
  assert.equal(await answer(SM.SM_CONFIG.tag, hosts), 2);
  assert.deepEqual([b.view.getInt32(0x10c, true), b.view.getInt32(0x110, true)], [0x80000, 5]);
  assert.equal(await ask(b, "pvm_tasks_get", 0, 0x100, 4), undefined);
  assert.equal(await answer(SM.SM_TASK.tag, new Packer().ints(0, ONE, 0, 0x40000, 4).text("x").ints(9)), 1);
  assert.equal(b.view.getInt32(0x110, true), 9);
  assert.equal(await ask(b, "pvm_tasks_get", 0, 0x100, 4), undefined);
  const { PvmNoHost } = PVM_ERROR;
  assert.equal(await answer(SM.SM_TASK.tag, new Packer().ints(PvmNoHost.code)), PvmNoHost.code);
  b.view.setInt32(HOSTS, b.text("one"), true);
  for (const name of ["pvm_addhosts", "pvm_delhosts"]) {
    assert.equal(await ask(b, name, HOSTS, 1, 0x700), undefined);
    const adds = name === "pvm_addhosts";
    const added = new Packer().ints(1, 1, 0x80000).text("one").text("W").ints(1, 2);
    const tag = adds ? SM.SM_ADDHOST.tag : SM.SM_DELHOST.tag;
    assert.equal(await answer(tag, adds ? added : new Packer().ints(1, 0)), 1);
    assert.equal(b.view.getInt32(0x700, true), adds ? 0x80000 : 0);
  }
  b.view.setInt32(0x100, ONE, true);
  assert.equal(await ask(b, "pvm_notify", 1, 9, 1, 0x100), 0, "it does not wait");
  const wish = take(a, SM.SM_NOTIFY.tag).data;
  assert.deepEqual(wish.ints(5), [1, 0, 9, 1, ONE]);
  assert.equal(await ask(b, "pvm_reg_rm"), undefined);
  assert.equal(
    await answer(SM.SM_SCHED.tag, new Packer().ints(PVM_ERROR.PvmDenied.code)),
    PVM_ERROR.PvmDenied.code,
  );
  assert.equal(await ask(b, "pvm_config_get", 0, 0, 0, 0), undefined);
  assert.equal(await answer(SM.SM_CONFIG.tag, new Packer()), PVM_ERROR.PvmBadMsg.code, "no answer at all");
  // Of its own it asks the daemon, also in the manager's words.
  assert.equal(await ask(a, "pvm_config_get", 0, 0, 0, 0), 1);
  await send(a, DAEMON_TID, SM.SM_ADD.tag, new Packer().list(["nowhere", "here"]), 3);
  const { wid, data } = take(a, SM.SM_ADDACK.tag);
  assert.deepEqual([wid, data.ints(3)], [3, [2, 0, PVM_ERROR.PvmNoHost.code]], "no host, no architecture");
  // A message with such a tag that nobody waits for is a message.
  await send(a, TWO, SM.SM_SPAWN.tag, new Packer().ints(5), 0);
  b.call("pvm_setopt", RESERVED, 1);
  assert.equal(take(b, SM.SM_SPAWN.tag).data.int(), 5);
  await send(a, DAEMON_TID, SM.SM_HANDOFF.tag, new Packer().ints(TWO));
  assert.equal(await ask(a, "pvm_config_get", 0, 0, 0, 0), undefined, "now the other is asked");
  assert.equal(take(b, SM.SM_CONFIG.tag).src, ONE);
  b.call("pvm_exit");
  await machine.serve();
  assert.equal(result(a), 1);
  end();
});

test("a hoster is asked for hosts that are there; without an answer they cannot be started", async () => {
  const { actors, plug, take, send, ask, result, machine, ends, end } = plugged(3);
  const [a, b, c] = actors as [Actor, Actor, Actor];
  machine.reachable.push("one", "two");
  assert.equal(await plug(c, "pvm_reg_hoster"), 0);
  assert.equal(await plug(a, "pvm_reg_hoster"), 0, "the last one is it");
  ["one so=pw", "nowhere", "two"].forEach((name, i) => {
    b.view.setInt32(HOSTS + 4 * i, b.text(name, 0x4000 + 64 * i), true);
  });
  const infos = () => [0, 1, 2].map((i) => b.view.getInt32(0x700 + 4 * i, true));
  const { PvmCantStart, PvmNoHost, PvmDSysErr } = PVM_ERROR;
  assert.equal(await ask(b, "pvm_addhosts", HOSTS, 3, 0x700), undefined);
  const { wid, data } = take(a, SM.SM_STHOST.tag);
  assert.equal(data.int(), 2);
  const [one, options, login] = [data.int(), data.text(), data.text()];
  assert.deepEqual([one, options, login], [0x80000, "so=pw", "one"]);
  assert.match(data.text(), /pvmd/);
  assert.deepEqual([data.text(), data.text()], ["", ""], "the command on Windows, the virtual machine's id");
  const two = data.int();
  const reply = new Packer().ints(two).text("PvmDSysErr").ints(one).text("ddpro<2316> arch<WASM>");
  await send(a, DAEMON_TID, SM.SM_STHOSTACK.tag, reply, wid);
  assert.equal(result(b), 0);
  assert.deepEqual(infos(), [PvmCantStart.code, PvmNoHost.code, PvmDSysErr.code]);
  assert.equal(await ask(b, "pvm_addhosts", HOSTS, 1, 0x700), undefined);
  await ends(a);
  assert.equal(result(b), 0);
  assert.equal(infos()[0], PvmCantStart.code);
  end();
});

test("a tracer gets what tasks have no other place for, from its registration until its end", async () => {
  const { p, actors, plug, spawn, ends, end } = plugged(3);
  const [a, b, c] = actors as [Actor, Actor, Actor];
  // Events of pvm_getrbuf, number 12.
  assert.equal(await plug(a, "pvm_reg_tracer", 1, 2, 3, 4, a.text("@@@A", 0x700), 0, 1), 0);
  assert.equal(a.call("pvm_reg_tracer", 1, 2, 3, 4, 0xfffffff, 5, 1), PVM_ERROR.PvmBadParam.code);
  const option = (tid: number, name: keyof typeof PVM_OPTION) =>
    optionOf(p.library.w, ulpOf(p.library.w, tid), PVM_OPTION[name].code);
  c.call("pvm_setopt", PVM_OPTION.PvmOutputTid.code, c.tid);
  assert.equal(await spawn(b, "test", 1), 1);
  assert.equal(await spawn(c, "test", 1), 1);
  assert.deepEqual([option(FOUR, "PvmSelfOutputTid"), option(FOUR, "PvmSelfOutputCode")], [ONE, 4]);
  assert.deepEqual([option(FOUR, "PvmSelfTraceTid"), option(FOUR, "PvmSelfTraceContext")], [ONE, 1]);
  assert.deepEqual([option(0x40005, "PvmSelfOutputTid"), option(0x40005, "PvmSelfTraceTid")], [THREE, ONE]);
  const d = actor(p, 3);
  d.call("pvm_getsbuf");
  d.call("pvm_getrbuf");
  a.call("pvm_setcontext", 1);
  // The names of data, newtask and spntask of both tasks, and what begins and returns.
  let events = 0;
  while (a.call("pvm_nrecv", d.tid, 2) > 0) events++;
  assert.equal(events, 2);
  while (a.call("pvm_nrecv", DAEMON_TID, 2) > 0) events++;
  assert.equal(events, 2 + 1 + 4);
  await ends(a);
  assert.equal(b.call("pvm_spawn", b.text("test"), 0, 0, 0, 1, TIDS), 1, "nobody is asked");
  assert.equal(option(0x40006, "PvmSelfOutputTid"), 0);
  assert.equal(p.library.w[p.ulp(3) + ULP.context], 0);
  end();
});

test("who asks a plug-in that has no room for a question is told so, and a task that it cannot start ends", async () => {
  const { p, actors, plug, spawn, take, send, ask, result, machine, lives, tids, ends, end } = plugged(3);
  const [a, b, c] = actors as [Actor, Actor, Actor];
  const { PvmNoMem, PvmCantStart } = PVM_ERROR;
  machine.reachable.push("one");
  b.view.setInt32(HOSTS, b.text("one", 0x4000), true);
  b.view.setInt32(0x100, THREE, true);
  const { arena } = p.engines[0]!;
  const full: number[] = [];
  const fill = () => {
    for (let bytes = 1 << 24; bytes >= 16; bytes >>= 1)
      for (let at = arena.hmalloc(bytes, 1); at !== 0; at = arena.hmalloc(bytes, 1)) full.push(at);
  };
  const empty = () => {
    for (const at of full.splice(0)) arena.hfree(at);
  };
  assert.equal(await plug(a, "pvm_reg_hoster"), 0);
  fill();
  assert.equal(await ask(b, "pvm_addhosts", HOSTS, 1, 0x700), PvmNoMem.code);
  empty();

  assert.equal(await plug(a, "pvm_reg_tasker"), 0);
  const held = await spawn(b, "test", 1);
  assert.equal(held, 1);
  const [task] = tids(b, 1) as [number];
  assert.equal(take(a, SM.SM_STTASK.tag).data.int(), task);
  // Of this one it cannot hear: the engine has made it when there is no room any more.
  b.call("pvm_spawn", b.text("test"), 0, 0, 0, 1, TIDS);
  await machine.serve(({ kind }) => kind === "started" && fill());
  assert.equal(result(b), 1);
  const [lost] = tids(b, 1) as [number];
  assert.ok(lost !== task && !lives(lost) && lives(task));
  empty();

  assert.equal(await plug(a, "pvm_reg_rm"), 0);
  fill();
  assert.equal(await spawn(b, "test", 1), 0);
  assert.deepEqual(tids(b, 1), [PvmNoMem.code]);
  for (const [routine, ...args] of [
    ["pvm_config_get", 0, 0, 0, 0],
    ["pvm_tasks_get", 0, 0, 0],
    ["pvm_delhosts", HOSTS, 1, 0x700],
    ["pvm_reg_rm"],
  ] as [string, ...number[]][])
    assert.equal(await ask(b, routine, ...args), PvmNoMem.code, routine);
  // Of this the library does not wait for an answer: the service tells of it, as without a manager.
  assert.equal(await ask(b, "pvm_notify", 1, 9, 1, 0x100), 0);
  empty();
  await ends(c);
  assert.equal(take(b, 9).data.int(), THREE);
  assert.equal(await spawn(b, "test", 1), undefined, "with room it is asked again");
  await send(a, TWO, SM.SM_SPAWN.tag, new Packer().ints(1, PvmCantStart.code), take(a, SM.SM_SPAWN.tag).wid);
  assert.equal(result(b), 0);
  end();
});

test("messages of plug-ins by anyone else are dropped, and what cannot be read changes nothing", async () => {
  const { p, actors, plug, spawn, send, runs, lives, end } = plugged(2);
  const [a, b] = actors as [Actor, Actor];
  assert.equal(await plug(a, "pvm_reg_tasker"), 0);
  assert.equal(await spawn(b, "test", 1), 1);
  b.call("pvm_setopt", RESERVED, 1);
  for (const { tag } of Object.values(SM)) await send(b, DAEMON_TID, tag, new Packer().ints(THREE));
  for (const { tag } of Object.values(SM)) await send(a, DAEMON_TID, tag, new Packer());
  assert.ok(lives(THREE) && !runs(THREE));
  assert.deepEqual(p.asked, []);
  end();
});

test("who has ended is no plug-in any more, also before the store has told of it", () => {
  let told: (change: Changed) => void = () => {};
  const store = new MemoryStore();
  store.watch = (_prefix, watcher) => {
    told = watcher;
    return () => {};
  };
  const bits: number[] = [];
  const state = new PluginState(store, (now) => bits.push(now));
  const row = (kind: PluginKind, tid: number): void =>
    told({
      key: keyOfPlugin(kind),
      entry: { value: encode({ tid }), revision: 1, created: 1 },
      revision: 1,
    });
  row("rm", ONE);
  row("tasker", TWO);
  const request = { kind: "tasks", tid: TWO, serial: 1, body: { where: 0 } } as const;
  state.park({ request, by: ONE, tag: SM.SM_TASK.tag, codes: [], open: [] });
  // A request that waited for it is asked again: not of it.
  assert.deepEqual(state.forget(ONE), { requests: [request], held: [] });
  assert.equal(state.registered("rm"), undefined);
  assert.equal(state.registered("tasker")?.tid, TWO);
  told({ key: keyOfPlugin("rm"), entry: undefined, revision: 2 });
  assert.equal(bits.at(-1), PLUGIN_BIT.tasker);
});

test("what a task has packed is read to its end and no further", () => {
  const good = new Unpacker(new Packer().ints(1).text("zwölf").list(["a", ""]).data());
  assert.deepEqual(
    [good.int(), good.text(), good.list(), good.ended, good.bad],
    [1, "zwölf", ["a", ""], true, false],
  );
  for (const [bytes, read] of [
    [new Packer().ints(3).data(), (u: Unpacker) => u.text()],
    [new Packer().ints(-1).data(), (u: Unpacker) => u.text()],
    [new Packer().ints(0x7fffffff).data(), (u: Unpacker) => u.list()],
    [new Packer().ints(4, 0x41414141).data(), (u: Unpacker) => u.text()],
    [new Packer().ints(1).data(), (u: Unpacker) => u.ints(2)],
    [new Uint8Array(3), (u: Unpacker) => u.int()],
  ] as const) {
    const unpacker = new Unpacker(bytes);
    read(unpacker);
    assert.ok(unpacker.bad);
  }
});

test.run();
