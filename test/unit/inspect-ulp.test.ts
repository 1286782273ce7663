/** `upvm inspect TID`: what a process tells of a ULP, which goes on as it was, and how that is printed. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { serveMail } from "../../runtime/scheduler/engine.ts";
import { lookHandlers } from "../../upvm/application-look.ts";
import { inspectedJson, inspectedText } from "../../upvm/inspect-ulp.ts";
import type { PartProcess } from "../../upvm/run-here.ts";
import { SUSPEND } from "../../wire/layout.ts";
import type { Inspected, UlpLook } from "../../wire/rpc-job.ts";
import { type Actor, actor, leftovers, type Process } from "../one-thread.ts";
import { frozen, ownActor, pair, say } from "../two-processes.ts";

async function look(p: Process, tid: number): Promise<{ look?: UlpLook; why?: string }> {
  const { library, freezer } = p;
  const { ulpLook } = lookHandlers(Promise.resolve({ library, freezer } as PartProcess));
  const asked = ulpLook!({ tid }, new Uint8Array(0), undefined as never) as Promise<{
    body: { look?: UlpLook; why?: string };
  }>;
  await Promise.resolve();
  for (const e of p.engines) serveMail(e);
  const { body } = await asked;
  for (const e of p.engines) serveMail(e);
  return body;
}

test("a look at a ULP tells what it has, and leaves it as it was", async () => {
  const [p, q] = pair();
  const a = ownActor(p, 0);
  a.call("pvm_addmhf", -1, 40, -1, 1);
  say(a, a.tid, 7, 1);
  say(a, a.tid, 8, 2);
  assert.equal(a.call("pvm_recv", -1, 9), SUSPEND);
  const { look: seen, why } = await look(p, a.tid);
  assert.equal(why, undefined);
  assert.deepEqual([seen!.state, seen!.doing], ["blocked", "waits in pvm_recv for tag 9 from any task"]);
  assert.deepEqual([seen!.memoryBytes, seen!.messages], [65_536, 2]);
  assert.deepEqual(seen!.queue, [
    [a.tid, 7, 4],
    [a.tid, 8, 4],
  ]);
  assert.ok(seen!.heapBlocks > 0 && seen!.heapBytes >= 32 * seen!.heapBlocks, `${seen!.heapBytes}`);
  assert.deepEqual(
    seen!.buffers.map(([, use]) => use),
    ["send"],
  );
  // It goes on where it was.
  const b: Actor = actor(p, 0, p.engines[0]!.contexts[0]);
  p.freezer.thaw(await frozen(p, 0));
  for (const e of p.engines) serveMail(e);
  assert.equal((await look(p, a.tid)).look!.messages, 2);
  assert.throws(() => b.call("pvm_mytid"), /blocked/);
  // One that is frozen is told as that; one of another process is not looked at.
  const ulp = await frozen(p, 0);
  assert.deepEqual((await look(p, a.tid)).look!.state, "blocked+migrating");
  p.freezer.thaw(ulp);
  for (const e of p.engines) serveMail(e);
  assert.match((await look(q, a.tid)).why!, /no such ULP/);
  const shown = inspectedText({ ...TASK, tid: a.tid, look: seen! });
  for (const part of [
    "b: local there, marked remote on a, c",
    "base 0, 65,536 bytes",
    "waits in pvm_recv for tag 9",
    "2 unread",
    "from t40001, tag 8, 4 bytes",
    "default send buffer",
  ])
    assert.ok(shown.includes(part), `${part}: ${shown}`);
  const json = inspectedJson({ ...TASK, tid: a.tid, look: seen! }) as Record<string, unknown>;
  assert.deepEqual([json["tid"], json["host"], json["parent"]], ["t40001", "b", null]);
  assert.equal(leftovers(p) + leftovers(q), "");
});

test("of a process that does not answer that is said", () => {
  const silent = { ...TASK, tid: 0x40001, why: "its process does not answer" };
  assert.match(inspectedText(silent), /unknown: its process does not answer/);
  assert.deepEqual(inspectedJson(silent), { ...silent, tid: "t40001" });
});

const TASK: Omit<Inspected, "tid"> = { index: 0, job: 1, host: "b", program: "p", remote: ["a", "c"] };

test.run();
