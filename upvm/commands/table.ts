/** All commands of `upvm`, in the order of the help. */
import { bench } from "./bench.ts";
import { ar, cc, cxx, ranlib } from "./cc.ts";
import { compile } from "./compile.ts";
import { inspect } from "./inspect.ts";
import { run } from "./run.ts";

export const COMMANDS = { run, compile, cc, "c++": cxx, ar, ranlib, inspect, bench } as const;
