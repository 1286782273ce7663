/** The master's part in jobs, with processes and commands that are this test: what is asked, refused, told, handed over. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { MemoryStore } from "../../pvmd/memory-store.ts";
import { moveWorld } from "../../pvmd/move-orders.ts";
import type { JobWish } from "../../wire/job.ts";
import { LINK_ABI } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { PVM_ERROR, tidBaseOf, tidOf } from "../../wire/pvm.ts";
import { fails, hashOf, Member, MODULE, running, settled, World, wish } from "../master-world.ts";

const resultOf = ({ bytes }: { bytes: Uint8Array }): unknown => JSON.parse(new TextDecoder().decode(bytes));

test("a job begins on all hosts, and its command gets what each process sends at the end", async () => {
  const { world, over, members } = await running();
  assert.deepEqual(world.started, ["0 of 1 on a", "1 of 1 on b"]);
  assert.deepEqual(members[1].told, ["begin tcp:a:1,tcp:b:2"]);
  const fetched = await members[1].rpc.request("module", { hash: hashOf(MODULE) });
  assert.deepEqual([...fetched.bytes], [...MODULE]);
  assert.equal((await members[0].rpc.request("locate", { tid: tidOf(1) })).body.member, 1);
  const place = async (tid: number) => (await members[1].rpc.request("locate", { tid })).body.member;
  assert.deepEqual([await place(tidOf(2)), await place(tidOf(0, tidBaseOf(2)))], [-2, -1]);
  await members[0].end(0);
  assert.equal(await place(tidOf(0)), -1);
  await members[1].end(1);
  assert.deepEqual(members[0].told.slice(1), ["finish"]);
  for (const { rpc } of members)
    await rpc.request("processResult", {}, new TextEncoder().encode(`{"n":${rpc.link.peer.host.length}}`));
  assert.deepEqual(resultOf(await over), { results: [{ n: 1 }, { n: 1 }], rest: { lost: [], killed: [] } });
  assert.deepEqual(world.master.jobs.all(), []);
});

test("processes of a job link by TLS if a host of the virtual machine listens by TLS, unless the job says how", async () => {
  const linksOf = async (link: JobWish["link"], ...addresses: string[]): Promise<string[]> => {
    const world = new World();
    world.modules.set(hashOf(MODULE), MODULE);
    world.addresses.splice(0, 2, ...addresses);
    const command = world.command({ jobBegun: () => ({ body: undefined }) });
    void command.request("run", wish({ link }), undefined, 0).catch(() => {});
    await settled();
    command.cut();
    return world.links;
  };
  assert.deepEqual(await linksOf("auto", "tls:a:1", "tls:b:1"), ["tls", "tls"]);
  assert.deepEqual(await linksOf("auto", "tcp:127.0.0.1:1", "tls:b:1"), ["tls", "tls"]);
  assert.deepEqual(await linksOf("auto", "tcp:a:1", "tcp:b:1"), ["tcp", "tcp"]);
  assert.deepEqual(await linksOf("tcp", "tls:a:1", "tls:b:1"), ["tcp", "tcp"]);
  assert.deepEqual(await linksOf("unix", "tcp:a:1", "tcp:b:1"), ["unix", "unix"]);
});

test("a process that does not answer is named where tasks are listed, and the others' are there", async () => {
  const { world, command, members, over } = await running();
  members[1].answers = false;
  const asked = command.request("tasks", {});
  await settled();
  for (const run of world.late.splice(0)) run();
  const rows = (await asked).body.tasks.map(({ tid, host, state, doing, program }) => [
    tid,
    host,
    state,
    doing,
    program,
  ]);
  assert.deepEqual(rows, [
    [tidOf(0), "a", "blocked", "waits", "p"],
    [tidOf(1), "b", "unknown", "its process does not answer", "p"],
  ]);
  void over.catch(() => {});
  command.cut();
});

test("output goes to the command, and more comes only when it has taken that; so does input", async () => {
  let taken = (): void => {};
  const { members, over, command } = await running({
    jobOutput: async (_, bytes) => {
      assert.equal(new TextDecoder().decode(bytes), "hi\n");
      await new Promise<void>((go) => {
        taken = go;
      });
      return { body: {} };
    },
    jobInput: ({ bytes }) => ({ body: {}, bytes: new Uint8Array(bytes).fill(65) }),
  });
  let done = false;
  const sent = members[0].rpc.request(
    "output",
    { pieces: [[1, tidOf(0), 3]] },
    new TextEncoder().encode("hi\n"),
  );
  void sent.then(() => {
    done = true;
  });
  await settled();
  assert.equal(done, false);
  taken();
  await sent;
  await members[0].rpc.request("ulpAsk", { kind: "input", tid: tidOf(0), serial: 1, body: { bytes: 2 } });
  await settled();
  assert.deepEqual(members[0].told.at(-1), "answer input 2");
  void over.catch(() => {});
  command.cut();
});

test("what cannot be run is refused by name, and nothing is left", async () => {
  const world = new World();
  const command = world.command();
  await fails(command.request("run", wish()), /there is no module 0+1/);
  await fails(command.request("putModule", { hash: hashOf(MODULE) }, new Uint8Array([9])), /hash is another/);
  await command.request("putModule", { hash: hashOf(MODULE) }, MODULE);
  assert.equal((await command.request("hasModule", { hash: hashOf(MODULE) })).body.has, true);
  await fails(command.request("run", wish({ hosts: ["a", "x"] })), /Cannot run on x: /);
  world.broken.push("b");
  await fails(command.request("run", wish()), /its process on b has ended: .*no memory/);
  assert.deepEqual(world.killed, ["1 of 1 on b", "0 of 1 on a"]);
  assert.deepEqual(world.master.jobs.all(), []);
});

test("a process that cannot begin says why, and that is what the command is told", async () => {
  const world = new World();
  world.modules.set(hashOf(MODULE), MODULE);
  const over = world.command().request("run", wish(), undefined, 0);
  await settled();
  const member = new Member(world, "a", 1, 0);
  await member.rpc.request("processHello", { address: "x", abi: LINK_ABI });
  member.rpc.tell("processFailed", { code: "HEAP_FULL", facts: { index: 3, mb: 4 }, text: "full" });
  await fails(over, /Cannot create ULP 3: the process heap of 4 MB is full/);
  assert.deepEqual(world.master.jobs.all(), []);
});

test("a process whose upvm links programs otherwise is refused by name", async () => {
  const world = new World();
  world.modules.set(hashOf(MODULE), MODULE);
  const over = world.command().request("run", wish(), undefined, 0);
  await settled();
  const { rpc } = new Member(world, "b", 1, 1);
  await fails(
    rpc.request("processHello", { address: "x", abi: LINK_ABI + 1 }),
    new RegExp(`Cannot run a job on b: its upvm has version ${LINK_ABI + 1}`),
  );
  rpc.cut();
  // Its process ends, as that of any that cannot begin.
  void over.catch(() => {});
});

test("processes that never come are not waited for for ever", async () => {
  const world = new World();
  world.modules.set(hashOf(MODULE), MODULE);
  const over = world.command().request("run", wish(), undefined, 0);
  await settled();
  world.nowMs = LIMITS.jobStartMs;
  world.master.tick();
  await fails(over, /not all of its processes were ready within/);
});

test("who is no process of a job that waits for it gets nothing, and a request with other fields is refused", async () => {
  const { world, members, over, command } = await running();
  const late = new Member(world, "b", 1, 1);
  await fails(
    late.rpc.request("processHello", { address: "x", abi: LINK_ABI }),
    /job 1 does not wait for member 1/,
  );
  await fails(
    new Member(world, "b", 7, 0).rpc.request("processHello", { address: "x", abi: LINK_ABI }),
    /job 7 does not wait/,
  );
  const ask = { kind: "kill", tid: tidOf(0), serial: 1 } as const;
  await fails(members[0].rpc.request("ulpAsk", { ...ask, body: { task: "all" } }), /kill has other fields/);
  await fails(
    members[0].rpc.request("ulpAsk", { ...ask, body: { task: 1, more: 2 } }),
    /kill has other fields/,
  );
  await fails(world.command().request("module", { hash: hashOf(MODULE) }), /may not ask for it/);
  void over.catch(() => {});
  command.cut();
});

test("a process that is gone takes its tasks along: the others and the command are told", async () => {
  const { world, members, over } = await running();
  members[1].rpc.cut();
  await settled();
  assert.deepEqual(members[0].told.slice(1), ["lost 1"]);
  assert.deepEqual(world.killed, ["1 of 1 on b"]);
  assert.equal(world.machine.router.has(tidOf(1)), false);
  await members[0].end(0);
  await members[0].rpc.request("processResult", {}, new TextEncoder().encode("{}"));
  const { rest } = resultOf(await over) as { rest: { lost: [number, string][] } };
  assert.equal(rest.lost[0]![0], tidOf(1));
});

test("of two processes whose link breaks one is ended, also while a ULP of that one is on its way", async () => {
  const { world, members, over, command } = await running({}, { moveOrder: () => new Promise(() => {}) });
  void command.request("migrate", { tids: [tidOf(1)], to: "a" }, undefined, 0).catch(() => {});
  await settled();
  members[0].rpc.tell("peerLost", { member: 1, why: "reset" });
  members[1].rpc.tell("peerLost", { member: 0, why: "reset" });
  await settled();
  assert.deepEqual(world.killed, ["1 of 1 on b"]);
  assert.equal(world.master.jobs.get(1)!.members[0]!.at, "running");
  void over.catch(() => {});
  command.cut();
});

test("why a process is gone is told: its host's end, or a link that another has lost", async () => {
  const whyOf = async (lose: (world: World, other: Member) => void): Promise<string> => {
    const { world, members, over } = await running();
    lose(world, members[0]);
    members[1].rpc.cut();
    await settled();
    await members[0].end(0);
    await members[0].rpc.request("processResult", {}, new TextEncoder().encode("{}"));
    return (resultOf(await over) as { rest: { lost: [number, string][] } }).rest.lost[0]![1];
  };
  const deleted = await whyOf((world) => void world.leaving.push("b"));
  assert.equal(deleted, "host b was deleted, or has left");
  const lost = await whyOf((_, other) => other.rpc.tell("peerLost", { member: 1, why: "cut" }));
  assert.match(lost, /^a has lost the link to it: cut; upvm log b may say more$/);
});

test("a ULP that is moved to a host where its process begins just now is told so, and not that it never can be", async () => {
  const world = new World();
  world.modules.set(hashOf(MODULE), MODULE);
  const command = world.command();
  void command.request("run", wish(), undefined, 0).catch(() => {});
  await settled();
  const moves = moveWorld(
    world.master.jobs,
    { store: new MemoryStore(), after: () => {}, hosts: () => world.hosts, isLeaving: () => false },
    async () => undefined,
  );
  assert.match(String(await moves.memberOn(1, "b")), /^that begins just now; try again/);
  command.cut();
});

test("a command that goes away stops its jobs, and no other's", async () => {
  const { world, members, over, command } = await running();
  void over.catch(() => {});
  world.command().cut();
  await settled();
  assert.equal(members[0].told.length, 1);
  command.cut();
  await settled();
  assert.deepEqual(
    [members[0].told.at(-1), members[1].told.at(-1)],
    ["stop interrupted", "stop interrupted"],
  );
  world.nowMs += LIMITS.jobStopMs;
  world.master.tick();
  assert.deepEqual(world.master.jobs.all(), []);
  assert.equal(world.killed.length, 2);
});

test("a command that goes, or is interrupted, before its job has begun gets none, and nothing starts", async () => {
  const begin = async (between: (command: ReturnType<World["command"]>) => void) => {
    const world = new World();
    world.modules.set(hashOf(MODULE), MODULE);
    let find = (): void => {};
    world.slow = new Promise((go) => {
      find = go;
    });
    const command = world.command();
    const over = command.request("run", wish(), undefined, 0).then(resultOf, () => "no answer");
    await settled();
    between(command);
    await settled();
    find();
    await settled();
    assert.deepEqual([world.master.jobs.all(), world.started], [[], []]);
    return over;
  };
  assert.equal(await begin((command) => command.cut()), "no answer");
  const none = { results: [], rest: { lost: [], killed: [], stopped: "interrupted" } };
  assert.deepEqual(await begin((command) => command.tell("interrupt", {})), none);
});

test("a command that is interrupted before it asks for its job, while its module comes, gets none", async () => {
  const world = new World();
  const command = world.command();
  command.tell("interrupt", {});
  await command.request("putModule", { hash: hashOf(MODULE) }, MODULE);
  const { rest } = resultOf(await command.request("run", wish(), undefined, 0)) as { rest: object };
  assert.deepEqual(rest, { lost: [], killed: [], stopped: "interrupted" });
  assert.deepEqual(world.started, []);
});

test("a program is asked of the command once, and all processes get it as the same row", async () => {
  const asked: string[] = [];
  const { world, members, over, command } = await running({
    jobProgram: ({ name }) => {
      asked.push(name);
      return name === "none"
        ? { body: { found: false } }
        : { body: { found: true }, bytes: new Uint8Array([7]) };
    },
  });
  const { program } = world.master.jobWorld();
  const rows = await Promise.all([program(1, "p"), program(1, "q"), program(1, "q"), program(1, "none")]);
  assert.deepEqual(rows, [0, 1, 1, PVM_ERROR.PvmNoFile.code]);
  assert.deepEqual(asked, ["q", "none"]);
  for (const { programs } of members) assert.deepEqual(programs, ["1 q"]);
  void over.catch(() => {});
  command.cut();
});

test("a program that is not there is asked for again; one that did not reach a process in time goes to that one again", async () => {
  let asked = 0;
  const loads: number[] = [];
  const { world, over, command } = await running(
    {
      jobProgram: () => {
        asked += 1;
        return asked === 1
          ? { body: { found: false } }
          : { body: { found: true }, bytes: new Uint8Array([7]) };
      },
    },
    {
      programLoad: ({ row }) => {
        loads.push(row);
        // The second process, the first time.
        return loads.length === 2 ? new Promise(() => {}) : { body: {} };
      },
    },
  );
  const { program } = world.master.jobWorld();
  assert.equal(await program(1, "q"), PVM_ERROR.PvmNoFile.code);
  const late = program(1, "q");
  await settled();
  for (const run of world.late.splice(0)) run();
  assert.equal(await late, PVM_ERROR.PvmNoFile.code);
  assert.deepEqual([await program(1, "q"), await program(1, "q")], [1, 1]);
  assert.deepEqual([asked, loads], [2, [1, 1, 1]]);
  void over.catch(() => {});
  command.cut();
});

test("a process that joins a running job is told of all, has all programs, and gets the next number", async () => {
  const { world, over, command } = await running({
    jobProgram: () => ({ body: { found: true }, bytes: new Uint8Array([7]) }),
  });
  const { program, enlist } = world.master.jobWorld();
  await program(1, "q");
  const number = enlist(1, tidBaseOf(2));
  await settled();
  assert.equal(world.started.at(-1), "2 of 1 on b");
  const third = new Member(world, "b", 1, 2);
  await third.begin("tcp:b:3");
  assert.equal(await number, 2);
  assert.deepEqual(third.told, ["begin tcp:a:1,tcp:b:2,tcp:b:3"]);
  assert.deepEqual(third.programs, ["1 q"]);
  assert.equal(await enlist(1, tidBaseOf(9)), undefined, "no such host");
  void over.catch(() => {});
  command.cut();
});

test("what a process says last counts, though its pvmd tells of its end before; one that never spoke is gone at once", async () => {
  const { world, over, members } = await running();
  const pvmd = world.peer({ role: "pvmd", vm: "lab", host: "b" });
  pvmd.tell("processEnded", { job: 1, member: 1, how: "exit code 1" });
  await settled();
  assert.equal(world.master.jobs.get(1)!.members[1]!.at, "running");
  members[1].rpc.tell("processFailed", { code: "", facts: {}, text: "the way to member 0 is barred" });
  await settled();
  assert.equal(members[0].told.at(-1), "stop failed");
  void over.catch(() => {});
  const late = world.command().request("run", wish(), undefined, 0);
  await settled();
  pvmd.tell("processEnded", { job: 2, member: 1, how: "exit code 1" });
  await fails(late, /its process on b has ended: exit code 1/);
});

test("a ULP is not moved to a host that can have no process of its job: it is told why, and the job goes on", async () => {
  const { world, over, command } = await running();
  world.hosts.push({ name: "c", tid: tidBaseOf(3), cores: 1 });
  const moved = command.request("migrate", { tids: [tidOf(0)], to: "c" }, undefined, 0);
  await settled();
  assert.equal(world.started.at(-1), "2 of 1 on c");
  const third = new Member(world, "c", 1, 2);
  const error = await third.rpc.request("processHello", { address: "x", abi: LINK_ABI + 1 }).catch(String);
  third.rpc.tell("processFailed", { code: "ABI_DIFFERS", facts: {}, text: `${error}` });
  const [row] = (await moved).body.ulps;
  assert.equal(row!.refused!.code, "noProcess");
  assert.match(row!.refused!.why, /its job has no process there: .*its upvm has version/);
  assert.equal(world.master.jobs.get(1)!.state, "running");
  world.broken.push("c");
  const again = (await command.request("migrate", { tids: [tidOf(0)], to: "c" }, undefined, 0)).body.ulps;
  assert.match(again[0]!.refused!.why, /no memory/);
  assert.equal(world.master.jobs.get(1)!.state, "running");
  void over.catch(() => {});
  command.cut();
});

test("a restart whose place in a group another job has is refused before anything starts; else it has it until it ends", async () => {
  const { world, members, over, command } = await running();
  const join = { kind: "joinGroup", tid: tidOf(0), serial: 1, body: { name: "g" } } as const;
  await members[0].rpc.request("ulpAsk", join);
  const second = world.command({ jobBegun: () => ({ body: undefined }) });
  const own = tidOf(0, tidBaseOf(5));
  const restart = (...tids: number[]) => {
    const groups = [{ name: "g", tids, frozen: 0, defunct: false, waits: [] }];
    const living = [{ tid: own, index: 0, program: 0 }];
    const programs = [{ name: "p", hash: hashOf(MODULE) }];
    const kept = { groups, hosts: [], tasks: [], wishes: [], entries: [], readers: [], contexts: [] };
    return second.request("restart", { job: 5, wish: wish(), programs, living, kept }, undefined, 0);
  };
  await fails(restart(own), /t40001 has instance 0 of group g now/);
  assert.equal(world.started.length, 2);
  void restart(0, own).catch(() => {});
  await settled();
  assert.equal(world.started.length, 4);
  const kept = async (): Promise<number[][]> => {
    const now = await world.machine.keep(5, new Set([own]));
    return typeof now === "string" ? [] : now.kept.groups.map(({ tids }) => tids);
  };
  assert.deepEqual(await kept(), [[0, own]]);
  await fails(restart(0, 0, own), /a job 5 runs, whose number it needs/);
  assert.deepEqual(await kept(), [[0, own]]);
  second.cut();
  await settled();
  assert.deepEqual(await kept(), []);
  void over.catch(() => {});
  command.cut();
});

test("a job whose processes are all idle, with nothing on its way, is stopped as a deadlock", async () => {
  const { world, members, over, command } = await running();
  for (let i = 0; i < 2; i++) {
    world.master.tick();
    await settled();
  }
  assert.equal(members[0].told.at(-1), "stop deadlock");
  const rows = (await world.command().request("tasks", {})).body.tasks;
  assert.deepEqual(
    rows.map(({ host, program, doing }) => [host, program, doing]),
    [
      ["a", "p", "waits"],
      ["b", "p", "waits"],
    ],
  );
  void over.catch(() => {});
  command.cut();
});

test.run();
