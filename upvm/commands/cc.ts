/** `upvm cc`, `upvm c++`, `upvm ar`, `upvm ranlib`: a compiler's tools, as Makefiles call them. */
import { UpvmError } from "../../wire/errors.ts";
import { usage } from "../args.ts";
import type { CcTool } from "../cc.ts";
import { type Command, command } from "../command.ts";
import type { Edge } from "../edge.ts";

const ARGS = {
  words: { count: "many", help: "options and files, as for any compiler" },
} as const;
const EXITS = { 0: "done", 1: "what the compiler or the linker found wrong" } as const;
const COMPILER = [
  "It is clang for wasm32-wasip1 with PVM's header and library: -I -D -U -O -g -std -W -f -x -c -S -E -o -l -L -M… and @FILE mean what they always do. -lpvm3, -lgpvm3 and the like are there by themselves.",
  "The program that it links is for upvm: upvm run a.out --ulps 4. Without -O it is -O2; -O0 says otherwise.",
  "--cc CMD, before everything else, takes another clang, such as wasi-sdk's; it gets the same words and upvm's header and library.",
] as const;

export const cc = command({
  plain: true,
  summary: 'Compile and link C and C++ as a compiler does: for Makefiles, CC="upvm cc"',
  about: COMPILER,
  args: ARGS,
  flags: {},
  examples: [
    "upvm cc -O2 -c solver.c",
    "upvm cc -o solver solver.o grid.o -lm",
    'make CC="upvm cc" AR="upvm ar"',
  ],
  exits: EXITS,
  run: ({ rest }, edge) => compileWords("cc", rest, edge),
});

export const cxx = command({
  plain: true,
  summary: 'The same for C++: CXX="upvm c++"',
  about: COMPILER,
  args: ARGS,
  flags: {},
  examples: ["upvm c++ -std=c++20 -o solver solver.cc"],
  exits: EXITS,
  run: ({ rest }, edge) => compileWords("c++", rest, edge),
});

export const ar = archiver(
  "ar",
  'Make archives of object files: AR="upvm ar"',
  "upvm ar rcs libgrid.a grid.o line.o",
);
export const ranlib = archiver(
  "ranlib",
  'Make an archive\'s index: RANLIB="upvm ranlib"',
  "upvm ranlib libgrid.a",
);

function archiver(
  tool: CcTool,
  summary: string,
  example: string,
): Command<typeof ARGS, Record<string, never>> {
  return command({
    plain: true,
    summary,
    about: [`It is llvm-${tool}: its options and archives are the usual ones.`],
    args: ARGS,
    flags: {},
    examples: [example],
    exits: EXITS,
    run: ({ rest }, edge) => use(tool, rest, edge),
  });
}

/** @throws UpvmError USAGE */
function compileWords(tool: CcTool, words: readonly string[], edge: Edge): Promise<number> {
  const [first, second, ...rest] = words;
  if (first === "--cc") {
    if (second === undefined) throw usage("Cannot take --cc without a value, CMD", tool);
    return use(tool, rest, edge, second);
  }
  if (first?.startsWith("--cc=")) return use(tool, words.slice(1), edge, first.slice("--cc=".length));
  return use(tool, words, edge);
}

async function use(tool: CcTool, words: readonly string[], edge: Edge, own?: string): Promise<number> {
  const { code, out, err, files } = await edge.cc(tool, words, own);
  try {
    for (const [path, bytes] of files) await edge.writeFile(path, bytes);
  } catch (error) {
    // A Makefile knows a compiler's exit codes.
    if (!(error instanceof UpvmError)) throw error;
    edge.err(`${err}upvm ${tool}: error: ${error.message}\n`);
    return 1;
  }
  if (out !== "") edge.out(out);
  if (err !== "") edge.err(err);
  return code;
}
