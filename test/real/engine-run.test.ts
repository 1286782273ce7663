/** run(): whole programs on engine threads, and what their ends look like. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { run } from "../../upvm/run.ts";
import { program, RING, runText, TID0 } from "../wat-programs.ts";

/** Ring of n ULPs; main gives 0 if what came round is right. */
const ring = (rounds: number): Uint8Array =>
  program(`${RING} (func (export "main") (result i32) (local $got i32) (local $want i32)
    (local.set $got (call $ring (i32.const ${rounds})))
    (local.set $want
      (if (result i32) (i32.eq (call $pvm_mytid) (i32.const ${TID0}))
        (then (i32.mul (i32.const ${rounds}) (i32.load (i32.const 0))))
        (else (i32.add (i32.mul (i32.const ${rounds - 1}) (i32.load (i32.const 0)))
          (i32.sub (call $pvm_mytid) (i32.const ${TID0}))))))
    (i32.ne (local.get $got) (local.get $want)))`);

const PRINT = `
  (func $print (param $at i32) (param $bytes i32)
    (i32.store (i32.const 32) (local.get $at))
    (i32.store (i32.const 36) (local.get $bytes))
    (drop (call $fd_write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 40))))
  (func $me (result i32) (i32.sub (call $pvm_mytid) (i32.const ${TID0})))`;

test("a ring comes round right on one engine and on two, with and without slices, and leaves nothing behind", async () => {
  const module = ring(50);
  for (const options of [
    { cores: 1 },
    { cores: 2 },
    { cores: 2, place: "cyclic" as const },
    { cores: 2, sliceMs: 1 },
  ]) {
    const result = await runText({ module, ulps: 24, ...options });
    assert.equal(result.reason, "done", JSON.stringify(options));
    assert.equal(result.ok, true);
    assert.equal(result.leaks, "");
    assert.equal(result.stats.messages, 24 * 50);
    assert.equal(result.stats.created, 24 + result.stats.moves * 0);
    assert.equal(result.stats.perEngine.length, options.cores);
    assert.deepEqual(
      result.ulps.map(({ exitCode }) => exitCode),
      new Array(24).fill(0),
    );
  }
});

test("a thousand ULPs in a ring", async () => {
  const result = await runText({ module: ring(5), ulps: 1000, cores: 2 });
  assert.equal(result.ok, true);
  assert.equal(result.leaks, "");
  assert.equal(result.stats.messages, 5000);
});

test("what ULPs print comes line by line, with their tid if asked", async () => {
  const module = program(`${PRINT} (data (i32.const 64) "one\\ntwo\\nthree")
    (func (export "_start") (call $print (i32.const 64) (i32.const 13)))`);
  const result = await runText({ module, ulps: 3, cores: 2, tag: true });
  const lines = result.out.match(/\[t4000\d\] (one|two|three)\n?/g) ?? [];
  assert.equal(lines.join(""), result.out);
  assert.equal(lines.length, 9);
  for (const tid of ["t40001", "t40002", "t40003"])
    assert.deepEqual(
      lines.filter((line) => line.includes(tid)).map((line) => line.slice(9).trim()),
      ["one", "two", "three"],
    );
});

test("more output than the process takes at once: ULPs wait for it, nothing is lost", async () => {
  const module = program(`${PRINT} (func (export "_start") (local $i i32)
    (memory.fill (i32.const 1024) (i32.const 120) (i32.const 32767))
    (i32.store8 (i32.const 33791) (i32.const 10))
    (loop $again
      (call $print (i32.const 1024) (i32.const 32768))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_s (local.get $i) (i32.const 400)))))`);
  let bytes = 0;
  const result = await run({ module, ulps: 2, cores: 2, output: (_fd, text) => (bytes += text.length) });
  assert.equal(result.ok, true);
  assert.equal(bytes, 2 * 400 * 32_768);
});

test("arguments and environment are what the caller grants", async () => {
  const module = program(`${PRINT} (func (export "_start")
    (drop (call $args_sizes_get (i32.const 0) (i32.const 4)))
    (drop (call $args_get (i32.const 1024) (i32.const 2048)))
    (call $print (i32.const 2048) (i32.load (i32.const 4)))
    (drop (call $environ_sizes_get (i32.const 0) (i32.const 4)))
    (drop (call $environ_get (i32.const 1024) (i32.const 2048)))
    (call $print (i32.const 2048) (i32.load (i32.const 4))))`);
  const granted = await runText({ module, name: "prog", args: ["a", "b c"], env: ["X=1"] });
  assert.equal(granted.out, "prog\0a\0b c\0X=1\0");
  assert.equal((await runText({ module })).out, "program\0");
});

test("a trap ends its ULP alone, with where it was; the run has failed", async () => {
  const module = program(`${PRINT}
    (func $inner (param $d i32) (result i32) (i32.div_s (i32.const 1) (local.get $d)))
    (func $outer (export "main") (result i32)
      (if (i32.eq (call $me) (i32.const 1)) (then (return (call $inner (i32.const 0)))))
      (i32.const 0))`);
  const result = await runText({ module, ulps: 3, cores: 2 });
  assert.equal(result.reason, "failed");
  assert.equal(result.ok, false);
  assert.deepEqual(
    result.ulps.map(({ exitCode }) => exitCode),
    [0, 134, 0],
  );
  const { error } = result.ulps[1]!;
  assert.equal(error?.message, "divide by zero");
  assert.ok(error.stack.length >= 2, "inner, outer");
  for (const { index, offset } of error.stack) assert.ok(index >= 0 && offset! > 8);
  assert.equal(result.leaks, "");
});

test("exit codes that are not 0 fail the run; proc_exit's counts", async () => {
  const module = program(`${PRINT} (func (export "_start") (call $proc_exit (call $me)))`);
  const result = await runText({ module, ulps: 3, cores: 1 });
  assert.equal(result.reason, "failed");
  assert.deepEqual(
    result.ulps.map(({ exitCode }) => exitCode),
    [0, 1, 2],
  );
  assert.ok(result.ulps.every(({ error }) => error === undefined));
});

test("deadlock ends the run on any number of engines, and each ULP says what it waits for and where", async () => {
  const module = program(`
    (func $wait (result i32) (call $pvm_recv (i32.add (call $pvm_mytid) (i32.const 1)) (i32.const 7)))
    (func (export "main") (result i32) (drop (call $wait)) (i32.const 0))`);
  for (const cores of [1, 2]) {
    const result = await runText({ module, ulps: 4, cores });
    assert.equal(result.reason, "deadlock");
    assert.deepEqual(
      result.ulps.map(({ where }) => where),
      ["t40002", "t40003", "t40004", "t40005 (there is no such task)"].map(
        (who) => `waits in pvm_recv for tag 7 from ${who}`,
      ),
    );
    for (const { stack } of result.ulps) {
      assert.ok(stack!.length >= 2, "wait, main");
      assert.ok(stack![0]!.originalOffset! > 0);
    }
    assert.equal(result.leaks, "", "the ULPs that were there are freed too");
  }
});

test("a waiter with a time limit is no deadlock", async () => {
  const module = program(`(func (export "main") (result i32)
    (i32.store (i32.const 16) (i32.const 30000))
    (call $pvm_trecv (i32.const -1) (i32.const 1) (i32.const 8)))`);
  const result = await runText({ module, ulps: 3, cores: 2 });
  assert.equal(result.reason, "done");
});

test("an interrupted run says where each ULP was: one that ran, one that waited, one that had ended", async () => {
  const module = program(`${PRINT} (data (i32.const 64) "begun\\n")
    (func $spin (local $i i32) (loop $again
      (local.set $i (i32.add (local.get $i) (i32.const 1))) (br $again)))
    (func (export "_start")
      ;; On one engine who is sent to goes on when the sender waits, or has ended: so both are known to have come so far.
      (if (i32.eqz (call $me)) (then
        (drop (call $pvm_recv (i32.const ${TID0 + 2}) (i32.const 4)))
        (drop (call $pvm_recv (i32.const ${TID0 + 1}) (i32.const 4)))
        (call $print (i32.const 64) (i32.const 6))
        (call $spin)))
      (drop (call $pvm_initsend (i32.const 0)))
      (drop (call $pvm_send (i32.const ${TID0}) (i32.const 4)))
      (if (i32.eq (call $me) (i32.const 1)) (then (drop (call $pvm_recv (i32.const ${TID0}) (i32.const 3))))))`);
  const interrupt = new AbortController();
  const output = (): void => interrupt.abort();
  const result = await run({ module, ulps: 3, cores: 1, output, signal: interrupt.signal });
  assert.equal(result.reason, "interrupted");
  assert.deepEqual(
    result.ulps.map(({ where }) => where),
    ["ran", "waits in pvm_recv for tag 3 from t40001", undefined],
  );
  assert.equal(result.ulps[2]!.exitCode, 0);
  assert.ok(result.ulps[0]!.stack!.length >= 2);
  assert.equal(result.leaks, "");
});

test("a ULP that attacks its own memory and heap addresses harms no other", async () => {
  const module = program(`${RING} ${PRINT}
    (func (export "main") (result i32) (local $i i32)
      (if (i32.eq (call $me) (i32.const 2)) (then
        ;; All of its memory, wild pointers to calls, buffer ids that are not its own, then beyond its memory.
        (memory.fill (i32.const 0) (i32.const 255) (i32.const 65536))
        (loop $again
          (drop (call $pvm_upkint (i32.mul (local.get $i) (i32.const -77777777)) (i32.const 99999) (i32.const 3)))
          (drop (call $pvm_freebuf (local.get $i)))
          (drop (call $pvm_setrbuf (local.get $i)))
          (drop (call $pvm_bufinfo (local.get $i) (i32.const -4) (i32.const -4) (i32.const 65535)))
          (drop (call $pvm_mcast (i32.const -8) (i32.const 1000000) (i32.const 1)))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $again (i32.lt_s (local.get $i) (i32.const 200))))
        (i32.store (i32.const 0x7fffffff) (i32.const 1))))
      (i32.const 0))`);
  const attacked = await runText({ module, ulps: 4, cores: 2 });
  assert.deepEqual(
    attacked.ulps.map(({ exitCode }) => exitCode),
    [0, 0, 134, 0],
  );
  assert.equal(attacked.ulps[2]!.error?.message, "memory access out of bounds");
  assert.equal(attacked.leaks, "");
});

test("a module that is not linked, or needs more memory than it may have, is refused before anything starts", async () => {
  await assert.rejects(run({ module: new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) }), /not linked/);
  await assert.rejects(
    run({ module: ring(1), memoryPages: 0 }),
    /needs 1 pages of memory to begin with, the limit is 0/,
  );
});

test("the dump at the end has every ULP, waiting and ended", async () => {
  const module = program(`${PRINT} (func (export "_start")
    (if (i32.eqz (call $me)) (then
      (drop (call $pvm_initsend (i32.const 1)))
      (drop (call $pvm_send (i32.const ${TID0 + 1}) (i32.const 4))))
    (else (drop (call $pvm_recv (i32.const -1) (i32.const 9))))))`);
  const { dump, trace } = await runText({ module, ulps: 2, cores: 1, dump: true });
  assert.deepEqual(
    dump!.ulps.map(({ state }) => state),
    ["exited", "blocked"],
  );
  assert.deepEqual(
    dump!.ulps[1]!.messages.map(({ source, tag }) => [source, tag]),
    [[TID0, 4]],
  );
  assert.equal(trace.length, 8);
});

test.run();
