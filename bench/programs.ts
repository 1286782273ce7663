/**
 * The programs of bench/guests as ULPs, and unlinked: compiled once for each run of the benchmarks.
 *
 * Owns: how upvm is called, which is by its command, as a user would: each measurement is a process of its own.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { codeExtension, codeRoot, packageRoot } from "../upvm/node-package.ts";
import { asyncified } from "./asyncify.ts";
import { type Outcome, outcome, printedBy } from "./spawn.ts";

export interface UpvmOptions {
  readonly ulps: number;
  readonly cores: number;
  /** More of the command's flags. */
  readonly flags?: readonly string[];
  readonly limitMs?: number;
}

/** The files of a compiled program: as its compiler left it, and linked. */
export interface Program {
  readonly plain: string;
  readonly linked: string;
}

export interface Programs {
  /** Compiles and links bench/guests/<name>. Each source is compiled once. */
  compile(name: string): Promise<Program>;
  /** Runs it as ULPs and returns what they print. */
  upvm(program: Program, options: UpvmOptions, ...args: string[]): Promise<string>;
  /** The same, with the time and memory that the whole process took. */
  whole(program: Program, options: UpvmOptions): Promise<Outcome>;
  /** Runs it not linked, alone. */
  plain(program: Program, ...args: string[]): Promise<string>;
  /** The same, made suspendable by Asyncify instead of the link step. */
  asyncified(program: Program, ...args: string[]): Promise<string>;
}

const COMMAND = join(packageRoot, "bin", "upvm.js");
const PLAIN = join(codeRoot, "bench", `plain${codeExtension}`);

/** @param folder  where the compiled programs go, exists */
export function programs(folder: string): Programs {
  const compiled = new Map<string, Promise<Program>>();
  const command = (...args: string[]) => printedBy(process.execPath, [COMMAND, "compile", ...args]);
  const compile = async (name: string) => {
    const file = join(folder, basename(name));
    const program = { plain: `${file}.wasm`, linked: `${file}.ulp.wasm` };
    await command(join(packageRoot, "bench", "guests", name), "--no-link", "-o", program.plain);
    await command(program.plain, "-o", program.linked);
    return program;
  };
  return {
    compile(name) {
      const known = compiled.get(name) ?? compile(name);
      compiled.set(name, known);
      return known;
    },
    upvm: (program, options, ...args) =>
      printedBy(process.execPath, runArgs(program, options, args), limit(options)),
    async whole(program, options) {
      const whole = await outcome(process.execPath, runArgs(program, options, []), limit(options));
      if (whole.code !== 0)
        throw new Error(`${program.linked} ended with ${whole.code}: ${whole.stderr.slice(0, 400)}`);
      return whole;
    },
    plain: (program, ...args) => printedBy(process.execPath, [PLAIN, program.plain, ...args]),
    asyncified: (program, ...args) => {
      const file = `${program.plain}.asyncify.wasm`;
      if (!existsSync(file)) writeFileSync(file, asyncified(readFileSync(program.plain)));
      return printedBy(process.execPath, [PLAIN, file, ...args]);
    },
  };
}

function runArgs(program: Program, options: UpvmOptions, args: readonly string[]): string[] {
  const { ulps, cores, flags = [] } = options;
  return [
    COMMAND,
    "run",
    program.linked,
    "--ulps",
    `${ulps}`,
    "--cores",
    `${cores}`,
    ...flags,
    "--",
    ...args,
  ];
}

function limit({ limitMs }: UpvmOptions): { readonly limitMs?: number } {
  return limitMs === undefined ? {} : { limitMs };
}
