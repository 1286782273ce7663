/** Compiled C programs, linked, do what they did before: suspended and moved at any poll. */
import assert from "node:assert";
import { readFileSync } from "node:fs";
import { commands } from "@yowasp/clang";
import { test } from "uvu";
import { linkInStages, runLinked, runPlain } from "../link-stages.ts";

const source = readFileSync(new URL("../guests/mixed.c", import.meta.url), "utf8");

for (const level of ["-O0", "-O1", "-O3"]) {
  test(`a C program compiled with ${level} prints the same when it is suspended anywhere`, async () => {
    const files = await commands.clang(
      ["clang", level, "-msimd128", "mixed.c", "-o", "out.wasm"],
      { "mixed.c": source },
      {
        fetchProgress: () => {},
      },
    );
    const wasm = files?.["out.wasm"];
    assert(wasm instanceof Uint8Array);
    const plain = runPlain(wasm);
    assert.match(plain.output, /fib 610 ack 13/);
    const stages = linkInStages(wasm);
    for (const [suspend, move] of [
      [0, 0],
      [0.5, 0.01],
      [0.02, 0.5],
    ] as const) {
      const linked = runLinked(stages, { seed: 7, suspend, move });
      assert.equal(linked.output, plain.output);
      assert.equal(linked.exitCode, plain.exitCode);
      if (suspend > 0) assert(linked.suspensions > 50, `only ${linked.suspensions} suspensions`);
      if (move > 0) assert(linked.moves > 5, `only ${linked.moves} moves`);
    }
  });
}

test.run();
