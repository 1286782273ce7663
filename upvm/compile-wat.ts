/** WebAssembly text to binary, with wabt: names kept, every feature that wabt knows and the link step takes. */
import { UpvmError } from "../wire/errors.ts";
import type { Compiled, CompileHost } from "./compile.ts";

const FEATURES = {
  exceptions: true,
  mutable_globals: true,
  sat_float_to_int: true,
  sign_extension: true,
  simd: true,
  threads: true,
  multi_value: true,
  tail_call: true,
  bulk_memory: true,
  reference_types: true,
  extended_const: true,
  relaxed_simd: true,
} as const;
/** wabt takes ASCII names only, so it gets this one and its messages get the path. */
const NAME = "program.wat";

/** @throws UpvmError COMPILE with wabt's message, `file:line:column: error: …` and the line itself */
export async function compileWat(path: string, host: CompileHost): Promise<Compiled> {
  const { default: wabtReady } = await import("wabt");
  const wabt = await wabtReady();
  // A copy: wabt reads the whole buffer under a view.
  const text = new Uint8Array(new TextEncoder().encode(host.read(path) ?? ""));
  try {
    const module = wabt.parseWat(NAME, text, FEATURES);
    try {
      // wabt's types lack the parameter; without it validation knows only the default features.
      const validate = module.validate as (features: typeof FEATURES) => void;
      validate.call(module, FEATURES);
      return { wasm: module.toBinary({ write_debug_names: true }).buffer, warnings: "" };
    } finally {
      module.destroy();
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // "parseWat failed:\nprogram.wat:3:4: error: …": what the user wrote begins in the second line.
    const output = error.message.replace(/^\w+ failed:\n/, "").replace(/^program\.wat(?=:\d)/gm, () => path);
    throw new UpvmError("COMPILE", { path, output: output.trimEnd() });
  }
}
