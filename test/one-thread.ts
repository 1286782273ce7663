/**
 * Engines on the test's own thread: a process without workers, whose world is a few arrays.
 *
 * Owns: a fake EngineEdge. Time passes only when an engine sleeps, so that a test with timeouts takes none.
 * Programs are hand-written linked modules in wasm text (`linked`), compiled by wabt.
 */
import wabt from "wabt";
import { engineMoves } from "../runtime/migrate/engine-move.ts";
import { addImports } from "../runtime/pvm/imports.ts";
import { run, startQueues } from "../runtime/scheduler/engine.ts";
import {
  type EngineOptions,
  EngineState,
  type Parcel,
  type UlpFailure,
} from "../runtime/scheduler/engine-state.ts";
import { initialise, type StepDone } from "../runtime/scheduler/init.ts";
import type { Library } from "../runtime/scheduler/library.ts";
import { PLACEMENT, type Placement } from "../runtime/scheduler/placement.ts";
import type { Program } from "../runtime/scheduler/programs.ts";
import { ulpAt } from "../runtime/scheduler/queue.ts";
import type { UlpAt } from "../runtime/scheduler/state.ts";
import { LIMITS } from "../wire/limits.ts";

const { parseWat } = await wabt();

/** What every hand-written linked module begins with: memories, and the engine's two functions. */
const HEAD_TEXT = `
  (import "upvm" "memory" (memory 1 16 shared))
  (import "upvm" "ctl" (memory $ctl 1 1 shared))
  (import "upvm" "heap" (memory $heap 0 65535 shared))`;

/** Exports that a module without globals may do with. */
const TAIL_TEXT = `
  (func (export "upvm_init"))
  (func (export "upvm_save") (param i32))
  (func (export "upvm_load") (param i32))`;

/**
 * A linked module from wasm text. `imports` come before its functions; `body` defines what else it needs and the
 * function $resume (top, limit, fresh) → top or 0. It keeps its progress in its memory.
 */
export function linked(imports: string, body: string, tail: string = TAIL_TEXT): WebAssembly.Module {
  const text = `(module ${imports} ${HEAD_TEXT} ${body} ${tail} (export "upvm_resume" (func $resume)))`;
  // wabt's types do not know multi_memory; its parser does.
  const features = { threads: true, multi_memory: true, bulk_memory: true };
  const wat = parseWat("linked.wat", text, features);
  return new WebAssembly.Module(new Uint8Array(wat.toBinary({}).buffer));
}

export function programOf(module: WebAssembly.Module, stateBytes = 0): Program {
  return { id: 0, name: "test", module, pages: { min: 1, max: 16 }, stateBytes, tables: 0 };
}

export interface Process {
  readonly library: Library;
  readonly trace: readonly StepDone[];
  readonly engines: readonly EngineState[];
  /** What ULPs printed, in order. */
  readonly printed: { readonly fd: number; readonly text: string; readonly tid: number }[];
  readonly failures: UlpFailure[];
  readonly interrupted: { readonly index: number; readonly stack: string }[];
  /** File names that pvm_spawn asked for. */
  readonly loads: { readonly index: number; readonly name: string }[];
  readonly mail: Parcel[][];
  /** Milliseconds. */
  nowMs: number;
  /** Called when an engine would sleep for ever. */
  onSleep: (engine: number) => void;
  ulp(index: number): UlpAt;
  /** Runs the first engine until the process stops. */
  run(): void;
}

export interface ProcessOptions extends Partial<EngineOptions> {
  readonly ulps: number;
  readonly engines?: number;
  readonly place?: Placement;
  readonly heapBytes?: number;
}

/** Makes a process of engines on this thread, ready to run. */
export function processOf(program: Program, options: ProcessOptions): Process {
  const engines: EngineState[] = [];
  const mail: Parcel[][] = [];
  let library: Library | undefined;
  const prepare = (made: Library): void => {
    library = made;
    for (let index = 0; index < made.process.engines; index++) engines.push(engineOf(made, index));
  };
  const engineOf = (made: Library, index: number): EngineState => {
    mail.push([]);
    const e = new EngineState(made.heap, index, made.ctlMemories, edgeOf(index), engineOptions, engineMoves);
    addImports(e);
    e.programs[program.id] = program;
    startQueues(e);
    return e;
  };
  const engineOptions: EngineOptions = {
    args: ["test"],
    env: [],
    tag: false,
    slices: false,
    loads: false,
    framesBytes: LIMITS.framesBytesMax,
    shuffle: 0,
    ...options,
  };
  const edgeOf = (index: number): EngineState["edge"] => ({
    now: () => p.nowMs,
    wallClock: () => 1_700_000_000_000_000_000n + BigInt(Math.round(p.nowMs * 1e6)),
    random: (into) => into.fill(7),
    wait: (word, value, timeoutMs) => {
      if (p.library.w[word] !== value) return;
      if (timeoutMs === Infinity) p.onSleep(index);
      else p.nowMs += timeoutMs;
    },
    receive: () => mail[index]!.shift(),
    send: (engine, parcel) => mail[engine]!.push(parcel),
    output: (fd, bytes, tid) => p.printed.push({ fd, text: new TextDecoder().decode(bytes), tid }),
    failed: (failure) => p.failures.push(failure),
    interrupted: (at, stack) => p.interrupted.push({ index: at, stack }),
    load: (at, name) => p.loads.push({ index: at, name }),
  });
  const p: Process = {
    get library() {
      return library!;
    },
    trace: [],
    engines,
    printed: [],
    failures: [],
    interrupted: [],
    loads: [],
    mail,
    nowMs: 0,
    onSleep: () => {
      throw new Error("an engine sleeps for ever");
    },
    ulp: (index) => ulpAt(library!.w, index),
    run: () => run(engines[0]!),
  };
  const plan = {
    program,
    ulps: options.ulps,
    engines: options.engines ?? 1,
    heapBytes: options.heapBytes ?? 16 << 20,
    place: options.place ?? PLACEMENT.block,
  };
  const { trace } = initialise(plan, { prepare, start: () => {} });
  return Object.defineProperty(p, "trace", { value: trace });
}
