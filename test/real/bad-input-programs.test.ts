/** Files that are no programs, and programs that cannot be ULPs: what the user is told, and with which exit code. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { test } from "uvu";
import wabtReady from "wabt";
import { link } from "../../runtime/link/link.ts";
import { EXIT, UpvmError } from "../../wire/errors.ts";
import { inFolder, upvm } from "../command.ts";

const wabt = await wabtReady();
/** Assembles wasm text. */
function wasm(text: string): Uint8Array {
  const module = wabt.parseWat("program.wat", text, { threads: true, bulk_memory: true });
  try {
    return module.toBinary({ write_debug_names: true }).buffer;
  } finally {
    module.destroy();
  }
}
const GOOD = wasm(`(module
  (import "pvm" "pvm_mytid" (func $mytid (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "hello")
  (global $g (mut i32) (i32.const 3))
  (func $work (param i32) (result i32) (loop $l (br_if $l (global.get $g))) (call $mytid))
  (func (export "_start") (drop (call $work (i32.const 1)))))`);

/** What `upvm inspect` says of a file of this name and content, on standard error. */
async function refusal(name: string, data: string | Uint8Array): Promise<string> {
  return await inFolder({ [name]: data }, async (cwd) => {
    const { code, out, err } = await upvm(["inspect", name], { cwd });
    assert.equal(code, EXIT.program, err);
    assert.equal(out, "");
    return err;
  });
}

test("the good program is good", async () => {
  await inFolder({ "good.wasm": GOOD }, async (cwd) => {
    const { code, out, err } = await upvm(["inspect", "good.wasm"], { cwd });
    assert.deepEqual([code, err], [EXIT.ok, ""]);
    assert.match(out, /pvm\.pvm_mytid/);
  });
});

test("a file that is not there is named", async () => {
  for (const name of ["no.wasm", "no.ts", "no.c", "no.wat"]) {
    const { code, err } = await upvm(["inspect", name]);
    assert.equal(code, EXIT.program);
    assert.equal(err, `upvm: Cannot read ${name}: no such file\n`);
  }
});

test("a folder, and a file that is no program, are refused", async () => {
  assert.match((await upvm(["inspect", "wire"])).err, /Cannot read wire: it is a folder/);
  assert.match(await refusal("notes.txt", "hello"), /a program is a \.wasm, \.wat, \.ts, \.c, .*file/);
});

test("a file that is not wasm says what it begins with", async () => {
  assert.match(await refusal("a.wasm", "hello"), /not a WebAssembly file \(it begins with 68 65 6c 6c\)/);
  assert.match(await refusal("a.wasm", ""), /not a WebAssembly file \(it begins with nothing\)/);
});

test("a truncated file is called damaged", async () => {
  const err = await refusal("a.wasm", GOOD.subarray(0, GOOD.length - 10));
  assert.match(err, /Cannot link a\.wasm: not a valid WebAssembly module/);
  assert.match(err, /cut short or damaged/);
});

test("wasm cut at any byte is refused by name, and never crashes the link step", () => {
  for (let bytes = 0; bytes < GOOD.length; bytes++) {
    const cut = GOOD.slice(0, bytes);
    // Cut between sections it can be valid, without what follows; names are only for people.
    if (WebAssembly.validate(cut)) continue;
    assert.throws(
      () => link(cut),
      (error) => error instanceof UpvmError && /^(NOT|BAD)_WASM$/.test(error.code),
    );
  }
});

test("wasm with any damage is refused by name or still links to valid wasm", () => {
  const damage = fc.array(fc.tuple(fc.nat(GOOD.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  return fc.assert(
    fc.property(damage, (changes) => {
      const bytes = GOOD.slice();
      for (const [at, byte] of changes) bytes[at] = byte;
      try {
        const { wasm } = link(bytes);
        assert.ok(WebAssembly.validate(wasm as Uint8Array<ArrayBuffer>));
      } catch (error) {
        if (!(error instanceof UpvmError)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});

test("an import that no ULP can have is named", async () => {
  const body = `(memory (export "memory") 1) (func (export "_start"))`;
  const unknown = wasm(`(module (import "env" "launch_rocket" (func)) ${body})`);
  const err = await refusal("a.wasm", unknown);
  assert.match(err, /Cannot link a\.wasm: it imports env\.launch_rocket, which no ULP can have/);
  assert.match(err, /only the namespaces pvm and wasi_snapshot_preview1/);
  const misspelt = wasm(`(module (import "pvm" "pvm_sned" (func (param i32 i32) (result i32))) ${body})`);
  assert.match(await refusal("a.wasm", misspelt), /imports pvm\.pvm_sned, which no ULP/);
});

test("an import of the wrong type says which is right", async () => {
  const wrong = wasm(`(module (import "pvm" "pvm_send" (func (param i32) (result i32)))
    (memory (export "memory") 1) (func (export "_start")))`);
  assert.match(await refusal("a.wasm", wrong), /it imports pvm\.pvm_send as .*it is /);
});

test("a program without an entry is told how to have one", async () => {
  const err = await refusal("a.wasm", wasm(`(module (memory (export "memory") 1) (func (export "go")))`));
  assert.match(err, /Cannot link a\.wasm: no entry point\n {2}export a function _start or main/);
});

test("a source file without a main, or with one that nobody can call, has no entry", async () => {
  const none =
    /^upvm: Cannot link .*: no entry point\n {2}export .*in AssemblyScript main, in C define main\n$/;
  assert.match(await refusal("a.c", "int helper(void) { return 1; }\n"), none);
  assert.match(await refusal("a.ts", ""), none);
  assert.match(await refusal("b.ts", `export function go(): void {}\n`), none);
  const forgotten = `import * as pvm from "upvm/guest";\nfunction main(): void { pvm.mytid(); }\n`;
  assert.match(await refusal("c.ts", forgotten), none);
});

test("AssemblyScript's top level is an entry, its own or an imported file's", async () => {
  const files = {
    "top.ts": `console.log("top");\n`,
    "by.ts": `import { f } from "./top2";\nfunction unused(): void { f(); }\n`,
    "top2.ts": `console.log("imported");\nexport function f(): void {}\n`,
    "again.ts": `export { main } from "./main";\n`,
    "main.ts": `export function main(): void { console.log("main"); }\n`,
  };
  await inFolder(files, async (cwd) => {
    for (const [file, out] of [
      ["top.ts", "top\n"],
      ["by.ts", "imported\n"],
      ["again.ts", "main\n"],
    ] as const)
      assert.deepEqual(await upvm(["run", file], { cwd }), { code: EXIT.ok, signal: null, out, err: "" });
  });
});

test("a memory or table that other modules could hold is refused", async () => {
  const shared = wasm(`(module (memory (export "memory") 1 2 shared) (func (export "_start")))`);
  assert.match(await refusal("a.wasm", shared), /cannot move with a ULP/);
});

test("a mistake in AssemblyScript shows the compiler's message with file, line and column", async () => {
  const source = `export function main(): i32 {\n  let a: i32 = "text";\n  return a;\n}\n`;
  const err = await refusal("wrong.ts", source);
  assert.match(err, /^upvm: Cannot compile wrong\.ts:\n/);
  assert.match(err, /wrong\.ts.*2,16|wrong\.ts:2:16/);
  assert.match(err, /Type .* is not assignable/);
});

test("a mistake in C shows clang's message with file, line and column", async () => {
  const err = await refusal("wrong.c", "int main(void) {\n  return undeclared;\n}\n");
  assert.match(err, /wrong\.c:2:10: error: use of undeclared identifier/);
});

test("a mistake in wasm text shows file and line", async () => {
  assert.match(await refusal("wrong.wat", "(module\n  (func (export 3)))"), /wrong\.wat:2:\d+/);
});

test("a missing import of a source file is a compile error that names it", async () => {
  const err = await refusal("a.ts", `import { x } from "./gone";\nexport function main(): void { x(); }\n`);
  assert.match(err, /gone/);
  assert.match(
    await refusal("a.c", `#include "gone.h"\nint main(void) { return 0; }\n`),
    /a\.c:1:10: .*gone\.h/,
  );
});

test("with --json the refusal is code and facts on standard output", async () => {
  const { code, out, err } = await upvm(["inspect", "no.wasm", "--json"]);
  assert.deepEqual([code, err], [EXIT.program, ""]);
  const said = JSON.parse(out) as { code: string; facts: Record<string, unknown> };
  assert.equal(said.code, "FILE_NOT_FOUND");
  assert.deepEqual(said.facts, { path: "no.wasm", why: "no such file" });
});

test("compile writes nothing when the program is refused, and says when it cannot write", async () => {
  await inFolder({ "bad.wasm": "no", "good.wasm": GOOD }, async (cwd) => {
    assert.equal((await upvm(["compile", "bad.wasm", "-o", "out.wasm"], { cwd })).code, EXIT.program);
    assert.ok(!existsSync(join(cwd, "out.wasm")));
    const { code, err } = await upvm(["compile", "good.wasm", "-o", "no/such/out.wasm"], { cwd });
    assert.equal(code, EXIT.program);
    assert.match(err, /Cannot write no\/such\/out\.wasm: no such f/);
    assert.match((await upvm(["compile", "good.wasm"], { cwd })).err, /would overwrite itself/);
  });
});

test.run();
