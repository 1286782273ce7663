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

test("an address outside the memory is no stack overflow", async () => {
  const { told } = await stopped(
    "far.c",
    "int main(int c, char **v) { return *(int *)(c * 0x7ffffff0u); }\n",
  );
  assert.match(told[0]!, /stopped: memory access out of bounds$/);
});

test.run();
