/**
 * The kernel of an engine: the short way of a message, in wasm (assembly/index.ts).
 *
 * Owns: its instance, and what it falls back on. It works on words of the process heap only, so that any of its
 * functions can be left out: the engine's own (runtime/pvm/) then do the same.
 */
import { BLOCK_KIND, HEAD, MSG } from "../../wire/layout.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { KERNEL_CODE } from "./code.ts";

let compiled: WebAssembly.Module | undefined;

/** The engine's imports with the kernel's functions in place of those that it shortens. Once, when they are complete. */
export function addKernel(e: EngineState): void {
  compiled ??= new WebAssembly.Module(Uint8Array.from(atob(KERNEL_CODE), (char) => char.charCodeAt(0)));
  const { pvm_initsend, pvm_send, pvm_recv } = e.imports.pvm;
  const { exports } = new WebAssembly.Instance(compiled, {
    env: { memory: e.heap.memory },
    upvm: {
      row: e.row * 4,
      index: e.index,
      alone: e.alone ? 1 : 0,
      single: e.single ? 1 : 0,
      tidBase: e.w[HEAD.tidBase]!,
    },
    slow: {
      pvm_initsend,
      pvm_send,
      pvm_recv,
      gfree: (gbid: number) => e.gb.gfree(gbid),
      new_message: () => e.arena.hmalloc(MSG.words * 4, BLOCK_KIND.message),
      free_message: (at: number) => e.arena.hfree(at),
    } as WebAssembly.ModuleImports,
  });
  Object.assign(e.imports.pvm, {
    pvm_initsend: exports["pvm_initsend"],
    pvm_send: exports["pvm_send"],
    pvm_recv: exports["pvm_recv"],
  });
  const deliverArrived = exports["deliver_arrived"] as (ulp: number) => number;
  const watch = exports["watch"] as (looks: number) => number;
  e.deliverArrived = (ulp) => deliverArrived(ulp << 2) !== 0;
  e.watch = (looks) => watch(looks) !== 0;
}
