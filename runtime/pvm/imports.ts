/**
 * Everything that ULPs of an engine import: the same function objects for all of them, acting for the running
 * one.
 *
 * Owns: the union of the parts. That it is complete is a unit test: every routine of wire/pvm.ts and every
 * function of wire/wasi.ts that is not refused.
 */
import { addKernel } from "../kernel/kernel.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { type Continuations, takeAnswer, tell } from "./ask.ts";
import { bufferCalls } from "./buffers.ts";
import { contextCalls } from "./contexts.ts";
import { directCalls } from "./direct.ts";
import { engineCalls, yieldCalls } from "./engine-calls.ts";
import { errorCalls } from "./errors.ts";
import {
  collectiveAnswered,
  groupAnswered,
  groupCalls,
  groupSizeAnswered,
  groupTidsAnswered,
} from "./groups.ts";
import { messageCalls } from "./headers.ts";
import { handlerCalls, interruptCalls } from "./interrupts.ts";
import { configAnswered, hostsAnswered, hostsyncAnswered, machineCalls, quietly } from "./machine.ts";
import { membershipCalls } from "./membership.ts";
import {
  deleteAnswered,
  lookupAnswered,
  mboxinfoAnswered,
  messageBoxCalls,
  recvinfoAnswered,
} from "./message-box.ts";
import { optionCalls } from "./options.ts";
import { packingCalls } from "./packing.ts";
import { pluginCalls, tellUndelivered } from "./plugins.ts";
import { receiveCalls } from "./receive.ts";
import { relayTrace } from "./relay.ts";
import { sendCalls } from "./send.ts";
import { createOrdered, execTasks, spawnCalls, spawnLoaded, spawnPlaced } from "./spawn.ts";
import { taskControlCalls } from "./task-control.ts";
import { taskCalls, taskNameAnswered, tasksAnswered } from "./tasks.ts";
import { tickleCalls } from "./tickle.ts";
import { maskCalls, traceImports } from "./tracing.ts";
import { inputPolled, wasiCalls } from "./wasi.ts";
import { inputRead } from "./wasi-streams.ts";

/** What calls do with the virtual machine's answers; a kind without one: its value is the call's result. */
const CONTINUATIONS: Continuations = {
  load: spawnLoaded,
  spawn: spawnPlaced,
  tasks: tasksAnswered,
  taskName: taskNameAnswered,
  joinGroup: groupAnswered,
  leaveGroup: groupAnswered,
  groupSize: groupSizeAnswered,
  groupInstance: groupAnswered,
  groupTid: groupAnswered,
  groupTids: groupTidsAnswered,
  groupRole: collectiveAnswered,
  barrier: groupAnswered,
  freezeGroup: groupAnswered,
  pstat: quietly,
  config: configAnswered,
  mstat: quietly,
  addhosts: hostsAnswered,
  delhosts: hostsAnswered,
  hostsync: hostsyncAnswered,
  putinfo: quietly,
  recvinfo: recvinfoAnswered,
  delinfo: quietly,
  mboxinfo: mboxinfoAnswered,
  insert: quietly,
  lookup: lookupAnswered,
  delete: deleteAnswered,
  input: inputRead,
  inputReady: inputPolled,
};

/** Gives an engine its imports. Once, before its first ULP runs. */
export function addImports(e: EngineState): void {
  Object.assign(e.imports.upvm, engineCalls(e), interruptCalls(e), { ctl: e.ctlMemory, heap: e.heap.memory });
  Object.assign(
    e.imports.pvm,
    bufferCalls(e),
    contextCalls(e),
    directCalls(e),
    errorCalls(e),
    groupCalls(e),
    machineCalls(e),
    membershipCalls(e),
    messageBoxCalls(e),
    handlerCalls(e),
    maskCalls(e),
    messageCalls(e),
    optionCalls(e),
    packingCalls(e),
    pluginCalls(e),
    tickleCalls(e),
    receiveCalls(e),
    sendCalls(e),
    spawnCalls(e),
    taskCalls(e),
    taskControlCalls(e),
    yieldCalls(e),
  );
  traceImports(e);
  addKernel(e);
  e.sendAway = relayTrace;
  e.ended = (engine, ulp) => tell(engine, ulp, "ended", {});
  e.undelivered = tellUndelivered;
  e.exec = execTasks;
  e.create = createOrdered;
  e.answer = (engine, parcel) => takeAnswer(engine, parcel, CONTINUATIONS);
  Object.assign(e.imports.wasi_snapshot_preview1, wasiCalls(e));
}
