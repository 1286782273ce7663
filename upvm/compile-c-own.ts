/**
 * A compiler of the user's own (`--cc CMD`): a clang with a WASI C library, such as wasi-sdk's. It gets upvm's options, and
 * the guest's headers and library by path.
 *
 * Owns: those options. The compiler runs on the real disk, by the host; exceptions and all else are as it has them.
 */
import { link } from "../runtime/link/link.ts";
import { UpvmError } from "../wire/errors.ts";
import type { CcResult } from "./cc.ts";
import { type CcArgs, splitWords } from "./cc-args.ts";
import type { Compiled, CompileHost, CompileOptions } from "./compile.ts";
import { EMULATED, LINK_FLAGS, OWN_LIBRARIES, stackFlags, TARGET_FLAGS } from "./compile-c-build.ts";
import { absolute } from "./compile-c-files.ts";

/** What is the package's compiler's alone. */
const FLAGS = TARGET_FLAGS.filter((flag) => flag !== "-fno-exceptions");

/** @throws UpvmError COMPILE with the compiler's messages */
export async function compileWithOwn(
  own: string,
  path: string,
  options: CompileOptions,
  host: CompileHost,
): Promise<Compiled> {
  const words = [
    `-O${options.optimize ?? "3"}`,
    "-g",
    ...(options.include ?? []).map((folder) => `-I${folder}`),
    ...(options.define ?? []).map((text) => `-D${text}`),
    ...[path, ...(options.sources ?? [])],
    ...libraryWords(host),
    ...(options.stackBytes === undefined ? [] : stackFlags(options.stackBytes).map((flag) => `-Wl,${flag}`)),
    ...(options.libraries ?? []).filter((name) => !OWN_LIBRARIES.includes(name)).map((name) => `-l${name}`),
  ];
  const { code, said, made } = await runOwn(own, path, [...FLAGS, ...headers(host), ...words], host);
  if (code !== 0 || made === undefined)
    throw new UpvmError("COMPILE", { path, output: said.trimEnd() || `${own} ended with code ${code}` });
  return { wasm: made, warnings: said.trimEnd() };
}

/** `upvm cc --cc CMD`: a step of a Makefile by the user's compiler; a program is linked for upvm. */
export async function ownCompiler(
  own: string,
  words: readonly string[],
  args: CcArgs,
  host: CompileHost,
): Promise<CcResult> {
  const files = new Map<string, Uint8Array>();
  const source = args.inputs[0]?.path ?? own;
  const plain = words.filter((word) => !OWN_LIBRARIES.includes(word.replace(/^-l/, "")));
  if (args.mode !== "link" || args.question) {
    const all = args.question ? words : [...FLAGS, ...headers(host), ...plain];
    const { code, said } = await runOwn(own, source, all, host, true);
    return { code, out: "", err: said, files };
  }
  const at = plain.lastIndexOf("-o");
  const rest = at < 0 ? plain : plain.filter((_, i) => i !== at && i !== at + 1);
  const all = [...FLAGS, ...headers(host), ...rest, ...libraryWords(host)];
  const { code, said, made } = await runOwn(own, source, all, host);
  const { output = "a.out" } = args;
  if (made !== undefined) files.set(absolute(host.folder, output), link(made, { path: output }).wasm);
  return { code, out: "", err: said, files };
}

function headers(host: CompileHost): string[] {
  return ["-isystem", `${host.root}/guest/include`];
}

function libraryWords(host: CompileHost): string[] {
  const folder = `${host.root}/guest/lib`;
  const sources = host.list(folder).filter((name) => name.endsWith(".c"));
  return [
    ...sources.flatMap((name) => ["-x", "c", `${folder}/${name}`, "-x", "none"]),
    ...EMULATED.map((name) => `-lwasi-emulated-${name}`),
    ...LINK_FLAGS.map((flag) => `-Wl,${flag}`),
  ];
}

/**
 * @param path  what is compiled, for messages
 * @param inPlace  it writes its outputs itself; else what it makes comes back in `made`
 */
async function runOwn(
  own: string,
  path: string,
  words: readonly string[],
  host: CompileHost,
  inPlace = false,
) {
  const command = splitWords(own);
  if (host.own === undefined || command.length === 0)
    throw new UpvmError("COMPILE", { path, output: "no compiler can be started here" });
  try {
    return await host.own([...command, ...words], inPlace);
  } catch (error) {
    // The host knows the command, and not for what it is.
    if (!(error instanceof UpvmError)) throw error;
    throw new UpvmError(error.code, { ...error.facts, path });
  }
}
