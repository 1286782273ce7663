/**
 * C to wasm, with clang and the WASI C library of @yowasp/clang: DWARF kept, pvm3.h found, the guest's C library
 * linked in.
 *
 * Owns: clang's options. The files that it sees are compile-c-files.ts's.
 */

import { UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import type { Compiled, CompileHost, CompileOptions } from "./compile.ts";
import { VirtualFiles } from "./compile-c-files.ts";

/**
 * Stack of a C program, bytes: clang's default of 64 KiB is little for numerical code with arrays on it. Only pages
 * that are touched cost memory. It lies below the data, so that an overflow traps and does not overwrite them.
 */
const STACK_BYTES = 256 << 10;
const OUT = "/upvm-out.wasm";

/** @throws UpvmError COMPILE with clang's messages: `file:line:column: error: …` */
export async function compileC(path: string, options: CompileOptions, host: CompileHost): Promise<Compiled> {
  const { commands, Exit } = await import("@yowasp/clang");
  // Loads the compiler, quietly: a run would print how far it is.
  await commands.clang(undefined, {}, { fetchProgress: () => {} });
  const files = new VirtualFiles(host, options.include ?? []);
  const sources = [path, ...(options.sources ?? [])].map((source) => files.addSource(source));
  const library = files.addLibrary();
  const decoder = new TextDecoder();
  let said = "";
  const keep = (bytes: Uint8Array | null): void => {
    if (bytes !== null) said += decoder.decode(bytes, { stream: true });
  };
  const text = (): string => files.shown(said).trimEnd();
  try {
    const tree = await commands.clang([...flags(options, files), ...sources, library], files.tree, {
      stdout: keep,
      stderr: keep,
    });
    const wasm = tree?.[OUT.slice(1)];
    if (wasm instanceof Uint8Array) return { wasm, warnings: text() };
    throw new UpvmError("COMPILE", { path, output: text() || "clang wrote nothing" });
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    // The linker names object files, after their sources: ring.c is /tmp/ring-62bf3f.o.
    const output = text().replace(/\/tmp\/(\S+)-[0-9a-f]{6}\.o\b/g, (whole, stem: string) => {
      const source = sources.find((name) => name.split("/").pop() === `${stem}.c`);
      return source === undefined ? whole : files.shown(source);
    });
    throw new UpvmError("COMPILE", { path, output: output || `clang ended with code ${error.code}` });
  }
}

function flags(options: CompileOptions, files: VirtualFiles): string[] {
  const flag = (letter: string, values: readonly string[] = []): string[] =>
    values.map((v) => `-${letter}${v}`);
  return [
    "--target=wasm32-wasip1",
    `-O${options.optimize ?? "3"}`,
    "-msimd128",
    "-g",
    // Line tables must not depend on where the package or an absolute path is on this disk.
    ...files.flags,
    ...flag("D", options.define),
    ...flag("l", options.libraries),
    "-Wl,--stack-first",
    // As for AssemblyScript: some room to begin with, since growing is slow.
    `-Wl,--initial-heap=${LIMITS.initialPages * 65_536}`,
    `-Wl,-z,stack-size=${STACK_BYTES}`,
    "-fno-color-diagnostics",
    "-o",
    OUT,
  ];
}
