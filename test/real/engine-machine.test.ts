/** The virtual machine on engine threads: kill, halt, notify, waiting in the message box, deadlock. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { program, runText, TID0 } from "../wat-programs.ts";

/** ULP 0 does `first`, all others `rest`. */
const two = (first: string, rest: string): Uint8Array =>
  program(`
    (data (i32.const 64) "name\\00")
    (func $pack (param $value i32)
      (i32.store (i32.const 8) (local.get $value))
      (drop (call $pvm_initsend (i32.const 0)))
      (drop (call $pvm_pkint (i32.const 8) (i32.const 1) (i32.const 1))))
    (func $unpack (result i32)
      (drop (call $pvm_upkint (i32.const 8) (i32.const 1) (i32.const 1)))
      (i32.load (i32.const 8)))
    (func (export "main") (result i32) (local $i i32)
      (if (i32.eq (call $pvm_mytid) (i32.const ${TID0})) (then ${first}) (else ${rest}))
      (i32.const 0))`);

/** Kills ULPs 1 … n and receives of each that it has ended. */
const killAll = (n: number): string => `
  (loop $each
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (i32.store (i32.const 16) (i32.add (i32.const ${TID0}) (local.get $i)))
    (drop (call $pvm_notify (i32.const 1) (i32.const 7) (i32.const 1) (i32.const 16)))
    (drop (call $pvm_kill (i32.load (i32.const 16))))
    (drop (call $pvm_recv (i32.const -1) (i32.const 7)))
    (if (i32.ne (call $unpack) (i32.load (i32.const 16))) (then unreachable))
    (br_if $each (i32.lt_s (local.get $i) (i32.const ${n}))))`;

for (const cores of [1, 2]) {
  test(`pvm_kill ends ULPs in a loop without an end, on ${cores} engines with time slices`, async () => {
    const module = two(killAll(3), "(loop $for_ever (br $for_ever))");
    const result = await runText({ module, ulps: 4, cores, sliceMs: 5, place: "cyclic" });
    assert.equal(result.reason, "done", result.err);
    assert.deepEqual(
      result.ulps.map(({ killed }) => killed),
      [undefined, 15, 15, 15],
    );
    assert.equal(result.leaks, "");
  });
}

test("pvm_kill of a ULP that loops on another engine needs no time slice", async () => {
  const module = two(killAll(1), "(loop $for_ever (br $for_ever))");
  const result = await runText({ module, ulps: 2, cores: 2, place: "cyclic" });
  assert.equal(result.reason, "done");
  assert.equal(result.leaks, "");
});

test("blocked ones and those that pack are killed too, with moves at every chance, and nothing leaks", async () => {
  const rest = `(call $pack (i32.const 1)) (drop (call $pvm_recv (i32.const -1) (i32.const 99)))`;
  for (const shuffle of [0, 7]) {
    const result = await runText({ module: two(killAll(20), rest), ulps: 21, cores: 2, shuffle });
    assert.equal(result.reason, "done");
    assert.equal(result.ulps.filter(({ killed }) => killed === 15).length, 20);
    assert.equal(result.leaks, "");
  }
});

test("pvm_halt ends all ULPs: looping, waiting, and the caller", async () => {
  const module = two(
    "(drop (call $pvm_halt)) unreachable",
    "(if (i32.and (call $pvm_mytid) (i32.const 1)) (then (drop (call $pvm_recv (i32.const -1) (i32.const -1))))) (loop $l (br $l))",
  );
  const result = await runText({ module, ulps: 4, cores: 2, sliceMs: 5 });
  assert.equal(result.reason, "done");
  assert.ok(result.ulps.every(({ killed, exitCode }) => killed === 15 && exitCode === 0));
  assert.equal(result.leaks, "");
});

test("who waits for an entry of the message box gets it from a ULP of another engine", async () => {
  const wait = "(drop (call $pvm_recvinfo (i32.const 64) (i32.const 0) (i32.const 32)))";
  const module = two(
    `${wait} (if (i32.ne (call $unpack) (i32.const 42)) (then unreachable))`,
    `(call $pack (i32.const 42)) (drop (call $pvm_putinfo (i32.const 64) (call $pvm_getsbuf) (i32.const 1)))`,
  );
  const result = await runText({ module, ulps: 2, cores: 2 });
  assert.equal(result.reason, "done");
  assert.equal(result.leaks, "");
});

test("if all wait for what none will put, or for an end that none will come to, that is a deadlock", async () => {
  const wait = "(drop (call $pvm_recvinfo (i32.const 64) (i32.const 0) (i32.const 32)))";
  const notified = `
    (i32.store (i32.const 16) (i32.const ${TID0 + 1}))
    (drop (call $pvm_notify (i32.const 1) (i32.const 7) (i32.const 1) (i32.const 16)))
    (drop (call $pvm_recv (i32.const -1) (i32.const 7)))`;
  for (const cores of [1, 2]) {
    const result = await runText({ module: two(notified, wait), ulps: 3, cores });
    assert.equal(result.reason, "deadlock");
    assert.match(result.ulps[1]!.where ?? "", /pvm_recvinfo/);
    assert.equal(result.leaks, "");
  }
});

test.run();
