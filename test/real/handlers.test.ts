/** Message handlers and matching functions of a C program, on one engine and on two, where ULPs move at every chance. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { link } from "../../runtime/link/link.ts";
import { compiled } from "../compile-fixture.ts";
import { linkedProgram, runLinked, runProgram } from "../guest-run.ts";
import { program, runText } from "../wat-programs.ts";

const PROGRAM = "test/guests/handlers.c";

test("handlers and matching functions run in the calls that look for messages, as in PVM", async () => {
  for (const cores of [1, 2]) {
    const { text } = await runProgram(PROGRAM, { ulps: 1, cores });
    assert.equal(text, WANTED);
  }
});

test("a handler may block while its task waits, also when both move", async () => {
  const module = await linkedProgram(PROGRAM);
  for (const shuffle of [0, 3]) {
    const { result, text } = await runLinked(module, { ulps: 4, cores: 2, shuffle });
    assert.ok(result.ok, result.reason);
    assert.equal(text, "820\n820\n820\n");
  }
});

test("a handler that traps ends its ULP with a trap, and nothing leaks", async () => {
  const module = program(`
    (table 2 funcref) (elem (i32.const 1) $trap)
    (func $trap (param i32) (result i32) (unreachable))
    (func (export "_start")
      (drop (call $pvm_addmhf (i32.const -1) (i32.const 1) (i32.const -1) (i32.const 1)))
      (drop (call $pvm_initsend (i32.const 0)))
      (drop (call $pvm_send (call $pvm_mytid) (i32.const 1)))
      (drop (call $pvm_recv (i32.const -1) (i32.const 2))))`);
  const result = await runText({ module, ulps: 1 });
  assert.equal([result.ok, result.leaks].join(), "false,");
  assert.match(result.ulps[0]?.error?.message ?? "", /unreachable/);
});

/** The handler names another group and clears up: nobody but the call that waits holds the name of its group then. */
const NAMES = `import * as pvm from "upvm/guest";
const kept = new Array<ArrayBuffer>();
function handler(mid: i32): i32 {
  pvm.joingroup("other");
  __collect();
  __collect();
  for (let i = 0; i < 1000; i++) kept.push(String.UTF8.encode("xxxx", true));
  pvm.initsend(pvm.PvmDataDefault);
  return pvm.send(pvm.gettid("work", 1), 6);
}
export function main(): i32 {
  const me = pvm.joingroup("work");
  pvm.barrier("work", 2);
  if (me == 0) pvm.addmhf(-1, 5, 0, handler);
  else {
    pvm.initsend(pvm.PvmDataDefault);
    pvm.send(pvm.gettid("work", 0), 5);
    pvm.recv(-1, 6);
  }
  console.log(pvm.barrier("work", 2).toString());
  return 0;
}`;

test("a handler may use other groups while its task waits in a barrier, and collect garbage", async () => {
  const { wasm } = await compiled("a.ts", NAMES);
  const { result, text } = await runLinked(link(wasm).wasm, { ulps: 2, cores: 1 });
  assert.ok(result.ok, result.reason);
  assert.equal(text, "0\n0\n");
});

const WANTED = `1 -33 -33 -2 -2 -32
  handler: tag 5, current 1, send buffer 0, context 0, value 2
recv: 3, current 1
  handler: tag 5, current 1, send buffer 0, context 0, value 4
trecv: 0, buffer 0
  handler: tag 5, current 1, send buffer 0, context 0, value 6
nrecv: 5, context 3
probe: 1
probed before: 7
  in: depth 1, value 1
  received 90
  in: depth 1, value 2
  received 91
left: 0 92
  removes itself: 0
after it: 0 2
1 1
  match 7 8: 201
  match 7 8: 202
  match 7 8: 204
recv: 204
  match 1 2: 201
  match 1 2: 202
  match 1 2: 203
nrecv: 203
  match 1 2: 201
  match 1 2: 202
  match 1 2: 205
precv: 0 205 5
  match -1 66: 201
  match -1 66: 202
  match -1 66: 66
error: -12
usual: 66 201
`;

test.run();
