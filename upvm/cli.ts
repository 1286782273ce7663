/**
 * One call of the command line: finds the command, gives it its arguments, and turns what went wrong into a
 * message and an exit code.
 *
 * Owns: the dispatch and how errors are shown. Not the commands (commands/), not the process (main.ts). Pure.
 */
import { EXIT, UpvmError } from "../wire/errors.ts";
import { parse, type Tokenize, usage } from "./args.ts";
import type { Command } from "./command.ts";
import type { Edge } from "./edge.ts";
import { helpOf, overview } from "./help.ts";
import { nearest } from "./nearest.ts";
import { painter } from "./paint.ts";

export type Commands = Readonly<Record<string, Command>>;

/**
 * Runs `upvm WORDS...`.
 *
 * @returns the exit code, one of EXIT
 * @throws only for a bug of ours; an UpvmError is shown here
 */
export async function cli(
  words: readonly string[],
  commands: Commands,
  edge: Edge,
  tokenize: Tokenize,
): Promise<number> {
  try {
    return await dispatch(words, commands, edge, tokenize);
  } catch (error) {
    if (!(error instanceof UpvmError)) throw error;
    show(error, words.slice(0, endOfOptions(words)).includes("--json"), edge);
    return error.exitCode;
  }
}

async function dispatch(
  words: readonly string[],
  commands: Commands,
  edge: Edge,
  tokenize: Tokenize,
): Promise<number> {
  const paint = painter(edge.colour.out);
  const [name, ...after] = words;
  const own = words.slice(0, endOfOptions(words));
  const plain = Object.hasOwn(commands, name ?? "") ? commands[name ?? ""] : undefined;
  if (plain?.plain === true && !(after.length === 1 && after[0] === "--help"))
    return await plain.run({ args: {}, flags: {}, rest: after }, edge);
  if (name === undefined) {
    edge.err(overview(commands, edge.columns, painter(edge.colour.err)));
    return EXIT.usage;
  }
  if (own.includes("--help") || own.includes("-h") || name === "help") {
    const about = own.find((word) => word !== "help" && !word.startsWith("-"));
    const text =
      about === undefined
        ? overview(commands, edge.columns, paint)
        : helpOf(about, find(about, commands), edge.columns, paint);
    edge.out(text);
    return EXIT.ok;
  }
  if (name === "--version" || name === "-v" || name === "-V") {
    edge.out(`${edge.version}\n`);
    return EXIT.ok;
  }
  const command = find(name, commands);
  return await command.run(parse(name, command, after, tokenize), edge);
}

function endOfOptions(words: readonly string[]): number {
  const at = words.indexOf("--");
  return at < 0 ? words.length : at;
}

/** @throws UpvmError USAGE, naming the nearest command */
function find(name: string, commands: Commands): Command {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) return command;
  if (/\.(wasm|wat|ts|c|cc|cpp|cxx)$/.test(name))
    throw usage(`Cannot take ${name}: no such command`, "", `did you mean upvm run ${name}?`);
  const near = nearest(name, Object.keys(commands));
  const hint = near === undefined ? "upvm --help lists the commands" : `did you mean upvm ${near}?`;
  const what = `take ${name}: no such ${name.startsWith("-") ? "option" : "command"}`;
  throw usage(`Cannot ${what}`, "", hint);
}

/** For a person: text and hint. For a program (`--json`): code and facts, as the one thing on standard output. */
function show(error: UpvmError, json: boolean, edge: Edge): void {
  if (json) {
    const { code, facts, message, hint } = error;
    edge.out(`${JSON.stringify({ code, facts, message, ...(hint !== undefined && { hint }) })}\n`);
    return;
  }
  const paint = painter(edge.colour.err);
  edge.err(`${paint("red", "upvm:")} ${error.message}\n`);
  if (error.hint !== undefined) edge.err(`  ${paint("dim", error.hint)}\n`);
}

/** Text of what is not foreseen: a bug of ours. */
export function bugText(error: unknown): string {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `upvm: this is a bug in upvm, please report it\n${what}\n`;
}
