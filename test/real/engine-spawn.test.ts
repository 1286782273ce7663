/** pvm_spawn on engine threads: programs loaded once, dealt out, of other files; what cannot be loaded. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { program, runText, TID0 } from "../wat-programs.ts";

/** Sends its arguments' count and its tid's number to its parent. */
const WORKER = program(`(func (export "main") (result i32)
  (drop (call $args_sizes_get (i32.const 0) (i32.const 4)))
  (drop (call $pvm_initsend (i32.const 1)))
  (drop (call $pvm_pkint (i32.const 0) (i32.const 1) (i32.const 1)))
  (drop (call $pvm_send (call $pvm_parent) (i32.const 9)))
  (i32.const 0))`);

/** Spawns `n` of a program, `times` over, and adds up what they send. */
const master = (name: string, n: number, times: number): Uint8Array =>
  program(`
    (data (i32.const 64) "${name}\\00arg\\00")
    (func (export "main") (result i32) (local $i i32) (local $sum i32) (local $started i32)
      (i32.store (i32.const 128) (i32.const ${64 + name.length + 1}))
      (i32.store (i32.const 132) (i32.const 0))
      (loop $spawn
        (local.set $started (i32.add (local.get $started)
          (call $pvm_spawn (i32.const 64) (i32.const 128) (i32.const 0) (i32.const 0) (i32.const ${n}) (i32.const 1024))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $spawn (i32.lt_s (local.get $i) (i32.const ${times}))))
      (loop $collect
        (if (i32.gt_s (local.get $started) (i32.const 0)) (then
          (drop (call $pvm_recv (i32.const -1) (i32.const 9)))
          (drop (call $pvm_upkint (i32.const 0) (i32.const 1) (i32.const 1)))
          (local.set $sum (i32.add (local.get $sum) (i32.load (i32.const 0))))
          (local.set $started (i32.sub (local.get $started) (i32.const 1)))
          (br $collect))))
      (i32.sub (local.get $sum) (i32.const ${2 * n * times})))`);

test("a hundred spawns of a file compile it once, and all of them run and answer", async () => {
  const asked: string[] = [];
  const result = await runText({
    module: master("worker", 3, 100),
    cores: 2,
    loadProgram: async (name) => {
      asked.push(name);
      return WORKER;
    },
  });
  assert.equal(result.reason, "done");
  assert.deepEqual(asked, ["worker"]);
  assert.equal(result.ulps.length, 301);
  assert.deepEqual([...new Set(result.ulps.map(({ tid }) => tid))].length, 301, "no tid twice");
  assert.equal(result.stats.created, 301);
  for (const { created } of result.stats.perEngine) assert.ok(created > 50);
  assert.deepEqual([result.ulps[0]!.program, result.ulps[1]!.program], [0, 1]);
  assert.equal(result.leaks, "");
});

test("spawns from several ULPs at once still load a file once, whoever asks", async () => {
  let asked = 0;
  const result = await runText({
    module: master("worker", 2, 5),
    ulps: 6,
    cores: 2,
    loadProgram: async () => {
      asked++;
      await new Promise((done) => setTimeout(done, 50));
      return WORKER;
    },
  });
  assert.equal(result.reason, "done");
  assert.equal(asked, 1);
  assert.equal(result.ulps.length, 6 + 60);
  assert.equal(result.leaks, "");
});

test("a file that was not there is looked for again", async () => {
  let asked = 0;
  const loadProgram = async () => (++asked === 1 ? undefined : WORKER);
  const result = await runText({ module: master("worker", 1, 3), cores: 2, loadProgram });
  assert.deepEqual([asked, result.ulps.length, result.reason], [2, 3, "failed"]);
  assert.equal(result.leaks, "");
});

test("a file that is not there, or is no program, is PvmNoFile for each task, and the run goes on", async () => {
  const module = program(`(data (i32.const 64) "nothing\\00") (func (export "main") (result i32)
    (if (call $pvm_spawn (i32.const 64) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 2) (i32.const 128))
      (then (return (i32.const 1))))
    (i32.or (i32.ne (i32.load (i32.const 128)) (i32.const -7)) (i32.ne (i32.load (i32.const 132)) (i32.const -7))))`);
  for (const loadProgram of [
    async () => undefined,
    async () => new Uint8Array([1, 2, 3]),
    async () => Promise.reject(new Error("no such file")),
    undefined,
  ]) {
    const result = await runText({ module, cores: 2, ...(loadProgram && { loadProgram }) });
    assert.equal(result.reason, "done");
    assert.equal(result.leaks, "");
  }
});

test("a program spawns itself without any loader: the child sees its parent", async () => {
  const module = program(`(data (i32.const 64) "self\\00") (func (export "main") (result i32)
    (if (i32.eq (call $pvm_mytid) (i32.const ${TID0}))
      (then (return (i32.ne (i32.const 2)
        (call $pvm_spawn (i32.const 64) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 2) (i32.const 128))))))
    (i32.ne (call $pvm_parent) (i32.const ${TID0})))`);
  const result = await runText({ module, name: "self", cores: 2 });
  assert.equal(result.reason, "done");
  assert.equal(result.ulps.length, 3);
  assert.equal(result.leaks, "");
});

test.run();
