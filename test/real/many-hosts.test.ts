/** Jobs over several hosts, as a user has them: real daemons, real processes, several homes on one machine. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import { EXIT } from "../../wire/errors.ts";
import { type Done, root, upvm } from "../command.ts";
import { Hosts, withHosts } from "../hosts.ts";

const lines = ({ out }: Done): string[] => out.split("\n").sort();
/** Without times. */
const plain = (text: string): string => text.replace(/[0-9.]+ (us|ms|s|Mflops)\b/g, "");

/** Runs a program on hosts of the virtual machine, with options if they are told behind them, and in one process: both print the same. */
async function same(hosts: Hosts, words: readonly string[], ...places: string[]): Promise<void> {
  const here = await hosts.on("a", ["run", "--local", ...words]);
  assert.equal(here.code, EXIT.ok, here.err);
  for (const place of places) {
    const there = await hosts.on("a", ["run", "--hosts", ...place.split(" "), ...words]);
    assert.equal(there.code, EXIT.ok, there.err);
    assert.deepEqual(lines(there), lines(here), `${words[0]} on ${place}`);
    assert.equal(plain(there.err), plain(here.err));
  }
}

test("a program prints the same on one, two and three hosts as in one process: messages, spawn, groups, notify", () =>
  withHosts(async (hosts) => {
    await hosts.all("a", "b", "c");
    await same(hosts, ["test/guests/hosts.c", "-n", "5"], "a,b", "c,a,b");
    await same(hosts, ["test/guests/attend.c", "-n", "4"], "a,c");
    await same(hosts, ["guest/examples/ring.ts", "-n", "6", "--place", "cyclic", "--", "30"], "a,b,c");
    await same(hosts, ["guest/examples/laplace.c", "-n", "4"], "b,c --link unix");
    await same(hosts, ["test/guests/groups.c", "-n", "5"], "a,b --link tls");
    const halted = await hosts.on("a", ["halt"]);
    assert.equal(halted.code, EXIT.ok, halted.err);
  }));

/** It computes, and takes a processor from the commands that look at it: used where that is what is tried. */
const ENDLESS = `(module (import "pvm" "pvm_mytid" (func $tid (result i32)))
  (memory 1) (func (export "_start") (drop (call $tid)) (loop (br 0))))`;
/** It waits for a time that does not come. */
const WAITING = `(module (import "pvm" "pvm_trecv" (func $trecv (param i32 i32 i32) (result i32)))
  (memory 1) (data (i32.const 16) "\\ff\\ff\\ff") (func (export "_start") (drop (call $trecv (i32.const -1) (i32.const -1) (i32.const 16)))))`;
/** The first waits for the last, which traps; the others are done. */
const TRAP = `(module (import "pvm" "pvm_mytid" (func $tid (result i32)))
  (import "pvm" "pvm_recv" (func $recv (param i32 i32) (result i32)))
  (memory 1) (func $end (unreachable)) (func (export "_start")
    (if (i32.eq (i32.and (call $tid) (i32.const 0xff)) (i32.const 1)) (then (drop (call $recv (i32.const -1) (i32.const 7)))))
    (if (i32.eq (i32.and (call $tid) (i32.const 0xff)) (i32.const 4)) (then (call $end)))))`;

interface Task {
  readonly tid: string;
  readonly index: number;
  readonly host: string;
  readonly state: string;
  readonly program: string;
  readonly job: number;
}
/** Waits until a host sees so many ULPs, while a run goes on. */
async function seen(hosts: Hosts, name: string, count: number, run: Promise<Done>): Promise<void> {
  let done: Done | undefined;
  void run.then((end) => {
    done = end;
  });
  await hosts.until(async () => {
    assert.equal(done?.err, undefined, "the run has ended before");
    const { out } = await hosts.on(name, ["ps", "--json"]);
    return (JSON.parse(out) as Task[]).length === count;
  });
}
const tasks = async (hosts: Hosts): Promise<Task[]> =>
  JSON.parse((await hosts.on("b", ["ps", "--json"])).out) as Task[];

test("traps and deadlocks over hosts are told with their places; jobs are listed, ended, interrupted, and leave nothing", () =>
  withHosts(async (hosts) => {
    const [a, b] = await hosts.all("a", "b");
    const endless = join(hosts.home("a"), "endless.wat");
    const waiting = join(hosts.home("a"), "waiting.wat");
    const trap = join(hosts.home("a"), "trap.wat");
    writeFileSync(endless, ENDLESS);
    writeFileSync(waiting, WAITING);
    writeFileSync(trap, TRAP);

    const stuck = await hosts.on("a", ["run", trap, "-n", "4"]);
    assert.equal(stuck.code, EXIT.failed);
    assert.match(stuck.err, /deadlock/);
    assert.match(stuck.err, /ULP 3 \(t[0-9a-f]+\).*unreachable/);
    assert.match(stuck.err, /ULP 0 \(t[0-9a-f]+\) waits in pvm_recv for tag 7 from any task/);

    // One job is ended by its number, the other loses a ULP, and then its command gets Ctrl-C.
    const first = hosts.on("a", ["run", waiting, "-n", "2"]);
    await seen(hosts, "b", 2, first);
    let interrupt = (): void => {};
    const env = { UPVM_HOME: hosts.home("b") };
    const words = ["run", "--tag", endless, "-n", "4", "--place", "cyclic"];
    const second = upvm(words, { env, onStart: (child) => (interrupt = () => void child.kill("SIGINT")) });
    await seen(hosts, "b", 6, second);
    const all = await tasks(hosts);
    assert.deepEqual([...new Set(all.map(({ host }) => host))].sort(), ["a", "b"]);
    assert.deepEqual([...new Set(all.map(({ program }) => program))], ["waiting.wat", "endless.wat"]);
    const [one, other] = [...new Set(all.map(({ job }) => job))] as [number, number];
    const listed = await hosts.on("a", ["jobs"]);
    assert.match(listed.out, /running +waiting\.wat +2 +a,b/);
    const gone = await hosts.on("b", ["kill", String(one), "--json"]);
    assert.deepEqual([gone.code, JSON.parse(gone.out)], [EXIT.ok, [{ job: one, ended: true }]]);
    const killed = await first;
    assert.equal(killed.code, EXIT.killed);
    assert.match(killed.err, /Cannot finish waiting\.wat: it was ended by upvm kill\n$/);
    const victim = all.find(({ job, index }) => job === other && index === 1)!;
    // It computes all the time, and is looked at between two steps of its loop.
    const looked = await hosts.on("a", ["inspect", victim.tid, "--json"]);
    const { tid, host, state, memoryBytes } = JSON.parse(looked.out);
    assert.deepEqual([looked.code, tid, host, memoryBytes], [EXIT.ok, victim.tid, victim.host, 65_536]);
    assert.match(state, /running|runnable/);
    assert.equal((await hosts.on("a", ["kill", victim.tid])).code, EXIT.ok);
    await hosts.until(async () => (await tasks(hosts)).length === 3);
    const json = await hosts.on("a", ["kill", "--json", victim.tid, "77"]);
    assert.deepEqual([json.code, json.err], [EXIT.failed, ""]);
    const none = [
      { tid: victim.tid, ended: false },
      { job: 77, ended: false },
    ];
    assert.deepEqual(JSON.parse(json.out), none);
    const nobody = await hosts.on("a", ["inspect", victim.tid]);
    assert.equal(nobody.code, EXIT.failed);
    assert.match(nobody.err, /^upvm: Cannot inspect t[0-9a-f]+: there is no such task\n/);
    const again = await hosts.on("a", ["kill", victim.tid, "77"]);
    assert.equal(again.code, EXIT.failed);
    assert.match(again.err, /no such task\n.*no such job/);
    interrupt();
    const { code, err } = await second;
    assert.equal(code, EXIT.interrupted, err);
    assert.match(err, /interrupted: 3 of 4 ULPs/);
    assert.match(err, /ULP 1 \(t[0-9a-f]+\) was ended by upvm kill\n/);
    assert.deepEqual(await tasks(hosts), []);

    // A ULP without polls computes, and does not keep the thread on which its process hears of its end.
    const deaf = hosts.on("a", ["run", endless, "--no-polls", "--cores", "1", "--hosts", "b"]);
    await seen(hosts, "b", 1, deaf);
    assert.equal((await hosts.on("a", ["kill", String((await tasks(hosts))[0]!.job)])).code, EXIT.ok);
    assert.equal((await deaf).code, EXIT.killed);

    // Another loses its only ULP; the last is there when the virtual machine is halted.
    const third = hosts.on("a", ["run", "--json", endless, "--cores", "1", "--seats", "b"]);
    await seen(hosts, "b", 1, third);
    const [only] = await tasks(hosts);
    assert.equal(only!.host, "b", "it has the seat that it was given");
    // The process that is made for it there is known to its own, which computes, before that is told to send it.
    const there = await hosts.on("a", ["migrate", only!.tid, "a"]);
    assert.equal(there.code, EXIT.ok, there.err);
    assert.equal((await hosts.on("a", ["kill", only!.tid])).code, EXIT.ok);
    const ended = await third;
    const { ok, reason, ulps } = JSON.parse(ended.out);
    assert.deepEqual([ended.code, ok, reason, ulps[0].killed], [EXIT.killed, false, "killed", true]);
    const ranks = join(hosts.home("b"), "ranks");
    writeFileSync(ranks, "# as Open MPI has it\nrank 2=a slot=0\nrank 0=. slot=0\nrank 1=b\n");
    const fourth = hosts.on("b", ["run", waiting, "--seats", `@${ranks}`]);
    await seen(hosts, "b", 3, fourth);
    const seated = (await tasks(hosts)).sort((x, y) => x.index - y.index);
    assert.deepEqual(
      seated.map((task) => task.host),
      ["b", "b", "a"],
    );
    assert.equal((await hosts.on("a", ["halt"])).code, EXIT.ok);
    const closed = await fourth;
    assert.equal(closed.code, EXIT.killed);
    assert.match(closed.err, /Cannot finish waiting\.wat: its virtual machine was halted\n$/);
    for (const { pid } of [a!, b!]) assert(!Hosts.runs(pid));
  }));

test("a host that is killed takes its ULPs along; hosts that are not there are refused by name", () =>
  withHosts(async (hosts) => {
    const [a, b] = await hosts.all("a", "b");
    const waiting = join(hosts.home("a"), "waiting.wat");
    writeFileSync(waiting, WAITING);
    const refused = await hosts.on("a", ["run", waiting, "--hosts", "a,nowhere"]);
    assert.equal(refused.code, EXIT.failed);
    assert.match(refused.err, /Cannot run on nowhere: the virtual machine has no host of that name/);
    const linked = await hosts.on("a", ["run", "--local", "--link", "tls", waiting]);
    assert.equal(linked.code, EXIT.usage);
    assert.match(linked.err, /Cannot take --link tls with --local/);
    const none = await hosts.on("none", ["run", "--route", "direct", waiting]);
    assert.match(none.err, /Cannot run on other hosts: no pvmd is in service/);
    const noSeat = await hosts.on("a", ["run", waiting, "--seats", "a,nowhere"]);
    assert.equal(noSeat.code, EXIT.failed);
    assert.match(noSeat.err, /Cannot run on nowhere/);
    const noEngine = await hosts.on("a", ["run", waiting, "--cores", "1", "--seats", "a,b/1"]);
    assert.equal(noEngine.code, EXIT.failed);
    assert.match(noEngine.err, /Cannot begin a ULP on engine 1 of b: it has 1, from 0 on/);

    const run = hosts.on("a", ["run", "--route", "daemons", waiting, "-n", "2"]);
    await seen(hosts, "b", 2, run);
    const routed = async () => JSON.parse((await hosts.on("a", ["jobs", "--json"])).out)[0].routed;
    await hosts.until(async () => (await routed()).length > 0);
    assert.deepEqual(await routed(), [["a", "b"]]);
    process.kill(b!.pid, "SIGKILL");
    // Its application process sees that, and ends; the link that it carried is lost with it.
    const left = async () => JSON.parse((await hosts.on("a", ["ps", "--json"])).out) as Task[];
    await seen(hosts, "a", 1, run);
    const [survivor] = await left();
    assert.equal(survivor!.host, "a");
    await hosts.on("a", ["kill", survivor!.tid]);
    const { code, err } = await run;
    assert.equal(code, EXIT.failed);
    assert.match(err, /ULP 1 .*its process was ended/);
    const alone = await hosts.on("a", [
      "run",
      "--hosts",
      "a",
      join(root, "guest/examples/ring.ts"),
      "-n",
      "2",
      "--",
      "5",
    ]);
    assert.equal(alone.code, EXIT.ok, alone.err);

    // The master: whoever runs something is told, and no process stays.
    const last = hosts.on("a", ["run", "--hosts", "a", waiting]);
    await seen(hosts, "a", 1, last);
    process.kill(a!.pid, "SIGKILL");
    const lost = await last;
    assert.equal(lost.code, EXIT.failed);
    assert.match(lost.err, /Cannot tell what became of the run: .*first host, a, is gone/);
  }));

test.run();
