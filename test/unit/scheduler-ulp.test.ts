/** Table I: what a ULP object exports; its per-ULP heap; the library descriptor and process descriptor. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { uterminate } from "../../runtime/scheduler/end.ts";
import { initialise } from "../../runtime/scheduler/init.ts";
import { PLACEMENT } from "../../runtime/scheduler/placement.ts";
import { thisProcess, usable } from "../../runtime/scheduler/process-descriptor.ts";
import { members } from "../../runtime/scheduler/queue.ts";
import { ufree, ufreeAll, umalloc, urealloc } from "../../runtime/scheduler/uheap.ts";
import {
  reserveIndices,
  ucreate,
  uislocal,
  ulpOf,
  usetlocal,
  usetremote,
  usetvpid,
} from "../../runtime/scheduler/ulp.ts";
import { BLOCK_KIND, ENGINE, HEAD, LINK_ABI, ULP, ULP_STATE } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { actor, IDLE, leftovers, processOf } from "../one-thread.ts";

const SPEC = { program: 0, engine: 0, parentTid: -23, siblingFirst: 0, siblingCount: 1 };

test("ucreate makes a ULP with the given index, UnInit and in no queue; a second one is refused", () => {
  const p = processOf(IDLE, { ulps: 1 });
  const { w } = p.library;
  const index = reserveIndices(w, 2);
  assert.equal(index, 1);
  const ulp = ucreate(p.library, index, SPEC);
  assert.equal(w[ulp + ULP.tid], 0x40002);
  assert.equal(w[ulp + ULP.state], ULP_STATE.unInit);
  assert.equal(ulpOf(w, 0x40002), ulp);
  assert.equal(ulpOf(w, 0x40003), 0, "a number that is taken but has no descriptor yet");
  assert.equal(w[HEAD.live], 2);
  assert.throws(() => ucreate(p.library, index, SPEC), /made twice/);
  assert.equal(reserveIndices(w, LIMITS.ulps), -27);
  assert.equal(leftovers(p), "");
});

test("uterminate frees all that a ULP has, in every state, and takes it out of its queue", () => {
  const p = processOf(IDLE, { ulps: 4 });
  const e = p.engines[0]!;
  const [a, b] = [actor(p, 0), actor(p, 1)];
  b.call("pvm_initsend", 1);
  b.call("pvm_pkbyte", 0, 60_000, 1);
  for (let i = 0; i < 3; i++) b.call("pvm_send", a.tid, i);
  a.call("pvm_mkbuf", 0);
  a.call("pvm_recv", -1, 99);
  umalloc(e, a.ulp, 1000, BLOCK_KIND.frames);
  uterminate(e, a.ulp, 3);
  assert.equal(e.w[a.ulp + ULP.state], ULP_STATE.exited);
  assert.equal(e.w[a.ulp + ULP.exitCode], 3);
  assert.deepEqual(members(e.w, e.waitq), []);
  uterminate(e, p.ulp(2), 0);
  assert.deepEqual(members(e.w, e.runq), [p.ulp(3), b.ulp]);
  assert.equal(p.library.w[HEAD.live], 2);
  uterminate(e, b.ulp, 0);
  uterminate(e, p.ulp(3), 0);
  assert.equal(p.library.heap.leaks(), "");
  assert.equal(p.library.heap.buffers(), 0);
  p.library.heap.check();
});

test("usetvpid, uislocal, usetlocal, usetremote: messages follow the mark", () => {
  const p = processOf(IDLE, { ulps: 2, engines: 2, place: PLACEMENT.cyclic });
  const [e, f] = p.engines as [(typeof p.engines)[0], (typeof p.engines)[0]];
  const [a, b] = [actor(p, 0), actor(p, 1)];
  assert.equal(uislocal(e, a.ulp), true);
  assert.equal(uislocal(e, b.ulp), false);
  assert.equal(uislocal(f, b.ulp), true);
  a.call("pvm_initsend", 1);
  a.call("pvm_send", b.tid, 1);
  assert.notEqual(e.w[b.ulp + ULP.inbox], 0, "a remote ULP's message goes to its inbox");
  usetlocal(e, b.ulp);
  assert.equal(uislocal(e, b.ulp), true);
  a.call("pvm_send", b.tid, 2);
  assert.equal(e.w[b.ulp + ULP.inbox], 0);
  assert.equal(
    e.w[b.ulp + ULP.msgqCount],
    2,
    "a local ULP's goes to its queue, behind what came by the inbox",
  );
  assert.throws(() => usetremote(e, b.ulp, 0), /remote on its own engine/);
  usetremote(e, b.ulp, 1);
  assert.equal(e.w[b.ulp + ULP.engine], 1);
  usetvpid(e.w, b.ulp, 1);
  assert.ok(b.call("pvm_nrecv", -1, 1) > 0);
  assert.equal(leftovers(p), "");
});

test("umalloc, urealloc and ufree: blocks of one ULP, kept apart, freed at its end; exhaustion is 0", () => {
  const p = processOf(IDLE, { ulps: 2, heapBytes: LIMITS.heapBytesMin });
  const e = p.engines[0]!;
  const [a, b] = [p.ulp(0), p.ulp(1)];
  const before = p.library.heap.liveBlocks().length;
  const one = umalloc(e, a, 100, BLOCK_KIND.frames);
  const two = umalloc(e, a, 100, BLOCK_KIND.frames);
  const other = umalloc(e, b, 100, BLOCK_KIND.frames);
  assert.equal(new Set([one, two, other]).size, 3);
  e.heap.u8.fill(1, one, one + 100);
  e.heap.u8.fill(2, two, two + 100);
  const more = urealloc(e, a, one, 5000);
  assert.ok(e.heap.u8.slice(more, more + 100).every((byte) => byte === 1));
  assert.equal(urealloc(e, a, more, 64 << 20), 0);
  assert.ok(
    e.heap.u8.slice(more, more + 100).every((byte) => byte === 1),
    "the old block stays",
  );
  ufree(e, a, 0);
  ufree(e, a, two);
  assert.equal(umalloc(e, a, 64 << 20, BLOCK_KIND.frames), 0);
  ufreeAll(e, a);
  assert.equal(p.library.heap.liveBlocks().length, before + 1);
  ufree(e, b, other);
  assert.equal(p.library.heap.liveBlocks().length, before);
  assert.equal(leftovers(p), "");
});

test("the eight steps of initialisation are done in order, and say what they decided", () => {
  const order: string[] = [];
  const plan = { program: IDLE, ulps: 5, engines: 2, heapBytes: 16 << 20, place: PLACEMENT.block };
  const { library, trace } = initialise(plan, {
    prepare: (made) => order.push(`prepare ${made.w[HEAD.ulps]}`),
    start: () => order.push("start"),
  });
  assert.deepEqual(
    trace.map(({ step }) => step),
    ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii"],
  );
  assert.equal(trace[5]!.result, "3 on engine 0, 2 on engine 1");
  assert.deepEqual(
    order,
    ["prepare 5", "start"],
    "ULPs are made before the engines, and run after their handlers are there",
  );
  assert.equal(library.w[HEAD.engines], 2);
});

test("process descriptors: what all can give, or why they cannot work together", () => {
  const here = thisProcess(1 << 30, 4);
  const small = { ...here, heapBytes: 1 << 20, pages: 100, features: ["threads", "simd"], engines: 2 };
  assert.deepEqual(usable([here]), here);
  assert.deepEqual(usable([here, small]), {
    ...here,
    heapBytes: 1 << 20,
    pages: 100,
    engines: 2,
    features: ["simd", "threads"],
  });
  assert.match(String(usable([here, { ...here, abi: 99 }])), new RegExp(`versions ${LINK_ABI} and 99`));
});

test("ULPs are scheduled in the order of creation", () => {
  const p = processOf(IDLE, { ulps: 6, engines: 2, place: PLACEMENT.cyclic });
  const indices = p.engines.map((e) => members(e.w, e.runq).map((ulp) => e.w[ulp + ULP.index]));
  assert.deepEqual(indices, [
    [0, 2, 4],
    [1, 3, 5],
  ]);
  assert.equal(p.library.w[p.engines[0]!.row + ENGINE.runnable], 3);
});

test.run();
