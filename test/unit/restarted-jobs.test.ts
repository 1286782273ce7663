/** Jobs that begin again from a checkpoint, under the number that they had: nothing of the earlier one is taken for theirs. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { claimUlp, type Place, placeOf } from "../../pvmd/locations.ts";
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

test("what a process of a killed job writes late of where a ULP is, is of no matter to the job that is restarted", async () => {
  const { world, over } = await running();
  void over.catch(() => {});
  const tid = tidOf(0, tidBaseOf(1));
  const { life } = world.master.jobs.get(1)!.spec;
  const place = (member: number): Place => ({ member, move: "1", outcome: "committed" });
  await claimUlp(world.store, life, tid, 0, place(1));
  await killed(world);
  assert.deepEqual(await world.store.list("ulp/"), []);
  await claimUlp(world.store, life, tid, 0, place(7));
  const again = await restarted(world);
  const now = world.master.jobs.get(1)!.spec.life;
  assert.equal((await placeOf(world.store, now, tid)).place, undefined);
  assert.notEqual(await claimUlp(world.store, now, tid, 0, place(1)), undefined);
  again.command.cut();
});

test("what has become of a ULP of a killed job, if that is known late, changes nothing for the one that is restarted", async () => {
  const { world, over, command, members } = await running({}, { moveOrder: () => new Promise(() => {}) });
  void over.catch(() => {});
  const tid = tidOf(0, tidBaseOf(1));
  const moving = command.request("migrate", { tids: [tid], to: "b" }, undefined, 0);
  await settled();
  const { life } = world.master.jobs.get(1)!.spec;
  await claimUlp(world.store, life, tid, 0, { member: 1, move: "1", outcome: "committed" });
  const get = world.store.get.bind(world.store);
  const late: (() => void)[] = [];
  world.store.get = async (key) => {
    await new Promise<void>((go) => late.push(go));
    return get(key);
  };
  // Its source is gone, and the master asks the store.
  members[0].rpc.cut();
  await settled();
  world.store.get = get;
  await killed(world);
  const again = await restarted(world);
  for (const go of late) go();
  await settled();
  assert.deepEqual(
    world.master.jobs.get(1)!.members.map(({ at }) => at),
    ["running", "running"],
  );
  assert.equal(world.master.jobs.find(tid)!.member, 0);
  assert.equal((await moving).body.ulps[0]!.refused?.code, "lost");
  again.command.cut();
});

test.run();
