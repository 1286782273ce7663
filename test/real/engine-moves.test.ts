/**
 * ULPs that change engines, on real threads: by seeded shuffle hundreds of times, and because an engine is
 * idle.
 */
import assert from "node:assert/strict";
import { test } from "uvu";
import { program, RING, runText, TID0 } from "../wat-programs.ts";

/**
 * Each ULP computes on its own, in a loop without calls, and tells the next what came out; prints the end.
 */
const MIX = `${RING}
  (func $hex (param $value i64) (local $i i32) (local $digit i32)
    (loop $again
      (local.set $digit (i32.wrap_i64 (i64.and (local.get $value) (i64.const 15))))
      (i32.store8 (i32.sub (i32.const 80) (local.get $i))
        (i32.add (local.get $digit) (select (i32.const 48) (i32.const 87) (i32.lt_u (local.get $digit) (i32.const 10)))))
      (local.set $value (i64.shr_u (local.get $value) (i64.const 4)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_s (local.get $i) (i32.const 16))))
    (i32.store8 (i32.const 81) (i32.const 10))
    (i32.store (i32.const 32) (i32.const 65))
    (i32.store (i32.const 36) (i32.const 17))
    (drop (call $fd_write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 40))))
  (global $state (mut i64) (i64.const 88172645463325252))
  (func $work (param $n i32) (param $x f64) (result f64) (local $i i32)
    (loop $again
      (global.set $state (i64.xor (global.get $state) (i64.shl (global.get $state) (i64.const 13))))
      (global.set $state (i64.xor (global.get $state) (i64.shr_u (global.get $state) (i64.const 7))))
      (global.set $state (i64.xor (global.get $state) (i64.shl (global.get $state) (i64.const 17))))
      (local.set $x (f64.add (f64.mul (local.get $x) (f64.const 0.999))
        (f64.convert_i32_u (i32.wrap_i64 (i64.shr_u (global.get $state) (i64.const 40))))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_s (local.get $i) (local.get $n))))
    (local.get $x))`;

const mixed = (rounds: number, work: number): Uint8Array =>
  program(`${MIX} (func (export "_start") (local $i i32) (local $x f64)
    (i32.store (i32.const 0) (call $pvm_gsize (i32.const 0)))
    (local.set $x (f64.convert_i32_s (call $pvm_mytid)))
    (loop $again
      (local.set $x (call $work (i32.const ${work}) (local.get $x)))
      (call $pass (i32.wrap_i64 (i64.reinterpret_f64 (local.get $x))))
      (local.set $x (f64.add (local.get $x) (f64.convert_i32_s (call $take))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_s (local.get $i) (i32.const ${rounds}))))
    (call $hex (i64.reinterpret_f64 (local.get $x)))
    (call $hex (global.get $state)))`);

const lines = (text: string): string[] => text.trim().split("\n").sort();

test("moved hundreds of times in the middle of its work, a program ends with the same bits", async () => {
  const module = mixed(12, 400);
  const still = await runText({ module, ulps: 6, cores: 1 });
  assert.equal(still.ok, true);
  assert.equal(lines(still.out).length, 12);
  for (const shuffle of [1, 2, 3]) {
    const moved = await runText({ module, ulps: 6, cores: 2, shuffle });
    assert.equal(moved.reason, "done", `seed ${shuffle}`);
    assert.ok(moved.stats.moves > 300, `${moved.stats.moves} moves`);
    assert.deepEqual(lines(moved.out), lines(still.out), `seed ${shuffle}`);
    assert.equal(moved.leaks, "");
  }
});

test("receives of every kind survive moves: wildcards, timed, straight into memory, probes", async () => {
  // ULP 0 collects from all others, in a different way each round; others send three kinds and wait for an
  // answer.
  const module = program(`${MIX}
    (func $others (result i32) (i32.sub (call $pvm_gsize (i32.const 0)) (i32.const 1)))
    (func $one (param $kind i32) (result i32)
      (i64.store (i32.const 128) (i64.const 60))
      (i32.store (i32.const 136) (i32.const 0))
      (if (i32.eq (local.get $kind) (i32.const 0)) (then (drop (call $pvm_recv (i32.const -1) (i32.const 3)))))
      (if (i32.eq (local.get $kind) (i32.const 1)) (then
        (if (i32.le_s (call $pvm_trecv (i32.const -1) (i32.const 3) (i32.const 128)) (i32.const 0)) (then unreachable))))
      (if (i32.eq (local.get $kind) (i32.const 2)) (then
        (drop (call $pvm_precv (i32.const -1) (i32.const 3) (i32.const 144) (i32.const 1) (i32.const 3)
          (i32.const 0) (i32.const 0) (i32.const 0)))
        (return (i32.load (i32.const 144)))))
      (if (i32.eq (local.get $kind) (i32.const 3)) (then
        (loop $again (if (i32.eqz (call $pvm_probe (i32.const -1) (i32.const 3))) (then (drop (call $pvm_yield)) (br $again))))
        (drop (call $pvm_recv (i32.const -1) (i32.const 3)))))
      (drop (call $pvm_upkint (i32.const 144) (i32.const 1) (i32.const 1)))
      (i32.load (i32.const 144)))
    (func (export "main") (result i32) (local $i i32) (local $sum i32) (local $n i32)
      (if (i32.eq (call $pvm_mytid) (i32.const ${TID0}))
        (then
          (local.set $n (i32.mul (call $others) (i32.const 20)))
          (loop $again
            (local.set $sum (i32.add (local.get $sum) (call $one (i32.and (local.get $i) (i32.const 3)))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_s (local.get $i) (local.get $n))))
          (return (i32.sub (local.get $sum) (i32.mul (call $others) (i32.const 190)))))
        (else
          (loop $again
            (i32.store (i32.const 8) (local.get $i))
            (drop (call $pvm_psend (i32.const ${TID0}) (i32.const 3) (i32.const 8) (i32.const 1) (i32.const 3)))
            (if (i32.eqz (i32.and (local.get $i) (i32.const 3))) (then (drop (call $pvm_yield))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_s (local.get $i) (i32.const 20))))))
      (i32.const 0))`);
  for (const shuffle of [11, 12, 13, 14]) {
    const result = await runText({ module, ulps: 5, cores: 2, shuffle });
    assert.equal(
      result.reason,
      "done",
      `seed ${shuffle}: ${result.ulps.map(({ where, exitCode }) => where ?? exitCode)}`,
    );
    assert.equal(result.stats.messages, 80);
    assert.equal(result.leaks, "");
  }
});

test("an idle engine takes ULPs from one that computes: all of them begin on one", async () => {
  // The first computes until another ends it, which none can but on another engine.
  const module = program(`(func (export "_start")
    (if (i32.eq (call $pvm_mytid) (i32.const ${TID0})) (then (loop $for_ever (br $for_ever))))
    (drop (call $pvm_kill (i32.const ${TID0}))))`);
  const result = await runText({ module, ulps: 4, cores: 2, place: () => 0 });
  assert.equal(result.reason, "done");
  assert.ok(result.stats.moves >= 1, `${result.stats.moves} moves`);
  for (const { created } of result.stats.perEngine) assert.ok(created >= 1);
  assert.equal(result.leaks, "");
});

test("four engines on however many cores: rings, shuffled, end right", async () => {
  const module = mixed(8, 10);
  const still = await runText({ module, ulps: 9, cores: 1 });
  const moved = await runText({ module, ulps: 9, cores: 4, shuffle: 99, place: "cyclic" });
  assert.equal(moved.reason, "done");
  assert.deepEqual(lines(moved.out), lines(still.out));
  assert.equal(moved.leaks, "");
});

/**
 * Every ULP sends `k` numbered messages to others that a hash picks, and takes what has come in between. Each
 * pair counts for itself; a last message says how many there were. Anything out of order, twice or lost is a
 * trap.
 */
const numbered = (k: number): Uint8Array =>
  program(`
    (func $me (result i32) (i32.sub (call $pvm_mytid) (i32.const ${TID0})))
    (func $expected (param $from i32) (result i32) (i32.add (i32.const 0x1000) (i32.shl (local.get $from) (i32.const 2))))
    (func $sentTo (param $to i32) (result i32) (i32.add (i32.const 0x2000) (i32.shl (local.get $to) (i32.const 2))))
    (func $tell (param $to i32) (param $tag i32)
      (drop (call $pvm_initsend (i32.const 1)))
      (drop (call $pvm_pkint (call $sentTo (local.get $to)) (i32.const 1) (i32.const 1)))
      (drop (call $pvm_send (i32.add (local.get $to) (i32.const ${TID0})) (local.get $tag))))
    ;; Takes the receive buffer; 1 if it was the last of its sender.
    (func $check (param $buffer i32) (result i32) (local $from i32)
      (drop (call $pvm_bufinfo (local.get $buffer) (i32.const 0) (i32.const 4) (i32.const 8)))
      (drop (call $pvm_upkint (i32.const 12) (i32.const 1) (i32.const 1)))
      (local.set $from (i32.sub (i32.load (i32.const 8)) (i32.const ${TID0})))
      (if (i32.ne (i32.load (i32.const 12)) (i32.load (call $expected (local.get $from)))) (then unreachable))
      (if (i32.eq (i32.load (i32.const 4)) (i32.const 2)) (then (return (i32.const 1))))
      (i32.store (call $expected (local.get $from)) (i32.add (i32.load (call $expected (local.get $from))) (i32.const 1)))
      (i32.const 0))
    (func (export "main") (result i32) (local $n i32) (local $i i32) (local $to i32) (local $ends i32) (local $got i32)
      (local.set $n (call $pvm_gsize (i32.const 0)))
      (loop $send
        (local.set $to (i32.rem_u (i32.shr_u (i32.mul (i32.add (i32.mul (local.get $i) (i32.const 31)) (call $me))
          (i32.const 0x9e3779b1)) (i32.const 7)) (local.get $n)))
        (call $tell (local.get $to) (i32.const 1))
        (i32.store (call $sentTo (local.get $to)) (i32.add (i32.load (call $sentTo (local.get $to))) (i32.const 1)))
        (local.set $got (call $pvm_nrecv (i32.const -1) (i32.const -1)))
        (if (local.get $got) (then (local.set $ends (i32.add (local.get $ends) (call $check (local.get $got))))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $send (i32.lt_s (local.get $i) (i32.const ${k}))))
      (local.set $i (i32.const 0))
      (loop $last
        (call $tell (local.get $i) (i32.const 2))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $last (i32.lt_s (local.get $i) (local.get $n))))
      (loop $rest
        (if (i32.lt_s (local.get $ends) (local.get $n)) (then
          (local.set $ends (i32.add (local.get $ends) (call $check (call $pvm_recv (i32.const -1) (i32.const -1)))))
          (br $rest))))
      (i32.const 0))`);

test("what one ULP sends another arrives once and in order, however both move", async () => {
  const few = numbered(60);
  for (const [cores, shuffle] of [
    [2, 21],
    [3, 22],
    [2, 23],
    [3, 24],
  ] as const) {
    const result = await runText({ module: few, ulps: 6, cores, shuffle, place: "cyclic" });
    assert.equal(result.reason, "done", `${cores} engines, seed ${shuffle}`);
    assert.ok(result.stats.moves > 100, `${result.stats.moves} moves`);
    assert.equal(result.leaks, "");
  }
  const many = await runText({ module: numbered(4000), ulps: 8, cores: 3, sliceMs: 1 });
  assert.equal(many.reason, "done");
  assert.equal(many.stats.messages, 8 * 4008);
  assert.equal(many.leaks, "");
});

test.run();
