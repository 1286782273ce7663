/** `upvm run`: a program as many ULPs, on this machine's cores or on the hosts of a virtual machine. */

import type { Rpc } from "../../net/rpc.ts";
import { dumpText } from "../../runtime/scheduler/dump.ts";
import type { Grant } from "../../runtime/scheduler/files.ts";
import { EXIT, UpvmError } from "../../wire/errors.ts";
import { type JobWish, LINKS, ROUTES, type Route } from "../../wire/job.ts";
import { LIMITS } from "../../wire/limits.ts";
import type { SeatRow } from "../../wire/seats.ts";
import { usage } from "../args.ts";
import { C_FLAGS, type CFlags, cOptions } from "../c-flags.ts";
import { bugText } from "../cli.ts";
import { command } from "../command.ts";
import type { Edge } from "../edge.ts";
import { exitCodeOf, resultJson, statsRows, ulpReports } from "../outcome.ts";
import { painter } from "../paint.ts";
import { profileLines, ulpProfiles } from "../profile.ts";
import { foldersOf, needsNoPolls, type Program, prepare, siblings } from "../program.ts";
import { report, statsLines } from "../report.ts";
import { type RunOptions, type RunResult, run as runUlps } from "../run.ts";
import { commandHandlers, runOnMachine } from "../run-vm.ts";
import { hostsOf, placementOf, seatCount, seatsOfFile, seatsOfList, THIS_HOST } from "../seats.ts";
import { masterIfAny, ownHost } from "../vm.ts";
import { printers } from "../whole-lines.ts";

const MB = 1 << 20;
const NO_DUMP = "the heap is of many processes (--isolate), or an engine had to be ended by force";
const PAGE_BYTES = 65_536;

export const run = command({
  summary: "Run a program as many user-level processes (ULPs)",
  about: [
    "Source files are compiled first (and kept: a second run is quick). What ULPs print comes out line by line, lines never mixed.",
    "With --json the result is one JSON object on standard output, and what ULPs print to their standard output goes to standard error with the rest.",
    "If a pvmd is in service (upvm start), the program runs on all hosts of its virtual machine, with a process and an engine for each core on each; else in this process.",
    "Ctrl-C ends the run and says where each ULP was; a second one ends it without a word.",
  ],
  args: { file: { count: "one", help: "the program: .ts, .c, .cc, .cpp, .cxx, .wat, or compiled" } },
  rest: "arguments of the program, the same for each ULP",
  flags: {
    ulps: {
      kind: "number",
      short: "n",
      value: "N",
      min: 1,
      max: LIMITS.ulps,
      whole: true,
      absent: "1; with --seats one for each seat",
      help: "how many",
    },
    cores: {
      kind: "number",
      value: "K",
      min: 1,
      max: LIMITS.engines,
      whole: true,
      absent: "one for each core",
      help: "engines: threads that run ULPs",
    },
    place: {
      kind: "choice",
      choices: ["block", "cyclic"],
      default: "block",
      help: "where ULPs start: neighbours together, or dealt out in turn",
    },
    seats: {
      kind: "text",
      value: "SEATS",
      absent: "--place alone says where ULPs start",
      help: "which ULP starts where: HOST[/ENGINE][:COUNT], with commas between, in order of the ULPs; after the last seat the first comes again. A host is . for this one. @FILE reads the lines of a file, also those of Open MPI's hostfiles (HOST slots=N) and rankfiles (rank I=HOST slot=ENGINE)",
    },
    slice: {
      kind: "number",
      value: "MS",
      min: 0.1,
      max: 60_000,
      whole: false,
      absent: "a ULP runs until it waits, or others have waited for a second",
      help: "time slice, milliseconds",
    },
    profile: {
      kind: "number",
      value: "MS",
      min: 1,
      max: 60_000,
      whole: false,
      absent: "no profile",
      help: "look so often where ULPs compute, and tell at the end, by ULP, function and line",
    },
    heap: {
      kind: "number",
      value: "MB",
      min: LIMITS.heapBytesMin / MB,
      max: Math.floor(LIMITS.heapBytesMax / MB),
      whole: false,
      absent: `${LIMITS.heapBytes / MB}; ${LIMITS.isolatedHeapBytes / MB} for each process with --isolate`,
      help: "memory for messages and descriptors of all ULPs",
    },
    memory: {
      kind: "number",
      value: "MB",
      min: 0.0625,
      max: 4096,
      whole: false,
      absent: "what the program asks for",
      help: "largest memory of one ULP",
    },
    frames: {
      kind: "number",
      value: "MB",
      min: 0.0625,
      max: 1024,
      whole: false,
      default: LIMITS.framesBytesMax / MB,
      help: "most that the calls of one suspended ULP may take",
    },
    env: {
      kind: "list",
      value: "NAME=VALUE",
      help: "a variable of the program's environment, which is empty otherwise",
    },
    dir: {
      kind: "list",
      value: "HOST[:GUEST][:ro]",
      help: "a folder whose files the program may use, under the name GUEST; ro: not change. Without it, none",
    },
    ...C_FLAGS,
    path: {
      kind: "list",
      value: "FOLDER",
      help: "where pvm_spawn looks for programs, after the program's own folder; then UPVM_PATH, with colons between folders",
    },
    hosts: {
      kind: "list",
      value: "NAME[,NAME]",
      help: "hosts of the virtual machine to run on; without it, all that are in service",
    },
    link: {
      kind: "choice",
      choices: LINKS,
      default: "auto",
      help: "how processes of the job on different hosts reach each other; auto: tls if a host listens with tls:, else tcp; unix: all hosts are this machine",
    },
    route: {
      kind: "choice",
      choices: ROUTES,
      default: "auto",
      help: "way of these links: direct, or carried by the daemons; auto: direct where that can be, else by the daemons",
    },
    "no-polls": {
      kind: "switch",
      help: "link without the places where a ULP that computes can be stopped: faster code, most where functions call each other much. It runs until it waits: no time slice, profile or move to another core or host before that, and who looks for messages in a loop must call pvm_yield",
    },
    local: { kind: "switch", help: "run in this process, though a pvmd is in service" },
    tag: { kind: "switch", help: "print [tid] before every line of a ULP" },
    isolate: {
      kind: "switch",
      help: "one process of the operating system for each ULP: slow; for debuggers and comparison",
    },
    stats: { kind: "switch", help: "print counts of switches, messages, copies and more at the end" },
    dump: {
      kind: "text",
      value: "FILE",
      help: "at the end write descriptors, queues and buffers to it; JSON if its name ends in .json",
    },
    json: { kind: "switch", help: "print the result as JSON" },
  },
  examples: [
    "upvm run ring.ts --ulps 24",
    "upvm run solver.c --ulps 8 --cores 2 --stats -- --size 256",
    "upvm run solver.c --seats big:6,small:2",
    "upvm run ring.wasm -n 1000 --json > result.json",
    "upvm run solver.c --dir data:/data:ro --dir out < parameters.txt",
  ],
  exits: {
    0: "every ULP ended well",
    1: "a ULP failed, or all waited for ever (deadlock)",
    2: "wrong usage",
    3: "the program cannot be compiled or linked",
    130: "interrupted",
    143: "ended by upvm kill, or its virtual machine was halted",
  },
  async run({ args, flags, rest }, edge) {
    const unnamed = flags.env.find((text) => !/^[^=]+=/.test(text));
    if (unnamed !== undefined) throw usage(`Cannot take --env "${unnamed}": it takes NAME=VALUE`, "run");
    const grants = await grantsOf(flags.dir, edge);
    const seats = await seatsGiven(flags.seats, edge);
    const polls = !flags["no-polls"];
    if (!polls && (flags.slice !== undefined || flags.profile !== undefined))
      throw usage("Cannot take --slice or --profile with --no-polls: they stop a ULP at its polls", "run");
    const program = await prepare(args.file, cOptions(flags), edge, polls);
    if (!polls) needsNoPolls(program);
    if (program.warnings !== "") edge.err(`${program.warnings}\n`);
    const programs = [program.linked.wasm];
    const input = edge.input();
    const options = optionsOf(program, flags, rest, programs, edge);
    const ulps = flags.ulps ?? (seats === undefined ? 1 : seatCount(seats));
    const { out, err } = printers(edge);
    // With --json standard output is the result's alone.
    const output: RunOptions["output"] = (fd, bytes, tid) =>
      fd === 1 && !flags.json ? out(bytes, tid) : err(bytes, tid);
    const given = { ...options, ulps, grants, input, output };
    const result = await runSomewhere(given, { ...flags, seats }, edge).finally(() => input.close());
    const reports = ulpReports(result.ulps, programs);
    const name = nameOf(args.file);
    const profile = result.profile && ulpProfiles(result.profile, result.ulps, programs);
    if (flags.json) edge.out(`${JSON.stringify(resultJson(name, result, reports, profile))}\n`);
    else {
      const lines = report(name, result.reason, reports, painter(edge.colour.err));
      if (lines.length > 0) err.end();
      tell(lines, edge);
    }
    if (profile !== undefined && !flags.json) tell(profileLines(profile, flags.profile ?? 0), edge);
    if (flags.stats) tell(statsLines(statsRows(result.stats, result.ms, edge.peakMemoryBytes())), edge);
    if (flags.dump !== undefined) await writeDump(flags.dump, result, edge);
    if (result.leaks !== "") {
      edge.err(bugText(`the process heap still holds: ${result.leaks}`));
      return EXIT.bug;
    }
    return exitCodeOf(result.reason);
  },
});

/** On the virtual machine of this home, if there is one; else in this process. */
async function runSomewhere(options: RunOptions, flags: PlaceFlags, edge: Edge): Promise<RunResult> {
  const { seats, place, link, route } = flags;
  const names = flags.hosts.flatMap((text) => text.split(",")).filter((name) => name !== "");
  const here = flags.local || flags.isolate || flags.dump !== undefined;
  if (here && names.length > 0) throw usage("Cannot take --hosts with --local, --isolate or --dump", "run");
  if (flags.isolate && seats !== undefined)
    throw usage("Cannot take --seats with --isolate: each ULP has a process of its own", "run");
  const linked = link !== "auto" ? `--link ${link}` : route !== "auto" ? `--route ${route}` : "";
  if (here && linked !== "")
    throw usage(`Cannot take ${linked} with --local, --isolate or --dump: one host has no links`, "run");
  const away = seats?.find(({ host }) => host !== THIS_HOST)?.host;
  if (here && away !== undefined)
    throw usage(`Cannot take ${away} for --seats with --local or --dump: the only host is .`, "run");
  const local: RunOptions = seats === undefined ? options : { ...options, place: placementOf(seats, place) };
  if (here) return await runUlps(local);
  const master = await masterOf(options, names.length > 0 || away !== undefined || linked !== "", edge);
  if (master === undefined) return await runUlps(local);
  const own = seats?.some(({ host }) => host === THIS_HOST) ? await ownHost(await edge.vm()) : "";
  const named = seats?.map((row) => (row.host === THIS_HOST ? { ...row, host: own } : row));
  const choice = { hosts: hostsOf(names, named), link, route, seats: named };
  return await runOnMachine(options, choice, master, edge.sha256);
}

/** The virtual machine's master; undefined: there is none, and none is needed. @throws UpvmError */
async function masterOf(options: RunOptions, needed: boolean, edge: Edge): Promise<Rpc | undefined> {
  try {
    const vm = await edge.vm();
    const master = await masterIfAny(
      vm,
      commandHandlers(options, (text) => edge.err(`upvm: ${text}\n`), edge.jobBegun),
    );
    if (master !== undefined || !needed) return master;
    throw new UpvmError("NO_PVMD", { what: "run on other hosts", path: vm.home.folder });
  } catch (error) {
    // Without a home there is no virtual machine.
    if (!needed && error instanceof UpvmError && error.code.startsWith("HOME_")) return undefined;
    throw error;
  }
}

/** The flags that become options of the run. */
interface RunFlags extends CFlags {
  readonly cores: number | undefined;
  readonly place: "block" | "cyclic";
  readonly slice: number | undefined;
  readonly profile: number | undefined;
  readonly heap: number | undefined;
  readonly memory: number | undefined;
  readonly frames: number;
  readonly env: readonly string[];
  readonly path: readonly string[];
  readonly tag: boolean;
  readonly isolate: boolean;
  readonly local: boolean;
  readonly hosts: readonly string[];
  readonly link: JobWish["link"];
  readonly route: Route;
  readonly json: boolean;
  readonly dump: string | undefined;
}
type PlaceFlags = RunFlags & { readonly seats: readonly SeatRow[] | undefined };

/** @throws UpvmError USAGE, FILE_NOT_FOUND */
async function seatsGiven(text: string | undefined, edge: Edge): Promise<SeatRow[] | undefined> {
  if (text === undefined) return undefined;
  if (!text.startsWith("@")) return seatsOfList(text);
  const path = text.slice(1);
  return seatsOfFile(path, new TextDecoder().decode(await edge.readFile(path)));
}

/** @param programs  gets the linked modules that pvm_spawn asks for, in the order of their numbers */
function optionsOf(
  program: Program,
  flags: RunFlags,
  args: readonly string[],
  programs: Uint8Array[],
  edge: Edge,
): Omit<RunOptions, "output"> {
  const warn = (error: UpvmError): void => edge.err(`upvm: ${error.message}\n`);
  const folders = foldersOf([...flags.path, edge.programPath]);
  const find = siblings(program.path, folders, edge, warn, cOptions(flags), program.linked.info.unpolled);
  return {
    loadProgram: async (name) => {
      const found = await find(name);
      if (found !== undefined) programs.push(found);
      return found;
    },
    dump: flags.dump !== undefined,
    module: program.linked.wasm,
    name: nameOf(program.path),
    place: flags.place,
    framesBytes: Math.floor(flags.frames * MB),
    args,
    env: flags.env,
    tag: flags.tag,
    signal: edge.interrupts(),
    isolate: flags.isolate,
    ...(flags.heap !== undefined && { heapBytes: Math.floor(flags.heap * MB) }),
    ...(flags.cores !== undefined && { cores: flags.cores }),
    ...(flags.slice !== undefined && { sliceMs: flags.slice }),
    ...(flags.profile !== undefined && { profileMs: flags.profile }),
    ...(flags.memory !== undefined && { memoryPages: Math.floor((flags.memory * MB) / PAGE_BYTES) }),
  };
}

/**
 * What --dir grants: HOST[:GUEST][:ro]. The program calls the folder GUEST, or HOST as it was written.
 *
 * @throws UpvmError USAGE, FILE_NOT_FOUND
 */
async function grantsOf(dirs: readonly string[], edge: Edge): Promise<Grant[]> {
  if (dirs.length > LIMITS.grants)
    throw usage(`Cannot take more than ${LIMITS.grants} folders with --dir`, "run");
  const grants: Grant[] = [];
  for (const dir of dirs) {
    const [host = "", ...rest] = dir.split(":");
    const readOnly = rest.at(-1) === "ro";
    const guest = (readOnly ? rest.slice(0, -1) : rest).join(":") || host;
    if (host === "") throw usage(`Cannot take --dir "${dir}": it takes HOST[:GUEST][:ro]`, "run");
    const folder = await edge.realFolder(host).catch((error: unknown) => {
      if (!(error instanceof UpvmError)) throw error;
      throw new UpvmError(error.code, { ...error.facts, why: `${error.facts["why"]} (--dir)` });
    });
    grants.push({ host: folder, guest, readOnly });
  }
  return grants;
}

/** Writes what was there at the end, with what initialisation did. */
async function writeDump(path: string, { dump, trace }: RunResult, edge: Edge): Promise<void> {
  if (dump === undefined) {
    edge.err(`upvm: Cannot write ${path}: ${NO_DUMP}\n`);
    return;
  }
  const steps = trace.map(({ step, name, result }) => `${step} ${name}: ${result}\n`).join("");
  await edge.writeFile(
    path,
    path.endsWith(".json") ? `${JSON.stringify({ trace, dump })}\n` : steps + dumpText(dump),
  );
}

/** What messages and pvm_tasks call the program: the file's name without its folders. */
function nameOf(path: string): string {
  return path.replace(/^.*[/\\]/, "");
}

function tell(lines: readonly string[], edge: Edge): void {
  if (lines.length > 0) edge.err(`${lines.join("\n")}\n`);
}
