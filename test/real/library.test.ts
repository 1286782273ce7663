/** The library: `import { run } from "upvm"`, by the package's own name. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import wabtReady from "wabt";
import { compile, link, run, UpvmError } from "../../upvm/index.ts";
import { inFolder, root } from "../command.ts";

const RING = join(root, "guest/examples/ring.ts");
/** Collects what ULPs print to standard output. */
function collector() {
  const text: string[] = [];
  const output = (fd: number, bytes: Uint8Array): void => {
    if (fd === 1) text.push(new TextDecoder().decode(bytes));
  };
  return { output, all: () => text.join("") };
}

test("run() takes a source file and gives the result", async () => {
  const { output, all } = collector();
  const result = await run(RING, { ulps: 5, args: ["100"], output });
  assert.equal(all(), "5 ULPs, 100 rounds: 500 went round, right\n");
  assert.deepEqual([result.ok, result.reason, result.leaks], [true, "done", ""]);
  assert.deepEqual(
    result.ulps.map(({ index, exitCode }) => [index, exitCode]),
    [0, 1, 2, 3, 4].map((i) => [i, 0]),
  );
  assert.equal(result.stats.messages, 500);
});

test("run() takes bytes, linked or not, and a second run of them is independent", async () => {
  const linked = (await compile(RING)).wasm;
  const wabt = await wabtReady();
  const plain = wabt.parseWat("a.wat", `(module (memory (export "memory") 1) (func (export "_start")))`);
  for (const wasm of [linked, link(linked).wasm, plain.toBinary({}).buffer]) {
    const result = await run(wasm, { ulps: 2, args: ["20"], output: () => {} });
    assert.ok(result.ok);
  }
});

test("a trap comes back with the guest's own lines, an abort signal interrupts", async () => {
  const source = `(module (func $boom unreachable) (func (export "_start") (call $boom)))`;
  const endless = `(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\\10\\00\\00\\00\\06\\00\\00\\00")
    (data (i32.const 16) "begun\\n")
    (func (export "_start")
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (loop $l (br $l))))`;
  await inFolder({ "boom.wat": source, "endless.wat": endless }, async (folder) => {
    const { ok, reason, ulps } = await run(join(folder, "boom.wat"), { output: () => {} });
    assert.deepEqual([ok, reason], [false, "failed"]);
    assert.deepEqual(
      ulps[0]?.error?.stack.map(({ func }) => func),
      ["boom", "_start"],
    );
    const stop = new AbortController();
    const output = (): void => stop.abort();
    const result = await run(join(folder, "endless.wat"), { signal: stop.signal, output });
    assert.deepEqual([result.ok, result.reason], [false, "interrupted"]);
    assert.ok(result.ulps[0]?.where !== undefined);
  });
});

test("what cannot be started is an UpvmError with code and facts", async () => {
  await assert.rejects(run("no-such.ts"), (error) => {
    assert.ok(error instanceof UpvmError);
    assert.deepEqual(
      [error.code, error.facts],
      ["FILE_NOT_FOUND", { path: "no-such.ts", why: "no such file" }],
    );
    return true;
  });
  await assert.rejects(run(new Uint8Array([1, 2, 3])), UpvmError);
});

test("the package's entry exports what this file tests", async () => {
  const entry = (await import(new URL("../../bin/index.js", import.meta.url).href)) as Record<
    string,
    unknown
  >;
  assert.deepEqual(Object.keys(entry).sort(), ["UpvmError", "compile", "link", "run"]);
  assert.equal(entry["run"], run);
});

test("the README's two programs print what it says", async () => {
  const text = readFileSync(join(root, "README.md"), "utf8");
  const programs = [...text.matchAll(/```(ts|c)\n(.*?)```/gs)].map(
    (match) => [match[1]!, match[2]!] as const,
  );
  assert.deepEqual(
    programs.map(([language]) => language),
    ["ts", "c"],
  );
  const says = /\$ npx upvm run sum\.ts --ulps 100\n *(.*)\n/.exec(text)?.[1];
  for (const [language, source] of programs) {
    await inFolder({ [`sum.${language}`]: source }, async (folder) => {
      const { output, all } = collector();
      const result = await run(join(folder, `sum.${language}`), { ulps: 100, output });
      assert.ok(result.ok, JSON.stringify(result.ulps.filter(({ exitCode }) => exitCode !== 0)));
      assert.equal(all(), `${says}\n`);
    });
  }
});

test.run();
