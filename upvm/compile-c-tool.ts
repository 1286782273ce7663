/**
 * One run of a tool of @yowasp/clang: clang, wasm-ld, ar, on files in memory.
 *
 * Owns: loading the package, once, and an exit code in place of its exception. What the tools are asked for is not here.
 * clang compiles in its own process here; it cannot start a linker, so that linking is a second run.
 */
import type { Tree } from "@yowasp/clang";

export interface ToolRun {
  readonly code: number;
  /** Standard output, and standard error. */
  readonly out: string;
  readonly err: string;
  /** The files afterwards. */
  readonly tree: Tree;
}

/** @param words  the tool's name, then its arguments */
export async function runTool(words: readonly string[], tree: Tree): Promise<ToolRun> {
  const { runLLVM, Exit } = await import("@yowasp/clang");
  // Loads the compiler, quietly: a run would print how far it is.
  await runLLVM(undefined, {}, { fetchProgress: () => {} });
  const said = { out: "", err: "" };
  const keep = (to: "out" | "err") => {
    const decoder = new TextDecoder();
    return (bytes: Uint8Array | null): void => {
      if (bytes !== null) said[to] += decoder.decode(bytes, { stream: true });
    };
  };
  try {
    const options = { stdout: keep("out"), stderr: keep("err"), decodeASCII: false };
    return { code: 0, tree: (await runLLVM([...words], tree, options)) ?? {}, ...said };
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    return { code: error.code, tree: error.files, ...said };
  }
}
