/** The files that clang is given, gathered from files in memory. */
import assert from "node:assert/strict";
import type { Tree } from "@yowasp/clang";
import { test } from "uvu";
import { fileIn, VirtualFiles } from "../../upvm/compile-c-files.ts";
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
  const made = new VirtualFiles(
    host,
    include.map((folder) => ({ folder, flag: "-I" })),
  );
  for (const source of sources) made.addSource(source);
  return made;
}

/** The user's files in a tree. */
const users = (tree: Tree): string[] => paths(tree).filter((name) => name.startsWith("/host"));

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
  assert.deepEqual(users(gathered(files, ["src/ring.c"]).tree).sort(), [
    "/host/work/src/a.h",
    "/host/work/src/c.h",
    "/host/work/src/ring.c",
    "/host/work/src/sub/b.h",
    "/host/work/src/sub/d.h",
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
  assert.deepEqual(users(made.tree).sort(), [
    "/host/abs/b.h",
    "/host/work/inc/a.h",
    "/host/work/inc/b.h",
    "/host/work/ring.c",
  ]);
  assert.deepEqual(made.flags.slice(-6), ["-I", "inc", "-I", "/host/abs", "-isystem", "/upvm/include"]);
});

test("a name that comes through a macro is found", () => {
  const files = { "ring.c": '#define TABLE "table.h"\n#include TABLE\n', "table.h": "" };
  assert.ok(users(gathered(files, ["ring.c"]).tree).includes("/host/work/table.h"));
});

test("'..' leads out of a folder, also above the working folder", () => {
  const files = {
    "src/ring.c": '#include "../inc/a.h"\n#include "../../far/b.h"\n',
    "inc/a.h": "int a;",
    "/far/b.h": "int b;",
  };
  const made = gathered(files, ["src/ring.c"]);
  assert.deepEqual(users(made.tree).sort(), ["/host/far/b.h", "/host/work/inc/a.h", "/host/work/src/ring.c"]);
});

test("files that differ only by '..' in their paths are two files", () => {
  const files = { "src/ring.c": '#include "../a.h"\n#include "a.h"\n', "a.h": "1", "src/a.h": "2" };
  const { tree } = gathered(files, ["src/ring.c"]);
  const text = (name: string): string => new TextDecoder().decode(fileIn(tree, name));
  assert.deepEqual([text("/host/work/a.h"), text("/host/work/src/a.h")], ["1", "2"]);
});

test("a source above the working folder has a name that clang can look up, and is shown as it was given", () => {
  const made = gathered({ "/src/a.c": "" }, []);
  assert.equal(made.addSource("../src/a.c"), "/host/src/a.c");
  assert.equal(made.shown("/host/src/a.c:1:2: error"), "../src/a.c:1:2: error");
});

test("one file by two paths is one file", () => {
  const files = {
    "src/ring.c": '#include "a.h"\n#include "../src/a.h"\n',
    "src/a.h": "1",
  };
  const made = gathered(files, ["src/ring.c"]);
  assert.ok(users(made.tree).includes("/host/work/src/a.h"));
});

test("a file that includes itself ends", () => {
  const made = gathered({ "a.c": '#include "a.c"\n#include "b.h"\n', "b.h": '#include "a.c"\n' }, ["a.c"]);
  assert.deepEqual(users(made.tree).sort(), ["/host/work/a.c", "/host/work/b.h"]);
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
    made.shown("a.c:1: no\n/host/x/b.c:2: no\nIn file included from /host/work/../c.h:3:"),
    "a.c:1: no\n/x/b.c:2: no\nIn file included from ../c.h:3:",
  );
});

test.run();
