/** All commands of `upvm`, in the order of the help. */
import { bench } from "./bench.ts";
import { compile } from "./compile.ts";
import { inspect } from "./inspect.ts";
import { run } from "./run.ts";

export const COMMANDS = { run, compile, inspect, bench } as const;
