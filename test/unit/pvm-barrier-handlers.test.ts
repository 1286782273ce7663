/** Message handlers of ULPs that wait in a barrier whose group the virtual machine keeps (runtime/pvm/attended.ts). */
import assert from "node:assert/strict";
import { test } from "uvu";
import { serveMail } from "../../runtime/scheduler/engine.ts";
import type { Parcel } from "../../runtime/scheduler/engine-state.ts";
import { getState } from "../../runtime/scheduler/state.ts";
import { doingText } from "../../runtime/scheduler/wait-text.ts";
import { HEAD, INTERRUPT, SUSPEND, ULP, ULP_STATE, WAIT } from "../../wire/layout.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import type { Request } from "../../wire/requests.ts";
import { type Folk, folk } from "../folk.ts";
import { type Actor, actor, leftovers, type Process } from "../one-thread.ts";
import { hop, ownActor, pair, say } from "../two-processes.ts";

const { PvmNotInGroup } = PVM_ERROR;

/** What a ULP does that the wrappers of a linked module do (runtime/link/interrupts.ts), and a message with this tag. */
function handling(f: Folk, who: Actor) {
  const [e] = f.p.engines as [Process["engines"][0]];
  const upvm = e.imports.upvm as Record<string, () => number>;
  const as = (name: string): number => {
    who.call("pvm_getsbuf");
    return upvm[name]!();
  };
  return {
    begin: () => as("begin_looking"),
    handle: () => as("handle"),
    handled: () => as("handled"),
    state: () => getState(f.p.library.w, who.ulp),
    async tell(from: Actor, tag: number) {
      from.call("pvm_initsend", 0);
      assert.equal(await f.call(from, "pvm_send", who.tid, tag), 0);
    },
  };
}

test("handlers run while their ULP waits in a barrier of the virtual machine, which it has come to meanwhile", async () => {
  const f = folk("machine", 3);
  const [a, b, c] = f.ulps as [Actor, Actor, Actor];
  for (const i of [0, 1, 2]) await f.on(i, "joingroup", "g");
  const { begin, handle, handled, state, tell } = handling(f, a);
  assert.equal(a.call("pvm_addmhf", -1, 50, -1, 1), 1);
  // Released without a message: the call comes again for its answer.
  begin();
  assert.equal(await f.on(0, "barrier", "g", 2), SUSPEND);
  assert.match(doingText(f.p.library.w, a.ulp), /waits in pvm_barrier for the virtual machine/);
  assert.equal(await f.on(1, "barrier", "g", 2), 0);
  assert.equal(a.resumed(), INTERRUPT.handle);
  assert.equal(handle(), 0);
  assert.equal(await f.on(0, "barrier", "g", 2), 0);
  // A message that no handler takes does not wake it; one that a handler takes does.
  begin();
  assert.equal(await f.on(0, "barrier", "g", 3), SUSPEND);
  await tell(b, 7);
  assert.equal(state(), ULP_STATE.blocked);
  await tell(b, 50);
  assert.equal(a.resumed(), INTERRUPT.handle);
  assert.equal(handle(), 1);
  // The handler asks for something, and the name of its group is overwritten; it is still in the barrier.
  begin();
  assert.equal(await f.on(0, "gsize", "g"), 3);
  assert.equal(await f.on(1, "barrier", "g", 3), SUSPEND);
  handled();
  assert.equal(await f.on(0, "barrier", "", 3), SUSPEND);
  // Released while a handler runs.
  await tell(c, 50);
  assert.equal(a.resumed(), INTERRUPT.handle);
  assert.equal(handle(), 1);
  assert.equal(await f.on(2, "barrier", "g", 3), 0);
  assert.equal(b.resumed(), 0);
  assert.notEqual(state(), ULP_STATE.blocked);
  await tell(c, 50);
  handled();
  assert.equal(await f.on(0, "barrier", "g", 3), 0);
  // The message that came last is for the next call.
  begin();
  assert.equal(await f.on(0, "barrier", "g", 1), INTERRUPT.handle);
  assert.equal(handle(), 1);
  handled();
  // Answered at once.
  assert.equal(await f.on(0, "barrier", "g", 1), INTERRUPT.handle);
  assert.equal(handle(), 0);
  assert.equal(await f.on(0, "barrier", "g", 1), 0);
  await f.end();
});

test("a handler that leaves PVM, or meets others itself, leaves nobody waiting for its ULP", async () => {
  const f = folk("machine", 3);
  const [a, b] = f.ulps as [Actor, Actor];
  for (const i of [0, 1, 2]) await f.on(i, "joingroup", "g");
  const { begin, handle, handled, tell } = handling(f, a);
  a.call("pvm_addmhf", -1, 50, -1, 1);
  begin();
  assert.equal(await f.on(0, "barrier", "g", 3), SUSPEND);
  await tell(b, 50);
  assert.equal(a.resumed(), INTERRUPT.handle);
  assert.equal(handle(), 1);
  // As in PVM, it counts again: of the three that have come two are the same.
  begin();
  assert.equal(await f.on(0, "barrier", "g", 3), SUSPEND);
  assert.equal(await f.on(1, "barrier", "g", 3), 0);
  assert.equal(a.resumed(), 0);
  handled();
  assert.equal(await f.on(0, "barrier", "g", 3), 0);
  begin();
  assert.equal(await f.on(0, "barrier", "g", 3), SUSPEND);
  await tell(b, 50);
  assert.equal(a.resumed(), INTERRUPT.handle);
  assert.equal(handle(), 1);
  begin();
  assert.equal(await f.call(a, "pvm_exit"), 0);
  handled();
  assert.equal(await f.on(0, "barrier", "g", 3), INTERRUPT.handle);
  assert.equal(handle(), 0);
  assert.equal(await f.on(0, "barrier", "g", 3), PvmNotInGroup.code);
  assert.equal(await f.on(1, "barrier", "g", 2), SUSPEND);
  assert.equal(await f.on(2, "barrier", "g", 2), 0);
  assert.equal(b.resumed(), 0);
  await f.end();
});

test("in a barrier of the virtual machine, its handlers are woken there, and its answer is kept while they run", async () => {
  const [p, q] = pair();
  const a = ownActor(p, 0);
  p.library.w[HEAD.machine] = 1;
  a.call("pvm_addmhf", -1, 40, -1, 1);
  assert.equal(a.call("pvm_barrier", a.text("g"), 2), SUSPEND);
  const [{ serial }] = p.asked as [Request];
  await hop(p, q, 0);
  assert.equal(q.library.w[q.ulp(0) + ULP.wait], WAIT.attended);
  say(actor(q, 1), a.tid, 40, 1);
  const b = actor(q, 0, q.engines[0]!.contexts[0]);
  assert.equal(b.resumed(), INTERRUPT.handle);
  const { handle, handled } = q.engines[0]!.imports.upvm as Record<string, () => number>;
  assert.equal(handle!(), 1);
  const answer: Parcel = { kind: "answer", index: 0, of: "barrier", serial, answer: { value: 0 } };
  q.mail[0]!.push(answer);
  Atomics.add(q.library.w, q.engines[0]!.row + 4, 1);
  serveMail(q.engines[0]!);
  handled!();
  assert.equal(b.call("pvm_barrier", b.text("g"), 2), 0);
  assert.equal(leftovers(p) + leftovers(q), "");
});

test.run();
