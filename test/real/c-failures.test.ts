/** What stopped a C or C++ program, in its author's words, and the way out. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { inFolder, upvm } from "../command.ts";

/** Runs a program of one file. @returns what the command says of it, without the lines of its stack */
async function stopped(name: string, source: string, words: readonly string[] = []) {
  return await inFolder({ [name]: source }, async (cwd) => {
    const { code, err } = await upvm(["run", name, ...words], { cwd });
    return { code, err, told: err.split("\n").filter((line) => !/^ +at /.test(line)) };
  });
}

/** 320 KB on the stack. */
const LARGE = `#include <stdio.h>
int main(void) {
  double a[200][200];
  double sum = 0;
  for (int i = 0; i < 200; i++) for (int j = 0; j < 200; j++) a[i][j] = i * j;
  for (int i = 0; i < 200; i++) for (int j = 0; j < 200; j += (int)a[1][1]) sum += a[j][i];
  return sum == 396010000 ? 0 : 1;
}
`;

test("local data larger than the stack is a stack overflow, and --stack gives it room", async () => {
  const { code, told, err } = await stopped("large.c", LARGE);
  assert.equal(code, 1);
  assert.deepEqual(told.slice(0, 2), [
    "upvm: ULP 0 (t40001) stopped: stack overflow: its stack has 256 KB",
    "  a recursion without end, or local data larger than that: compile it with --stack MB (upvm cc: -Wl,-z,stack-size=BYTES)",
  ]);
  assert.match(err, /at \w*main \(large\.c:5/);
  assert.deepEqual([(await stopped("large.c", LARGE, ["--stack", "0.5"])).code], [0]);
});

test("a recursion without end is a stack overflow, though its calls are few enough for the engine", async () => {
  const { told } = await stopped(
    "deep.c",
    `int deep(int n) { volatile char room[4096]; room[n & 4095] = 1; return deep(n + 1) + room[0]; }
int main(void) { return deep(0); }
`,
  );
  assert.match(told[0]!, /stopped: stack overflow: its stack has 256 KB$/);
});

test("abort, a failed assert and a C++ exception are named", async () => {
  const says = async (name: string, source: string): Promise<string> =>
    (await stopped(name, source)).told.find((line) => line.startsWith("upvm: ULP"))!;
  assert.match(
    await says("a.c", "#include <stdlib.h>\nint main(void) { abort(); }\n"),
    /stopped: unreachable: abort\(\) was called$/,
  );
  assert.match(
    await says("b.c", "#include <assert.h>\nint main(int c, char **v) { assert(c == 7); }\n"),
    /stopped: unreachable: a failed assert$/,
  );
  const thrown =
    "#include <vector>\nint main(int c, char **v) { std::vector<int> a(1); return a.at(c + 5); }\n";
  // The library's message has no newline of its own: upvm's line begins all the same.
  assert.match(await says("c.cc", thrown), /^upvm: ULP 0 \(t40001\) stopped: unreachable: a C\+\+ exception/);
});

test("a call that does not fit its function says so when it is linked and when it stops, with the header", async () => {
  const { told } = await stopped(
    "t.c",
    "long time();\nint main(void) { long t = time(0); return t == 0; }\n",
  );
  const text = told.join("\n");
  assert.match(text, /function signature mismatch: time\n.*include <time\.h>/);
  assert.match(
    text,
    /stopped: unreachable: time\(\) was called with other types than it has\n {2}declare it/,
  );
  const pointer = `int f(int a, int b) { return a + b; }
int (*volatile g)(double);
int main(void) { g = (int (*)(double))f; return g(1.0); }
`;
  assert.match(
    (await stopped("p.c", pointer)).told.join("\n"),
    /signature mismatch\n {2}a call through a pointer/,
  );
});

test("an address outside the memory is no stack overflow", async () => {
  const { told } = await stopped(
    "far.c",
    "int main(int c, char **v) { return *(int *)(c * 0x7ffffff0u); }\n",
  );
  assert.match(told[0]!, /stopped: memory access out of bounds$/);
});

test.run();
