/**
 * Groups, as PVM 3.4.6 answers: who is in them, barriers, frozen groups, broadcasts. ULPs whose program is the test. Tests of
 * `both` are the contract of both homes of groups, a process and the virtual machine.
 */
import assert from "node:assert/strict";
import { test } from "uvu";
import { dumpOf, dumpText } from "../../runtime/scheduler/dump.ts";
import { uterminate } from "../../runtime/scheduler/end.ts";
import { serveWakes } from "../../runtime/scheduler/engine.ts";
import { PLACEMENT } from "../../runtime/scheduler/placement.ts";
import { getState } from "../../runtime/scheduler/state.ts";
import { doingText } from "../../runtime/scheduler/wait-text.ts";
import { HEAD, SUSPEND, ULP, ULP_STATE } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import { type Folk, folk, type Home, people } from "../folk.ts";
import type { Actor, Process } from "../one-thread.ts";

const { PvmBadParam, PvmDupGroup, PvmMismatch, PvmNoBuf, PvmNoGroup, PvmNoInst, PvmNotImpl } = PVM_ERROR;
const { PvmNoMem, PvmNotInGroup, PvmNullGroup, PvmOutOfRes } = PVM_ERROR;

/** A test of both homes. */
function both(name: string, run: (home: Home) => Promise<void>): void {
  for (const home of ["process", "machine"] as const) test(`${name} (${home})`, () => run(home));
}

both(
  "instance numbers are given lowest first and used again, and a group goes with its last member",
  async (home) => {
    const { p, ulps, on, end } = folk(home, 4);
    for (const i of [0, 1, 2]) assert.equal(await on(i, "joingroup", "g"), i);
    assert.equal(await on(0, "joingroup", "g"), PvmDupGroup.code);
    assert.equal(await on(0, "lvgroup", "g"), 0);
    assert.equal(await on(0, "lvgroup", "g"), PvmNotInGroup.code);
    assert.equal(await on(1, "lvgroup", "g"), 0);
    assert.equal(await on(3, "joingroup", "g"), 0);
    assert.equal(await on(1, "joingroup", "g"), 1);
    assert.equal(await on(0, "gsize", "g"), 3);
    assert.equal(await on(0, "getinst", "g", ulps[1]!.tid), 1);
    assert.equal(await on(0, "getinst", "g", ulps[0]!.tid), PvmNotInGroup.code);
    assert.equal(await on(0, "getinst", "g", 7), PvmNotInGroup.code);
    assert.equal(await on(0, "gettid", "g", 0), ulps[3]!.tid);
    for (const none of [3, -1, 1000]) assert.equal(await on(0, "gettid", "g", none), PvmNoInst.code);
    for (const i of [1, 2, 3]) assert.equal(await on(i, "lvgroup", "g"), 0);
    assert.equal(await on(0, "gsize", "g"), PvmNoGroup.code);
    assert.equal(p.library.w[HEAD.groups], 0);
    assert.equal(await on(2, "joingroup", "g"), 0);
    assert.deepEqual(p.printed, []);
    await end();
  },
);

both("a name that is none, or of no group, is an error that is remembered and not printed", async (home) => {
  const { p, ulps, on, end, call } = folk(home, 1);
  const [a] = ulps as [Actor];
  const routines = ["joingroup", "lvgroup", "getinst", "gettid", "barrier", "freezegroup", "bcast"];
  for (const routine of routines) {
    for (const bad of [0, a.text("")])
      assert.equal(await call(a, `pvm_${routine}`, bad, 1), PvmNullGroup.code);
    assert.equal(await call(a, `pvm_${routine}`, 0x7fff0000, 1), PvmBadParam.code);
    if (routine !== "joingroup") assert.equal(await on(0, routine, "none", 1), PvmNoGroup.code);
  }
  assert.equal(await on(0, "gsize", "none"), PvmNoGroup.code);
  assert.equal(await call(a, "pvm_gsize", 0), 1);
  assert.equal(await call(a, "pvm_gsize", a.text("")), 1);
  assert.equal(await call(a, "pvm_gsize", -5), PvmBadParam.code);
  assert.equal(p.library.w[a.ulp + ULP.errno], PvmBadParam.code);
  assert.deepEqual(p.printed, []);
  await end();
});

both("names may be LIMITS.groupNameBytes long, and differ in their last byte", async (home) => {
  const { on, end } = folk(home, 2);
  const long = "n".repeat(LIMITS.groupNameBytes - 1);
  assert.equal(await on(0, "joingroup", `${long}a`), 0);
  assert.equal(await on(1, "joingroup", `${long}b`), 0);
  assert.equal(await on(1, "gsize", `${long}a`), 1);
  assert.equal(await on(1, "joingroup", `${long}ab`), PvmBadParam.code);
  assert.equal(await on(0, "joingroup", "né"), 0);
  assert.equal(await on(1, "gsize", "né"), 1);
  await end();
});

test("there are LIMITS.groups groups at most, each found by its name, and none is left over", () => {
  const { ulps, on, end } = people(1, { heapBytes: 64 << 20 });
  const [a] = ulps as [Actor];
  for (let i = 0; i < LIMITS.groups; i++) {
    assert.equal(on(0, "joingroup", `group ${i}`), 0);
  }
  assert.equal(on(0, "joingroup", "one more"), PvmOutOfRes.code);
  assert.equal(on(0, "gettid", "group 777", 0), a.tid);
  assert.equal(on(0, "lvgroup", "group 777"), 0);
  assert.equal(on(0, "joingroup", "one more"), 0);
  end();
});

test("a full heap is PvmNoMem for who joins, and leaves no half group", () => {
  const { p, ulps, on, end } = people(2, { heapBytes: 4 << 20 });
  const [a, b] = ulps as [Actor, Actor];
  on(1, "joingroup", "there");
  let code = 0;
  let i = 0;
  for (; code >= 0; i++) code = on(0, "joingroup", `${"long".repeat(100)} ${i}`);
  assert.equal(code, PvmNoMem.code);
  const groups = p.library.w[HEAD.groups]!;
  assert.equal(on(0, "gsize", `${"long".repeat(100)} ${i - 1}`), PvmNoGroup.code);
  uterminate(p.engines[0]!, a.ulp, 0);
  assert.equal(p.library.w[HEAD.groups], 1);
  assert.ok(groups > 1000);
  assert.equal(b.call("pvm_getinst", b.text("there"), b.tid), 0);
  end();
});

both("a member that ends, or leaves PVM, leaves its groups", async (home) => {
  const { ulps, on, end, call, ends } = folk(home, 3);
  for (const i of [0, 1, 2]) for (const name of ["a", "b"]) assert.equal(await on(i, "joingroup", name), i);
  await ends(ulps[1]!);
  assert.equal(await call(ulps[2]!, "pvm_exit"), 0);
  assert.equal(await on(0, "gsize", "a"), 1);
  assert.equal(await on(0, "gettid", "b", 2), PvmNoInst.code);
  assert.equal(await on(2, "lvgroup", "a"), PvmNotInGroup.code);
  assert.equal(await on(2, "joingroup", "b"), 1);
  await end();
});

both("a barrier lets its members go on together, as often as it is passed", async (home) => {
  const { p, on, ulps, end } = folk(home, 3);
  for (const i of [0, 1, 2]) await on(i, "joingroup", "g");
  for (let round = 0; round < 3; round++) {
    assert.equal(await on(round, "barrier", "g", 3), SUSPEND);
    assert.equal(await on((round + 1) % 3, "barrier", "g", -1), SUSPEND);
    assert.equal(getState(p.library.w, ulps[round]!.ulp), ULP_STATE.blocked);
    assert.equal(await on((round + 2) % 3, "barrier", "g", 3), 0);
    assert.equal(ulps[round]!.resumed(), 0);
    assert.equal(ulps[(round + 1) % 3]!.resumed(), 0);
  }
  assert.equal(await on(0, "barrier", "g", 1), 0);
  await end();
});

both("a wrong count is PvmMismatch and disturbs nobody who waits", async (home) => {
  const { on, ulps, end } = folk(home, 4);
  for (const i of [0, 1, 2]) await on(i, "joingroup", "g");
  assert.equal(await on(3, "barrier", "g", 1), PvmNotInGroup.code);
  for (const count of [0, -2]) assert.equal(await on(0, "barrier", "g", count), PvmMismatch.code);
  assert.equal(await on(0, "barrier", "g", 2), SUSPEND);
  for (const count of [3, 1, 0, -1, -5]) assert.equal(await on(1, "barrier", "g", count), PvmMismatch.code);
  assert.equal(await on(1, "barrier", "g", 2), 0);
  assert.equal(ulps[0]!.resumed(), 0);
  await end();
});

both("-1 is the number of members at that moment: a member that came since is a mismatch", async (home) => {
  const { on, ulps, end } = folk(home, 3);
  await on(0, "joingroup", "g");
  await on(1, "joingroup", "g");
  assert.equal(await on(0, "barrier", "g", -1), SUSPEND);
  await on(2, "joingroup", "g");
  assert.equal(await on(2, "barrier", "g", -1), PvmMismatch.code);
  assert.equal(await on(1, "barrier", "g", 2), 0);
  assert.equal(ulps[0]!.resumed(), 0);
  await end();
});

test("who waits in a dynamic group's barrier waits on when members leave or end, and the report has their count", () => {
  const { p, on, ulps, end } = people(5);
  const { w } = p.library;
  for (const i of [0, 1, 2, 3]) on(i, "joingroup", "work");
  for (const i of [0, 1, 2]) assert.equal(on(i, "barrier", "work", 4), SUSPEND);
  assert.equal(
    doingText(w, ulps[0]!.ulp),
    'waits in pvm_barrier of group "work": 3 of 4 have come, it has 4 members',
  );
  on(3, "lvgroup", "work");
  uterminate(p.engines[0]!, ulps[1]!.ulp, 3);
  assert.match(doingText(w, ulps[2]!.ulp), /: 2 of 4 have come, it has 2 members$/);
  assert.equal(on(3, "joingroup", "work"), 1);
  assert.equal(on(3, "barrier", "work", 4), SUSPEND);
  uterminate(p.engines[0]!, ulps[3]!.ulp, 3);
  assert.equal(on(4, "joingroup", "work"), 1);
  assert.equal(on(4, "barrier", "work", 4), SUSPEND);
  assert.match(doingText(w, ulps[4]!.ulp), /: 3 of 4 have come, it has 3 members$/);
  // Whoever is last to come or first to go: nobody who has ended is woken, and nothing is left over.
  uterminate(p.engines[0]!, ulps[4]!.ulp, 0);
  uterminate(p.engines[0]!, ulps[0]!.ulp, 0);
  assert.match(doingText(w, ulps[2]!.ulp), /: 1 of 4 have come, it has 1 member$/);
  end();
});

both("freezing waits for all, and fixes who is in the group", async (home) => {
  const { on, ulps, end } = folk(home, 4);
  for (const i of [0, 1, 2]) await on(i, "joingroup", "g");
  await on(1, "lvgroup", "g");
  await on(3, "joingroup", "g");
  assert.equal(await on(1, "freezegroup", "g", 3), PvmNotInGroup.code);
  for (const size of [0, -2]) assert.equal(await on(0, "freezegroup", "g", size), PvmMismatch.code);
  assert.equal(await on(0, "freezegroup", "g", 3), SUSPEND);
  assert.equal(await on(2, "freezegroup", "g", 2), PvmMismatch.code);
  assert.equal(await on(2, "freezegroup", "g", 3), SUSPEND);
  assert.equal(await on(3, "freezegroup", "g", -1), 3);
  assert.deepEqual([ulps[0]!.resumed(), ulps[2]!.resumed()], [3, 3]);
  assert.equal(await on(0, "freezegroup", "g", 3), PvmDupGroup.code);
  assert.equal(await on(1, "joingroup", "g"), PvmNotInGroup.code);
  assert.equal(await on(1, "gsize", "g"), 3);
  assert.equal(await on(0, "joingroup", "g"), PvmNotInGroup.code);
  await end();
});

/** A frozen group "g" of ULPs 0, 1, 2; ULP 3 is outside. */
async function frozen(home: Home): Promise<Folk> {
  const made = folk(home, 4);
  for (const i of [0, 1, 2]) await made.on(i, "joingroup", "g");
  for (const i of [0, 1]) assert.equal(await made.on(i, "freezegroup", "g", -1), SUSPEND);
  assert.equal(await made.on(2, "freezegroup", "g", -1), 3);
  return made;
}

both(
  "a frozen group that loses a member is defunct: its barrier gives PvmNoGroup, also to who waits",
  async (home) => {
    for (const how of ["leaves", "ends"]) {
      const { on, ulps, end, ends } = await frozen(home);
      for (const i of [0, 1]) assert.equal(await on(i, "barrier", "g", -1), SUSPEND);
      if (how === "leaves") assert.equal(await on(2, "lvgroup", "g"), 0);
      else await ends(ulps[2]!);
      assert.deepEqual([ulps[0]!.resumed(), ulps[1]!.resumed()], [PvmNoGroup.code, PvmNoGroup.code]);
      assert.equal(await on(1, "barrier", "g", 3), PvmNoGroup.code);
      assert.equal(await on(3, "barrier", "g", 3), PvmNotInGroup.code);
      assert.equal(await on(3, "joingroup", "g"), PvmNotInGroup.code);
      // Its members see what they froze, others what is left.
      assert.equal(await on(0, "gsize", "g"), 3);
      assert.equal(await on(3, "gsize", "g"), 2);
      assert.equal(await on(0, "gettid", "g", 2), ulps[2]!.tid);
      assert.equal(await on(3, "gettid", "g", 2), PvmNoInst.code);
      assert.equal(await on(0, "getinst", "g", ulps[2]!.tid), 2);
      assert.equal(await on(3, "getinst", "g", ulps[2]!.tid), PvmNotInGroup.code);
      for (const i of [0, 1]) assert.equal(await on(i, "lvgroup", "g"), 0);
      assert.equal(await on(0, "gsize", "g"), PvmNoGroup.code);
      assert.equal(await on(3, "joingroup", "g"), 0);
      await end();
    }
  },
);

both("a broadcast goes to all members but the caller, who need not be one", async (home) => {
  const { p, ulps, on, end } = folk(home, 4);
  for (const i of [0, 1, 2]) await on(i, "joingroup", "g");
  await on(1, "lvgroup", "g");
  const send = async (i: number, tag: number): Promise<number> => {
    ulps[i]!.call("pvm_initsend", 0);
    ulps[i]!.call("pvm_pkint", 0, 1, 1);
    return await on(i, "bcast", "g", tag);
  };
  const got = (tag: number): number[] =>
    ulps.flatMap((u, i) => (u.call("pvm_nrecv", -1, tag) > 0 ? [i] : []));
  assert.equal(await send(0, 5), 0);
  assert.deepEqual(got(5), [2]);
  assert.equal(await send(3, 6), 0);
  assert.deepEqual(got(6), [0, 2]);
  assert.equal(await send(0, -1), PvmBadParam.code);
  ulps[0]!.call("pvm_freebuf", ulps[0]!.call("pvm_getsbuf"));
  assert.equal(await on(0, "bcast", "g", 5), PvmNoBuf.code);
  // As PVM prints it, whose pvm_bcast is a call of pvm_mcast.
  const said = p.printed.filter(({ fd }) => fd === 2).map(({ text }) => text.replace(/\[.*\]/, "[TID]"));
  assert.deepEqual(said, [
    "libpvm [TID]: pvm_mcast(): Bad parameter\n",
    "libpvm [TID]: pvm_mcast(): No current buffer\n",
  ]);
  await on(2, "lvgroup", "g");
  assert.equal(await send(0, 5), PvmNoInst.code);
  await end();
});

test("members on other engines are woken there", () => {
  const { p, on, ulps, end } = people(4, { engines: 2, place: PLACEMENT.block });
  const { w } = p.library;
  const [first, second] = p.engines as [Process["engines"][0], Process["engines"][0]];
  assert.deepEqual(
    ulps.map(({ ulp }) => w[ulp + ULP.engine]),
    [0, 0, 1, 1],
  );
  for (const i of [0, 1, 2, 3]) assert.equal(on(i, "joingroup", "g"), i);
  for (const i of [0, 2, 3]) assert.equal(on(i, "barrier", "g", 4), SUSPEND);
  assert.equal(on(1, "barrier", "g", 4), 0);
  assert.equal(ulps[0]!.resumed(), 0);
  assert.equal(getState(w, ulps[2]!.ulp), ULP_STATE.blocked);
  assert.equal(doingText(w, ulps[2]!.ulp), "goes on after pvm_barrier");
  // Ended before its engine has looked: it is not woken.
  uterminate(second, ulps[3]!.ulp, 9);
  serveWakes(second);
  assert.equal(ulps[2]!.resumed(), 0);
  assert.equal(getState(w, ulps[3]!.ulp), ULP_STATE.exited);
  assert.equal(on(0, "gsize", "g"), 3);
  // A message wakes nobody who waits in a barrier.
  assert.equal(on(2, "barrier", "g", 2), SUSPEND);
  ulps[0]!.call("pvm_initsend", 0);
  ulps[0]!.call("pvm_send", ulps[2]!.tid, 0);
  serveWakes(second);
  assert.equal(getState(w, ulps[2]!.ulp), ULP_STATE.blocked);
  assert.equal(on(0, "barrier", "g", 2), 0);
  serveWakes(second);
  assert.equal(ulps[2]!.resumed(), 0);
  assert.ok(ulps[2]!.call("pvm_nrecv", -1, 0) > 0);
  serveWakes(first);
  end();
});

test("the dump tells of groups", () => {
  const { p, on, ulps, end } = people(3);
  for (const i of [0, 1, 2]) on(i, "joingroup", "g");
  on(1, "lvgroup", "g");
  on(0, "barrier", "g", 2);
  const dump = dumpOf(p.library);
  const [one, , three] = ulps.map(({ tid }) => tid);
  assert.deepEqual(dump.groups, [
    { name: "g", members: 2, frozen: 0, instances: [one, 0, three], barrier: [2, 1], freeze: [0, 0] },
  ]);
  assert.match(dumpText(dump), /\n {2}group "g": members 2, dynamic, 1 in its barrier\n/);
  end();
});

both("the collectives' checks name the routine, and say who the caller is", async (home) => {
  const { p, ulps, on, end, call } = folk(home, 3);
  const [a] = ulps as [Actor];
  const name = a.text("pvm_gather", 0x200);
  const check = (group: string, root = 0, count = 1, type = 3, tag = 9): Promise<number> =>
    call(a, "pvm_collective", name, a.text(group), root, count, type, tag);
  assert.equal(await check("g"), PvmNoGroup.code);
  assert.match(p.printed.at(-1)!.text, /pvm_gather\(\): No such group/);
  await on(1, "joingroup", "g");
  assert.equal(await check("g"), PvmNotInGroup.code);
  await on(0, "joingroup", "g");
  assert.equal(await check("g"), 1);
  assert.equal(await check(""), PvmNullGroup.code);
  assert.equal(await check("g", 2), PvmNoInst.code);
  assert.equal(await check("g", 0, 0), PvmBadParam.code);
  for (const type of [-1, 9, 10, 11, 77]) assert.equal(await check("g", 0, 1, type), PvmBadParam.code);
  assert.equal(await check("g", 0, 1, 3, -1), PvmBadParam.code);
  for (const type of [0, 8, 12]) assert.equal(await check("g", 0, 1, type), 1);
  const printed = p.printed.length;
  assert.equal(await on(0, "group_tids", "g", 0x300, 1), 2);
  assert.equal(a.view.getInt32(0x300, true), ulps[1]!.tid);
  assert.equal(await on(0, "group_tids", "g", 0, 0), 2);
  assert.equal(await on(0, "group_tids", "g", 0, 2), PvmBadParam.code);
  await on(1, "lvgroup", "g");
  await on(2, "joingroup", "h");
  await on(2, "joingroup", "g");
  await on(1, "joingroup", "g");
  await on(2, "lvgroup", "g");
  assert.equal(await on(0, "group_tids", "g", 0x300, 3), 3);
  assert.deepEqual(
    [0x300, 0x304, 0x308].map((at) => a.view.getInt32(at, true)),
    [0, a.tid, ulps[1]!.tid],
  );
  assert.equal(p.printed.length, printed);
  assert.equal(a.call("pvm_fail", name, PvmBadParam.code), PvmBadParam.code);
  assert.match(p.printed.at(-1)!.text, /libpvm \[t40001\]: pvm_gather\(\): Bad parameter/);
  await end();
});

test("with one process for each ULP there are no groups", () => {
  const { on, ulps } = people(2, { outside: true });
  assert.equal(on(0, "joingroup", "g"), PvmNotImpl.code);
  assert.equal(on(0, "barrier", "g", 1), PvmNotImpl.code);
  assert.equal(ulps[0]!.call("pvm_gsize", 0), 2);
});

test.run();
