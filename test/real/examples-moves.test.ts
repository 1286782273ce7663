/** The examples with time slices and with ULPs that change engines: the same results. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { runProgram } from "../guest-run.ts";

const EXAMPLES = "guest/examples";
const LANGUAGES = ["ts", "c"] as const;
const CORES = [1, 2];

test("time slices change no result", async () => {
  for (const cores of CORES) {
    const options = { sliceMs: 1, cores };
    for (const language of LANGUAGES) {
      const laplace = await runProgram(`${EXAMPLES}/laplace.${language}`, {
        ...options,
        ulps: 5,
        args: ["--no-check"],
      });
      assert.match(laplace.text, /sum 598787\.570833, right/);
      const opt = await runProgram(`${EXAMPLES}/opt.${language}`, {
        ...options,
        ulps: 3,
        args: ["--iterations", "6"],
      });
      assert.match(opt.text, /the same as training alone, right/);
    }
    const { err } = await runProgram(`${EXAMPLES}/mandelbrot.ts`, { ...options, ulps: 5 });
    assert.match(err, /checksum d10c149e, right/);
  }
});

/** Little work: a ULP that may move at every turn of a loop is a thousand times slower. */
const LITTLE = {
  ring: ["40"],
  laplace: ["--sweeps", "10"],
  opt: ["--size", "2000", "--iterations", "1"],
} as const;

test("moves between engines at every chance change no result", async () => {
  let moves = 0;
  for (const [name, args] of Object.entries(LITTLE)) {
    for (const language of LANGUAGES) {
      const path = `${EXAMPLES}/${name}.${language}`;
      const resting = await runProgram(path, { ulps: 4, cores: 1, args });
      const moving = await runProgram(path, { ulps: 4, cores: 2, args, shuffle: 7 });
      assert.equal(moving.text, resting.text);
      moves += moving.result.stats.moves;
    }
  }
  assert.ok(moves > 20, `${moves} moves`);
});

test.run();
