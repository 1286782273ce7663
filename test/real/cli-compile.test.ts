/** `upvm compile` and `upvm inspect` on programs in every language, as real processes. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import { linkInfo } from "../../runtime/link/link-info.ts";
import { inFolder, upvm } from "../command.ts";

const SOURCES = {
  "hello.ts": `import * as pvm from "upvm/guest";
export function main(): i32 {
  pvm.recv(-1, 1);
  return pvm.upk<i32>();
}
`,
  "hello.c": `#include <pvm3.h>
#include "number.h"
int main(void) {
  int number = NUMBER;
  pvm_recv(-1, 1);
  pvm_upkint(&number, 1, 1);
  return twice(number);
}
`,
  "number.h": "int twice(int);\n",
  "twice.c": "int twice(int number) { return 2 * number; }\n",
  "hello.wat": `(module (import "pvm" "pvm_recv" (func $recv (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start") (drop (call $recv (i32.const -1) (i32.const 1)))))`,
} as const;

interface Made {
  readonly out: string;
  readonly compiledBytes: number;
  readonly linked?: { readonly bytes: number; readonly resumePoints: number; readonly imports: string[] };
}

/** Compiles with --json in a folder with the sources, and hands over what it says and the file that it wrote. */
function compiled(words: readonly string[], check: (made: Made, wasm: Uint8Array) => void): Promise<void> {
  return inFolder(SOURCES, async (cwd) => {
    const { code, out, err } = await upvm(["compile", ...words, "--json"], { cwd });
    assert.equal(code, 0, err);
    const made = JSON.parse(out) as Made;
    check(made, readFileSync(join(cwd, made.out)));
  });
}

for (const file of ["hello.ts", "hello.wat"]) {
  test(`${file} becomes hello.wasm, linked`, () =>
    compiled([file], (made, wasm) => {
      assert.equal(made.out, "hello.wasm");
      assert.equal(made.linked?.bytes, wasm.length);
      assert.ok(made.linked.imports.includes("pvm.pvm_recv"));
      assert.ok(made.linked.resumePoints > 0);
      assert.ok(WebAssembly.validate(wasm));
      assert.deepEqual(linkInfo(wasm)?.imports, made.linked.imports);
    }));
}

test("several C files become one program, with clang's usual options", () =>
  compiled(["hello.c", "twice.c", "-o", "out.wasm", "-DNUMBER=7", "-I", ".", "-O2"], (made, wasm) => {
    assert.equal(made.out, "out.wasm");
    assert.ok(linkInfo(wasm)?.imports.includes("pvm.pvm_recv"));
  }));

test("--no-link writes what the compiler made", () =>
  compiled(["hello.wat", "--no-link"], (made, wasm) => {
    assert.equal(made.linked, undefined);
    assert.equal(wasm.length, made.compiledBytes);
    assert.equal(linkInfo(wasm), undefined);
  }));

test("a wasm file is linked, and a linked one stays as it is", () =>
  inFolder(SOURCES, async (cwd) => {
    await upvm(["compile", "hello.wat", "--no-link", "-o", "plain.wasm"], { cwd });
    assert.equal((await upvm(["compile", "plain.wasm", "-o", "once.wasm"], { cwd })).code, 0);
    const { code, out } = await upvm(["compile", "once.wasm", "-o", "twice.wasm"], { cwd });
    assert.equal(code, 0);
    assert.match(out, /linked already: nothing changed/);
    assert.deepEqual(readFileSync(join(cwd, "twice.wasm")), readFileSync(join(cwd, "once.wasm")));
  }));

test("compiling the same source twice gives the same bytes", () =>
  inFolder(SOURCES, async (cwd) => {
    await upvm(["compile", "hello.ts", "-o", "a.wasm"], { cwd });
    await upvm(["compile", "hello.ts", "-o", "b.wasm"], { cwd });
    assert.deepEqual(readFileSync(join(cwd, "a.wasm")), readFileSync(join(cwd, "b.wasm")));
  }));

test("compile tells a person sizes and counts", () =>
  inFolder(SOURCES, async (cwd) => {
    const { out, err } = await upvm(["compile", "hello.wat"], { cwd });
    assert.equal(err, "");
    assert.match(out, /^hello\.wat → hello\.wasm\n/);
    assert.match(out, /linked, bytes +[\d,]+\n/);
    assert.match(out, /places where they may +\d+\n/);
  }));

test("options of another language are refused", () =>
  inFolder(SOURCES, async (cwd) => {
    const { code, err } = await upvm(["compile", "hello.ts", "-DX=1"], { cwd });
    assert.equal(code, 2);
    assert.match(err, /Cannot compile hello\.ts with C's options/);
    const compiler = await upvm(["compile", "hello.c", "-Wall"], { cwd });
    assert.equal(compiler.code, 2);
    assert.match(compiler.err, /Cannot take -W: upvm compile has no such option\n.* upvm cc -Wall/);
  }));

test("inspect shows imports, memory and where a program may suspend, with its source line", () =>
  inFolder(SOURCES, async (cwd) => {
    const { code, out } = await upvm(["inspect", "hello.ts"], { cwd });
    assert.equal(code, 0);
    assert.match(out, /\n {2}pvm\.pvm_recv\n/);
    assert.match(out, /entry +_start\n/);
    assert.match(out, /hello\.ts:3/);
    const { info } = JSON.parse((await upvm(["inspect", "hello.ts", "--json"], { cwd })).out) as {
      info: { entries: string[] };
    };
    assert.deepEqual(info.entries, ["_start"]);
  }));

test.run();
