/** Standard input of a process, as ULPs ask for it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "uvu";

const file = join(import.meta.dirname, "../../upvm/node-input.ts");

/** What is left of one that has been given up, bytes: it was 850. */
const LEFT_BYTES = 100;
const TIMES = 20_000;

test("asking for input again and again keeps nothing while none comes; then all who wait are told", async () => {
  const text = `
    import { nodeInput } from ${JSON.stringify(file)};
    const input = nodeInput();
    const ask = () => Promise.all(Array.from({ length: ${TIMES} }, () => input.ready(0)));
    const held = () => (gc(), process.memoryUsage().heapUsed);
    await ask();
    const before = held();
    const some = (await ask()).some(Boolean);
    console.log((held() - before) / ${TIMES}, some);
    console.log(await Promise.all([input.ready(-1), input.ready(1e6)]), String.fromCharCode(...await input.read(2)));
    console.log(await input.ready(0), String.fromCharCode(...await input.read(9)), (await input.read(9)).length);`;
  const words = ["--expose-gc", "--input-type=module", "-e", text];
  const child = spawn(process.execPath, words, { stdio: ["pipe", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (data) => {
    said += data;
    // It says first what it holds.
    if (said.includes("\n")) child.stdin.end("abc");
  });
  await once(child, "close");
  const [first = "", ...rest] = said.trimEnd().split("\n");
  const [bytes, some] = first.split(" ");
  assert.ok(Number(bytes) < LEFT_BYTES, `${bytes} bytes are left of each`);
  assert.equal(some, "false");
  assert.deepEqual(rest, ["[ true, true ] ab", "true c 0"]);
});

test.run();
