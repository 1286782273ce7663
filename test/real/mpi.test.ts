/** Another message interface on the same core: programs written for MPI run with mpi.h, unmodified. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { runProgram } from "../guest-run.ts";

test("MPI's ring and Laplace, as they run on Open MPI, run as ULPs", async () => {
  const ring = await runProgram("bench/rivals/mpi-ring.c", { ulps: 5, cores: 1, args: ["1"] });
  assert.match(ring.text, /^= 5 [\d.]+ [\d.]+ [\d.]+ 1\n$/);
  // The sum of four ranks, as Open MPI and MPICH print it.
  const laplace = await runProgram("bench/rivals/mpi-laplace.c", { ulps: 4, cores: 2, args: ["0"] });
  assert.match(laplace.text, /^sum 4 602328\.110153\n/);
});

test("each call of mpi.h does what MPI says", async () => {
  for (const [ulps, cores] of [
    [2, 1],
    [5, 2],
  ] as const) {
    const { text, err } = await runProgram("test/guests/mpi.c", { ulps, cores });
    const numbers = Array.from({ length: ulps }, (_, i) => i + 1);
    const sum = numbers.reduce((a, b) => a + b);
    assert.deepEqual((text + err).split("\n"), [
      `ring ${ulps} of ${ulps}`,
      `shift ${ulps - 1} ${1 - ulps}: 2 items, 1, tag 4`,
      "16 bytes",
      "too long 1, nobody 0 1, no such rank 16",
      "PVM's 1",
      "posted 0, too long 1 1, right 1 1, sent 1",
      "posted 81 before 82, from the right one 1",
      "nobody 0, no such rank 16",
      `sum ${sum}, product ${numbers.reduce((a, b) => a * b)}, from 0 to ${ulps - 1}`,
      `in order ${numbers.join("")}`,
      `gathered, doubled and scattered: 2, sum ${2 * sum}`,
      "an operator of no bytes 1",
      "time 1, finalized 0",
      "",
    ]);
  }
});

test.run();
