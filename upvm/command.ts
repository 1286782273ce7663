/**
 * What a command of `upvm` is: its arguments, flags, examples and exit codes as a table, and the code behind it.
 *
 * Owns: the shape. Parsing (args.ts), help (help.ts) and the values' types come from the same table, so that none
 * can say what another does not. No command is here: see commands/.
 */
import type { Edge } from "./edge.ts";

interface FlagBase {
  /** One line for --help, without the default. */
  readonly help: string;
  /** One letter that means the same. */
  readonly short?: string;
}
/** Given or not: `--json`. */
export interface SwitchFlag extends FlagBase {
  readonly kind: "switch";
}
/** `--ulps 24`: a number in `min`..`max`. */
export interface NumberFlag extends FlagBase {
  readonly kind: "number";
  /** Stands for the value in help: N, or its unit. */
  readonly value: string;
  readonly min: number;
  readonly max: number;
  /** True: no fractions. */
  readonly whole: boolean;
  readonly default?: number;
  /** What happens without the flag, in words, where there is no default number. */
  readonly absent?: string;
}
/** `--place cyclic`: one of a few words. */
export interface ChoiceFlag extends FlagBase {
  readonly kind: "choice";
  readonly choices: readonly string[];
  readonly default?: string;
  readonly absent?: string;
}
/** `-o FILE`: any text that is not empty. */
export interface TextFlag extends FlagBase {
  readonly kind: "text";
  readonly value: string;
  readonly absent?: string;
}
/** `--env A=1 --env B=2`: may be given several times. */
export interface ListFlag extends FlagBase {
  readonly kind: "list";
  readonly value: string;
}
export type Flag = SwitchFlag | NumberFlag | ChoiceFlag | TextFlag | ListFlag;
export type Flags = Readonly<Record<string, Flag>>;

/** One positional argument. `many` only on the last. */
export interface Arg {
  readonly help: string;
  readonly count: "one" | "optional" | "many";
}
export type Args = Readonly<Record<string, Arg>>;

type ArgValue<A extends Arg> = A["count"] extends "one"
  ? string
  : A["count"] extends "optional"
    ? string | undefined
    : readonly string[];
type FlagValue<F extends Flag> = F extends SwitchFlag
  ? boolean
  : F extends { readonly kind: "number"; readonly default: number }
    ? number
    : F extends NumberFlag
      ? number | undefined
      : F extends ChoiceFlag
        ? F["choices"][number] | (F extends { readonly default: string } ? never : undefined)
        : F extends ListFlag
          ? readonly string[]
          : string | undefined;

/** What the user gave, checked and with defaults filled in. `rest` is what came after `--`. */
export interface Given<A extends Args = Args, F extends Flags = Flags> {
  readonly args: { readonly [K in keyof A]: ArgValue<A[K]> };
  readonly flags: { readonly [K in keyof F]: FlagValue<F[K]> };
  readonly rest: readonly string[];
}

export interface Command<A extends Args = Args, F extends Flags = Flags> {
  /**
   * Its words are another program's and go to `run` as they are, in `rest`; only --help alone is upvm's. Then `flags`
   * and `args` are for the help.
   */
  readonly plain?: true;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Paragraphs for --help, each one line of any length. */
  readonly about: readonly string[];
  readonly args: A;
  readonly flags: F;
  /** The way out for who gives it an option of one letter that it does not have. */
  readonly elsewhere?: string;
  /** What may follow `--`; absent: nothing. */
  readonly rest?: string;
  readonly examples: readonly string[];
  /** Exit code → what it means. */
  readonly exits: Readonly<Record<number, string>>;
  /** @returns exit code */
  run(given: Given<A, F>, edge: Edge): Promise<number>;
}

/** Types a command's table: `run` sees its own flags by name and type. */
export function command<const A extends Args, const F extends Flags>(table: Command<A, F>): Command<A, F> {
  return table;
}
