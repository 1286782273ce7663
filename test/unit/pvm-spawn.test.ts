import assert from "node:assert/strict";
import { test } from "uvu";
import { uterminate } from "../../runtime/scheduler/end.ts";
import { serveWakes } from "../../runtime/scheduler/engine.ts";
import { members } from "../../runtime/scheduler/queue.ts";
import { HEAD, SUSPEND, ULP, ULP_STATE } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { TestMachine } from "../machine.ts";
import {
  type Actor,
  actor,
  IDLE,
  leftovers,
  type Process,
  type ProcessOptions,
  processOf,
} from "../one-thread.ts";

const TIDS = 0x400;
const ARGV = 0x200;

function parentOf(options: Partial<ProcessOptions> = {}): { p: Process; a: Actor; end: () => void } {
  const p = processOf(IDLE, { ulps: 2, ...options });
  return { p, a: actor(p, 0), end: () => assert.equal(leftovers(p), "") };
}

function spawn(a: Actor, name: string, n: number, flag = 0, where = ""): number {
  return a.call("pvm_spawn", a.text(name), 0, flag, where === "" ? 0 : a.text(where, 0x9000), n, TIDS);
}
const tids = (a: Actor, n: number): number[] =>
  Array.from({ length: n }, (_, i) => a.view.getInt32(TIDS + 4 * i, true));

test("a running program is spawned from what is loaded: new tids, siblings of each other, children of the caller", () => {
  const { p, a, end } = parentOf();
  assert.equal(spawn(a, "test", 3), 3);
  assert.deepEqual(tids(a, 3), [0x40003, 0x40004, 0x40005]);
  assert.deepEqual(p.asked, []);
  const b = actor(p, 3);
  assert.equal(b.call("pvm_parent"), a.tid);
  assert.equal(b.call("pvm_siblings_get", TIDS, 3), 3);
  assert.deepEqual(tids(b, 3), [0x40003, 0x40004, 0x40005]);
  assert.equal(b.call("pvm_gsize", 0), 3);
  assert.equal(a.call("pvm_gsize", 0), 2);
  assert.equal(a.call("pvm_siblings_get", 0, 0), 2);
  end();
});

test("the caller waits while the machine loads a program, and every engine has it then", async () => {
  const { p, a, end } = parentOf();
  const machine = new TestMachine(p);
  machine.programs.push("worker");
  assert.equal(spawn(a, "worker", 2), SUSPEND);
  assert.equal(p.library.w[HEAD.outside], 1, "no deadlock is seen meanwhile");
  await machine.serve();
  assert.equal(p.library.w[HEAD.outside], 0);
  assert.equal(a.resumed(), 2);
  assert.deepEqual(tids(a, 2), [0x40003, 0x40004]);
  assert.equal(p.library.w[p.ulp(2) + ULP.module], 1);
  assert.equal(spawn(a, "worker", 1), 1, "the second time it is there");
  assert.deepEqual(machine.loads, ["worker"]);
  end();
});

test("a program that cannot be loaded gives its code for each task, and nothing is printed", async () => {
  const { p, a, end } = parentOf();
  const machine = new TestMachine(p);
  assert.equal(spawn(a, "nothing", 2), SUSPEND);
  await machine.serve();
  assert.equal(a.resumed(), 0);
  assert.deepEqual(tids(a, 2), [-7, -7]);
  assert.deepEqual(p.printed, []);
  end();
});

test("a ULP that ends while its request is on its way leaks nothing, and the answer is dropped", async () => {
  const { p, a, end } = parentOf();
  const machine = new TestMachine(p);
  assert.equal(spawn(a, "nothing", 2), SUSPEND);
  uterminate(p.engines[0]!, a.ulp, 0);
  await machine.serve();
  assert.equal(p.library.w[HEAD.outside], 0);
  assert.equal(p.library.w[a.ulp + ULP.state], ULP_STATE.exited);
  end();
});

test("arguments go to the spawned, the caller's stay its own", () => {
  const { p, a, end } = parentOf();
  const list = [a.text("one", 0x300), a.text("two words", 0x320), 0];
  list.forEach((at, i) => {
    a.view.setInt32(ARGV + 4 * i, at, true);
  });
  a.call("pvm_spawn", a.text("test"), ARGV, 0, 0, 1, TIDS);
  const args = (who: Actor): string[] => {
    assert.equal(who.wasi("args_sizes_get", 0x500, 0x504), 0);
    const n = who.view.getInt32(0x500, true);
    const bytes = who.view.getInt32(0x504, true);
    assert.equal(who.wasi("args_get", 0x600, 0x700), 0);
    const text = new TextDecoder()
      .decode(who.bytes.slice(0x700, 0x700 + bytes))
      .split("\0")
      .slice(0, -1);
    assert.equal(text.length, n);
    assert.equal(who.view.getInt32(0x600, true), 0x700);
    return text;
  };
  assert.deepEqual(args(actor(p, 2)), ["test", "one", "two words"]);
  assert.deepEqual(args(a), ["test"]);
  end();
});

test("hosts and architectures that are not there", () => {
  const { p, a, end } = parentOf();
  assert.equal(spawn(a, "test", 1, 1, "."), 1);
  assert.equal(spawn(a, "test", 1, 1, "here:/some/folder"), 1);
  const refused = (flag: number, where: string): void => {
    assert.equal(spawn(a, "test", 2, flag, where), 0);
    assert.deepEqual(tids(a, 2), [-6, -6], `${flag} ${where}`);
  };
  refused(1, "elsewhere");
  refused(1, "");
  refused(32, "");
  assert.equal(spawn(a, "test", 1, 2, "WASM"), 1);
  refused(2, "SUN4");
  refused(1 + 32, ".");
  assert.equal(spawn(a, "test", 1, 0, "anything"), 1);
  assert.equal(spawn(a, "", 1), 0, "a program without a name is no file");
  assert.deepEqual(tids(a, 1), [-7]);
  assert.deepEqual(p.printed, [], "PVM prints nothing of all this");
  assert.equal(spawn(a, "test", 0), -2);
  assert.equal(a.call("pvm_spawn", 0, 0, 0, 0, 1, TIDS), -2);
  assert.equal(a.call("pvm_spawn", a.text("test"), 0xfffe, 0, 0, 1, TIDS), -2);
  assert.equal(a.call("pvm_spawn", a.text("test"), 0, 0, 0, 5, 0xfff8), -2);
  end();
});

test("beyond LIMITS.ulps, what there is room for is started; the rest is PvmOutOfRes", () => {
  const { p, a, end } = parentOf({ heapBytes: 64 << 20 });
  a.view.setInt32(TIDS, 0, true);
  const room = LIMITS.ulps - 2;
  assert.equal(spawn(a, "test", room - 3), room - 3);
  assert.equal(spawn(a, "test", 5), 3);
  assert.deepEqual(
    tids(a, 5),
    [LIMITS.ulps - 2, LIMITS.ulps - 1, LIMITS.ulps, -27 - 0x40000, -27 - 0x40000].map((t) => t + 0x40000),
  );
  assert.equal(spawn(a, "test", 1), 0);
  assert.equal(p.library.w[HEAD.live], LIMITS.ulps);
  end();
});

test("the spawned are dealt out over the engines and begin there", () => {
  const { p, a, end } = parentOf({ engines: 2, ulps: 2, place: () => 0 });
  assert.equal(spawn(a, "test", 4), 4);
  const [here, there] = p.engines as [(typeof p.engines)[0], (typeof p.engines)[0]];
  const indices = (e: typeof here): number[] => members(e.w, e.runq).map((ulp) => e.w[ulp + ULP.index]!);
  assert.deepEqual(
    indices(here).filter((i) => i >= 2),
    [2, 4],
  );
  serveWakes(there);
  assert.deepEqual(indices(there), [3, 5]);
  assert.equal(p.library.w[p.ulp(3) + ULP.state], ULP_STATE.unInit);
  end();
});

test.run();
