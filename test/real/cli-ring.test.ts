/** The first example as `upvm run` runs it: on one core and two, with every placement, small and large. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { EXIT } from "../../wire/errors.ts";
import { upvm } from "../command.ts";

for (const language of ["ts", "c"]) {
  test(`the ring in ${language} goes round on one core and on two, in blocks and dealt out, with a time slice, without polls`, async () => {
    for (const words of [
      ["--cores", "1"],
      ["--cores", "2"],
      ["--place", "cyclic"],
      ["--slice", "1"],
      ["--no-polls"],
    ]) {
      const { code, out, err } = await upvm([
        "run",
        `guest/examples/ring.${language}`,
        "-n",
        "24",
        ...words,
        "--",
        "200",
      ]);
      assert.equal(code, EXIT.ok, err);
      assert.equal(out, "24 ULPs, 200 rounds: 4800 went round, right\n");
    }
  });
}

test("--isolate gives the same result with one process for each ULP", async () => {
  const { code, out, err } = await upvm(["run", "guest/examples/ring.c", "-n", "4", "--isolate", "--", "20"]);
  assert.equal(code, EXIT.ok, err);
  assert.equal(out, "4 ULPs, 20 rounds: 80 went round, right\n");
});

test("--stats counts messages exactly, and says that none was copied", async () => {
  const { err } = await upvm(["run", "guest/examples/ring.ts", "-n", "4", "--stats", "--", "100"]);
  assert.match(err, /^ {2}messages +400$/m);
  assert.match(err, /^ {2}bytes in messages +1,600$/m);
  assert.match(err, /^ {2}messages copied, not handed over +0$/m);
  assert.match(err, /^ {2}ULPs created +4$/m);
  for (const name of [
    "switches",
    "hand-offs",
    "polls that stopped a ULP",
    "peak memory of the process, bytes",
  ])
    assert.match(err, new RegExp(`^  ${name} +[\\d,]+$`, "m"));
});

test("a thousand ULPs go round", async () => {
  const { code, out } = await upvm(["run", "guest/examples/ring.ts", "--ulps", "1000", "--", "20"]);
  assert.equal(code, EXIT.ok);
  assert.equal(out, "1000 ULPs, 20 rounds: 20000 went round, right\n");
});

test.run();
