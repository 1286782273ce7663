/** Compiled C programs, linked, do what they did before: suspended and moved at any poll. */
import assert from "node:assert";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import { compileHere } from "../compile-fixture.ts";
import { linkInStages, runLinked, runPlain } from "../link-stages.ts";

const program = fileURLToPath(new URL("../guests/mixed.c", import.meta.url));

for (const level of ["0", "1", "3"] as const) {
  test(`a C program compiled with -O${level} prints the same when it is suspended anywhere`, async () => {
    const { wasm } = await compileHere(program, { optimize: level });
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
