/**
 * ULPs that change engines, two engines on one thread: begging, giving, what travels, what arrives meanwhile.
 */
import assert from "node:assert/strict";
import { test } from "uvu";
import { link } from "../../runtime/link/link.ts";
import { engineMoves, sendUlp } from "../../runtime/migrate/engine-move.ts";
import { dispatch, pick, serveMail, serveWakes } from "../../runtime/scheduler/engine.ts";
import { COUNTER, type EngineState } from "../../runtime/scheduler/engine-state.ts";
import { members } from "../../runtime/scheduler/queue.ts";
import { isMigrating, stateText } from "../../runtime/scheduler/state.ts";
import { CTL, ENGINE, HEAD, SUSPEND, ULP, ULP_STATE, WAIT } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { actor, IDLE, leftovers, type Process, processOf } from "../one-thread.ts";
import { HALF_WAY, program } from "../wat-programs.ts";

function both(p: Process): [EngineState, EngineState] {
  return p.engines as unknown as [EngineState, EngineState];
}
const queue = (e: EngineState): number[] => members(e.w, e.runq).map((ulp) => e.w[ulp + ULP.index]!);
const moves = (e: EngineState): number => e.f64[e.counters + COUNTER.moves]!;

test("an engine that begs gets half of what would have to wait, and its beggar's bit is cleared", () => {
  const p = processOf(IDLE, { ulps: 7, engines: 2, place: () => 0 });
  const [e, f] = both(p);
  engineMoves.give(e, false);
  assert.equal(moves(e), 0, "nobody begs");
  engineMoves.beg(f);
  assert.equal(p.library.w[HEAD.beggars], 2);
  engineMoves.give(e, false);
  assert.equal(p.library.w[HEAD.beggars], 0);
  assert.deepEqual(queue(e), [0, 1, 2, 3]);
  assert.equal(p.library.w[f.row + ENGINE.mail], 3);
  serveMail(f);
  assert.deepEqual(queue(f), [6, 5, 4]);
  assert.equal(p.library.w[f.row + ENGINE.mail], 0);
  engineMoves.give(e, false);
  assert.equal(moves(e), 3);
  assert.equal(leftovers(p), "");
});

test("the only runnable ULP stays, unless another one runs on", () => {
  const p = processOf(IDLE, { ulps: 1, engines: 2, place: () => 0 });
  const [e, f] = both(p);
  engineMoves.beg(f);
  engineMoves.give(e, false);
  assert.deepEqual(queue(e), [0]);
  engineMoves.give(e, true);
  assert.deepEqual(queue(e), []);
  serveMail(f);
  assert.deepEqual(queue(f), [0]);
  engineMoves.thank(f);
  assert.equal(p.library.w[HEAD.beggars], 0);
  assert.equal(leftovers(p), "");
});

test("an engine that keeps a ULP waiting without a switch is asked by its attention word, later and later", () => {
  const p = processOf(IDLE, { ulps: 2, engines: 2, place: () => 0 });
  const [e, f] = both(p);
  const attention = (): number => p.library.ctl[0]![CTL.attention >> 2]!;
  engineMoves.beg(f);
  e.f64[e.counters + COUNTER.switches]! += 5;
  assert.equal(engineMoves.look(f), LIMITS.stealAgainMs);
  assert.equal(attention(), 0, "it has switched since");
  assert.equal(engineMoves.look(f), 2 * LIMITS.stealAgainMs);
  assert.equal(attention(), 2);
  for (let i = 0; i < 10; i++) engineMoves.look(f);
  assert.equal(engineMoves.look(f), LIMITS.stealAgainMsMax);
  engineMoves.thank(f);
  assert.equal(leftovers(p), "");
});

test("messages that come between giver and taker are there when it arrives, in order, and wake it", () => {
  const p = processOf(IDLE, { ulps: 3, engines: 2, place: (index) => (index === 2 ? 1 : 0) });
  const [e, f] = both(p);
  const [a, b, c] = [actor(p, 0), actor(p, 1), actor(p, 2)];
  const say = (from: typeof a, tag: number): void => {
    from.call("pvm_initsend", 1);
    from.call("pvm_send", b.tid, tag);
  };
  say(a, 1);
  assert.equal(b.call("pvm_recv", -1, 5), SUSPEND);
  // As shuffle does: claimed, so nobody else wakes it.
  p.library.w[b.ulp + ULP.waiting] = 0;
  e.contexts[1]!.linked = undefined;
  assert.equal(sendUlp(e, b.ulp, 1), true);
  assert.equal(stateText(p.library.w[b.ulp + ULP.state]!), "blocked+migrating");
  assert.deepEqual(members(e.w, e.waitq), []);
  say(a, 2);
  assert.notEqual(p.library.w[b.ulp + ULP.inbox], 0, "from the old engine it goes to the inbox");
  say(c, 5);
  assert.equal(
    p.library.w[b.ulp + ULP.inbox],
    0,
    "from the new one into the queue, behind what is in the inbox",
  );
  say(c, 5);
  assert.equal(p.library.w[b.ulp + ULP.msgqCount], 4);
  assert.deepEqual(
    [isMigrating(e.w, b.ulp), queue(f).includes(1)],
    [true, false],
    "nobody wakes it on its way",
  );
  serveMail(f);
  assert.equal(p.library.w[b.ulp + ULP.state], ULP_STATE.runnable);
  assert.equal(p.library.w[b.ulp + ULP.wait], WAIT.none);
  assert.deepEqual(queue(f), [1]);
  assert.equal(leftovers(p), "");
});

test("a timed wait goes with its ULP", () => {
  const p = processOf(IDLE, { ulps: 1, engines: 2, place: () => 0 });
  const [e, f] = both(p);
  const a = actor(p, 0);
  a.view.setBigInt64(0x100, 3n, true);
  assert.equal(a.call("pvm_trecv", -1, 1, 0x100), SUSPEND);
  p.library.w[a.ulp + ULP.waiting] = 0;
  e.contexts[0]!.linked = undefined;
  sendUlp(e, a.ulp, 1);
  assert.equal(e.timers.length, 0);
  serveMail(f);
  assert.equal(f.timers.nextMs, 3000);
  assert.equal(p.library.w[HEAD.outside], 1);
  assert.equal(leftovers(p), "");
});

test("a program goes on where it was on the other engine: memory, globals, tables, and output without its newline", () => {
  const wasm = program(HALF_WAY);
  const { info } = link(wasm);
  assert.equal(info.tables, 1);
  const module = new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>);
  const linked = {
    id: 0,
    name: "test",
    module,
    pages: info.pages,
    stateBytes: info.stateBytes,
    tables: info.tables,
  };
  const p = processOf(linked, { ulps: 2, engines: 2, place: () => 0 });
  const [e, f] = both(p);
  dispatch(e, pick(e));
  assert.equal(p.library.w[p.ulp(0) + ULP.state], ULP_STATE.runnable);
  assert.equal(sendUlp(e, p.ulp(0), 1), true);
  assert.notEqual(p.library.w[p.ulp(0) + ULP.savedAt], 0);
  assert.equal(e.contexts[0], undefined);
  serveMail(f);
  dispatch(f, pick(f));
  assert.deepEqual(p.failures, []);
  assert.equal(p.library.w[p.ulp(0) + ULP.exitCode], 1 + 20 + 300 + 4000);
  assert.deepEqual(
    p.printed.map(({ text }) => text),
    ["half a line\n"],
  );
  assert.equal(p.library.w[p.ulp(0) + ULP.engine], 1);
  assert.equal(leftovers(p), "");
});

test("a remote sender wakes a ULP that waits for just that, by way of its engine's wakes", () => {
  const p = processOf(IDLE, { ulps: 2, engines: 2, place: (index) => index });
  const [, f] = both(p);
  const [a, b] = [actor(p, 0), actor(p, 1)];
  b.call("pvm_recv", a.tid, 7);
  a.call("pvm_initsend", 1);
  a.call("pvm_send", b.tid, 6);
  assert.equal(p.library.w[f.row + ENGINE.wakes], 0, "not for another tag");
  a.call("pvm_send", b.tid, 7);
  assert.equal(p.library.w[f.row + ENGINE.wakes], b.ulp << 2);
  assert.equal(p.library.w[b.ulp + ULP.state], ULP_STATE.blocked, "it is its engine that makes it runnable");
  serveWakes(f);
  assert.deepEqual(queue(f), [1]);
  assert.ok(b.resumed() > 0);
  assert.ok(b.call("pvm_nrecv", -1, 6) > 0);
  assert.equal(leftovers(p), "");
});

test.run();
