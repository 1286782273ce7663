/** Source lines of programs as the real compilers make them, against real traps and against LLVM's own reading. */
import assert from "node:assert/strict";
import { commands, runLLVM } from "@yowasp/clang";
import asc from "assemblyscript/asc";
import { test } from "uvu";
import { type Symbolizer, symbolizer } from "../../runtime/link/lines.ts";
import { link } from "../../runtime/link/link.ts";
import { linkInfo } from "../../runtime/link/link-info.ts";
import { encodeOffsets } from "../../runtime/link/offset-map.ts";
import { compactSourceMap } from "../../runtime/link/source-map.ts";
import { appendSection, codeLayout, sectionsOf } from "../../runtime/link/wasm-sections.ts";
import { stackOf } from "../../runtime/link/wasm-stack.ts";
import { LIMITS } from "../../wire/limits.ts";

const C_FILES = {
  "trap.c": `#include "lib/deep.h"
volatile int cells[8];

__attribute__((export_name("run")))
int run(int n) {
  cells[n & 7] = 3;
  int r = deep(n);
  return r * 2;
}
`,
  lib: {
    "deep.h": `#include <stdlib.h>
#include <string.h>
extern volatile int cells[8];

static __attribute__((noinline)) int deep(int n) {
  if (n == 0)
    __builtin_trap();
  char *copy = malloc(n);
  memset(copy, n, n);
  int r = deep(n - 1) +
          copy[0];
  free(copy);
  return r + cells[n & 7];
}
`,
  },
};

const AS_FILES: Record<string, string> = {
  "app/trap.ts": `import { deep } from "./deep";

export function run(n: i32): i32 {
  const r = deep(n);
  return r * 2;
}
`,
  "app/deep.ts": `// @ts-ignore: decorator
@inline const LIMIT: i32 = 0;
const cells = memory.data(32);

export function deep(n: i32): i32 {
  if (n == LIMIT) {
    unreachable();
  }
  const r = deep(n - 1);
  const cell = cells + (<usize>(n & 7) << 2);
  store<i32>(cell, r);
  return r +
    load<i32>(cell);
}
`,
};

/** trap.c as a library with the export `run`, or with `more` that has a main. */
async function compileC(more: Record<string, string>, ...flags: string[]): Promise<Uint8Array> {
  const kind = Object.keys(more).length === 0 ? ["-mexec-model=reactor"] : [];
  const args = [...kind, "-I.", ...flags, "trap.c", "-o", "trap.wasm"];
  const files = await commands.clang(
    args,
    { ...C_FILES, ...more },
    { stdout: null, stderr: null, fetchProgress: () => {} },
  );
  const wasm = files?.["trap.wasm"];
  assert.ok(wasm instanceof Uint8Array);
  return wasm;
}

/** app/trap.ts with the export `run`, or what `more` has. */
async function compileAs(more: Record<string, string>, ...flags: string[]): Promise<Uint8Array> {
  const out = new Map<string, string | Uint8Array>();
  const entry = Object.keys(more)[0] ?? "app/trap.ts";
  const args = [entry, "-o", "trap.wasm", "--sourceMap", "--runtime", "stub", ...flags];
  const { error } = await asc.main(args, {
    readFile: (name) => more[name] ?? AS_FILES[name] ?? null,
    writeFile: (name, contents) => void out.set(name, contents),
    listFiles: () => [],
  });
  assert.equal(error, null);
  const wasm = out.get("trap.wasm");
  const map = out.get("trap.wasm.map");
  assert.ok(wasm instanceof Uint8Array && typeof map === "string");
  return appendSection(wasm, "upvm.sourcemap", compactSourceMap(map));
}

/** "file:line" of each frame of an error's stack, innermost first. */
function linesOf(error: unknown, lines: Symbolizer): string[] {
  assert.ok(error instanceof WebAssembly.RuntimeError, String(error));
  return stackOf(error).flatMap(({ offset }) => {
    const place = lines.at(offset);
    return place?.file === undefined ? [] : [`${place.file}:${place.line}`];
  });
}

/** "file:line" of each frame of a real trap, innermost first. */
function trapped(wasm: Uint8Array, depth: number, lines: Symbolizer): string[] {
  const imports = { env: { abort() {} }, wasi_snapshot_preview1: {} };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm.slice()), imports);
  const { run, _initialize } = exports as { run(n: number): number; _initialize?(): void };
  _initialize?.();
  try {
    run(depth);
  } catch (error) {
    return linesOf(error, lines);
  }
  throw new Error("no trap");
}

const C_FRAMES = ["lib/deep.h:7", "lib/deep.h:10", "lib/deep.h:10", "trap.c:7"];
const AS_FRAMES = ["app/deep.ts:7", "app/deep.ts:9", "app/deep.ts:9", "app/trap.ts:4"];

for (const version of ["-gdwarf-4", "-gdwarf-5"])
  for (const level of ["-O0", "-O2"])
    test(`a trap in C (${version} ${level}) has file and line in every frame`, async () => {
      const wasm = await compileC({}, version, level);
      const frames = trapped(wasm, 2, symbolizer(wasm));
      assert.deepEqual(frames, C_FRAMES);
    });

for (const level of ["-O0", "-O1"])
  test(`a trap in AssemblyScript (${level}) has file and line in every frame`, async () => {
    const wasm = await compileAs({}, level);
    assert.deepEqual(trapped(wasm, 2, symbolizer(wasm)), AS_FRAMES);
  });

test("functions have their names, in C and in AssemblyScript", async () => {
  const names = (wasm: Uint8Array) => {
    const { at } = symbolizer(wasm);
    const { bodies } = codeLayout(wasm, sectionsOf(wasm) ?? []) ?? { bodies: [] };
    return bodies.map(({ start }) => at(start)?.func);
  };
  const inC = names(await compileC({}, "-g", "-O2"));
  assert.ok(inC.includes("deep") && inC.includes("run") && inC.includes("malloc"), inC.join());
  const inAs = names(await compileAs({}, "-O1", "--debug"));
  assert.ok(inAs.includes("app/deep/deep"), inAs.join());
});

/**
 * Moves every function body of `wasm` by `shift` bytes and says so in `upvm.offsets`: what the link step does to
 * offsets, without its other changes.
 */
function moved(wasm: Uint8Array, shift: number): Uint8Array {
  const layout = codeLayout(wasm, sectionsOf(wasm) ?? []);
  assert.ok(layout);
  const padding = appendSection(new Uint8Array(), "p", new Uint8Array(shift - 4));
  assert.equal(padding.length, shift);
  const longer = Uint8Array.from([...wasm.subarray(0, 8), ...padding, ...wasm.subarray(8)]);
  const pairs = layout.bodies.map(({ start }) => [start + shift, start] as const);
  return appendSection(longer, "upvm.offsets", encodeOffsets({ codeStart: layout.start, pairs }));
}

/** Runs a linked program, alone and without a scheduler, into its trap. */
function trappedLinked(wasm: Uint8Array, lines: Symbolizer): string[] {
  const module = new WebAssembly.Module(wasm.slice());
  const shared = (initial: number, maximum: number) =>
    new WebAssembly.Memory({ initial, maximum, shared: true });
  const pages = linkInfo(wasm)?.pages;
  assert.ok(pages);
  const memories = {
    memory: shared(pages.min, pages.max),
    ctl: shared(1, 1),
    heap: shared(LIMITS.heapBytesMin >> 16, LIMITS.heapBytesMax >> 16),
  };
  const nothing = Object.fromEntries(WebAssembly.Module.imports(module).map(({ name }) => [name, () => 0]));
  const imports = { upvm: { ...nothing, ...memories }, wasi_snapshot_preview1: nothing, pvm: nothing };
  const { upvm_init, upvm_resume } = new WebAssembly.Instance(module, imports).exports as {
    upvm_init(): void;
    upvm_resume(top: number, limit: number, fresh: number): number;
  };
  upvm_init();
  try {
    upvm_resume(65_536, 131_072, 1);
  } catch (error) {
    return linesOf(error, lines);
  }
  throw new Error("no trap");
}

test("a program from C that really went through the link step traps at its own lines", async () => {
  const main = `int run(int);
volatile int depth = 2;
int main(void) {
  return run(depth);
}
`;
  const wasm = await compileC({ "main.c": main }, "-g", "-O2", "main.c");
  const linked = link(wasm).wasm;
  assert.deepEqual(trappedLinked(linked, symbolizer(linked)), [...C_FRAMES, "main.c:4"]);
});

test("a program from AssemblyScript that really went through the link step traps at its own lines", async () => {
  const main = `import { run } from "./trap";
let depth = 2;
export function main(): i32 {
  return run(depth);
}
`;
  // Not optimized: asc would put `run` into `main`, and its frame would be gone.
  const linked = link(await compileAs({ "app/main.ts": main }, "-O0")).wasm;
  assert.deepEqual(trappedLinked(linked, symbolizer(linked)), [...AS_FRAMES, "app/main.ts:4"]);
});

test("a linked module tells the original's lines, from DWARF and from a source map", async () => {
  const c = moved(await compileC({}, "-g", "-O2"), 100);
  assert.deepEqual(trapped(c, 2, symbolizer(c)), C_FRAMES);
  const as = moved(await compileAs({}, "-O1"), 100);
  assert.deepEqual(trapped(as, 2, symbolizer(as)), AS_FRAMES);
});

for (const version of ["-gdwarf-4", "-gdwarf-5"])
  test(`every byte of code has the line that LLVM's symbolizer finds (${version})`, async () => {
    const wasm = await compileC({}, version, "-O2");
    const { at } = symbolizer(wasm);
    const layout = codeLayout(wasm, sectionsOf(wasm) ?? []);
    assert.ok(layout);
    const end = layout.bodies.at(-1)?.end ?? 0;
    const addresses = Array.from({ length: end - layout.start }, (_, index) => index);
    let output = "";
    const stdout = (bytes: Uint8Array | null) => {
      if (bytes) output += new TextDecoder().decode(bytes);
    };
    // The command takes no argument list of this length: the addresses come as its input.
    let input: Uint8Array | null = new TextEncoder().encode(addresses.join("\n"));
    const stdin = (bytes: number) => {
      const part = input?.length ? input.subarray(0, bytes) : null;
      input = input?.subarray(bytes) ?? null;
      return part;
    };
    const args = ["symbolizer", "--obj=a.wasm", "--no-inlines"];
    await runLLVM(args, { "a.wasm": wasm }, { stdin, stdout, stderr: null });
    // "function\n/path:line:column\n\n" for each; "??:0:0" if unknown. Line 0 is code of no line.
    const expected = output
      .trimEnd()
      .split("\n\n")
      .map((answer) => answer.trim().split("\n")[1] ?? "");
    assert.equal(expected.length, addresses.length);
    let known = 0;
    for (const address of addresses) {
      const theirs = expected[address]?.replace(/^\/?(\.\/)*/, "").replace(/:0(:\d+)?$/, "") ?? "";
      const ours = at(layout.start + address);
      if (theirs === "??:0" || theirs === "??") {
        assert.equal(ours?.file, undefined, `address ${address}: ${JSON.stringify(ours)}`);
        continue;
      }
      // Sizes between bodies are in a sequence but in no function: LLVM tells them, we do not.
      if (ours === undefined) continue;
      known++;
      const text = [ours.file, ours.line, ours.column].filter((part) => part !== undefined).join(":");
      assert.equal(text, theirs, `address ${address}`);
    }
    assert.ok(known > 100, `${known} bytes with a line`);
  });

test.run();
