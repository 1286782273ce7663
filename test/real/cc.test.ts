/** `upvm cc` as a compiler: a program of several files with a Makefile, messages, exit codes, other compilers. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "uvu";
import { root, upvm } from "../command.ts";

const COMMAND = `${process.execPath} ${join(root, "bin/upvm.js")}`;
const hasMake = spawnSync("make", ["--version"]).status === 0;

async function inTree(
  files: Readonly<Record<string, string>>,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "upvm-cc-test-")));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A C program of two files and a header, built in a folder beside them as its Makefile does. */
const PROGRAM = {
  "src/main.c": `#include "../lib/sum.h"
#include <pvm3.h>
#include <stdio.h>
int main(void) {
  printf("%d of %d: %d %s\\n", pvm_mytid() & 0xff, pvm_gsize(""), sum(3), TEXT);
  return 0;
}
`,
  "lib/sum.c": `#include "sum.h"
#include <math.h>
int sum(int n) { return n < 1 ? 0 : (int)sqrt((double)n * n) + sum(n - 1); }
`,
  "lib/sum.h": "int sum(int n);\n",
  "build/Makefile": `CFLAGS = -O1 -g -I../lib -DTEXT='"a b"' -MMD
prog: main.o libsum.a
	$(CC) -o $@ main.o -L. -lsum -lgpvm3 -lpvm3 -lm -lnsl
main.o: ../src/main.c
	$(CC) $(CFLAGS) -c ../src/main.c
libsum.a: sum.o
	$(AR) rc $@ sum.o
	$(RANLIB) $@
sum.o: ../lib/sum.c
	$(CC) $(CFLAGS) -c -o $@ ../lib/sum.c
-include main.d sum.d
`,
};

test("a program of two files and a library is built by its Makefile, and again only if a header changes", () =>
  inTree(PROGRAM, async (folder) => {
    if (!hasMake) {
      console.log("skipped: make is not installed");
      return;
    }
    const cwd = join(folder, "build");
    const words = [`CC=${COMMAND} cc`, `AR=${COMMAND} ar`, `RANLIB=${COMMAND} ranlib`];
    const make = (...more: string[]): string =>
      execFileSync("make", [...words, ...more], { cwd, encoding: "utf8" });
    make();
    const done = await upvm(["run", "prog", "--ulps", "2"], { cwd });
    assert.deepEqual([done.code, done.out.split("\n").sort()], [0, ["", "1 of 2: 6 a b", "2 of 2: 6 a b"]]);
    assert.match(make(), /'prog' is up to date/);
    assert.match(
      readFileSync(join(cwd, "sum.d"), "utf8"),
      /^sum\.o: \.\.\/lib\/sum\.c \s*\S*.*\s.*lib\/sum\.h/,
    );
    const late = new Date(Date.now() + 5000);
    writeFileSync(join(folder, "lib/sum.h"), "int sum(int n); \n");
    utimesSync(join(folder, "lib/sum.h"), late, late);
    assert.match(make("-n"), /-c -o sum\.o.*-o prog/s);
  }));

test("errors are a compiler's: file, line and column, exit code 1, and nothing written", () =>
  inTree(
    { "a.c": "int main(void) {\n  return x;\n}\n", "b.c": "int f(void);\nint main() { return f(); }\n" },
    async (cwd) => {
      const wrong = await upvm(["cc", "-c", "a.c"], { cwd });
      assert.equal(wrong.code, 1);
      assert.match(wrong.err, /^a\.c:2:10: error: use of undeclared identifier 'x'/);
      const unlinked = await upvm(["cc", "b.c"], { cwd });
      assert.equal(unlinked.code, 1);
      assert.match(unlinked.err, /b\.c: undefined symbol: f/);
      const missing = await upvm(["cc", "no.c", "-o", "x"], { cwd });
      assert.deepEqual(
        [missing.code, missing.err],
        [1, "upvm cc: error: no such file or directory: 'no.c'\n"],
      );
      assert.match((await upvm(["cc"], { cwd })).err, /no input files/);
      const nowhere = await upvm(["cc", "-E", "b.c", "-o", "b.i", "-c", "-o", "no/b.o"], { cwd });
      assert.deepEqual(
        [nowhere.code, /error: Cannot write \S*no\/b\.o: no such folder/.test(nowhere.err)],
        [1, true],
      );
      for (const file of ["a.o", "a.out", "x"]) assert.ok(!existsSync(join(cwd, file)), file);
    },
  ));

test("what other compilers' Makefiles carry along is taken, or told of", () =>
  inTree(
    {
      "a.cc": "#include <string>\nint main() { return std::string(3, 'a').size() - 3; }\n",
      "b.c": "#include <limits.h>\nint main(int c, char **v) { return INT_MAX + c; }\n",
      "omp.c": "#include <omp.h>\nint main() { return 0; }\n",
      "tmp.c": "#include <stdio.h>\nint main() { return tmpfile() == NULL; }\n",
    },
    async (cwd) => {
      assert.equal((await upvm(["c++", "-c", "a.cc"], { cwd })).code, 0);
      const words = [
        "-Wl,--start-group",
        "a.o",
        "-lstdc++",
        "-Wl,--end-group",
        "-lgcc",
        "-Wl,--as-needed",
        "-o",
        "a",
      ];
      const linked = await upvm(["cc", ...words, "-fopenmp"], { cwd });
      assert.deepEqual(
        [linked.code, linked.err],
        [
          0,
          "upvm cc: warning: -fopenmp has no effect\n  there are no threads in a ULP: start more ULPs with pvm_spawn\n",
        ],
      );
      assert.equal((await upvm(["run", "a"], { cwd })).code, 0);
      assert.equal((await upvm(["cc", "-fsanitize=undefined", "-g", "b.c", "-o", "b"], { cwd })).code, 0);
      assert.match((await upvm(["run", "b"], { cwd })).err, /stopped: unreachable\n.*b\.c:2.*\n.*-fsanitize/);
      const refused = await upvm(["cc", "-shared", "b.c", "-o", "b.so"], { cwd });
      assert.deepEqual([refused.code, existsSync(join(cwd, "b.so"))], [1, false]);
      assert.match(refused.err, /^upvm cc: error: there is no -shared\n {2}a ULP's program is one file/);
      assert.match(
        (await upvm(["cc", "omp.c"], { cwd })).err,
        /'omp.h' file not found\n.*no threads in a ULP/,
      );
      assert.match((await upvm(["cc", "tmp.c"], { cwd })).err, /undefined symbol: tmpfile\n.*fopen/);
    },
  ));

test("a source can come from standard input, as tests of a compiler have it", () =>
  inTree({}, async (cwd) => {
    const input = "#define N 3\nint main() { return N; }\n";
    assert.equal((await upvm(["cc", "-x", "c", "-", "-o", "prog"], { cwd, input })).code, 0);
    assert.match((await upvm(["run", "prog"], { cwd })).err, /exit code 3/);
    assert.equal((await upvm(["cc", "-c", "-xc++", "-"], { cwd, input })).code, 0);
    assert.ok(existsSync(join(cwd, "-.o")));
    assert.match((await upvm(["cc", "-E", "-"], { cwd, input })).out, /return 3;/);
    assert.match((await upvm(["cc", "-dM", "-E", "-"], { cwd, input })).out, /#define N 3\n/);
    const wrong = await upvm(["cc", "-fsyntax-only", "-xc", "-"], { cwd, input: "int x = y;\n" });
    assert.deepEqual([wrong.code, /^<stdin>:1:9: error/.test(wrong.err)], [1, true]);
    const untold = await upvm(["cc", "-c", "-"], { cwd, input });
    assert.deepEqual(
      [untold.code, untold.err],
      [1, "upvm cc: error: -E or -x required when input is from standard input\n"],
    );
  }));

test("it stops where it is told to, and answers questions", () =>
  inTree({ "a.c": "#define N 4\nint n = N;\n", "h.h": "#define N 5\n" }, async (cwd) => {
    const expanded = await upvm(["cc", "-E", "-include", "h.h", "-UN", "a.c"], { cwd });
    assert.match(expanded.out, /int n = 4;/);
    const assembler = await upvm(["cc", "-S", "-o", "-", "a.c"], { cwd });
    assert.match(assembler.out, /\.globl\s+n/);
    assert.equal(assembler.err, "");
    assert.match((await upvm(["cc", "-MM", "a.c"], { cwd })).out, /^a\.o: a\.c/);
    assert.match((await upvm(["cc", "--version"], { cwd })).out, /clang version/);
    assert.match((await upvm(["cc", "--help"], { cwd })).out, /for Makefiles/);
    assert.equal((await upvm(["cc", "-fsyntax-only", "a.c"], { cwd })).code, 0);
  }));

/** A compiler of the user's own: here upvm's, without the library files that the caller adds, since it has its own. */
const OWN = `#!/usr/bin/env node
const { spawnSync } = require("node:child_process");
const { appendFileSync } = require("node:fs");
const words = process.argv.slice(2);
appendFileSync(process.env.SEEN, words.join(" ") + "\\n");
const plain = words.filter((word, i) => !/guest.lib/.test(word) && !/guest.lib/.test(words[i + 2] ?? "") &&
  !/guest.lib/.test(words[i + 1] ?? "") && !/guest.lib/.test(words[i - 1] ?? "") && !/guest.lib/.test(words[i - 2] ?? ""));
const { status } = spawnSync(process.execPath, [process.env.UPVM, "cc", ...plain], { stdio: "inherit" });
process.exit(status);
`;

test("--cc takes a compiler of the user's own, with upvm's headers and library by path", () =>
  inTree(
    { "own.cjs": OWN, "a.c": "#include <pvm3.h>\nint main(void) { return pvm_mytid() != 0x40001 + N; }\n" },
    async (cwd) => {
      chmodSync(join(cwd, "own.cjs"), 0o755);
      const seen = join(cwd, "seen");
      const env = { SEEN: seen, UPVM: join(root, "bin/upvm.js") };
      const own = `${process.execPath} ${join(cwd, "own.cjs")}`;
      const linked = await upvm(["cc", `--cc=${own}`, "-DN=0", "a.c", "-o", "prog", "-lpvm3"], { cwd, env });
      assert.deepEqual([linked.code, linked.err], [0, ""]);
      assert.equal((await upvm(["run", "prog"], { cwd })).code, 0);
      const words = readFileSync(seen, "utf8");
      assert.match(words, /--target=wasm32-wasip1 .*-isystem \S*guest\/include .*guest\/lib\/pvm3\.c/);
      assert.doesNotMatch(words, /-lpvm3|-fno-exceptions/);
      const wrong = await upvm(["run", "a.c", "--cc", own], { cwd, env });
      assert.equal(wrong.code, 3);
      assert.match(wrong.err, /a\.c:2:\d+: error: use of undeclared identifier 'N'/);
      const nobody = await upvm(["compile", "a.c", "--cc", "no-such-compiler"], { cwd });
      assert.equal(nobody.code, 3);
      assert.match(nobody.err, /Cannot compile a\.c:\nno-such-compiler: no such command/);
    },
  ));

test.run();
