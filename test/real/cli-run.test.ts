/** `upvm run` as a real process: output, options, counts, JSON, interruption. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import { EXIT } from "../../wire/errors.ts";
import { root, upvm } from "../command.ts";

/** Prints its number, its arguments and a variable; ends half a line without a newline. */
const HELLO = `#include <pvm3.h>
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
  int *tids, count = pvm_siblings(&tids), me = 0;
  while (tids[me] != pvm_mytid()) me++;
  printf("hello from %d of %d", me, count);
  for (int i = 1; i < argc; i++) printf(" [%s]", argv[i]);
  const char *word = getenv("WORD");
  printf(" %s\\n", word ? word : "-");
  fprintf(stderr, "%s\\n", argv[0]);
  printf("rest");
  return 0;
}
`;
/** Never ends: every ULP counts and yields. */
const ENDLESS = `(module
  (import "pvm" "pvm_yield" (func $yield (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\10\\00\\00\\00\\06\\00\\00\\00")
  (data (i32.const 16) "ready\\n")
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (loop $l (drop (call $yield)) (br $l))))`;

const folder = mkdtempSync(join(tmpdir(), "upvm-run-"));
const hello = join(folder, "hello.wasm");
const endless = join(folder, "endless.wat");

test.before(async () => {
  writeFileSync(join(folder, "hello.c"), HELLO);
  writeFileSync(endless, ENDLESS);
  const { code, err } = await upvm(["compile", join(folder, "hello.c"), "-o", hello]);
  assert.equal(code, 0, err);
});
test.after(() => rmSync(folder, { recursive: true, force: true }));

const lines = (text: string): string[] => text.split("\n").sort();

test("each ULP knows its place, its arguments and its environment; nothing else is printed", async () => {
  const { code, out, err } = await upvm([
    "run",
    hello,
    "-n",
    "3",
    "--env",
    "WORD=yes",
    "--",
    "a b",
    "--json",
  ]);
  assert.equal(code, EXIT.ok, err);
  const said = [0, 1, 2].map((me) => `hello from ${me} of 3 [a b] [--json] yes`);
  for (const line of said) assert.ok(out.includes(`${line}\n`), out);
  // Half lines come out when their ULP ends.
  assert.equal(out.match(/rest/g)?.length, 3);
  assert.equal(err, "hello.wasm\n".repeat(3));
});

test("--tag puts the tid before every line", async () => {
  const { out, err } = await upvm(["run", hello, "--ulps", "2", "--tag"]);
  assert.match(out, /\[t40001\] hello from 0 of 2 -$/m);
  assert.match(out, /\[t40002\] hello from 1 of 2 -$/m);
  assert.deepEqual(lines(err.trim()), ["[t40001] hello.wasm", "[t40002] hello.wasm"]);
});

test("--json prints one object on standard output, and what ULPs print goes to standard error", async () => {
  const { code, out, err } = await upvm(["run", hello, "--ulps", "2", "--json"]);
  assert.equal(code, EXIT.ok);
  const result = JSON.parse(out) as Record<string, unknown>;
  assert.deepEqual([result["ok"], result["reason"], result["program"]], [true, "done", "hello.wasm"]);
  assert.deepEqual(result["ulps"], [
    { tid: "t40001", index: 0, exitCode: 0 },
    { tid: "t40002", index: 1, exitCode: 0 },
  ]);
  assert.equal(result["leaks"], "");
  assert.match(err, /hello from 1 of 2/);
});

for (const language of ["ts", "c"]) {
  test(`the ring in ${language} goes round on one core and on two, in blocks and dealt out, with a time slice`, async () => {
    for (const words of [
      ["--cores", "1"],
      ["--cores", "2"],
      ["--place", "cyclic"],
      ["--slice", "1"],
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

test("Ctrl-C ends the run and says where each ULP was", async () => {
  const { code, out, err } = await upvm(["run", endless, "--ulps", "5"], {
    onOutput: (text, child) => {
      if (text === "ready\n".repeat(5)) child.kill("SIGINT");
    },
  });
  assert.equal(code, EXIT.interrupted);
  assert.equal(out, "ready\n".repeat(5));
  assert.match(err, /^upvm: endless\.wat was interrupted: 5 of 5 ULPs had not ended\n/);
  for (let i = 0; i < 5; i++) assert.match(err, new RegExp(`^  ULP ${i} \\(t4000${i + 1}\\) \\w+`, "m"));
});

test("SIGTERM is as Ctrl-C, and two signals at the same moment are one", async () => {
  const { code, err } = await upvm(["run", endless, "--ulps", "2"], {
    onOutput: (text, child) => {
      if (text !== "ready\n".repeat(2)) return;
      child.kill("SIGTERM");
      child.kill("SIGINT");
    },
  });
  assert.equal(code, EXIT.interrupted);
  assert.match(err, /2 of 2 ULPs had not ended/);
});

test("a reader that has seen enough ends the run without a word", () => {
  const command = `"${process.execPath}" bin/upvm.js run "${endless}" --ulps 3 | head -n 1`;
  const { stdout, stderr } = spawnSync("/bin/sh", ["-c", command], {
    cwd: root,
    encoding: "utf8",
    timeout: 20_000,
  });
  assert.deepEqual([stdout, stderr], ["ready\n", ""]);
});

test("wrong values of options are refused before anything runs", async () => {
  const refused: readonly (readonly [string[], RegExp])[] = [
    [["--ulps", "0"], /Cannot take --ulps "0": it takes a whole number from 1 to 12000/],
    [["--ulps", "many"], /Cannot take --ulps "many"/],
    [["--cores", "65"], /a whole number from 1 to 64/],
    [["--place", "cylcic"], /it takes block or cyclic\n {2}did you mean cyclic\?/],
    [["--upls", "3"], /no such option\n {2}did you mean --ulps\?/],
    [["--env", "WORD"], /it takes NAME=VALUE/],
    [["--heap", "1"], /a number from 4 to/],
    [["5"], /takes only FILE\n {2}arguments of the program, the same for each ULP come after --/],
  ];
  for (const [words, message] of refused) {
    const { code, out, err } = await upvm(["run", hello, ...words]);
    assert.deepEqual([code, out], [EXIT.usage, ""]);
    assert.match(err, message);
  }
});

test.run();
