/**
 * The programs of Debian's pvm-examples: how each is built, in which sessions they run, and what of their output counts.
 *
 * Owns: the tables. Nothing of the programs is kept here: they come from the package, unpacked for the test.
 */

/** A program: its sources, in the folder that the package's archives make, and what its makefile defines. */
export interface Build {
  readonly sources: readonly string[];
  readonly defines?: readonly string[];
}

const example = (name: string, ...more: string[]): readonly [string, Build] => [
  name,
  { sources: [name, ...more].map((each) => `examples/${each}.c`) },
];
const group = (name: string): readonly [string, Build] => [name, { sources: [`gexamples/${name}.c`] }];
const bandwidth = (name: string, ...defines: string[]): readonly [string, Build] => [
  name,
  { sources: ["examples/bwtest.c"], defines },
];

/** Name under which pvm_spawn finds it → how it is built. */
export const BUILDS: ReadonlyMap<string, Build> = new Map([
  example("gexample"),
  example("gmbi", "taskf"),
  example("hello"),
  example("hello_other"),
  example("inherit1"),
  example("inherit2"),
  example("inherit3"),
  example("inherita"),
  example("inheritb"),
  example("lmbi", "taskf"),
  example("master1"),
  example("mbox"),
  example("mhf_server"),
  example("ptest"),
  example("rme", "taskf"),
  example("slave1"),
  example("spmd"),
  example("task0", "taskf"),
  example("task1", "taskf"),
  example("task_end", "taskf"),
  example("timing"),
  example("timing_slave"),
  bandwidth("dbwtest", "PACK", "ENCODE=PvmDataDefault"),
  bandwidth("ibwtest", "PACK", "ENCODE=PvmDataInPlace"),
  bandwidth("rbwtest", "PACK", "ENCODE=PvmDataRaw"),
  bandwidth("pbwtest"),
  group("ge"),
  group("gexamp"),
  group("gs"),
  group("joinleave"),
  group("thb"),
  group("tjf"),
  group("tjl"),
  group("tnb"),
  group("trsg"),
  group("tst"),
]);

/** Linked into another of ours: tickle.c says why. */
export const LINKED_IN: readonly string[] = ["examples/mhf_tickle.c"];

/** Files that are not run, and why. */
export const SKIPPED: ReadonlyMap<string, string> = new Map([
  ["examples/starter.c", "gcc does not compile it either: it calls exit without its argument"],
]);

/** Sessions that are compiled and not compared, and why. */
export const NOT_COMPARED: ReadonlyMap<string, string> = new Map([
  ["mhf_tickle, mhf_server", "its server prints the table of handlers inside PVM's library"],
]);

export interface Session {
  readonly name: string;
  /** Program that is started by hand, with its arguments; "session" is ours (session.c). */
  readonly run: readonly [string, ...string[]];
  readonly input?: string;
  /** Every number counts as the same: the program measures. */
  readonly measures?: boolean;
  /** Lines that are printed as often as somebody has to wait. */
  readonly waits?: RegExp;
}

const session = (name: string, ...commands: string[]): Session => ({ name, run: ["session", ...commands] });

export const SESSIONS: readonly Session[] = [
  // First those of the message box: under PVM the group server has an entry in it, once it has been used.
  session(
    "task0, task1",
    "& task0 service",
    "? service",
    "task1 service",
    "task1 service",
    "task_end service 0",
    ".",
  ),
  session("task1 alone", "task1 nobody", "task_end nobody 0", "rme nobody 0"),
  session(
    "lmbi, gmbi, rme",
    "lmbi 3 mp e",
    "gmbi",
    "gmbi service*",
    "rme service 1",
    "gmbi",
    "rme service 7",
  ),
  session(
    "mbox",
    "mbox",
    "mbox query",
    "& mbox sleep=1",
    "? mbox_test",
    "mbox query",
    "mbox",
    "mbox query 0",
    ".",
  ),
  session(
    "mbox, lasting",
    "mbox pers",
    "mbox query",
    "mbox pers owrit",
    "mbox pers minst",
    "mbox query",
    "mbox delete 0",
    "mbox query",
  ),
  session("hello", "hello"),
  session("master1", "master1"),
  session("spmd", "4 spmd"),
  { name: "gexample", run: ["gexample"], input: "8\n4\n" },
  session("gexample, started together", "3 gexample"),
  session("inherita, inherit1", "inherita inherit1"),
  session("inherita, inherit3", "inherita inherit3"),
  session("inheritb", "inheritb"),
  { ...session("timing", "timing"), measures: true },
  { ...session("dbwtest", "2 dbwtest"), measures: true },
  { ...session("ibwtest", "2 ibwtest"), measures: true },
  { ...session("rbwtest", "2 rbwtest"), measures: true },
  { ...session("pbwtest", "2 pbwtest"), measures: true },
  session("ptest", "4 ptest 4"),
  {
    name: "mhf_tickle, mhf_server",
    run: ["tickle", "& mhf_server", "? mhf_server", "!"],
    // Load handler 1 for tag 50 and context 0, hit it, show what there is, end the server.
    input: "1\n50\n0\n1\n4\n50\n0\n1\nhello\n0\n9\n",
  },
  // It asks who is where when others may have left.
  { name: "ge", run: ["ge", "4"], waits: /^gid \d+ doesn't match up!$/ },
  { name: "gexamp", run: ["gexamp", "4"] },
  { name: "gs", run: ["gs", "3"], waits: /^waiting on kids/ },
  session("joinleave", "joinleave 300"),
  session("thb", "thb 3"),
  session("tjf", "tjf"),
  session("tjl", "tjl"),
  { name: "trsg", run: ["trsg"], input: "4\n5\n" },
  session("trsg, started by another", "trsg"),
  session("tst", "tst"),
];

/** What of an output counts: not tids, contexts, hosts and folders, not the order of lines. */
export function counted(session: Session, output: string, folder: string, host: string): string {
  const lines = output
    .replaceAll(folder === "" ? "\0" : `${folder}/`, "")
    .replace(new RegExp(`\\b${host}\\b`, "g"), "HOST")
    .replace(/\.wasm\b/g, "")
    .replace(/^\[t[0-9a-f]+\] ?/gm, "")
    .replace(/\b(t|0x)4[0-9a-f]{4}/g, "TID")
    .replace(/^ ?4[0-9a-f]{4} /gm, "TID ")
    .replace(/\b262[1-9]\d\d\b/g, "TID")
    .replace(/context (TID|[1-9]\d*)/g, "context NUMBER")
    .replace(session.measures ? /\d+(\.\d+)?/g : /$^/, "NUMBER")
    .split("\n")
    .map((line) => line.trimEnd().replace(session.measures ? / +/g : /$^/, " "))
    .filter(
      (line) =>
        line.trim() !== "" &&
        !line.includes("child task(s) still running") &&
        line !== "BEGIN" &&
        line !== "EOF" &&
        session.waits?.test(line) !== true,
    );
  return lines.sort().join("\n");
}
