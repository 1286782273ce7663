/**
 * The contract of pass 4, the suspend transform: what it is given, what it must make of the module.
 *
 * A transform makes every function of `calls.funcs` resumable. Afterwards, when a leaf (a blocking stub, a poll) begins
 * to unwind, each function on the way to `upvm_resume` makes a frame with `push`, writes what it needs into it, and
 * leaves; entered with state "rewinding" it reads its frame back and goes on in the call that it left in.
 * The one we use is resume-points.ts. bench/link-cost.ts measures it beside Asyncify.
 */
import type { Suspendable } from "./call-graph.ts";
import type { Func, WasmModule } from "./wasm/module.ts";

export const STATE = { normal: 0, unwinding: 1, rewinding: 2 } as const;

/** What the transform needs in the module: globals by number, the function that makes a frame, the heap's memory. */
export interface SuspendCode {
  /** Global: one of STATE. */
  readonly state: number;
  /** Global: end of the newest frame, byte address in the heap. */
  readonly top: number;
  /** (bytes, id) → address of a new frame. */
  readonly push: Func;
  readonly heap: number;
  /** Begins an unwind by exception; the same by return, for the polls of functions that unwind so. */
  readonly poll: Func;
  readonly pollReturning: Func;
  /** Exception tag of the first. */
  readonly tag: number;
  /** Stubs of blocking routines: unwind by return. */
  readonly blocking: ReadonlySet<Func>;
}

/** A call where a ULP may be suspended. */
export interface ResumePoint {
  readonly id: number;
  readonly func: Func;
  /** Offset of the call in the original file; 0 in code of the link step. */
  readonly at: number;
  readonly frameBytes: number;
}

/** Makes functions resumable. Another transform that keeps this contract can take its place. */
export type SuspendTransform = (module: WasmModule, calls: Suspendable, code: SuspendCode) => ResumePoint[];
