/** Source maps whose column is a byte offset, and what damaged ones say: nothing. */
import assert from "node:assert/strict";
import { encode } from "@jridgewell/sourcemap-codec";
import fc from "fast-check";
import { test } from "uvu";
import { compactSourceMap, sourceMapPositions } from "../../runtime/link/source-map.ts";

const section = (map: unknown) => new TextEncoder().encode(JSON.stringify(map));
const sources = ["a.ts", "~lib/rt/stub.ts"];
const mappings = encode([[[100, 0, 4, 2], [110, 1, 0, 0], [120], [130, 0, 9, 0], [140, 7, 0, 0]]]);

test("a segment reaches to the next; lines and columns count from 1", () => {
  const at = sourceMapPositions(section({ version: 3, sources, names: [], mappings }));
  assert.equal(at?.(99), undefined);
  assert.deepEqual(at?.(100), { file: "a.ts", line: 5, column: 3 });
  assert.deepEqual(at?.(109), { file: "a.ts", line: 5, column: 3 });
  assert.deepEqual(at?.(110), { file: "~lib/rt/stub.ts", line: 1, column: 1 });
  assert.equal(at?.(125), undefined, "code without a source");
  assert.deepEqual(at?.(139), { file: "a.ts", line: 10, column: 1 });
  assert.equal(at?.(1000), undefined, "a source that is not in the list");
});

test("the compact form keeps what is read, and neither asc's root nor the sources' text", () => {
  const map = {
    version: 3,
    sources,
    names: ["x"],
    mappings,
    sourceRoot: "./a",
    sourcesContent: ["secret", ""],
  };
  const compact = compactSourceMap(JSON.stringify(map));
  assert.deepEqual(JSON.parse(new TextDecoder().decode(compact)), {
    version: 3,
    sources,
    names: [],
    mappings,
  });
});

test("what is no source map is none", () => {
  const maps = [
    1,
    null,
    [],
    "x",
    {},
    { version: 2, sources, mappings },
    { version: 3, sources: 1, mappings },
  ];
  for (const map of [...maps, { version: 3, sources, mappings: 3 }])
    assert.equal(sourceMapPositions(section(map)), undefined, JSON.stringify(map));
  for (const bytes of [[], [0xff, 0xfe], [123]])
    assert.equal(sourceMapPositions(Uint8Array.from(bytes)), undefined);
  assert.equal(sourceMapPositions(section({ version: 3, sources: [1], mappings }))?.(100), undefined);
});

test("garbage in the mappings never throws", () => {
  const letters = fc.string({ unit: fc.constantFrom(..."ACDEKgkw9+/,; \u00e9"), maxLength: 80 });
  fc.assert(
    fc.property(fc.oneof(letters, fc.string()), (garbage) => {
      const at = sourceMapPositions(section({ version: 3, sources, mappings: garbage }));
      for (const offset of [0, 1, 50, 1e6]) at?.(offset);
    }),
    { numRuns: 3000 },
  );
});

test.run();
