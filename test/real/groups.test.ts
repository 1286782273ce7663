/** Groups in whole programs: the same in both languages, in both at once, on two engines, and wherever ULPs move. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { linkedProgram, runLinked } from "../guest-run.ts";
import { program, runText } from "../wat-programs.ts";

const LANGUAGES = ["c", "ts"] as const;
const PROGRAM = "test/guests/groups";

/** What the program prints for so many members. */
function wanted(n: number): string {
  const numbers = Array.from({ length: n }, (_, i) => i + 2);
  const sum = numbers.reduce((a, b) => a + b);
  const product = numbers.reduce((a, b) => a * b);
  const types = ["i16", "i32", "i64", "f32", "f64"];
  const digits = (from: number): number => numbers.reduce((all, _, i) => all * 10 + from + i, 0);
  return [
    `${n} members, own instance right`,
    "again -18, size of none -19, of another -19",
    "gathered: right, all of it",
    "scattered: right, right",
    ...types.map((type) => `${type}: ${n + 1} 2 ${sum} ${product}`),
    `in order of instances: ${digits(0)} ${digits(1)}`,
    `sum ${n}, buffers kept`,
    "from 1 of 1, then 0",
    "broadcast: right",
    "left 0",
    "",
  ].join("\n");
}

for (const language of LANGUAGES) {
  test(`members written in ${language} do together what PVM's routines say`, async () => {
    const module = await linkedProgram(`${PROGRAM}.${language}`);
    for (const [ulps, cores] of [
      [1, 1],
      [4, 1],
      [6, 2],
    ] as const) {
      const { text, err } = await runLinked(module, { ulps, cores });
      assert.equal(text + err, wanted(ulps));
    }
  });
}

test("members in both languages are one group, wherever they are moved", async () => {
  const [c, ts] = await Promise.all(LANGUAGES.map((language) => linkedProgram(`${PROGRAM}.${language}`)));
  for (const shuffle of [0, 5, 77]) {
    const { text, err } = await runLinked(c!, {
      ulps: 3,
      cores: 2,
      shuffle,
      args: ["6", "other.ts"],
      loadProgram: async (name) => (name === "other.ts" ? ts : undefined),
    });
    assert.equal(text + err, wanted(6));
  }
});

const GROUP = '(data (i32.const 16) "work\\00")';

test("a barrier that nobody can complete is a deadlock, and its report says who waits in it", async () => {
  const module = program(`${GROUP} (func (export "_start")
    (drop (call $pvm_joingroup (i32.const 16)))
    (if (i32.ne (call $pvm_mytid) (i32.const 0x40003))
      (then (drop (call $pvm_barrier (i32.const 16) (i32.const 3))))))`);
  for (const cores of [1, 2]) {
    const { ok, reason, ulps, leaks } = await runText({ module, ulps: 3, cores });
    assert.deepEqual([ok, reason, leaks], [false, "deadlock", ""]);
    const waits = 'waits in pvm_barrier of group "work": 2 of 3 have come, it has 2 members';
    assert.deepEqual(
      ulps.map(({ where }) => where),
      [waits, waits, undefined],
    );
  }
});

/** ULP 1 has a handler, waits in barriers; ULP 0 sends to it. `answers`: the handler answers, and ULP 0 waits for that. */
function handlerProgram(rounds: number, answers: boolean): Uint8Array {
  const answer = "(drop (call $pvm_send (i32.const 0x40001) (i32.const 51)))";
  return program(`${GROUP} (table 2 funcref) (elem (i32.const 1) $handler)
    (func $handler (param i32) (result i32)
      (i32.store (i32.const 100) (i32.add (i32.load (i32.const 100)) (i32.const 1)))
      (drop (call $pvm_initsend (i32.const 0)))
      ${answers ? answer : ""} (i32.const 0))
    (func $tell
      (drop (call $pvm_initsend (i32.const 0)))
      (drop (call $pvm_send (i32.const 0x40002) (i32.const 50)))
      ${answers ? "(drop (call $pvm_recv (i32.const 0x40002) (i32.const 51)))" : ""})
    (func $round (param $first i32)
      (if (local.get $first) (then (call $tell) (call $tell)))
      (if (call $pvm_barrier (i32.const 16) (i32.const 2)) (then unreachable)))
    (func (export "_start") (local $i i32) (local $first i32)
      (local.set $first (i32.eq (call $pvm_mytid) (i32.const 0x40001)))
      (if (i32.eqz (local.get $first))
        (then (drop (call $pvm_addmhf (i32.const -1) (i32.const 50) (i32.const 0) (i32.const 1)))))
      (drop (call $pvm_joingroup (i32.const 16)))
      (loop $again (br_if $again (i32.lt_s (call $pvm_gsize (i32.const 16)) (i32.const 2))))
      (loop $again
        (call $round (local.get $first))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $again (i32.lt_s (local.get $i) (i32.const ${rounds}))))
      (drop (call $pvm_nrecv (i32.const -1) (i32.const 99)))
      (if (i32.ne (i32.load (i32.const 100)) (i32.mul (i32.const ${2 * rounds}) (i32.eqz (local.get $first))))
        (then unreachable)))`);
}

test("message handlers run while their ULP waits in a barrier, and none gets lost when it is released", async () => {
  for (const answers of [true, false]) {
    const module = handlerProgram(50, answers);
    for (const [cores, shuffle] of [
      [1, 0],
      [2, 0],
      [2, 9],
    ] as const) {
      const { ok, leaks, err, ulps } = await runText({ module, ulps: 2, cores, shuffle });
      assert.deepEqual([ok, leaks, err], [true, "", ""], JSON.stringify(ulps));
    }
  }
});

test("a ULP that asks again and again who is in a group lets the others join", async () => {
  const module = program(`${GROUP} (func (export "_start")
    (if (i32.eq (call $pvm_mytid) (i32.const 0x40001)) (then
      (loop $until (br_if $until (i32.lt_s (call $pvm_gettid (i32.const 16) (i32.const 0)) (i32.const 0))))))
    (drop (call $pvm_joingroup (i32.const 16)))
    (loop $until (br_if $until (i32.lt_s (call $pvm_gsize (i32.const 16)) (i32.const 4))))
    (drop (call $pvm_barrier (i32.const 16) (i32.const -1))))`);
  for (const cores of [1, 2]) {
    const { ok, leaks } = await runText({ module, ulps: 4, cores });
    assert.deepEqual([ok, leaks], [true, ""]);
  }
});

test("a thousand ULPs meet in barriers again and again, and nothing leaks", async () => {
  const module = program(`${GROUP} (func (export "_start") (local $i i32)
    (drop (call $pvm_joingroup (i32.const 16)))
    (loop $again
      (if (call $pvm_barrier (i32.const 16) (call $pvm_gsize (i32.const 0))) (then unreachable))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_s (local.get $i) (i32.const 20)))))`);
  for (const [ulps, cores, shuffle] of [
    [1000, 2, 0],
    [40, 2, 3],
  ] as const) {
    const { ok, leaks, err } = await runText({ module, ulps, cores, shuffle });
    assert.deepEqual([ok, leaks, err], [true, "", ""]);
  }
});

test("members that trap in the middle leave nothing behind, and the others wait for them no more than PVM's", async () => {
  const module = program(`${GROUP} (func (export "_start")
    (drop (call $pvm_joingroup (i32.const 16)))
    (drop (call $pvm_freezegroup (i32.const 16) (i32.const 4)))
    (if (i32.eq (call $pvm_getinst (i32.const 16) (call $pvm_mytid)) (i32.const 2)) (then unreachable))
    (if (i32.ne (call $pvm_barrier (i32.const 16) (i32.const -1)) (i32.const -19)) (then unreachable)))`);
  const { reason, ulps, leaks } = await runText({ module, ulps: 4, cores: 2 });
  assert.deepEqual([reason, leaks], ["failed", ""]);
  assert.equal(ulps.filter(({ exitCode }) => exitCode === 0).length, 3);
});

test.run();
