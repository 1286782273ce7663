import assert from "node:assert/strict";
import { test } from "uvu";
import { BTAB, ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { PVM_ERROR, tidOf } from "../../wire/pvm.ts";
import { assertClean, EngineHeap, newEngine, newGuest, newHeap } from "../heap-fixture.ts";

const NO_SUCH_BUF = PVM_ERROR.PvmNoSuchBuf.code;
const NO_MEM = PVM_ERROR.PvmNoMem.code;
const NO_BUF = PVM_ERROR.PvmNoBuf.code;

const guest = newGuest();
for (let i = 0; i < guest.length; i += 1) guest[i] = i * 7 + (i >> 8);

/** Packs bytes of the guest's memory. */
function packBytes(e: EngineHeap, u: number, at: number, bytes: number): void {
  assert.equal(e.pack.pack(u, guest, at, 1, bytes, 1), 0);
}

/** Unpacks bytes and compares them with those at `at`. */
function sameBytes(e: EngineHeap, u: number, at: number, bytes: number): void {
  const into = new Uint8Array(bytes);
  assert.equal(e.pack.unpack(u, into, 0, 1, bytes, 1), 0);
  assert.deepEqual(into, new Uint8Array(guest.subarray(at, at + bytes)));
}

test("Figure 6: three ULPs, three buffers, and what pvm_mkbuf of ULP 5 adds", () => {
  const e = newEngine();
  const [ulp0, ulp2, ulp5] = [e.ulp(0), e.ulp(2), e.ulp(5)];
  // ULP 0 makes P1 and sends it to ULP 2; ULP 2 makes P2 and sends it to ULP 5; ULP 5 makes P3.
  assert.equal(e.btab.initSend(ulp0, 0), 1);
  assert.equal(e.pass(ulp0, ulp2), 1);
  assert.equal(e.btab.initSend(ulp2, 0), 2);
  assert.equal(e.pass(ulp2, ulp5), 1);
  assert.equal(e.btab.make(ulp5, 0), 2);
  const p1 = e.btab.btgetgbid(ulp0, 1);
  const p2 = e.btab.btgetgbid(ulp2, 2);
  const p3 = e.btab.btgetgbid(ulp5, 2);
  assert.equal(e.btab.btgetgbid(ulp2, 1), p1);
  assert.equal(e.btab.btgetgbid(ulp5, 1), p2);
  assert.equal(new Set([p1, p2, p3]).size, 3);
  assert.deepEqual(
    [p1, p2, p3].map((p) => e.gb.gref(p)),
    [2, 2, 1],
  );

  // pvm_mkbuf, step by step as 3.2.6 has it.
  const p4 = e.gb.gnew(0);
  const lbid = e.btab.btbidNew(ulp5);
  assert.equal(lbid, 3);
  e.btab.btsetgbid(ulp5, lbid, p4);
  e.gb.ginitref(p4);
  assert.equal(e.btab.btgetgbid(ulp5, 3), p4);
  assert.equal(e.gb.gref(p4), 1);
  assert.equal(e.heap.buffers(), 4);

  // pvm_freebuf: P1 stays as long as ULP 2 has it.
  assert.equal(e.btab.free(ulp0, 1), 0);
  assert.equal(e.gb.gref(p1), 1);
  assert.equal(e.btab.free(ulp2, 1), 0);
  assert.equal(e.heap.buffers(), 3);
  for (const u of [ulp0, ulp2, ulp5]) e.end(u);
  assertClean(e.heap);
});

test("btbidNew gives 1, 2, … and after btbidFree the freed id next", () => {
  const e = newEngine();
  const u = e.ulp(0);
  const ids = Array.from({ length: 40 }, () => e.btab.btbidNew(u));
  assert.deepEqual(
    ids,
    Array.from({ length: 40 }, (_, i) => i + 1),
  );
  assert.equal(e.btab.btbidFree(u, 7), 0);
  assert.equal(e.btab.btbidFree(u, 30), 0);
  assert.deepEqual([e.btab.btbidNew(u), e.btab.btbidNew(u), e.btab.btbidNew(u)], [30, 7, 41]);
  e.end(u);
  assertClean(e.heap);
});

test("btbidFree of an id that is not given out is PvmNoSuchBuf", () => {
  const e = newEngine();
  const u = e.ulp(0);
  assert.equal(e.btab.btbidFree(u, 1), NO_SUCH_BUF);
  e.btab.btbidNew(u);
  for (const lbid of [0, -1, 2, 8, 9, 1 << 30]) assert.equal(e.btab.btbidFree(u, lbid), NO_SUCH_BUF);
  assert.equal(e.btab.btbidFree(u, 1), 0);
  assert.equal(e.btab.btbidFree(u, 1), NO_SUCH_BUF);
});

test("a table has a limit, and the id beyond it is PvmNoMem", () => {
  const e = newEngine();
  const u = e.ulp(0);
  for (let i = 1; i <= LIMITS.buffersPerUlp; i += 1) assert.equal(e.btab.btbidNew(u), i);
  assert.equal(e.btab.btbidNew(u), NO_MEM);
  e.btab.btbidFree(u, 100);
  assert.equal(e.btab.btbidNew(u), 100);
  e.end(u);
  e.arena.trim();
  assertClean(e.heap);
});

test("btgetgbid is 0 for an id that maps to nothing, and for none", () => {
  const e = newEngine();
  const u = e.ulp(0);
  const lbid = e.btab.btbidNew(u);
  for (const id of [lbid, 0, -5, lbid + 1, 1 << 20]) assert.equal(e.btab.btgetgbid(u, id), 0);
  assert.equal(e.btab.btsetsbid(u, lbid), NO_SUCH_BUF);
  assert.equal(e.btab.btsetrbid(u, lbid), NO_SUCH_BUF);
  assert.throws(() => e.btab.btsetgbid(u, 2, 1234), /bug: local id 2 is not taken/);
});

test("there is no default buffer to begin with", () => {
  const e = newEngine();
  const u = e.ulp(0);
  assert.equal(e.btab.btgetsbid(u), 0);
  assert.equal(e.btab.btgetrbid(u), 0);
  assert.equal(e.btab.btgetsgbid(u), 0);
  assert.equal(e.btab.btgetrgbid(u), 0);
  assert.equal(e.btab.sealSend(u), NO_BUF);
  assert.equal(e.btab.btsetsbid(u, 0), 0);
  assert.equal(e.btab.btsetrbid(u, 0), 0);
  assert.equal(e.heap.i32[u + ULP.packEnd], 0);
  assert.equal(e.heap.i32[u + ULP.unpackEnd], 0);
});

test("btsetsbid returns the old id, and what was packed stays where it was packed", () => {
  const e = newEngine();
  const u = e.ulp(0);
  const [a, b] = [e.btab.make(u, 0), e.btab.make(u, 0)];
  assert.equal(e.btab.btsetsbid(u, a), 0);
  packBytes(e, u, 0, 10);
  assert.equal(e.btab.btsetsbid(u, b), a);
  assert.equal(e.btab.btgetsbid(u), b);
  assert.equal(e.btab.btgetsgbid(u), e.btab.btgetgbid(u, b));
  packBytes(e, u, 100, 3);
  assert.equal(e.btab.btsetsbid(u, a), b);
  packBytes(e, u, 10, 5);
  assert.equal(e.btab.bytes(u, a), 15);
  assert.equal(e.btab.bytes(u, b), 3);
  assert.equal(e.btab.btsetsbid(u, 0), a);
  assert.equal(e.heap.i32[u + ULP.packAt], 0);
  assert.equal(e.btab.btsetsbid(u, 99), NO_SUCH_BUF);
  assert.equal(e.btab.btsetrbid(u, a), 0);
  sameBytes(e, u, 0, 15);
  e.end(u);
  assertClean(e.heap);
});

test("btsetrbid returns the old id, and each buffer is read on where it was left", () => {
  const e = newEngine();
  const [s, r] = [e.ulp(0), e.ulp(1)];
  e.btab.initSend(s, 0);
  packBytes(e, s, 0, 1000);
  const first = e.pass(s, r);
  assert.equal(e.btab.btsetrbid(r, 0), first);
  e.btab.initSend(s, 0);
  packBytes(e, s, 5000, 3000);
  const second = e.pass(s, r);
  assert.notEqual(second, first);
  sameBytes(e, r, 5000, 1200);
  assert.equal(e.btab.btsetrbid(r, first), second);
  sameBytes(e, r, 0, 700);
  assert.equal(e.btab.btsetrbid(r, second), first);
  sameBytes(e, r, 6200, 1800);
  assert.equal(e.btab.btsetrbid(r, first), second);
  sameBytes(e, r, 700, 300);
  assert.equal(e.btab.btgetrgbid(r), e.btab.btgetgbid(r, first));
  for (const u of [s, r]) e.end(u);
  assertClean(e.heap);
});

test("a buffer is never both default buffers", () => {
  const e = newEngine();
  const u = e.ulp(0);
  const a = e.btab.initSend(u, 0);
  packBytes(e, u, 0, 600);
  e.btab.btsetrbid(u, a);
  assert.equal(e.btab.btgetsbid(u), 0);
  sameBytes(e, u, 0, 100);
  e.btab.btsetsbid(u, a);
  assert.equal(e.btab.btgetrbid(u), 0);
  packBytes(e, u, 600, 400);
  e.btab.btsetrbid(u, a);
  sameBytes(e, u, 100, 900);
  e.end(u);
  assertClean(e.heap);
});

test("freeing a default buffer leaves none", () => {
  const e = newEngine();
  const u = e.ulp(0);
  const a = e.btab.initSend(u, 0);
  e.btab.free(u, a);
  assert.equal(e.btab.btgetsbid(u), 0);
  assert.equal(e.pack.pack(u, guest, 0, 1, 1, 1), NO_BUF);
  const b = e.btab.make(u, 0);
  e.btab.btsetrbid(u, b);
  e.btab.free(u, b);
  assert.equal(e.btab.btgetrbid(u), 0);
  assert.equal(e.pack.unpack(u, guest, 0, 1, 0, 1), NO_BUF);
  assert.equal(e.btab.free(u, b), NO_SUCH_BUF);
  e.end(u);
  assertClean(e.heap);
});

test("a receive frees the receive buffer before it, unless it was set aside", () => {
  const e = newEngine();
  const [s, r] = [e.ulp(0), e.ulp(1)];
  e.btab.initSend(s, 0);
  const one = e.pass(s, r);
  assert.equal(e.pass(s, r), one);
  assert.equal(e.gb.gref(e.btab.btgetsgbid(s)), 2);
  e.btab.btsetrbid(r, 0);
  assert.equal(e.pass(s, r), one + 1);
  assert.equal(e.gb.gref(e.btab.btgetsgbid(s)), 3);
  for (const u of [s, r]) e.end(u);
  assertClean(e.heap);
});

test("a receive that finds no memory for its row changes nothing", () => {
  const e = newEngine(4 << 20);
  const [s, r] = [e.ulp(0), e.ulp(1)];
  e.btab.initSend(s, 0);
  const message = e.send(s);
  const blocks: number[] = [];
  for (let at = e.arena.hmalloc(200, 1); at !== 0; at = e.arena.hmalloc(200, 1)) blocks.push(at);
  assert.equal(e.btab.receive(r, message), NO_MEM);
  assert.equal(e.btab.make(r, 0), NO_MEM);
  assert.equal(e.btab.initSend(r, 0), NO_MEM);
  assert.equal(e.btab.btgetrbid(r), 0);
  assert.equal(e.gb.gref(e.btab.btgetsgbid(s)), 2);
  for (const at of blocks) e.arena.hfree(at);
  e.receive(r, message);
  for (const u of [s, r]) e.end(u);
  e.arena.trim();
  assertClean(e.heap);
});

test("bytes, source and tag are the message's, or those of a buffer made here", () => {
  const e = newEngine();
  const [s, r] = [e.ulp(3), e.ulp(1)];
  const made = e.btab.initSend(s, 0);
  packBytes(e, s, 0, 500);
  const got = e.pass(s, r, 99);
  assert.deepEqual([e.btab.bytes(r, got), e.btab.source(r, got), e.btab.tag(r, got)], [500, tidOf(3), 99]);
  assert.deepEqual([e.btab.bytes(s, made), e.btab.source(s, made), e.btab.tag(s, made)], [500, tidOf(3), 0]);
  assert.equal(e.btab.bytes(r, 77), NO_SUCH_BUF);
  for (const u of [s, r]) e.end(u);
});

test("what is packed after a send is not seen by the receiver, in the same segment and in a new one", () => {
  const e = newEngine();
  const [s, r, q] = [e.ulp(0), e.ulp(1), e.ulp(2)];
  e.btab.initSend(s, 0);
  packBytes(e, s, 0, 50);
  const early = e.send(s);
  packBytes(e, s, 50, 50);
  const middle = e.send(s);
  e.receive(r, early);
  packBytes(e, s, 100, 9000);
  sameBytes(e, r, 0, 50);
  assert.equal(e.pack.unpack(r, newGuest(), 0, 1, 1, 1), PVM_ERROR.PvmNoData.code);
  e.receive(q, middle);
  sameBytes(e, q, 0, 100);
  assert.equal(e.pack.unpack(q, newGuest(), 0, 1, 1, 1), PVM_ERROR.PvmNoData.code);
  e.pass(s, r);
  sameBytes(e, r, 0, 9100);
  for (const u of [s, r, q]) e.end(u);
  assertClean(e.heap);
});

test("initSend clears a buffer that nobody else has, and leaves one that is on its way alone", () => {
  const e = newEngine();
  const [s, r] = [e.ulp(0), e.ulp(1)];
  const lbid = e.btab.initSend(s, 0);
  const gbid = e.btab.btgetsgbid(s);
  packBytes(e, s, 0, 5000);
  assert.equal(e.btab.initSend(s, 1), lbid);
  assert.equal(e.btab.btgetsgbid(s), gbid);
  assert.equal(e.btab.sealSend(s), 0);
  packBytes(e, s, 30, 300);
  const message = e.send(s);
  assert.equal(e.btab.initSend(s, 0), lbid);
  assert.notEqual(e.btab.btgetsgbid(s), gbid);
  packBytes(e, s, 7, 70);
  e.receive(r, message);
  sameBytes(e, r, 30, 300);
  for (const u of [s, r]) e.end(u);
  assertClean(e.heap);
});

test("a received message can be sent on without a copy, and packing into it copies first", () => {
  const e = newEngine();
  const [s, r, q] = [e.ulp(0), e.ulp(1), e.ulp(2)];
  e.btab.initSend(s, 0);
  packBytes(e, s, 0, 1000);
  const got = e.pass(s, r);
  packBytes(e, s, 1000, 10);
  e.btab.btsetsbid(r, got);
  assert.equal(e.btab.sealSend(r), 1000);
  e.pass(r, q);
  assert.equal(e.btab.btgetrgbid(q), e.btab.btgetsgbid(s));
  sameBytes(e, q, 0, 1000);
  packBytes(e, r, 1000, 24);
  assert.notEqual(e.btab.btgetsgbid(r), e.btab.btgetsgbid(s));
  assert.equal(e.btab.source(r, got), tidOf(1), "it is a buffer made here now");
  e.pass(r, q);
  sameBytes(e, q, 0, 1024);
  assert.equal(e.btab.sealSend(s), 1010);
  for (const u of [s, r, q]) e.end(u);
  assertClean(e.heap);
});

test("a received buffer that is packed into is read on where it was left", () => {
  for (const bytes of [100, 5000]) {
    const e = newEngine();
    const [s, r] = [e.ulp(0), e.ulp(1)];
    e.btab.initSend(s, 0);
    packBytes(e, s, 0, 60);
    packBytes(e, s, 60, bytes);
    const got = e.pass(s, r);
    sameBytes(e, r, 0, 80);
    e.btab.btsetsbid(r, got);
    packBytes(e, r, 60 + bytes, 10);
    e.btab.btsetrbid(r, got);
    sameBytes(e, r, 80, bytes - 10);
    e.end(s);
    e.end(r);
    assertClean(e.heap);
  }
});

test("initSend of a received buffer gives an empty one that can be packed into", () => {
  const e = newEngine();
  const [s, r] = [e.ulp(0), e.ulp(1)];
  e.btab.initSend(s, 0);
  packBytes(e, s, 0, 10);
  const got = e.pass(s, r);
  e.btab.btsetsbid(r, got);
  assert.equal(e.btab.initSend(r, 0), got);
  assert.equal(e.btab.sealSend(r), 0);
  assert.equal(e.btab.source(r, got), tidOf(1));
  packBytes(e, r, 20, 20);
  e.pass(r, s);
  sameBytes(e, s, 20, 20);
  for (const u of [s, r]) e.end(u);
  assertClean(e.heap);
});

test("a ULP can send to itself and read what it sends while it packs on", () => {
  const e = newEngine();
  const u = e.ulp(0);
  e.btab.initSend(u, 0);
  packBytes(e, u, 0, 3000);
  e.pass(u, u);
  packBytes(e, u, 3000, 3000);
  sameBytes(e, u, 0, 3000);
  e.pass(u, u);
  sameBytes(e, u, 0, 6000);
  e.end(u);
  assertClean(e.heap);
});

test("a copy of a received message for which there is no memory changes nothing", () => {
  const e = newEngine(4 << 20);
  const [s, r] = [e.ulp(0), e.ulp(1)];
  e.btab.initSend(s, 0);
  packBytes(e, s, 0, 60_000);
  const got = e.pass(s, r);
  e.btab.btsetsbid(r, got);
  const blocks: number[] = [];
  for (let at = e.arena.hmalloc(30_000, 1); at !== 0; at = e.arena.hmalloc(30_000, 1)) blocks.push(at);
  assert.equal(e.pack.pack(r, guest, 0, 1, 10, 1), NO_MEM);
  assert.equal(e.btab.sealSend(r), 60_000);
  assert.equal(e.btab.source(r, got), tidOf(0));
  for (const at of blocks) e.arena.hfree(at);
  for (const u of [s, r]) e.end(u);
  assertClean(e.heap);
});

test("dispose gives back every buffer, the table, and only this ULP's references", () => {
  const e = newEngine();
  const [s, r] = [e.ulp(0), e.ulp(1)];
  for (let i = 0; i < 20; i += 1) {
    e.btab.btsetsbid(s, e.btab.make(s, 0));
    packBytes(e, s, 0, 1000 * i);
    e.pass(s, r);
    e.btab.btsetrbid(r, 0);
  }
  e.btab.dispose(s);
  assert.equal(e.btab.btgetsbid(s), 0);
  assert.equal(e.heap.buffers(), 20);
  for (let lbid = 1; lbid <= 20; lbid += 1) {
    e.btab.btsetrbid(r, lbid);
    sameBytes(e, r, 0, 1000 * (lbid - 1));
  }
  e.btab.dispose(r);
  assertClean(e.heap);
});

test("buffers and tables work on when their ULP has moved to another engine", () => {
  const heap = newHeap(8 << 20, 2);
  const [a, b] = [new EngineHeap(heap, 0), new EngineHeap(heap, 1)];
  const [s, r] = [a.ulp(0), a.ulp(1)];
  for (let i = 0; i < 30; i += 1) {
    const [here, there] = i % 2 === 0 ? [a, b] : [b, a];
    here.btab.initSend(s, 0);
    packBytes(here, s, i, 200);
    packBytes(there, s, 200 + i, 6000);
    there.pass(s, r);
    sameBytes(here, r, i, 6200);
    if (i % 3 === 0) there.btab.btsetrbid(r, 0);
  }
  a.end(s);
  b.end(r);
  a.arena.trim();
  b.arena.trim();
  assertClean(heap);
});

test("a message that lies in its second segment can be read at once", () => {
  const e = newEngine();
  const [s, r] = [e.ulp(0), e.ulp(1)];
  e.btab.initSend(s, 0);
  packBytes(e, s, 0, 1000);
  e.pass(s, r);
  assert.equal(e.heap.i32[r + ULP.unpackEnd]! - e.heap.i32[r + ULP.unpackAt]!, 1000);
  for (const u of [s, r]) e.end(u);
});

test("the message's length is what may be read, whatever the sender's segment holds", () => {
  const e = newEngine();
  const [s, r] = [e.ulp(0), e.ulp(1)];
  e.btab.initSend(s, 0);
  packBytes(e, s, 0, 20);
  const message = e.send(s);
  packBytes(e, s, 20, 100);
  e.btab.sealSend(s);
  e.receive(r, message);
  const row = (e.heap.i32[r + ULP.btabAt]! >> 2) + 0 * BTAB.words;
  assert.equal(e.heap.i32[row + BTAB.left], 20);
  assert.equal(e.heap.i32[r + ULP.unpackEnd]! - e.heap.i32[r + ULP.unpackAt]!, 20);
  for (const u of [s, r]) e.end(u);
});

test.run();
