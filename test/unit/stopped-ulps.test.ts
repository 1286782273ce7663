/** ULPs of a process that stop for a checkpoint: all, in whatever they do, and what they are told meanwhile. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { stateText } from "../../runtime/scheduler/state.ts";
import { Stopped } from "../../upvm/application-checkpoint.ts";
import type { PartProcess } from "../../upvm/run-here.ts";
import { SUSPEND, ULP } from "../../wire/layout.ts";
import { folk } from "../folk.ts";
import { type Actor, actor, IDLE, leftovers, type Process, processOf } from "../one-thread.ts";
import { serveAll } from "../two-processes.ts";

const state = (p: Process, index: number): string => stateText(p.library.w[p.ulp(index) + ULP.state]!);
const stopped = ({ library, freezer }: Process): Stopped =>
  new Stopped({ library, freezer } as unknown as PartProcess);

const bothOf = (a: Actor, b: Actor): [number, number][] => [a, b].map(({ tid }) => [tid, 0]);

/** The engine looks at its mail as soon as something is asked of it. */
async function served<T>(p: Process, asked: Promise<T>): Promise<T> {
  await null;
  serveAll(p);
  return await asked;
}

test("a ULP that waits for an answer has no image until it has taken it; the others stand still meanwhile", async () => {
  const p = processOf(IDLE, { ulps: 2, outside: true });
  const a = actor(p, 0);
  const all = stopped(p);
  assert.equal(a.call("pvm_pstat", a.tid + 1), SUSPEND);
  const { serial } = p.asked[0]!;
  const first = await served(p, all.freeze());
  assert.match(first.why!, /^t[0-9a-f]+: it waits for the virtual machine's answer to pvm_pstat$/);
  assert.deepEqual(first.waits, [[a.tid, serial]]);
  assert.equal(all.hasNews, false);
  p.freezer.take({ kind: "answer", index: 0, of: "pstat", serial, answer: { value: 0 } });
  assert.equal(all.hasNews, true);
  const second = await served(p, all.freeze());
  assert.deepEqual(second, {
    ulps: [
      [a.tid + 1, 0],
      [a.tid, 0],
    ],
    waits: [],
  });
  assert.deepEqual([state(p, 0), state(p, 1)], ["runnable+migrating", "unInit+migrating"]);
  assert.deepEqual(await served(p, all.freeze()), second, "those that are stopped stay so");
  all.thaw();
  serveAll(p);
  assert.deepEqual([state(p, 0), state(p, 1), a.resumed()], ["runnable", "unInit", 0]);
  assert.equal(leftovers(p), "");
});

test("all go on also if that is told while they are being stopped", async () => {
  const p = processOf(IDLE, { ulps: 2, outside: true });
  const all = stopped(p);
  const freezing = all.freeze();
  all.thaw();
  assert.deepEqual((await served(p, freezing)).ulps, []);
  serveAll(p);
  assert.deepEqual([state(p, 0), state(p, 1)], ["unInit", "unInit"]);
  assert.equal(leftovers(p), "");
});

test("one that does not stop in time keeps no other from going on, and is stopped for who asks next", async () => {
  const p = processOf(IDLE, { ulps: 2, engines: 2, outside: true, place: (index) => index });
  const all = stopped(p);
  const tidAt = (index: number): number => p.library.w[p.ulp(index) + ULP.tid]!;
  // The other engine computes, and looks at no mail.
  const attentive = { ...p, engines: [p.engines[0]!] };
  const first = all.freeze();
  await null;
  serveAll(attentive);
  await null;
  assert.deepEqual([state(p, 0), state(p, 1)], ["unInit+migrating", "unInit"]);
  all.thaw();
  const why = `t${tidAt(1).toString(16)}: it could not be stopped in time`;
  assert.deepEqual(await first, { ulps: [], waits: [], why });
  serveAll(attentive);
  assert.equal(state(p, 0), "unInit");
  const second = await served(p, all.freeze());
  assert.deepEqual([second.why, second.ulps.map(([tid]) => tid).sort()], [undefined, [tidAt(0), tidAt(1)]]);
  all.thaw();
  serveAll(p);
  assert.deepEqual([state(p, 0), state(p, 1)], ["unInit", "unInit"]);
  assert.equal(leftovers(p), "");
});

test("who waits for standard input is named as that", async () => {
  const p = processOf(IDLE, { ulps: 1, outside: true, input: true });
  const a = actor(p, 0);
  // fd_read of descriptor 0 into 16 bytes.
  a.view.setUint32(0x100, 0x200, true);
  a.view.setUint32(0x104, 16, true);
  assert.equal(a.wasi("fd_read", 0, 0x100, 1, 0x300), SUSPEND);
  assert.match((await served(p, stopped(p).freeze())).why!, /: it waits for standard input$/);
});

test("one whose message handler runs is in its barrier all the same", async () => {
  const f = folk("machine", 2);
  const { p } = f;
  const [a, b] = f.ulps as [Actor, Actor];
  for (const i of [0, 1]) await f.on(i, "joingroup", "g");
  a.call("pvm_addmhf", -1, 50, -1, 1);
  assert.equal(await f.on(0, "barrier", "g", 2), SUSPEND);
  const all = stopped(p);
  const serial = p.library.w[a.ulp + ULP.request]!;
  assert.deepEqual(await served(p, all.freeze()), { ulps: bothOf(a, b), waits: [[a.tid, serial]] });
  all.thaw();
  serveAll(p);
  b.call("pvm_initsend", 0);
  assert.equal(await f.call(b, "pvm_send", a.tid, 50), 0);
  assert.equal(state(p, 0), "runnable");
  assert.deepEqual((await served(p, all.freeze())).waits, [[a.tid, serial]]);
});

test.run();
