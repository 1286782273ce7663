/** Programs that are linked without polls: what stays as it was, what tells them, and who may spawn them. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { link } from "../../runtime/link/link.ts";
import { linkInfo } from "../../runtime/link/link-info.ts";
import { needsNoPolls, prepare, siblings } from "../../upvm/program.ts";
import { UpvmError } from "../../wire/errors.ts";
import { watToWasm } from "../link-stages.ts";

/** One function computes and calls itself, one waits. */
const SOURCE = watToWasm(`(module
  (import "pvm" "pvm_recv" (func $recv (param i32 i32) (result i32)))
  (memory 1)
  (func $fib (param i32) (result i32)
    (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
      (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                     (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func $wait (drop (call $recv (i32.const -1) (i32.const -1))))
  (func (export "_start") (loop $again (drop (call $fib (i32.const 9))) (call $wait) (br $again))))`);

const files = new Map([
  ["plain.wasm", SOURCE],
  ["polled.wasm", link(SOURCE).wasm],
  ["unpolled.wasm", link(SOURCE, { polls: false }).wasm],
]);
const edge = {
  nowMs: () => 0,
  compile: () => assert.fail("nothing is compiled"),
  readFile: async (path: string) => {
    const bytes = files.get(path);
    if (bytes === undefined) throw new UpvmError("FILE_NOT_FOUND", { path, why: "no such file" });
    return bytes;
  },
};

test("without polls only what can wait is suspended; the code is smaller, and says what it is", () => {
  const polled = link(SOURCE);
  const unpolled = link(SOURCE, { polls: false });
  assert.deepEqual([polled.info.counts.polls > 0, unpolled.info.counts.polls], [true, 0]);
  assert.deepEqual([polled.info.counts.resumable, unpolled.info.counts.resumable], [3, 2]);
  assert.ok(unpolled.wasm.length < polled.wasm.length);
  assert.deepEqual(
    [polled.wasm, unpolled.wasm].map((wasm) => linkInfo(wasm)?.unpolled),
    [undefined, true],
  );
  assert.ok(WebAssembly.validate(unpolled.wasm as Uint8Array<ArrayBuffer>));
});

test("--no-polls on a program that is linked with them is refused", async () => {
  const of = (path: string) => prepare(path, {}, edge, false);
  needsNoPolls(await of("plain.wasm"));
  needsNoPolls(await of("unpolled.wasm"));
  const polled = await of("polled.wasm");
  assert.throws(() => needsNoPolls(polled), /Cannot link polled\.wasm without polls: it is linked with them/);
});

test("a program with polls spawns none without; one without spawns any", async () => {
  const said: string[] = [];
  const unpolledOf = async (main: boolean, name: string) => {
    const find = siblings("main.ts", [], edge, ({ message }) => said.push(message), {}, main);
    const found = await find(name);
    return found && linkInfo(found)!.unpolled === true;
  };
  assert.equal(await unpolledOf(false, "plain"), false);
  assert.equal(await unpolledOf(false, "unpolled"), undefined);
  assert.match(said.join(), /^Cannot spawn unpolled\.wasm: it is linked without polls, and/);
  assert.equal(await unpolledOf(true, "plain"), true);
  assert.equal(await unpolledOf(true, "unpolled"), true);
  assert.equal(await unpolledOf(true, "polled"), false);
  assert.equal(said.length, 1);
});

test.run();
