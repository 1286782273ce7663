import assert from "node:assert/strict";
import { test } from "uvu";
import wabt from "wabt";
import { COPY_MODULE, Copier } from "../../runtime/scheduler/copier.ts";
import { COUNTER } from "../../runtime/scheduler/engine-state.ts";
import { SUSPEND } from "../../wire/layout.ts";
import { PVM_CONSTANT } from "../../wire/pvm.ts";
import { type Actor, actor, IDLE, leftovers, type Process, processOf } from "../one-thread.ts";

const { PVM_BYTE, PVM_DOUBLE, PVM_INT, PVM_INT64, PVM_LONG, PVM_STR, PVM_ULONG } = PVM_CONSTANT;
const AT = 0x100;
const TO = 0x400;
const OUT = 0x80;

function two(): { p: Process; a: Actor; b: Actor; copies: () => number; end: () => void } {
  const p = processOf(IDLE, { ulps: 2 });
  const e = p.engines[0]!;
  return {
    p,
    a: actor(p, 0),
    b: actor(p, 1),
    copies: () => e.f64[e.counters + COUNTER.copies]!,
    end: () => assert.equal(leftovers(p), ""),
  };
}

const outs = (a: Actor): number[] => [0, 4, 8].map((at) => a.view.getInt32(OUT + at, true));
const precv = (b: Actor, len: number, type: number): number =>
  b.call("pvm_precv", -1, 5, TO, len, type, OUT, OUT + 4, OUT + 8);

test("to a receiver that waits in precv, psend is one copy and no buffer", () => {
  const { p, a, b, copies, end } = two();
  a.bytes.fill(0xab, AT, AT + 256);
  assert.equal(precv(b, 256, PVM_BYTE), SUSPEND);
  const buffers = p.library.heap.buffers();
  assert.equal(a.call("pvm_psend", b.tid, 5, AT, 256, PVM_BYTE), 0);
  assert.equal(copies(), 1);
  assert.equal(p.library.heap.buffers(), buffers);
  assert.equal(b.resumed(), 0);
  assert.deepEqual(outs(b), [a.tid, 5, 256]);
  assert.ok(b.bytes.slice(TO, TO + 256).every((byte) => byte === 0xab));
  assert.equal(b.bytes[TO + 256], 0);
  end();
});

test("what does not fit is cut, on either way", () => {
  const { a, b, end } = two();
  [1, 2, 3].forEach((value, i) => {
    a.view.setInt32(AT + 4 * i, value, true);
  });
  precv(b, 2, PVM_INT);
  a.call("pvm_psend", b.tid, 5, AT, 3, PVM_INT);
  b.resumed();
  assert.deepEqual(outs(b), [a.tid, 5, 12]);
  assert.deepEqual(
    [0, 4, 8].map((at) => b.view.getInt32(TO + at, true)),
    [1, 2, 0],
  );
  a.call("pvm_psend", b.tid, 5, AT, 3, PVM_INT);
  assert.equal(precv(b, 1, PVM_INT), 0);
  assert.deepEqual(outs(b), [a.tid, 5, 12]);
  end();
});

test("psend is received by recv, and precv takes what send sent; default buffers stay as they are", () => {
  const { a, b, end } = two();
  a.view.setFloat64(AT, 2.5, true);
  const mine = a.call("pvm_initsend", 1);
  a.call("pvm_pkdouble", AT, 1, 1);
  assert.equal(a.call("pvm_psend", b.tid, 5, AT, 1, PVM_DOUBLE), 0);
  assert.equal(a.call("pvm_getsbuf"), mine);
  assert.equal(a.call("pvm_send", b.tid, 5), 0);
  const got = b.call("pvm_recv", a.tid, 5);
  assert.ok(got > 0);
  assert.equal(b.call("pvm_upkdouble", TO, 1, 1), 0);
  assert.equal(b.view.getFloat64(TO, true), 2.5);
  b.view.setFloat64(TO, 0, true);
  assert.equal(precv(b, 1, PVM_DOUBLE), 0);
  assert.equal(b.view.getFloat64(TO, true), 2.5);
  assert.equal(b.call("pvm_getrbuf"), got);
  end();
});

test("a large message in many segments comes whole", () => {
  const { a, b, end } = two();
  a.call("pvm_initsend", 1);
  for (let i = 0; i < 200; i++) {
    a.bytes.fill(i, AT, AT + 250);
    a.call("pvm_pkbyte", AT, 250, 1);
  }
  a.call("pvm_send", b.tid, 5);
  assert.equal(b.call("pvm_precv", -1, -1, 0, 50_000, PVM_BYTE, 0, 0, 0), 0);
  for (let i = 0; i < 200; i++) assert.equal(b.bytes[250 * i + 249], i);
  end();
});

test("C's longs are 64 bits in the message: with pklong and upklong, and with AssemblyScript's i64", () => {
  const { a, b, end } = two();
  a.view.setInt32(AT, -3, true);
  a.view.setInt32(AT + 4, 0x7fffffff, true);
  a.call("pvm_psend", b.tid, 5, AT, 2, PVM_LONG);
  b.call("pvm_precv", -1, -1, TO, 2, PVM_INT64, OUT, OUT + 4, OUT + 8);
  assert.deepEqual([b.view.getBigInt64(TO, true), b.view.getBigInt64(TO + 8, true)], [-3n, 0x7fffffffn]);
  assert.equal(outs(b)[2], 16);
  // Blocked first: the waker converts.
  assert.equal(precv(b, 2, PVM_LONG), SUSPEND);
  a.call("pvm_psend", b.tid, 5, AT, 2, PVM_LONG);
  assert.equal(b.resumed(), 0);
  assert.deepEqual(
    [b.view.getInt32(TO, true), b.view.getInt32(TO + 4, true), outs(b)[2]],
    [-3, 0x7fffffff, 8],
  );
  a.call("pvm_initsend", 1);
  a.call("pvm_pklong", AT, 2, 1);
  a.call("pvm_send", b.tid, 5);
  assert.equal(precv(b, 2, PVM_LONG), 0);
  assert.equal(b.view.getInt32(TO, true), -3);
  a.view.setBigInt64(AT, 1n << 40n, true);
  a.call("pvm_psend", b.tid, 5, AT, 1, PVM_INT64);
  assert.equal(precv(b, 1, PVM_ULONG), -4, "PvmOverflow: it has more than 32 bits");
  end();
});

test("bad addresses, lengths and types are PvmBadParam", () => {
  const { a, b, end } = two();
  for (const [at, len, type] of [
    [0xffff, 1, PVM_INT],
    [-4, 4, PVM_BYTE],
    [AT, -1, PVM_INT],
    [AT, 1, 50],
  ] as const) {
    assert.equal(a.call("pvm_psend", b.tid, 5, at, len, type), -2);
    assert.equal(a.call("pvm_precv", -1, 5, at, len, type, 0, 0, 0), -2);
  }
  assert.equal(a.call("pvm_precv", -1, 5, AT, 1, PVM_INT, 0xfffe, 0, 0), -2);
  end();
});

test("PVM_STR is PvmNotImpl, as in PVM; a message of no items is a message", () => {
  const { a, b, end } = two();
  const text = a.text("hello");
  assert.equal(a.call("pvm_psend", b.tid, 5, text, 6, PVM_STR), -24);
  assert.equal(precv(b, 100, PVM_STR), -24);
  a.call("pvm_psend", b.tid, 5, text, 0, PVM_INT);
  assert.equal(precv(b, 100, PVM_INT), 0);
  assert.deepEqual(outs(b), [a.tid, 5, 0]);
  assert.equal(precv(b, 1, PVM_INT), SUSPEND);
  a.call("pvm_psend", b.tid, 5, text, 0, PVM_INT);
  assert.equal(b.resumed(), 0);
  end();
});

test("the copier's module is the text beside it", async () => {
  const { parseWat } = await wabt();
  const text = `(module (import "m" "from" (memory $a 0 65536 shared)) (import "m" "to" (memory $b 0 65536 shared))
    (func (export "copy") (param $from i32) (param $to i32) (param $bytes i32)
      (memory.copy $b $a (local.get $to) (local.get $from) (local.get $bytes))))`;
  const features = { threads: true, multi_memory: true, bulk_memory: true };
  const made = new Uint8Array(parseWat("copy.wat", text, features).toBinary({}).buffer);
  assert.deepEqual([...COPY_MODULE], [...made]);
});

test("the copier copies between any pairs of memories, more than it keeps", () => {
  const copier = new Copier();
  const memories = Array.from(
    { length: 8 },
    () => new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }),
  );
  const bytes = memories.map(({ buffer }) => new Uint8Array(buffer as SharedArrayBuffer));
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 8; i++) {
      for (let j = 0; j < 8; j++) {
        if (i === j) continue;
        bytes[i]![10] = 1 + round * 64 + i * 8 + j;
        copier.copy(memories[i]!, 10, memories[j]!, 20, 1);
        assert.equal(bytes[j]![20], bytes[i]![10]);
      }
    }
    copier.forget(memories[round]!);
  }
});

test.run();
