/**
 * Programs in wasm text for tests of the runtime: linked as users' programs are, small enough to read.
 *
 * Owns: the imports that they all have, and `run` with output as text.
 */
import wabt from "wabt";
import { link } from "../runtime/link/link.ts";
import { type RunOptions, type RunResult, run } from "../upvm/run.ts";
import { PVM_ROUTINE } from "../wire/pvm.ts";
import { WASI_FUNCTION } from "../wire/wasi.ts";

const { parseWat } = await wabt();

const TYPE: Readonly<Record<string, string>> = { i: "i32", l: "i64", f: "f32", d: "f64" };

function signature(wasm: string, result: string): string {
  const params = [...wasm].map((letter) => TYPE[letter]).join(" ");
  return `${params === "" ? "" : `(param ${params})`} ${result === "" ? "" : `(result ${TYPE[result]})`}`;
}

/** Imports of all that a text calls: `call $pvm_send`, `call $fd_write`. */
function importsOf(body: string): string {
  const called = new Set([...body.matchAll(/call \$(\w+)/g)].map((match) => match[1]!));
  const lines: string[] = [];
  for (const [name, { wasm }] of Object.entries(PVM_ROUTINE))
    if (called.has(name)) lines.push(`(import "pvm" "${name}" (func $${name} ${signature(wasm, "i")}))`);
  for (const [name, { wasm, result }] of Object.entries(WASI_FUNCTION))
    if (called.has(name))
      lines.push(`(import "wasi_snapshot_preview1" "${name}" (func $${name} ${signature(wasm, result)}))`);
  return lines.join("\n");
}

/**
 * A linked program. `body`: functions, data and globals, with a function exported as `_start` or `main`. It
 * has one page of memory that may grow to 16.
 */
export function program(body: string): Uint8Array {
  const text = `(module ${importsOf(body)} (memory 1 16) ${body})`;
  const wasm = new Uint8Array(parseWat("program.wat", text, { bulk_memory: true }).toBinary({}).buffer);
  return link(wasm).wasm;
}

export interface TextResult extends RunResult {
  readonly out: string;
  readonly err: string;
}

/** Runs a program; what it prints is text. */
export async function runText(options: RunOptions): Promise<TextResult> {
  const text = { 1: "", 2: "" };
  const decoder = new TextDecoder();
  const output = (fd: number, bytes: Uint8Array): void => {
    text[fd as 1 | 2] += decoder.decode(bytes);
  };
  const result = await run({ heapBytes: 64 << 20, output, ...options });
  return { ...result, out: text[1], err: text[2] };
}

/** Tid of the first ULP, and of others by index. */
export const TID0 = 0x40001;

/**
 * Function $ring (rounds) → sum: sends a number round all ULPs; each adds 1; ULP 0 starts it. Needs $n, the
 * number of ULPs, in memory at 0.
 */
export const RING = `
  (func $next (result i32)
    (select (i32.const ${TID0}) (i32.add (call $pvm_mytid) (i32.const 1))
      (i32.eq (call $pvm_mytid) (i32.add (i32.const ${TID0 - 1}) (i32.load (i32.const 0))))))
  (func $prev (result i32)
    (select (i32.add (i32.const ${TID0 - 1}) (i32.load (i32.const 0))) (i32.sub (call $pvm_mytid) (i32.const 1))
      (i32.eq (call $pvm_mytid) (i32.const ${TID0}))))
  (func $pass (param $value i32)
    (i32.store (i32.const 8) (local.get $value))
    (drop (call $pvm_initsend (i32.const 1)))
    (drop (call $pvm_pkint (i32.const 8) (i32.const 1) (i32.const 1)))
    (drop (call $pvm_send (call $next) (i32.const 5))))
  (func $take (result i32)
    (drop (call $pvm_recv (call $prev) (i32.const 5)))
    (drop (call $pvm_upkint (i32.const 8) (i32.const 1) (i32.const 1)))
    (i32.load (i32.const 8)))
  (func $ring (param $rounds i32) (result i32) (local $i i32) (local $value i32)
    (i32.store (i32.const 0) (call $pvm_gsize (i32.const 0)))
    (loop $again
      (if (i32.lt_s (local.get $i) (local.get $rounds)) (then
        (if (i32.eq (call $pvm_mytid) (i32.const ${TID0}))
          (then
            (call $pass (i32.add (local.get $value) (i32.const 1)))
            (local.set $value (call $take)))
          (else
            (local.set $value (call $take))
            (call $pass (i32.add (local.get $value) (i32.const 1)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $again))))
    (local.get $value))`;

/** Changes its table, a global and its memory, prints half a line, yields, and adds all up: 1 + 20 + 300 + 4000. */
export const HALF_WAY = `
  (table 4 4 funcref)
  (elem (i32.const 0) $one)
  (elem declare func $two)
  (type $number (func (result i32)))
  (global $g (mut i64) (i64.const 1))
  (func $one (result i32) (i32.const 1))
  (func $two (result i32) (i32.const 20))
  (func $print (param $at i32) (param $bytes i32)
    (i32.store (i32.const 72) (local.get $at))
    (i32.store (i32.const 76) (local.get $bytes))
    (drop (call $fd_write (i32.const 1) (i32.const 72) (i32.const 1) (i32.const 80))))
  (data (i32.const 16) "half a line\\n")
  (func (export "main") (result i32)
    (table.set (i32.const 1) (ref.func $two))
    (global.set $g (i64.const 300))
    (i32.store (i32.const 100) (i32.const 4000))
    (call $print (i32.const 16) (i32.const 5))
    (drop (call $pvm_yield))
    (call $print (i32.const 21) (i32.const 7))
    (i32.add
      (i32.add (call_indirect (type $number) (i32.const 0)) (call_indirect (type $number) (i32.const 1)))
      (i32.add (i32.wrap_i64 (global.get $g)) (i32.load (i32.const 100)))))`;
