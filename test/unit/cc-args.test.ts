/** The words of a compiler's command line. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { type CcArgs, ccArgs, splitWords } from "../../upvm/cc-args.ts";

const read = (text: string, files: Readonly<Record<string, string>> = {}): CcArgs =>
  ccArgs(splitWords(text), (path) => files[path] ?? null);
const inputs = (args: CcArgs): string[] => args.inputs.map(({ kind, path }) => `${kind} ${path}`);

test("sources, objects and libraries keep their order", () => {
  const args = read(
    "-o prog main.o -L. -L lib -lsum x.c libz.a -l m -Wl,--a,--b -Xlinker --c -z stack-size=9 -s",
  );
  assert.deepEqual(inputs(args), [
    "object main.o",
    "library sum",
    "source x.c",
    "object libz.a",
    "library m",
  ]);
  assert.deepEqual([args.mode, args.output], ["link", "prog"]);
  assert.deepEqual(args.folders, [".", "lib"]);
  assert.deepEqual(args.link, ["--a", "--b", "--c", "-z", "stack-size=9", "--strip-all"]);
  assert.deepEqual(args.compile, []);
});

test("the linker gets no options about shared libraries, loading and the order of archives", () => {
  const args = read(
    "a.o -Wl,--start-group -la -lb -Wl,--end-group,--as-needed -Wl,-z,now,-z,stack-size=9 -Wl,-rpath-link,/x -Wl,--gc-sections -z relro",
  );
  assert.deepEqual(args.link, ["-z", "stack-size=9", "--gc-sections"]);
  assert.deepEqual(inputs(args), ["object a.o", "library a", "library b"]);
});

test("an option that cannot be had is an error, one that does nothing a warning, and neither is the compiler's", () => {
  for (const [word, kind] of [
    ["-fsanitize=address,undefined", "error"],
    ["--coverage", "error"],
    ["-shared", "error"],
    ["-fopenmp", "warning"],
    ["-pg", "warning"],
  ] as const) {
    const { notes } = read(`${word} a.c`);
    assert.deepEqual(
      notes.map((note) => [note.kind, note.text.includes(word)]),
      [[kind, true]],
    );
  }
  assert.deepEqual(read("-fopenmp -pg -O1 a.c").compile, ["-O1"]);
  const checked = read("-fsanitize=undefined -p a.c");
  assert.deepEqual(checked.compile, ["-fsanitize=undefined", "-fsanitize-trap=all"]);
});

test("the compiler gets what is its, with or without a blank before a value", () => {
  const args = read(
    '-c -O3 -g -std=c99 -Wall -DA="b c" -D E=1 -Iinc -I ../x -isystem /s -include h.h -o a.o a.c',
  );
  assert.deepEqual(args.compile, ["-O3", "-g", "-std=c99", "-Wall", "-DA=b c", "-D", "E=1"]);
  assert.deepEqual(args.include, [
    { flag: "-I", folder: "inc" },
    { flag: "-I", folder: "../x" },
    { flag: "-isystem", folder: "/s" },
  ]);
  assert.deepEqual(args.included, [{ flag: "-include", path: "h.h" }]);
  assert.deepEqual([args.mode, args.output], ["object", "a.o"]);
});

test("the last word says where to stop, and -x what a file is", () => {
  for (const [word, mode] of [
    ["-S", "assembly"],
    ["-E", "preprocess"],
    ["-M", "dependencies"],
    ["-MM", "dependencies"],
    ["-fsyntax-only", "syntax"],
  ] as const)
    assert.equal(read(`${word} a.c`).mode, mode);
  const args = read("-x c++ a.o -xc b.txt -x none c.o");
  assert.deepEqual(
    args.inputs.map(({ kind, language }) => [kind, language]),
    [
      ["source", "c++"],
      ["source", "c"],
      ["object", undefined],
    ],
  );
});

test("dependencies: beside the output unless -MF says", () => {
  assert.equal(read("-c a.c").dependencies, undefined);
  assert.deepEqual(read("-MD -c a.c").dependencies, { file: undefined, target: false });
  assert.deepEqual(read("-MMD -MF x.d -MT y -MP -c a.c").dependencies, { file: "x.d", target: true });
});

test("response files stand for their words, also in each other; what means nothing here is left out", () => {
  const args = read("@one -pthread -static -fPIC -m64", { one: "-DA 'b c.c' @two", two: "-O1\n-lm" });
  assert.deepEqual(inputs(args), ["source b c.c", "library m"]);
  assert.deepEqual(args.compile, ["-DA", "-O1"]);
  assert.equal(inputs(read("@loop", { loop: "@loop" })).length, 1);
  assert.deepEqual(inputs(read("@none")), ["source @none"]);
});

test("questions need no input", () => {
  for (const words of ["--version", "-v", "-dumpmachine", "-print-search-dirs"])
    assert.ok(read(words).question, words);
  assert.ok(!read("-v a.c").question);
});

test("words are split as a shell does", () => {
  assert.deepEqual(splitWords(`a "b c" 'd "e' f\\ g "h\\"i" j'k l'm`), [
    "a",
    "b c",
    'd "e',
    "f g",
    'h"i',
    "jk lm",
  ]);
});

test.run();
