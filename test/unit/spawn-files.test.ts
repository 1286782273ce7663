/** Which file a name of pvm_spawn means, and what is asked of compilers for it. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { linkInfo } from "../../runtime/link/link-info.ts";
import { siblings } from "../../upvm/program.ts";
import { UpvmError } from "../../wire/errors.ts";
import { watToWasm } from "../link-stages.ts";

const WASM = watToWasm(`(module (memory 1) (func (export "_start")))`);

/** Finds programs among these files. @returns what was compiled */
function folder(...files: string[]) {
  const compiled: string[] = [];
  const said: string[] = [];
  const edge = {
    nowMs: () => 0,
    compile: async (path: string) => {
      compiled.push(path);
      return { wasm: WASM, warnings: "" };
    },
    readFile: async (path: string) => {
      if (!files.includes(path)) throw new UpvmError("FILE_NOT_FOUND", { path, why: "no such file" });
      return path.endsWith(".wasm") ? WASM : new TextEncoder().encode("text");
    },
  };
  const find = siblings("here/master.c", ["path"], edge, ({ message }) => said.push(message));
  return { compiled, said, find };
}

test("a compiler is asked for the source that is there, and for no other that might be", async () => {
  const { compiled, said, find } = folder("here/slave.c");
  assert.ok(linkInfo((await find("slave"))!));
  assert.equal(await find("other"), undefined);
  assert.deepEqual([compiled, said], [["here/slave.c"], []]);
});

test("a compiled program is taken before its source, and one beside the main program before one of the search path", async () => {
  const both = folder("here/slave.c", "here/slave.wasm", "path/slave.wasm");
  assert.ok(await both.find("slave"));
  assert.deepEqual(both.compiled, []);
  const beside = folder("here/slave.c", "path/slave.wasm");
  assert.ok(await beside.find("slave"));
  assert.deepEqual(beside.compiled, ["here/slave.c"]);
});

test("a source may be asked for by its whole name", async () => {
  const { compiled, find } = folder("path/slave.cpp");
  assert.ok(await find("slave.cpp"));
  assert.equal(await find("slave.c"), undefined);
  assert.deepEqual(compiled, ["path/slave.cpp"]);
});

test.run();
