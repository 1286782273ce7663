/** What scripts/generate.ts writes from the tables: up to date, complete, and the same in both languages. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import { FRIENDLY, generatedFiles, importedAs, parametersOf, RENAMED } from "../../scripts/generate.ts";
import {
  PVM_CONSTANT,
  PVM_ERROR,
  PVM_LIBRARY,
  PVM_OPERATOR,
  PVM_ROUTINE,
  type Routine,
} from "../../wire/pvm.ts";

const root = join(import.meta.dirname, "../..");
const text = (path: string): string => readFileSync(join(root, path), "utf8");
const rows = Object.entries(PVM_ROUTINE) as [string, Routine][];

test("the generated files are as the tables say: run `node scripts/generate.ts`", () => {
  for (const [path, wanted] of generatedFiles()) assert.equal(text(path), wanted, path);
});

test("a routine's C parameters and its wasm parameters are as many, and of the same kinds", () => {
  for (const [name, row] of rows) {
    const parameters = parametersOf(row.c);
    assert.equal(parameters.length, row.wasm.length, name);
    for (const { type, name: parameter } of parameters) {
      assert.match(
        type,
        /^(function|int|(const )?(unsigned |struct )?\w+( long)? \*+)$/,
        `${name}: ${parameter}`,
      );
    }
    // Pointers, functions and ints are all i32 in wasm32.
    assert.match(row.wasm, /^i*$/, name);
  }
});

test("parametersOf() tells types from names", () => {
  assert.deepEqual(parametersOf("void"), []);
  assert.deepEqual(parametersOf("int tid, const unsigned int *xp, struct t **tp"), [
    { type: "int", name: "tid" },
    { type: "const unsigned int *", name: "xp" },
    { type: "struct t **", name: "tp" },
  ]);
});

test("every routine has a prototype in C that imports it by its name", () => {
  const header = text("guest/include/pvm3.h");
  for (const [name, row] of rows)
    assert.ok(header.includes(`int ${importedAs(name)}(${row.c}) PVM_IMPORT("${name}");`), name);
  for (const [name, row] of Object.entries(PVM_LIBRARY)) {
    assert.match(
      ["pvm3", "gpvm3", "machine", "exit", "catchout", "packf"]
        .map((file) => text(`guest/lib/${file}.c`))
        .join(""),
      new RegExp(`^\\w[\\w *(]*\\b${name}\\(`, "m"),
      name,
    );
    assert.ok(header.includes(`${name}(${row.c})${"end" in row ? row.end : ""};`), name);
  }
});

test("every routine has a short name in AssemblyScript, from the table or with AssemblyScript's types", () => {
  const short = text("guest/routines.ts");
  const shortOf = (name: string): string => RENAMED[name] ?? name.slice(4);
  const friendly = ["messages", "headers", "tasks", "groups", "machine", "tracing"]
    .map((file) => text(`guest/${file}.ts`))
    .join("");
  /** Imports under the library routines: their own names are only the long ones. */
  const under = new Set<string>(Object.values(PVM_LIBRARY).flatMap((row) => row.over));
  under.add("pvm_upkstr_bytes");
  for (const [name] of rows) {
    if (FRIENDLY.includes(name)) {
      assert.ok(!short.includes(`${name} as`), name);
      assert.ok(friendly.includes(`${name}(`), `nobody calls ${name}`);
      const own = new RegExp(`^export function ${shortOf(name)}\\b`, "m");
      if (!under.has(name)) assert.match(friendly, own, name);
    } else {
      assert.ok(short.includes(`  ${name} as ${name.slice(4)},`), name);
    }
  }
  for (const [name, row] of Object.entries(PVM_LIBRARY)) {
    // AssemblyScript has no FILE: its output option is set as any other.
    if (name === "pvm_catchout" || "cOnly" in row || short.includes(`  ${name} as `)) continue;
    assert.match(friendly, new RegExp(`^export function ${shortOf(name)}\\b`, "m"), name);
  }
});

test("the operators of a reduction are there in both languages", () => {
  for (const name of Object.keys(PVM_OPERATOR)) {
    assert.ok(text("guest/include/pvm3.h").includes(`\npvm_reducer ${name};`), name);
    assert.match(text("guest/lib/gpvm3.c"), new RegExp(`\\b(PICKER|ADDER)\\(${name}, `), name);
    assert.ok(text("guest/groups.ts").includes(`export const ${name}: i32 = `), name);
  }
});

test("constants and errors have the same numbers in C and in AssemblyScript", () => {
  const header = text("guest/include/pvm3.h");
  const constants = text("guest/constants.ts");
  const numbers: [string, number][] = Object.entries(PVM_CONSTANT);
  for (const [name, { code }] of Object.entries(PVM_ERROR)) numbers.push([name, code]);
  for (const [name, value] of numbers) {
    const c = new RegExp(`^#define ${name} \\(?(-?\\d+)\\)?`, "m").exec(header);
    assert.equal(Number(c?.[1]), value, name);
    assert.ok(constants.includes(`export const ${name}: i32 = ${value};`), name);
  }
});

test.run();
