/** The virtual machine of several hosts, as its tasks see it: real daemons and processes, several homes on one machine. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { EXIT } from "../../wire/errors.ts";
import { upvm } from "../command.ts";
import { expected, golden, type ProgramName, shown } from "../conformance/suite.ts";
import { withHosts } from "../hosts.ts";

/** Cases of the conformance suite whose tasks spawn, meet and end each other: as under PVM, also on two hosts. */
const CASES: Partial<Record<ProgramName, readonly string[]>> = {
  groups: ["pvm_freezegroup"],
  mailbox: ["PvmMboxWaitForInfo"],
  output: ["pvm_catchout"],
  tasks: ["spawn-where"],
  trace: ["children", "handler"],
};

/** Lines of the first task of a job, as `--tag` marks them. */
function ofFirst(text: string): string {
  const lines = text.split("\n").map((line) => /^\[t([0-9a-f]+)\] (.*)$/.exec(line));
  return lines.flatMap((found) => (found !== null && /0001$/.test(found[1]!) ? [found[2]!] : [])).join("\n");
}

test("programs of the conformance suite print on two hosts what they print under PVM; two jobs talk", () =>
  withHosts(async (hosts) => {
    await hosts.all("a", "b");
    for (const [program, cases] of Object.entries(CASES) as [ProgramName, string[]][])
      for (const name of cases) {
        const words = ["run", "--tag", `test/conformance/${program}.c`, "--", name];
        const { out, err, code } = await hosts.on("a", words);
        assert.equal(code, EXIT.ok, err);
        const printed = golden(program).get(name)!;
        assert.equal(
          shown(ofFirst(out), ofFirst(err)),
          expected(program, name, printed),
          `${program} ${name}`,
        );
      }
    const second = hosts.on("b", ["run", "test/guests/pair.c", "--", "second"]);
    const first = await hosts.on("a", ["run", "test/guests/pair.c", "--", "first"]);
    assert.equal(first.out, "first: instance 1\n", first.err);
    assert.equal(
      (await second).out,
      [
        ...["instance 0", "10", "20", "30", "the other has ended: yes", "its entry: 1"].map(
          (text) => `second: ${text}\n`,
        ),
      ].join(""),
      (await second).err,
    );
    assert.equal((await hosts.on("a", ["halt"])).code, EXIT.ok);
  }));

test("a task is told of a host that joins, spawns there, deletes it, and is told of that and of its task's end", () =>
  withHosts(async (hosts) => {
    const [a] = await hosts.all("a", "b");
    const env = { UPVM_HOME: hosts.home("a") };
    let ready: () => void = () => {};
    const waits = new Promise<void>((done) => (ready = done));
    const run = upvm(["run", "test/guests/hosts-come.c"], {
      env,
      onOutput: (out) => {
        if (out.includes("ready\n")) ready();
      },
    });
    await waits;
    await hosts.start("c", "--join", a!.address, "--key-file", a!.keyFile);
    const { out, err, code } = await run;
    // Its task there did not end by itself.
    assert.equal(code, EXIT.failed, err);
    assert.match(err, /ULP 1 .*its process was ended/);
    assert.deepEqual(out.split("\n").slice(0, -1), [
      "hosts: 2",
      "ready",
      "added: 1, c, now 3",
      "spawned: 1",
      "there: yes",
      "elsewhere: 0",
      "deleted: 1",
      "task ended: yes",
      "host gone: yes",
      "mstat: 1",
    ]);
    assert.equal((await hosts.on("a", ["halt"])).code, EXIT.ok);
  }));

test.run();
