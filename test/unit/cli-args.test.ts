import assert from "node:assert/strict";
import { test } from "uvu";
import { parse } from "../../upvm/args.ts";
import { command } from "../../upvm/command.ts";
import { tokenize } from "../../upvm/node-tokenize.ts";
import { EXIT, UpvmError } from "../../wire/errors.ts";

const bake = command({
  summary: "Bake",
  about: [],
  args: { file: { count: "one", help: "what to bake" } },
  flags: {
    count: { kind: "number", value: "N", min: 1, max: 10, whole: true, default: 2, help: "how many" },
    heat: { kind: "number", value: "C", min: 0, max: 300, whole: false, help: "how hot" },
    shape: { kind: "choice", choices: ["round", "square"], default: "round", help: "which form" },
    out: { kind: "text", value: "FILE", short: "o", help: "where to" },
    env: { kind: "list", value: "NAME=VALUE", help: "surroundings" },
    json: { kind: "switch", help: "as JSON" },
  },
  rest: "arguments of the cake",
  examples: [],
  exits: { 0: "baked" },
  run: async () => 0,
});
const mix = command({
  summary: "Mix",
  about: [],
  args: { names: { count: "many", help: "what to mix" } },
  flags: {},
  examples: [],
  exits: {},
  run: async () => 0,
});

const read = (...words: string[]) => parse("bake", bake, words, tokenize);
/** The refusal, as a person sees it. */
function refusal(...words: string[]): string {
  try {
    read(...words);
  } catch (error) {
    if (!(error instanceof UpvmError)) throw error;
    assert.equal(error.exitCode, EXIT.usage);
    return `${error.message}\n${error.hint}`;
  }
  assert.fail(`taken: ${words.join(" ")}`);
}

test("defaults are filled in", () => {
  const { args, flags, rest } = read("a.ts");
  assert.equal(args.file, "a.ts");
  assert.deepEqual(flags, {
    count: 2,
    heat: undefined,
    shape: "round",
    out: undefined,
    env: [],
    json: false,
  });
  assert.deepEqual(rest, []);
});

test("options stand before or after the argument, with = or a blank, long or short", () => {
  const { args, flags } = read(
    "--count=7",
    "--heat",
    "1.5",
    "a.ts",
    "-o",
    "b",
    "--shape",
    "square",
    "--json",
  );
  assert.equal(args.file, "a.ts");
  assert.deepEqual(
    [flags.count, flags.heat, flags.out, flags.shape, flags.json],
    [7, 1.5, "b", "square", true],
  );
});

test("what follows -- goes on untouched, even if it looks like an option", () => {
  const { flags, rest } = read("a.ts", "--", "--count", "9", "-x", "--");
  assert.equal(flags.count, 2);
  assert.deepEqual(rest, ["--count", "9", "-x", "--"]);
});

test("a list option adds up, any other takes the last", () => {
  const { flags } = read("a.ts", "--env", "A=1", "--env=B=2", "--count", "3", "--count", "4");
  assert.deepEqual(flags.env, ["A=1", "B=2"]);
  assert.equal(flags.count, 4);
});

test("an unknown option is refused and the nearest suggested", () => {
  assert.equal(
    refusal("a.ts", "--cuont", "3"),
    "Cannot take --cuont: upvm bake has no such option\ndid you mean --count?",
  );
  assert.match(refusal("a.ts", "--zzz"), /no such option\nupvm bake --help lists the options/);
  assert.match(refusal("a.ts", "-x"), /Cannot take -x: upvm bake has no such option/);
  assert.match(refusal("a.ts", "--constructor"), /no such option/);
});

test("a number outside its range, with a fraction or not a number is refused with the range", () => {
  for (const wrong of ["0", "11", "2.5", "-3", "x", "0x4", "Infinity", "NaN", "1e9"])
    assert.match(
      refusal("a.ts", "--count", wrong),
      /Cannot take --count ".*": it takes a whole number from 1 to 10/,
    );
  assert.match(refusal("a.ts", "--heat=301"), /a number from 0 to 300/);
});

test("an option without its value is refused", () => {
  assert.match(refusal("a.ts", "--count"), /Cannot take --count without a whole number from 1 to 10/);
  assert.match(refusal("a.ts", "--out="), /Cannot take --out without a value, FILE/);
  assert.match(refusal("a.ts", "--json=yes"), /it has no value/);
});

test("a choice names its words and the nearest", () => {
  assert.equal(
    refusal("a.ts", "--shape", "sqare"),
    'Cannot take --shape "sqare": it takes round or square\ndid you mean square?',
  );
});

test("too few and too many arguments are refused, and -- is pointed out", () => {
  assert.match(refusal(), /Cannot bake without FILE: what to bake/);
  assert.equal(
    refusal("a.ts", "b.ts"),
    'Cannot take "b.ts": upvm bake takes only FILE\narguments of the cake come after --',
  );
});

test("a command with many arguments takes any number, and nothing after -- if it has nobody to pass it to", () => {
  assert.deepEqual(parse("mix", mix, ["a", "b"], tokenize).args.names, ["a", "b"]);
  assert.deepEqual(parse("mix", mix, [], tokenize).args.names, []);
  assert.throws(() => parse("mix", mix, ["a", "--", "b"], tokenize), /nothing to pass on/);
});

test.run();
