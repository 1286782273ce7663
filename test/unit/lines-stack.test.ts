/** The wasm frames in the text of an error's stack. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { stackOf } from "../../runtime/link/wasm-stack.ts";

function errorWith(...lines: string[]): Error {
  const error = new Error("x");
  error.stack = ["RuntimeError: unreachable", ...lines.map((line) => `    at ${line}`)].join("\n");
  return error;
}

test("named, unnamed and odd frames are read, those of JavaScript left out", () => {
  const error = errorWith(
    "a/deep (wasm://wasm/81647eb6:wasm-function[0]:0x37)",
    "wasm://wasm/81647eb6:wasm-function[12]:0x1f2",
    "run (file:///home/me/run.js:4:17)",
    "a.out.list<int, (x)>::push(int) const (wasm://wasm/a.out-81647eb6:wasm-function[3]:0xabc)",
    "async loop (node:internal/modules/esm/loader:650:26)",
  );
  assert.deepEqual(stackOf(error), [
    { func: "a/deep", index: 0, offset: 0x37 },
    { index: 12, offset: 0x1f2 },
    { func: "a.out.list<int, (x)>::push(int) const", index: 3, offset: 0xabc },
  ]);
});

test("a message that looks like a frame is not one", () => {
  const error = errorWith();
  error.stack = "Error: at wasm://wasm/1:wasm-function[1]:0x1\n    at wasm://wasm/1:wasm-function[2]:0x2";
  assert.deepEqual(stackOf(error), [{ index: 2, offset: 2 }]);
});

test("an error without a stack has no frames", () => {
  const error = errorWith();
  delete error.stack;
  assert.deepEqual(stackOf(error), []);
});

test("V8 writes the frames of a real trap in this form, innermost first", () => {
  // (module (func $f (export "f") unreachable) (func (export "g") call $f)), without a name section
  const wasm = Uint8Array.from(
    [
      0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 3, 2, 0, 0, 7, 9, 2, 1, 102, 0, 0, 1, 103, 0, 1, 10,
    ].concat([10, 2, 3, 0, 0, 11, 4, 0, 16, 0, 11]),
  );
  const { g } = new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports as { g(): void };
  try {
    g();
  } catch (error) {
    assert.ok(error instanceof WebAssembly.RuntimeError);
    assert.deepEqual(
      stackOf(error).map(({ index, offset }) => [index, offset]),
      [
        [0, 35],
        [1, 39],
      ],
    );
    return;
  }
  throw new Error("no trap");
});

test.run();
