/**
 * Everything that ULPs of an engine import: the same function objects for all of them, acting for the running
 * one.
 *
 * Owns: the union of the parts. That it is complete is a unit test: every routine of wire/pvm.ts and every
 * function of wire/wasi.ts that is not refused.
 */
import { addKernel } from "../kernel/kernel.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { type Continuations, takeAnswer } from "./ask.ts";
import { bufferCalls } from "./buffers.ts";
import { contextCalls } from "./contexts.ts";
import { directCalls } from "./direct.ts";
import { engineCalls, yieldCalls } from "./engine-calls.ts";
import { errorCalls } from "./errors.ts";
import { groupCalls } from "./groups.ts";
import { packingCalls } from "./packing.ts";
import { receiveCalls } from "./receive.ts";
import { sendCalls } from "./send.ts";
import { spawnCalls, spawnLoaded } from "./spawn.ts";
import { taskCalls } from "./tasks.ts";
import { wasiCalls } from "./wasi.ts";

/** What calls do with the virtual machine's answers; a kind without one: its value is the call's result. */
const CONTINUATIONS: Continuations = { load: spawnLoaded };

/** Gives an engine its imports. Once, before its first ULP runs. */
export function addImports(e: EngineState): void {
  Object.assign(e.imports.upvm, engineCalls(e), { ctl: e.ctlMemory, heap: e.heap.memory });
  Object.assign(
    e.imports.pvm,
    bufferCalls(e),
    contextCalls(e),
    directCalls(e),
    errorCalls(e),
    groupCalls(e),
    packingCalls(e),
    receiveCalls(e),
    sendCalls(e),
    spawnCalls(e),
    taskCalls(e),
    yieldCalls(e),
  );
  addKernel(e);
  e.answer = (engine, parcel) => takeAnswer(engine, parcel, CONTINUATIONS);
  Object.assign(e.imports.wasi_snapshot_preview1, wasiCalls(e));
}
