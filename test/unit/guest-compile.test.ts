/** What compile() refuses before any compiler runs, and wasm text, on files in memory. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { type CompileHost, type CompileOptions, compile } from "../../upvm/compile.ts";
import { UpvmError } from "../../wire/errors.ts";

function hostWith(files: Readonly<Record<string, string>>): CompileHost {
  return { root: "/package", folder: "/work", read: (path) => files[path] ?? null, list: () => [] };
}

/** The error of a compilation that must fail. */
async function refusal(
  path: string,
  options: CompileOptions = {},
  files: Readonly<Record<string, string>> = { [path]: "" },
): Promise<UpvmError> {
  try {
    await compile(path, options, hostWith(files));
  } catch (error) {
    assert.ok(error instanceof UpvmError, String(error));
    return error;
  }
  return assert.fail(`${path} was compiled`);
}

test("a file that is not there is named, also among further C sources", async () => {
  for (const path of ["no.ts", "no.c", "no.wat"]) {
    const error = await refusal(path, {}, {});
    assert.deepEqual([error.code, error.facts["path"]], ["FILE_NOT_FOUND", path]);
  }
  const error = await refusal("is.c", { sources: ["no.c"] }, { "is.c": "" });
  assert.deepEqual([error.code, error.facts["path"]], ["FILE_NOT_FOUND", "no.c"]);
});

test("a file of no language is not a program", async () => {
  for (const path of ["ring.py", "ring", "ring.wasm.txt", "folder.c/ring"]) {
    assert.equal((await refusal(path)).code, "NOT_A_PROGRAM", path);
  }
});

test("options of another language are refused, not ignored", async () => {
  const c: CompileOptions[] = [
    { sources: ["b.c"] },
    { include: ["i"] },
    { define: ["A"] },
    { libraries: ["m"] },
  ];
  for (const options of c) {
    assert.equal((await refusal("ring.ts", options)).code, "USAGE");
    assert.equal((await refusal("ring.wat", options)).code, "USAGE");
  }
  assert.equal((await refusal("ring.c", { runtime: "stub" })).code, "USAGE");
  assert.equal((await refusal("ring.wat", { runtime: "stub" })).code, "USAGE");
  const mixed = await refusal("ring.c", { sources: ["b.ts"] }, { "ring.c": "", "b.ts": "" });
  assert.equal(mixed.code, "USAGE");
  assert.match(mixed.message, /b\.ts/);
});

const GOOD = `(module ;; é: more bytes than characters
  (import "pvm" "pvm_mytid" (func $mytid (result i32)))
  (func $start (export "_start") (drop (call $mytid))))`;

test("wasm text becomes wasm with names", async () => {
  const { wasm, warnings } = await compile("a.wat", {}, hostWith({ "a.wat": GOOD }));
  assert.ok(WebAssembly.validate(wasm));
  assert.equal(warnings, "");
  assert.ok(new TextDecoder("latin1").decode(wasm).includes("mytid"));
});

test("every feature that the link step takes can be written as text", async () => {
  const text = `(module (memory 1) (table 1 funcref) (tag $e (param i32))
    (func $t (result i32) (return_call $u))
    (func $u (result i32) (memory.fill (i32.const 0) (i32.const 0) (i32.const 0))
      (drop (i32x4.splat (i32.const 1))) (drop (i32.trunc_sat_f64_s (f64.const 1)))
      (drop (i32.extend8_s (i32.const 1))) (drop (ref.func $t)) (i32.const 0))
    (elem declare func $t)
    (func (result i32 i32) (i32.const 1) (i32.const 2))
    (func (throw $e (i32.const 1)))
    (func (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))))`;
  const { wasm } = await compile("a.wat", {}, hostWith({ "a.wat": text }));
  assert.ok(wasm.length > 8);
});

test("an error in wasm text comes with file, line and column, as the user named the file", async () => {
  const wrong = await refusal(
    "dir/ré.wat",
    {},
    { "dir/ré.wat": GOOD.replace("call $mytid", "call $nobody") },
  );
  assert.equal(wrong.code, "COMPILE");
  assert.match(
    wrong.message,
    /^Cannot compile dir\/ré\.wat:\ndir\/ré\.wat:3:\d+: error: undefined function variable/,
  );
  // Not only what does not parse: also what does not validate.
  const invalid = await refusal(
    "b.wat",
    {},
    { "b.wat": GOOD.replace("(drop (call $mytid))", "(call $mytid)") },
  );
  assert.match(invalid.message, /b\.wat:3:\d+: error: type mismatch/);
});

test.run();
