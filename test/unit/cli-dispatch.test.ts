import assert from "node:assert/strict";
import { test } from "uvu";
import { cli } from "../../upvm/cli.ts";
import { command } from "../../upvm/command.ts";
import { tokenize } from "../../upvm/node-tokenize.ts";
import { EXIT, UpvmError } from "../../wire/errors.ts";
import { fakeEdge } from "../fake-edge.ts";

const commands = {
  greet: command({
    summary: "Say hello",
    about: [
      "A paragraph that is long enough to be broken into two lines, since it has more than eighty characters.",
    ],
    args: { name: { count: "optional", help: "whom" } },
    flags: {
      loud: { kind: "switch", help: "in capitals" },
      times: { kind: "number", value: "N", min: 1, max: 9, whole: true, default: 1, help: "how often" },
      mood: { kind: "choice", choices: ["glad", "sad"], default: "glad", help: "how" },
      until: {
        kind: "number",
        value: "MS",
        min: 1,
        max: 9,
        whole: true,
        absent: "for ever",
        help: "how long",
      },
    },
    rest: "words for the choir",
    examples: ["upvm greet Ada"],
    exits: { 0: "said" },
    run: async ({ args, flags, rest }, edge) => {
      edge.out(`hello ${args.name ?? "world"} ${flags.times} ${rest.join()}\n`);
      return EXIT.ok;
    },
  }),
  fail: command({
    summary: "Go wrong",
    about: [],
    args: {},
    flags: { json: { kind: "switch", help: "as JSON" } },
    examples: [],
    exits: {},
    run: async () => {
      throw new UpvmError("NO_ENTRY", { path: "a.wasm" });
    },
  }),
};

async function call(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const edge = fakeEdge();
  const code = await cli(words, commands, edge, tokenize);
  return { code, ...edge.written };
}

test("a command gets its arguments and its exit code is the process's", async () => {
  assert.deepEqual(await call("greet", "Ada", "--times", "3", "--", "x", "y"), {
    code: 0,
    out: "hello Ada 3 x,y\n",
    err: "",
  });
});

test("no command: the overview, on standard error, and the code for wrong usage", async () => {
  const { code, out, err } = await call();
  assert.deepEqual([code, out], [EXIT.usage, ""]);
  assert.match(err, /Usage: upvm COMMAND/);
});

test("--help, -h and help list the commands on standard output", async () => {
  for (const words of [["--help"], ["-h"], ["help"]]) {
    const { code, out } = await call(...words);
    assert.equal(code, EXIT.ok);
    assert.match(out, /greet +Say hello\n +fail +Go wrong/);
  }
});

test("a command's help says arguments, options, defaults, exit codes and examples", async () => {
  const { out } = await call("greet", "--help");
  assert.equal((await call("help", "greet")).out, out);
  assert.match(out, /Usage: upvm greet \[NAME\] \[options\] \[-- \.\.\.\]/);
  assert.match(out, /--loud +in capitals/);
  assert.match(out, /--times N +how often \(default: 1\)/);
  assert.match(out, /--mood glad\|sad +how \(default: glad\)/);
  assert.match(out, /--until MS +how long \(default: for ever\)/);
  assert.match(out, /-- \.\.\. +words for the choir/);
  assert.match(out, /0 +said/);
  assert.match(out, / {2}upvm greet Ada\n/);
  for (const line of out.split("\n")) assert.ok(line.length <= 80, line);
});

test("--help after -- belongs to the program", async () => {
  assert.equal((await call("greet", "--", "--help")).out, "hello world 1 --help\n");
});

test("--version prints the version", async () => {
  assert.deepEqual(await call("--version"), { code: 0, out: "1.2.3\n", err: "" });
});

test("an unknown command suggests the nearest, a file suggests run", async () => {
  assert.deepEqual(await call("gret"), {
    code: EXIT.usage,
    out: "",
    err: "upvm: Cannot take gret: no such command\n  did you mean upvm greet?\n",
  });
  assert.match((await call("ring.ts")).err, /did you mean upvm run ring\.ts\?/);
  assert.match((await call("toString")).err, /no such command/);
  assert.match((await call("--frob")).err, /Cannot take --frob: no such option/);
});

test("an operator's error is a message and a hint, and with --json code and facts on standard output", async () => {
  const plain = await call("fail");
  assert.deepEqual([plain.code, plain.out], [EXIT.program, ""]);
  assert.match(plain.err, /^upvm: Cannot link a\.wasm: no entry point\n {2}export a function/);
  const { code, out, err } = await call("fail", "--json");
  assert.deepEqual([code, err], [EXIT.program, ""]);
  const { code: errorCode, facts } = JSON.parse(out);
  assert.deepEqual([errorCode, facts], ["NO_ENTRY", { path: "a.wasm" }]);
});

test("colours only where the edge has them", async () => {
  const edge = fakeEdge({ colour: { out: true, err: true } });
  await cli(["fail"], commands, edge, tokenize);
  assert.ok(edge.written.err.includes("\x1b[31mupvm:\x1b[39m"));
});

test.run();
