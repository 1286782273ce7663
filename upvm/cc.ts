/**
 * `upvm cc`, `c++`, `ar` and `ranlib`: a compiler as Makefiles know it. A program that it links is a ULP's already.
 *
 * Owns: what is made of which words, and the files that come of it. Never touches the disk: it reads by its host, and
 * what is to be written is in the result. Exit codes and messages are the compiler's.
 */
import type { Tree } from "@yowasp/clang";
import { link } from "../runtime/link/link.ts";
import { UpvmError } from "../wire/errors.ts";
import { type CcArgs, type CcInput, ccArgs, STDIN } from "./cc-args.ts";
import type { CompileHost } from "./compile.ts";
import { CBuild, isCxx, OWN_LIBRARIES } from "./compile-c-build.ts";
import { absolute, fileIn, VirtualFiles } from "./compile-c-files.ts";
import { ownCompiler } from "./compile-c-own.ts";
import { runTool } from "./compile-c-tool.ts";

export const TOOLS = ["cc", "c++", "ar", "ranlib"] as const;
export type CcTool = (typeof TOOLS)[number];

export interface CcResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** What is to be written: absolute path → contents. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Runs a tool as if it were a program of its own. @param own  a compiler of the user's (--cc) */
export async function cc(
  tool: CcTool,
  words: readonly string[],
  host: CompileHost,
  own?: string,
): Promise<CcResult> {
  if (tool === "ar" || tool === "ranlib") return await archive(tool, words, host);
  const args = ccArgs(words, (path) => host.read(path));
  try {
    if (own !== undefined) return await ownCompiler(own, words, args, host);
    if (args.question) {
      const { code, out, err } = await runTool(["clang", "--target=wasm32-wasip1", ...words], {});
      return { code, out, err, files: new Map() };
    }
    const given = args.inputs.some(({ path }) => path === STDIN) ? await withInput(host) : host;
    return await new Driver(tool, args, given).run();
  } catch (error) {
    if (!(error instanceof UpvmError)) throw error;
    const hint = error.hint === undefined ? "" : `  ${error.hint}\n`;
    return { code: 1, out: "", err: `upvm ${tool}: error: ${error.message}\n${hint}`, files: new Map() };
  }
}

/** A host with standard input among its files. */
async function withInput(host: CompileHost): Promise<CompileHost> {
  const input = (await host.input?.()) ?? "";
  return { ...host, read: (path) => (path === STDIN ? input : host.read(path)) };
}

class Driver {
  private readonly tool: CcTool;
  private readonly args: CcArgs;
  private readonly host: CompileHost;
  private readonly build: CBuild;
  private readonly files = new Map<string, Uint8Array>();
  private out = "";
  private err = "";

  constructor(tool: CcTool, args: CcArgs, host: CompileHost) {
    this.tool = tool;
    this.args = args;
    this.host = host;
    this.build = new CBuild(host, args.include);
  }

  async run(): Promise<CcResult> {
    const { inputs, mode, output } = this.args;
    const sources = inputs.filter(({ kind }) => kind === "source");
    if (inputs.every(({ kind }) => kind === "library")) return this.failed("no input files");
    if (mode !== "link" && output !== undefined && sources.length > 1)
      return this.failed("cannot specify -o when generating multiple output files");
    for (const { kind, text, hint } of this.args.notes)
      this.err += `upvm ${this.tool}: ${kind}: ${text}\n  ${hint}\n`;
    if (this.args.notes.some(({ kind }) => kind === "error")) return this.result(1);
    const missing = inputs.filter(({ kind, path }) => kind !== "library" && !this.isThere(path));
    for (const { path } of missing) this.failed(`no such file or directory: '${path}'`);
    if (missing.length > 0) return this.result(1);
    if (
      mode !== "preprocess" &&
      sources.some(({ path, language }) => path === STDIN && language === undefined)
    )
      return this.failed("-E or -x required when input is from standard input");
    let code = 0;
    for (const input of inputs) {
      if (input.kind === "source") code = (await this.source(input)) || code;
      else if (mode === "link") this.object(input);
    }
    if (code !== 0 || mode !== "link") return this.result(code);
    return await this.link();
  }

  private isThere(path: string): boolean {
    return this.host.bytes?.(path) != null || this.host.read(path) !== null;
  }

  private failed(message: string): CcResult {
    this.err += `upvm ${this.tool}: error: ${message}\n`;
    return this.result(1);
  }

  private result(code: number): CcResult {
    return { code, out: this.out, err: this.err, files: this.files };
  }

  /** Compiles a source: to an object for the linker, or to what the mode says. @returns exit code */
  private async source({ path, language: told }: CcInput): Promise<number> {
    const language = path === STDIN ? (told ?? (this.tool === "c++" ? "c++" : "c")) : told;
    const { mode, compile, output, included, dependencies } = this.args;
    const { files } = this.build;
    const flags = [...(compile.some((word) => word.startsWith("-O")) ? [] : ["-O2"]), ...compile];
    if (!compile.some((word) => /^-g($|[^c])/.test(word))) flags.push("-gline-tables-only");
    for (const { flag, path: name } of included) flags.push(flag, files.addSource(name));
    if (language !== undefined) flags.push("-x", language);
    const cxx = this.tool === "c++" || isCxx(path) || language?.startsWith("c++") === true;
    if (this.tool === "c++" && language === undefined && /\.c$/.test(path)) flags.push("-x", "c++");
    const target = output ?? defaultOutput(path, mode);
    const printed = target === undefined || target === "-" || mode === "syntax";
    const kept = mode === "link" || printed ? undefined : files.output(target);
    const depends = this.dependsOn(path, mode === "link" ? defaultOutput(path, "object") : target);
    const step = await this.build.compile(path, [...flags, ...depends.flags], cxx, printed ? "-" : kept);
    this.err += step.said;
    this.out += files.shown(step.out);
    if (step.code !== 0) return step.code;
    if (kept !== undefined && step.bytes !== undefined) this.write(target as string, step.bytes);
    const listed = dependencies === undefined ? undefined : fileIn(step.tree, depends.name);
    if (listed !== undefined) {
      const text = files.shown(new TextDecoder().decode(listed));
      this.write(depends.file, new TextEncoder().encode(text));
    }
    return 0;
  }

  /** Options for the file of dependencies beside the output. */
  private dependsOn(source: string, target: string | undefined) {
    const { dependencies } = this.args;
    const made = target ?? source;
    const file = dependencies?.file ?? made.replace(/\.[^./]*$/, "").concat(".d");
    const name = this.build.files.output(file);
    if (dependencies === undefined) return { file, name, flags: [] };
    const rule = dependencies.target ? [] : ["-MT", made];
    return { file, name, flags: ["-MMD", "-MF", name, ...rule] };
  }

  /** Hands an object, an archive or a library to the linker. */
  private object({ kind, path }: CcInput): void {
    this.build.needCxx();
    if (kind === "object") {
      const bytes = this.host.bytes?.(path);
      if (bytes != null) this.build.addObject(path, bytes);
      return;
    }
    if (OWN_LIBRARIES.includes(path)) return;
    for (const folder of this.args.folders) {
      const name = `${folder}/lib${path}.a`;
      const bytes = this.host.bytes?.(name);
      if (bytes == null) continue;
      this.build.addObject(name, bytes);
      return;
    }
    this.build.addLibrary(path);
  }

  private async link(): Promise<CcResult> {
    const { output = "a.out", link: words } = this.args;
    if (this.tool === "c++") this.build.needCxx();
    const step = await this.build.link([], words);
    this.err += step.said;
    this.out += step.out;
    if (step.wasm === undefined) return this.result(step.code || 1);
    this.write(output, link(step.wasm, { path: output }).wasm);
    return this.result(0);
  }

  private write(path: string, bytes: Uint8Array): void {
    this.files.set(absolute(this.host.folder, path), bytes);
  }
}

/** What a source becomes unless -o says; undefined: it is printed. */
function defaultOutput(path: string, mode: CcArgs["mode"]): string | undefined {
  const stem = path === STDIN ? "-" : path.replace(/^.*\//, "").replace(/\.[^.]*$/, "");
  if (mode === "object" || mode === "link") return `${stem}.o`;
  return mode === "assembly" ? `${stem}.s` : undefined;
}

/** ar and ranlib: all files that are named are given, and those that have changed come back. */
async function archive(
  tool: "ar" | "ranlib",
  words: readonly string[],
  host: CompileHost,
): Promise<CcResult> {
  const virtual = new VirtualFiles(host, []);
  const tree: Tree = {};
  const before = new Map<string, Uint8Array | undefined>();
  // The first word of ar says what to do.
  const first = tool === "ar" && words[0]?.startsWith("-") === false ? 1 : 0;
  const given = words.map((word, i) => {
    if (i < first || word.startsWith("-")) return word;
    const bytes = host.bytes?.(word) ?? undefined;
    const name = bytes === undefined ? virtual.output(word) : virtual.addObject(word, bytes);
    virtual.show(name, word);
    before.set(name, bytes);
    return name;
  });
  Object.assign(tree, virtual.tree);
  const run = await runTool([tool, ...given], tree);
  const files = new Map<string, Uint8Array>();
  for (const [name, old] of before) {
    const now = fileIn(run.tree, name);
    if (now !== undefined && !same(now, old)) files.set(name.replace(/^\/host/, ""), now);
  }
  return { code: run.code, out: virtual.shown(run.out), err: virtual.shown(run.err), files };
}

function same(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]);
}
