/** The files that clang is given, gathered from files in memory. */
import assert from "node:assert/strict";
import type { Tree } from "@yowasp/clang";
import { test } from "uvu";
import { VirtualFiles } from "../../upvm/compile-c-files.ts";
import { UpvmError } from "../../wire/errors.ts";
import { LIMITS } from "../../wire/limits.ts";

type Files = Readonly<Record<string, string>>;

function gathered(files: Files, sources: readonly string[], include: readonly string[] = []): VirtualFiles {
  const host = {
    root: "/package",
    folder: "/work",
    read: (path: string) => files[path] ?? null,
    list: () => [],
  };
  const made = new VirtualFiles(host, include);
  for (const source of sources) made.addSource(source);
  return made;
}

/** Paths in a tree, files only. */
function paths(tree: Tree, above = ""): string[] {
  return Object.entries(tree).flatMap(([name, entry]) =>
    typeof entry === "string" || entry instanceof Uint8Array
      ? [`${above}/${name}`]
      : paths(entry, `${above}/${name}`),
  );
}

test("a source brings what it includes, and what that includes", () => {
  const files = {
    "src/ring.c": '#include <stdio.h>\n#include "a.h"\n  #  include "sub/b.h"\n',
    "src/a.h": '#include "c.h"\n',
    "src/sub/b.h": '#include "d.h" /* next to b.h */\n',
    "src/c.h": "",
    "src/sub/d.h": "",
    "src/unused.h": "",
  };
  assert.deepEqual(paths(gathered(files, ["src/ring.c"]).tree).sort(), [
    "/here/src/a.h",
    "/here/src/c.h",
    "/here/src/ring.c",
    "/here/src/sub/b.h",
    "/here/src/sub/d.h",
  ]);
});

test("folders of -I are searched, for both forms", () => {
  const files = {
    "ring.c": '#include "a.h"\n#include <b.h>\n',
    "inc/a.h": "",
    "inc/b.h": "",
    "/abs/b.h": "",
  };
  const made = gathered(files, ["ring.c"], ["inc", "/abs"]);
  assert.deepEqual(paths(made.tree).sort(), [
    "/here/inc/a.h",
    "/here/inc/b.h",
    "/here/ring.c",
    "/host/abs/b.h",
  ]);
  assert.deepEqual(
    made.flags.filter((flag) => flag.startsWith("-I")),
    ["-Iinc", "-I/host/abs"],
  );
});

test("a name that comes through a macro is found", () => {
  const files = { "ring.c": '#define TABLE "table.h"\n#include TABLE\n', "table.h": "" };
  assert.ok(paths(gathered(files, ["ring.c"]).tree).includes("/here/table.h"));
});

test("'..' is left out of the path, as clang's file system does", () => {
  const files = { "src/ring.c": '#include "../inc/a.h"\n', "src/../inc/a.h": "int a;" };
  assert.ok(paths(gathered(files, ["src/ring.c"]).tree).includes("/here/src/inc/a.h"));
});

test("two files that clang could not tell apart are reported", () => {
  const files = { "src/ring.c": '#include "../a.h"\n#include "a.h"\n', "src/../a.h": "1", "src/a.h": "2" };
  assert.throws(
    () => gathered(files, ["src/ring.c"]),
    (error: unknown) => error instanceof UpvmError && /src\/a\.h.*src\/\.\.\/a\.h/.test(error.message),
  );
});

test("one file by two paths is one file", () => {
  const files = {
    "src/ring.c": '#include "a.h"\n#include "../src/a.h"\n',
    "src/a.h": "1",
    "src/../src/a.h": "1",
  };
  const made = gathered(files, ["src/ring.c"]);
  assert.ok(paths(made.tree).includes("/here/src/a.h"));
});

test("a file that includes itself ends", () => {
  const made = gathered({ "a.c": '#include "a.c"\n#include "b.h"\n', "b.h": '#include "a.c"\n' }, ["a.c"]);
  assert.deepEqual(paths(made.tree).sort(), ["/here/a.c", "/here/b.h"]);
});

test("more files than the limit are refused, and the one that was too many is named", () => {
  const files: Record<string, string> = { "a.c": "" };
  const lines: string[] = [];
  for (let i = 0; i < LIMITS.compileFiles; i++) {
    files[`h${i}.h`] = "";
    lines.push(`#include "h${i}.h"`);
  }
  files["a.c"] = lines.join("\n");
  assert.throws(
    () => gathered(files, ["a.c"]),
    (error: unknown) => error instanceof UpvmError && error.message.includes(`h${LIMITS.compileFiles - 1}.h`),
  );
});

test("more text than the limit is refused", () => {
  const half = "x".repeat(LIMITS.compileBytes / 2);
  const files = { "a.c": '#include "b.h"\n#include "c.h"\n', "b.h": half, "c.h": half };
  assert.throws(() => gathered(files, ["a.c"]), UpvmError);
});

test("messages show paths as the user gave them", () => {
  const made = gathered({ "a.c": "", "/x/b.c": "" }, ["a.c", "/x/b.c"]);
  assert.equal(
    made.shown("/here/a.c:1: no\n/host/x/b.c:2: no\nIn file included from /here/../c.h:3:"),
    "a.c:1: no\n/x/b.c:2: no\nIn file included from ../c.h:3:",
  );
});

test.run();
