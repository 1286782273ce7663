/**
 * Context switch: loading and saving the machine context of a ULP (paper, 3.2.5; Table VI).
 *
 * Owns: instances and unwind frames. Not who runs (engine.ts). A ULP that blocks has already been unwound by
 * its own code into its frames when its call of the engine's loop returns: saving is keeping the frames' end.
 * One crossing into wasm for each switch. (design: asyncify driven from outside takes five)
 */
import { BLOCK_KIND, ULP_FLAG as ULP_FLAG_TABLE, ULP as ULP_TABLE } from "../../wire/layout.ts";
import { LIMITS as LIMITS_TABLE } from "../../wire/limits.ts";
import { tidText } from "../../wire/pvm.ts";
import { Context, type LinkedExports } from "./context.ts";
import { COUNTER as COUNTER_TABLE, count, type EngineState } from "./engine-state.ts";
import type { Program } from "./programs.ts";
import type { UlpAt } from "./state.ts";
import { loadTables } from "./tables.ts";
import { ufree, umalloc, urealloc } from "./uheap.ts";

// V8 folds the fields of a constant of this file into its code, those of an import it loads (1.5 times
// slower).
const ULP = ULP_TABLE;
const ULP_FLAG = ULP_FLAG_TABLE;
const LIMITS = LIMITS_TABLE;
const COUNTER = COUNTER_TABLE;

/** What takes the longer way back into a program. */
const FULL = ULP_FLAG.preempted | ULP_FLAG.traced;

/** A ULP cannot go on, and why, for its user. Not a bug of ours, no fault of another ULP. */
export class GuestFault extends Error {
  override readonly name = "GuestFault";
}

/**
 * Runs a ULP until it blocks, ends or is preempted, the way its state asks for. (3.2.5: uload)
 *
 * @returns end of its frames, byte address in the heap; 0: its program has returned
 * @throws what its program throws: a trap, or the end that it asked for (ProgramExit)
 */
export function uload(e: EngineState, ulp: UlpAt): number {
  const flags = e.w[ulp + ULP.flags]!;
  if ((flags & ULP_FLAG.started) === 0) return asmUstart(e, ulp);
  const context = e.contexts[e.w[ulp + ULP.index]!];
  if (context?.resume === undefined || (flags & FULL) !== 0) return asmUfullLoad(e, ulp);
  return asmUload(e, ulp, context.resume);
}

/** First dispatch ever: makes the instance and its memory, and enters the program. (Table VI: asm_ustart) */
export function asmUstart(e: EngineState, ulp: UlpAt): number {
  const w = e.w;
  const program = programOf(e, ulp);
  const context = new Context(newMemory(e, ulp, program));
  e.contexts[w[ulp + ULP.index]!] = context;
  const linked = instantiate(e, program, context);
  const frames = umalloc(e, ulp, LIMITS.framesFirstBytes, BLOCK_KIND.frames);
  if (frames === 0) throw new GuestFault("the process heap is full: no room for its frames");
  w[ulp + ULP.framesBase] = frames;
  w[ulp + ULP.framesTop] = frames;
  w[ulp + ULP.framesLimit] = frames + LIMITS.framesFirstBytes;
  w[ulp + ULP.flags] = w[ulp + ULP.flags]! | ULP_FLAG.started;
  count(e, COUNTER.created, 1);
  linked.upvm_init();
  return linked.upvm_resume(frames, w[ulp + ULP.framesLimit]!, 1);
}

/** Goes on after a block, in the instance that is here. (Table VI: asm_uload) */
export function asmUload(e: EngineState, ulp: UlpAt, resume: LinkedExports["upvm_resume"]): number {
  return resume(e.w[ulp + ULP.framesTop]!, e.w[ulp + ULP.framesLimit]!, 0);
}

/** Goes on after preemption or a move: makes the instance if it is not here. (Table VI: asm_ufullLoad) */
export function asmUfullLoad(e: EngineState, ulp: UlpAt): number {
  const w = e.w;
  const context = e.contexts[w[ulp + ULP.index]!]!;
  w[ulp + ULP.flags] = w[ulp + ULP.flags]! & ~ULP_FLAG.preempted;
  if (context.linked === undefined) {
    const linked = instantiate(e, programOf(e, ulp), context);
    linked.upvm_load(w[ulp + ULP.savedAt]!);
    loadTables(linked, context.tables);
    context.tables = [];
    ufree(e, ulp, w[ulp + ULP.savedAt]!);
    w[ulp + ULP.savedAt] = 0;
  }
  if (w[ulp + ULP.traceAt] !== 0) e.resumed(e, ulp);
  return asmUload(e, ulp, context.resume!);
}

/** The running ULP has unwound itself into its frames, up to `top`. (3.2.5: usave) */
export function usave(e: EngineState, ulp: UlpAt, top: number): void {
  e.w[ulp + ULP.framesTop] = top;
}

/**
 * Import `upvm.frames`: the frames of the running ULP, which end at ULP.framesTop, need `need` bytes more.
 *
 * @returns the new end of the frames, with room after it; the new limit is in the descriptor
 * @throws GuestFault at the limit, or if the heap is full
 */
export function growFrames(e: EngineState, need: number): number {
  const w = e.w;
  const ulp = e.current;
  const base = w[ulp + ULP.framesBase]!;
  const used = w[ulp + ULP.framesTop]! - base;
  const bytes = Math.max(2 * (w[ulp + ULP.framesLimit]! - base), used + need);
  const most = e.options.framesBytes;
  if (used + need > most) {
    const who = tidText(w[ulp + ULP.tid]!);
    const needs = `${who} needs ${used + need} bytes of frames to be suspended`;
    throw new GuestFault(`unwind stack overflow: ${needs}, the limit is ${most} bytes`);
  }
  const frames = urealloc(e, ulp, base, Math.min(bytes, most));
  if (frames === 0) throw new GuestFault("the process heap is full: no room for its frames");
  w[ulp + ULP.framesBase] = frames;
  w[ulp + ULP.framesLimit] = frames + Math.min(bytes, most);
  return frames + used;
}

function programOf(e: EngineState, ulp: UlpAt): Program {
  const program = e.programs[e.w[ulp + ULP.module]!];
  if (program === undefined)
    throw new Error(`bug: program ${e.w[ulp + ULP.module]} is not on engine ${e.index}`);
  return program;
}

function newMemory(e: EngineState, ulp: UlpAt, { pages }: Program): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages.min, maximum: pages.max, shared: true });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new GuestFault(`no memory of ${pages.min} pages for ULP ${e.w[ulp + ULP.index]}: ${why}`);
  }
}

function instantiate(e: EngineState, program: Program, context: Context): LinkedExports {
  e.imports.upvm["memory"] = context.memory;
  const instance = new WebAssembly.Instance(program.module, e.imports);
  const linked = instance.exports as unknown as LinkedExports;
  context.linked = linked;
  context.resume = linked.upvm_resume;
  context.stackBytes = linked.upvm_stack?.value;
  return linked;
}
