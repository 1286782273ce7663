/** Programs of all languages that read granted files and standard input, and write files: as users run them. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import { link } from "../../runtime/link/link.ts";
import { compile } from "../../upvm/node-compile.ts";
import { upvm } from "../command.ts";
import { linkedProgram, root, runLinked } from "../guest-run.ts";

/** A folder with `data/in.txt`, `out/` and a program. */
async function inPlace(
  files: Readonly<Record<string, string>>,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "upvm-files-test-")));
  try {
    for (const name of ["data", "out"]) mkdirSync(join(folder, name));
    writeFileSync(join(folder, "data/in.txt"), "1 2 3\n");
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const C = `#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
static void try(const char *path, const char *how) {
  FILE *f = fopen(path, how);
  printf("%s %s: %s\\n", path, how, f ? "open" : strerror(errno));
  if (f) fclose(f);
}
int main(void) {
  char line[80];
  while (fgets(line, sizeof line, stdin)) printf("input %s", line);
  int n, sum = 0;
  FILE *f = fopen("data/in.txt", "r");
  if (f == NULL) { perror("data/in.txt"); return 1; }
  while (fscanf(f, "%d", &n) == 1) sum += n;
  fclose(f);
  f = fopen("out/sum.txt", "w");
  fprintf(f, "sum %d\\n", sum);
  fclose(f);
  f = fopen("out/sum.txt", "a+");
  fputs("more\\n", f);
  rewind(f);
  while (fgets(line, sizeof line, f)) printf("file %s", line);
  fclose(f);
  try("data/x", "w");
  try("data/../../secret", "r");
  try("/etc/passwd", "r");
  mkdir("out/d", 0777);
  rename("out/sum.txt", "out/d/s.txt");
  truncate("out/d/s.txt", 3);
  struct stat s;
  stat("out/d/s.txt", &s);
  DIR *d = opendir("out/d");
  for (struct dirent *e; (e = readdir(d));) if (e->d_name[0] != '.') printf("name %s %d\\n", e->d_name, (int)s.st_size);
  closedir(d);
  printf("gone %d\\n", unlink("out/d/s.txt") + rmdir("out/d"));
  return access("out/d", F_OK) == 0;
}
`;
const C_OUT = `input a
input b
file sum 6
file more
data/x w: Read-only file system
data/../../secret r: Permission denied
/etc/passwd r: No such file or directory
name s.txt 3
gone 0
`;

test("a C program reads its input and a granted folder, writes another, and gets nowhere else", () =>
  inPlace({ "a.c": C, secret: "x" }, async (folder) => {
    const dirs = ["--dir", "data::ro", "--dir", join(folder, "out:out")];
    for (const way of [[], ["--isolate"]]) {
      const done = await upvm(["run", "a.c", ...dirs, ...way], { cwd: folder, input: "a\nb\n" });
      assert.deepEqual([done.code, done.out, done.err], [0, C_OUT, ""], way.join());
    }
    const without = await upvm(["run", "a.c"], { cwd: folder, input: "" });
    assert.equal(without.code, 1);
    assert.match(without.err, /^data\/in\.txt: No such file or directory/);
  }));

test("a grant that is no folder, or no grant at all, is refused before anything runs", () =>
  inPlace({ "a.c": C }, async (folder) => {
    for (const [dir, code, text] of [
      ["nowhere", 3, /Cannot read nowhere: no such folder \(--dir\)/],
      ["a.c", 3, /Cannot read a\.c: it is no folder/],
      [":x", 2, /Cannot take --dir ":x": it takes HOST/],
    ] as const) {
      const done = await upvm(["run", "a.c", "--dir", dir], { cwd: folder });
      assert.equal(done.code, code);
      assert.match(done.err, text);
    }
  }));

const WAITS = `#include <pvm3.h>
#include <stdio.h>
int main(void) {
  int *tids, n = pvm_siblings(&tids), number = 0;
  if (pvm_mytid() == tids[0]) {
    if (scanf("%d", &number) != 1) return 1;
    pvm_psend(tids[1], 1, &number, 1, PVM_INT);
    return 0;
  }
  char rest[8];
  printf("others run, and have %s input\\n", fgets(rest, 8, stdin) ? "some" : "no");
  fflush(stdout);
  pvm_precv(tids[0], 1, &number, 1, PVM_INT, 0, 0, 0);
  printf("%d of %d\\n", number, n);
  return 0;
}
`;

test("a read of standard input lets the other ULPs of its engine run", () =>
  inPlace({ "a.c": WAITS }, async (folder) => {
    let told = false;
    const done = await upvm(["run", "a.c", "--ulps", "2", "--cores", "1"], {
      cwd: folder,
      input: "open",
      onOutput: (out, child) => {
        if (told || !out.includes("others run")) return;
        told = true;
        child.stdin?.end("42\n");
      },
    });
    assert.deepEqual([done.code, done.out], [0, "others run, and have no input\n42 of 2\n"]);
  }));

test("an AssemblyScript program reads a granted file and writes a result", () =>
  inPlace(
    {
      "a.ts": `import * as files from "upvm/guest/files";
export function main(): i32 {
  const text = files.readText("data/in.txt");
  if (text === null) return 100 + files.errno;
  let sum = 0;
  const parts = text.trim().split(" ");
  for (let i = 0; i < parts.length; i++) sum += i32(parseInt(parts[i]));
  files.writeText("out/sum.txt", "sum ");
  files.appendText("out/sum.txt", sum.toString());
  const big = new StaticArray<u8>(200000);
  big[199999] = 7;
  files.writeBytes("out/big", big);
  const again = files.readBytes("out/big")!;
  console.log(again.length.toString() + " " + again[199999].toString());
  console.log(files.writeText("data/x", "").toString() + " " + files.writeText("out/../../x", "").toString());
  return files.readBytes("else/x") === null ? files.errno : 0;
}
`,
    },
    async (folder) => {
      const done = await upvm(["run", "a.ts", "--dir", "data::ro", "--dir", "out"], { cwd: folder });
      assert.equal(done.out, "200000 7\n69 2\n");
      assert.match(done.err, /exit code 2\b/);
      assert.equal(readFileSync(join(folder, "out/sum.txt"), "utf8"), "sum 6");
    },
  ));

test("the C++ example counts the words of a granted file", () =>
  inPlace({ "data/text.txt": "the cat the dog\na the\n\nb\n" }, async (folder) => {
    const module = await linkedProgram("guest/examples/words.cc");
    const grants = ["data", "out"].map((guest) => ({
      host: join(folder, guest),
      guest,
      readOnly: guest === "data",
    }));
    for (const ulps of [1, 3]) {
      const args = ["data/text.txt", "out/words.txt"];
      const { text, err, result } = await runLinked(module, { ulps, args, grants });
      assert.deepEqual([text, err, result.ok], ["7 words, 5 different: right\n", "", true]);
      assert.equal(readFileSync(join(folder, "out/words.txt"), "utf8"), "3 the\n1 a\n1 b\n1 cat\n1 dog\n");
    }
  }));

const MOVES = `#include <pvm3.h>
#include <stdio.h>
int main(void) {
  char name[20], line[20];
  sprintf(name, "out/%x", pvm_mytid());
  FILE *in = fopen("data/in.txt", "r"), *out = fopen(name, "w");
  setvbuf(in, NULL, _IONBF, 0);
  setvbuf(out, NULL, _IONBF, 0);
  for (int c; (c = fgetc(in)) != EOF; pvm_yield()) fputc(c, out);
  return fclose(in) + fclose(out);
}
`;

test("open files stay where they are in ULPs that change engines all the time", () =>
  inPlace({ "a.c": MOVES }, async (folder) => {
    const text = Array.from({ length: 60 }, (_, i) => `line ${i}`).join("\n");
    writeFileSync(join(folder, "data/in.txt"), text);
    const grants = ["data", "out"].map((guest) => ({ host: join(folder, guest), guest, readOnly: false }));
    const { wasm } = await compile(join(folder, "a.c"), {}, join(root, ".upvm-cache"));
    const module = link(wasm).wasm;
    const { result, err } = await runLinked(module, { ulps: 4, cores: 2, grants, shuffle: 11 });
    assert.ok(result.ok, err);
    assert.ok(result.stats.moves > 50, `${result.stats.moves} moves`);
    for (let tid = 0x40001; tid <= 0x40004; tid++)
      assert.equal(readFileSync(join(folder, "out", tid.toString(16)), "utf8"), text);
  }));

test.run();
