/**
 * kill -9 at each stage of a move: of the source, the destination, a bystander, and of their daemons. The process that comes to
 * the stage stops itself there (UPVM_STOP_AT, upvm/node-stop-at.ts), so that the kill falls just then, every time.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { test } from "uvu";
import { EXIT } from "../../wire/errors.ts";
import { tidText } from "../../wire/pvm.ts";
import { upvm } from "../command.ts";
import { type HostStatus, Hosts, withHosts } from "../hosts.ts";
import { Orders } from "../migrations.ts";

const PROGRAM = ["test/guests/wander.c", "-n", "3"];
/** None ends before the door is there: who is killed is never too late for its ULPs. */
const ROUNDS = ["--", "60", "100000"];
const DOOR = ["-", "door/open"];

/** The move is from host b to host c; host a, the master's, looks on. */
type Who = "a" | "b" | "c";
const KILLS: readonly (readonly [stage: string, victim: Who])[] = [
  ["freeze", "b"],
  ["judge", "c"],
  ["MIGRATING", "c"],
  ["MIGACK", "a"],
  ["ship", "b"],
  ["claim", "b"],
  ["claim", "c"],
  ["MIGRATED", "c"],
  ["free", "a"],
];

/** Of daemons: the stage, the host from which a ULP moves to host c, whose daemon is killed. The master's is the last of all. */
const DAEMON_KILLS: readonly (readonly [stage: string, from: "a" | "b", victim: "b" | "c"])[] = [
  ["judge", "b", "c"],
  ["ship", "b", "b"],
  ["ship", "a", "c"],
  ["MIGACK", "a", "b"],
  ["claim", "b", "c"],
  ["claim", "a", "b"],
  ["MIGRATED", "b", "c"],
  ["free", "a", "b"],
];

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
const isStopped = (pid: number): boolean => /\) T /.test(statOf(pid));
/** "" if it has ended just now. */
function statOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return "";
  }
}

/**
 * Runs a job, has one ULP moved from b (or a) to c, and kills when a process has stopped at the stage: the victim's process, or
 * its daemon.
 */
async function killAt(
  hosts: Hosts,
  orders: Orders,
  started: Readonly<Record<Who, HostStatus>>,
  stage: string,
  victim: Who,
  { from = "b", daemon = false }: { from?: "a" | "b"; daemon?: boolean } = {},
) {
  const pids = { a: started.a.pid, b: started.b.pid, c: started.c.pid };
  const door = hosts.home("door");
  rmSync(door, { recursive: true, force: true });
  mkdirSync(door);
  // Those of the job before have ended.
  await hosts.until(() => Object.values(pids).every((pid) => childrenOf(pid).length === 0));
  writeFileSync(hosts.home("stop-at"), stage);
  const names = `${started.a.host},${started.b.host},${started.c.host}`;
  const words = ["--hosts", names, "--dir", `${door}:door`, ...ROUNDS, ...DOOR];
  const running = hosts.on("a", ["run", ...PROGRAM, ...words]);
  let tids: number[] = [];
  await hosts.until(async () => {
    const tasks = await orders.tasks();
    tids = tasks.map(({ tid }) => tid);
    return tids.length === 3;
  });
  const processes = { a: childrenOf(pids.a)[0]!, b: childrenOf(pids.b)[0]!, c: childrenOf(pids.c)[0]! };
  let over = false;
  const moved = orders
    .migrate([tids[from === "a" ? 0 : 1]!], started.c.host)
    .catch(() => undefined)
    .finally(() => (over = true));
  const all = Object.values(processes);
  await hosts.until(() => over || all.some(isStopped));
  assert.equal(over, false, `the move was over before ${stage}`);
  process.kill((daemon ? pids : processes)[victim], "SIGKILL");
  // Another may come to the same stage when it makes up for that.
  const resume = setInterval(() => {
    for (const pid of all) if (isStopped(pid)) process.kill(pid, "SIGCONT");
  }, 20);
  try {
    await hosts.until(() => !Hosts.runs(processes[victim]));
    writeFileSync(`${door}/open`, "");
    return { ...(await running), tids, processes, moved: await moved };
  } finally {
    clearInterval(resume);
  }
}

/** What became of each ULP, by index. */
function outcomes(out: string, err: string, tids: readonly number[]): ("done" | "lost")[] {
  const printed = out.split("\n").filter(Boolean);
  return tids.map((tid, index) => {
    const lines = printed.filter((line) => line.startsWith(`ULP ${index}: `)).length;
    const isLost = err.includes(`(${tidText(tid)})`);
    assert.equal(
      lines + Number(isLost),
      1,
      `ULP ${index} has ended ${lines} times, lost ${isLost}: ${out}${err}`,
    );
    return isLost ? "lost" : "done";
  });
}

test("a kill at any stage of a move ends the ULPs of who is killed and no others; the one that moves is in one place", () =>
  withHosts(async (hosts) => {
    if (!existsSync("/proc/self/task")) return;
    process.env["UPVM_STOP_AT"] = hosts.home("stop-at");
    const all = await hosts.all("a", "b", "c").finally(() => delete process.env["UPVM_STOP_AT"]);
    const [a, b, c] = all as [HostStatus, HostStatus, HostStatus];
    const started = { a, b, c };
    const here = await upvm(["run", "--local", ...PROGRAM, ...ROUNDS]);
    const expected = new Set(here.out.split("\n"));
    const orders = await Orders.to(hosts.home("a"));
    try {
      for (const [stage, victim] of KILLS) {
        const { out, err, code, tids, moved } = await killAt(hosts, orders, started, stage, victim);
        const what = `${victim} killed at ${stage}: ${out}${err}`;
        for (const line of out.split("\n")) assert.ok(expected.has(line), `${line}: ${what}`);
        const [first, second, third] = outcomes(out, err, tids);
        assert.equal(first, victim === "a" ? "lost" : "done", what);
        assert.equal(third, victim === "c" ? "lost" : "done", what);
        // It has ended with its source, or with its destination once that had it; and goes on wherever it is otherwise.
        const isThere = stage === "MIGRATED" || stage === "free";
        if (victim === "a") assert.equal(second, "done", what);
        else if (stage !== "claim")
          assert.equal(second, isThere === (victim === "c") ? "lost" : "done", what);
        if (stage === "claim" && victim === "c") assert.equal(second, "done", what);
        // The control store has decided between a destination that claims it and a master that finds its source gone.
        const isLost = [first, second, third].includes("lost");
        assert.equal(code, isLost ? EXIT.failed : EXIT.ok, what);
        assert.equal(moved?.length, 1, "the order is answered");
      }
      // A daemon takes its host's processes along: the fate of their ULPs, and of no others.
      for (const [nth, [stage, from, victim]] of DAEMON_KILLS.entries()) {
        const end = await killAt(hosts, orders, started, stage, victim, { from, daemon: true });
        const what = `${victim}'s daemon killed at ${stage}, from ${from}: ${end.out}${end.err}`;
        const [first, second, third] = outcomes(end.out, end.err, end.tids);
        const moving = from === "a" ? first : second;
        if (from === "b") assert.equal(first, "done", what);
        else if (victim === "b") assert.deepEqual([moving, second], ["done", "lost"], what);
        if (victim === "c") assert.equal(third, "lost", what);
        else assert.equal(third, "done", what);
        if (victim === "c" && from === "a") assert.equal(second, "done", what);
        assert.equal(end.code, EXIT.failed, what);
        assert.equal(end.moved?.length, 1, `the order is answered: ${what}`);
        await hosts.until(() => !Hosts.runs(end.processes[victim]));
        assert.deepEqual(await orders.tasks(), [], what);
        // Another host in its place: that it is dead is not waited for, since hosts of a busy machine are given long.
        const joining = ["--join", a.address, "--key-file", a.keyFile];
        process.env["UPVM_STOP_AT"] = hosts.home("stop-at");
        const next = hosts.start(`${victim}${nth}`, ...joining);
        started[victim] = await next.finally(() => delete process.env["UPVM_STOP_AT"]);
      }
      // The master's takes all along: whoever runs the job is told, and nothing runs on.
      const last = await killAt(hosts, orders, started, "claim", "a", { daemon: true });
      assert.equal(last.code, EXIT.failed, last.err);
      await hosts.until(
        () =>
          ![...Object.values(started).map(({ pid }) => pid), ...Object.values(last.processes)].some(
            Hosts.runs,
          ),
      );
    } finally {
      orders.close();
    }
  }));

test("a job that is killed while a ULP is on its way leaves nothing in any heap", () =>
  withHosts(async (hosts) => {
    if (!existsSync("/proc/self/task")) return;
    process.env["UPVM_STOP_AT"] = hosts.home("stop-at");
    const all = await hosts.all("a", "b", "c").finally(() => delete process.env["UPVM_STOP_AT"]);
    const orders = await Orders.to(hosts.home("a"));
    try {
      // Of who sends to it messages wait for the end of the move; who takes it in has its state, and its messages.
      for (const stage of ["claim", "MIGACK"]) {
        writeFileSync(hosts.home("stop-at"), stage);
        const running = hosts.on("a", ["run", "test/guests/feed.c", "-n", "3", "--hosts", "a,b,c"]);
        await hosts.until(async () => (await orders.tasks()).length === 3);
        const tasks = await orders.tasks();
        const processes = all.map(({ pid }) => childrenOf(pid)[0]!);
        const moved = orders.migrate([tasks[1]!.tid], "c").catch(() => undefined);
        await hosts.until(() => processes.some(isStopped));
        // So that some have been sent.
        await new Promise((go) => setTimeout(go, 100));
        const killed = await hosts.on("a", ["kill", `${tasks[0]!.job}`]);
        assert.equal(killed.code, EXIT.ok, killed.err);
        for (const pid of processes) if (isStopped(pid)) process.kill(pid, "SIGCONT");
        const { code, err } = await running;
        assert.deepEqual([code, err.includes("bug")], [143, false], err);
        await moved;
      }
    } finally {
      orders.close();
    }
  }));

test.run();
