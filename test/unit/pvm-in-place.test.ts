/** PvmDataInPlace: what is sent is what the memory has then. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { type Actor, actor, IDLE, leftovers, processOf } from "../one-thread.ts";

const AT = 0x100;
const IN_PLACE = 2;

function two() {
  const p = processOf(IDLE, { ulps: 2 });
  const [a, b] = [actor(p, 0), actor(p, 1)];
  return { p, a, b, end: () => assert.equal(leftovers(p), "") };
}

const put = (a: Actor, ...values: number[]): void =>
  values.forEach((value, i) => {
    a.view.setInt32(AT + 4 * i, value, true);
  });

function hear(b: Actor, n: number): number[] {
  assert.ok(b.call("pvm_recv", -1, -1) > 0);
  assert.equal(b.call("pvm_upkint", AT, n, 1), 0);
  assert.equal(b.call("pvm_upkint", AT + 0x100, 1, 1), -5);
  return Array.from({ length: n }, (_, i) => b.view.getInt32(AT + 4 * i, true));
}

test("data is read when it is sent, and again when it is sent again", () => {
  const { a, b, end } = two();
  for (const encoding of [0, IN_PLACE, 1, IN_PLACE]) assert.ok(a.call("pvm_initsend", encoding) > 0);
  put(a, 1, 2, 3);
  assert.equal(a.call("pvm_pkint", AT, 2, 1), 0);
  for (let i = 0; i < 20; i++) assert.equal(a.call("pvm_pkint", AT + 8, 1, 1), 0);
  put(a, 10, 20, 30);
  assert.equal(a.call("pvm_send", b.tid, 1), 0);
  put(a, 11, 21, 31);
  a.view.setInt32(0x80, b.tid, true);
  assert.equal(a.call("pvm_mcast", 0x80, 1, 2), 0);
  const rest = (value: number) => new Array<number>(20).fill(value);
  assert.deepEqual(hear(b, 22), [10, 20, ...rest(30)]);
  assert.deepEqual(hear(b, 22), [11, 21, ...rest(31)]);
  assert.ok(a.call("pvm_initsend", 1) > 0);
  assert.equal(a.call("pvm_pkint", AT, 1, 1), 0);
  a.call("pvm_send", b.tid, 3);
  assert.deepEqual(hear(b, 1), [11]);
  end();
});

test("a C long is 64 bits in the message; an empty buffer is an empty message", () => {
  const { a, b, end } = two();
  a.call("pvm_initsend", IN_PLACE);
  put(a, -5);
  assert.equal(a.call("pvm_pklong", AT, 1, 1), 0);
  assert.equal(a.call("pvm_pkulong", AT, 1, 1), 0);
  a.call("pvm_send", b.tid, 1);
  assert.deepEqual(hear(b, 4), [-5, -1, -5, 0]);
  a.call("pvm_initsend", IN_PLACE);
  assert.equal(a.call("pvm_send", b.tid, 1), 0);
  assert.ok(b.call("pvm_recv", -1, -1) > 0);
  assert.equal(b.call("pvm_upkint", AT, 1, 1), -5);
  end();
});

test("strides, strings and messages in place are PvmNotImpl, bad places PvmBadParam", () => {
  const { a, end } = two();
  const raw = a.call("pvm_mkbuf", 1);
  a.call("pvm_setsbuf", a.call("pvm_mkbuf", IN_PLACE));
  assert.equal(a.call("pvm_pkint", AT, 2, 2), -24);
  assert.equal(a.call("pvm_pkint", AT, 0, 1), 0);
  assert.equal(a.call("pvm_pkint", AT, -1, 1), -2);
  assert.equal(a.call("pvm_pkint", 0xfffe, 1, 1), -2);
  assert.equal(a.call("pvm_pkstr", a.text("text")), -24);
  assert.equal(a.call("pvm_pkmesg", raw), -24);
  end();
});

test.run();
