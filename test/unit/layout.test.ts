/** The tables of offsets in shared memory: no two fields in one word, none beyond the end. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { BTAB, ENGINE, GBUF, HEAD, MSG, SEG, ULP } from "../../wire/layout.ts";

const TABLES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  ULP,
  MSG,
  GBUF,
  SEG,
  BTAB,
  HEAD,
  ENGINE,
};

for (const [name, { words, ...fields }] of Object.entries(TABLES)) {
  test(`${name}: every field has a word of its own`, () => {
    const owner = new Map<number, string>();
    for (const [field, word] of Object.entries(fields)) {
      assert.equal(owner.get(word), undefined, `${name}.${field} lies in the word of ${owner.get(word)}`);
      owner.set(word, field);
      assert.ok(word >= 0 && word < words!, `${name}.${field} lies outside`);
    }
  });
}

test.run();
