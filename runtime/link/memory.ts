/**
 * Pass 2: the guest's memory is imported and shared, its data segments are copied in by a function.
 *
 * So an instance can be attached to a memory that is already alive. Two more memories come after the guest's: the
 * engine's control page and the process heap (wire/layout.ts). Shared memory costs no speed (design, measured).
 */
import { CTL } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { bulk, i32 } from "./wasm/build.ts";
import type { Func, Node, WasmModule } from "./wasm/module.ts";
import { OP } from "./wasm/opcodes.ts";

export const MEMORY = { guest: 0, ctl: 1, heap: 2 } as const;

/** What the guest's memory begins with and may grow to, in pages of 64 KiB. */
export interface MemoryPages {
  readonly min: number;
  readonly max: number;
}

/** @returns the pages, and the function that copies the data segments */
export function shareMemory(module: WasmModule): { pages: MemoryPages; init: Func } {
  const own = module.memories[0]?.limits ?? { min: 0, max: 1 };
  const pages = {
    min: own.min,
    max: Math.max(1, own.min, Math.min(own.max ?? LIMITS.memoryPages, LIMITS.memoryPages)),
  };
  const imported = (name: string, min: number, max: number): WasmModule["memories"][number] => ({
    limits: { min, max, shared: true },
    imported: { module: "upvm", name },
  });
  const ctlPages = CTL.bytes / 65_536;
  const heapPages = Math.ceil(LIMITS.heapBytesMax / 65_536);
  module.memories = [
    imported("memory", pages.min, pages.max),
    imported("ctl", ctlPages, ctlPages),
    imported("heap", LIMITS.heapBytesMin / 65_536, heapPages),
  ];
  return { pages, init: passiveData(module) };
}

function passiveData(module: WasmModule): Func {
  const init = module.addFunc("upvm_init", [], []);
  const body = init.root?.body as Node[];
  for (const [index, data] of module.data.entries()) {
    if (data.mode !== "active") continue;
    data.mode = "passive";
    body.push(...data.offset, i32(0), i32(data.bytes.length), bulk(OP.memoryInit, index, MEMORY.guest));
    module.needsDataCount = true;
  }
  return init;
}
