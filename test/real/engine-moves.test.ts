/** ULPs that change engines, on real threads: by seeded shuffle hundreds of times, and because an engine is idle. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { program, RING, runText, TID0 } from "../wat-programs.ts";

/** Each ULP computes on its own, in a loop without calls, and tells the next what came out; prints the end. */
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
  const module = mixed(12, 40);
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
  // ULP 0 collects from all others, in a different way each round; others send three kinds and wait for an answer.
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
  const module = mixed(1, 30_000_000);
  const result = await runText({ module, ulps: 4, cores: 2, place: () => 0 });
  assert.equal(result.ok, true);
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

test.run();
