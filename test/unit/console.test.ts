/** The console's lines and verbs, over a link in memory to a master that is made of tables. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { memoryLinks } from "../../net/memory-links.ts";
import { type Handlers, Rpc } from "../../net/rpc.ts";
import { Console } from "../../upvm/console.ts";
import { spawnOf } from "../../upvm/console-spawn.ts";
import { unalias, wordsOf } from "../../upvm/console-words.ts";

const words = (line: string): readonly string[] | string => {
  const parsed = wordsOf(line, (name) => (name === "X" ? "a b" : undefined));
  return "error" in parsed ? parsed.error : parsed.words;
};

test("a line is words: quotes keep them together, variables are replaced, # begins a comment", () => {
  assert.deepEqual(words("  spawn  -4 ring.wasm "), ["spawn", "-4", "ring.wasm"]);
  assert.deepEqual(words(`echo "a  b" 'c "d' e"f"g ""`), ["echo", "a  b", 'c "d', "efg", ""]);
  assert.deepEqual(words(`echo $X "<$\{X}>" '$X' $ a#b # rest $NONE`), [
    "echo",
    "a b",
    "<a b>",
    "$X",
    "$",
    "a#b",
  ]);
  assert.deepEqual(words("# all of it"), []);
  assert.deepEqual(words(""), []);
  assert.equal(words("echo $NONE"), "there is no variable NONE");
  assert.equal(words("echo 'a"), "a ' is not closed");
});

test("an alias stands for the first word only, and once", () => {
  const aliases = new Map([
    ["a", ["a", "b"]],
    ["c", ["a"]],
  ]);
  assert.deepEqual(unalias(["a", "a"], aliases), ["a", "b", "a"]);
  assert.deepEqual(unalias(["c"], aliases), ["a"]);
  assert.deepEqual(unalias([], aliases), []);
});

test("spawn takes PVM's options in any order, then a program and its arguments", () => {
  const [count, where, output] = [1, undefined, "log"] as const;
  assert.deepEqual(spawnOf(["p"]), { file: "p", args: [], count, where, output });
  assert.deepEqual(spawnOf(["->", "-4", "-host1", "p", "-x", "->"]), {
    ...{ file: "p", args: ["-x", "->"], count: 4, where: "host1", output: "console" },
  });
  assert.deepEqual(spawnOf(["->f", "p"]), {
    file: "p",
    args: [],
    count,
    where,
    output: { file: "f", append: false },
  });
  assert.deepEqual(spawnOf(["->>f", "p"]), {
    file: "p",
    args: [],
    count,
    where,
    output: { file: "f", append: true },
  });
  for (const bad of [[], ["-4"], ["->>", "p"], ["-0", "p"], ["-99999", "p"], ["-", "p"], ["-a", "-b", "p"]])
    assert("error" in spawnOf(bad), bad.join(" "));
});

const row = (name: string, number: number) => ({
  ...{
    name,
    number,
    state: "up" as const,
    address: "tcp:127.0.0.1:1",
    arch: "x64",
    node: "v26.0.0",
    version: "1",
  },
  ...{ cores: 2, memoryBytes: 1 << 30, pid: 1, incarnation: "i" },
});

/** A console of a machine with hosts a and b, a job on both, and what was asked. */
function scene() {
  const asked: unknown[] = [];
  let text = "";
  const task = (tid: number, host: string) => ({
    tid,
    index: 0,
    host,
    state: "Running",
    doing: "",
    program: "p",
    job: 1,
  });
  const handlers: Handlers = {
    hosts: () => ({ body: { hosts: [row("a", 1), row("b", 2)] } }),
    whoIsMaster: () => ({ body: { vm: "vm1", host: "a", self: true, address: "" } }),
    tasks: () => ({ body: { tasks: [task(0x40001, "a"), task(0x40002, "b")] } }),
    jobs: () => ({
      body: { jobs: [{ job: 1, state: "running", program: "p", ulps: 2, hosts: ["a", "b"], routed: [] }] },
    }),
    kill: (body) => {
      asked.push(["kill", body]);
      return { body: { noTids: body.tids.filter((tid) => tid > 0x40002), noJobs: [] } };
    },
    addHosts: ({ hosts }) => ({
      body: { hosts: hosts.map((host) => ({ host, ...(host === "no" && { error: "unknown" }) })) },
    }),
    deleteHosts: ({ hosts }) => ({ body: { hosts: hosts.map((host) => ({ host })) } }),
    halt: () => ({ body: { late: [] } }),
  };
  const { a, b } = memoryLinks(
    { role: "command", vm: "", host: "a" },
    { role: "pvmd", vm: "vm1", host: "a" },
  );
  new Rpc(b, handlers);
  const console = new Console(new Rpc(a, {}), {
    out: (more) => {
      text += more;
    },
    version: "1.2.3",
    spawn: async (what, hosts, env) => {
      asked.push(["spawn", what.file, what.count, hosts, env]);
      return { job: 1, ended: Promise.resolve(3) };
    },
  });
  /** What the lines print. */
  const say = async (...lines: string[]): Promise<string> => {
    text = "";
    for (const line of lines) await console.line(line);
    return text;
  };
  return { console, say, asked, text: () => text };
}

test("verbs about hosts and tasks ask the master and print tables", async () => {
  const { say, console } = scene();
  assert.match(await say("conf"), /^2 hosts\nHOST .*\na +40000 .*\nb +80000 /);
  assert.match(await say("ps"), /^TID .*\nt40001 +\[1\] +a +Running +p\nt40002 /);
  assert.match(await say("ps -b"), /^TID .*\nt40002 /);
  assert.match(await say("t"), /t40001/, "t is PVM's alias for ps");
  assert.match(await say("jobs"), /\[1\] +running +p +2 +a,b/);
  assert.match(await say("id"), /vm1/);
  assert.equal(await say("mstat a"), "a  up\n");
  assert.equal(await say("pstat t40001"), "t40001  ok\n");
  assert(!console.failed);
  assert.equal(await say("mstat a c"), "a  up\nc  no such host\n");
  assert.equal(await say("pstat t40009"), "t40009  no such task\n");
  assert(console.failed);
});

test("verbs that change something do it, and say of what they did not", async () => {
  const { say, asked, console } = scene();
  assert.equal(await say("add c no"), "1 added\nc   added\nno  unknown\n");
  assert.equal(await say("delete b"), "1 deleted\nb  deleted\n");
  assert.equal(await say("kill t40001 t40003"), "t40003: no such task\n");
  await say("sig 9 t40001", "sig SIGUSR1 t40001", "reset");
  assert.deepEqual(
    asked.map((each) => JSON.stringify(each)),
    [
      '["kill",{"tids":[262145,262147],"jobs":[],"signum":15}]',
      '["kill",{"tids":[262145],"jobs":[],"signum":9}]',
      '["kill",{"tids":[262145],"jobs":[],"signum":10}]',
      '["kill",{"tids":[],"jobs":[1],"signum":15}]',
    ],
  );
  for (const line of [
    "kill",
    "kill 7",
    "sig what t40001",
    "mstat",
    "pstat x",
    "spawn",
    "add",
    "delete",
    "unalias",
  ])
    assert.match(await say(line), /usage: /, line);
  assert.match(await say("sig 9"), /usage: sig SIGNAL TID/);
  assert.equal(await say("halt x"), "halt takes no x\nusage: halt\n");
  for (const line of ["quit now", "conf extra", "ps -a b", "help a b", "setenv A 1 2", "version x"])
    assert.match(await say(line), /^\w+ takes no \w+\nusage: \w+/, line);
  assert.equal(console.over, undefined);
});

test("spawn starts a job on the hosts that are meant, with the variables that are set, and tells of its end", async () => {
  const { say, asked, console, text } = scene();
  await say("setenv A 1", "setenv B");
  assert.match(await say("setenv"), /A +1\nB/);
  assert.match(await say("spawn -3 -b prog x"), /^\[1\]\n3 started\nt40001\nt40002\nt40003\n/);
  assert.match(await say("spawn -nowhere prog"), /no host and no architecture nowhere/);
  await say("spawn -x64 prog");
  assert.equal(console.running.size, 0, "their output is in the log");
  await say("spawn -> prog");
  assert.deepEqual(asked, [
    ["spawn", "prog", 3, ["b"], ["A=1", "B="]],
    ["spawn", "prog", 1, ["a", "b"], ["A=1", "B="]],
    ["spawn", "prog", 1, [], ["A=1", "B="]],
  ]);
  await Promise.all(console.running);
  assert.match(text(), /\[1\] finished, with 3\n$/);
  assert(console.failed, "for a script that is a failure");
});

test("help, aliases, mistakes, quit and halt", async () => {
  const { say, console } = scene();
  const help = await say("help");
  const pvm =
    "add alias conf delete echo halt help id jobs kill mstat ps pstat quit reset setenv sig spawn version";
  for (const verb of pvm.split(" ")) assert.match(help, new RegExp(`^${verb} `, "m"), verb);
  assert.match(await say("help spawn"), /^spawn \[-COUNT\]/);
  assert.equal(await say("alias hi echo hello", "hi you"), "hello you\n");
  assert.equal(await say("unalias hi", "hi"), "upvm: there is no hi; did you mean h?\n");
  assert.equal(await say("version", "# nothing", ""), "1.2.3\n");
  assert.match(await say("cnof"), /did you mean conf\?/);
  assert.equal(await say("alias x x", "x"), "upvm: there is no x; help lists what there is\n");
  assert.match(await say("!"), /there is no !; help lists/);
  assert.deepEqual(await console.completions("kill "), ["t40001", "t40002"]);
  assert.deepEqual(await console.completions("delete a"), ["a", "b"]);
  assert((await console.completions("c")).includes("conf"));
  await say("quit");
  assert.equal(console.over, "quit");
  const other = scene();
  await other.say("halt");
  assert.equal(other.console.over, "halted");
});

test.run();
