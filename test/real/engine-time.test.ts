/** Time slices, sleep, and what an engine does not do: ask the system. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { link } from "../../runtime/link/link.ts";
import { run } from "../../upvm/run.ts";
import { type Process, processOf } from "../one-thread.ts";
import { program, RING, runText, TID0 } from "../wat-programs.ts";

const SAY = `
  (func $say (param $letter i32)
    (i32.store8 (i32.const 64) (local.get $letter))
    (i32.store8 (i32.const 65) (i32.const 10))
    (i32.store (i32.const 72) (i32.const 64))
    (i32.store (i32.const 76) (i32.const 2))
    (drop (call $fd_write (i32.const 1) (i32.const 72) (i32.const 1) (i32.const 80))))
  (func $first (result i32) (i32.eq (call $pvm_mytid) (i32.const ${TID0})))`;

for (const sliceMs of [2, undefined])
  test(`a ULP that computes for ever does not keep the others from running, ${sliceMs === undefined ? "also without" : "with"} time slices`, async () => {
    const module = program(`${SAY} (func (export "_start")
      (call $say (i32.const 97))
      (if (call $first) (then (loop $again (br $again))))
      (call $say (i32.const 98)))`);
    const interrupt = new AbortController();
    let out = "";
    const output = (_fd: number, bytes: Uint8Array): void => {
      out += new TextDecoder().decode(bytes).trim();
      if (out === "aabab") interrupt.abort();
    };
    const options = { module, ulps: 3, cores: 1, output, signal: interrupt.signal };
    const result = await run({ ...options, ...(sliceMs !== undefined && { sliceMs }) });
    assert.equal(result.reason, "interrupted");
    assert.ok(result.stats.polls > 0);
    assert.equal(out, "aabab");
  });

/** An int in a data segment of WebAssembly text. */
const bytesOf = (value: number): string =>
  [0, 8, 16, 24].map((at) => `\\${((value >>> at) & 255).toString(16).padStart(2, "0")}`).join("");

test("a ULP that computes for ever does not keep one that sleeps from waking, on one engine without time slices", async () => {
  const module = program(`${SAY} (func (export "_start")
    (if (call $first)
      (then
        (i32.store (i32.const 16) (i32.const 20000))
        (drop (call $pvm_trecv (i32.const -1) (i32.const 1) (i32.const 8)))
        (call $say (i32.const 97))
        (drop (call $pvm_kill (i32.const ${TID0 + 1}))))
      (else (loop $again (br $again)))))`);
  const two = await runText({ module, ulps: 2, cores: 1 });
  assert.equal(two.out, "a\n");
  assert.equal(two.reason, "done");
});

test("who waits for a message of one endless ULP gets it though another has its engine, and hears of those that it ends", async () => {
  const module = program(`${SAY} (func (export "_start") (local $i i32)
    (if (call $first) (then
      (drop (call $pvm_notify (i32.const 1) (i32.const 9) (i32.const 3) (i32.const 128)))
      (loop $each
        (drop (call $pvm_recv (i32.const -1) (i32.const 1)))
        (br_if $each (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 3))))
      (local.set $i (i32.const 0))
      (loop $each
        (drop (call $pvm_kill (i32.add (i32.const ${TID0 + 1}) (local.get $i))))
        (drop (call $pvm_recv (i32.const -1) (i32.const 9)))
        (call $say (i32.add (i32.const 97) (local.get $i)))
        (br_if $each (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 3)))))
    (else
      (drop (call $pvm_initsend (i32.const 0)))
      (drop (call $pvm_send (i32.const ${TID0}) (i32.const 1)))
      (loop $again (br $again)))))
    (data (i32.const 128) "${[1, 2, 3].map((i) => bytesOf(TID0 + i)).join("")}")`);
  const all = await runText({ module, ulps: 4, cores: 1 });
  assert.equal(all.out, "a\nb\nc\n");
});

test("who spawns endless ULPs runs before them, and can end them all", async () => {
  const module = program(`${SAY} (data (i32.const 128) "program\\00") (func (export "_start")
    (if (i32.gt_s (call $pvm_parent) (i32.const 0)) (then (loop $again (br $again))))
    (drop (call $pvm_spawn (i32.const 128) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 3) (i32.const 256)))
    (i32.store (i32.const 16) (i32.const 20000))
    (drop (call $pvm_trecv (i32.const -1) (i32.const 1) (i32.const 8)))
    (drop (call $pvm_kill (i32.load (i32.const 256))))
    (drop (call $pvm_kill (i32.load (i32.const 260))))
    (drop (call $pvm_kill (i32.load (i32.const 264))))
    (call $say (i32.const 97)))`);
  for (const cores of [1, 2]) {
    const result = await runText({ module, ulps: 1, cores });
    assert.equal(result.out, "a\n", `${cores} engines`);
    assert.equal(result.reason, "done");
  }
});

test("sleep and timed receives take the time they say, and no processor", async () => {
  const sleeper = (ms: number): Uint8Array =>
    program(`(func (export "main") (result i32)
      (i32.store (i32.const 16) (i32.const ${ms * 1000}))
      (call $pvm_trecv (i32.const -1) (i32.const 1) (i32.const 8)))`);
  const cost = async (ms: number): Promise<{ cpuMs: number; ms: number }> => {
    const before = process.cpuUsage();
    const result = await runText({ module: sleeper(ms), ulps: 4, cores: 2 });
    assert.equal(result.reason, "done");
    const { user, system } = process.cpuUsage(before);
    return { cpuMs: (user + system) / 1000, ms: result.ms };
  };
  const short = await cost(1);
  const long = await cost(900);
  assert.ok(long.ms >= 900, `${long.ms} ms`);
  // An engine that does not sleep takes all of the 900 ms; starting and ending the threads costs more in some runs than in others.
  assert.ok(
    long.cpuMs - short.cpuMs < 600,
    `${long.cpuMs - short.cpuMs} ms of processor for 900 ms of sleep`,
  );
});

test("creating ULPs, switching and local messages ask nothing of the world: no clock, no thread, no system", () => {
  const wasm = program(`${RING} (func (export "_start") (drop (call $ring (i32.const 1000))))`);
  const { info } = link(wasm);
  const module = new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>);
  const linked = {
    id: 0,
    name: "test",
    module,
    pages: info.pages,
    stateBytes: info.stateBytes,
    tables: info.tables,
  };
  const p: Process = processOf(linked, { ulps: 10 });
  const [e] = p.engines;
  const asked: string[] = [];
  for (const [name, call] of Object.entries(e!.edge) as [string, (...args: unknown[]) => unknown][])
    Object.assign(e!.edge, {
      [name]: (...args: unknown[]) => {
        asked.push(name);
        return call(...args);
      },
    });
  p.run();
  assert.deepEqual(asked, []);
  assert.equal(p.library.heap.leaks(), "");
});

test.run();
