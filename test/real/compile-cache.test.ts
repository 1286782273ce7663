/** Compiled programs in the cache: used while nothing has changed, and never trusted. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "uvu";
import { compile as compileOn } from "../../upvm/compile.ts";
import { compile } from "../../upvm/node-compile.ts";
import { defaultCacheFolder, findCompiled, keepCompiled, type Reads } from "../../upvm/node-compile-cache.ts";
import { nodeCompileHost } from "../../upvm/node-compile-host.ts";
import { UpvmError } from "../../wire/errors.ts";
import { LIMITS } from "../../wire/limits.ts";
import { root } from "../command.ts";

/** Calls `use` with a new folder, which is also the working folder, and removes it afterwards. */
async function inNewFolder(use: (folder: string) => Promise<void> | void): Promise<void> {
  const before = process.cwd();
  const folder = mkdtempSync(join(tmpdir(), "upvm-cache-test-"));
  process.chdir(folder);
  try {
    await use(folder);
  } finally {
    process.chdir(before);
    rmSync(folder, { recursive: true, force: true });
  }
}

const TEXT = '(module (func (export "_start")))';
const COMPILED = { wasm: Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0), lines: "{}", warnings: "careful" };
const TASK = { path: "a.wat", options: {} };
/** Processes of ours that compile, by the number of each; without those that have ended. */
function compilers(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        const parent = /\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1];
        return words.includes("node-compile-process") && Number(parent) === process.pid;
      } catch {
        return false;
      }
    })
    .map(Number);
}
const entries = (cache: string): string[] => readdirSync(cache);

test("the second time nothing is compiled", () =>
  inNewFolder(async (folder) => {
    const cache = join(folder, "cache", "upvm");
    writeFileSync("a.wat", TEXT);
    const first = await compile("a.wat", {}, cache);
    assert.equal(entries(cache).length, 1);
    // What is found is what was kept, not what a compiler makes: the kept file is exchanged for another.
    keepCompiled(cache, TASK, COMPILED, []);
    const second = await compile("a.wat", {}, cache);
    assert.deepEqual(second, COMPILED);
    assert.notDeepEqual(first.wasm, second.wasm);
  }));

test("other options, another path or another folder is another program", () =>
  inNewFolder((folder) => {
    keepCompiled(folder, TASK, COMPILED, []);
    assert.deepEqual(findCompiled(folder, TASK), COMPILED);
    assert.equal(findCompiled(folder, { ...TASK, options: { optimize: "s" } }), undefined);
    assert.equal(findCompiled(folder, { ...TASK, path: "./a.wat" }), undefined);
    mkdirSync("sub");
    process.chdir("sub");
    assert.equal(findCompiled(folder, TASK), undefined);
  }));

test("a program is compiled again when a file that it includes has changed or newly exists", () =>
  inNewFolder(async (folder) => {
    const cache = join(folder, "cache");
    mkdirSync("inc");
    writeFileSync("a.c", "#include <n.h>\nint main(void) { return N; }\n");
    writeFileSync("inc/n.h", "#define N 3\n");
    const options = { include: ["first", "inc"], optimize: "0" } as const;
    const one = await compile("a.c", options, cache);
    assert.deepEqual((await compile("a.c", options, cache)).wasm, one.wasm);
    writeFileSync("inc/n.h", "#define N 4\n");
    const two = await compile("a.c", options, cache);
    assert.notDeepEqual(two.wasm, one.wasm);
    // This one did not exist, and clang would look there first.
    mkdirSync("first");
    writeFileSync("first/n.h", "#define N 3\n");
    assert.deepEqual((await compile("a.c", options, cache)).wasm, one.wasm);
    // Besides the guest library.
    assert.equal(entries(cache).filter((name) => name.endsWith(".compiled")).length, 1);
  }));

test("a program is compiled again when the guest's library or headers have changed, or a folder has a new file", () =>
  inNewFolder((folder) => {
    const reads: (readonly [string, string])[] = [];
    const host = nodeCompileHost(undefined, (path, text) => {
      reads.push([path, text === null ? "" : createHash("sha256").update(text).digest("hex")]);
    });
    mkdirSync("lib");
    writeFileSync("lib/a.c", "int a;");
    assert.deepEqual(host.list("lib"), ["a.c"]);
    assert.deepEqual(host.list("none"), []);
    assert.equal(host.read("lib/a.c"), "int a;");
    const cache = join(folder, "cache");
    keepCompiled(cache, TASK, COMPILED, reads);
    assert.deepEqual(findCompiled(cache, TASK), COMPILED);
    writeFileSync("lib/b.c", "");
    assert.equal(findCompiled(cache, TASK), undefined);
    rmSync("lib/b.c");
    assert.deepEqual(findCompiled(cache, TASK), COMPILED);
    mkdirSync("none");
    assert.equal(findCompiled(cache, TASK), undefined);
    rmSync("none", { recursive: true });
    writeFileSync("lib/a.c", "int b;");
    assert.equal(findCompiled(cache, TASK), undefined);
  }));

test("what a C program is made from includes every file of the guest's library and headers", async () => {
  const read = new Set<string>();
  const host = nodeCompileHost(resolve(root, ".upvm-cache/upvm"), (path) => read.add(path));
  await inNewFolder(async () => {
    writeFileSync("a.c", "int main(void) { return 0; }");
    await compileOn("a.c", { optimize: "0" }, host);
  });
  for (const folder of ["lib", "include", "include/sys"]) {
    const path = resolve(root, "guest", folder);
    assert.ok(read.has(`${path}/`), folder);
    for (const { name } of readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isFile()))
      assert.ok(read.has(join(path, name)), name);
  }
});

test("a program that does not compile is not kept", () =>
  inNewFolder(async (folder) => {
    writeFileSync("a.wat", "(module (func (call 7)))");
    for (let i = 0; i < 2; i++) await assert.rejects(compile("a.wat", {}, join(folder, "cache")), UpvmError);
    assert.throws(() => entries(join(folder, "cache")));
  }));

test("a damaged entry is ignored and written anew", () =>
  inNewFolder(async (folder) => {
    const cache = join(folder, "cache");
    writeFileSync("a.wat", TEXT);
    const { wasm } = await compile("a.wat", {}, cache);
    const file = join(cache, entries(cache)[0]!);
    const good = readFileSync(file);
    const flipped = Buffer.from(good);
    flipped[good.length - 1]! ^= 1;
    for (const damaged of [
      flipped,
      good.subarray(0, good.length - 3),
      Buffer.alloc(0),
      Buffer.from("\n\n\n"),
    ]) {
      writeFileSync(file, damaged);
      assert.equal(findCompiled(cache, TASK), undefined);
      assert.deepEqual((await compile("a.wat", {}, cache)).wasm, wasm);
      assert.deepEqual(readFileSync(file), good);
    }
  }));

test("a folder that others can write is not used", async () => {
  if (process.platform === "win32") return;
  await inNewFolder((folder) => {
    const cache = join(folder, "cache");
    keepCompiled(cache, TASK, COMPILED, []);
    assert.equal(statSync(cache).mode & 0o777, 0o700);
    assert.equal(statSync(join(cache, entries(cache)[0]!)).mode & 0o777, 0o600);
    for (const mode of [0o777, 0o720, 0o702]) {
      chmodSync(cache, mode);
      assert.equal(findCompiled(cache, TASK), undefined, mode.toString(8));
      rmSync(join(cache, entries(cache)[0] ?? "none"), { force: true });
      keepCompiled(cache, TASK, COMPILED, []);
      assert.deepEqual(entries(cache), [], mode.toString(8));
      chmodSync(cache, 0o700);
      keepCompiled(cache, TASK, COMPILED, []);
      assert.deepEqual(findCompiled(cache, TASK), COMPILED);
    }
    symlinkSync(cache, join(folder, "link"));
    assert.equal(findCompiled(join(folder, "link"), TASK), undefined);
  });
});

test("without a folder that can be written, programs are compiled all the same", () =>
  inNewFolder(async (folder) => {
    writeFileSync("a.wat", TEXT);
    writeFileSync("file", "");
    assert.ok(WebAssembly.validate((await compile("a.wat", {}, join(folder, "file", "cache"))).wasm));
    assert.equal(readFileSync("file", "utf8"), "");
  }));

test("a process that compiles is kept for the next program, wherever that is, and replaced if it is gone", async () => {
  if (!existsSync("/proc/self/stat")) return;
  const pids: number[][] = [];
  for (let i = 0; i < 3; i++)
    await inNewFolder(async () => {
      writeFileSync("a.wat", TEXT);
      if (i === 2) for (const pid of compilers()) process.kill(pid, "SIGKILL");
      assert.ok(WebAssembly.validate((await compile("a.wat", {}, undefined)).wasm));
      pids.push(compilers());
    });
  assert.deepEqual(
    pids.map((some) => some.length),
    [1, 1, 1],
  );
  assert.deepEqual(pids[1], pids[0]);
  assert.notDeepEqual(pids[2], pids[0]);
});

test("a program does not wait for the process that has compiled for it", () =>
  inNewFolder((folder) => {
    writeFileSync("a.wat", TEXT);
    const module = JSON.stringify(join(root, "upvm/node-compile.ts"));
    if (!existsSync("/proc/self/task")) return;
    // Who waits for it ends when it has.
    const text = `import { readFileSync } from "node:fs";
      const { compile } = await import(${module});
      await compile("a.wat", {}, undefined);
      const children = "/proc/self/task/" + process.pid + "/children";
      process.on("exit", () => console.log(readFileSync(children, "utf8").trim() === "" ? "waited" : "left it"));`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", text], {
      cwd: folder,
    });
    assert.equal(String(stdout), "left it\n", String(stderr));
  }));

test("the entries unused for longest are dropped", () =>
  inNewFolder((folder) => {
    const reads: Reads = [];
    const task = (i: number) => ({ path: `${i}.wat`, options: {} });
    const count = LIMITS.cacheEntries;
    const old = new Date(Date.now() - 1e7);
    for (let i = 0; i < count; i++) {
      const known = new Set(entries(folder));
      keepCompiled(folder, task(i), COMPILED, reads);
      for (const name of entries(folder)) if (!known.has(name)) utimesSync(join(folder, name), old, old);
    }
    assert.equal(entries(folder).length, count);
    // Looking one up makes it young again.
    assert.deepEqual(findCompiled(folder, task(0)), COMPILED);
    keepCompiled(folder, task(count), COMPILED, reads);
    assert.equal(entries(folder).length, count);
    assert.deepEqual(findCompiled(folder, task(0)), COMPILED);
    assert.deepEqual(findCompiled(folder, task(count)), COMPILED);
  }));

test("the folder is below XDG_CACHE_HOME if that is an absolute path", () => {
  const before = process.env["XDG_CACHE_HOME"];
  try {
    process.env["XDG_CACHE_HOME"] = "/somewhere";
    assert.equal(defaultCacheFolder(), join("/somewhere", "upvm"));
    process.env["XDG_CACHE_HOME"] = "somewhere";
    assert.match(defaultCacheFolder(), /\.cache.upvm$/);
  } finally {
    if (before === undefined) delete process.env["XDG_CACHE_HOME"];
    else process.env["XDG_CACHE_HOME"] = before;
  }
});

test.run();
