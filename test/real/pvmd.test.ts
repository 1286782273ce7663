/** Daemons as a user has them: real processes, several homes on one machine. */
import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "uvu";
import { EXIT } from "../../wire/errors.ts";
import { LIMITS } from "../../wire/limits.ts";
import { upvm } from "../command.ts";
import { Hosts, withHosts } from "../hosts.ts";
import { sshTo } from "../sshd.ts";
import { canType, typed } from "../typed.ts";

/** Each ULP prints a line. */
const HELLO = `(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\10\\00\\00\\00\\06\\00\\00\\00")
  (data (i32.const 16) "hello\\n")
  (func (export "_start") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`;

const names = (hosts: readonly { name: string }[]): string[] => hosts.map(({ name }) => name).sort();

test("a host starts, others join with the key, each knows all, and halt ends them all", () =>
  withHosts(async (hosts) => {
    const [a, b, c] = await hosts.all("a", "b", "c");
    for (const name of ["a", "b", "c"]) {
      const status = await hosts.status(name);
      assert.equal(status.host, name);
      assert.deepEqual(names(status.hosts), ["a", "b", "c"]);
      assert(status.hosts.every(({ state, arch }) => state === "up" && arch === process.arch));
    }
    if (process.platform === "linux") {
      const stat = readFileSync(`/proc/${a!.pid}/stat`, "utf8");
      assert.equal(
        Number(stat.split(") ")[1]!.split(" ")[3]),
        a!.pid,
        "a session of its own outlives a terminal",
      );
    }
    assert.match(a!.address, /^127\.0\.0\.1:\d+$/);
    assert.equal(statSync(hosts.home("b")).mode & 0o777, 0o700);
    for (const file of ["key", "log", "state.json"])
      assert.equal(statSync(join(hosts.home("b"), file)).mode & 0o777, 0o600, file);
    const conf = await hosts.on("c", ["conf"]);
    assert.equal(conf.code, EXIT.ok, conf.err);
    assert.match(conf.out, /^HOST.*\na +40000 .*\n[bc] +80000 /);
    const other = await hosts.on("c", ["log", "b"]);
    assert.match(other.out, /in service as b/);
    const lines = JSON.parse((await hosts.on("b", ["log", "--json"])).out);
    assert.deepEqual(lines, other.out.trimEnd().split("\n"));

    const halt = await hosts.on("b", ["halt"]);
    assert.deepEqual([halt.code, halt.err], [EXIT.ok, ""]);
    for (const { pid } of [a!, b!, c!]) assert(!Hosts.runs(pid), "a daemon survived the halt");
    const again = await hosts.on("a", ["halt"]);
    assert.equal(again.code, EXIT.failed);
    assert.match(again.err, /Cannot halt: no pvmd is in service in .*\n.*upvm start/);
    const key = readFileSync(join(hosts.home("a"), "key"), "utf8").trim();
    for (const name of ["a", "b", "c"]) assert(!hosts.log(name).includes(key), "the key is in a log");
  }));

test("a second start, a wrong key, no key, a name in use: refused by name, and nothing is left running", () =>
  withHosts(async (hosts) => {
    const { address, pid, keyFile } = await hosts.start("a");
    const refused = async (home: string, words: string[], what: RegExp, input?: string): Promise<void> => {
      const { code, out, err } = await hosts.on(home, ["start", ...words], input);
      assert.deepEqual([code, out], [EXIT.failed, ""], err);
      assert.match(err, what);
    };
    await refused("a", [], new RegExp(`one is in service already, process ${pid} in `));
    const joins = ["--join", address];
    await refused("b", [...joins, "--name", "b"], /without its virtual machine's key\n.*--key-file/);
    await refused("b", [...joins, "--name", "b", "--key-file", "-"], /most likely.*key/, "0".repeat(64));
    await refused(
      "b",
      [...joins, "--name", "b", "--key-file", "-"],
      /from standard input: .*64 hex/,
      "secret",
    );
    await refused("b", [...joins, "--name", "b", "--key-file", "/none"], /no such file/);
    await refused("b", [...joins, "--name", "a", "--key-file", keyFile], /of that name already\n.*--name/);
    await refused("b", ["--join", "127.0.0.1:1", "--key-file", keyFile], /nobody listens there/);
    await refused("b", ["--join", "no.such.invalid:4711", "--key-file", keyFile], /no\.such\.invalid/);
    // Another virtual machine on this machine has another key, and neither knows of the other.
    const other = await hosts.start("z");
    const strange = ["start", ...joins, "--name", "b", "--key-file", other.keyFile];
    const { code, err } = await hosts.on("b", strange);
    assert.equal(code, EXIT.failed);
    assert.match(err, /most likely this is not its virtual machine's key/);
    const { vm } = JSON.parse((await hosts.on("a", ["status", "--json"])).out) as { vm: string };
    assert(!`${err}${hosts.log("b")}`.includes(vm), "who has no key learns a name");
    assert.deepEqual(names((await hosts.status("z")).hosts), ["z"]);
    assert.equal((await hosts.on("z", ["halt"])).code, EXIT.ok);
    const bad = await hosts.on("b", ["start", "--name", "no/name"]);
    assert.equal(bad.code, EXIT.usage, bad.err);
    assert.match(bad.err, /Cannot call a host "no\/name"/);
    assert.deepEqual(names((await hosts.status("a")).hosts), ["a"]);
    // The key came by standard input, and the home that was refused is as good as new.
    const { host } = JSON.parse(
      (
        await hosts.on(
          "b",
          ["start", ...joins, "--name", "b", "--key-file", "-", "--json"],
          readFileSync(keyFile, "utf8"),
        )
      ).out,
    );
    assert.equal(host, "b");
    assert.equal((await hosts.on("a", ["halt"])).code, EXIT.ok);
  }));

test("a start that is interrupted while it waits, or killed, leaves no daemon that joins later", () =>
  withHosts(async (hosts) => {
    const a = await hosts.start("a");
    process.kill(a.pid, "SIGSTOP");
    const words = ["start", "--name", "b", "--join", a.address, "--key-file", a.keyFile];
    for (const signal of ["SIGINT", "SIGKILL"] as const) {
      const done = upvm(words, {
        env: { UPVM_HOME: hosts.home("b") },
        // The socket is there when it is about to ask.
        onStart: (child) =>
          void hosts.until(() => existsSync(join(hosts.home("b"), "socket"))).then(() => child.kill(signal)),
      });
      const { code, err } = await done;
      await hosts.until(() => !existsSync(join(hosts.home("b"), "socket")));
      if (signal === "SIGKILL") continue;
      assert.equal(code, EXIT.interrupted);
      assert.match(err, /^upvm: Cannot join .*: interrupted; the pvmd that was to do it has ended\n$/);
    }
    process.kill(a.pid, "SIGCONT");
    assert.equal(hosts.log("b").match(/not started: who started it is gone/g)?.length, 2, hosts.log("b"));
    assert.deepEqual(names((await hosts.status("a")).hosts), ["a"]);
    // Its home is free.
    await hosts.start("b", "--join", a.address, "--key-file", a.keyFile);
    assert.equal((await hosts.on("a", ["halt"])).code, EXIT.ok);
    assert(!hosts.log("a").includes("b is dead"), hosts.log("a"));
  }));

test("a port in use and a home that cannot be one are told", () =>
  withHosts(async (hosts) => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((done) => server.once("listening", done));
    const { port } = server.address() as { port: number };
    const taken = await hosts.on("a", ["start", "--listen", `127.0.0.1:${port}`]);
    server.close();
    assert.equal(taken.code, EXIT.failed);
    assert.match(
      taken.err,
      new RegExp(`Cannot listen on tcp:127\\.0\\.0\\.1:${port}: .*listens there already`),
    );
    writeFileSync(hosts.home("file"), "");
    assert.match((await hosts.on("file", ["start"])).err, /Cannot use .*file: it is no folder\n.*UPVM_HOME/);
    const long = await hosts.on("x".repeat(90), ["start"]);
    assert.match(long.err, /its socket's path has \d+ bytes, the system takes 103\n.*shorter/);
    // A folder that others may look into is closed, not refused: it is the user's own.
    mkdirSync(hosts.home("open"));
    chmodSync(hosts.home("open"), 0o755);
    const open = await hosts.start("open");
    assert.equal(statSync(hosts.home("open")).mode & 0o777, 0o700);
    // As on a full disk: it is found out when the host is in the table already, which it leaves in order.
    mkdirSync(join(hosts.home("b"), "key"), { recursive: true });
    const joins = ["start", "--name", "b", "--join", open.address, "--key-file", open.keyFile];
    const unfit = await hosts.on("b", joins);
    assert.equal(unfit.code, EXIT.failed);
    assert.match(unfit.err, /Cannot use .*key: it is a folder\n.*UPVM_HOME/);
    await hosts.until(() => /b has joined.*\n.*to leave.*\n.*b has left/.test(hosts.log("open")));
    assert.deepEqual(readdirSync(hosts.home("b")).sort(), ["key", "lock", "log"]);
    assert.equal((await hosts.on("open", ["halt"])).code, EXIT.ok);
    writeFileSync(join(hosts.home("open"), "lock"), "not a lock ".repeat(100));
    assert.match((await hosts.on("open", ["start"])).err, /Cannot use .*lock: file is not a database/);
    if (process.getuid?.() === 0) {
      chownSync(hosts.home("open"), 12345, 12345);
      assert.match((await hosts.on("open", ["start"])).err, /it belongs to user 12345/);
    }
  }));

test("a host that stands still for less than --dead-after goes on; only the first host has that option", () =>
  withHosts(async (hosts) => {
    hosts.deadAfter = 40;
    const [a, b] = await hosts.all("a", "b");
    process.kill(b!.pid, "SIGSTOP");
    // By the times that hold if nothing is said it would have given up, and be dead.
    await new Promise((done) => setTimeout(done, LIMITS.hostDeadMs + 1000));
    process.kill(b!.pid, "SIGCONT");
    assert.deepEqual(names((await hosts.status("b")).hosts), ["a", "b"]);
    const hello = join(hosts.home("b"), "hello.wat");
    writeFileSync(hello, HELLO);
    assert.equal((await hosts.on("b", ["run", "--hosts", "b", hello])).out, "hello\n");
    assert.deepEqual(names((await hosts.status("a")).hosts), ["a", "b"]);
    assert.ok(!hosts.log("a").includes("dead"), hosts.log("a"));
    for (const words of [
      ["--dead-after", "4"],
      ["--dead-after", "x"],
      ["--join", a!.address, "--dead-after", "9"],
    ])
      assert.equal((await hosts.on("c", ["start", ...words])).code, EXIT.usage);
    assert.equal((await hosts.on("b", ["halt"])).code, EXIT.ok);
  }));

test("a host whose pvmd was killed is deleted; one that is started in its home takes its place", () =>
  withHosts(async (hosts) => {
    // Those that are not dead must not be still for two thirds of that, however busy the machine is.
    hosts.deadAfter = 15;
    const [a, b] = await hosts.all("a", "b");
    process.kill(b!.pid, "SIGKILL");
    const words = ["--join", a!.address, "--key-file", a!.keyFile];
    const next = await hosts.start("b", ...words);
    assert.match(hosts.log("a"), /b is dead.*\n.*b has joined/);
    assert.notEqual(next.pid, b!.pid);
    assert.deepEqual(names((await hosts.status("a")).hosts), ["a", "b"]);

    process.kill(a!.pid, "SIGKILL");
    await hosts.until(() => !Hosts.runs(next.pid));
    assert.match(hosts.log("b"), /the master is gone; it ends/);
    const after = await hosts.on("a", ["status"]);
    assert.equal(after.code, EXIT.failed);
    assert.match(after.err, /no pvmd is in service/);
  }));

/** The hoster that is used unless another is told. */
async function addBySsh(hosts: Hosts, bin: string): Promise<void> {
  const keys = hosts.home("keys");
  mkdirSync(keys, { mode: 0o700 });
  const way = sshTo("yonder", keys);
  if ("why" in way) {
    console.log(`skipped: a host by ssh: ${way.why}`);
    return;
  }
  const remote = `env UPVM_HOME=${hosts.home("yonder")} ${process.execPath} ${bin}`;
  const added = await hosts.on("a", ["add", "yonder", "--hoster", way.ssh, "--remote", remote]);
  assert.deepEqual([added.code, added.out], [EXIT.ok, "yonder was added\n"], added.err);
  const pid = hosts.adopt((await hosts.status("yonder")).pid);
  const none = await hosts.on("a", ["add", "nowhere", "--hoster", way.ssh]);
  assert.equal(none.code, EXIT.failed);
  assert.match(none.err, /nowhere: .*[Cc]ould not resolve/);
  assert.equal((await hosts.on("a", ["delete", "yonder"])).code, EXIT.ok);
  assert(!Hosts.runs(pid));
}

test("hosts are added by a hoster, by ssh too, and deleted, the first one is not; a signal lets a host leave", () =>
  withHosts(async (hosts) => {
    const a = await hosts.start("a");
    // What ssh does, on this machine: a home for each host, the key on standard input.
    const hoster = join(hosts.home("a"), "hoster");
    const bin = join(import.meta.dirname, "../../bin/upvm.js");
    writeFileSync(
      hoster,
      `#!/bin/sh\nhost=$1; shift 2\nUPVM_HOME=${hosts.home("")}/$host exec ${process.execPath} ${bin} "$@"\n`,
      { mode: 0o700 },
    );
    const added = await hosts.on("a", ["add", "b", "c", "a", "no/name", "--hoster", hoster]);
    assert.equal(added.code, EXIT.failed);
    assert.match(added.out, /b was added\nc was added\n/);
    assert.match(added.err, /a: there is a host of that name already\n +no\/name: that is no host's name/);
    const [b, c] = [hosts.adopt((await hosts.status("b")).pid), hosts.adopt((await hosts.status("c")).pid)];
    assert.deepEqual(names((await hosts.status("c")).hosts), ["a", "b", "c"]);

    // The name is what is wrong with it, also where ssh could reach nobody.
    const twice = await hosts.on("a", ["add", "b"]);
    assert.match(twice.err, /b: there is a host of that name already/);

    await addBySsh(hosts, bin);

    const deleted = await hosts.on("c", ["delete", "b", "a", "none", "--json"]);
    assert.equal(deleted.code, EXIT.failed);
    const results = (JSON.parse(deleted.out) as { hosts: { host: string; error?: string }[] }).hosts;
    assert.deepEqual(
      results.map(({ host, error }) => [host, error === undefined]),
      [
        ["b", true],
        ["a", false],
        ["none", false],
      ],
    );
    assert(!Hosts.runs(b), "a deleted host's daemon runs");
    assert.deepEqual(names((await hosts.status("a")).hosts), ["a", "c"]);

    process.kill(c, "SIGTERM");
    await hosts.until(() => hosts.log("a").includes("c has left"));
    process.kill(a.pid, "SIGTERM");
    await hosts.until(() => !Hosts.runs(a.pid));
    assert.match(hosts.log("a"), /SIGTERM: it ends\n.*\n.* halted/);
  }));

test("Ctrl-C of add says that hosts may still join", () =>
  withHosts(async (hosts) => {
    await hosts.start("a");
    const [hoster, begun] = [hosts.home("hoster"), hosts.home("begun")];
    writeFileSync(hoster, `#!/bin/sh\necho $$ > ${begun}\nsleep 600\n`, { mode: 0o700 });
    const { code, err } = await upvm(["add", "b", "--hoster", hoster], {
      env: { UPVM_HOME: hosts.home("a") },
      onStart: (child) =>
        void hosts
          .until(() => existsSync(begun) && statSync(begun).size > 0)
          .then(() => child.kill("SIGINT")),
    });
    assert.equal(code, EXIT.interrupted);
    assert.match(err, /^upvm: Cannot tell whether b was added: interrupted; .* may still join\n.*upvm conf/);
    const pid = Number(readFileSync(begun, "utf8"));
    assert(Hosts.runs(pid));
    assert.equal((await hosts.on("a", ["halt"])).code, EXIT.ok);
    await hosts.until(() => !Hosts.runs(pid));
  }));

test("a join at a host that has joined leads to the master; a command starts a pvmd if it needs one", () =>
  withHosts(async (hosts) => {
    const [a, b] = await hosts.all("a", "b");
    await hosts.start("c", "--join", b!.address, "--key-file", a!.keyFile);
    assert.deepEqual(names((await hosts.status("a")).hosts), ["a", "b", "c"]);
    assert.equal((await hosts.on("c", ["halt"])).code, EXIT.ok);

    const conf = await hosts.on("d", ["conf", "--json"]);
    assert.equal(conf.code, EXIT.ok, conf.err);
    assert.match(conf.err, /started a pvmd; its log is .*log\n/);
    hosts.adopt((await hosts.status("d")).pid);
    assert.equal((JSON.parse(conf.out) as { hosts: unknown[] }).hosts.length, 1);
    assert.equal((await hosts.on("d", ["halt"])).code, EXIT.ok);
  }));

test("a pvmd whose home was deleted ends: no command could reach it", () =>
  withHosts(async (hosts) => {
    const [a, b] = await hosts.all("a", "b");
    rmSync(hosts.home("b"), { recursive: true });
    await hosts.until(() => hosts.log("a").includes("b has left"));
    rmSync(hosts.home("a"), { recursive: true });
    await hosts.until(() => !Hosts.runs(a!.pid) && !Hosts.runs(b!.pid));
  }));

/** Completes a verb, throws a line away, gets lines of now and of the last time again. */
async function typeInto(hosts: Hosts, name: string): Promise<void> {
  if (!canType()) {
    console.log("skipped: the console at a terminal: script(1) is not here");
    return;
  }
  const env = { UPVM_HOME: hosts.home(name) };
  const [prompt, tab, up, ctrlC] = [/upvm> $/, "\t", "\x1b[A", "\x03"];
  const first = await typed(["console"], env, [
    [prompt, `ech${tab}`],
    [/echo/, " typed\r"],
    [prompt, "junk"],
    [/junk/, ctrlC],
    [/\^C\n.*upvm> $/s, up],
    [/echo typed/, "\r"],
    [prompt, "quit\r"],
  ]);
  assert.equal(first.code, EXIT.ok, first.screen);
  assert.equal(first.screen.match(/\ntyped\n/g)?.length, 2, first.screen);
  assert.match(first.screen, /the virtual machine goes on; upvm halt ends it/);
  assert(!first.screen.includes("there is no"), first.screen);
  const again = await typed(["console"], env, [
    [prompt, up + up],
    [/echo typed/, "\r"],
    [prompt, "quit\r"],
  ]);
  assert.equal(again.screen.match(/\ntyped\n/g)?.length, 1, again.screen);
}

test("the console takes what is typed and lines of a pipe, starts a pvmd if there is none, waits for what prints here, and halts", () =>
  withHosts(async (hosts) => {
    writeFileSync(hosts.home("hello.wat"), HELLO);
    const lines = [
      "conf",
      "# a comment",
      "alias go spawn ->",
      `go -2 ${hosts.home("hello.wat")}`,
      "cnof",
      "spawn nosuch",
    ];
    const first = await hosts.on("a", ["console"], `${lines.join("\n")}\n`);
    hosts.adopt((await hosts.status("a")).pid);
    assert.equal(first.code, EXIT.failed, "a line was wrong");
    assert.match(first.err, /started a pvmd; its log is /);
    assert.match(first.out, /^1 host\nHOST .*\n.* up .*\n/);
    assert.match(first.out, /\n\[1\]\n2 started\n/);
    for (const tid of ["t40001", "t40002"]) assert(first.out.includes(`[${tid}] hello\n`), first.out);
    assert.match(first.out, /\[1\] finished\n/);
    assert.match(first.out, /upvm: there is no cnof; did you mean conf\?\n/);
    assert.match(first.out, /upvm: Cannot read .*nosuch: no such file\n/);
    await typeInto(hosts, "a");
    const second = await hosts.on("a", ["console"], "jobs\nhalt\nps\n");
    assert.deepEqual([second.code, second.out, second.err], [EXIT.ok, "no jobs\n", ""]);
    assert.equal((await hosts.on("a", ["status"])).code, EXIT.failed);
  }));

test("a console of a pipe whose output nobody reads any more ends, and what it has started to print there", () =>
  withHosts(async (hosts) => {
    const { pid } = await hosts.start("a");
    // The hello of above, without end.
    const loud = HELLO.replace(/\(drop (.*?)\)\)\)$/, "(loop $again (drop $1) (br $again))))");
    assert.notEqual(loud, HELLO);
    writeFileSync(hosts.home("loud.wat"), loud);
    const { code } = await upvm(["console"], {
      env: { UPVM_HOME: hosts.home("a") },
      input: `spawn -> ${hosts.home("loud.wat")}\n`,
      onOutput: (out, child) => {
        if (out.includes("hello")) child.stdout?.destroy();
      },
    });
    assert.equal(code, 128 + 13);
    await hosts.until(async () => (await hosts.on("a", ["jobs", "--json"])).out.trim() === "[]");
    assert(Hosts.runs(pid));
    assert.equal((await hosts.on("a", ["halt"])).code, EXIT.ok);
  }));

test.run();
