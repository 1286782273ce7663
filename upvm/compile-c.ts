/**
 * `upvm compile` and `upvm run` of C and C++ sources, with clang and the WASI libraries of @yowasp/clang: DWARF kept,
 * pvm3.h found, the guest's library linked in.
 *
 * Owns: what CompileOptions mean in clang's words. The steps are compile-c-build.ts's.
 */

import { UpvmError } from "../wire/errors.ts";
import type { Compiled, CompileHost, CompileOptions } from "./compile.ts";
import { CBuild, isCxx, stackFlags } from "./compile-c-build.ts";
import { compileWithOwn } from "./compile-c-own.ts";

/** @throws UpvmError COMPILE with clang's messages: `file:line:column: error: …` */
export async function compileC(path: string, options: CompileOptions, host: CompileHost): Promise<Compiled> {
  if (options.cc !== undefined) return await compileWithOwn(options.cc, path, options, host);
  const sources = [path, ...(options.sources ?? [])];
  const build = new CBuild(
    host,
    (options.include ?? []).map((folder) => ({ folder, flag: "-I" })),
  );
  const said: string[] = [];
  let failed = false;
  for (const source of sources) {
    const step = await build.compile(source, flags(options, isCxx(source)), isCxx(source));
    said.push(step.said);
    failed ||= step.bytes === undefined;
    if (step.bytes === undefined && step.said === "")
      said.push(`${source}: clang ended with code ${step.code}\n`);
  }
  const text = (): string => said.join("").trimEnd();
  if (failed) throw new UpvmError("COMPILE", { path, output: text() });
  const { wasm, said: linkerSaid, code } = await build.link(options.libraries ?? [], stackWords(options));
  said.push(linkerSaid);
  if (wasm === undefined)
    throw new UpvmError("COMPILE", { path, output: text() || `wasm-ld ended with code ${code}` });
  return { wasm, warnings: text() };
}

/** The linker's words for the stack that was asked for. */
function stackWords({ stackBytes }: CompileOptions): string[] {
  return stackBytes === undefined ? [] : stackFlags(stackBytes);
}

/** C++ gets the lines that messages need, and no more: all that its headers declare would take as long as the code. */
function flags(options: CompileOptions, cxx: boolean): string[] {
  const debug = cxx ? "-gline-tables-only" : "-g";
  return [`-O${options.optimize ?? "3"}`, debug, ...(options.define ?? []).map((value) => `-D${value}`)];
}
