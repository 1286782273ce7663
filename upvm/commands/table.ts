/** All commands of `upvm`, in the order of the help. */
import { bench } from "./bench.ts";
import { ar, cc, cxx, ranlib } from "./cc.ts";
import { checkpoint, restart } from "./checkpoint.ts";
import { compile } from "./compile.ts";
import { conf } from "./conf.ts";
import { consoleCommand } from "./console.ts";
import { halt } from "./halt.ts";
import { add, remove } from "./hosts.ts";
import { inspect } from "./inspect.ts";
import { jobs, kill, ps } from "./jobs.ts";
import { log } from "./log.ts";
import { migrate } from "./migrate.ts";
import { run } from "./run.ts";
import { start } from "./start.ts";
import { status } from "./status.ts";

export const COMMANDS = {
  run,
  compile,
  start,
  status,
  conf,
  ps,
  jobs,
  kill,
  migrate,
  checkpoint,
  restart,
  add,
  delete: remove,
  halt,
  console: consoleCommand,
  log,
  cc,
  "c++": cxx,
  ar,
  ranlib,
  inspect,
  bench,
} as const;
