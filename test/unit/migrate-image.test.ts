/**
 * Images of ULPs: every word has a fate; what a ULP is arrives in another process, and nothing of it stays behind.
 */
import assert from "node:assert/strict";
import { test } from "uvu";
import { link } from "../../runtime/link/link.ts";
import { Filling } from "../../runtime/migrate/filling.ts";
import {
  descriptionOf,
  linearMemory,
  liveRuns,
  memoryOf,
  runsOf,
  weightOf,
  whyNoImage,
} from "../../runtime/migrate/image.ts";
import { readImage } from "../../runtime/migrate/restore.ts";
import { dispatch, pick, serveMail } from "../../runtime/scheduler/engine.ts";
import { optionOf } from "../../runtime/scheduler/more.ts";
import type { Program } from "../../runtime/scheduler/programs.ts";
import { stateText } from "../../runtime/scheduler/state.ts";
import { noRoom } from "../../upvm/room.ts";
import {
  BTAB_FATE,
  FRAME_FATE,
  GRANULE_BYTES,
  HANDLER_FATE,
  MORE_FATE,
  MSG_FATE,
  ULP_FATE,
} from "../../wire/image.ts";
import { BTAB, HEAD, INBOX_AWAY, MSG, SUSPEND, ULP, WAIT } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { FRAME, HANDLER, MORE } from "../../wire/more.ts";
import { PVM_OPTION } from "../../wire/options.ts";
import { type Actor, actor, IDLE, leftovers, type Process, processOf } from "../one-thread.ts";
import {
  admit,
  blocks,
  counts,
  destination,
  frozen,
  HASH,
  hop,
  imaged,
  joined,
  outside,
  ownActor,
  pair,
  read,
  say,
} from "../two-processes.ts";
import { HALF_WAY, program } from "../wat-programs.ts";

/** The actor that a ULP is in the process where it now is. */
const there = (q: Process, index: number): Actor => actor(q, index, q.engines[0]!.contexts[index]);

const word = (p: Process, index: number, name: keyof typeof ULP): number =>
  p.library.w[p.ulp(index) + ULP[name]]!;

function hear(who: Actor, tag: number): number {
  assert.ok(who.call("pvm_nrecv", -1, tag) > 0, `a message with tag ${tag}`);
  who.call("pvm_upkint", 0x10, 1, 1);
  return who.view.getInt32(0x10, true);
}

test("every word of what a ULP has is said to move, to be made anew, or to be 0", () => {
  const named = (table: object, fates: object, alone: readonly string[] = []): void => {
    const names = Object.keys(table).filter((name) => name !== "words" && !alone.includes(name));
    assert.deepEqual(Object.keys(fates).sort(), names.sort());
  };
  named(ULP, ULP_FATE);
  named(MORE, MORE_FATE, ["uses", "options"]);
  named(FRAME, FRAME_FATE);
  named(BTAB, BTAB_FATE);
  named(MSG, MSG_FATE);
  named(HANDLER, HANDLER_FATE);
});

test("words without a name are 0 in every ULP: a new one cannot be forgotten in its image", () => {
  const names = new Set<number>(Object.values(ULP));
  names.add(ULP.deadline + 1);
  const [p] = pair();
  const a = ownActor(p, 0);
  say(a, a.tid, 1, 1);
  for (let at = 0; at < ULP.words; at++)
    if (!names.has(at)) assert.equal(p.library.w[a.ulp + at], 0, `word ${at}`);
});

test("a ULP that never ran goes to another process and begins there", async () => {
  const [p, q] = pair();
  const [before, later] = [counts(p), counts(q)];
  assert.deepEqual(await hop(p, q, 0, 7), []);
  assert.deepEqual([stateText(word(q, 0, "state")), word(q, 0, "engine")], ["unInit", 0]);
  assert.equal(word(p, 0, "engine"), 1, "the mark says: elsewhere");
  assert.deepEqual([counts(p).live, counts(q).live], [before.live - 1, later.live + 1]);
  assert.deepEqual([counts(p).outside, counts(q).outside], [before.outside, later.outside]);
  dispatch(q.engines[0]!, pick(q.engines[0]!));
  assert.equal(leftovers(p) + leftovers(q), "");
});

test("memory, buffers, read positions and unread messages arrive in order; nothing stays behind", async () => {
  for (const chunk of [1, 3, 64, 4096, 1 << 30]) {
    const [p, q] = pair();
    const empty = blocks(p);
    const a = ownActor(p, 0);
    a.bytes.fill(5, 0x2000, 0x2400);
    // Unread: small, and of more than one segment.
    for (const [i, ints] of [1, 3000, 2].entries()) {
      a.call("pvm_initsend", 1);
      for (let k = 0; k < ints; k++) a.view.setInt32(0x4000 + 4 * k, 1000 * i + k, true);
      a.call("pvm_pkint", 0x4000, ints, 1);
      a.call("pvm_send", a.tid, 10 + i);
    }
    // One half read, one being packed.
    say(a, a.tid, 20, 1);
    a.call("pvm_initsend", 1);
    a.view.setInt32(0x10, 77, true);
    a.call("pvm_pkint", 0x10, 1, 1);
    assert.ok(a.call("pvm_nrecv", -1, 11) > 0);
    a.call("pvm_upkint", 0x4000, 2000, 1);
    a.bytes.fill(0, 0x4000, 0x8000);
    assert.deepEqual(await hop(p, q, 0, chunk), []);
    assert.deepEqual(blocks(p), empty, "only the mark is left");
    assert.equal(word(p, 0, "inbox"), INBOX_AWAY);
    const b = there(q, 0);
    assert.deepEqual([...b.bytes.subarray(0x23fe, 0x2402)], [5, 5, 0, 0]);
    b.call("pvm_upkint", 0x4000, 1000, 1);
    assert.deepEqual([b.view.getInt32(0x4000, true), b.view.getInt32(0x4000 + 3996, true)], [3000, 3999]);
    assert.equal(hear(b, 10), 0);
    assert.equal(hear(b, 12), 2000);
    assert.equal(hear(b, 20), 1);
    b.view.setInt32(0x10, 78, true);
    b.call("pvm_pkint", 0x10, 1, 1);
    b.call("pvm_send", b.tid, 30);
    assert.equal(hear(b, 30), 77);
    b.call("pvm_upkint", 0x10, 1, 1);
    assert.equal(b.view.getInt32(0x10, true), 78);
    assert.equal(leftovers(p) + leftovers(q), "");
  }
});

test("carried messages are in front of what was sent to the new place before the ULP was there", async () => {
  const [p, q] = pair();
  const a = ownActor(p, 0);
  say(a, a.tid, 1, 1);
  say(a, a.tid, 1, 2);
  const b = actor(q, 1);
  // Of the new place's own ULPs: in the outbox, and nobody has taken them.
  q.engines[0]!.edge.ringOutbox = () => {};
  say(b, a.tid, 1, 3);
  say(b, a.tid, 1, 4);
  await hop(p, q, 0);
  say(b, a.tid, 1, 5);
  const c = there(q, 0);
  assert.deepEqual(
    [1, 2, 3, 4, 5].map(() => hear(c, 1)),
    [1, 2, 3, 4, 5],
  );
  assert.equal(leftovers(p) + leftovers(q), "");
});

test("what is sent to it after its image was taken is handed out when it goes, and later messages leave by the outbox", async () => {
  const p = processOf(IDLE, { ulps: 2, ...outside });
  const [a, b] = [ownActor(p, 0), actor(p, 1)];
  say(b, a.tid, 1, 1);
  const ulp = await frozen(p, 0);
  imaged(p, ulp);
  assert.equal(p.library.w[ulp.ulp + ULP.msgqCount], 1);
  say(b, a.tid, 1, 2);
  say(b, a.tid, 1, 3);
  const { messages } = p.freezer.release(ulp);
  assert.equal(messages.length, 2);
  for (const at of messages) {
    p.library.gb.gdecref(p.library.w[(at >> 2) + MSG.gbid]!);
    p.library.arena.hfree(at);
  }
  say(b, a.tid, 1, 4);
  assert.deepEqual(
    p.out.map(({ to, data }) => [to, data[0]]),
    [[a.tid, 4]],
  );
  assert.equal(leftovers(p), "");
});

test("what a ULP needs is its memory as it has grown, and its messages in the heap; who has no room for that says so", async () => {
  const p = processOf(IDLE, { ulps: 2, ...outside });
  const [a, b] = [ownActor(p, 0), actor(p, 1)];
  b.call("pvm_initsend", 1);
  assert.equal(b.call("pvm_pkbyte", 0, 20_000, 1), 0);
  assert.equal(b.call("pvm_send", a.tid, 1), 0);
  const ulp = await frozen(p, 0);
  const { memoryBytes, heapBytes } = weightOf(p.library, ulp);
  assert.equal(memoryBytes, ulp.parcel.memory?.buffer.byteLength ?? 0);
  assert.ok(heapBytes >= 20_000 && heapBytes < 40_000, `${heapBytes} bytes`);
  const none = { memoryBytes: 0, heapBytes: 0 };
  const room = (available: number, promised = none) => ({
    process: p,
    availableBytes: () => available,
    promised,
  });
  assert.equal(noRoom(room(1 << 30), { memoryBytes: 1 << 30, heapBytes }), undefined);
  const short = noRoom(room((1 << 30) - 1), { memoryBytes: 1 << 30, heapBytes });
  assert.deepEqual(short, { code: "noMemory", detail: "1023 MB are free, it needs 1024" });
  const full = noRoom(room(1 << 30), { memoryBytes: 0, heapBytes: p.library.heap.leftBytes() + 1 });
  assert.match(full?.detail ?? "", /the process heap has \d+ MB left, it needs \d+/);
  // What others that come will take is not free.
  const others = { memoryBytes: 1, heapBytes: p.library.heap.leftBytes() };
  const taken = noRoom(room(1 << 30, others), { memoryBytes: 1 << 30, heapBytes });
  assert.deepEqual(taken, { code: "noMemory", detail: "1023 MB are free, it needs 1024" });
  const chunk = p.library.w[HEAD.chunkBytes]!;
  const noHeap = noRoom(room(1 << 30, others), { memoryBytes: 0, heapBytes: chunk + 1 });
  assert.match(noHeap?.detail ?? "", /the process heap has 0 MB left/);
  p.freezer.thaw(ulp);
  serveMail(p.engines[0]!);
  there(p, 0).call("pvm_recv", -1, -1);
});

test("an image changes nothing: a ULP that is thawed after it goes on as before", async () => {
  const p = processOf(IDLE, { ulps: 1, ...outside });
  const a = ownActor(p, 0);
  say(a, a.tid, 1, 10);
  a.call("pvm_initsend", 1);
  a.call("pvm_pkint", 0x10, 1, 1);
  const ulp = await frozen(p, 0);
  const first = joined(imaged(p, ulp));
  assert.deepEqual(joined(imaged(p, ulp)), first);
  p.freezer.thaw(ulp);
  serveMail(p.engines[0]!);
  const b = there(p, 0);
  b.call("pvm_pkint", 0x10, 1, 1);
  b.call("pvm_send", b.tid, 2);
  assert.equal(hear(b, 1), 10);
  assert.equal(hear(b, 2), 10);
  assert.equal(leftovers(p), "");
});

test("blocked in a receive, with a time or without, it waits on there, and the message it waits for wakes it", async () => {
  const [p, q] = pair();
  const a = ownActor(p, 0);
  q.nowMs = 50_000;
  a.view.setBigInt64(0x100, 3n, true);
  p.nowMs = 1000;
  assert.equal(a.call("pvm_trecv", -1, 7, 0x100), SUSPEND);
  p.nowMs = 2000;
  await hop(p, q, 0, 100);
  assert.deepEqual([counts(p).outside, q.engines[0]!.timers.nextMs], [0, 52_000]);
  assert.equal(stateText(word(q, 0, "state")), "blocked");
  const b = actor(q, 1);
  say(b, a.tid, 7, 9);
  assert.equal(stateText(word(q, 0, "state")), "runnable");
  assert.ok(there(q, 0).resumed() > 0);
  assert.equal(leftovers(p) + leftovers(q), "");
});

test("blocked in pvm_precv, the data go straight into its memory there; from its image on as before it", async () => {
  const [p, q] = pair();
  const a = ownActor(p, 0);
  assert.equal(a.call("pvm_precv", -1, 7, 0x400, 1, 3, 0x500, 0, 0x504), SUSPEND);
  await hop(p, q, 0);
  const b = actor(q, 1);
  say(b, a.tid, 7, 4242);
  const c = there(q, 0);
  assert.equal(c.resumed(), 0);
  assert.deepEqual([c.view.getInt32(0x400, true), c.view.getInt32(0x500, true)], [4242, b.tid]);
  assert.equal(leftovers(p) + leftovers(q), "");
});

test("a message that it carries and waits for wakes it as soon as it is there", async () => {
  const p = processOf(IDLE, { ulps: 2, ...outside });
  const q = processOf(IDLE, { ulps: 2, elsewhere: () => true, ...outside });
  const [a, b] = [ownActor(p, 0), actor(p, 1)];
  assert.equal(a.call("pvm_recv", -1, 7), SUSPEND);
  const ulp = await frozen(p, 0);
  say(b, a.tid, 7, 1);
  const incoming = read(destination(q), joined(imaged(p, ulp)));
  p.freezer.release(ulp);
  admit(q, incoming);
  assert.equal(stateText(word(q, 0, "state")), "runnable");
  assert.ok(there(q, 0).resumed() > 0);
  assert.equal(leftovers(p) + leftovers(q), "");
});

test("asleep, or waiting for the virtual machine's answer, it gets what it waits for there", async () => {
  const [p, q] = pair();
  const a = ownActor(p, 0);
  a.view.setBigUint64(0x100 + 24, 3_000_000_000n, true);
  assert.equal(a.wasi("poll_oneoff", 0x100, 0x200, 1, 0x300), SUSPEND);
  p.nowMs = 1000;
  await hop(p, q, 0);
  assert.deepEqual([q.engines[0]!.timers.nextMs, word(q, 0, "wait")], [2000, WAIT.sleep]);
  const [r, s] = pair();
  const c = ownActor(r, 0);
  assert.equal(c.call("pvm_pstat", c.tid + 1), SUSPEND);
  const serial = r.asked[0]!.serial;
  await hop(r, s, 0);
  s.mail[0]!.push({ kind: "answer", index: 0, of: "pstat", serial, answer: { value: 0 } });
  Atomics.add(s.library.w, s.engines[0]!.row + 4, 1);
  serveMail(s.engines[0]!);
  assert.equal(stateText(word(s, 0, "state")), "runnable");
  assert.equal(leftovers(p) + leftovers(q), "");
});

test("options, context, handlers, what they interrupted, probed messages, data in place and texts go with it", async () => {
  const [p, q] = pair();
  const a = ownActor(p, 0);
  a.call("pvm_setopt", PVM_OPTION.PvmResvTids.code, 1);
  assert.ok(a.call("pvm_addmhf", -1, 40, -1, 3) > 0);
  assert.ok(a.call("pvm_addmhf", -1, 41, -1, 4) > 0);
  a.call("pvm_delmhf", 1);
  say(a, a.tid, 50, 500);
  const probed = a.call("pvm_probe", -1, 50);
  // A handler runs: its message is the receive buffer, what was is put aside.
  const handle = p.engines[0]!.imports.upvm["handle"] as () => number;
  say(a, a.tid, 60, 600);
  say(a, a.tid, 41, 410);
  assert.equal(handle(), 4);
  // In place: what lies there when it is sent.
  a.call("pvm_initsend", 2);
  a.view.setInt32(0x80, 1, true);
  a.call("pvm_pkint", 0x80, 1, 1);
  a.call("pvm_spawn_environ", environ(a));
  a.view.setInt32(0x80, 2, true);
  await hop(p, q, 0, 5);
  const b = there(q, 0);
  const { w } = q.library;
  assert.equal(optionOf(w, q.ulp(0), PVM_OPTION.PvmResvTids.code), 1);
  assert.equal(word(q, 0, "common"), -0x80000000, "its messages are left to the engine");
  b.call("pvm_upkint", 0x10, 1, 1);
  assert.equal(b.view.getInt32(0x10, true), 410);
  b.call("pvm_send", b.tid, 70);
  (q.engines[0]!.imports.upvm["handled"] as () => void)();
  assert.ok(probed > 0);
  assert.ok(b.call("pvm_nrecv", -1, 50) > 0);
  assert.equal(word(q, 0, "rbid"), probed, "the id that it was given");
  b.call("pvm_upkint", 0x10, 1, 1);
  assert.equal(b.view.getInt32(0x10, true), 500);
  assert.equal(hear(b, 60), 600);
  assert.equal(hear(b, 70), 2);
  const at = word(q, 0, "exportAt");
  assert.equal(new TextDecoder().decode(q.library.heap.u8.slice(at + 4, at + 4 + w[at >> 2]!)), "A=1\0");
  assert.equal(leftovers(p) + leftovers(q), "");
});

/** A list of texts with `A=1`. */
function environ(a: Actor): number {
  const list = 0x7000;
  a.view.setInt32(list, a.text("A=1", 0x7100), true);
  a.view.setInt32(list + 4, 0, true);
  return list;
}

test("a linked program goes on where it was: memory, globals, tables, and output without its newline", async () => {
  const { wasm, module } = halfWay();
  assert.ok(wasm.length > 0);
  const p = processOf(module, { ulps: 2, ...outside });
  const q = processOf(module, { ulps: 2, elsewhere: () => true, ...outside });
  dispatch(p.engines[0]!, pick(p.engines[0]!));
  const points = (await link(wasm)).info.points;
  const ulp = await frozen(p, 0);
  const incoming = read(destination(q, { points: () => points }), joined(imaged(p, ulp)), 11);
  p.freezer.release(ulp);
  admit(q, incoming);
  dispatch(q.engines[0]!, pick(q.engines[0]!));
  assert.deepEqual(q.failures, []);
  assert.equal(word(q, 0, "exitCode"), 1 + 20 + 300 + 4000);
  assert.deepEqual(
    [...p.printed, ...q.printed].map(({ text }) => text),
    ["half a line\n"],
  );
  assert.equal(leftovers(p) + leftovers(q), "");
});

function halfWay() {
  const wasm = program(HALF_WAY);
  return { wasm, module: programFrom(wasm) };
}

function programFrom(wasm: Uint8Array): Program {
  const { pages, stateBytes, tables } = link(wasm).info;
  const module = new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>);
  return { id: 0, name: "test", module, pages, stateBytes, tables };
}

test("every kind of global is in the image: a program with one of them missing computes something else", async () => {
  const kinds = [
    ["i32", 4, "(global.get $g)"],
    ["i64", 8, "(i32.wrap_i64 (global.get $g))"],
    ["f32", 4, "(i32.trunc_f32_s (global.get $g))"],
    ["f64", 8, "(i32.trunc_f64_s (global.get $g))"],
  ] as const;
  for (const [type, bytes, value] of kinds) {
    const wasm = program(`(global $g (mut ${type}) (${type}.const 1)) (global $same (mut i32) (i32.const 5))
      (func (export "main") (result i32)
        (global.set $g (${type}.const 70))
        (drop (call $pvm_yield))
        (i32.add (global.get $same) ${value}))`);
    const module = programFrom(wasm);
    const exitCode = async (spoil: (bytes: Uint8Array) => void): Promise<number> => {
      const p = processOf(module, { ulps: 2, ...outside });
      const q = processOf(module, { ulps: 2, elsewhere: () => true, ...outside });
      dispatch(p.engines[0]!, pick(p.engines[0]!));
      const ulp = await frozen(p, 0);
      const at = word(p, 0, "savedAt");
      spoil(p.library.heap.u8.subarray(at, at + module.stateBytes));
      const incoming = read(destination(q), joined(imaged(p, ulp)));
      p.freezer.release(ulp);
      admit(q, incoming);
      dispatch(q.engines[0]!, pick(q.engines[0]!));
      return word(q, 0, "exitCode");
    };
    assert.equal(module.stateBytes, bytes + 4);
    assert.equal(await exitCode(() => {}), 75, type);
    assert.equal(await exitCode((saved) => saved.fill(0, 0, bytes)), 5, type);
    assert.equal(await exitCode((saved) => saved.fill(0, bytes)), 70, type);
  }
});

test("only pages that hold something are sent", () => {
  const memory = new Uint8Array(64 * GRANULE_BYTES);
  assert.deepEqual(runsOf(liveRuns(memory)), []);
  memory[5] = 1;
  memory[2 * GRANULE_BYTES - 1] = 1;
  memory[10 * GRANULE_BYTES] = 1;
  assert.deepEqual(runsOf(liveRuns(memory)), [0, 2, 10, 1]);
  memory[64 * GRANULE_BYTES - 1] = 1;
  assert.deepEqual(runsOf(liveRuns(memory)), [0, 2, 10, 1, 63, 1]);
});

test("a large memory of zeros is looked through in parts, with time for others in between", () => {
  const memory = new Uint8Array(3 * LIMITS.scanBytes);
  memory[memory.length - 1] = 1;
  let parts = 0;
  for (const scan = liveRuns(memory); !scan.next().done; ) parts += 1;
  assert.equal(parts, 2);
});

test("a ULP in a group of its process has no image, and is told so", async () => {
  const p = processOf(IDLE, { ulps: 1, engines: 2 });
  const a = ownActor(p, 0);
  assert.ok(a.call("pvm_joingroup", a.text("work")) >= 0);
  const ulp = await frozen(p, 0);
  assert.equal(whyNoImage(p.library.w, ulp.ulp), "it is in a group that is kept by its process");
  p.freezer.thaw(ulp);
  for (const e of p.engines) serveMail(e);
  assert.equal(leftovers(p), "");
});

test("a message that comes while the memory is already on its way travels with the ULP", async () => {
  const p = processOf(IDLE, { ulps: 3, elsewhere: (index) => index === 2, ...outside });
  const q = processOf(IDLE, { ulps: 3, elsewhere: (index) => index !== 2, ...outside });
  const [a, b] = [ownActor(p, 0), actor(p, 1)];
  a.call("pvm_mytid");
  say(b, a.tid, 1, 1);
  const ulp = await frozen(p, 0);
  const context = { hash: HASH, nowMs: p.nowMs, grants: [] };
  const filling = new Filling(readImage(destination(q)));
  for (const piece of memoryOf(p.library, ulp, context, runsOf(liveRuns(linearMemory(ulp)))).pieces)
    filling.write(piece);
  say(b, a.tid, 1, 2);
  for (const piece of descriptionOf(p.library, ulp, context).pieces) filling.write(piece);
  const incoming = filling.end();
  assert.equal(incoming.messages.length, 2);
  assert.deepEqual(p.freezer.release(ulp).messages, []);
  admit(q, incoming);
  assert.deepEqual([hear(there(q, 0), 1), hear(there(q, 0), 1)], [1, 2]);
});

test.run();
