/** Sections, function ranges and names of wasm modules; the symbolizer on modules that are damaged. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "uvu";
import wabt from "wabt";
import { symbolizer } from "../../runtime/link/lines.ts";
import { encodeOffsets } from "../../runtime/link/offset-map.ts";
import {
  appendSection,
  codeLayout,
  customSection,
  functionAt,
  sectionsOf,
} from "../../runtime/link/wasm-sections.ts";

const tools = await wabt();
const features = { multi_memory: true, threads: true, reference_types: true, exceptions: true };

function wasmOf(wat: string): Uint8Array {
  const parsed = tools.parseWat("test.wat", wat, features);
  return parsed.toBinary({ write_debug_names: true }).buffer;
}

const IMPORTS = `(module
  (import "a" "f" (func $f (param i32)))
  (import "a" "t" (table 1 2 funcref))
  (import "a" "m" (memory 1 2 shared))
  (import "a" "g" (global $g (mut externref)))
  (import "a" "e" (tag (param i32)))
  (import "a" "f2" (func $f2))
  (func $first (export "first") unreachable)
  (func $second (export "second") (call $first)))`;

test("imports of every kind are passed over: indices of functions count only functions", () => {
  const wasm = wasmOf(IMPORTS);
  const sections = sectionsOf(wasm);
  assert.ok(sections);
  const layout = codeLayout(wasm, sections);
  assert.ok(layout);
  assert.equal(layout.imported, 2);
  assert.equal(layout.bodies.length, 2);
  const [first, second] = layout.bodies;
  assert.ok(first && second);
  assert.equal(functionAt(layout, first.start), 2);
  assert.equal(functionAt(layout, first.end - 1), 2);
  assert.equal(functionAt(layout, first.end), undefined, "the size of the next body belongs to no function");
  assert.equal(functionAt(layout, second.end - 1), 3);
  assert.equal(functionAt(layout, second.end), undefined);
  const { at, functionName } = symbolizer(wasm);
  assert.deepEqual(at(second.start), { func: "second" });
  assert.equal(functionName(1), "f2");
  assert.equal(functionName(4), undefined);
});

test("an appended section moves nothing, is found by its name, and the module stays valid", () => {
  const wasm = wasmOf("(module (func $f))");
  const contents = Uint8Array.from({ length: 300 }, (_, index) => index & 255);
  const longer = appendSection(wasm, "upvm.test", contents);
  assert.deepEqual(longer.subarray(0, wasm.length), wasm);
  assert.ok(WebAssembly.validate(longer.slice()));
  const sections = sectionsOf(longer);
  assert.ok(sections);
  assert.deepEqual(customSection(longer, sections, "upvm.test"), contents);
  assert.equal(customSection(longer, sections, "upvm"), undefined);
});

test("a module whose offset map is damaged tells functions, never wrong lines", () => {
  const map = { version: 3, sources: ["x.ts"], names: [], mappings: "AAAA" };
  const mapped = appendSection(
    wasmOf(IMPORTS),
    "upvm.sourcemap",
    new TextEncoder().encode(JSON.stringify(map)),
  );
  const end = codeLayout(mapped, sectionsOf(mapped) ?? [])?.bodies[1]?.end ?? 0;
  assert.deepEqual(symbolizer(mapped).at(end - 1), { func: "second", file: "x.ts", line: 1, column: 1 });
  const made = encodeOffsets({ codeStart: 1, pairs: [[0, 0]] });
  assert.deepEqual(symbolizer(appendSection(mapped, "upvm.offsets", made)).at(end - 1), { func: "second" });
  const damaged = Uint8Array.of(9);
  assert.deepEqual(symbolizer(appendSection(mapped, "upvm.offsets", damaged)).at(end - 1), {
    func: "second",
  });
});

test("what is no module, or is cut short, tells nothing and never throws", () => {
  const wasm = wasmOf(IMPORTS);
  assert.equal(symbolizer(new Uint8Array()).at(0), undefined);
  for (let bytes = 0; bytes < wasm.length; bytes++) {
    const { at } = symbolizer(wasm.subarray(0, bytes));
    for (let offset = 0; offset < wasm.length; offset += 3) at(offset);
  }
  const edits = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(edits, (changes) => {
      const copy = wasm.slice();
      for (const [where, value] of changes) copy[where % copy.length] = value;
      const { at, functionName } = symbolizer(copy);
      for (let offset = 0; offset < copy.length; offset += 5) at(offset);
      functionName(3);
    }),
    { numRuns: 3000 },
  );
});

test.run();
