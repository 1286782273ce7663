/** Jobs that begin again from a checkpoint, under the number that they had: nothing of the earlier one is taken for theirs. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { tidBaseOf, tidOf } from "../../wire/pvm.ts";
import { hashOf, Member, MODULE, running, settled, type World, wish } from "../master-world.ts";

const KEPT = { groups: [], hosts: [], tasks: [], wishes: [], entries: [], readers: [], contexts: [] };
const RESTORED = { ulpRestore: () => ({ body: {} }) };

/** Job 1 has ended by a command. */
async function killed(world: World): Promise<void> {
  await world.command().request("kill", { tids: [], jobs: [1], signum: 0 });
  world.nowMs += 1e6;
  world.master.tick();
  await settled();
  assert.deepEqual(world.master.jobs.all(), []);
}

/** Job 1 with two ULPs, one on each host, begins again. */
async function restarted(world: World) {
  const command = world.command({
    jobBegun: () => ({ body: undefined }),
    restartImage: () => ({ body: {}, bytes: new Uint8Array(1) }),
  });
  const living = [0, 1].map((index) => ({ tid: tidOf(index, tidBaseOf(1)), index, program: 0 }));
  const programs = [{ name: "p", hash: hashOf(MODULE) }];
  const asked = { job: 1, wish: wish(), programs, living, kept: KEPT };
  void command.request("restart", asked, undefined, 0).catch(() => {});
  await settled();
  const members = [new Member(world, "a", 1, 0, RESTORED), new Member(world, "b", 1, 1, RESTORED)] as const;
  await members[0].begin("tcp:a:3");
  await members[1].begin("tcp:b:4");
  await settled();
  return { command, members };
}

test("moves of a restarted job count from 1 again: those of the job that was killed do not make them old", async () => {
  const { world, over, members } = await running();
  void over.catch(() => {});
  const tid = tidOf(0, tidBaseOf(1));
  for (const [move, member] of [1, 0, 1].entries()) {
    members[member]!.rpc.tell("moved", { tid, move: move + 1 });
    await settled();
    assert.equal(world.master.jobs.find(tid)!.member, member);
  }
  await killed(world);
  const again = await restarted(world);
  assert.equal(world.master.jobs.find(tid)!.member, 0);
  again.members[1].rpc.tell("moved", { tid, move: 1 });
  await settled();
  assert.equal(world.master.jobs.find(tid)!.member, 1);
  assert.equal(world.machine.router.memberOf(tid), 1);
  again.command.cut();
});

test.run();
