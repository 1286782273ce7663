/** C programs: entry, library, files, options, errors as clang says them, lines. */
import assert from "node:assert/strict";
import { hostname } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import { link } from "../../runtime/link/link.ts";
import { parametersOf } from "../../scripts/generate.ts";
import { PVM_LIBRARY, PVM_ROUTINE } from "../../wire/pvm.ts";
import { compiled, compileError, compileHere, importsOf, inFolderOf, runAlone } from "../compile-fixture.ts";
import { runText } from "../wat-programs.ts";

test("main's result, arguments, environment and output go through WASI", async () => {
  const { wasm, warnings } = await compiled(
    "a.c",
    `#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) printf("%s|", argv[i]);
  printf("%s %.3f\\n", getenv("WHO"), 1.0 / 3);
  fprintf(stderr, "err\\n");
  return argc;
}
`,
  );
  assert.equal(warnings, "");
  const { out, err, code } = runAlone(wasm, ["eins", "zwei"], { WHO: "me" });
  assert.deepEqual([out, err, code], ["eins|zwei|me 0.333\n", "err\n", 3]);
});

test("every routine has a prototype, and the library's routines are linked in", async () => {
  const call = (name: string, count: number): string => `  ${name}(${Array(count).fill(0).join(", ")});`;
  const calls = Object.entries(PVM_ROUTINE)
    .filter(([name]) => !Object.hasOwn(PVM_LIBRARY, name))
    .map(([name, row]) => call(name, row.wasm.length));
  for (const [name, row] of Object.entries(PVM_LIBRARY)) calls.push(call(name, parametersOf(row.c).length));
  const source = `#include <pvm3.h>\nint main(void) {\n${calls.join("\n")}\n  return 0;\n}\n`;
  const { wasm, warnings } = await compiled("a.c", source);
  assert.equal(warnings, "");
  const imports = importsOf(wasm);
  for (const name of Object.keys(PVM_ROUTINE)) assert.ok(imports.includes(`pvm.${name}`), name);
  for (const name of imports) assert.match(name, /^(pvm|wasi_snapshot_preview1)\./);
});

test("what a program does not use of the library is not in it", async () => {
  const { wasm } = await compiled("a.c", "#include <pvm3.h>\nint main(void) { return pvm_mytid(); }\n");
  assert.deepEqual(importsOf(wasm).sort(), ["pvm.pvm_mytid", "wasi_snapshot_preview1.proc_exit"]);
});

test("data goes with const, and wrong types are warned of", async () => {
  const source = (type: string): string => `#include <pvm3.h>
int main(void) { static const ${type} a[3]; return pvm_pkint(a, 3, 1); }\n`;
  assert.equal((await compiled("a.c", source("int"))).warnings, "");
  const { warnings } = await compiled("a.c", source("double"));
  assert.match(warnings, /a\.c:2:\d+: warning: incompatible pointer types .*'const double\[3\]'/);
});

test("several sources, -I, -D and -l make one program", () =>
  inFolderOf(
    {
      "src/main.c":
        '#include <stdio.h>\n#include "twice.h"\nint main(void) { printf("%d %s\\n", twice(N), TEXT); return 0; }\n',
      "src/twice.c":
        '#include <math.h>\n#include "twice.h"\nint twice(int n) { return (int)fmin(2.0 * n, 1e6); }\n',
      "inc/twice.h": "int twice(int);\n",
    },
    async (folder) => {
      const options = {
        sources: ["src/twice.c"],
        include: ["inc"],
        define: ["N=21", 'TEXT="a b"'],
        libraries: ["m"],
      };
      assert.equal(runAlone((await compileHere("src/main.c", options)).wasm).out, "42 a b\n");
      const absolute = { ...options, sources: [join(folder, "src/twice.c")], include: [join(folder, "inc")] };
      assert.equal(runAlone((await compileHere(join(folder, "src/main.c"), absolute)).wasm).out, "42 a b\n");
      process.chdir("src");
      const upward = { ...options, sources: ["twice.c"], include: ["../inc"] };
      assert.equal(runAlone((await compileHere("../src/main.c", upward)).wasm).out, "42 a b\n");
    },
  ));

test("a trap names the source's function and line, also at full optimization", async () => {
  const source = `#include <stdlib.h>
static __attribute__((noinline)) int deep(int n) {
  if (n == 0)
    __builtin_trap();
  return deep(n - 1) + rand();
}

int main(int argc, char **argv) {
  return deep(argc);
}
`;
  const { wasm } = await compiled("src/a.c", source, { optimize: "3" });
  const { code, trap } = runAlone(wasm);
  assert.equal(code, undefined);
  assert.deepEqual(trap.slice(0, 2), ["deep src/a.c:4", "deep src/a.c:5"]);
  assert.match(trap[2]!, /main\S* src\/a\.c:9$/);
});

test("a stack that overflows traps, and does not run into the data", async () => {
  const source = `volatile int data = 7;
int deep(int n) { volatile char room[4096]; room[0] = n; return n == 0 ? 0 : deep(n - 1) + room[0]; }
int main(int argc, char **argv) { return deep(argc * 1000); }\n`;
  assert.equal(runAlone((await compiled("a.c", source)).wasm).code, undefined);
  // 256 KiB are enough for fifty such frames.
  assert.equal(runAlone((await compiled("a.c", source.replace("* 1000", "* 50"))).wasm).code, 1275);
});

test("an error comes with clang's words, file, line and column, as the user named the file", async () => {
  const files = { "src/a.c": '#include "b.h"\nint main(void) { return nothing; }\n', "src/b.h": "int ok;\n" };
  const message = await compileError("src/a.c", files);
  assert.match(
    message,
    /^Cannot compile src\/a\.c:\nsrc\/a\.c:2:25: error: use of undeclared identifier 'nothing'/,
  );
  await inFolderOf(files, async (folder) => {
    const path = join(folder, "src/a.c");
    await assert.rejects(compileHere(path), (error: Error) =>
      error.message.includes(`\n${path}:2:25: error: `),
    );
  });
  const inHeader = await compileError("src/a.c", { ...files, "src/b.h": "int 3;\n" });
  assert.match(inHeader, /In file included from src\/a\.c:1:\n.*src\/b\.h:1:5: error: /);
});

test("a missing header, a missing function and a missing library are named", async () => {
  const header = await compileError("a.c", { "a.c": "#include <nowhere.h>\nint main(void) { return 0; }\n" });
  assert.match(header, /a\.c:1:10: fatal error: 'nowhere\.h' file not found/);
  const missing = await compileError("dir/a.c", {
    "dir/a.c": "int f(void);\nint main(void) { return f(); }\n",
  });
  assert.match(missing, /wasm-ld: error: dir\/a\.c: undefined symbol: f$/);
  await inFolderOf({ "a.c": "int main(void) { return 0; }\n" }, () =>
    assert.rejects(compileHere("a.c", { libraries: ["nosuch"] }), /unable to find library -lnosuch/),
  );
});

test("warnings are handed over, and the program works", async () => {
  const { wasm, warnings } = await compiled("a.c", 'int main(void) { "lost"; return 4; }\n');
  assert.match(warnings, /^a\.c:1:18: warning: expression result unused/);
  assert.equal(runAlone(wasm).code, 4);
});

test("the default is full optimization with SIMD", async () => {
  const source = `double a[1000], b[1000];
int main(int argc, char **argv) { for (int i = 0; i < 1000; i++) a[i] = b[i] * argc; return (int)a[argc]; }\n`;
  const { wasm } = await inFolderOf({ "a.c": source }, () => compileHere("a.c", { optimize: "3" }));
  // f64x2.mul is 0xfd 0xf2 0x01.
  const code = Buffer.from(wasm);
  assert.ok(code.includes(Uint8Array.of(0xfd, 0xf2, 0x01)));
  assert.ok(!Buffer.from((await compiled("a.c", source)).wasm).includes(Uint8Array.of(0xfd, 0xf2, 0x01)));
});

test("signal.h needs no other header before it", async () => {
  const source =
    "#include <signal.h>\nvoid stop(int n) {}\nint main(void) { signal(SIGINT, stop); return 0; }\n";
  assert.equal((await compiled("signals.c", source)).warnings, "");
});

test("C as it was in PVM's time compiles without a word: no types, no prototypes, its own errno, no pvm3.h", async () => {
  const source = `#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include <signal.h>
#include <netdb.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <sys/resource.h>
extern int errno;
void stop(number) int number; { exit(number); }
sum(a, n) int *a; { int s = 0; while (n-- > 0) s += *a++; return s; }
main(argc, argv) int argc; char **argv; {
  int a[3];
  char host[64];
  struct tms used;
  struct rusage more;
  a[0] = 1, a[1] = 2, a[2] = argc;
  signal(SIGTERM, stop);
  errno = 3;
  gethostname(host, sizeof host);
  times(&used), getrusage(RUSAGE_SELF, &more), usleep(1), sleep(0), umask(0);
  printf("%d %d %s %d %d\\n", sum(a, 3), errno, host, getpid() > 0, getpwuid(getuid()) == 0);
  if (argc > 5) pvm_mytid();
  if (argc > 6) { exit(); }
  exit(strlen("four"));
}
`;
  const { wasm, warnings } = await compiled("old.c", source, { optimize: "3" });
  assert.equal(warnings, "");
  assert.ok(importsOf(wasm).includes("pvm.pvm_mytid"));
  const module = new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>);
  assert.ok(WebAssembly.Module.imports(module).every(({ module: from }) => from !== "env"));
  const { out, ulps } = await runText({ module: link(wasm).wasm });
  assert.deepEqual([out, ulps[0]?.exitCode], [`4 3 ${hostname()} 1 1\n`, 4]);
});

test("what a ULP cannot have is refused where it is used, or by the linker, with what to use instead", async () => {
  const files = {
    "a.c": "#include <unistd.h>\nint main(void) {\n  return fork();\n}\n",
    "b.c": "int main() { return fork() + socket(1, 1, 1); }\n",
    "c.cc": "int main() { throw 3; }\n",
    "d.c": "#include <setjmp.h>\njmp_buf b;\nint main(void) { return setjmp(b); }\n",
    "e.c":
      "#include <pthread.h>\nint start(void *(*f)(void *)) { pthread_t t; return pthread_create(&t, 0, f, 0); }\n",
    "f.c": "#include <threads.h>\nint start(thrd_start_t f) { thrd_t t; return thrd_create(&t, f, 0); }\n",
    "g.cc": "#include <thread>\nint main() { std::thread([] {}).join(); }\n",
  };
  assert.match(await compileError("a.c", files), /a\.c:3:10: error: 'fork' is unavailable: .* pvm_spawn/);
  assert.match(
    await compileError("b.c", files),
    /b\.c: undefined symbol: fork\n.*pvm_spawn\n.*b\.c: undefined symbol: socket\n.*pvm_send/,
  );
  assert.match(await compileError("c.cc", files), /c\.cc:1:14: error: cannot use 'throw'.*\n.*--cc/);
  assert.match(await compileError("d.c", files), /d\.c:3:25: error: 'setjmp' is unavailable/);
  assert.match(
    await compileError("e.c", files),
    /e\.c:2:53: error: 'pthread_create' is unavailable: .* pvm_spawn/,
  );
  assert.match(
    await compileError("f.c", files),
    /f\.c:2:46: error: 'thrd_create' is unavailable: .* pvm_spawn/,
  );
  // The C++ library's own headers call it: only who uses those is refused.
  assert.match(await compileError("g.cc", files), /undefined symbol: \w*pthread_create\n.*pvm_spawn/);
});

test("C++ has its library and PVM, and goes together with C", async () => {
  const files = {
    "twice.c": "int twice(int n) { return 2 * n; }\n",
    "more/list.h": "#include <string>\n#include <vector>\nstd::vector<std::string> list();\n",
    "more/list.cpp": '#include "list.h"\nstd::vector<std::string> list() { return {"b", "a"}; }\n',
    "main.cc": `#include <pvm3.h>
#include <algorithm>
#include <cstdio>
#include "more/list.h"
extern "C" int twice(int);
struct Said { ~Said() { std::puts("end"); } } said;
int main() {
  auto names = list();
  std::sort(names.begin(), names.end());
  for (auto &name : names) std::printf("%s%d ", name.c_str(), twice(static_cast<int>(names.size())));
  std::printf("t%x\\n", pvm_mytid());
}
`,
  };
  const { wasm, warnings } = await inFolderOf(files, () =>
    compileHere("main.cc", { sources: ["twice.c", "more/list.cpp"] }),
  );
  assert.equal(warnings, "");
  const { out, reason } = await runText({ module: link(wasm).wasm });
  assert.deepEqual([out, reason], ["a4 b4 t40001\nend\n", "done"]);
});

test.run();
