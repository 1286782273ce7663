/** --isolate: a process for each ULP gives the same result as one process. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { run } from "../../upvm/run.ts";
import { program, RING, runText, TID0 } from "../wat-programs.ts";

test("the same program prints the same, with the same counts, in one process and in one for each ULP", async () => {
  const module = program(`${RING}
    (func (export "main") (result i32)
      (drop (call $ring (i32.const 10)))
      (i32.store8 (i32.const 64) (i32.add (i32.const 48) (i32.rem_s (i32.load (i32.const 8)) (i32.const 10))))
      (i32.store8 (i32.const 65) (i32.const 10))
      (i32.store (i32.const 72) (i32.const 64))
      (i32.store (i32.const 76) (i32.const 2))
      (drop (call $fd_write (i32.const 1) (i32.const 72) (i32.const 1) (i32.const 80)))
      (i32.const 0))`);
  const together = await runText({ module, ulps: 3, tag: true });
  const apart = await runText({ module, ulps: 3, tag: true, isolate: true });
  assert.equal(apart.reason, "done");
  assert.deepEqual(apart.out.split("\n").sort(), together.out.split("\n").sort());
  assert.equal(apart.stats.messages, together.stats.messages);
  assert.deepEqual(apart.ulps, together.ulps);
  assert.equal(apart.leaks, "");
});

test("what needs the other tasks of the virtual machine is PvmNotImpl, and nothing happens to them", async () => {
  const module = program(`(data (i32.const 64) "name\\00") (func (export "main") (result i32)
    (i32.store (i32.const 8) (i32.const ${TID0 + 1}))
    (i32.ne (i32.const -96) (i32.add
      (i32.add (call $pvm_kill (i32.const ${TID0 + 1}))
        (call $pvm_notify (i32.const 1) (i32.const 7) (i32.const 1) (i32.const 8)))
      (i32.add (call $pvm_halt) (call $pvm_recvinfo (i32.const 64) (i32.const 0) (i32.const 32))))))`);
  const result = await runText({ module, ulps: 2, isolate: true });
  assert.equal(result.reason, "done", result.err);
  assert.match(result.err, /pvm_kill\(\): Not implemented/);
  assert.equal(result.leaks, "");
});

test("deadlock and traps are found across processes", async () => {
  const module = program(`(func (export "main") (result i32)
    (if (i32.eq (call $pvm_mytid) (i32.const ${TID0 + 1})) (then unreachable))
    (call $pvm_recv (i32.const ${TID0 + 1}) (i32.const 3)))`);
  const result = await runText({ module, ulps: 3, isolate: true });
  assert.equal(result.reason, "deadlock");
  assert.equal(result.ulps[1]!.error?.message, "unreachable");
  assert.deepEqual(
    [result.ulps[0]!.where, result.ulps[2]!.where],
    new Array(2).fill("waits in pvm_recv for tag 3 from t40002 (exited)"),
  );
});

test("an interrupted run ends all of its processes, and says where each was", async () => {
  const module = program(`(data (i32.const 64) "begun\\n")
    (func (export "_start")
      (i32.store (i32.const 72) (i32.const 64))
      (i32.store (i32.const 76) (i32.const 6))
      (drop (call $fd_write (i32.const 1) (i32.const 72) (i32.const 1) (i32.const 80)))
      (loop $again (br $again)))`);
  const interrupt = new AbortController();
  let begun = 0;
  const output = (): void => {
    begun++;
    if (begun === 2) interrupt.abort();
  };
  const result = await run({ module, ulps: 2, isolate: true, output, signal: interrupt.signal });
  assert.equal(result.reason, "interrupted");
  assert.deepEqual(
    result.ulps.map(({ where }) => where),
    ["ran", "ran"],
  );
});

test.run();
