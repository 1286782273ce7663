/**
 * Builds and runs the programs of pvm-examples: by gcc under the real PVM, and by upvm.
 *
 * Owns: where they are unpacked (.upvm-cache/, so that what is compiled is kept), and how a session is started.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { RealPvm } from "../../bench/real-pvm.ts";
import { outcome } from "../../bench/spawn.ts";
import { link } from "../../runtime/link/link.ts";
import { compile } from "../../upvm/node-compile.ts";
import { type InputSource, run } from "../../upvm/run.ts";
import { TID_BASE } from "../../wire/pvm.ts";
import { root } from "../guest-run.ts";
import { BUILDS, type Build, counted, type Session } from "./examples.ts";

/** Where Debian's package has them. */
const ARCHIVES = ["examples", "gexamples"].map((name) => `/usr/share/doc/pvm-examples/${name}.tar.gz`);
const CACHE = join(root, ".upvm-cache");
const FOLDER = join(CACHE, "pvm-examples");
/** Longest a session may take, milliseconds; those that sleep do so for seconds. */
const SESSION_LIMIT_MS = 60_000;
/** In what programs print. */
const HOST = hostname();

/** Our own: what a person would do at PVM's console. */
const OWN: ReadonlyMap<string, Build> = new Map([
  ["session", { sources: ["session.c"] }],
  ["tickle", { sources: ["tickle.c"] }],
]);

export function areExamplesInstalled(): boolean {
  return ARCHIVES.every((path) => existsSync(path));
}

/** Unpacks the package's archives and returns the names of the C files. @throws Error with what tar said */
export function unpack(): string[] {
  mkdirSync(FOLDER, { recursive: true });
  return ARCHIVES.flatMap((path) => {
    const done = spawnSync("tar", ["-xzvf", path, "-C", FOLDER, "--wildcards", "*.c"], { encoding: "utf8" });
    if (done.status !== 0) throw new Error(`tar cannot unpack ${path}: ${done.stderr}`);
    return done.stdout.trim().split("\n");
  });
}

interface Resolved {
  readonly sources: readonly string[];
  readonly defines: readonly string[];
  readonly own: boolean;
}

function buildOf(name: string): Resolved | undefined {
  const own = OWN.get(name);
  const build = own ?? BUILDS.get(name);
  if (build === undefined) return undefined;
  const folder = own === undefined ? FOLDER : import.meta.dirname;
  const sources = build.sources.map((source) => join(folder, source));
  return { sources, defines: build.defines ?? [], own: own !== undefined };
}

/** Compiles all with gcc into the folder where PVM looks for programs. @throws Error with what gcc said */
export function buildForPvm(pvm: RealPvm): void {
  for (const name of [...BUILDS.keys(), ...OWN.keys()]) {
    const { sources, defines, own } = buildOf(name)!;
    const flags = [
      own ? "-std=gnu99" : "-std=gnu89",
      `-I${join(FOLDER, "examples")}`,
      ...defines.map((define) => `-D${define}`),
    ];
    const files = [...sources, "-o", join(pvm.programs, name), "-lgpvm3", "-lpvm3"];
    const done = spawnSync("gcc", ["-w", ...flags, ...files], { encoding: "utf8" });
    if (done.status !== 0) throw new Error(`gcc cannot compile ${name}: ${done.stderr}`);
  }
}

const linked = new Map<string, Promise<Uint8Array>>();

/** A program of the package or of ours by its name, compiled and linked once; undefined: there is none. */
export async function upvmProgram(name: string): Promise<Uint8Array | undefined> {
  const build = buildOf(name);
  if (build === undefined) return undefined;
  const known = linked.get(name) ?? compileForUpvm(name, build);
  linked.set(name, known);
  return await known;
}

async function compileForUpvm(name: string, { sources, defines }: Resolved): Promise<Uint8Array> {
  const [first = "", ...more] = sources;
  const options = {
    optimize: "1",
    sources: more,
    define: defines,
    include: [join(FOLDER, "examples")],
  } as const;
  const { wasm } = await compile(first, options, CACHE);
  return link(wasm, { path: name }).wasm;
}

/** What of the output of a session under PVM counts. */
export async function onPvm(session: Session, pvm: RealPvm): Promise<string> {
  const [name, ...args] = session.run;
  const { stdout, stderr } = await outcome(join(pvm.programs, name), args, {
    env: pvm.env,
    input: session.input ?? "",
    limitMs: SESSION_LIMIT_MS,
  });
  return counted(session, `${stdout}\n${stderr}`, pvm.programs, HOST);
}

/** A text as standard input. */
function inputOf(text: string): InputSource {
  let rest = new TextEncoder().encode(text);
  return {
    read: async (bytes) => {
      const part = rest.slice(0, bytes);
      rest = rest.slice(part.length);
      return part;
    },
    ready: async () => true,
  };
}

/** What of the output of a session under upvm counts. Only the first ULP's: PVM throws away what nobody catches. */
export async function onUpvm(session: Session): Promise<string> {
  const [name, ...args] = session.run;
  const parts: [string[], string[]] = [[], []];
  const result = await run({
    module: (await upvmProgram(name))!,
    name,
    args,
    input: inputOf(session.input ?? ""),
    cores: 2,
    loadProgram: upvmProgram,
    output: (fd, bytes, tid) => {
      if (tid === TID_BASE + 1) parts[fd === 1 ? 0 : 1].push(new TextDecoder().decode(bytes));
    },
  });
  const leaks = result.leaks === "" ? "" : `\nleaks: ${result.leaks}`;
  const end = result.reason === "deadlock" ? "\ndeadlock" : "";
  return counted(session, `${parts[0].join("")}\n${parts[1].join("")}${end}${leaks}`, "", HOST);
}
