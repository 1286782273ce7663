/**
 * Engines on the test's own thread: a process without workers, whose world is a few arrays.
 *
 * Owns: a fake EngineEdge. Time passes only when an engine sleeps, so that a test with timeouts takes none.
 * Programs are hand-written linked modules in wasm text (`linked`), compiled by wabt.
 */
import wabt from "wabt";
import { engineMoves } from "../runtime/migrate/engine-move.ts";
import { type Addressed, Freezer } from "../runtime/migrate/freezer.ts";
import { addImports } from "../runtime/pvm/imports.ts";
import { Context } from "../runtime/scheduler/context.ts";
import { uterminate } from "../runtime/scheduler/end.ts";
import { run, startQueues } from "../runtime/scheduler/engine.ts";
import {
  type EngineOptions,
  EngineState,
  type Parcel,
  type UlpFailure,
} from "../runtime/scheduler/engine-state.ts";
import type { FileEdge } from "../runtime/scheduler/files.ts";
import { initialise, type StepDone } from "../runtime/scheduler/init.ts";
import type { Library } from "../runtime/scheduler/library.ts";
import { freeSpareMessages } from "../runtime/scheduler/messages.ts";
import { copyOf, drainOutbox, releaseOutgoing } from "../runtime/scheduler/outbox.ts";
import type { OutsideMessage } from "../runtime/scheduler/outside.ts";
import { PLACEMENT, type Placement } from "../runtime/scheduler/placement.ts";
import type { Program } from "../runtime/scheduler/programs.ts";
import { append, isQueued, remove, ulpAt } from "../runtime/scheduler/queue.ts";
import { getState, setState, type UlpAt } from "../runtime/scheduler/state.ts";
import { ENGINE, HEAD, ULP, ULP_STATE } from "../wire/layout.ts";
import { LIMITS } from "../wire/limits.ts";
import type { Request } from "../wire/requests.ts";

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
 * A linked module from wasm text. `imports` come before its functions; `body` defines what else it needs and
 * the function $resume (top, limit, fresh) → top or 0. It keeps its progress in its memory.
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
  /** Requests to the virtual machine. */
  readonly asked: Request[];
  /** What became of orders to make tasks. */
  readonly created: { readonly order: number; readonly codes: readonly number[] }[];
  readonly mail: Parcel[][];
  /** The process's own thread, as far as it freezes ULPs. */
  readonly freezer: Freezer;
  /** Parcels for ULPs of other processes. */
  readonly away: Addressed[];
  /** Messages for ULPs of other processes. */
  readonly out: OutsideMessage[];
  /** ULPs whose end was told (HEAD.machine). */
  readonly exited: number[];
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
  readonly elsewhere?: (index: number) => boolean;
  readonly tidBase?: number;
  readonly files?: FileEdge;
}

/** Makes a process of engines on this thread, ready to run. */
export function processOf(program: Program, options: ProcessOptions): Process {
  const engines: EngineState[] = [];
  const mail: Parcel[][] = [];
  let library: Library | undefined;
  let freezer: Freezer | undefined;
  const prepare = (made: Library): void => {
    library = made;
    freezer = new Freezer(made, {
      send: (engine, parcel) => {
        mail[engine]!.push(parcel);
        Atomics.add(made.w, made.heap.engineRow(engine) + ENGINE.mail, 1);
      },
      away: (parcel) => p.away.push(parcel),
    });
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
    grants: [],
    input: false,
    tag: false,
    outside: false,
    hostName: "here",
    handoff: true,
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
    send: (engine, parcel) => {
      if (engine === engines.length) p.freezer.take(parcel);
      else mail[engine]!.push(parcel);
    },
    output: (fd, bytes, tid) => p.printed.push({ fd, text: new TextDecoder().decode(bytes), tid }),
    ...(options.files && { files: options.files }),
    failed: (failure) => p.failures.push(failure),
    interrupted: (at, stack) => p.interrupted.push({ index: at, stack }),
    sampled: () => {},
    exited: (at) => p.exited.push(at),
    ringOutbox: takeOut,
    ask: (request) => p.asked.push(request),
    created: (order, codes) => p.created.push({ order, codes }),
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
    asked: [],
    created: [],
    out: [],
    exited: [],
    mail,
    away: [],
    get freezer() {
      return freezer!;
    },
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
    ...(options.elsewhere && { elsewhere: options.elsewhere }),
    ...(options.tidBase !== undefined && { tidBase: options.tidBase }),
  };
  const takeOut = (): void =>
    drainOutbox(p.library, (message) => {
      const { to, src, tag, context, wid, encoding } = message;
      p.out.push({ to, src, tag, context, wid, encoding, data: copyOf(message) });
      releaseOutgoing(p.library, message);
    });
  const { trace } = initialise(plan, { prepare, start: () => {} });
  takeOut();
  return Object.defineProperty(p, "trace", { value: trace });
}

/** A ULP whose program is the test itself: it calls what a guest would import. */
export interface Actor {
  readonly tid: number;
  readonly ulp: UlpAt;
  readonly view: DataView;
  readonly bytes: Uint8Array;
  /** Imports of namespace `pvm`, by name; the ULP is the running one. */
  call(name: string, ...args: number[]): number;
  wasi(name: string, ...args: (number | bigint)[]): number;
  /** Stores a NUL-terminated text and returns its address. */
  text(text: string, at?: number): number;
  /** Takes up where a blocked call of this ULP was: what it returns. */
  resumed(): number;
}

/** Makes a ULP an actor: it has a memory of one page, or the one found, and runs whenever it calls something. */
export function actor(p: Process, index: number, found?: Context): Actor {
  const ulp = p.ulp(index);
  const e = p.engines[p.library.w[ulp + ULP.engine]!]!;
  const context = found ?? new Context(new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true }));
  e.contexts[index] = context;
  const run = (): void => {
    const state = getState(e.w, ulp);
    if (state === ULP_STATE.blocked) throw new Error(`ULP ${index} is blocked`);
    if (e.current !== ulp && e.current !== 0 && getState(e.w, e.current) === ULP_STATE.running) {
      setState(e.w, e.current, ULP_STATE.runnable);
      append(e.w, e.runq, e.current);
    }
    if (isQueued(e.w, ulp)) remove(e.w, e.runq, ulp);
    if (state !== ULP_STATE.running) setState(e.w, ulp, ULP_STATE.running);
    e.current = ulp;
    e.w[e.row + ENGINE.running] = ulp << 2;
  };
  const invoke = (
    space: Record<string, WebAssembly.ImportValue>,
    name: string,
    args: (number | bigint)[],
  ): number => {
    run();
    return (space[name] as (...args: (number | bigint)[]) => number)(...args);
  };
  return {
    tid: e.w[ulp + ULP.tid]!,
    ulp,
    get view() {
      return context.view;
    },
    get bytes() {
      return context.bytes;
    },
    call: (name, ...args) => invoke(e.imports.pvm, name, args),
    wasi: (name, ...args) => invoke(e.imports.wasi_snapshot_preview1, name, args),
    text(text, at = 0x8000) {
      context.bytes.set(new TextEncoder().encode(`${text}\0`), at);
      return at;
    },
    resumed() {
      run();
      return e.w[ulp + ULP.result]!;
    },
  };
}

/** Ends all ULPs and says what the heap still holds; the heap is checked. */
export function leftovers(p: Process): string {
  for (const e of p.engines) {
    for (let index = 0; index < p.library.w[HEAD.ulps]!; index++) {
      const ulp = p.ulp(index);
      if (ulp !== 0 && e.w[ulp + ULP.engine] === e.index && getState(e.w, ulp) !== ULP_STATE.exited)
        uterminate(e, ulp, 0);
    }
    freeSpareMessages(e.w, e.arena, e.row);
  }
  p.library.heap.check();
  return p.library.heap.leaks();
}

/** A program that does nothing, for processes of actors. */
export const IDLE = programOf(linked("", `(func $resume (param i32 i32 i32) (result i32) (i32.const 0))`));
