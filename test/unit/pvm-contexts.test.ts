/** Contexts: what is sent in one is received in it alone, however it is sent, asked for and waited for. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { serveWakes } from "../../runtime/scheduler/engine.ts";
import { SUSPEND, ULP, ULP_STATE } from "../../wire/layout.ts";
import { TestMachine } from "../machine.ts";
import { type Actor, actor, IDLE, leftovers, type Process, processOf } from "../one-thread.ts";

const AT = 0x100;

function people(n: number, engines = 1): { p: Process; ulps: Actor[]; end: () => void } {
  const p = processOf(IDLE, { ulps: n, engines });
  const ulps = Array.from({ length: n }, (_, index) => actor(p, index));
  return { p, ulps, end: () => assert.equal(leftovers(p), "") };
}

function say(from: Actor, to: Actor, tag: number, value: number): void {
  from.call("pvm_initsend", 1);
  from.view.setInt32(AT, value, true);
  from.call("pvm_pkint", AT, 1, 1);
  assert.equal(from.call("pvm_send", to.tid, tag), 0);
}

function hear(a: Actor): number {
  assert.equal(a.call("pvm_upkint", AT, 1, 1), 0);
  return a.view.getInt32(AT, true);
}

const state = (p: Process, index: number): number => p.library.w[p.ulp(index) + ULP.state]!;

test("pvm_setcontext takes any int and returns the one before; 0 to begin with", () => {
  const { ulps, end } = people(1);
  const [a] = ulps as [Actor];
  assert.equal(a.call("pvm_getcontext"), 0);
  let before = 0;
  for (const context of [262145, -5, -0x80000000, -0x80000000 + 3, 0x7fffffff, 0]) {
    assert.equal(a.call("pvm_setcontext", context), before);
    assert.equal(a.call("pvm_getcontext"), context);
    before = context;
  }
  end();
});

test("no wildcard crosses a context: not in recv, nrecv, trecv, probe or precv", () => {
  const { ulps, end } = people(2);
  const [a, b] = ulps as [Actor, Actor];
  a.call("pvm_setcontext", 7);
  say(a, b, 1, 11);
  say(a, b, 2, 22);
  a.call("pvm_setcontext", 0);
  say(a, b, 1, 33);
  b.call("pvm_setcontext", 9);
  assert.equal(b.call("pvm_nrecv", -1, -1), 0);
  assert.equal(b.call("pvm_probe", a.tid, 1), 0);
  b.bytes.fill(0, 0x200, 0x210);
  assert.equal(b.call("pvm_trecv", -1, -1, 0x200), 0);
  b.call("pvm_setcontext", 7);
  assert.ok(b.call("pvm_probe", -1, 2) > 0);
  assert.ok(b.call("pvm_recv", -1, -1) > 0);
  assert.equal(hear(b), 11);
  assert.equal(b.call("pvm_precv", -1, -1, AT, 1, 3, 0, 0, 0), 0);
  assert.equal(b.view.getInt32(AT, true), 22);
  assert.equal(b.call("pvm_nrecv", -1, -1), 0);
  b.call("pvm_setcontext", 0);
  assert.ok(b.call("pvm_nrecv", -1, -1) > 0);
  assert.equal(hear(b), 33);
  end();
});

for (const engines of [1, 2]) {
  test(`a waiting receive is woken by its own context only (engines: ${engines})`, () => {
    const { p, ulps, end } = people(2, engines);
    const [a, b] = ulps as [Actor, Actor];
    for (const context of [7, -0x80000000 + 1]) {
      b.call("pvm_setcontext", context);
      // The kernel's way needs a buffer to replace: twice.
      for (const round of [1, 2]) {
        assert.equal(b.call("pvm_recv", -1, -1), SUSPEND);
        a.call("pvm_setcontext", 8);
        say(a, b, 1, 1);
        assert.equal(a.call("pvm_psend", b.tid, 1, AT, 1, 3), 0);
        a.call("pvm_setcontext", 0);
        say(a, b, 1, 2);
        serve(p);
        assert.equal(state(p, 1), ULP_STATE.blocked, `context ${context}`);
        a.call("pvm_setcontext", context);
        say(a, b, 1, 3);
        serve(p);
        assert.ok(b.resumed() > 0);
        assert.equal(hear(b), 3, `round ${round}`);
      }
    }
    end();
  });
}

/** Lets the engines take what came from each other. */
function serve(p: Process): void {
  for (const e of p.engines) serveWakes(e);
}

test("a precv that waits on the same engine gets what is sent in its context, and nothing else", () => {
  const { p, ulps, end } = people(2);
  const [a, b] = ulps as [Actor, Actor];
  b.call("pvm_setcontext", 5);
  assert.equal(b.call("pvm_precv", -1, -1, AT, 1, 3, 0, 0, 0), SUSPEND);
  a.view.setInt32(AT, 44, true);
  a.call("pvm_psend", b.tid, 1, AT, 1, 3);
  assert.equal(state(p, 1), ULP_STATE.blocked);
  a.call("pvm_setcontext", 5);
  a.view.setInt32(AT, 55, true);
  a.call("pvm_psend", b.tid, 1, AT, 1, 3);
  assert.equal(b.resumed(), 0);
  assert.equal(b.view.getInt32(AT, true), 55);
  end();
});

test("a spawned task begins in its parent's context, with the output options that are for its children", async () => {
  const p = processOf(IDLE, { ulps: 1 });
  const a = actor(p, 0);
  a.call("pvm_setcontext", 123);
  const task = a.text("test");
  assert.equal(a.call("pvm_spawn", task, 0, 0, 0, 1, AT), 1);
  const child = actor(p, 1);
  assert.equal(child.call("pvm_getcontext"), 123);
  assert.equal(leftovers(p), "");
});

test("new contexts are all different and above PvmBaseContext; a freed one is not found again", async () => {
  const { p, ulps, end } = people(2);
  const machine = new TestMachine(p);
  const answer = async (a: Actor, name: string, ...args: number[]): Promise<number> => {
    assert.equal(a.call(name, ...args), SUSPEND);
    await machine.serve();
    return a.resumed();
  };
  const [a, b] = ulps as [Actor, Actor];
  const contexts = [
    await answer(a, "pvm_newcontext"),
    await answer(b, "pvm_newcontext"),
    await answer(a, "pvm_newcontext"),
  ];
  assert.deepEqual(contexts, [262145, 262146, 262147]);
  assert.equal(await answer(b, "pvm_freecontext", contexts[0]!), 0);
  for (const context of [contexts[0]!, 0, -1, 999])
    assert.equal(await answer(a, "pvm_freecontext", context), -32);
  assert.equal(p.printed.at(-1)?.text, "libpvm [t40001]: pvm_freecontext(): Not Found\n");
  assert.equal(await answer(b, "pvm_newcontext"), 262148);
  end();
});

test.run();
