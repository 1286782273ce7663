/**
 * Live migration as a user has it: real daemons in homes of their own, programs that run on three hosts, ULPs that move all
 * the time, hosts' processes that are killed meanwhile.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import { EXIT } from "../../wire/errors.ts";
import { Hosts, withHosts } from "../hosts.ts";
import { Orders } from "../migrations.ts";

const NAMES = ["a", "b", "c"];

/** Calls `use` with three hosts in service, and a way to order moves. */
const withThree = (use: (hosts: Hosts, orders: Orders, pids: readonly number[]) => Promise<void>) =>
  withHosts(async (hosts) => {
    const started = await hosts.all(...NAMES);
    const orders = await Orders.to(hosts.home("a"));
    try {
      await use(
        hosts,
        orders,
        started.map(({ pid }) => pid),
      );
    } finally {
      orders.close();
    }
    assert.equal((await hosts.on("a", ["halt"])).code, EXIT.ok);
  });

/** So many moves of each program are to be seen, in as many runs as that takes: a machine that is busy may have few in one. */
const MOVES = 5;

/** Lines of the output, without what is a time. */
const lines = (text: string): string[] =>
  text
    .replace(/[0-9.]+ (us|ms|s|Mflops)\b/g, "")
    .split("\n")
    .sort();

test("programs print the same, to the bit, though their ULPs are moved at random all the time", () =>
  withThree(async (hosts, orders) => {
    const programs = [
      ["guest/examples/ring.ts", "-n", "6", "--", "100"],
      ["guest/examples/laplace.c", "-n", "5", "--", "--sweeps", "500", "--no-check"],
      ["guest/examples/opt.c", "-n", "4", "--", "--size", "60000", "--iterations", "3"],
      ["test/guests/wander.c", "-n", "6", "--", "40"],
      ["test/guests/attend.c", "-n", "5", "--", "100"],
    ];
    for (const [seed, words] of programs.entries()) {
      // Every other one with links through the daemons.
      const route = ["daemons", "direct"][seed % 2]!;
      const here = await hosts.on("a", ["run", "--local", ...words]);
      assert.equal(here.code, EXIT.ok, here.err);
      let moved = 0;
      const refused = new Set<string>();
      for (let run = 0; moved < MOVES; run++) {
        let over = false;
        const running = hosts.on("a", ["run", "--route", route, ...words]).finally(() => {
          over = true;
        });
        await orders.storm(
          NAMES,
          seed + run * programs.length,
          3,
          () => over,
          (row) => {
            if (row.refused === undefined) moved += 1;
            else refused.add(row.refused.code);
          },
        );
        const there = await running;
        assert.equal(there.code, EXIT.ok, there.err);
        assert.deepEqual(lines(there.out), lines(here.out), `${words[0]}, moved ${moved} times`);
      }
      // Nothing else is a reason: all hosts are there.
      for (const code of ["already", "moving", "ended", "noTask", "notHere", "noProcess"])
        refused.delete(code);
      assert.deepEqual([...refused], []);
    }
  }));

/** Processes that a pvmd has started. */
const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);

test("a killed process takes its ULPs with it and no others, whatever was on its way to it or from it", () =>
  withThree(async (hosts, orders, pids) => {
    if (!existsSync("/proc/self/task")) return;
    const program = ["test/guests/wander.c", "-n", "8"];
    const words = ["--", "60", "100000"];
    const here = await hosts.on("a", ["run", "--local", ...program, ...words]);
    const expected = new Set(lines(here.out));
    const door = hosts.home("door");
    for (const seed of [1, 2, 3]) {
      rmSync(door, { recursive: true, force: true });
      mkdirSync(door);
      // Those of the job before have ended: the only one of a host is of this job.
      await hosts.until(() => pids.every((pid) => childrenOf(pid).length === 0));
      let over = false;
      // None ends before the door is there: there are moves until the kill, and ULPs that it falls upon.
      const open = ["--dir", `${door}:door`, ...words, "-", "door/open"];
      const running = hosts.on("a", ["run", ...program, ...open]).finally(() => {
        over = true;
      });
      let moved = 0;
      await orders.storm(
        NAMES,
        seed,
        2,
        () => over,
        ({ refused }) => {
          if (refused !== undefined || ++moved !== 4 * seed) return;
          process.kill(childrenOf(pids[seed % 3]!)[0]!, "SIGKILL");
          writeFileSync(join(door, "open"), "");
        },
      );
      const { code, out, err } = await running;
      assert.ok(moved >= 4 * seed, `${moved} moves`);
      const victim = NAMES[seed % 3]!;
      await hosts.until(() => /process \d+ of job \d+ was ended by SIGKILL/.test(hosts.log(victim)));
      if (out.split("\n").filter(Boolean).length < 8)
        assert.match(err, new RegExp(`its process was ended: .*; upvm log ${victim} may say more`));
      const printed = out.split("\n").filter(Boolean);
      assert.equal(new Set(printed).size, printed.length, `a ULP ended twice: ${out}`);
      for (const line of printed) assert.ok(expected.has(line), line);
      const lost = new Set([...err.matchAll(/ULP (\d+) \(t[0-9a-f]+\)/g)].map((match) => match[1]!));
      const done = new Set(printed.map((line) => /ULP (\d+)/.exec(line)![1]!));
      assert.equal(done.size + lost.size, 8, `${out}${err}`);
      assert.ok(
        [...lost].every((ulp) => !done.has(ulp)),
        `${out}${err}`,
      );
      // It may have had none just then.
      assert.equal(code, lost.size > 0 ? EXIT.failed : EXIT.ok, err);
    }
  }));

test("upvm migrate says what became of each ULP, and upvm ps where it is; hosts that leave send theirs away", () =>
  withThree(async (hosts, orders, pids) => {
    const running = hosts.on("b", ["run", "test/guests/wander.c", "-n", "3", "--", "100000000"]);
    interface Task {
      readonly tid: string;
      readonly host: string;
    }
    const tasks = async () => JSON.parse((await hosts.on("c", ["ps", "--json"])).out) as Task[];
    await hosts.until(async () => (await tasks()).length === 3);
    const [first] = await tasks();
    const to = first!.host === "c" ? "b" : "c";
    const moved = await hosts.on("b", ["migrate", first!.tid, to, "--json"]);
    const [row] = JSON.parse(moved.out) as Record<string, unknown>[];
    assert.equal(moved.code, EXIT.ok, moved.out);
    assert.deepEqual([row!["tid"], row!["from"], row!["to"]], [first!.tid, first!.host, to]);
    for (const field of ["bytes", "obtrusiveMs", "migrationMs"]) assert.ok(Number(row![field]) > 0, field);
    assert.equal((await tasks()).find(({ tid }) => tid === first!.tid)!.host, to);
    // All that there are on a host, and one that is there already.
    const all = await hosts.on("a", ["migrate", "--all-from", to, first!.host]);
    assert.equal(all.code, EXIT.ok, all.err);
    assert.match(all.out, /moved from \w+ to \w+: \d+ bytes, obtrusive [\d.]+ ms, migration [\d.]+ ms/);
    const none = await hosts.on("a", ["migrate", "--all-from", to, first!.host]);
    assert.equal(none.code, EXIT.ok);
    assert.match(none.err, new RegExp(`${to} has no ULPs: nothing was moved`));
    const again = await hosts.on("a", ["migrate", first!.tid, "t7ffffff", first!.host]);
    assert.equal(again.code, EXIT.failed);
    assert.match(
      again.err,
      new RegExp(`Cannot migrate ${first!.tid} to ${first!.host}: it is there already`),
    );
    assert.match(again.err, /Cannot migrate t7ffffff to \w+: there is no such task/);
    const nowhere = await hosts.on("a", ["migrate", first!.tid, "nowhere"]);
    assert.equal(nowhere.code, EXIT.failed);
    assert.match(nowhere.err, /nowhere: the virtual machine has no host of that name/);
    const bad = await hosts.on("a", ["migrate", "seven", "b"]);
    assert.equal(bad.code, EXIT.usage);
    const onB = (await tasks()).filter(({ host }) => host === "b").map(({ tid }) => tid);
    assert.equal(onB.length, 1);
    const deleted = await hosts.on("a", ["delete", "b"]);
    assert.equal(deleted.code, EXIT.ok, deleted.err);
    assert.match(deleted.out, new RegExp(`^${onB[0]} moved from b to (a|c)\nb was deleted\n$`));
    assert.equal(Hosts.runs(pids[1]!), false);
    assert.match((await hosts.on("a", ["migrate", onB[0]!, "b"])).err, /has no host of that name/);
    // The system may end a daemon too: its ULPs go on elsewhere.
    await orders.migrate(
      (await orders.tasks()).map(({ tid }) => tid),
      "c",
    );
    assert.equal((await tasks()).filter(({ host }) => host === "c").length, 3);
    process.kill(pids[2]!, "SIGTERM");
    await hosts.until(() => !Hosts.runs(pids[2]!));
    const left = JSON.parse((await hosts.on("a", ["ps", "--json"])).out) as Task[];
    assert.deepEqual(
      left.map(({ host }) => host),
      ["a", "a", "a"],
      hosts.log("a"),
    );
    // It would go on for hours: however fast the machine, all of this was asked while it ran.
    assert.equal((await hosts.on("a", ["kill", "1"])).code, EXIT.ok);
    assert.doesNotMatch((await running).err, /ended with its process|process was ended/);
  }));

test.run();
