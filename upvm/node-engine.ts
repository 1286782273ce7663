/**
 * An engine as a worker thread of Node: the world that runtime/scheduler/ asks for.
 *
 * Owns: ports, clock, random numbers, sleep. The thread runs the engine's loop and never returns to its event
 * loop before that ends; so all that comes in is received synchronously.
 */
import { getRandomValues } from "node:crypto";
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { SharedHeap } from "../runtime/heap/shared-heap.ts";
import { engineMoves } from "../runtime/migrate/engine-move.ts";
import { addImports } from "../runtime/pvm/imports.ts";
import { run, startQueues } from "../runtime/scheduler/engine.ts";
import { type EngineEdge, EngineState, type Parcel } from "../runtime/scheduler/engine-state.ts";
import { HEAD } from "../wire/layout.ts";
import { LIMITS } from "../wire/limits.ts";
import type { EngineNews, EngineSetup, NumberedNews } from "./engine-thread.ts";
import { nodeFiles } from "./node-file-edge.ts";

const NS_PER_MS = 1_000_000;

function edgeOf(setup: EngineSetup, main: MessagePort, heap: SharedHeap): EngineEdge {
  const w = heap.i32;
  // performance.now() counts from the thread's start.
  const offsetMs = performance.timeOrigin - setup.beganMs;
  const ports = [main, ...setup.ports.filter((port) => port !== undefined)];
  const tell = tellerOf(setup, main);
  return {
    now: () => performance.now() + offsetMs,
    wallClock: () => BigInt(Math.round((performance.timeOrigin + performance.now()) * NS_PER_MS)),
    random: (into) => {
      getRandomValues(into as Uint8Array<ArrayBuffer>);
    },
    wait: (word, value, timeoutMs) => {
      Atomics.wait(w, word, value, timeoutMs);
    },
    receive: () => {
      for (const port of ports) {
        const received = receiveMessageOnPort(port) as { message: Parcel } | undefined;
        if (received !== undefined) return received.message;
      }
      return undefined;
    },
    send: (engine, parcel) => {
      if (engine === setup.ports.length) tell({ kind: "parcel", parcel });
      else setup.ports[engine]!.postMessage(parcel);
    },
    output: (fd, bytes, tid) => {
      // The process's thread is slower than a ULP that prints: wait for it rather than fill its memory.
      let pending = Atomics.add(w, HEAD.outputBytes, bytes.length) + bytes.length;
      tell({ kind: "output", fd, bytes, tid }, [bytes.buffer]);
      while (pending > LIMITS.outputBytes) {
        Atomics.wait(w, HEAD.outputBytes, pending);
        pending = Atomics.load(w, HEAD.outputBytes);
      }
    },
    ...(setup.options.grants.length > 0 && { files: nodeFiles() }),
    failed: (failure) => tell({ kind: "failed", failure }),
    interrupted: (index, stack) => tell({ kind: "interrupted", index, stack }),
    sampled: (index, stack) => tell({ kind: "sample", index, stack }),
    exited: (index) => tell({ kind: "exited", index }),
    ringOutbox: () => tell({ kind: "outbox" }),
    ask: (request) => tell({ kind: "ask", request }),
    created: (order, codes) => tell({ kind: "created", order, codes }),
  };
}

/** Tells the process's own thread something, in its place among what all engines tell. */
function tellerOf({ told }: EngineSetup, main: MessagePort) {
  return (news: EngineNews, transfer: ArrayBuffer[] = []): void => {
    const numbered: NumberedNews = { number: Atomics.add(told, 0, 1), news };
    main.postMessage(numbered, transfer);
  };
}

function main(port: MessagePort): void {
  // Traps tell where they were, however deep.
  Error.stackTraceLimit = LIMITS.stackFrames;
  const setup = workerData as EngineSetup;
  const heap = SharedHeap.attach(setup.heap);
  const edge = edgeOf(setup, port, heap);
  const e = new EngineState(heap, setup.index, setup.ctl, edge, setup.options, engineMoves);
  addImports(e);
  setup.programs.forEach((program) => {
    e.programs[program.id] = program;
  });
  startQueues(e);
  run(e);
  tellerOf(setup, port)({ kind: "stopped" });
}

if (parentPort !== null) main(parentPort);
