/** `upvm run` as a real process: output, options, counts, JSON, interruption. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import { EXIT } from "../../wire/errors.ts";
import { LIMIT_MS, root, upvm } from "../command.ts";

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
/** ULP 0 computes for a third of a second in one loop; the other has nothing to do. */
const BUSY = `#include <pvm3.h>
#include <time.h>
static unsigned sum;
__attribute__((noinline)) static void spin(int rounds) {
  for (int i = 0; i < rounds; i++)
    sum = sum * 31 + (unsigned)i;
}
int main(void) {
  int *tids;
  pvm_siblings(&tids);
  clock_t end = clock() + CLOCKS_PER_SEC / 3;
  while (tids[0] == pvm_mytid() && clock() < end) spin(10000000);
  return sum == 1;
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

/** Prints lines without end: who stops reading is noticed at the next one. */
const CHATTER = ENDLESS.replace("(drop (call $write", "(loop $more (drop (call $write").replace(
  "(i32.const 8)))",
  "(i32.const 8))) (br $more))",
);

/** Prints 6400 lines of 64 KiB. */
const LONG = `(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func (export "_start") (local $i i32)
    (memory.fill (i32.const 1024) (i32.const 97) (i32.const 65535))
    (i32.store8 (i32.const 66559) (i32.const 10))
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 65536))
    (loop $l
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $i) (i32.const 6400))))))`;

/** In that time all of LONG would have been collected. */
const STANDS_STILL_MS = 1500;

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
  assert.equal(out.match(/^rest$/gm)?.length, 3, "each on a line of its own, though it has no end");
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

test("a program spawns another file of its folder, compiled as needed, and nothing outside", async () => {
  const boss = `#include <pvm3.h>
#include <stdio.h>
int main(void) {
  int tids[3], sum = 0, number;
  printf("%d\\n", pvm_spawn("worker", NULL, PvmTaskDefault, "", 3, tids));
  for (int i = 0; i < 3; i++) {
    pvm_recv(-1, 1);
    pvm_upkint(&number, 1, 1);
    sum += number;
  }
  int none = pvm_spawn("../../etc/worker", NULL, PvmTaskDefault, "", 1, tids);
  int wrong = pvm_spawn("broken", NULL, PvmTaskDefault, "", 1, &tids[1]);
  printf("%d %d %d %d %d\\n", sum, none, tids[0], wrong, tids[1]);
}
`;
  const worker = `import * as pvm from "upvm/guest";
function half(number: i32, by: i32): i32 { return number / by; }
export function main(): void {
  pvm.initsend(pvm.PvmDataDefault);
  pvm.pk<i32>(14);
  pvm.send(pvm.parent(), 1);
  if (pvm.mytid() == 0x40003) half(1, 0);
}
`;
  for (const [name, text] of Object.entries({
    "boss.c": boss,
    "worker.ts": worker,
    "broken.ts": "export let x = ;",
  }))
    writeFileSync(join(folder, name), text);
  const { code, out, err } = await upvm(["run", "boss.c"], { cwd: folder });
  assert.equal(out, "3\n42 0 -7 0 -7\n", err);
  assert.equal(code, EXIT.failed);
  assert.match(err, /upvm: Cannot compile broken\.ts:/);
  // The places of a spawned ULP are those of its own program.
  assert.match(err, /ULP 2 \(t40003\) stopped: divide by zero\n {4}at \w+ \(worker\.ts:2:\d+\)/);
});

test("--dump writes descriptors, queues and the steps of initialisation, as text or JSON", async () => {
  const [text, json] = [join(folder, "dump.txt"), join(folder, "dump.json")];
  assert.equal((await upvm(["run", hello, "-n", "2", "--dump", text])).code, EXIT.ok);
  assert.match(
    readFileSync(text, "utf8"),
    /^i choose processors: .*\n(.*\n){7}Libd\n(.*\n)* {2}ULP 1 \(t40002\): exited/,
  );
  assert.equal((await upvm(["run", hello, "-n", "2", "--dump", json])).code, EXIT.ok);
  const { trace, dump } = JSON.parse(readFileSync(json, "utf8")) as {
    trace: unknown[];
    dump: { ulps: unknown[] };
  };
  assert.deepEqual([trace.length, dump.ulps.length], [8, 2]);
});

test("--profile tells by ULP in which lines it computed", async () => {
  const busy = join(folder, "busy.c");
  writeFileSync(busy, BUSY);
  const { code, err } = await upvm(["run", busy, "-n", "2", "--profile", "1"]);
  assert.equal(code, EXIT.ok);
  assert.match(
    err,
    /^profile: \d+ samples of computing ULPs, one every 1 ms on each engine\n {2}ULP 0 \(t40001\): \d+ samples\n/,
  );
  assert.match(err, /^ +\d+\.\d %\s+spin \(.*busy\.c:[456]\)$/m);
  const json = await upvm(["run", busy, "-n", "2", "--profile", "1", "--json"]);
  const { profile } = JSON.parse(json.out) as { profile: { index: number; places: { func: string }[] }[] };
  assert.deepEqual([profile[0]?.index, profile[0]?.places[0]?.func], [0, "spin"]);
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
  const chatter = join(folder, "chatter.wat");
  writeFileSync(chatter, CHATTER);
  const command = `"${process.execPath}" bin/upvm.js run "${chatter}" --ulps 3 | head -n 1`;
  const { stdout, stderr, signal } = spawnSync("/bin/sh", ["-c", command], {
    cwd: root,
    encoding: "utf8",
    timeout: LIMIT_MS,
  });
  assert.deepEqual([stdout, stderr, signal], ["ready\n", "", null]);
});

test("a reader that stands still has the program wait: what it prints is not collected", async () => {
  if (!existsSync("/proc/self/status")) return;
  writeFileSync(join(folder, "long.wat"), LONG);
  const child = spawn(
    process.execPath,
    [join(root, "bin/upvm.js"), "run", "--local", join(folder, "long.wat")],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const closed = once(child, "close");
  const tooLong = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  await once(child.stdout, "readable");
  await new Promise((go) => setTimeout(go, STANDS_STILL_MS));
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  let bytes = 0;
  for await (const chunk of child.stdout) bytes += (chunk as Buffer).length;
  assert.equal(bytes, 6400 * 65_536);
  assert.deepEqual(await closed, [EXIT.ok, null]);
  clearTimeout(tooLong);
  const peak = Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]);
  assert.ok(peak < 300 << 10, `${peak} KiB`);
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
