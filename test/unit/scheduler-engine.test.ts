/** The loop: who runs next (3.2.4, i–iv), Table VI, the end, deadlock; with programs in wasm. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { link } from "../../runtime/link/link.ts";
import { engineCalls } from "../../runtime/pvm/engine-calls.ts";
import { uterminate } from "../../runtime/scheduler/end.ts";
import { pick, runTurn, startQueues } from "../../runtime/scheduler/engine.ts";
import { COUNTER } from "../../runtime/scheduler/engine-state.ts";
import { asmUfullLoad, asmUload, asmUstart, usave } from "../../runtime/scheduler/load.ts";
import type { Program } from "../../runtime/scheduler/programs.ts";
import { append, isQueued, remove } from "../../runtime/scheduler/queue.ts";
import { setState } from "../../runtime/scheduler/state.ts";
import { TURN } from "../../runtime/scheduler/turn.ts";
import { reserveIndices, ucreate } from "../../runtime/scheduler/ulp.ts";
import { doingText } from "../../runtime/scheduler/wait-text.ts";
import { localTasks } from "../../upvm/application-state.ts";
import { ATTENTION, CTL, HEAD, STOP, SUSPEND, ULP, ULP_FLAG, ULP_STATE } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { actor, IDLE, type Process, processOf } from "../one-thread.ts";
import { program, RING, TID0 } from "../wat-programs.ts";

function linkedProgram(body: string): Program {
  const wasm = program(body);
  const { info } = link(wasm);
  const module = new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>);
  return { id: 0, name: "test", module, pages: info.pages, stateBytes: info.stateBytes, tables: info.tables };
}

/** Writes one character and a newline: the trace of who ran when. */
const SAY = `
  (func $say (param $letter i32)
    (i32.store8 (i32.const 64) (local.get $letter))
    (i32.store8 (i32.const 65) (i32.const 10))
    (i32.store (i32.const 72) (i32.const 64))
    (i32.store (i32.const 76) (i32.const 2))
    (drop (call $fd_write (i32.const 1) (i32.const 72) (i32.const 1) (i32.const 80))))
  (func $me (result i32) (i32.sub (call $pvm_mytid) (i32.const ${TID0})))`;

/** What was said: index of the ULP and the letter, in order. */
const said = (p: Process): string =>
  p.printed.map(({ tid, text }) => `${tid - TID0}${text.trim()}`).join(" ");
const stat = (p: Process, name: keyof typeof COUNTER): number => {
  const e = p.engines[0]!;
  return e.f64[e.counters + COUNTER[name]]!;
};

test("i: a receive that names its source hands over to it, past those before it in the queue", () => {
  const p = processOf(
    linkedProgram(`${SAY}
      (func (export "_start")
        (call $say (i32.const 97))
        (if (i32.eqz (call $me)) (then
          (drop (call $pvm_recv (i32.const ${TID0 + 3}) (i32.const 1)))
          (call $say (i32.const 98))))
        (if (i32.eq (call $me) (i32.const 3)) (then
          (drop (call $pvm_initsend (i32.const 0)))
          (drop (call $pvm_send (i32.const ${TID0}) (i32.const 1))))))`),
    { ulps: 5 },
  );
  // Those that never ran are UnInit, not Runnable: no hand-off to them (Figure 5), so ULP 3 comes in its
  // turn.
  p.run();
  assert.equal(said(p), "0a 1a 2a 3a 4a 0b");
  const yielding = linkedProgram(`${SAY}
      (func (export "_start")
        (drop (call $pvm_yield))
        (call $say (i32.const 97))
        (if (i32.eqz (call $me)) (then
          (drop (call $pvm_recv (i32.const ${TID0 + 3}) (i32.const 1)))
          (call $say (i32.const 98))))
        (if (i32.eq (call $me) (i32.const 3)) (then
          (drop (call $pvm_initsend (i32.const 0)))
          (drop (call $pvm_send (i32.const ${TID0}) (i32.const 1))))))`);
  const q = processOf(yielding, { ulps: 5 });
  q.run();
  assert.equal(said(q), "0a 3a 1a 2a 4a 0b");
  assert.equal(stat(q, "handoffs"), 1);
  const without = processOf(yielding, { ulps: 5, handoff: false });
  without.run();
  assert.equal(said(without), "0a 1a 2a 3a 4a 0b");
  assert.equal(stat(without, "handoffs"), 0);
});

test("ii: the run queue is first in, first out, and each yield goes to its tail", () => {
  const body = `${SAY} (func (export "_start")
    (call $say (i32.const 97)) (drop (call $pvm_yield)) (call $say (i32.const 98)) (drop (call $pvm_yield))
    (call $say (i32.const 99)))`;
  const p = processOf(linkedProgram(body), { ulps: 3 });
  p.run();
  assert.equal(said(p), "0a 1a 2a 0b 1b 2b 0c 1c 2c");
  assert.equal(stat(p, "switches"), 9);
});

test("an engine that begins late does not run what was spawned meanwhile: a tasker may hold it", () => {
  const p = processOf(linkedProgram(`(func (export "_start"))`), { ulps: 2, engines: 2 });
  const late = p.engines[1]!;
  const index = reserveIndices(p.library.w, 1);
  const spec = { program: 0, engine: 1, parentTid: TID0, siblingFirst: index, siblingCount: 1 };
  const spawned = ucreate(p.library, index, spec);
  startQueues(late);
  assert.equal(isQueued(late.w, p.ulp(1)), true);
  assert.equal(isQueued(late.w, spawned), false);
});

test("two ULPs that hand over to each other do not keep a third from running", () => {
  const rounds = 3 * LIMITS.handoffsInARow;
  const body = `${SAY} ${RING}
    (func (export "_start") (local $i i32)
      (if (i32.lt_s (call $me) (i32.const 2)) (then
        (i32.store (i32.const 0) (i32.const 2))
        (drop (call $pvm_yield))
        (loop $again
          (if (i32.eqz (call $me))
            (then (call $pass (i32.const 1)) (drop (call $take)))
            (else (drop (call $take)) (call $pass (i32.const 1))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $again (i32.lt_s (local.get $i) (i32.const ${rounds})))))
      (else (drop (call $pvm_yield)) (drop (call $pvm_yield))))
      (call $say (i32.const 101)))`;
  const p = processOf(linkedProgram(body), { ulps: 3 });
  p.run();
  assert.equal(said(p).split(" ")[0], "2e", "the third ended first");
});

test("iii: when all have ended, the process has, and nothing is left in the heap", () => {
  const p = processOf(linkedProgram(`${RING} (func (export "_start") (drop (call $ring (i32.const 20))))`), {
    ulps: 7,
  });
  p.run();
  assert.equal(p.library.w[HEAD.stop], STOP.done);
  assert.equal(p.library.w[HEAD.live], 0);
  for (let i = 0; i < 7; i++) assert.equal(p.library.w[p.ulp(i) + ULP.state], ULP_STATE.exited);
  assert.equal(stat(p, "messages"), 140);
  assert.equal(stat(p, "created"), 7);
  p.library.heap.check();
  assert.equal(p.library.heap.leaks(), "");
});

test("iv: with nothing runnable the engine sleeps until the next deadline, and not longer", () => {
  const body = `${SAY} (func (export "_start")
    (i64.store (i32.const 128) (i64.const 3))
    (i32.store (i32.const 136) (i32.mul (call $me) (i32.const 1000)))
    (drop (call $pvm_trecv (i32.const -1) (i32.const 1) (i32.const 128)))
    (call $say (i32.const 97)))`;
  const p = processOf(linkedProgram(body), { ulps: 3 });
  p.run();
  assert.equal(said(p), "0a 1a 2a");
  assert.equal(p.nowMs, 3002);
  assert.equal(stat(p, "sleeps"), 3);
  assert.equal(p.library.w[HEAD.outside], 0);
});

test("deadlock is found at once, and each ULP says what it waits for", () => {
  const body = `${SAY} (func (export "_start")
    (if (i32.eqz (call $me)) (then (drop (call $pvm_recv (i32.const ${TID0 + 2}) (i32.const 7)))))
    (if (i32.eq (call $me) (i32.const 1)) (then (drop (call $pvm_recv (i32.const -1) (i32.const -1)))))
    (if (i32.eq (call $me) (i32.const 3)) (then (drop (call $pvm_precv (i32.const ${TID0 + 900}) (i32.const 1)
      (i32.const 0) (i32.const 1) (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 0))))))`;
  const p = processOf(linkedProgram(body), { ulps: 4 });
  p.run();
  assert.equal(p.library.w[HEAD.stop], STOP.deadlock);
  assert.equal(p.nowMs, 0);
  assert.deepEqual(
    [0, 1, 2, 3].map((i) => doingText(p.library.w, p.ulp(i))),
    [
      "waits in pvm_recv for tag 7 from t40003 (exited)",
      "waits in pvm_recv for any tag from any task",
      "has ended",
      "waits in pvm_precv for tag 1 from t40385 (there is no such task)",
    ],
  );
});

test("a trap ends its ULP alone; messages to it are dropped; its waiters are in the deadlock report", () => {
  const body = `${SAY} (func (export "_start")
    (if (i32.eqz (call $me)) (then unreachable))
    (drop (call $pvm_initsend (i32.const 0)))
    (drop (call $pvm_send (i32.const ${TID0}) (i32.const 1)))
    (call $say (i32.const 97))
    (if (i32.eq (call $me) (i32.const 1)) (then (drop (call $pvm_recv (i32.const ${TID0}) (i32.const 1))))))`;
  const p = processOf(linkedProgram(body), { ulps: 3 });
  p.run();
  assert.equal(p.failures.length, 1);
  assert.equal(p.failures[0]!.index, 0);
  assert.equal(p.failures[0]!.message, "unreachable");
  assert.match(p.failures[0]!.stack, /wasm-function\[\d+\]:0x[0-9a-f]+/);
  assert.equal(p.library.w[p.ulp(0) + ULP.exitCode], 134);
  assert.equal(said(p), "1a 2a");
  assert.equal(stat(p, "dropped"), 2);
  assert.equal(p.library.w[HEAD.stop], STOP.deadlock);
  assert.equal(doingText(p.library.w, p.ulp(1)), "waits in pvm_recv for tag 1 from t40001 (exited)");
});

test("exit codes: of main, of proc_exit, and what was printed before", () => {
  const main = processOf(linkedProgram(`(func (export "main") (result i32) (i32.const 5))`), { ulps: 1 });
  main.run();
  assert.equal(main.library.w[main.ulp(0) + ULP.exitCode], 5);
  const body = `${SAY} (func (export "_start") (call $say (i32.const 97)) (call $proc_exit (i32.const 9)) (call $say (i32.const 98)))`;
  const exit = processOf(linkedProgram(body), { ulps: 1 });
  exit.run();
  assert.equal(exit.library.w[exit.ulp(0) + ULP.exitCode], 9);
  assert.deepEqual(exit.failures, []);
  assert.equal(said(exit), "0a");
});

test("frames grow as deep as the calls are, and at their limit the ULP fails and says by how much", () => {
  const body = `
    (func $deep (param $n i32) (result i32) (local $a i64)
      (local.set $a (i64.extend_i32_s (local.get $n)))
      (if (result i32) (i32.eqz (local.get $n))
        (then (drop (call $pvm_yield)) (i32.const 0))
        (else (i32.add (call $deep (i32.sub (local.get $n) (i32.const 1))) (i32.wrap_i64 (local.get $a))))))
    (func (export "main") (result i32) (i32.sub (call $deep (i32.const 5000)) (i32.const 12502500)))`;
  const p = processOf(linkedProgram(body), { ulps: 2 });
  p.run();
  assert.deepEqual(p.failures, []);
  for (const i of [0, 1]) assert.equal(p.library.w[p.ulp(i) + ULP.exitCode], 0);
  const q = processOf(linkedProgram(body), { ulps: 3, framesBytes: 20_000 });
  q.run();
  // The last has nobody to yield to, and is not suspended.
  assert.equal(q.failures.length, 2);
  assert.match(
    q.failures[0]!.message,
    /^unwind stack overflow: t40001 needs 20\d+ bytes of frames to be suspended, the limit is 20000 bytes$/,
  );
  q.library.heap.check();
  assert.equal(q.library.heap.leaks(), "");
});

test("a ULP that looks for a message in a loop lets others run, though nothing else would stop it", () => {
  const body = `${SAY} (func (export "_start")
    (if (i32.eqz (call $me))
      (then (loop $again (br_if $again (i32.eqz (call $pvm_nrecv (i32.const -1) (i32.const 1))))))
      (else
        (drop (call $pvm_initsend (i32.const 0)))
        (drop (call $pvm_send (i32.const ${TID0}) (i32.const 1)))))
    (call $say (i32.const 97)))`;
  const p = processOf(linkedProgram(body), { ulps: 2 });
  p.run();
  assert.equal(said(p), "1a 0a");
});

test("time slices: a poll gives way to a runnable ULP and goes on in the middle of its code later", () => {
  const body = `${SAY} (func (export "main") (result i32) (local $i i32) (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) (local.get $i)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_s (local.get $i) (i32.const 3000))))
    (call $say (i32.add (i32.const 97) (call $me)))
    (i32.ne (local.get $sum) (i32.const ${(() => {
      let sum = 0;
      for (let i = 0; i < 3000; i++) sum = (Math.imul(sum, 31) + i) | 0;
      return sum;
    })()})))`;
  // shuffle on one engine: every poll preempts.
  const p = processOf(linkedProgram(body), { ulps: 2, shuffle: 1 });
  p.run();
  assert.ok(stat(p, "switches") > 500, `${stat(p, "switches")} switches`);
  assert.equal(said(p), "0a 1b");
  for (const i of [0, 1]) assert.equal(p.library.w[p.ulp(i) + ULP.exitCode], 0);
});

test("without slices a ULP gives way when it has computed long while others could run, and not before", () => {
  const p = processOf(linkedProgram(`(func (export "main") (result i32) (i32.const 0))`), { ulps: 2 });
  const [e] = p.engines;
  const poll = (afterMs: number): unknown => {
    p.nowMs += afterMs;
    return (e!.imports.upvm["poll"] as () => number)();
  };
  const [ulp, other] = [p.ulp(0), p.ulp(1)];
  remove(e!.w, e!.runq, ulp);
  remove(e!.w, e!.runq, other);
  setState(e!.w, ulp, ULP_STATE.running);
  e!.current = ulp;
  assert.equal(poll(10), 0);
  assert.equal(poll(10 * LIMITS.starvedMs), 0, "nobody else could run");
  append(e!.w, e!.runq, other);
  assert.equal(poll(10), 0);
  assert.equal(poll(LIMITS.starvedMs - 1), 0);
  assert.equal(poll(1), 1);
  assert.equal(e!.w[ulp + ULP.state], ULP_STATE.runnable);
  assert.equal(e!.w[ulp + ULP.flags]! & ULP_FLAG.preempted, ULP_FLAG.preempted);
  assert.deepEqual([pick(e!), pick(e!)], [other, ulp], "it is behind those that waited");
});

test("Table VI: the first dispatch starts, the next resumes after the call, and after preemption in the middle", () => {
  const body = `${SAY} (func (export "main") (result i32) (local $i i32)
    (drop (call $pvm_yield))
    (loop $again
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_s (local.get $i) (i32.const 3))))
    (local.get $i))`;
  const p = processOf(linkedProgram(body), { ulps: 2 });
  const [e] = p.engines;
  const ulp = p.ulp(0);
  const flags = (): number => e!.w[ulp + ULP.flags]!;
  const step = (load: () => number): number => {
    setState(e!.w, ulp, ULP_STATE.running);
    if (isQueued(e!.w, ulp)) remove(e!.w, e!.runq, ulp);
    e!.current = ulp;
    e!.ctl[0]![CTL.current >> 2] = ulp << 2;
    const top = load();
    if (top !== 0) usave(e!, ulp, top);
    return top;
  };
  assert.equal(flags(), 0);
  assert.equal(e!.contexts[0], undefined);
  const base = step(() => asmUstart(e!, ulp));
  assert.ok(base > e!.w[ulp + ULP.framesBase]!, "it yielded, and its call is in its frames");
  assert.equal(flags(), ULP_FLAG.started);
  // A slice is over: the loop's poll gives way to ULP 1.
  e!.ctl[0]![CTL.attention >> 2] = ATTENTION.slice;
  const inLoop = step(() => asmUload(e!, ulp, e!.contexts[0]!.resume!));
  assert.ok(inLoop > 0);
  assert.equal(flags(), ULP_FLAG.started | ULP_FLAG.preempted);
  assert.equal(
    step(() => asmUfullLoad(e!, ulp)),
    0,
  );
  assert.equal(flags(), ULP_FLAG.started);
  assert.equal(e!.w[ulp + ULP.exitCode], 3);
  uterminate(e!, ulp, 0);
  uterminate(e!, p.ulp(1), 0);
  assert.equal(p.library.heap.leaks(), "");
});

test("a ULP whose turn is over goes on before others in the next, and is shown as the one that runs", () => {
  const p = processOf(IDLE, { ulps: 3, outside: true });
  const e = p.engines[0]!;
  const turn = new Int32Array(new SharedArrayBuffer(4 * TURN.words));
  Object.assign(e.edge, { turn });
  p.library.rung = () => {};
  const [first, second] = [actor(p, 0), actor(p, 1)];
  second.call("pvm_mytid");
  first.call("pvm_mytid");
  const { poll } = engineCalls(e);
  const shown = () => localTasks(p.library).map(([, state]) => state);
  assert.equal(poll(), 0);
  turn[TURN.over] = 1;
  assert.equal(poll(), 1);
  assert.equal(runTurn(e), false);
  assert.deepEqual(shown(), ["running", "runnable", "unInit"]);
  turn[TURN.over] = 0;
  assert.equal(pick(e), first.ulp);
});

test("each turn looks whether a sleeper's time has come, however short turns are and however many others can run", () => {
  const p = processOf(IDLE, { ulps: 2, outside: true });
  const [e] = p.engines as [(typeof p.engines)[number]];
  const words = new Int32Array(new SharedArrayBuffer(4 * TURN.words));
  Object.assign(e.edge, { turn: words });
  const sleeper = actor(p, 0);
  sleeper.view.setBigInt64(0x100, 3n, true);
  assert.equal(sleeper.call("pvm_trecv", -1, 7, 0x100), SUSPEND);
  const state = () => p.library.w[sleeper.ulp + ULP.state];
  const turn = () => {
    words[TURN.over] = 1;
    assert.equal(runTurn(e), false, "the other can run");
  };
  turn();
  assert.equal(state(), ULP_STATE.blocked);
  p.nowMs = 5000;
  turn();
  assert.equal(state(), ULP_STATE.runnable);
});

test.run();
