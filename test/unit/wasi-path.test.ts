/** Where paths of programs lead, on files in memory: nothing leads out of a granted folder. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { resolvePath } from "../../runtime/pvm/wasi-path.ts";
import { FileError, type FileStat } from "../../runtime/scheduler/files.ts";
import { LIMITS } from "../../wire/limits.ts";
import { WASI_ERRNO } from "../../wire/wasi.ts";

const GRANT = { host: "/h", guest: "g", readOnly: false };
/** "/" at the end: a folder; "→": a link. */
type Tree = Readonly<Record<string, string>>;
const TREE: Tree = {
  a: "folder",
  "a/b": "folder",
  "a/b/f": "file",
  f: "file",
  up: "link ..",
  rooted: "link /etc/passwd",
  out: "link a/../../x",
  in: "link a/b",
  "a/back": "link ../f",
  round: "link round",
  gone: "link nowhere/x",
};

function files(tree: Tree) {
  const find = (path: readonly string[]): string => {
    const found = path.length === 0 ? "folder" : tree[path.join("/")];
    if (found === undefined) throw new FileError(WASI_ERRNO.noent);
    return found;
  };
  return {
    stat: (_: unknown, path: readonly string[]) => ({ type: find(path).split(" ")[0] }) as FileStat,
    readLink: (_: unknown, path: readonly string[]) => find(path).slice("link ".length),
  };
}

function resolved(text: string, follow = true, base: readonly string[] = []): string {
  return resolvePath(files(TREE), GRANT, base, text, follow).path.join("/");
}
function refused(text: string, follow = true, base: readonly string[] = []): string {
  try {
    return `leads to ${resolved(text, follow, base)}`;
  } catch (error) {
    assert.ok(error instanceof FileError);
    return Object.entries(WASI_ERRNO).find(([, code]) => code === error.errno)?.[0] ?? String(error.errno);
  }
}

test("names, dots and slashes", () => {
  assert.equal(resolved("a/b/f"), "a/b/f");
  assert.equal(resolved("./a//b/../b/./f"), "a/b/f");
  assert.equal(resolved("new"), "new");
  assert.equal(resolved("."), "");
  assert.equal(resolved("a/"), "a");
  assert.equal(resolved("b/f", true, ["a"]), "a/b/f");
  assert.equal(resolvePath(files(TREE), GRANT, [], "a/", true).slash, true);
  assert.equal(resolvePath(files(TREE), GRANT, [], "a/b", true).slash, false);
});

test("no path leads out, by dots, from the root or by a link", () => {
  for (const text of [
    "..",
    "../x",
    "a/../..",
    "a/b/../../../x",
    "/etc/passwd",
    "/",
    "up",
    "up/x",
    "rooted",
    "out",
    "a/../up/x",
    "in/../../..",
  ])
    assert.equal(refused(text), "acces", text);
  // Not above the folder that was opened either, though that would still be granted.
  assert.equal(refused("../f", true, ["a"]), "acces");
  assert.equal(refused("back", true, ["a"]), "acces");
});

test("links inside are followed, where they are to be", () => {
  assert.equal(resolved("in/f"), "a/b/f");
  assert.equal(resolved("a/back"), "f");
  assert.equal(resolved("in", false), "in");
  assert.equal(resolved("up", false), "up");
  assert.equal(refused("up/", false), "acces");
});

test("what is not there, is no folder, has too many links, or is no path", () => {
  assert.equal(refused("no/f"), "noent");
  assert.equal(refused("gone"), "noent");
  assert.equal(refused("f/x"), "notdir");
  assert.equal(refused("round"), "loop");
  assert.equal(refused(""), "noent");
  assert.equal(refused("a\0b"), "inval");
});

test("a chain of links as long as the limit is followed, a longer one is not", () => {
  const chain = (length: number): Tree => {
    const links = Array.from({ length }, (_, i) => [`l${i}`, i + 1 === length ? "link f" : `link l${i + 1}`]);
    return { ...Object.fromEntries(links), f: "file" };
  };
  const end = (length: number): string =>
    resolvePath(files(chain(length)), GRANT, [], "l0", true).path.join("/");
  assert.equal(end(LIMITS.pathLinks), "f");
  assert.throws(() => end(LIMITS.pathLinks + 1), FileError);
});

test.run();
