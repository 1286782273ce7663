/** What the system is asked for pages of ULPs' memories changes none of their bytes, and what is given back is gone. */
import assert from "node:assert/strict";
import { release } from "node:os";
import { test } from "uvu";
import { Filling } from "../../runtime/migrate/filling.ts";
import { imageOf, linearMemory, liveRuns, runsOf } from "../../runtime/migrate/image.ts";
import { readImage } from "../../runtime/migrate/restore.ts";
import { Context } from "../../runtime/scheduler/context.ts";
import { serveMail } from "../../runtime/scheduler/engine.ts";
import { nodePages, wholeUnits } from "../../upvm/node-pages.ts";
import { GRANULE_BYTES, PAGE_BYTES } from "../../wire/image.ts";
import { LIMITS } from "../../wire/limits.ts";
import { actor, IDLE, processOf } from "../one-thread.ts";
import { admit, begun, destination, frozen, HASH, joined, outside } from "../two-processes.ts";

const MB = 1 << 20;
const newMemory = (mb: number) =>
  new Uint8Array(new WebAssembly.Memory({ initial: mb * 16, maximum: 65_536, shared: true }).buffer);

/** Pages of this process that are there, bytes. */
const residentBytes = (): number => process.memoryUsage.rss();
/** MADV_POPULATE_WRITE came with Linux 5.14. */
const canBeAsked = process.platform === "linux" && !/^([1-4]|5\.(\d|1[0-3]))\./.test(release()) && hasFfi();
function hasFfi(): boolean {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule("node:ffi") !== undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}

test("only whole pages of what was handed in are asked for", () => {
  assert.deepEqual(wholeUnits(4096, 8192, 4096), [4096, 12_288]);
  assert.deepEqual(wholeUnits(4097, 8192, 4096), [8192, 12_288]);
  assert.deepEqual(wholeUnits(4096, 8191, 4096), [4096, 8192]);
  const [from, to] = wholeUnits(4097, 4096, 4096);
  assert.ok(to <= from);
});

test("pages are asked for anywhere in a memory, and no byte changes", () => {
  const pages = nodePages();
  const memory = newMemory(8);
  for (let at = 0; at < memory.length; at += 1013) memory[at] = at & 255;
  const before = memory.slice();
  for (const [from, to] of [
    [0, 8 * MB],
    [4097, 5 * MB + 1],
    [MB, MB + 100],
    [8 * MB, 8 * MB],
  ]) {
    pages.begin(memory.subarray(from, to));
    pages.next(memory.subarray(from, to));
  }
  assert.deepEqual(memory, before);
  pages.next(new Uint8Array(0));
  pages.giveBack(new Uint8Array(0));
});

test("what is asked for is there before it is touched, and nothing else", () => {
  if (!canBeAsked) return;
  const pages = nodePages();
  pages.next(newMemory(1));
  const memory = newMemory(64);
  const before = residentBytes();
  pages.next(memory.subarray(0, 16 * MB));
  const taken = residentBytes() - before;
  assert.ok(taken > 12 * MB && taken < 32 * MB, `${taken} bytes`);
});

test("memory of a ULP that has left goes back, in parts", async () => {
  if (!canBeAsked) return;
  const pages = nodePages();
  const memory = newMemory(64).fill(1);
  const before = residentBytes();
  pages.giveBack(memory);
  assert.equal(memory[LIMITS.pagesBackBytes - 1], 0);
  assert.equal(memory[LIMITS.pagesBackBytes], 1, "other work of the thread comes between");
  while (memory[memory.length - 1] !== 0) await new Promise((go) => setImmediate(go));
  const backBytes = before - residentBytes();
  assert.ok(backBytes > 48 * MB, `${backBytes} bytes`);
  assert.deepEqual(memory, new Uint8Array(memory.length));
});

test("pages are asked for of just the memory that comes, a part at a time and before its bytes", async () => {
  const p = processOf(IDLE, { ulps: 2, ...outside });
  const q = processOf(IDLE, { ulps: 2, elsewhere: () => true, ...outside });
  begun(p, 0);
  const initial = LIMITS.pagesBytes / PAGE_BYTES + 2;
  const a = actor(p, 0, new Context(new WebAssembly.Memory({ initial, maximum: 16, shared: true })));
  a.call("pvm_mytid");
  const memory = a.bytes;
  const end = memory.length - GRANULE_BYTES;
  memory.fill(7, 2 * GRANULE_BYTES, end);
  const ulp = await frozen(p, 0);
  const runs = runsOf(liveRuns(linearMemory(ulp)));
  const asked: [string, number, number][] = [];
  const say = (what: string) => (bytes: Uint8Array) => {
    asked.push([what, bytes.byteOffset, bytes.length]);
    assert.equal(bytes[0], 0, "nothing of it has come");
  };
  const filling = new Filling(
    readImage(destination(q, { pages: { begin: say("begin"), next: say("next"), giveBack: say("back") } })),
  );
  filling.write(joined(imageOf(p.library, ulp, { hash: HASH, nowMs: p.nowMs, grants: [] })));
  const expected: [string, number, number][] = [];
  for (let i = 0; i < runs.length; i += 2) {
    const [from, bytes] = [runs[i]! * GRANULE_BYTES, runs[i + 1]! * GRANULE_BYTES];
    expected.push(["begin", from, bytes]);
    for (let at = 0; at < bytes; at += LIMITS.pagesBytes)
      expected.push(["next", from + at, Math.min(LIMITS.pagesBytes, bytes - at)]);
  }
  assert.ok(expected.some(([what, , bytes]) => what === "next" && bytes === LIMITS.pagesBytes));
  assert.deepEqual(asked, expected);
  const incoming = filling.end();
  p.freezer.release(ulp);
  admit(q, incoming);
  serveMail(q.engines[0]!);
  assert.deepEqual(actor(q, 0, q.engines[0]!.contexts[0]).bytes, memory);
});

test.run();
