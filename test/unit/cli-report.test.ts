import assert from "node:assert/strict";
import { test } from "uvu";
import { painter } from "../../upvm/paint.ts";
import { frameText, grouped, report, statsLines, type UlpReport } from "../../upvm/report.ts";

const plain = painter(false);
const ulp = (index: number, over: Partial<UlpReport> = {}): UlpReport => ({
  index,
  tid: 0x40001 + index,
  exitCode: 0,
  ...over,
});

test("a run that ends well says nothing", () => {
  assert.deepEqual(report("a.wasm", "done", [ulp(0), ulp(1)], plain), []);
});

test("a trap names the ULP, the reason, and function, file and line of every call", () => {
  const stack = [
    { func: "inner", file: "ring.ts", line: 41, column: 7 },
    { func: "main", file: "ring.ts", line: 50 },
    {},
  ];
  const ulps = [ulp(0), ulp(1, { exitCode: undefined, error: { message: "divide by zero", stack } })];
  assert.deepEqual(report("ring.wasm", "failed", ulps, plain), [
    "upvm: ULP 1 (t40002) stopped: divide by zero",
    "    at inner (ring.ts:41:7)",
    "    at main (ring.ts:50)",
    "upvm: Cannot finish ring.wasm: 1 of 2 ULPs failed",
  ]);
});

test("an exit code other than 0 is a failure of its ULP", () => {
  assert.deepEqual(report("a.c", "failed", [ulp(0, { exitCode: 3 })], plain), [
    "upvm: ULP 0 (t40001) ended with exit code 3",
    "upvm: Cannot finish a.c: 1 of 1 ULP failed",
  ]);
});

test("a deadlock says who waits for what, and where", () => {
  const where = "waits in pvm_recv for tag 5 from t40001";
  const stack = [{ func: "main", file: "a.ts", line: 3 }];
  const ulps = [ulp(0), ulp(1, { exitCode: undefined, where, stack })];
  assert.deepEqual(report("a.ts", "deadlock", ulps, plain), [
    "upvm: Cannot go on with a.ts: deadlock: 1 of 2 ULPs wait, and nothing can arrive",
    `  ULP 1 (t40002) ${where}`,
    "    at main (a.ts:3)",
  ]);
  const all = report("a.ts", "deadlock", [ulp(0, { where }), ulp(1, { where })], plain);
  assert.match(all[0]!, /all 2 ULPs wait/);
  assert.match(report("a.ts", "deadlock", [ulp(0, { where })], plain)[0]!, /its only ULP waits/);
});

test("an interrupted run says where each ULP was", () => {
  const ulps = [ulp(0, { where: "running" }), ulp(1, { where: "runnable" }), ulp(2)];
  assert.deepEqual(report("a.ts", "interrupted", ulps, plain), [
    "upvm: a.ts was interrupted: 2 of 3 ULPs had not ended",
    "  ULP 0 (t40001) running",
    "  ULP 1 (t40002) runnable",
  ]);
  assert.deepEqual(report("a.ts", "interrupted", [], plain), ["upvm: a.ts was interrupted before it began"]);
});

test("of many ULPs and deep stacks some are shown and the rest counted", () => {
  const stack = Array.from({ length: 30 }, (_, i) => ({ func: `f${i}` }));
  const many = Array.from({ length: 1500 }, (_, i) => ulp(i, { error: { message: "no", stack } }));
  const lines = report("a.ts", "failed", many, plain);
  assert.equal(lines.filter((line) => line.includes("stopped")).length, 20);
  assert.ok(lines.includes("  and 1,480 more ULPs failed; --json shows all"));
  assert.ok(lines.includes("    and 18 more calls"));
  assert.equal(lines.at(-1), "upvm: Cannot finish a.ts: 1,500 of 1,500 ULPs failed");
});

test("equal calls of a recursion are one line, and two functions in turn are not", () => {
  const recursion = Array.from({ length: 1200 }, () => ({ func: "f", file: "a.c", line: 3 }));
  const stack = [{ func: "g", file: "a.c", line: 9 }, ...recursion, { func: "main", file: "a.c", line: 20 }];
  const lines = report("a.c", "failed", [ulp(0, { error: { message: "no", stack } })], plain);
  assert.deepEqual(lines.slice(1, 4), [
    "    at g (a.c:9)",
    "    at f (a.c:3), 1,200 times",
    "    at main (a.c:20)",
  ]);
});

test("a frame shows as much as is known", () => {
  assert.equal(frameText({}), "?");
  assert.equal(frameText({ func: "f" }), "f");
  assert.equal(frameText({ func: "f", file: "a.c" }), "f (a.c)");
  assert.equal(frameText({ file: "a.c", line: 1 }), "? (a.c:1)");
  const inlined = { func: "main", file: "~lib/array.ts", line: 115, column: 25, user: "ring.ts:41" };
  assert.equal(frameText(inlined), "main (ring.ts:41, in ~lib/array.ts:115:25)");
});

test("counts stand in two columns with groups of three digits", () => {
  assert.equal(grouped(0), "0");
  assert.equal(grouped(999), "999");
  assert.equal(grouped(1234567), "1,234,567");
  assert.deepEqual(
    statsLines([
      ["switches", "12"],
      ["bytes", "1,234"],
    ]),
    ["  switches     12", "  bytes     1,234"],
  );
});

test.run();
