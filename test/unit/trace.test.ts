/** Trace events: masks, what calls tell, where they go, and that a ULP that is not traced makes none. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { sourceOf } from "../../runtime/pvm/trace-values.ts";
import { eventOf, maskBits, maskText } from "../../runtime/pvm/tracing.ts";
import { dispatch, pick } from "../../runtime/scheduler/engine.ts";
import { type RunOptions, run } from "../../upvm/run.ts";
import { INTERRUPT, SUSPEND, ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { TRACE, TRACE_CALL } from "../../wire/more.ts";
import { DAEMON_TID, PVM_ERROR, PVM_ROUTINE, type RoutineName } from "../../wire/pvm.ts";
import { TRACE_EVENT, TRACE_EVENTS } from "../../wire/trace.ts";
import { TRACE_DATA, TRACE_MASK_LENGTH } from "../../wire/trace-data.ts";
import { actor, IDLE, leftovers, processOf } from "../one-thread.ts";
import { type Seen, TraceReader } from "../trace-reader.ts";
import { allEvents, begin, MASK, messages, option, TAG, traced, traceTo, wordsOf } from "../traced.ts";
import { hop, ownActor, pair, say } from "../two-processes.ts";
import { program, TID0 } from "../wat-programs.ts";

const DATA = 0x100;
const shortly = ({ phase, name }: Seen): string => `${phase} ${name}`;

test("events have PVM's numbers in order, and every source of their data is one", () => {
  TRACE_EVENTS.forEach((event, i) => {
    assert.equal(event.id, i, event.name);
    for (const field of [...event.entry, ...event.exit]) {
      assert.ok(field.datum in TRACE_DATA, `${event.name}: ${field.datum}`);
      assert.equal(typeof sourceOf(field), "function");
    }
  });
  assert.throws(() => sourceOf({ datum: "CC", from: "nothing" }), /no source "nothing"/);
  assert.equal(Object.keys(TRACE_DATA).length, 123);
});

test("a routine with an event of its name makes it, but for those that PVM is silent about", () => {
  const made = new Set((Object.keys(PVM_ROUTINE) as RoutineName[]).map(eventOf));
  for (const name of ["send", "recv", "recvf", "getinfo", "exit", "mytid", "pkstr"])
    assert.ok(made.has(name as never));
  for (const name of ["perror", "tidtohost", "hostsync", "settmask", "gettmask"])
    assert.ok(!made.has(name as never));
});

test("a call that is under way has room for the parameters of every routine", () => {
  for (const [name, { wasm }] of Object.entries(PVM_ROUTINE))
    assert.ok(wasm.length <= TRACE_CALL.words - TRACE_CALL.args, name);
});

/** Routines that are code of the guest libraries, and say themselves when they begin and return. */
const LIBRARY = [
  "config",
  "gather",
  "getfds",
  "getmboxinfo",
  "packf",
  "reduce",
  "reg_rm",
  "scatter",
  "siblings",
  "tasks",
  "unpackf",
];

test("a program says only of routines of the guest library that they begin and return; of others nothing is told", () => {
  const { p, task, told } = traced();
  begin(task);
  told();
  const tells = (id: number): string[] => {
    assert.equal(task.call("pvm_trace_begin", id, 0, 0), 0);
    for (const result of [6, SUSPEND, INTERRUPT.handle])
      assert.equal(task.call("pvm_trace_end", id, result, 0, 0), result);
    return told().map(shortly);
  };
  for (const { id, name } of TRACE_EVENTS)
    assert.deepEqual(tells(id), LIBRARY.includes(name) ? [`entry ${name}`, `exit ${name}`] : []);
  for (const id of [-1, TRACE_EVENTS.length, 0x7fffffff, -0x80000000]) assert.deepEqual(tells(id), []);
  // A result that a routine of the engine cannot have is a result here.
  const { id } = TRACE_EVENT.packf;
  task.call("pvm_trace_begin", id, task.text("%d"), 0);
  assert.equal(task.call("pvm_trace_end", id, INTERRUPT.match, 0, 0), INTERRUPT.match);
  task.call("pvm_getrbuf");
  assert.deepEqual(told().map(shortly), ["entry packf", "exit packf", "entry getrbuf", "exit getrbuf"]);
  assert.equal(leftovers(p), "");
});

test("a mask is a printable text, four events to a character; what stands behind a NUL is none", () => {
  for (const events of [[], allEvents, [0], [108], [47, 45, 3]]) {
    const text = maskText(wordsOf(events));
    assert.equal(text.length, TRACE_MASK_LENGTH);
    assert.equal(text[TRACE_MASK_LENGTH - 1], 0);
    assert.deepEqual(maskBits(text), wordsOf(events));
  }
  assert.equal(new TextDecoder().decode(maskText(wordsOf([0, 1, 2, 3, 4])).subarray(0, 3)), "OA@");
  assert.deepEqual(maskBits(new Uint8Array([0x4f, 0, 0x4f])), wordsOf([0, 1, 2, 3]));
});

test("pvm_settmask and gettmask keep a mask for the task and one for its children, and refuse others", () => {
  const p = processOf(IDLE, { ulps: 1 });
  const a = actor(p, 0);
  a.call("pvm_setopt", option("PvmAutoErr"), 0);
  a.bytes.set(maskText(wordsOf([47])), MASK);
  assert.equal(a.call("pvm_settmask", 1, MASK), 0);
  assert.equal(a.call("pvm_gettmask", 0, MASK), 0);
  assert.deepEqual(maskBits(a.bytes.slice(MASK, MASK + TRACE_MASK_LENGTH)), wordsOf([]));
  assert.equal(a.call("pvm_gettmask", 1, MASK), 0);
  assert.deepEqual(maskBits(a.bytes.slice(MASK, MASK + TRACE_MASK_LENGTH)), wordsOf([47]));
  for (const [who, at] of [
    [2, MASK],
    [-1, MASK],
    [0, 0],
    [1, -8],
  ] as const) {
    assert.equal(a.call("pvm_settmask", who, at), PVM_ERROR.PvmBadParam.code);
    assert.equal(a.call("pvm_gettmask", who, at), PVM_ERROR.PvmBadParam.code);
  }
  assert.equal(leftovers(p), "");
});

test("a traced call tells its parameters when it begins and its results when it returns, in order", () => {
  const { p, task, tracer, told } = traced();
  assert.deepEqual(told(), [], "without options nothing is told");
  begin(task);
  task.call("pvm_initsend", 0);
  task.view.setInt32(DATA, 5, true);
  task.call("pvm_pkint", DATA, 1, 1);
  task.call("pvm_send", tracer.tid, 7);
  task.call("pvm_mcast", 0, 0, 7);
  task.call("pvm_joingroup", task.text("workers"));
  const [set, ...events] = told();
  assert.deepEqual(
    [shortly(set!), set!.data["OPV"]],
    ["exit setopt", 0],
    "the call that begins the trace returns",
  );
  assert.deepEqual(
    events.map(({ phase, name, data }) => [phase, name, data]),
    [
      ["entry", "initsend", { TID: task.tid, ME: 0 }],
      ["exit", "initsend", { TID: task.tid, MSB: 1 }],
      ["entry", "pkint", { TID: task.tid, PDA: DATA, PC: 1, PSD: 1 }],
      ["exit", "pkint", { TID: task.tid, CC: 0 }],
      ["entry", "send", { TID: task.tid, MNB: 4, DST: tracer.tid, MC: 7, MCX: 0 }],
      ["exit", "send", { TID: task.tid, CC: 0 }],
      ["entry", "mcast", { TID: task.tid, MNB: 4, MC: 7, MCX: 0, MDL: [] }],
      ["exit", "mcast", { TID: task.tid, CC: 0 }],
      ["entry", "joingroup", { TID: task.tid, GN: "workers" }],
      ["exit", "joingroup", { TID: task.tid, CC: 0 }],
    ],
  );
  assert.equal(tracer.call("pvm_nrecv", -1, 7) > 0, true, "the message itself has come");
  assert.equal(leftovers(p), "");
});

test("only events of the mask are told; an empty mask ends the trace, and so does no tid", () => {
  const { p, task, told } = traced(undefined, [12]);
  begin(task);
  const calls = (): void => {
    task.call("pvm_getsbuf");
    task.call("pvm_getrbuf");
  };
  calls();
  assert.deepEqual(told().map(shortly), ["entry getrbuf", "exit getrbuf"]);
  task.bytes.set(maskText(wordsOf([])), MASK);
  task.call("pvm_settmask", 0, MASK);
  assert.equal(p.library.w[task.ulp + ULP.traceAt], 0);
  calls();
  assert.deepEqual(told(), []);
  task.bytes.set(maskText(wordsOf(allEvents)), MASK);
  task.call("pvm_settmask", 0, MASK);
  calls();
  assert.equal(told().length, 4);
  task.call("pvm_setopt", option("PvmSelfTraceTid"), 0);
  calls();
  assert.deepEqual(told().map(shortly), ["entry setopt"], "its end is not told: the trace has ended");
  assert.equal(leftovers(p), "");
});

test("what was packed and unpacked while a ULP is traced is as without, also across segments", () => {
  const { p, task } = traced();
  begin(task);
  const ints = 3000;
  for (let i = 0; i < ints; i++) task.view.setInt32(0x4000 + 4 * i, i * 7, true);
  task.call("pvm_initsend", 0);
  for (const [from, n] of [
    [0, 1],
    [1, 10],
    [11, ints - 11],
  ] as const)
    assert.equal(task.call("pvm_pkint", 0x4000 + 4 * from, n, 1), 0);
  assert.equal(task.call("pvm_send", task.tid, 5), 0);
  assert.ok(task.call("pvm_nrecv", -1, 5) > 0);
  task.bytes.fill(0, 0x4000, 0x4000 + 4 * ints);
  const { w } = p.library;
  assert.equal(w[task.ulp + ULP.unpackEnd], w[task.ulp + ULP.unpackAt], "the program itself finds nothing");
  for (const [from, n] of [
    [0, 2000],
    [2000, 1000],
  ] as const)
    assert.equal(task.call("pvm_upkint", 0x4000 + 4 * from, n, 1), 0);
  for (let i = 0; i < ints; i++) assert.equal(task.view.getInt32(0x4000 + 4 * i, true), i * 7);
  assert.equal(task.call("pvm_upkint", 0x4000, 1, 1), PVM_ERROR.PvmNoData.code);
  assert.equal(leftovers(p), "");
});

test("events wait until they are as long as PvmTraceBuffer; pvm_exit sends what waits, and ends the trace", () => {
  const { p, task, tracer, reader } = traced();
  begin(task);
  messages(tracer).flatMap(({ bytes }) => reader.read(bytes));
  task.call("pvm_setopt", option("PvmSelfTraceBuffer"), 300);
  messages(tracer).flatMap(({ bytes }) => reader.read(bytes));
  const lengths: number[] = [];
  for (let i = 0; i < 20; i++) task.call("pvm_getrbuf");
  for (const { bytes } of messages(tracer)) {
    lengths.push(bytes.length);
    reader.read(bytes);
  }
  assert.ok(lengths.length > 1 && lengths.every((length) => length >= 304 && length < 400), `${lengths}`);
  task.call("pvm_getrbuf");
  task.call("pvm_exit");
  const last = messages(tracer)
    .flatMap(({ bytes }) => reader.read(bytes))
    .map(shortly);
  assert.deepEqual(last.slice(-3), ["entry getrbuf", "exit getrbuf", "entry exit"]);
  task.call("pvm_getrbuf");
  assert.deepEqual(messages(tracer), []);
  assert.equal(leftovers(p), "");
});

test("a buffer larger than its limit is sent at the limit", () => {
  const { p, task, tracer } = traced();
  begin(task);
  task.call("pvm_setopt", option("PvmSelfTraceBuffer"), 0x7fffffff);
  const { w } = p.library;
  for (let i = 0; i < LIMITS.traceBufferBytes / 52 + 2; i++) task.call("pvm_getrbuf");
  assert.ok(w[(w[task.ulp + ULP.traceAt]! >> 2) + TRACE.used]! < LIMITS.traceBufferBytes);
  const lengths: number[] = [];
  for (let bufid = tracer.call("pvm_nrecv", -1, TAG); bufid > 0; bufid = tracer.call("pvm_nrecv", -1, TAG)) {
    tracer.call("pvm_bufinfo", bufid, 0x20, 0, 0);
    lengths.push(tracer.view.getInt32(0x20, true));
  }
  assert.ok(
    Math.max(...lengths) >= LIMITS.traceBufferBytes && Math.max(...lengths) < LIMITS.traceBufferBytes + 100,
  );
  assert.equal(leftovers(p), "");
});

test("PvmTraceCount and PvmTraceTime tell sums at the end, and no events", () => {
  for (const [how, name] of [
    [3, "profiling"],
    [2, "timing"],
  ] as const) {
    const { p, task, told } = traced();
    task.call("pvm_setopt", option("PvmSelfTraceOptions"), how);
    for (let i = 0; i < 3; i++) task.call("pvm_getrbuf");
    assert.deepEqual(told(), []);
    task.call("pvm_exit");
    const [sums] = told();
    assert.deepEqual([sums?.phase, sums?.name], ["once", name]);
    const { VID, PRF, VCT } = sums!.data as Record<string, readonly number[]>;
    assert.deepEqual([VID, PRF, VCT], [["exit", "getrbuf", "setopt"], [1, 6, 1], 3]);
    assert.equal("TGU" in sums!.data, how === 2);
    assert.equal(leftovers(p), "");
  }
});

test("a task's place learns of it first, with the names of all data, and of its end last", () => {
  const p = processOf(IDLE, { ulps: 3 });
  const { tracer, task } = traced(p);
  begin(task);
  messages(tracer);
  // Another task's, to a place that knows the names already.
  const late = actor(p, 2);
  late.call("pvm_setopt", option("PvmSelfTraceTid"), tracer.tid);
  const reader = new TraceReader();
  assert.throws(() => messages(tracer, 0).flatMap(({ bytes }) => reader.read(bytes)), /was not described/);
  p.engines[0]!.traceSinks.clear();
  late.call("pvm_setopt", option("PvmSelfTraceTid"), tracer.tid);
  late.call("pvm_setopt", option("PvmSelfTraceTid"), 0);
  late.call("pvm_setopt", option("PvmSelfTraceTid"), tracer.tid);
  late.call("pvm_setopt", option("PvmSelfTraceCode"), 55);
  const all = messages(tracer, 0);
  assert.ok(all.every(({ src }) => src === DAEMON_TID));
  const seen = all.flatMap(({ bytes }) => reader.read(bytes));
  assert.deepEqual(
    seen.map(({ name }) => name),
    ["newtask", "spntask"],
  );
  assert.deepEqual(seen[0]!.data, { TID: late.tid, PT: PVM_ERROR.PvmNoParent.code, TF: 0, TN: "test" });
  assert.equal(leftovers(p), "");
});

test("a traced ULP that moves to another process is traced there: what waits goes along, and its calls go on", async () => {
  const [p, q] = pair();
  const task = ownActor(p, 0);
  const tracer = actor(q, 1);
  traceTo(task, tracer.tid);
  task.call("pvm_setopt", option("PvmSelfTraceCode"), TAG);
  begin(task);
  task.call("pvm_setopt", option("PvmSelfTraceBuffer"), 100_000);
  task.call("pvm_getrbuf");
  const sent = p.out.length;
  await hop(p, q, 0);
  assert.equal(p.out.length, sent, "nothing was sent for the move");
  const there = actor(q, 0, q.engines[0]!.contexts[0]);
  there.call("pvm_getsbuf");
  there.call("pvm_exit");
  const [waited] = messages(tracer);
  const reader = new TraceReader();
  for (const { data } of p.out.filter(({ to }) => to === tracer.tid)) reader.read(data);
  const events = reader.read(waited!.bytes).map(shortly);
  assert.deepEqual(events.slice(-5), [
    "entry getrbuf",
    "exit getrbuf",
    "entry getsbuf",
    "exit getsbuf",
    "entry exit",
  ]);
  assert.equal(leftovers(p) + leftovers(q), "");
});

test("a call that waits while its ULP moves returns in the trace where it goes on; then the task's end is told", async () => {
  const [p, q] = pair();
  const task = ownActor(p, 0);
  const tracer = actor(q, 1);
  traceTo(task, tracer.tid);
  begin(task);
  assert.equal(task.call("pvm_recv", -1, 5), SUSPEND);
  await hop(p, q, 0);
  say(tracer, task.tid, 5, 1);
  // It goes on in its program, which ends at once.
  const e = q.engines[0]!;
  dispatch(e, pick(e));
  const reader = new TraceReader();
  const events = [...p.out.filter(({ to }) => to === tracer.tid).map(({ data }) => data)];
  for (const { bytes } of messages(tracer, 0)) events.push(bytes);
  const seen: Seen[] = [];
  // The other process has told the names of data before; this one tells them again with the end.
  for (const bytes of events) seen.push(...reader.read(bytes));
  const last = seen.slice(-3);
  assert.deepEqual(last.map(shortly), ["entry recv", "exit recv", "once endtask"]);
  assert.deepEqual(last[1]!.data, {
    TID: task.tid,
    MB: last[1]!.data["MB"]!,
    MNB: 4,
    MC: 5,
    MCX: 0,
    SRC: tracer.tid,
  });
  assert.equal(last[2]!.data["TST"], 0);
  assert.equal(leftovers(p) + leftovers(q), "");
});

/** A program whose second ULP is traced by the first: packs, waits for an answer, unpacks, as code of the module. */
const TWO = program(`(data (i32.const 1024) "${"O".repeat(35)}\\00")
  (func (export "_start") (local $b i32) (local $n i32)
    (if (i32.eq (call $pvm_mytid) (i32.const ${TID0}))
      (then
        ;; What the other says, its answer, and then all it was heard to do.
        (drop (call $pvm_recv (i32.const ${TID0 + 1}) (i32.const 1)))
        (drop (call $pvm_initsend (i32.const 0)))
        (i32.store (i32.const 64) (i32.const 42))
        (drop (call $pvm_pkint (i32.const 64) (i32.const 1) (i32.const 1)))
        (drop (call $pvm_send (i32.const ${TID0 + 1}) (i32.const 2)))
        (loop $more
          (local.set $b (call $pvm_recv (i32.const -1) (i32.const -1)))
          (drop (call $pvm_bufinfo (local.get $b) (i32.const 2040) (i32.const 2044) (i32.const 16)))
          (i32.store (i32.const 32) (i32.const 2040))
          (i32.store (i32.const 36) (i32.add (i32.const 8) (i32.load (i32.const 2040))))
          (drop (call $pvm_upkbyte (i32.const 2048) (i32.load (i32.const 2040)) (i32.const 1)))
          (drop (call $fd_write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 48)))
          (br_if $more (i32.ne (i32.load (i32.const 2044)) (i32.const 3)))))
      (else
        (drop (call $pvm_settmask (i32.const 0) (i32.const 1024)))
        (drop (call $pvm_setopt (i32.const ${option("PvmSelfTraceTid")}) (i32.const ${TID0})))
        (drop (call $pvm_setopt (i32.const ${option("PvmSelfTraceOptions")}) (i32.const 1)))
        (drop (call $pvm_mytid))
        (drop (call $pvm_initsend (i32.const 0)))
        (drop (call $pvm_pkint (i32.const 64) (i32.const 1) (i32.const 1)))
        (drop (call $pvm_send (i32.const ${TID0}) (i32.const 1)))
        (drop (call $pvm_recv (i32.const ${TID0}) (i32.const 2)))
        (drop (call $pvm_upkint (i32.const 64) (i32.const 1) (i32.const 1)))
        (if (i32.ne (i32.load (i32.const 64)) (i32.const 42)) (then unreachable))
        (drop (call $pvm_initsend (i32.const 0)))
        (drop (call $pvm_exit))
        (drop (call $pvm_initsend (i32.const 0)))
        (drop (call $pvm_send (i32.const ${TID0}) (i32.const 3))))))`);

/** What the first ULP of TWO gets after the other's first message: of each message its tag and bytes. */
async function got(options: Partial<RunOptions>): Promise<{ tag: number; bytes: Uint8Array }[]> {
  const parts: Uint8Array[] = [];
  const result = await run({ module: TWO, ulps: 2, output: (_, bytes) => parts.push(bytes), ...options });
  assert.deepEqual([result.ok, result.leaks], [true, ""]);
  const all = Buffer.concat(parts);
  const list = [];
  for (let at = 0; at < all.length; ) {
    const [length, tag] = [all.readInt32LE(at), all.readInt32LE(at + 4)];
    list.push({ tag, bytes: new Uint8Array(all.subarray(at + 8, at + 8 + length)) });
    at += 8 + length;
  }
  return list;
}

test("a traced program tells of code of its own module and of calls that wait, wherever it moves meanwhile", async () => {
  const told = [];
  for (const options of [{ cores: 1 }, { cores: 2, shuffle: 7 }]) {
    const reader = new TraceReader();
    const list = await got(options);
    assert.equal(list.at(-1)?.tag, 3);
    const events = list.slice(0, -1).flatMap(({ bytes }) => reader.read(bytes));
    told.push(events.map(({ phase, name, data }) => [phase, name, data]));
    assert.deepEqual(events.map(shortly).slice(0, 3), ["once newtask", "once spntask", "exit setopt"]);
    const calls = ["mytid", "initsend", "pkint", "send", "recv", "upkint", "initsend"];
    assert.deepEqual(events.map(shortly).slice(3), [
      ...calls.flatMap((name) => [`entry ${name}`, `exit ${name}`]),
      "entry exit",
    ]);
    const received = events.find(({ phase, name }) => phase === "exit" && name === "recv");
    assert.deepEqual([received?.data["MNB"], received?.data["MC"], received?.data["SRC"]], [4, 2, TID0]);
  }
  assert.deepEqual(told[0], told[1]);
});

test.run();
