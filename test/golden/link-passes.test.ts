/**
 * Each pass of the link step, as wasm text: what it makes of one small program.
 *
 * UPVM_UPDATE=1 writes the files anew; read the difference before you commit it.
 */
import assert from "node:assert";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "uvu";
import { linkInStages, textOf, watToWasm } from "../link-stages.ts";

const folder = new URL("./link/", import.meta.url);
const texts = new Map<string, string>();
linkInStages(watToWasm(readFileSync(new URL("program.wat", folder), "utf8")), (pass, module) => {
  texts.set(pass, textOf(module));
});

const DOES: Readonly<Record<string, string>> = {
  memory: "the memory pass imports a shared memory and copies the data by a function",
  stubs: "the stubs pass puts blocking stubs and unpacking code in place of imports",
  polls: "the poll pass puts a poll outside of a loop without calls",
  suspend: "the suspend pass makes functions save themselves and come back",
  entry: "the entry pass adds the one crossing by which a ULP is run",
  state: "the state pass writes and reads the globals",
};

for (const [pass, what] of Object.entries(DOES)) {
  test(what, () => {
    const file = new URL(`${pass}.wat`, folder);
    const text = texts.get(pass);
    assert(text !== undefined, `no pass ${pass}`);
    if (process.env["UPVM_UPDATE"] === "1") writeFileSync(file, text);
    assert.equal(text, readFileSync(file, "utf8"), `${pass}.wat differs; UPVM_UPDATE=1 writes it anew`);
  });
}

test("every pass has a golden file", () => {
  assert.deepEqual([...texts.keys()], Object.keys(DOES));
});

test.run();
