/**
 * From the words of a command line to a command's arguments and flags, checked against its table.
 *
 * Owns: which words are refused, and what is suggested instead. Splitting words into options and values is the
 * platform's parser, handed in as `tokenize`. Pure.
 */
import { UpvmError } from "../wire/errors.ts";
import type { Args, Command, Flag, Flags, Given } from "./command.ts";
import { nearest } from "./nearest.ts";

/** One piece of a command line; the part of node:util's parseArgs tokens that is used here. */
export type Token =
  | {
      readonly kind: "option";
      readonly name: string;
      readonly rawName: string;
      readonly value?: string | undefined;
    }
  | { readonly kind: "positional"; readonly value: string }
  | { readonly kind: "option-terminator" };
/** How options are spelt: which take a value, which have a letter. */
export type OptionShapes = Record<string, { type: "boolean" | "string"; short?: string; multiple?: boolean }>;
export type Tokenize = (words: readonly string[], options: OptionShapes) => readonly Token[];

/**
 * Reads the words after the command's name.
 *
 * @throws UpvmError USAGE for an unknown option (naming the nearest), a missing or wrong value, and too many or
 *   too few arguments
 */
export function parse<A extends Args, F extends Flags>(
  name: string,
  command: Command<A, F>,
  words: readonly string[],
  tokenize: Tokenize,
): Given<A, F> {
  const positionals: string[] = [];
  const rest: string[] = [];
  const flags: Record<string, unknown> = {};
  for (const [key, flag] of Object.entries(command.flags)) flags[key] = initial(flag);
  let after = false;
  for (const token of tokenize(words, shapes(command.flags))) {
    if (token.kind === "option-terminator") after = true;
    else if (token.kind === "positional") (after ? rest : positionals).push(token.value);
    else setFlag(name, command, token, flags);
  }
  if (rest.length > 0 && command.rest === undefined)
    throw usage(`Cannot take ${quote(rest[0]!)}: upvm ${name} has nothing to pass on after --`, name);
  const args = bind(name, command, positionals);
  // The table decides keys and types of both records; TypeScript cannot follow the loop that fills them.
  return { args, flags, rest } as unknown as Given<A, F>;
}

/** Operator's mistake in a command line; the hint points to the command's help unless one is given. */
export function usage(why: string, command: string, hint = `see upvm ${command} --help`): UpvmError {
  return new UpvmError("USAGE", { why, hint });
}

function shapes(flags: Flags): OptionShapes {
  const all: OptionShapes = {};
  for (const [key, flag] of Object.entries(flags)) {
    const type = flag.kind === "switch" ? "boolean" : "string";
    all[key] = { type, multiple: true, ...(flag.short === undefined ? {} : { short: flag.short }) };
  }
  return all;
}

function initial(flag: Flag): unknown {
  if (flag.kind === "switch") return false;
  if (flag.kind === "list") return [];
  return flag.kind === "text" ? undefined : flag.default;
}

function setFlag(
  command: string,
  { flags, elsewhere }: Pick<Command, "flags" | "elsewhere">,
  token: Extract<Token, { kind: "option" }>,
  values: Record<string, unknown>,
): void {
  const flag = Object.hasOwn(flags, token.name) ? flags[token.name] : undefined;
  if (flag === undefined) {
    const near = nearest(token.name, Object.keys(flags));
    const all = `upvm ${command} --help lists the options`;
    const none = elsewhere === undefined || token.rawName.length > 2 ? all : elsewhere;
    const hint = near === undefined ? none : `did you mean --${near}?`;
    throw usage(`Cannot take ${token.rawName}: upvm ${command} has no such option`, command, hint);
  }
  const given = token.value;
  if (flag.kind === "switch") {
    if (given !== undefined) throw usage(`Cannot take ${token.rawName}=${given}: it has no value`, command);
    values[token.name] = true;
  } else if (flag.kind === "list") {
    values[token.name] = [...(values[token.name] as string[]), checked(command, flag, token.rawName, given)];
  } else {
    values[token.name] = checked(command, flag, token.rawName, given);
  }
}

/** The value of a flag, or a refusal that says what it takes. */
function checked(
  command: string,
  flag: Exclude<Flag, { kind: "switch" }>,
  raw: string,
  given?: string,
): unknown {
  if (given === undefined || given === "") throw usage(`Cannot take ${raw} without ${takes(flag)}`, command);
  if (flag.kind === "choice") {
    if (flag.choices.includes(given)) return given;
    const near = nearest(given, flag.choices);
    const hint = near === undefined ? undefined : `did you mean ${near}?`;
    throw usage(`Cannot take ${raw} ${quote(given)}: it takes ${takes(flag)}`, command, hint);
  }
  if (flag.kind !== "number") return given;
  const number = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(given) ? Number(given) : Number.NaN;
  const good = number >= flag.min && number <= flag.max && (!flag.whole || Number.isInteger(number));
  if (!good) throw usage(`Cannot take ${raw} ${quote(given)}: it takes ${takes(flag)}`, command);
  return number;
}

function takes(flag: Exclude<Flag, { kind: "switch" }>): string {
  if (flag.kind === "choice") return flag.choices.join(" or ");
  if (flag.kind !== "number") return `a value, ${flag.value}`;
  return `a ${flag.whole ? "whole " : ""}number from ${flag.min} to ${flag.max}`;
}

/** Arguments by position. */
function bind(
  name: string,
  command: Command<Args, Flags>,
  given: readonly string[],
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  let at = 0;
  for (const [key, arg] of Object.entries(command.args)) {
    if (arg.count === "many") {
      values[key] = given.slice(at);
      at = given.length;
    } else if (at < given.length || arg.count === "optional") {
      values[key] = given[at++];
    } else {
      throw usage(`Cannot ${name} without ${key.toUpperCase()}: ${arg.help}`, name);
    }
  }
  const extra = given[at];
  if (extra === undefined) return values;
  const hint = command.rest === undefined ? undefined : `${command.rest} come after --`;
  throw usage(`Cannot take ${quote(extra)}: upvm ${name} takes ${wanted(command.args)}`, name, hint);
}

function wanted(args: Args): string {
  const names = Object.keys(args).map((key) => key.toUpperCase());
  return names.length === 0 ? "no argument" : `only ${names.join(" ")}`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
