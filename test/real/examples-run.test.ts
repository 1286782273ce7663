/** The examples as whole programs: right results, the same in both languages, on one and two engines. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { linkedProgram, runLinked, runProgram } from "../guest-run.ts";

const EXAMPLES = "guest/examples";
const LANGUAGES = ["ts", "c"] as const;
const CORES = [1, 2];

for (const cores of CORES) {
  test(`ring on ${cores} engine(s)`, async () => {
    for (const language of LANGUAGES) {
      for (const ulps of [1, 2, 24]) {
        const { text, err } = await runProgram(`${EXAMPLES}/ring.${language}`, {
          ulps,
          cores,
          args: ["200"],
        });
        assert.equal(text, `${ulps} ULPs, 200 rounds: ${200 * ulps} went round, right\n`);
        assert.match(err, /^a round took [\d.]+ us \(median\)\n$/);
      }
    }
  });
}

test("the ring of 1,000 ULPs", async () => {
  for (const language of LANGUAGES) {
    const { text } = await runProgram(`${EXAMPLES}/ring.${language}`, { ulps: 1000, cores: 2 });
    assert.equal(text, "1000 ULPs, 100 rounds: 100000 went round, right\n");
  }
});

/** Sum of the grid by number of ULPs, as C programs on PVM, Open MPI and MPICH print it. */
const SUMS = [
  "616400.162849",
  "610848.567073",
  "606316.678372",
  "602328.110153",
  "598787.570833",
  "595126.473302",
  "591587.612490",
  "588061.094028",
  "584680.409443",
  "581771.270291",
  "578736.589641",
];

for (const language of LANGUAGES) {
  test(`Laplace in ${language} gives the sums of PVM and MPI for 1 to 11 ULPs, with the paper's messages`, async () => {
    for (const [i, sum] of SUMS.entries()) {
      const ulps = i + 1;
      if (language === "ts" && i % 3 !== 1) continue;
      // The sums are the check; the program's own takes as long again.
      const args = i % 5 === 0 ? [] : ["--no-check"];
      const { text } = await runProgram(`${EXAMPLES}/laplace.${language}`, {
        ulps,
        cores: 1 + (i % 2),
        args,
      });
      const messages = (ulps - 1) * 2 * 500;
      assert.equal(
        text,
        `128 x 128 grid, 5000 sweeps, ${ulps} ULPs, ${messages} messages\nsum ${sum}, right\n`,
      );
    }
  });
}

test("Laplace on more ULPs than there are columns says so", async () => {
  const module = await linkedProgram(`${EXAMPLES}/laplace.c`);
  const { result, err } = await runLinked(module, { ulps: 129, cores: 2 });
  assert.equal(result.ok, false);
  assert.match(err, /there are 128 columns: not enough for 129 ULPs/);
});

test("opt trains the same net in both languages and on any engines", async () => {
  for (const ulps of [1, 3, 4]) {
    const texts = new Set<string>();
    for (const language of LANGUAGES) {
      for (const cores of CORES) {
        const { text } = await runProgram(`${EXAMPLES}/opt.${language}`, {
          ulps,
          cores,
          args: ["--iterations", "6"],
        });
        assert.match(text, /the same as training alone, right\n$/);
        texts.add(text);
      }
    }
    assert.equal(texts.size, 1, [...texts].join("\n"));
  }
});

test("opt learns, with the paper's sizes of data", async () => {
  for (const size of [300_000, 2_900_000]) {
    const args = ["--size", String(size), "--no-check"];
    const { text } = await runProgram(`${EXAMPLES}/opt.c`, { ulps: 3, cores: 2, args });
    const [, exemplars, bytes] = /^(\d+) exemplars in (\d+) bytes, 2 slaves\n/.exec(text)!;
    assert.equal(Number(bytes), size);
    assert.equal(Number(exemplars), Math.floor(size / 132));
    const [, right] = /\n([\d.]+) % classified rightly/.exec(text)!;
    assert.ok(Number(right) > 90, text);
  }
});

test("the Mandelbrot picture is the same however the rows are dealt, and arrives in one piece", async () => {
  const pictures = new Set<string>();
  for (const [ulps, cores] of [
    [1, 1],
    [2, 1],
    [7, 2],
  ] as const) {
    const { out, err } = await runProgram(`${EXAMPLES}/mandelbrot.ts`, { ulps, cores });
    assert.match(err, /320 x 240, checksum d10c149e, right\n$/);
    const header = "P6\n320 240\n255\n";
    assert.equal(Buffer.from(out).toString("latin1", 0, header.length), header);
    assert.equal(out.length, header.length + 320 * 240 * 3);
    pictures.add(Buffer.from(out).toString("latin1"));
  }
  assert.equal(pictures.size, 1);
  const { text } = await runProgram(`${EXAMPLES}/mandelbrot.ts`, {
    ulps: 3,
    args: ["--no-picture", "--height", "2"],
  });
  assert.equal(text, "");
});

test("the queens are counted", async () => {
  for (const [n, ways] of [
    [1, 1],
    [2, 0],
    [6, 4],
    [8, 92],
    [11, 2680],
  ] as const) {
    for (const [ulps, cores] of [
      [1, 1],
      [2, 1],
      [9, 2],
    ] as const) {
      const { text } = await runProgram(`${EXAMPLES}/nqueens.c`, { ulps, cores, args: [String(n)] });
      assert.equal(text, `${n} queens: ${ways} ways, right\n`);
    }
  }
});

test("matrices are multiplied by groups of rows and columns", async () => {
  for (const [ulps, cores, side] of [
    [1, 1, 1],
    [7, 2, 2],
    [25, 2, 5],
  ] as const) {
    const { text } = await runProgram(`${EXAMPLES}/summa.c`, { ulps, cores, args: ["60"] });
    assert.equal(text, `60 x 60 matrices on ${side} x ${side} ULPs: trace -64, right\n`);
  }
});

test("a program of every call prints the same in both languages", async () => {
  for (const [ulps, cores] of [
    [1, 1],
    [3, 1],
    [4, 2],
  ] as const) {
    const [ts, c] = await Promise.all(
      LANGUAGES.map((language) =>
        runProgram(`test/guests/library.${language}`, { ulps, cores, args: ["a", "b c", "é"] }),
      ),
    );
    assert.equal(ts!.text, c!.text);
    const all = `\n${ulps} ULPs, ${ulps} in the group, ${ulps} tasks, ${ulps} with their name\n`;
    assert.ok(ts!.text.includes(all), ts!.text);
    assert.ok(ts!.text.endsWith("\na|b c|é\n"));
    assert.equal(ts!.text.split("\n").length, 14);
  }
});

test("posted sends and receives: who was posted first is first, in both languages, on every engine", async () => {
  const wanted = [
    "posted: 0 0",
    "waited: 0, 51 then 52, tag 5, 4 bytes, right sender 1",
    "both done: 1 1",
    "crossed: 0, 71 is of the first, 72 of the other",
    "cancelled: 1, again 0",
    "cut: 81 of 8 bytes; not posted any more: 83",
    "refused: 1 1",
    "contexts: 91 and 92",
    "many: 185310, 0 wrong, 931.928",
    "",
  ];
  for (const language of LANGUAGES)
    for (const more of [{ cores: 1 }, { cores: 2 }, { cores: 2, shuffle: 3 }]) {
      const { text } = await runProgram(`test/guests/requests.${language}`, { ulps: 3, ...more });
      assert.deepEqual(text.split("\n"), wanted, `${language} ${JSON.stringify(more)}`);
    }
});

test.run();
