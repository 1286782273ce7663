/** AssemblyScript programs: entry, AssemblyScript's own globals over WASI, where files are found, errors, lines. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import { customSection, sectionsOf } from "../../runtime/link/wasm-sections.ts";
import { compile } from "../../upvm/node-compile.ts";
import { LIMITS } from "../../wire/limits.ts";
import { PVM_ROUTINE } from "../../wire/pvm.ts";
import { compiled, compileError, compileHere, importsOf, inFolderOf, runAlone } from "../compile-fixture.ts";

test("the result of main is the exit code, after the top-level code has run", async () => {
  const { wasm } = await compiled(
    "a.ts",
    'console.log("top"); export function main(): i32 { console.log("main"); return 7; }',
  );
  const { out, code } = runAlone(wasm);
  assert.deepEqual([out, code], ["top\nmain\n", 7]);
  const exports = WebAssembly.Module.exports(new WebAssembly.Module(wasm));
  assert.deepEqual(exports.map((item) => item.name).sort(), ["_start", "memory"]);
});

test("main may return nothing, be in another file, or not be there", async () => {
  const nothing = await compiled("a.ts", 'export function main(): void { console.log("main"); }');
  assert.deepEqual([runAlone(nothing.wasm).out, runAlone(nothing.wasm).code], ["main\n", 0]);
  const elsewhere = await compiled(
    "a.ts",
    'export { main } from "./b";',
    {},
    {
      "b.ts": "export function main(): i32 { return 5; }",
    },
  );
  assert.equal(runAlone(elsewhere.wasm).code, 5);
  const absent = await compiled("a.ts", 'console.log("top"); export function other(): i32 { return 5; }');
  assert.deepEqual([runAlone(absent.wasm).out, runAlone(absent.wasm).code], ["top\n", 0]);
  const inner = await compiled("a.ts", "function main(): i32 { return 3; } process.exit(main() + 1);");
  assert.equal(runAlone(inner.wasm).code, 4);
});

test("a main that cannot be an entry is refused", async () => {
  for (const main of [
    "main(a: i32): i32 { return a; }",
    "main(): f64 { return 1; }",
    "main(): i64 { return 1; }",
  ]) {
    const message = await compileError("a.ts", { "a.ts": `export function ${main}` });
    assert.match(message, /^Cannot compile a\.ts:\na\.ts: main takes nothing and returns an i32/);
  }
});

test("console, process, trace and the clocks work through WASI", async () => {
  const { wasm } = await compiled(
    "a.ts",
    `console.log("lög"); console.info("info"); console.debug("debug"); console.error("error"); console.warn("warn");
    console.assert(1 > 2, "sum"); console.assert(2 > 1); console.time("t"); console.timeEnd("t"); trace("t", 2, 1.5, -2);
    console.log(process.argv.slice(1).join("|")); console.log(process.env.get("WHO") + process.arch);
    process.stdout.write("no newline"); process.stdout.write(String.UTF8.encode("+bytes"));
    const now = performance.now(); assert(performance.now() >= now && now > 0);
    assert(Date.now() > 1_700_000_000_000 && new Date(Date.now()).getUTCFullYear() > 2022);
    const a = new Uint8Array(64); crypto.getRandomValues(a); let any: u32 = 0; for (let i = 0; i < 64; i++) any |= a[i];
    assert(any != 0 && Math.random() != Math.random()); process.exit(9);`,
  );
  const { out, err, code } = runAlone(wasm, ["eins", "zwei drei", "ü"], { WHO: "me" });
  assert.match(out, /^lög\ninfo\ndebug\nt: [\d.]+ms\neins\|zwei drei\|ü\nmewasm32\nno newline\+bytes$/);
  assert.equal(err, "error\nwarn\nAssertion failed: sum\ntrace: t 1.5, -2.0\n");
  assert.equal(code, 9);
});

test("an abort says what and where, and traps with the source's lines", async () => {
  const source = [
    "function deep(n: i32): i32 {",
    '  if (n == 0) throw new Error("nö");',
    "  return deep(n - 1) + 1;",
    "}",
    "",
    "export function main(): i32 {",
    "  return deep(process.argv.length);",
    "}",
  ].join("\n");
  const { wasm } = await compiled("src/a.ts", source, { optimize: "0" });
  const { err, code, trap } = runAlone(wasm);
  assert.equal(err, "upvm [t40001]: abort: nö in src/a.ts:2:15\n");
  assert.equal(code, undefined);
  // asc gives the call of abort no line of its own: the abort's text has it.
  assert.deepEqual(trap[0]?.split(" ")[0], "~lib/upvm-abort/upvm_abort");
  assert.ok(trap.includes("src/a/deep src/a.ts:3"), trap.join("\n"));
  assert.ok(trap.includes("src/a/main src/a.ts:7"), trap.join("\n"));
});

test("an abort with a long text is cut, not lost", async () => {
  const { wasm } = await compiled("a.ts", 'throw new Error("€".repeat(5000));');
  const { err, code } = runAlone(wasm);
  assert.match(err, /^upvm \[t40001\]: abort: €{512} in a\.ts:1:1\n$/);
  assert.equal(code, undefined);
});

test("names and lines stay at full optimization, and no source text goes along", async () => {
  const { wasm, lines } = await compiled(
    "a.ts",
    "export function main(): i32 { return 1 / (process.argv.length - 1); }",
    { optimize: "3" },
  );
  const { trap } = runAlone(wasm);
  assert.ok(
    trap.some((place) => / a\.ts:1$/.test(place)),
    trap.join("\n"),
  );
  const section = customSection(wasm, sectionsOf(wasm)!, "upvm.sourcemap");
  const map = JSON.parse(new TextDecoder().decode(section)) as Record<string, unknown>;
  assert.deepEqual(Object.keys(map).sort(), ["mappings", "names", "sources", "version"]);
  assert.ok((map["sources"] as string[]).includes("a.ts"));
  assert.equal((JSON.parse(lines!) as { mappings: string }).mappings, map["mappings"]);
  assert.ok(!sectionsOf(wasm)!.some((item) => item.name === "sourceMappingURL"));
});

test("every routine can be imported, and nothing but pvm and WASI is", async () => {
  const long = Object.keys(PVM_ROUTINE).map((name) => `p.set(changetype<usize>(pvm.${name} as usize));`);
  assert.ok(long.length > 50);
  const calls = Object.entries(PVM_ROUTINE).map(
    ([name, row]) => `pvm.${name}(${Array(row.wasm.length).fill(0)});`,
  );
  const { wasm } = await compiled(
    "a.ts",
    `import * as pvm from "upvm/guest";\n${calls.join("\n")}\nMath.random();`,
  );
  const imports = importsOf(wasm);
  for (const name of Object.keys(PVM_ROUTINE)) assert.ok(imports.includes(`pvm.${name}`), name);
  for (const name of imports) assert.match(name, /^(pvm|wasi_snapshot_preview1)\./);
  assert.equal(new Set(imports).size, imports.length);
});

test("the library is found from any folder, the program's own files and packages too", () =>
  inFolderOf(
    {
      "deep/down/a.ts": `import * as pvm from "upvm/guest"; import { two } from "../lib"; import { four } from "numbers";
        export function main(): i32 { return (pvm.PvmNoData as i32) + two + four; }`,
      "deep/lib.ts": "export const two: i32 = 2;",
      "deep/node_modules/numbers/index.ts": 'export { four } from "./four";',
      "deep/node_modules/numbers/four.ts": "export const four: i32 = 4;",
      // Another version of this package nearby: the compiler's own is taken.
      "deep/node_modules/upvm/guest/index.ts": "export const PvmNoData: i32 = 1000;",
    },
    async (folder) => {
      const relative = await compileHere("deep/down/a.ts");
      assert.equal(runAlone(relative.wasm).code, 1);
      const absolute = await compileHere(join(folder, "deep/down/a.ts"));
      assert.equal(runAlone(absolute.wasm).code, 1);
      process.chdir("deep/down");
      assert.equal(runAlone((await compileHere("./a.ts")).wasm).code, 1);
    },
  ));

test("a program compiled by its absolute path does not say where it was", () =>
  inFolderOf({ "a.ts": 'import { b } from "./b"; throw new Error(b);' }, async (folder) => {
    const wasm: Uint8Array[] = [];
    for (const name of ["one", "two"]) {
      mkdirSync(join(folder, name));
      for (const file of readdirSync(folder).filter((item) => item.endsWith(".ts"))) {
        writeFileSync(join(folder, name, file), readFileSync(join(folder, file)));
      }
      writeFileSync(join(folder, name, "b.ts"), 'export const b = "b";');
      const code = (await compileHere(join(folder, name, "a.ts"))).wasm;
      const sections = sectionsOf(code)!;
      wasm.push(code.subarray(0, sections.at(-2)!.end));
    }
    assert.deepEqual(wasm[0], wasm[1]);
    assert.match(runAlone((await compileHere(join(folder, "one/a.ts"))).wasm).err, /in a\.ts:1:/);
  }));

test("an error comes with asc's words and the line, the file as the user named it", async () => {
  const files = { "src/a.ts": "let a: i32 = 1;\nlet b: i32 = nothing;\n" };
  const message = await compileError("src/a.ts", files);
  assert.match(message, /^Cannot compile src\/a\.ts:\nERROR TS2304: Cannot find name 'nothing'\./);
  assert.match(message, /└─ in src\/a\.ts\(2,14\)$/);
  await inFolderOf(files, async (folder) => {
    const path = join(folder, "src/a.ts");
    await assert.rejects(compileHere(path), (error: Error) => error.message.includes(`in ${path}(2,14)`));
  });
});

test("a missing file is an error of the import, and bad syntax one of its line", async () => {
  const missing = await compileError("a.ts", { "a.ts": 'import { b } from "./nowhere";\nb();' });
  assert.match(missing, /nowhere\.ts' not found/);
  assert.match(missing, /in a\.ts\(1,19\)/);
  assert.match(await compileError("a.ts", { "a.ts": "\n\nlet = ;" }), /in a\.ts\(3,/);
});

test("a crash of asc is reported, and takes nobody along", async () => {
  const endless = "function f<T>(): void { f<T[]>(); }\nexport function main(): i32 { f<i32>(); return 0; }";
  await inFolderOf({ "a.ts": endless }, () =>
    assert.rejects(compile("a.ts", {}, ""), {
      code: "COMPILE",
      message:
        /^Cannot compile a\.ts:\na\.ts: the compiler crashed \(compile\): RangeError: Maximum call stack/,
    }),
  );
});

test("a warning is handed over, and the program works", async () => {
  const { wasm, warnings } = await compiled(
    "a.ts",
    "export class A {}\nexport function main(): i32 { return 2; }",
  );
  assert.match(warnings, /^WARNING AS235: .*\n(.*\n)*.*└─ in a\.ts\(1,14\)$/);
  assert.equal(runAlone(wasm).code, 2);
});

test("a program may have more static data than the memory that programs begin with", async () => {
  const { wasm, warnings } = await compiled(
    "a.ts",
    `const table = memory.data(5 << 20);
    export function main(): i32 { store<u8>(table + (5 << 20) - 1, 7); return load<u8>(table + (5 << 20) - 1) + memory.size(); }`,
  );
  assert.equal(warnings, "");
  assert.ok(runAlone(wasm).code! >= 7 + 80);
  const small = await compiled("a.ts", "export function main(): i32 { return memory.size(); }");
  assert.equal(runAlone(small.wasm).code, LIMITS.initialPages);
});

test("the memory manager and the optimization can be chosen", async () => {
  const source = `class Node { next: Node | null = null; }
    export function main(): i32 {
      for (let i = 0; i < 3_000_000; i++) new Node();
      return memory.size() < 64 ? 0 : 1;
    }`;
  // The collector keeps three million dead objects in 4 MB; without one they need over 90.
  assert.equal(runAlone((await compiled("a.ts", source)).wasm).code, 0);
  assert.equal(
    runAlone((await compiled("a.ts", source, { runtime: "incremental", optimize: "0" })).wasm).code,
    0,
  );
  assert.equal(runAlone((await compiled("a.ts", source, { runtime: "stub" })).wasm).code, 1);
  const fast = await compiled("a.ts", source, { optimize: "3" });
  const small = await compiled("a.ts", source, { optimize: "z" });
  const plain = await compiled("a.ts", source, { optimize: "0" });
  assert.ok(small.wasm.length < fast.wasm.length && fast.wasm.length < plain.wasm.length);
});

test.run();
