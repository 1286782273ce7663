/** `upvm compile`: source to a wasm program that can run and move as a ULP. */
import type { LinkInfo } from "../../runtime/link/link-info.ts";
import { EXIT } from "../../wire/errors.ts";
import { usage } from "../args.ts";
import { C_FLAGS, type CFlags, cOptions } from "../c-flags.ts";
import { command } from "../command.ts";
import { type CompileOptions, OPTIMIZE, RUNTIME } from "../compile.ts";
import type { Edge } from "../edge.ts";
import { painter } from "../paint.ts";
import { needsNoPolls, prepare, wasmOf } from "../program.ts";
import { grouped, statsLines } from "../report.ts";

export const compile = command({
  summary: "Compile a program and link it: make it able to run as a ULP, and to move",
  about: [
    "AssemblyScript (.ts), C (.c), C++ (.cc, .cpp, .cxx) and WebAssembly text (.wat) are compiled first; a .wasm file of any other compiler is only linked. It may import nothing but the namespaces pvm and wasi_snapshot_preview1.",
  ],
  args: {
    file: { count: "one", help: "the program: .ts, .c, .cc, .cpp, .cxx, .wat or .wasm" },
    sources: { count: "many", help: "C: more source files of the same program" },
  },
  flags: {
    out: {
      kind: "text",
      short: "o",
      value: "OUT",
      help: "where to write it",
      absent: "FILE's name with .wasm, in this folder",
    },
    "no-link": { kind: "switch", help: "write the compiler's wasm as it is, for other runtimes" },
    "no-polls": {
      kind: "switch",
      help: "a ULP of it can be stopped where it waits, and nowhere else: faster and smaller code, see upvm run --help",
    },
    optimize: {
      kind: "choice",
      short: "O",
      choices: OPTIMIZE,
      default: "3",
      help: "how much: s and z for size",
    },
    runtime: {
      kind: "choice",
      choices: RUNTIME,
      help: "AssemblyScript: its memory manager",
      absent: "incremental",
    },
    include: { kind: "list", short: "I", value: "FOLDER", help: "C: look for #include files there" },
    define: { kind: "list", short: "D", value: "NAME[=VALUE]", help: "C: define a macro" },
    library: { kind: "list", short: "l", value: "NAME", help: "C: link with a library, such as m" },
    ...C_FLAGS,
    json: { kind: "switch", help: "print what was done as JSON" },
  },
  elsewhere:
    "other options of a C compiler, and compiling in steps, are upvm cc's: upvm cc -Wall -o prog prog.c",
  examples: [
    "upvm compile ring.ts -o ring.wasm",
    "upvm compile solver.c grid.c -O2 -I include -l m",
    "upvm compile theirs.wasm -o ours.wasm",
  ],
  exits: {
    0: "written",
    2: "wrong usage",
    3: "the program cannot be compiled or linked, or the file not written",
  },
  async run({ args, flags }, edge) {
    const out = outName(args.file, flags.out);
    if (flags["no-link"] && flags["no-polls"])
      throw usage("Cannot take --no-polls with --no-link: nothing is linked", "compile");
    const options = compileOptions(args.sources, flags);
    const facts = flags["no-link"]
      ? await writeUnlinked(args.file, out, options, edge)
      : await writeLinked(args.file, out, options, !flags["no-polls"], edge);
    if (facts.warnings !== "") edge.err(`${facts.warnings}\n`);
    if (flags.json) edge.out(`${JSON.stringify(facts)}\n`);
    else edge.out(text(facts, edge.colour.out));
    return EXIT.ok;
  },
});

/** What was done; also the JSON. Times in milliseconds. */
interface Facts {
  readonly file: string;
  readonly out: string;
  readonly warnings: string;
  readonly compiledBytes: number;
  readonly compileMs: number;
  readonly linked?: {
    readonly bytes: number;
    readonly linkMs: number;
    readonly alreadyLinked: boolean;
    readonly functions: number;
    readonly resumable: number;
    readonly resumePoints: number;
    readonly polls: number;
    readonly pages: LinkInfo["pages"];
    readonly imports: readonly string[];
    readonly entries: readonly string[];
  };
}

async function writeUnlinked(file: string, out: string, options: CompileOptions, edge: Edge): Promise<Facts> {
  const startMs = edge.nowMs();
  const { wasm, warnings } = await wasmOf(file, options, edge);
  const compileMs = edge.nowMs() - startMs;
  await edge.writeFile(out, wasm);
  return { file, out, warnings, compiledBytes: wasm.length, compileMs };
}

async function writeLinked(
  file: string,
  out: string,
  options: CompileOptions,
  polls: boolean,
  edge: Edge,
): Promise<Facts> {
  const program = await prepare(file, options, edge, polls);
  if (!polls) needsNoPolls(program);
  const { wasm, linked, wasLinked, warnings, compileMs, linkMs } = program;
  await edge.writeFile(out, linked.wasm);
  const { counts, points, pages, imports, entries } = linked.info;
  const part = { bytes: linked.wasm.length, linkMs, alreadyLinked: wasLinked, resumePoints: points.length };
  return {
    file,
    out,
    warnings,
    compiledBytes: wasm.length,
    compileMs,
    linked: { ...part, ...counts, pages, imports, entries },
  };
}

function text(facts: Facts, colour: boolean): string {
  const paint = painter(colour);
  const rows: [string, string][] = [["compiled, bytes", grouped(facts.compiledBytes)]];
  const { linked } = facts;
  if (linked !== undefined) {
    rows.push(["linked, bytes", grouped(linked.bytes)]);
    rows.push(["functions", grouped(linked.functions)]);
    rows.push(["functions that may suspend", grouped(linked.resumable)]);
    rows.push(["places where they may", grouped(linked.resumePoints)]);
    rows.push(["polls in loops", grouped(linked.polls)]);
  }
  rows.push(["time, ms", grouped(facts.compileMs + (linked?.linkMs ?? 0))]);
  const already = linked?.alreadyLinked === true ? "  (it was linked already: nothing changed)\n" : "";
  return `${facts.file} → ${paint("bold", facts.out)}\n${already}${statsLines(rows).join("\n")}\n`;
}

/** @throws UpvmError USAGE if the output would overwrite the input */
function outName(file: string, out: string | undefined): string {
  if (out !== undefined) return out;
  const name = file.replace(/^.*[/\\]/, "").replace(/\.(ts|c|cc|cpp|cxx|wat)$/, "");
  if (name.endsWith(".wasm"))
    throw usage(`Cannot compile ${file} without OUT: it would overwrite itself`, "compile");
  return `${name}.wasm`;
}

interface Given extends Required<Pick<CompileOptions, "optimize" | "include" | "define">>, CFlags {
  readonly runtime: CompileOptions["runtime"] | undefined;
  readonly library: readonly string[];
}

function compileOptions(sources: readonly string[], flags: Given): CompileOptions {
  const { optimize, runtime, include, define, library: libraries, stack, cc } = flags;
  return {
    sources,
    optimize,
    include,
    define,
    libraries,
    ...(runtime !== undefined && { runtime }),
    ...cOptions({ stack, cc }),
  };
}
