/** The helpers of the examples, called with strings and arrays through AssemblyScript's own loader. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as loader from "@assemblyscript/loader";
import asc from "assemblyscript/asc";
import * as fc from "fast-check";
import { test } from "uvu";

const HELPERS = readFileSync(join(import.meta.dirname, "../../guest/examples/shared/text.ts"), "utf8");
/** The loader makes an array in the guest by the id of its class. */
const IDS = `
export function numbersId(): u32 { return idof<Array<f64>>(); }
export function wordsId(): u32 { return idof<Array<string>>(); }
`;

interface Helpers extends Record<string, unknown> {
  fixed(value: number, digits: number): number;
  median(values: number): number;
  option(args: number, name: number, otherwise: number): number;
  numbersId(): number;
  wordsId(): number;
}

async function load() {
  let wasm: Uint8Array | undefined;
  const argv = ["text.ts", "--outFile", "text.wasm", "--exportRuntime", "-O2"];
  const { error, stderr } = await asc.main(argv, {
    readFile: (name) => (name === "text.ts" ? HELPERS + IDS : null),
    writeFile: (_name, contents) => {
      if (contents instanceof Uint8Array) wasm = contents;
    },
    listFiles: () => [],
  });
  assert.equal(error, null, stderr.toString());
  return loader.instantiateSync<Helpers>(wasm!, {}).exports;
}
const guest = await load();
const fixed = (value: number, digits: number): string => guest.__getString(guest.fixed(value, digits));

test("fixed() prints as many digits as C's %.3f", () => {
  assert.equal(fixed(2.71878, 2), "2.72");
  assert.equal(fixed(0, 0), "0");
  assert.equal(fixed(-1.5, 1), "-1.5");
  assert.equal(fixed(0.005, 3), "0.005");
  assert.equal(fixed(616400.162849, 6), "616400.162849");
  assert.equal(fixed(41.999, 0), "42");
});

test("fixed() is toFixed() wherever the number is no tie", () => {
  const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  return fc.assert(
    fc.property(value, fc.nat(6), (x, digits) => {
      const scaled = Math.abs(x) * 10 ** digits;
      // A tie goes to even here and away from zero there; -0 has a sign of its own.
      fc.pre(Math.abs((scaled % 1) - 0.5) > 1e-3 && Math.round(scaled) !== 0);
      assert.equal(fixed(x, digits), x.toFixed(digits));
    }),
  );
});

test("median() is the middle of the sorted values", () => {
  const median = (values: number[]): number => guest.median(guest.__newArray(guest.numbersId(), values));
  assert.equal(median([3]), 3);
  assert.equal(median([9, -1, 4]), 4);
  assert.equal(median([10, 9, 2, 33, 1]), 9);
});

test("option() finds the number behind a name", () => {
  const words = ["--size", "64", "--steps"].map((word) => guest.__pin(guest.__newString(word)));
  const args = guest.__pin(guest.__newArray(guest.wordsId(), words));
  const option = (name: string): number => guest.option(args, guest.__newString(name), 7);
  assert.equal(option("--size"), 64);
  assert.equal(option("--steps"), 7);
  assert.equal(option("--other"), 7);
});

test.run();
