/**
 * The flags of C and C++ that `upvm run` has as well as `upvm compile`.
 *
 * Owns: these flags, and what they are as CompileOptions. Programs of other languages have no use for them.
 */
import type { CompileOptions } from "./compile.ts";

export const C_FLAGS = {
  stack: {
    kind: "number",
    value: "MB",
    min: 0.0625,
    max: 1024,
    whole: false,
    absent: "0.25",
    help: "C: stack of a ULP, when its program is compiled",
  },
  cc: {
    kind: "text",
    value: "CMD",
    help: "compile C and C++ with this, such as a wasi-sdk clang",
    absent: "the package's clang",
  },
} as const;

export interface CFlags {
  readonly stack: number | undefined;
  readonly cc: string | undefined;
}

export function cOptions({ stack, cc }: CFlags): CompileOptions {
  return {
    ...(stack !== undefined && { stackBytes: Math.floor(stack * (1 << 20)) }),
    ...(cc !== undefined && { cc }),
  };
}
