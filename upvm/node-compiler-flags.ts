/**
 * How V8 runs the compilers, which are wasm of up to 75 MB.
 *
 * Owns: two options of V8, for all threads of the process: one that compiles and runs no ULPs. Most functions of a compiler
 * are never called, and few are hot in the second that a program takes: so they are checked when they are first called, and
 * optimized a hundred times later than V8 would. A small program takes half the processor time, one with C++'s library a
 * fifth less (two cores, Node 26.10: 6.3 s to 3.5 s for C, 5.2 s to 3.1 s for AssemblyScript).
 */
import { setFlagsFromString } from "node:v8";

export function runsCompilers(): void {
  setFlagsFromString("--wasm-lazy-validation");
  setFlagsFromString("--wasm-tiering-budget=2000000000");
}
