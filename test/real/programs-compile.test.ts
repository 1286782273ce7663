/**
 * Every example compiles without a warning, imports only what a ULP may have, and keeps its names and lines. The programs of
 * other tests compile too, which is why this file begins first: one process compiles them in a tenth of the time.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import { symbolizer } from "../../runtime/link/lines.ts";
import { codeLayout, sectionsOf } from "../../runtime/link/wasm-sections.ts";
import { importsOf } from "../compile-fixture.ts";
import { compiledOnce } from "../guest-run.ts";

const root = join(import.meta.dirname, "../..");
const EXAMPLES = "guest/examples";
const names = readdirSync(join(root, EXAMPLES)).filter((name) => /\.(ts|c|cc)$/.test(name));
process.chdir(root);

test("the paper's programs are there in both languages", () => {
  for (const name of ["ring", "laplace", "opt"]) {
    for (const language of ["ts", "c"])
      assert.ok(names.includes(`${name}.${language}`), `${name}.${language}`);
  }
});

for (const name of names) {
  const path = `${EXAMPLES}/${name}`;
  test(name, async () => {
    const { wasm, warnings } = await compiledOnce(path);
    assert.equal(warnings, "");
    assert.ok(WebAssembly.validate(wasm));
    for (const item of importsOf(wasm)) assert.match(item, /^(pvm\.pvm_\w+|wasi_snapshot_preview1\.\w+)$/);
    const exports = WebAssembly.Module.exports(new WebAssembly.Module(wasm)).map((item) => item.name);
    assert.deepEqual(exports.sort(), ["_start", "memory"]);
    // Of the code's bytes, many come from a line of the example that exists.
    const symbols = symbolizer(wasm);
    const lines = readFileSync(join(root, path), "utf8").split("\n").length;
    const layout = codeLayout(wasm, sectionsOf(wasm)!)!;
    const found = new Set<number>();
    for (let at = layout.bodies[0]!.start; at < layout.bodies.at(-1)!.end; at++) {
      const place = symbols.at(at);
      if (place?.file?.endsWith(path) && place.line !== undefined) found.add(place.line);
    }
    assert.ok(found.size > lines / 5, `${found.size} lines of ${lines} have code`);
    for (const line of found) assert.ok(line >= 1 && line <= lines);
    const named = layout.bodies.filter((_, i) => symbols.functionName(layout.imported + i) !== undefined);
    assert.equal(named.length, layout.bodies.length);
  });
}

for (const folder of ["test/guests", "test/conformance"]) {
  test(`the programs of ${folder} compile`, async () => {
    const sources = readdirSync(join(root, folder)).filter((name) =>
      (folder.endsWith("guests") ? /\.(c|ts)$/ : /\.c$/).test(name),
    );
    for (const name of sources) {
      const { wasm } = await compiledOnce(`${folder}/${name}`);
      assert.ok(WebAssembly.validate(wasm), name);
    }
  });
}

test("an example says on top how to run it", () => {
  for (const name of names) {
    const head = readFileSync(join(root, EXAMPLES, name), "utf8").slice(0, 600);
    assert.ok(head.includes(`upvm run ${EXAMPLES}/${name} --ulps `), name);
  }
});

test.run();
