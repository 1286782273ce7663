/**
 * Frozen ULPs: taken off their engine in every state, given back as they were; what is refused, and what comes meanwhile.
 */
import assert from "node:assert/strict";
import { test } from "uvu";
import { sendUlp } from "../../runtime/migrate/engine-move.ts";
import { dispatch, pick, run, serveMail, serveWakes } from "../../runtime/scheduler/engine.ts";
import { members } from "../../runtime/scheduler/queue.ts";
import { stateText } from "../../runtime/scheduler/state.ts";
import { HEAD, STOP, SUSPEND, ULP, ULP_STATE, WAIT } from "../../wire/layout.ts";
import { actor, IDLE, leftovers, linked, type Process, processOf, programOf } from "../one-thread.ts";
import { asked, begun, counts, frozen } from "../two-processes.ts";

const queue = (p: Process, engine = 0): number[] =>
  members(p.library.w, p.engines[engine]!.runq).map((ulp) => p.library.w[ulp + ULP.index]!);
const waiting = (p: Process, engine = 0): number[] =>
  members(p.library.w, p.engines[engine]!.waitq).map((ulp) => p.library.w[ulp + ULP.index]!);
const state = (p: Process, index: number): string => stateText(p.library.w[p.ulp(index) + ULP.state]!);
const options = { outside: true } as const;

/** The loop of an engine, until it would sleep. Time passes with each look at the clock. */
function runUntilIdle(p: Process, engine: number): void {
  let ms = p.nowMs;
  Object.defineProperty(p, "nowMs", {
    get: () => (ms += 0.01),
    set: () => Atomics.store(p.library.w, HEAD.stop, STOP.halted),
  });
  p.onSleep = () => Atomics.store(p.library.w, HEAD.stop, STOP.halted);
  run(p.engines[engine]!);
}

test("a ULP that never ran is frozen and thawed", async () => {
  const p = processOf(IDLE, { ulps: 2, ...options });
  const before = counts(p);
  const ulp = await frozen(p, 1);
  assert.deepEqual([queue(p), state(p, 1), ulp.parcel.memory], [[0], "unInit+migrating", undefined]);
  assert.equal(counts(p).outside, before.outside + 1, "no deadlock while it is away");
  p.freezer.thaw(ulp);
  serveMail(p.engines[0]!);
  assert.deepEqual([queue(p), state(p, 1), counts(p)], [[0, 1], "unInit", before]);
  assert.equal(leftovers(p), "");
});

test("a ULP that waits for a message is frozen; what it waits for comes meanwhile and wakes it when it is thawed", async () => {
  const p = processOf(IDLE, { ulps: 2, ...options });
  const [a, b] = [actor(p, 0), actor(p, 1)];
  assert.equal(b.call("pvm_recv", a.tid, 5), SUSPEND);
  const ulp = await frozen(p, 1);
  assert.deepEqual([waiting(p), state(p, 1)], [[], "blocked+migrating"]);
  for (const tag of [4, 5]) {
    a.call("pvm_initsend", 1);
    assert.equal(a.call("pvm_send", b.tid, tag), 0);
  }
  assert.deepEqual(p.out, [], "nothing leaves the process");
  p.freezer.thaw(ulp);
  serveMail(p.engines[0]!);
  assert.deepEqual([state(p, 1), p.library.w[b.ulp + ULP.msgqCount]], ["runnable", 1]);
  assert.ok(b.resumed() > 0);
  assert.equal(leftovers(p), "");
});

test("a sleeper keeps its deadline, and messages do not wake it", async () => {
  const p = processOf(IDLE, { ulps: 1, ...options });
  const a = actor(p, 0);
  // poll_oneoff: one subscription, a clock, 3 s.
  a.view.setBigUint64(0x100 + 24, 3_000_000_000n, true);
  assert.equal(a.wasi("poll_oneoff", 0x100, 0x200, 1, 0x300), SUSPEND);
  const before = counts(p);
  const ulp = await frozen(p, 0);
  assert.equal(p.engines[0]!.timers.length, 0);
  p.freezer.thaw(ulp);
  serveMail(p.engines[0]!);
  assert.deepEqual([p.engines[0]!.timers.nextMs, state(p, 0), counts(p)], [3000, "blocked", before]);
  assert.equal(leftovers(p), "");
});

test("one that waits for an answer gets it after it was thawed, not before; so does one that is to end", async () => {
  const p = processOf(IDLE, { ulps: 2, ...options });
  const a = actor(p, 0);
  assert.equal(a.call("pvm_pstat", a.tid + 1), SUSPEND);
  const [request] = p.asked;
  const ulp = await frozen(p, 0);
  const parcel = {
    kind: "answer",
    index: 0,
    of: "pstat",
    serial: request!.serial,
    answer: { value: 0 },
  } as const;
  p.freezer.take(parcel);
  p.freezer.take({ kind: "stop", index: 0, signum: 15 });
  assert.equal(state(p, 0), "blocked+migrating");
  assert.deepEqual(
    ulp.kept.map(({ kind }) => kind),
    ["answer", "stop"],
  );
  p.freezer.thaw(ulp);
  const e = p.engines[0]!;
  serveMail(e);
  assert.deepEqual([state(p, 0), p.library.w[a.ulp + ULP.killed]], ["exited", 15]);
  assert.equal(leftovers(p), "");
});

test("what comes for a ULP that its engine has given away, and that is on its way to this thread, is kept for it", async () => {
  const p = processOf(IDLE, { ulps: 1, ...options });
  const a = actor(p, 0);
  assert.equal(a.call("pvm_pstat", a.tid + 1), SUSPEND);
  const { edge } = p.engines[0]!;
  const onTheWay: Parameters<typeof edge.send>[1][] = [];
  Object.defineProperty(edge, "send", {
    value: (_: number, parcel: (typeof onTheWay)[number]) => onTheWay.push(parcel),
  });
  const result = p.freezer.freeze(0);
  serveMail(p.engines[0]!);
  const { serial } = p.asked[0]!;
  p.freezer.take({ kind: "answer", index: 0, of: "pstat", serial, answer: { value: 0 } });
  p.freezer.take({ kind: "stop", index: 0, signum: 15 });
  for (const parcel of onTheWay.splice(0)) p.freezer.take(parcel);
  const ulp = await result;
  assert.ok(typeof ulp === "object");
  assert.deepEqual(
    ulp.kept.map(({ kind }) => kind),
    ["answer", "stop"],
  );
  p.freezer.thaw(ulp);
  const again = p.freezer.freeze(0);
  serveMail(p.engines[0]!);
  for (const parcel of onTheWay.splice(0)) p.freezer.take(parcel);
  assert.equal(await again, "ended", "nothing of that is kept twice");
  assert.equal(p.library.w[a.ulp + ULP.killed], 15);
});

test("a parcel that an engine got for a ULP that is frozen goes after it; for one that has gone, to its process", async () => {
  const p = processOf(IDLE, { ulps: 2, ...options });
  const ulp = await frozen(p, 1);
  const notice = {
    kind: "notice",
    index: 1,
    src: 7,
    tag: 3,
    context: 0,
    wid: 0,
    data: new Uint8Array(4),
  } as const;
  p.mail[0]!.push(notice);
  Atomics.add(p.library.w, p.engines[0]!.row + 4, 1);
  serveMail(p.engines[0]!);
  assert.deepEqual(ulp.kept, [notice]);
  const { parcels } = p.freezer.release(ulp);
  assert.deepEqual(parcels, [notice]);
  p.freezer.take(notice);
  assert.deepEqual(p.away, [notice]);
  assert.equal(leftovers(p), "");
});

test("a ULP in a barrier is frozen there; it goes on when the others have come, and nobody else wakes it", async () => {
  const p = processOf(IDLE, { ulps: 3, engines: 2, place: (index) => (index === 2 ? 1 : 0) });
  const [a, b, c] = [actor(p, 0), actor(p, 1), actor(p, 2)];
  for (const one of [a, b, c]) assert.ok(one.call("pvm_joingroup", one.text("work")) >= 0);
  assert.equal(a.call("pvm_barrier", a.text("work"), 3), SUSPEND);
  const ulp = await frozen(p, 0);
  assert.equal(state(p, 0), "blocked+migrating");
  assert.equal(b.call("pvm_barrier", b.text("work"), 3), SUSPEND);
  assert.equal(c.call("pvm_barrier", c.text("work"), 3), 0);
  assert.equal(state(p, 0), "blocked+migrating");
  p.freezer.thaw(ulp);
  for (const e of p.engines) serveMail(e);
  assert.equal(state(p, 0), "runnable");
  assert.equal(a.resumed(), 0);
  assert.equal(leftovers(p), "");
});

test("thawed before the others have come, it waits on and is woken by the last", async () => {
  const p = processOf(IDLE, { ulps: 2, engines: 2, place: () => 0 });
  const [a, b] = [actor(p, 0), actor(p, 1)];
  for (const one of [a, b]) assert.ok(one.call("pvm_joingroup", one.text("work")) >= 0);
  assert.equal(a.call("pvm_barrier", a.text("work"), 2), SUSPEND);
  p.freezer.thaw(await frozen(p, 0));
  for (const e of p.engines) serveMail(e);
  assert.equal(state(p, 0), "blocked");
  assert.equal(b.call("pvm_barrier", b.text("work"), 2), 0);
  for (const e of p.engines) serveWakes(e);
  assert.equal(state(p, 0), "runnable");
  assert.equal(leftovers(p), "");
});

test("one that another engine has claimed to wake is frozen when it was woken", async () => {
  const p = processOf(IDLE, { ulps: 2, engines: 2, place: (index) => index, ...options });
  const [a, b] = [actor(p, 0), actor(p, 1)];
  assert.equal(b.call("pvm_recv", -1, 5), SUSPEND);
  a.call("pvm_initsend", 1);
  a.call("pvm_send", b.tid, 5);
  const result = p.freezer.freeze(1);
  serveMail(p.engines[1]!);
  assert.equal(state(p, 1), "blocked", "its wake is on the way");
  assert.equal(p.engines[1]!.deferred.length, 1);
  // The engine's loop: wakes, mail, what was deferred.
  runUntilIdle(p, 1);
  assert.equal(typeof (await result), "object");
  assert.equal(state(p, 1), "runnable+migrating");
  assert.equal(p.library.w[b.ulp + ULP.wait], WAIT.none);
});

test("one that runs is frozen at its next poll, not in the middle of a call of the library", async () => {
  // Polls until it is told to stop, and then returns 0: its program ends when it runs again.
  const body = `(func $resume (param $top i32) (param i32 i32) (result i32)
    (if (i32.load (i32.const 0)) (then (return (i32.const 0))))
    (i32.store (i32.const 0) (i32.const 1))
    (drop (call $initsend (i32.const 1)))
    (drop (call $initsend (i32.const 1)))
    (drop (call $poll))
    (local.get $top))`;
  const imports = `(import "upvm" "poll" (func $poll (result i32)))
    (import "pvm" "pvm_initsend" (func $initsend (param i32) (result i32)))`;
  const p = processOf(programOf(linked(imports, body)), { ulps: 1, ...options });
  const e = p.engines[0]!;
  const seen: string[] = [];
  const initsend = e.imports.pvm["pvm_initsend"] as (encoding: number) => number;
  let result: ReturnType<Process["freezer"]["freeze"]> | undefined;
  e.imports.pvm["pvm_initsend"] = (encoding: number) => {
    result ??= p.freezer.freeze(0);
    seen.push(state(p, 0));
    return initsend(encoding);
  };
  dispatch(e, pick(e));
  assert.deepEqual(seen, ["running", "running"], "the event came in a call, and waited");
  assert.equal(state(p, 0), "runnable");
  runUntilIdle(p, 0);
  const ulp = await result!;
  assert.ok(typeof ulp === "object");
  assert.equal(state(p, 0), "runnable+migrating");
  assert.notEqual(p.library.w[ulp.ulp + ULP.savedAt], 0, "its globals are in the heap");
});

test("what cannot be frozen is told by name, and is unharmed", async () => {
  const p = processOf(IDLE, { ulps: 3, elsewhere: (index) => index === 2, ...options });
  const before = counts(p);
  assert.equal(await asked(p, 7), "unknown");
  assert.equal(await asked(p, -1), "unknown");
  assert.equal(await asked(p, 2), "unknown");
  const ulp = await frozen(p, 1);
  assert.equal(await asked(p, 1), "moving");
  p.freezer.thaw(ulp);
  assert.equal(await asked(p, 1).then((again) => typeof again), "object", "it was on its way to its engine");
  p.freezer.thaw(p.freezer.get(1)!);
  const a = actor(p, 0);
  const late = p.freezer.freeze(0);
  assert.equal(await p.freezer.freeze(0), "moving");
  assert.throws(() => a.wasi("proc_exit", 0));
  p.freezer.stopped();
  assert.equal(await late, "stopped");
  serveMail(p.engines[0]!);
  assert.deepEqual(counts(p), before);
});

test("a ULP that ends before its engine looks is told to have ended; one on its way between engines is frozen there", async () => {
  const p = processOf(IDLE, { ulps: 2, engines: 2, place: () => 0, ...options });
  assert.equal(sendUlp(p.engines[0]!, p.ulp(0), 1), true);
  const first = p.freezer.freeze(0);
  serveMail(p.engines[1]!);
  assert.equal(typeof (await first), "object");
  const second = p.freezer.freeze(1);
  p.mail[0]!.unshift({ kind: "stop", index: 1, signum: 9 });
  Atomics.add(p.library.w, p.engines[0]!.row + 4, 1);
  serveMail(p.engines[0]!);
  assert.equal(await second, "ended");
  assert.equal(await asked(p, 1), "ended");
  assert.equal(p.library.w[p.ulp(1) + ULP.state], ULP_STATE.exited);
  p.freezer.thaw(p.freezer.get(0)!);
  for (const e of p.engines) serveMail(e);
  assert.equal(leftovers(p), "");
});

test("many at once are frozen by one look, and the others run on", async () => {
  const p = processOf(IDLE, { ulps: 5, ...options });
  begun(p, 0);
  const all = [1, 2, 3].map((index) => p.freezer.freeze(index));
  serveMail(p.engines[0]!);
  const ulps = await Promise.all(all);
  assert.deepEqual(queue(p), [0, 4]);
  for (const ulp of ulps) p.freezer.thaw(ulp as Exclude<typeof ulp, string>);
  serveMail(p.engines[0]!);
  assert.deepEqual(queue(p), [0, 4, 1, 2, 3]);
  assert.equal(leftovers(p), "");
});

test.run();
