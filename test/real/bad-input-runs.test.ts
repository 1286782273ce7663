/**
 * Programs that go wrong while they run: what PVM's codes say, what the user is told, and that nothing is lost.
 *
 * Every run ends with the walk over the process heap: a leak would be exit code 70.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import { EXIT } from "../../wire/errors.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import { type Done, inFolder, root, upvm } from "../command.ts";

const SOURCE = "test/guests/mistakes.c";
const folder = mkdtempSync(join(tmpdir(), "upvm-mistakes-"));
const program = join(folder, "mistakes.wasm");

test.before(async () => {
  const { code, err } = await upvm(["compile", SOURCE, "-o", program]);
  assert.equal(code, 0, err);
});
test.after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a mistake; `words` are options of `upvm run`. */
const mistake = (name: string, ...words: string[]): Promise<Done> =>
  upvm(["run", program, ...words, "--", ...name.split(" ")]);

/** "what: code" lines of a mistake that the program survives. */
async function codes(name: string, ...words: string[]): Promise<Record<string, number>> {
  const { code, out, err } = await mistake(name, ...words);
  assert.equal(code, EXIT.ok, err);
  return Object.fromEntries(
    out
      .trim()
      .split("\n")
      .map((line) => line.split(": "))
      .map(([what, number]) => [what, Number(number)]),
  );
}

/** Line of the source that holds `text`. */
function lineOf(text: string): number {
  const lines = readFileSync(join(root, SOURCE), "utf8").split("\n");
  return 1 + lines.findIndex((line) => line.includes(text));
}

const { PvmBadParam, PvmNoData, PvmNoMem, PvmNoBuf, PvmNoSuchBuf, PvmBadMsg, PvmOverflow } = PVM_ERROR;

test("unpacking beyond the end is PvmNoData and takes nothing", async () => {
  assert.deepEqual(await codes("unpack-too-much"), { "two ints": 0, "a third": PvmNoData.code, sum: 33 });
});

test("unpacking with the wrong call has PVM's codes", async () => {
  assert.deepEqual(await codes("unpack-wrongly"), {
    "a double of two ints": 0,
    "a second": PvmNoData.code,
    "a string of two ints": PvmBadMsg.code,
  });
});

test("a format that is NULL, a text that is NULL and a long that does not fit have PVM's codes", async () => {
  assert.deepEqual(await codes("formats"), {
    "pack by no format": PvmBadParam.code,
    "pack no text": PvmBadParam.code,
    pack: 0,
    "unpack by no format": PvmBadParam.code,
    unpack: 0,
    number: 7,
    "a long that is too large": PvmOverflow.code,
  });
});

test("buffers that are not there have PVM's codes", async () => {
  assert.deepEqual(await codes("without-buffers"), {
    "pack without a buffer": PvmNoBuf.code,
    "unpack without a buffer": PvmNoBuf.code,
    "send without a buffer": PvmNoBuf.code,
    "free nothing": PvmNoSuchBuf.code,
    "receive into nothing": PvmNoSuchBuf.code,
    "info of nothing": PvmNoSuchBuf.code,
    "wait id of nothing": PvmNoSuchBuf.code,
    "wait id of no buffer": PvmBadParam.code,
    "set the wait id of nothing": PvmNoSuchBuf.code,
    "set the wait id of no buffer": PvmBadParam.code,
    "set a wait id": 0,
    "wait id": 55,
    free: 0,
    "free twice": PvmNoSuchBuf.code,
    "negative count": PvmBadParam.code,
  });
});

test("a message to nobody is refused, or dropped with a word where PVM drops it", async () => {
  assert.deepEqual(await codes("to-nobody"), {
    "to no task": PvmBadParam.code,
    "to a negative task": PvmBadParam.code,
    "to a task that never was": 0,
    "with a negative tag": PvmBadParam.code,
  });
  assert.match((await mistake("to-nobody")).err, /there never was a task t41389/);
});

test("a full process heap is PvmNoMem, and the sender goes on", async () => {
  assert.deepEqual(await codes("fill-heap", "--heap", "16"), {
    "pack into a full heap": PvmNoMem.code,
    "some blocks": 1,
    "initsend after that": 1,
    "pack after that": 0,
  });
});

test("a program at its memory's limit is told by malloc, not ended", async () => {
  assert.deepEqual(await codes("fill-memory", "--memory", "8"), { "malloc gave up": 1 });
});

test("a memory that is too small for the program is refused", async () => {
  const { code, err } = await mistake("exit", "--memory", "0.0625");
  assert.equal(code, EXIT.program);
  assert.match(err, /Cannot run .*mistakes\.wasm: it needs \d+ pages .*limit is 1\n.*--memory MB/);
});

test("a trap names the ULP, the function, and file and line of the source; others end well", async () => {
  const { code, err } = await mistake("divide", "--ulps", "3");
  assert.equal(code, EXIT.failed);
  const line = lineOf("return 7 / by");
  assert.match(
    err,
    new RegExp(`^upvm: ULP 1 \\(t40002\\) stopped: divide by zero\n    at divide \\(${SOURCE}:${line}:12\\)`),
  );
  assert.match(err, new RegExp(`    at main \\(${SOURCE}:${lineOf("divide(zero)")}:\\d+\\)\n`));
  assert.match(err, /upvm: Cannot finish mistakes\.wasm: 1 of 3 ULPs failed\n$/);
});

test("with --json a trap is in the result, with its places", async () => {
  const { code, out } = await mistake("divide", "--ulps", "3", "--json");
  assert.equal(code, EXIT.failed);
  const { ok, reason, ulps } = JSON.parse(out) as {
    ok: boolean;
    reason: string;
    ulps: { tid: string; exitCode: number; error?: { message: string; stack: object[] } }[];
  };
  assert.deepEqual([ok, reason], [false, "failed"]);
  assert.deepEqual(
    ulps.map(({ tid }) => tid),
    ["t40001", "t40002", "t40003"],
  );
  assert.deepEqual(
    ulps.map(({ exitCode }) => exitCode),
    [0, 134, 0],
  );
  const line = lineOf("return 7 / by");
  assert.deepEqual(ulps[1]?.error?.stack[0], { func: "divide", file: SOURCE, line, column: 12 });
});

test("a trap in AssemblyScript names its file and line", async () => {
  const source = `function pick(list: i32[], at: i32): i32 {
  return list[at];
}
export function main(): i32 {
  return pick([1, 2], 7);
}
`;
  await inFolder({ "pick.ts": source }, async (cwd) => {
    const { code, err } = await upvm(["run", "pick.ts"], { cwd });
    assert.equal(code, EXIT.failed);
    assert.match(err, /ULP 0 \(t40001\) stopped: /);
    // Everything is inlined into the entry: the line is that of the access, found behind the library's.
    assert.match(err, /at _start \(pick\.ts:2, in ~lib\/array\.ts:/);
    assert.match(err, /Index out of range/);
  });
});

test("AssemblyScript's throw, assert and full memory are told in its words, with the program's lines", async () => {
  const files = {
    "throws.ts": `function check(n: i32): void {
  if (n == 0) throw new Error("boom");
  check(n - 1);
}
export function main(): void {
  check(3);
}
`,
    "asserts.ts": `export function main(): void {
  assert(process.argv.length == 7, "seven");
}
`,
    "fills.ts": `export function main(): void {
  const all: i32[] = [];
  for (let i = 0; ; i++) all.push(i);
}
`,
  };
  await inFolder(files, async (cwd) => {
    const said = async (...words: string[]): Promise<string> => {
      const { code, err } = await upvm(["run", ...words], { cwd });
      assert.equal(code, EXIT.failed);
      return err;
    };
    assert.match(
      await said("throws.ts"),
      /^upvm \[t40001\]: abort: boom in throws\.ts:2:15\nupvm: ULP 0 \(t40001\) stopped: abort\n {4}at throws\/check \(throws\.ts:2:/,
    );
    assert.match(await said("asserts.ts"), /: seven in .*stopped: abort\n {4}at \S+ \(asserts\.ts:2:/s);
    const full = await said("fills.ts", "--memory", "16");
    assert.match(full, /stopped: out of memory\n.*\n {4}at \S+ \(fills\.ts:3, in .*\n.*--memory MB/);
  });
});

test("an exit code other than 0 fails the run", async () => {
  const { code, err } = await mistake("exit", "--ulps", "3");
  assert.equal(code, EXIT.failed);
  assert.match(err, /^upvm: ULP 1 \(t40002\) ended with exit code 3\n/);
});

test("wild pointers trap in their own ULP", async () => {
  const { code, err } = await mistake("wild");
  assert.equal(code, EXIT.failed);
  assert.match(err, /stopped: memory access out of bounds\n {4}at wild /);
});

test("a recursion without end is a trap, in C's stack or in the engine's", async () => {
  const c = await mistake("deeper");
  assert.equal(c.code, EXIT.failed);
  assert.match(
    c.err,
    /stopped: stack overflow: its stack has 256 KB\n(.*\n)? {4}at deeper \(.*\), \d\d times/,
  );
  assert.match(c.err, /a recursion without end, .*--stack MB/);
  const wat = `(module (func $down (param i32) (result i32)
      (i32.add (call $down (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
    (func (export "_start") (drop (call $down (i32.const 0)))))`;
  await inFolder({ "down.wat": wat }, async (cwd) => {
    const { code, err } = await upvm(["run", "down.wat", "--ulps", "2"], { cwd });
    assert.equal(code, EXIT.failed);
    assert.match(err, /stopped: Maximum call stack size exceeded/);
    assert.match(err, /2 of 2 ULPs failed/);
  });
});

test("an unwind stack beyond its limit names the ULP, its size and the option", async () => {
  const { code, err } = await mistake("wait-deep 50000", "--frames", "0.0625");
  assert.equal(code, EXIT.failed);
  assert.match(err, /unwind stack overflow: t40001 needs \d+ bytes of frames .*limit is 65536 bytes/);
  assert.match(err, /at wait_deep /);
  assert.match(err, /give it more with --frames MB/);
});

test("ULPs that wait for one that has exited: the run ends and says who waits for what from whom", async () => {
  const { code, err } = await mistake("leave", "--ulps", "3");
  assert.equal(code, EXIT.failed);
  assert.match(
    err,
    /^upvm: Cannot go on with mistakes\.wasm: deadlock: 2 of 3 ULPs wait, and nothing can arrive\n/,
  );
  for (const who of ["ULP 1 (t40002)", "ULP 2 (t40003)"])
    assert.ok(
      err.includes(`  ${who} waits in pvm_recv for tag 5 from t40001 (exited)\n    at main (${SOURCE}:`),
      err,
    );
});

test("a deadlock of many on several engines is found as well", async () => {
  const { code, err } = await mistake("leave", "--ulps", "500", "--cores", "2");
  assert.equal(code, EXIT.failed);
  assert.match(err, /deadlock: 499 of 500 ULPs wait/);
  assert.match(err, /and 479 more ULPs wait; --json shows all/);
});

test("a program that waits by trecv is no deadlock", async () => {
  const source = `#include <pvm3.h>
#include <stdio.h>
#include <sys/time.h>
int main(void) {
  struct timeval limit = {0, 300000};
  printf("%d\\n", pvm_trecv(-1, -1, &limit));
}
`;
  await inFolder({ "wait.c": source }, async (cwd) => {
    const { code, out, err } = await upvm(["run", "wait.c", "--ulps", "2"], { cwd });
    assert.deepEqual([code, out], [EXIT.ok, "0\n0\n"], err);
  });
});

test("one ULP writes wildly and one never stops, and the others compute the right result", async () => {
  const primes = "primes: 2262\n";
  const { code, out, err } = await upvm(["run", program, "--ulps", "8", "--slice", "5", "--", "attack"], {
    // When the six have their results the one that never stops is all that is left.
    onOutput: (text, child) => {
      if (text === primes.repeat(6)) child.kill("SIGINT");
    },
  });
  assert.equal(out, primes.repeat(6));
  assert.equal(code, EXIT.interrupted);
  assert.match(err, /ULP 0 \(t40001\) stopped: memory access out of bounds\n {4}at wild /);
  assert.match(err, /ULP 1 \(t40002\) .*\n {4}at spin /);
});

test.run();
