/**
 * AssemblyScript to wasm, with asc: options from the package's asconfig.json, `upvm/guest` from this package.
 *
 * Owns: where asc finds files, the program's entry, and the form of asc's messages. What AssemblyScript's globals
 * (console, abort, …) do is in guest/shim.
 * Dropped: a wrapper source that imports the program and calls its main: the program's exports would be another
 * module's, and messages would name the wrapper. The entry is made in the compiled module instead.
 */
import type { APIOptions, Transform } from "assemblyscript/asc";
import { compactSourceMap } from "../runtime/link/source-map.ts";
import { appendSection, sectionsOf } from "../runtime/link/wasm-sections.ts";
import { UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import type { Compiled, CompileHost, CompileOptions } from "./compile.ts";

const OUT = "program.wasm";
const MAP = "program.wasm.map";

/** @throws UpvmError COMPILE with asc's messages */
export async function compileAssemblyScript(
  path: string,
  options: CompileOptions,
  host: CompileHost,
): Promise<Compiled> {
  const { default: asc } = await import("assemblyscript/asc");
  const place = placeOf(path, host);
  const output = new Map<string, Uint8Array | string>();
  const messages: string[] = [];
  const stream = { write: (text: Uint8Array | string) => void messages.push(String(text)) };
  const files: APIOptions = {
    readFile: (name, base) => host.read(packaged(absolute(base, name), host)),
    listFiles: (name, base) => [...host.list(absolute(base, name))].filter((file) => /\.ts$/.test(file)),
    writeFile: (name, contents) => void output.set(name, contents),
    stdout: stream,
    stderr: stream,
    transforms: [await entryTransform()],
  };
  let { error } = await asc.main(
    [...argumentsFor(place, options, host), "--initialMemory", INITIAL_PAGES],
    files,
  );
  if (error !== null && messages.join("").includes("pages of initial memory")) {
    // It has more static data than that: the compiler shall choose.
    messages.length = 0;
    ({ error } = await asc.main(argumentsFor(place, options, host), files));
  }
  const wasm = output.get(OUT);
  const text = place.shown(messages.join("").replace(/\r\n/g, "\n")).trimEnd();
  if (error !== null || !(wasm instanceof Uint8Array)) {
    // asc ends with "FAILURE 2 compile error(s)"; anything else there is a reason of its own, and then a stack of asc's.
    const said = text.replace(/\n*FAILURE \d+ \w+ error\(s\)$/, "");
    throw new UpvmError("COMPILE", {
      path,
      output: said.replace(/^FAILURE (.*)(\n {4}at .*)*/m, `${path}: $1`),
    });
  }
  const lines = place.mapShown(String(output.get(MAP)));
  return { wasm: withLines(wasm, lines), lines, warnings: text };
}

/**
 * Memory that a ULP begins with: pages that it does not touch cost nothing, but to grow a shared memory in a process
 * with thousands of them takes milliseconds.
 */
const INITIAL_PAGES = String(LIMITS.initialPages);

function argumentsFor(place: Place, options: CompileOptions, host: CompileHost): string[] {
  const level = options.optimize ?? "3";
  const shrink = level === "s" ? 1 : level === "z" ? 2 : 0;
  const argv = [place.entry, "--baseDir", place.base, "--config", `${host.root}/asconfig.json`];
  argv.push("--outFile", OUT, "--sourceMap", `./${MAP}`, "--noColors");
  argv.push("--optimizeLevel", shrink > 0 ? "2" : level, "--shrinkLevel", String(shrink));
  if (options.runtime !== undefined) argv.push("--runtime", options.runtime);
  for (const folder of place.packages) argv.push("--path", folder);
  return argv;
}

// ---- Paths ----------------------------------------------------------------------------------------------------------

/** How asc sees the program's files, and how their names are shown. */
interface Place {
  /** What asc's names are relative to, absolute. */
  readonly base: string;
  readonly entry: string;
  /** node_modules folders between `base` and the entry: asc itself looks only from `base` upwards. */
  readonly packages: readonly string[];
  /** Messages, with names as the user would write them. */
  shown(messages: string): string;
  /** A source map, the same. */
  mapShown(json: string): string;
}

/**
 * A relative path stays relative to the working folder; for an absolute one asc's names are relative to the
 * program's own folder, so that the wasm does not depend on where on a disk it is, and messages get the folder back.
 */
function placeOf(path: string, host: CompileHost): Place {
  const folder = path.startsWith("/") ? path.slice(0, path.lastIndexOf("/")) || "/" : undefined;
  if (folder === undefined) {
    const parts = path.split("/").slice(0, -1);
    const packages = parts.map((_, i) => `${parts.slice(0, i + 1).join("/")}/node_modules`);
    const same = (text: string): string => text;
    return { base: host.folder, entry: path, packages, shown: same, mapShown: same };
  }
  const full = (name: string): string => (name.startsWith("~lib/") ? name : absolute(folder, name));
  return {
    base: folder,
    entry: path.slice(path.lastIndexOf("/") + 1),
    packages: [],
    shown: (text) => text.replace(/(?<=└─ in )\S+(?=\(\d+,\d+\))/g, full),
    mapShown: (json) => {
      const map = JSON.parse(json) as { sources: string[] };
      return JSON.stringify({ ...map, sources: map.sources.map(full) });
    },
  };
}

/** `base` and `name` in one path, without "." and "..". */
function absolute(base: string, name: string): string {
  const parts: string[] = [];
  for (const part of (name.startsWith("/") ? name : `${base}/${name}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** Wherever asc looks for the package `upvm`, it is this one: no installation needed, and never another version. */
function packaged(path: string, host: CompileHost): string {
  const found = /\/node_modules\/upvm\/(guest\/.*)$/.exec(path);
  return found ? `${host.root}/${found[1]}` : path;
}

// ---- Entry ----------------------------------------------------------------------------------------------------------

/** SourceKind and NodeKind of AssemblyScript 0.28: its enums exist only as types. */
const USER_ENTRY = 1;
const NODE = { empty: 35, export: 36, exportImport: 38, import: 43, function: 56 } as const;
/** Declarations of classes, enums, functions, interfaces and types. */
const DECLARATIONS: readonly number[] = [52, 53, NODE.function, 58, 61];

interface Statement {
  readonly kind: number;
  readonly path?: { readonly value: string } | null;
  readonly name?: { readonly text: string };
}

/**
 * Whether a file does anything without an exported main: has a statement, or imports a file that may have one. One with
 * a main of its own that it neither calls nor exports was meant otherwise.
 */
function mayRun(statements: readonly Statement[]): boolean {
  const imports: readonly number[] = [NODE.import, NODE.export];
  const nothing: readonly number[] = [...imports, NODE.exportImport, NODE.empty, ...DECLARATIONS];
  if (statements.some(({ kind }) => !nothing.includes(kind))) return true;
  if (statements.some(({ kind, name }) => kind === NODE.function && name?.text === "main")) return false;
  return statements.some(
    ({ kind, path }) => imports.includes(kind) && /^(?!upvm\/)/.test(path?.value ?? "upvm/"),
  );
}

/**
 * If the program exports `main`, `_start` calls it after the top-level code, and its result is the exit code. If it has
 * neither, `_start` is none, and the link step says so.
 * Runs before asc optimizes, so that the result is as if it had been written so.
 */
async function entryTransform(): Promise<Transform> {
  const { default: binaryen } = await import("assemblyscript/binaryen");
  let runs = false;
  const transform: Pick<Transform, "afterParse" | "afterCompile"> = {
    afterParse(parser) {
      // The memory manager is an entry too.
      const entry = parser.sources.find(
        ({ sourceKind, normalizedPath }) => sourceKind === USER_ENTRY && !normalizedPath.startsWith("~lib/"),
      );
      runs = entry === undefined || mayRun(entry.statements);
    },
    afterCompile(module) {
      const main = module.getExport("main");
      const start = module.getExport("_start");
      if (start === 0) return;
      if (main === 0) {
        if (!runs) renameExport("_start", "_initialize");
        return;
      }
      const { kind, value: mainName } = binaryen.getExportInfo(main);
      if (kind !== binaryen.ExternalFunction) return;
      const { params, results } = binaryen.getFunctionInfo(module.getFunction(mainName));
      if (params !== binaryen.none || (results !== binaryen.none && results !== binaryen.i32)) {
        throw new Error("main takes nothing and returns an i32, its exit code, or nothing");
      }
      const { value: startName } = binaryen.getExportInfo(start);
      const body = [module.call(startName, [], binaryen.none)];
      if (results === binaryen.none) body.push(module.call(mainName, [], binaryen.none));
      else body.push(exitWith(module.call(mainName, [], binaryen.i32)));
      module.addFunction("_start", binaryen.none, binaryen.none, [binaryen.i32], module.block(null, body));
      module.removeExport("_start");
      module.removeExport("main");
      module.addFunctionExport("_start", "_start");

      function renameExport(from: string, to: string): void {
        const { value } = binaryen.getExportInfo(module.getExport(from));
        module.removeExport(from);
        module.addFunctionExport(value, to);
      }
      function exitWith(code: number): number {
        const exit = "~upvm/proc_exit";
        module.addFunctionImport(exit, "wasi_snapshot_preview1", "proc_exit", binaryen.i32, binaryen.none);
        // 0 is what returning from _start means.
        return module.if(
          module.local.tee(0, code, binaryen.i32),
          module.call(exit, [module.local.get(0, binaryen.i32)], binaryen.none),
        );
      }
    },
  };
  return transform as Transform;
}

// ---- Lines ----------------------------------------------------------------------------------------------------------

/** The wasm with its source map inside, in place of the section that says where a file with it would be. */
function withLines(wasm: Uint8Array, map: string): Uint8Array {
  const sections = sectionsOf(wasm) ?? [];
  const at = sections.findIndex((section) => section.name === "sourceMappingURL");
  let bare = wasm;
  const found = sections[at];
  if (found !== undefined && at === sections.length - 1) bare = wasm.subarray(0, sections[at - 1]?.end ?? 8);
  return appendSection(bare, "upvm.sourcemap", compactSourceMap(map));
}
