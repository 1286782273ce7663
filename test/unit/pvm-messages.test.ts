import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "uvu";
import { uterminate } from "../../runtime/scheduler/end.ts";
import { serveTimers } from "../../runtime/scheduler/engine.ts";
import { SUSPEND, ULP, ULP_STATE } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import { type Actor, actor, IDLE, leftovers, type Process, processOf } from "../one-thread.ts";

const AT = 0x100;
const OUT = 0x200;

function people(n: number): { p: Process; ulps: Actor[]; end: () => void } {
  const p = processOf(IDLE, { ulps: n });
  const ulps = Array.from({ length: n }, (_, index) => actor(p, index));
  return { p, ulps, end: () => assert.equal(leftovers(p), "") };
}

/** Sends one int in a new buffer. */
function say(from: Actor, to: Actor, tag: number, value: number): number {
  from.call("pvm_initsend", 1);
  from.view.setInt32(AT, value, true);
  from.call("pvm_pkint", AT, 1, 1);
  return from.call("pvm_send", to.tid, tag);
}

/** Unpacks one int of the default receive buffer. */
function hear(a: Actor): number {
  assert.equal(a.call("pvm_upkint", AT, 1, 1), 0);
  return a.view.getInt32(AT, true);
}

const state = (p: Process, index: number): number => p.library.w[p.ulp(index) + ULP.state]!;

test("a message that has arrived is received at once; else the receiver blocks until it comes", () => {
  const { p, ulps, end } = people(2);
  const [a, b] = ulps as [Actor, Actor];
  say(a, b, 7, 42);
  assert.ok(b.call("pvm_recv", a.tid, 7) > 0);
  assert.equal(hear(b), 42);
  assert.equal(b.call("pvm_recv", a.tid, 7), SUSPEND);
  assert.equal(state(p, 1), ULP_STATE.blocked);
  say(a, b, 8, 0);
  assert.equal(state(p, 1), ULP_STATE.blocked, "a message with another tag does not wake it");
  say(a, b, 7, 43);
  assert.equal(state(p, 1), ULP_STATE.runnable);
  assert.ok(b.resumed() > 0);
  assert.equal(hear(b), 43);
  assert.ok(b.call("pvm_nrecv", a.tid, 8) > 0);
  end();
});

test("pvm_recv of what is no task and no tag is PvmBadParam, and takes nothing", () => {
  const { ulps, end } = people(1);
  const [a] = ulps as [Actor];
  say(a, a, 7, 42);
  for (const tid of [-2, 0x40000000]) assert.equal(a.call("pvm_recv", tid, 7), PVM_ERROR.PvmBadParam.code);
  assert.equal(a.call("pvm_recv", -1, -2), PVM_ERROR.PvmBadParam.code);
  assert.ok(a.call("pvm_recv", -1, 7) > 0);
  end();
});

test("wildcards take the first message that matches, in order of arrival", () => {
  const { ulps, end } = people(3);
  const [a, b, c] = ulps as [Actor, Actor, Actor];
  const sent: [Actor, number, number][] = [
    [a, 1, 10],
    [b, 2, 20],
    [a, 2, 30],
    [b, 1, 40],
    [a, 1, 50],
  ];
  for (const [from, tag, value] of sent) say(from, c, tag, value);
  const receive = (tid: number, tag: number): number => {
    assert.ok(c.call("pvm_recv", tid, tag) > 0);
    return hear(c);
  };
  assert.equal(receive(b.tid, -1), 20);
  assert.equal(receive(-1, 2), 30);
  assert.equal(receive(-1, -1), 10);
  assert.equal(receive(a.tid, 1), 50);
  assert.equal(receive(-1, -1), 40);
  end();
});

test("what one ULP sends another arrives in order, whatever receives pick from it", () => {
  const pick = fc.record({ tid: fc.constantFrom(0, 1, -1), tag: fc.constantFrom(0, 1, 2, -1) });
  const send = fc.record({ from: fc.nat(1), tag: fc.nat(2) });
  fc.assert(
    fc.property(fc.array(send, { maxLength: 40 }), fc.array(pick, { maxLength: 60 }), (sends, picks) => {
      const { ulps, end } = people(3);
      const receiver = ulps[2]!;
      const model = sends.map(({ from, tag }, value) => ({ from, tag, value }));
      for (const { from, tag, value } of model) say(ulps[from]!, receiver, tag, value);
      for (const { tid, tag } of picks) {
        const at = model.findIndex((m) => (tid === -1 || m.from === tid) && (tag === -1 || m.tag === tag));
        const got = receiver.call("pvm_nrecv", tid === -1 ? -1 : ulps[tid]!.tid, tag);
        assert.equal(got > 0, at >= 0);
        if (at >= 0) assert.equal(hear(receiver), model.splice(at, 1)[0]!.value);
      }
      end();
    }),
    { numRuns: 60 },
  );
});

test("the send buffer keeps its content over sends, and what is packed later does not change what was sent", () => {
  const { ulps, end } = people(3);
  const [a, b, c] = ulps as [Actor, Actor, Actor];
  say(a, b, 1, 5);
  assert.equal(a.call("pvm_send", c.tid, 1), 0);
  a.view.setInt32(AT, 6, true);
  a.call("pvm_pkint", AT, 1, 1);
  assert.equal(a.call("pvm_send", c.tid, 2), 0);
  b.call("pvm_recv", -1, -1);
  assert.equal(hear(b), 5);
  assert.equal(b.call("pvm_upkint", AT, 1, 1), -5);
  c.call("pvm_recv", -1, 2);
  assert.deepEqual([hear(c), hear(c)], [5, 6]);
  c.call("pvm_recv", -1, 1);
  assert.equal(hear(c), 5);
  assert.equal(c.call("pvm_upkint", AT, 1, 1), -5);
  end();
});

test("a multicast is one buffer, whoever reads it, each at its own pace", () => {
  const { p, ulps, end } = people(4);
  const [a, ...others] = ulps as [Actor, Actor, Actor, Actor];
  a.call("pvm_initsend", 1);
  [1, 2].forEach((value, i) => {
    a.view.setInt32(AT + 4 * i, value, true);
  });
  a.call("pvm_pkint", AT, 2, 1);
  const before = p.library.heap.buffers();
  // Twice in the list, and the sender itself: once each, and not to itself.
  const list = [...others, a, ...others];
  list.forEach(({ tid }, i) => {
    a.view.setInt32(OUT + 4 * i, tid, true);
  });
  assert.equal(a.call("pvm_mcast", OUT, list.length, 3), 0);
  assert.equal(p.library.heap.buffers(), before, "no copy was made");
  assert.equal(a.call("pvm_nrecv", -1, -1), 0);
  for (const other of others) other.call("pvm_recv", a.tid, 3);
  for (const other of others) assert.equal(hear(other), 1);
  for (const other of others) assert.equal(hear(other), 2);
  for (const other of others) assert.equal(other.call("pvm_nrecv", -1, -1), 0);
  end();
});

test("a timed receive ends with 0 when its time is over, and with the message if that comes first", () => {
  const { p, ulps, end } = people(2);
  const [a, b] = ulps as [Actor, Actor];
  const wait = (): void => {
    b.view.setBigInt64(OUT, 2n, true);
    b.view.setInt32(OUT + 8, 500_000, true);
    assert.equal(b.call("pvm_trecv", -1, 4, OUT), SUSPEND);
  };
  wait();
  assert.equal(p.engines[0]!.timers.nextMs, 2500);
  p.nowMs = 2499;
  serveTimers(p.engines[0]!);
  assert.equal(state(p, 1), ULP_STATE.blocked);
  p.nowMs = 2500;
  serveTimers(p.engines[0]!);
  assert.equal(b.resumed(), 0);
  wait();
  say(a, b, 4, 9);
  assert.equal(p.engines[0]!.timers.length, 0);
  assert.ok(b.resumed() > 0);
  assert.equal(hear(b), 9);
  end();
});

test("probe gives the same id each time, and freeing it destroys the message", () => {
  const { ulps, end } = people(2);
  const [a, b] = ulps as [Actor, Actor];
  say(a, b, 1, 1);
  say(a, b, 2, 2);
  const one = b.call("pvm_probe", -1, 1);
  const two = b.call("pvm_probe", -1, 2);
  assert.notEqual(one, two);
  assert.equal(b.call("pvm_probe", a.tid, 1), one);
  assert.equal(b.call("pvm_freebuf", one), 0);
  assert.equal(b.call("pvm_probe", -1, 1), 0);
  assert.equal(b.call("pvm_recv", -1, -1), two);
  assert.equal(hear(b), 2);
  end();
});

test("a probed message that is made the receive buffer is received", () => {
  const { ulps, end } = people(2);
  const [a, b] = ulps as [Actor, Actor];
  say(a, b, 1, 11);
  const id = b.call("pvm_probe", -1, -1);
  assert.equal(b.call("pvm_setrbuf", id), 0);
  assert.equal(hear(b), 11);
  assert.equal(b.call("pvm_nrecv", -1, -1), 0);
  end();
});

test("a received buffer that is set aside keeps its content and its place", () => {
  const { ulps, end } = people(2);
  const [a, b] = ulps as [Actor, Actor];
  a.call("pvm_initsend", 1);
  [5, 6].forEach((value, i) => {
    a.view.setInt32(AT + 4 * i, value, true);
  });
  a.call("pvm_pkint", AT, 2, 1);
  a.call("pvm_send", b.tid, 1);
  say(a, b, 2, 7);
  const first = b.call("pvm_recv", -1, 1);
  assert.equal(hear(b), 5);
  assert.equal(b.call("pvm_setrbuf", 0), first);
  const second = b.call("pvm_recv", -1, 2);
  assert.notEqual(second, first);
  assert.equal(hear(b), 7);
  assert.equal(b.call("pvm_setrbuf", first), second);
  assert.equal(hear(b), 6);
  end();
});

test("a receiver can have LIMITS.messagesPerUlp unread messages; the next is PvmNoMem and nothing is lost", () => {
  const p = processOf(IDLE, { ulps: 2, heapBytes: 96 << 20 });
  const [a, b] = [actor(p, 0), actor(p, 1)];
  say(a, b, 1, 3);
  let code = 0;
  let sent = 1;
  while (code === 0 && sent <= LIMITS.messagesPerUlp) {
    code = a.call("pvm_send", b.tid, 1);
    if (code === 0) sent++;
  }
  assert.equal(sent, LIMITS.messagesPerUlp);
  assert.equal(code, -10);
  assert.match(p.printed.at(-1)!.text, /pvm_send\(\): Malloc failed/);
  assert.ok(b.call("pvm_recv", a.tid, 1) > 0);
  assert.equal(hear(b), 3);
  assert.equal(a.call("pvm_send", b.tid, 1), 0);
  assert.equal(leftovers(p), "");
});

test("a full heap gives PvmNoMem to who packs or sends, and all is back when messages are freed", () => {
  const p = processOf(IDLE, { ulps: 2, heapBytes: 4 << 20 });
  const [a, b] = [actor(p, 0), actor(p, 1)];
  const fill = (): number => {
    let n = 0;
    for (;;) {
      if (a.call("pvm_initsend", 1) < 0) return n;
      if (a.call("pvm_pkbyte", 0, 0xc000, 1) < 0) return n;
      if (a.call("pvm_send", b.tid, 1) < 0) return n;
      n++;
    }
  };
  const n = fill();
  assert.ok(n > 20 && n < 100, `${n} messages of 48 KiB in 4 MiB`);
  for (let i = 0; i < n; i++) assert.ok(b.call("pvm_nrecv", -1, -1) > 0);
  assert.equal(b.call("pvm_nrecv", -1, -1), 0);
  assert.ok(fill() >= n - 2);
  assert.equal(leftovers(p), "");
});

test("a receiver whose buffer table is full learns of it, and the message is still there", () => {
  const p = processOf(IDLE, { ulps: 2, heapBytes: 64 << 20 });
  const [a, b] = [actor(p, 0), actor(p, 1)];
  const ids: number[] = [];
  for (let id = b.call("pvm_mkbuf", 1); id > 0; id = b.call("pvm_mkbuf", 1)) ids.push(id);
  assert.equal(ids.length, LIMITS.buffersPerUlp);
  say(a, b, 1, 4);
  assert.equal(b.call("pvm_recv", -1, 1), -10);
  assert.equal(b.call("pvm_freebuf", ids.pop()!), 0);
  assert.ok(b.call("pvm_recv", -1, 1) > 0);
  assert.equal(hear(b), 4);
  assert.equal(leftovers(p), "");
});

test("messages to a ULP that has ended, or left PVM with some unread, are dropped", () => {
  const { p, ulps, end } = people(3);
  const [a, b, c] = ulps as [Actor, Actor, Actor];
  say(a, b, 1, 1);
  say(a, c, 1, 1);
  uterminate(p.engines[0]!, b.ulp, 0);
  assert.equal(say(a, b, 1, 2), 0);
  assert.equal(c.call("pvm_exit"), 0);
  assert.equal(c.call("pvm_nrecv", -1, -1), 0);
  assert.deepEqual(p.printed, []);
  end();
});

test("a string that is to be unpacked to NULL is PvmBadParam: nothing is written, and it can be unpacked yet", () => {
  const { ulps, end } = people(1);
  const [a] = ulps as [Actor];
  a.call("pvm_initsend", 0);
  a.call("pvm_pkstr", a.text("abc"));
  a.call("pvm_send", a.tid, 1);
  assert.ok(a.call("pvm_recv", -1, 1) > 0);
  a.view.setInt32(0, 77, true);
  assert.equal(a.call("pvm_upkstr", 0), PVM_ERROR.PvmBadParam.code);
  assert.equal(a.view.getInt32(0, true), 77);
  assert.equal(a.call("pvm_upkstr", OUT), 0);
  assert.equal(a.view.getInt32(OUT, true), 0x636261);
  end();
});

test.run();
