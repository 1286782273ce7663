/**
 * What PVM 3.4.6 answers, call by call, to one task alone: its library was asked (Debian's pvm-dev, x86-64),
 * and the list is its answers. Where upvm answers otherwise on purpose, the reason stands beside it.
 */
import assert from "node:assert/strict";
import { test } from "uvu";
import { type Actor, actor, IDLE, leftovers, processOf } from "../one-thread.ts";

const INTS = 0x100;
const OUT = 0x200;

function alone(): { a: Actor; errors: () => string[]; end: () => void } {
  const p = processOf(IDLE, { ulps: 1 });
  const a = actor(p, 0);
  [1, 2, 3, 4].forEach((value, i) => {
    a.view.setInt32(INTS + 4 * i, value, true);
  });
  return {
    a,
    errors: () => p.printed.splice(0).map(({ text }) => text.trimEnd()),
    end: () => assert.equal(leftovers(p), ""),
  };
}

const outs = (a: Actor): number[] => [0, 4, 8].map((at) => a.view.getInt32(OUT + at, true));

test("without a send or receive buffer", () => {
  const { a, errors, end } = alone();
  assert.equal(a.call("pvm_getsbuf"), 0);
  assert.equal(a.call("pvm_getrbuf"), 0);
  assert.equal(a.call("pvm_send", a.tid, 1), -15);
  assert.equal(a.call("pvm_pkint", INTS, 1, 1), -15);
  assert.equal(a.call("pvm_upkint", INTS, 1, 1), -15);
  assert.equal(a.call("pvm_initsend", 7), -2);
  assert.equal(a.call("pvm_mkbuf", -1), -2);
  assert.deepEqual(errors(), [
    "libpvm [t40001]: pvm_send(): No current buffer",
    "libpvm [t40001]: pvm_pkint(): No current buffer",
    "libpvm [t40001]: pvm_upkint(): No current buffer",
    "libpvm [t40001]: pvm_mkbuf(): Bad parameter",
    "libpvm [t40001]: pvm_initsend(): Bad parameter",
    "libpvm [t40001]: pvm_mkbuf(): Bad parameter",
  ]);
  end();
});

test("sends to what is no task, and to tasks that are not there", () => {
  const { a, errors, end } = alone();
  assert.ok(a.call("pvm_initsend", 0) > 0);
  for (const [tid, tag] of [
    [a.tid, -1],
    [a.tid, -2],
    [0, 1],
    [-1, 1],
    [0x7f000001, 1],
  ] as const) {
    assert.equal(a.call("pvm_send", tid, tag), -2);
    assert.deepEqual(errors(), ["libpvm [t40001]: pvm_send(): Bad parameter"]);
  }
  assert.equal(a.call("pvm_send", 5, 1), 0);
  // PVM says nothing. Here the sender is told, once.
  assert.deepEqual(errors(), ["upvm [t40001]: pvm_send(): there never was a task t5: message dropped"]);
  assert.equal(a.call("pvm_send", 0x40fff, 1), 0);
  assert.deepEqual(errors(), []);
  end();
});

test("packing: count and stride", () => {
  const { a, end } = alone();
  a.call("pvm_initsend", 0);
  assert.equal(a.call("pvm_pkint", INTS, 2, 1), 0);
  assert.equal(a.call("pvm_pkint", INTS, -1, 1), -2);
  assert.equal(a.call("pvm_pkint", INTS, 0, 1), 0);
  // PVM takes a stride of 0 or less and packs the same item again, or what is before it.
  assert.equal(a.call("pvm_pkint", INTS, 1, 0), -2);
  assert.equal(a.call("pvm_pkint", INTS, 1, -1), -2);
  end();
});

test("a message to oneself: probe, bufinfo, receive, unpack to its end and beyond", () => {
  const { a, errors, end } = alone();
  a.call("pvm_initsend", 1);
  a.call("pvm_pkint", INTS, 2, 1);
  assert.equal(a.call("pvm_send", a.tid, 3), 0);
  const probed = a.call("pvm_probe", a.tid, 3);
  assert.ok(probed > 0);
  assert.equal(a.call("pvm_getrbuf"), 0);
  assert.equal(a.call("pvm_bufinfo", probed, OUT, OUT + 4, OUT + 8), 0);
  assert.deepEqual(outs(a), [8, 3, 0x40001]);
  assert.equal(a.call("pvm_recv", a.tid, 3), probed);
  assert.equal(a.call("pvm_getrbuf"), probed);
  assert.equal(a.call("pvm_upkint", INTS, 2, 1), 0);
  assert.equal(a.call("pvm_upkint", INTS, 1, 1), -5);
  assert.equal(a.call("pvm_upkint", INTS, -1, 1), -2);
  assert.deepEqual(errors(), [
    "libpvm [t40001]: pvm_upkint(): End of buffer",
    "libpvm [t40001]: pvm_upkint(): Bad parameter",
  ]);
  assert.equal(a.call("pvm_nrecv", a.tid, 3), 0);
  assert.equal(a.call("pvm_getrbuf"), 0, "a receive in vain has freed the receive buffer");
  assert.equal(a.call("pvm_upkint", INTS, 1, 1), -15);
  end();
});

test("receives for what can never come", () => {
  const { a, end } = alone();
  assert.equal(a.call("pvm_nrecv", 5, 3), 0);
  // The manual says PvmBadParam; the library looks and finds nothing, or waits for ever.
  for (const [tid, tag] of [
    [-2, 3],
    [0, 3],
    [a.tid, -2],
  ] as const) {
    assert.equal(a.call("pvm_nrecv", tid, tag), -2);
    assert.equal(a.call("pvm_probe", tid, tag), -2);
    assert.equal(a.call("pvm_recv", tid, tag), -2);
    assert.equal(a.call("pvm_precv", tid, tag, INTS, 1, 3, 0, 0, 0), -2);
  }
  end();
});

test("a timed receive that has no time", () => {
  const { a, end } = alone();
  for (const [seconds, micros] of [
    [0n, 0],
    [-1n, 0],
    [0n, -5],
  ] as const) {
    a.view.setBigInt64(OUT, seconds, true);
    a.view.setInt32(OUT + 8, micros, true);
    assert.equal(a.call("pvm_trecv", a.tid, 3, OUT), 0);
  }
  end();
});

test("buffer ids that are none", () => {
  const { a, errors, end } = alone();
  assert.equal(a.call("pvm_freebuf", 0), 0);
  assert.equal(a.call("pvm_freebuf", -1), -2);
  assert.equal(a.call("pvm_freebuf", 99), -16);
  assert.equal(a.call("pvm_setsbuf", 99), -16);
  assert.equal(a.call("pvm_setsbuf", -1), -2);
  assert.equal(a.call("pvm_setrbuf", 99), -16);
  assert.equal(a.call("pvm_bufinfo", 99, OUT, OUT, OUT), -16);
  assert.equal(a.call("pvm_bufinfo", 0, OUT, OUT, OUT), -2);
  assert.equal(a.call("pvm_bufinfo", -1, OUT, OUT, OUT), -2);
  assert.deepEqual(errors(), [
    "libpvm [t40001]: pvm_freebuf(): Bad parameter",
    "libpvm [t40001]: pvm_freebuf(): No such buffer",
    "libpvm [t40001]: pvm_setsbuf(): No such buffer",
    "libpvm [t40001]: pvm_setsbuf(): Bad parameter",
    "libpvm [t40001]: pvm_setrbuf(): No such buffer",
    "libpvm [t40001]: pvm_bufinfo(): No such buffer",
    "libpvm [t40001]: pvm_bufinfo(): Bad parameter",
    "libpvm [t40001]: pvm_bufinfo(): Bad parameter",
  ]);
  end();
});

test("no send buffer for a while, and multicast to oneself", () => {
  const { a, end } = alone();
  const b = a.call("pvm_initsend", 1);
  a.call("pvm_pkint", INTS, 2, 1);
  assert.equal(a.call("pvm_setsbuf", 0), b);
  assert.equal(a.call("pvm_getsbuf"), 0);
  a.view.setInt32(OUT, a.tid, true);
  assert.equal(a.call("pvm_send", a.tid, 1), -15);
  assert.equal(a.call("pvm_mcast", OUT, 1, 1), -15);
  assert.equal(a.call("pvm_setsbuf", b), 0);
  assert.equal(a.call("pvm_getsbuf"), b);
  assert.equal(a.call("pvm_mcast", OUT, 1, 1), 0);
  assert.equal(a.call("pvm_probe", -1, -1), 0, "the caller is left out, even if it is listed");
  assert.equal(a.call("pvm_mcast", OUT, 0, 1), 0);
  assert.equal(a.call("pvm_mcast", OUT, -1, 1), -2);
  assert.equal(a.call("pvm_mcast", OUT, 1, -1), -2);
  assert.equal(a.call("pvm_freebuf", b), 0);
  assert.equal(a.call("pvm_getsbuf"), 0);
  assert.equal(a.call("pvm_send", a.tid, 1), -15);
  end();
});

test("psend and precv: a message longer than there is room is cut, and its length told", () => {
  const { a, end } = alone();
  assert.equal(a.call("pvm_psend", a.tid, 4, INTS, 4, 3), 0);
  assert.equal(a.call("pvm_precv", a.tid, 4, INTS + 32, 2, 3, OUT, OUT + 4, OUT + 8), 0);
  assert.deepEqual(outs(a), [0x40001, 4, 16]);
  assert.deepEqual(
    [0, 4, 8].map((at) => a.view.getInt32(INTS + 32 + at, true)),
    [1, 2, 0],
  );
  assert.equal(a.call("pvm_psend", a.tid, 4, INTS, 4, 99), -2);
  assert.equal(a.call("pvm_psend", a.tid, -1, INTS, 1, 3), -2);
  assert.equal(a.call("pvm_precv", a.tid, 4, INTS, 4, 77, OUT, OUT, OUT), -2);
  assert.equal(a.call("pvm_psend", a.tid, 6, INTS, 4, 3), 0);
  assert.equal(a.call("pvm_precv", a.tid, 6, INTS, 8, 3, 0, 0, 0), 0);
  // PVM sends an empty message for a negative length.
  assert.equal(a.call("pvm_psend", a.tid, 4, INTS, -1, 3), -2);
  end();
});

test("strings have their length in front", () => {
  const { a, end } = alone();
  a.call("pvm_initsend", 1);
  assert.equal(a.call("pvm_pkstr", a.text("hey")), 0);
  a.call("pvm_send", a.tid, 9);
  const b = a.call("pvm_recv", -1, -1);
  a.call("pvm_bufinfo", b, OUT, OUT + 4, OUT + 8);
  assert.equal(a.view.getInt32(OUT, true), 8, "PVM's raw encoding has 8 bytes for it too");
  assert.equal(a.call("pvm_upkint", INTS, 1, 1), 0);
  assert.equal(a.view.getInt32(INTS, true), 4);
  assert.equal(a.call("pvm_upkint", INTS, 2, 1), -5);
  end();
});

test("perror prints the last error, NULL as (null)", () => {
  const { a, errors, end } = alone();
  a.call("pvm_initsend", 1);
  a.call("pvm_send", a.tid, 1);
  a.call("pvm_recv", -1, -1);
  a.call("pvm_upkint", INTS, 1, 1);
  errors();
  assert.equal(a.call("pvm_perror", a.text("msg")), 0);
  assert.equal(a.call("pvm_perror", 0), 0);
  assert.deepEqual(errors(), [
    "libpvm [t40001]: msg: End of buffer",
    "libpvm [t40001]: (null): End of buffer",
  ]);
  assert.equal(a.call("pvm_strerror_get", OUT, 7), 13);
  assert.equal(new TextDecoder().decode(a.bytes.slice(OUT, OUT + 7)), "End of\0");
  end();
});

test("who is there", () => {
  const { a, errors, end } = alone();
  assert.equal(a.call("pvm_mytid"), 0x40001);
  assert.equal(a.call("pvm_parent"), -23);
  assert.deepEqual(errors(), []);
  assert.equal(a.call("pvm_siblings_get", OUT, 8), 1);
  assert.equal(a.view.getInt32(OUT, true), a.tid);
  assert.equal(a.call("pvm_gsize", a.text("x")), -19);
  assert.equal(a.call("pvm_tasks_get", 0, OUT, 1), 1);
  assert.deepEqual(outs(a), [0x40001, 0, 0x40000]);
  assert.equal(a.view.getInt32(OUT + 12, true), 4);
  assert.equal(a.call("pvm_tasks_get", a.tid, OUT, 1), 1);
  assert.equal(a.call("pvm_tasks_get", 0x40fff, OUT, 1), 0);
  assert.equal(a.call("pvm_tasks_get", -1, OUT, 1), -6);
  assert.equal(a.call("pvm_tasks_get", 7, OUT, 1), -6);
  end();
});

test.run();
