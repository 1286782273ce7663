/**
 * The steps of a C or C++ program: each source to an object, the objects with the libraries to wasm.
 *
 * Owns: the options that upvm adds to the user's, and the guest library. Which sources and options there are is the
 * caller's: compile-c.ts for `upvm compile`, cc.ts for `upvm cc`.
 */
import type { Tree } from "@yowasp/clang";
import { LIMITS } from "../wire/limits.ts";
import { PVM_LIBRARY, PVM_ROUTINE } from "../wire/pvm.ts";
import type { CompileHost } from "./compile.ts";
import { fileIn, type Include, putFile, VirtualFiles } from "./compile-c-files.ts";
import { withHints } from "./compile-c-hints.ts";
import { runTool } from "./compile-c-tool.ts";

/**
 * Stack of a C program, bytes: clang's default of 64 KiB is little for numerical code with arrays on it. Only pages
 * that are touched cost memory. It lies below the data, so that an overflow traps and does not overwrite them.
 *
 * Not 1 MB: a move looks through all of it for what is not zero, which would take 0.2 ms more of the 1.5 in which a small ULP
 * leaves, and a destination would need room for all of it. Who needs more says so (--stack).
 */
const STACK_BYTES = 256 << 10;
const STACK_ALIGN = 16;
const LIB = "/usr/lib/wasm32-wasip1";
const OBJECTS = "/upvm/objects";

/** For every source: the machine, and what old programs take for granted. */
export const TARGET_FLAGS = [
  "--target=wasm32-wasip1",
  "-msimd128",
  "-fno-color-diagnostics",
  // The C++ library of the package has none; so they are refused where they stand, not when linking.
  "-fno-exceptions",
  "-D_WASI_EMULATED_SIGNAL",
  "-D_WASI_EMULATED_GETPID",
  "-D_WASI_EMULATED_PROCESS_CLOCKS",
  "-D_WASI_EMULATED_MMAN",
  // C as it was when PVM's programs were written: what a later standard forbids is taken as it was meant.
  "-Wno-implicit-int",
  "-Wno-implicit-function-declaration",
  "-Wno-deprecated-non-prototype",
  "-Wno-error=int-conversion",
  "-Wno-error=incompatible-pointer-types",
  "-Wno-error=incompatible-function-pointer-types",
  "-Wno-error=return-mismatch",
] as const;

/** Names in -l that upvm's own library, or nothing, stands for. */
export const OWN_LIBRARIES: readonly string[] = [
  "pvm3",
  "gpvm3",
  "fpvm3",
  "pvm3pe",
  "nsl",
  "socket",
  "inet",
  "rpc",
  "bsd",
  // GCC's own, which clang's stand for.
  "gcc",
  "gcc_s",
  "gcc_eh",
];
/** Names of C++'s library that this one stands for. */
export const CXX_LIBRARIES: readonly string[] = ["stdc++", "supc++"];
/** Emulations of WASI's C library. */
export const EMULATED = ["signal", "getpid", "process-clocks", "mman"] as const;

/** For the linker. */
export const LINK_FLAGS: readonly string[] = [
  "--stack-first",
  // As for AssemblyScript: some room to begin with, since growing is slow.
  `--initial-heap=${LIMITS.initialPages * 65_536}`,
  ...stackFlags(STACK_BYTES),
];

/** The linker's words for a stack of so many bytes; the last ones count. */
export function stackFlags(bytes: number): string[] {
  return ["-z", `stack-size=${bytes & -STACK_ALIGN}`];
}

export interface Step {
  readonly code: number;
  /** What the compiler said, with the user's paths. */
  readonly said: string;
  readonly out: string;
}
export interface ObjectStep extends Step {
  /** Undefined if it failed, or was asked for something else than a file. */
  readonly bytes: Uint8Array | undefined;
  /** Files that it wrote besides: dependencies. By clang's name. */
  readonly tree: Tree;
}
export interface LinkStep extends Step {
  readonly wasm: Uint8Array | undefined;
}

/** True if a source is C++, by its name or what -x says. */
export function isCxx(path: string): boolean {
  return /\.(cc|cpp|cxx|c\+\+|C|CC|CPP|ii)$/.test(path);
}

export class CBuild {
  readonly files: VirtualFiles;
  readonly #host: CompileHost;
  /** Objects as the linker gets them. */
  readonly #objects: string[] = [];
  #count = 0;
  #cxx = false;

  constructor(host: CompileHost, include: readonly Include[]) {
    this.#host = host;
    this.files = new VirtualFiles(host, include);
  }

  /**
   * Compiles one source.
   *
   * @param flags  the user's, after upvm's
   * @param output  clang's name for what it writes; its own choice of an object unless told
   */
  async compile(
    source: string,
    flags: readonly string[],
    cxx: boolean,
    output?: string,
  ): Promise<ObjectStep> {
    this.#cxx ||= cxx;
    const name = this.files.addSource(source);
    const object = output ?? this.#objectName(source);
    const implied = cxx ? "" : impliedText(this.#host.read(source) ?? "");
    if (implied !== "") this.files.put(IMPLICIT, implied);
    const own = [...TARGET_FLAGS, ...this.files.flags, ...(implied === "" ? [] : ["-include", IMPLICIT])];
    const stops = flags.some((flag) => /^(-S|-E|-MM|-fsyntax-only)$/.test(flag));
    const words = [cxx ? "clang++" : "clang", ...own, ...(stops ? [] : ["-c"]), ...flags, name, "-o", object];
    const run = await runTool(words, this.files.tree);
    const bytes = run.code === 0 ? fileIn(run.tree, object) : undefined;
    if (bytes !== undefined && output === undefined) this.#addObject(object, bytes, source);
    return {
      code: run.code,
      said: withHints(this.files.shown(run.err)),
      out: run.out,
      bytes,
      tree: run.tree,
    };
  }

  /** Adds an object file, or an archive, of the user's. */
  addObject(path: string, bytes: Uint8Array): void {
    this.#objects.push(this.files.addObject(path, bytes));
  }

  /** Adds a library of the package's by its name, in its place among the objects. */
  addLibrary(name: string): void {
    if (CXX_LIBRARIES.includes(name)) this.needCxx();
    else if (!OWN_LIBRARIES.includes(name)) this.#objects.push(`-l${name}`);
  }

  /** C++'s library is needed: some object may be C++. */
  needCxx(): void {
    this.#cxx = true;
  }

  /**
   * Links all objects so far with the libraries.
   *
   * @param libraries  names of -l that are no file of the user's
   * @param flags  for wasm-ld
   */
  async link(libraries: readonly string[], flags: readonly string[]): Promise<LinkStep> {
    const own = await this.#library();
    if (own.code !== 0) return { ...own, wasm: undefined };
    if (libraries.some((name) => CXX_LIBRARIES.includes(name))) this.needCxx();
    const names = libraries.filter((name) => ![...OWN_LIBRARIES, ...CXX_LIBRARIES].includes(name));
    const words = [
      ...["wasm-ld", "-m", "wasm32", "-L/usr/lib/wasm32-unknown-wasip1", `-L${LIB}`, `${LIB}/crt1-command.o`],
      ...LINK_FLAGS,
      ...flags,
      ...this.#objects,
      ...own.names,
      ...names.map((name) => `-l${name}`),
      ...(this.#cxx ? ["-lc++", "-lc++abi"] : []),
      ...EMULATED.map((name) => `-lwasi-emulated-${name}`),
      "-lc",
      "/usr/lib/wasm32-unknown-wasip1/libclang_rt.builtins.a",
      ...["-o", OUT],
    ];
    const run = await runTool(words, this.files.tree);
    const wasm = run.code === 0 ? fileIn(run.tree, OUT) : undefined;
    return { code: run.code, said: withHints(this.files.shown(run.err)), out: run.out, wasm };
  }

  #objectName(source: string): string {
    const stem = source.replace(/^.*\//, "").replace(/\.[^.]*$/, "");
    return `${OBJECTS}/${this.#count++}/${stem}.o`;
  }

  #addObject(name: string, bytes: Uint8Array, source: string): void {
    this.files.put(name, bytes);
    this.files.show(name, source);
    this.#objects.push(name);
  }

  /** Puts the guest's library where the linker finds it. */
  async #library(): Promise<Step & { readonly names: readonly string[] }> {
    const texts = libraryTexts(this.#host);
    const key = JSON.stringify([TARGET_FLAGS, LIBRARY_FLAGS, [...texts]]);
    const parts = this.#host.keep ?? ((_, make) => make());
    let failure: Step | undefined;
    const made = await parts(key, async () => {
      const library = await makeLibrary(texts);
      if (!(library instanceof Uint8Array)) failure = library;
      return library instanceof Uint8Array ? library : undefined;
    });
    if (made === undefined) return { ...(failure ?? { code: 1, said: "", out: "" }), names: [] };
    this.files.put(ARCHIVE, made);
    return { code: 0, said: "", out: "", names: [ARCHIVE] };
  }
}

const OUT = `${OBJECTS}/out.wasm`;
const ARCHIVE = `${OBJECTS}/libpvm3.a`;
const LIBRARY_FLAGS = ["-O3", "-g", "-fdebug-compilation-dir=."] as const;
/** Header for programs that do without what they need. */
const IMPLICIT = "/upvm/implicit.h";

/** The sources of the guest's library and the headers, by clang's name. */
function libraryTexts(host: CompileHost): Map<string, string> {
  const files = new VirtualFiles(host, []);
  const texts = new Map(files.headers);
  for (const name of host.list(`${host.root}/guest/lib`)) {
    const text = name.endsWith(".c") ? host.read(`${host.root}/guest/lib/${name}`) : null;
    if (text !== null) texts.set(`/upvm/lib/${name}`, text);
  }
  return texts;
}

/**
 * The guest's library: an archive of guest/lib, so that a program's own function of the same name goes first.
 */
async function makeLibrary(texts: ReadonlyMap<string, string>): Promise<Uint8Array | Step> {
  const put = (name: string, data: string | Uint8Array): void => putFile(tree, name, data);
  const tree: Tree = {};
  for (const [name, text] of texts) put(name, text);
  const members: string[] = [];
  for (const name of texts.keys()) {
    if (!name.startsWith("/upvm/lib/")) continue;
    const object = `${name}.o`;
    const words = ["clang", ...TARGET_FLAGS, "-isystem", "/upvm/include", ...LIBRARY_FLAGS, "-c", name];
    const run = await runTool([...words, "-o", object], tree);
    const bytes = fileIn(run.tree, object);
    if (run.code !== 0 || bytes === undefined) return { code: run.code, said: run.err, out: "" };
    put(object, bytes);
    members.push(object);
  }
  const run = await runTool(["ar", "rcs", "/upvm/libpvm3.a", ...members], tree);
  return fileIn(run.tree, "/upvm/libpvm3.a") ?? { code: run.code, said: run.err, out: "" };
}

/**
 * Whether a C source calls PVM without its header, as old programs do: then it gets the imports' prototypes, and
 * nothing else of the header. pvm3.h says the same and more, should it come after all.
 */
function callsImplicitly(text: string): boolean {
  return /\bpvm_\w+\s*\(/.test(text) && !/#\s*include\s*["<]pvm3\.h/.test(text);
}

/** Declarations that an old C source does without; "" if it needs none. */
function impliedText(text: string): string {
  // A status that is left out was anything; now it is 0. WebAssembly does not call a function without its argument.
  const exits = /[;{})]\s*exit\s*\(\s*\)\s*;/.test(text);
  const exit = exits ? "#include <stdlib.h>\n#define exit(...) exit(__VA_ARGS__ + 0)\n" : "";
  return exit + (callsImplicitly(text) ? implicitText() : "");
}

function implicitText(): string {
  const from = (name: string): string => `__attribute__((import_module("pvm"), import_name("${name}")))`;
  const imports = Object.entries(PVM_ROUTINE).filter(([name]) => !(name in PVM_LIBRARY));
  const rows = imports.map(([name, { c }]) => `int ${name}(${c}) ${from(name)};\n`);
  // Declared here first, so that the header means the same ones.
  const structs = new Set(imports.flatMap(([, { c }]) => [...c.matchAll(/struct \w+/g)].map(String)));
  return `${[...structs].map((name) => `${name};\n`).join("")}${rows.join("")}`;
}
