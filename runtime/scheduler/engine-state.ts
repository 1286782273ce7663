/**
 * What one engine holds: its row of the shared heap, its queues, the contexts of its ULPs, and its way to the
 * world. (paper, 3.2.1: the part of the library descriptor that belongs to one thread)
 *
 * Owns: nothing but the places; the functions of this folder act on it. One thread uses one of these.
 * Pure of Node: clock, sleep, ports and output arrive in `edge`.
 */
import { BLOCK_KIND, COUNTERS, ENGINE, HEAD, MSG, ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import type { Answer, Request, RequestKind } from "../../wire/requests.ts";
import { Arena } from "../heap/arena.ts";
import { Btab } from "../heap/btab.ts";
import { Gbdesc } from "../heap/gbdesc.ts";
import { Pack } from "../heap/pack.ts";
import type { SharedHeap } from "../heap/shared-heap.ts";
import type { Context } from "./context.ts";
import { Copier } from "./copier.ts";
import type { FileEdge, FileHandles, Grant, OpenFile } from "./files.ts";
import type { Program } from "./programs.ts";
import type { QueueAt } from "./queue.ts";
import type { UlpAt } from "./state.ts";
import { Timers } from "./timers.ts";

/** A ULP that changes its engine: what is not in the shared heap. */
export interface UlpParcel {
  readonly kind: "ulp";
  readonly index: number;
  /** Absent: it never ran. */
  readonly memory: WebAssembly.Memory | undefined;
  /** Output held back until its newline, by file descriptor. */
  readonly held: readonly (Uint8Array | undefined)[];
  readonly closed: number;
  readonly files: readonly (OpenFile | undefined)[] | undefined;
  readonly tables: readonly Int32Array[];
}
/** A program that ULPs will run; on its way before the first of them is made. */
export interface ProgramParcel {
  readonly kind: "program";
  readonly program: Program;
}
/** The virtual machine's answer to a request that a ULP of this engine waits for. */
export interface AnswerParcel {
  readonly kind: "answer";
  readonly index: number;
  /** The request's kind and number. */
  readonly of: RequestKind;
  readonly serial: number;
  readonly answer: Answer;
}
/** A ULP is to end, whatever it does. (pvm_kill, pvm_sendsig) */
export interface StopParcel {
  readonly kind: "stop";
  readonly index: number;
  readonly signum: number;
}
/** A ULP is to leave its engine, for the process's own thread: it becomes an UlpParcel to that. */
export interface FreezeParcel {
  readonly kind: "freeze";
  readonly index: number;
}
/** To the process's own thread: a ULP that should be frozen stays as it is. */
export interface StaysParcel {
  readonly kind: "stays";
  readonly index: number;
  readonly why: WhyStays;
}
/** It has ended; the heap has no room for its globals; it was made and not yet started. */
export type WhyStays = "ended" | "memory" | "held";
/** A message of the virtual machine itself to a ULP. `dropped`: there was no room for it, and that is only to be told. */
export interface NoticeParcel {
  readonly kind: "notice";
  readonly index: number;
  readonly src: number;
  readonly tag: number;
  readonly context: number;
  readonly wid: number;
  readonly data: Uint8Array;
  readonly dropped?: boolean;
}
/** Tasks that a resource manager wants made. (SM_EXEC) */
export interface ExecParcel {
  readonly kind: "exec";
  /** Index of the manager. */
  readonly index: number;
  readonly wid: number;
  readonly parent: number;
  readonly name: string;
  /** Row of the program; below 0: why there is none, unless an engine knows it by its name. */
  readonly program: number;
  readonly flags: number;
  readonly count: number;
  readonly args: readonly string[];
  /** Tid, context and tag for output, and for traces. */
  readonly output: readonly number[];
  readonly env: readonly string[];
  /** They are made, and a tasker lets them run. */
  readonly held: boolean;
}
/** Tasks that the virtual machine wants made here, with tids that it has allotted. They wait until it lets them run. */
export interface CreateParcel {
  readonly kind: "create";
  /** Number of the order; `created` tells of it. */
  readonly order: number;
  /** Indices of the tasks. */
  readonly indices: readonly number[];
  /** All that were started together: index of the first, and how many. */
  readonly siblingFirst: number;
  readonly siblingCount: number;
  /** Tid, or an error's code: none. */
  readonly parent: number;
  /** Row of the program, which all engines have. */
  readonly program: number;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly context: number;
  /** Options: number and value, one pair behind the other. */
  readonly options: readonly number[];
}
/**
 * What ports carry between threads; ENGINE.mail counts what an engine has not taken yet. To "engine" HEAD.engines, whose row
 * is the process's own thread's: what is for ULPs that it has (runtime/migrate/freezer.ts).
 */
export type Parcel =
  | UlpParcel
  | ProgramParcel
  | AnswerParcel
  | StopParcel
  | NoticeParcel
  | ExecParcel
  | CreateParcel
  | FreezeParcel
  | StaysParcel;

/** How a ULP failed, for the process's result. */
export interface UlpFailure {
  readonly index: number;
  readonly message: string;
  /** Text of the error's stack, with the wasm frames as V8 writes them. */
  readonly stack: string;
}

/** The world of an engine: Node's worker in earnest, a few lines in a test. */
export interface EngineEdge {
  /** Milliseconds since the process began, the same on all its threads. */
  now(): number;
  /** Nanoseconds since 1970. */
  wallClock(): bigint;
  random(into: Uint8Array): void;
  /** Atomics.wait on a word of the heap. */
  wait(word: number, value: number, timeoutMs: number): void;
  /** A parcel that was sent here, if any; never waits. */
  receive(): Parcel | undefined;
  /** Sends to another engine. The caller counts it in ENGINE.mail afterwards. */
  send(engine: number, parcel: Parcel): void;
  /** Takes the bytes: they are not touched again. */
  output(fd: number, bytes: Uint8Array<ArrayBuffer>, tid: number): void;
  /** Files of the folders that the user granted; absent: there are none. */
  readonly files?: FileEdge;
  failed(failure: UlpFailure): void;
  /** Where a running ULP was when the process was interrupted: text of a stack, as in UlpFailure. */
  interrupted(index: number, stack: string): void;
  /** Where a running ULP is, for the profile. */
  sampled(index: number, stack: string): void;
  /** A ULP has ended: its descriptor says how. Only if HEAD.machine is set. */
  exited(index: number): void;
  /** Has the process's own thread look into the outbox. */
  ringOutbox(): void;
  /** Words of the turns of an engine that runs on the process's own thread (turn.ts); absent: it has a thread of its own. */
  readonly turn?: Int32Array<SharedArrayBuffer>;
  /** Tells the process's own thread what became of a CreateParcel: PvmOk or a code for each of its tasks. */
  created(order: number, codes: readonly number[]): void;
  /** Hands a request to the process's own thread; an AnswerParcel comes. The caller counted it in HEAD.outside. */
  ask(request: Request): void;
}

/** What the user chose. */
export interface EngineOptions {
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Folders that programs may use. */
  readonly grants: readonly Grant[];
  /** The first ULP can read the process's standard input. */
  readonly input: boolean;
  /** Write `[t40001] ` before each line of output. */
  readonly tag: boolean;
  /** Name of this host, for pvm_spawn. */
  readonly hostName: string;
  /** There are ULPs in other processes, and messages of theirs. */
  readonly outside: boolean;
  /** False: a receive that names its source does not hand over to it, to see what that is worth. */
  readonly handoff: boolean;
  /** Most bytes of unwind frames that one ULP may need. */
  readonly framesBytes: number;
  /** Seed: move ULPs to other engines at every chance, for tests. 0: off. */
  readonly shuffle: number;
}

/** The same function objects for all ULPs of an engine: they act for the running one. */
export interface EngineImports extends WebAssembly.Imports {
  readonly upvm: Record<string, WebAssembly.ImportValue>;
  readonly pvm: Record<string, WebAssembly.ImportValue>;
  readonly wasi_snapshot_preview1: Record<string, WebAssembly.ImportValue>;
}

/** How ULPs change engines (runtime/migrate/). */
export interface Moves {
  /** Takes in a ULP that was sent here. */
  adopt(e: EngineState, parcel: UlpParcel): void;
  /**
   * Gives a ULP of this engine that is not running to the process's own thread, or says why not. "later": another has
   * claimed to wake it, and has not done so yet.
   */
  freeze(e: EngineState, ulp: UlpAt): "frozen" | "later" | WhyStays;
  /** Some engine begs: gives it ULPs if enough are left. `running`: a ULP goes on running here. */
  give(e: EngineState, running: boolean): void;
  /** Asks the other engines for work. */
  beg(e: EngineState): void;
  /** Goes on asking: an engine that keeps a ULP waiting is to look. Milliseconds until the next look. */
  look(e: EngineState): number;
  /** This engine has work again: it no longer asks. */
  thank(e: EngineState): void;
  /** Tests only (EngineOptions.shuffle): a ULP was just suspended here, and may go elsewhere. */
  shuffle(e: EngineState, ulp: UlpAt): void;
}

export class EngineState {
  readonly index: number;
  /** Engines in this process. */
  readonly engines: number;
  /** There is no other engine and no other process: nobody races with this one for a ULP. */
  readonly alone: boolean;
  /** No other thread has to do with its ULPs and buffers: it is alone, or runs on the thread that has the links. */
  readonly single: boolean;
  readonly heap: SharedHeap;
  readonly w: Int32Array<SharedArrayBuffer>;
  readonly f64: Float64Array<SharedArrayBuffer>;
  /** Control pages of all engines; ctl[index] is its own. */
  readonly ctl: readonly Int32Array<SharedArrayBuffer>[];
  readonly ctlMemory: WebAssembly.Memory;
  readonly edge: EngineEdge;
  readonly options: EngineOptions;
  /** Word index of this engine's row, and of its queues. */
  readonly row: number;
  /** Its row, as an index of float64s: where COUNTER counts from. */
  readonly counters: number;
  readonly runq: QueueAt;
  readonly waitq: QueueAt;
  readonly timers: Timers;
  readonly arena: Arena;
  readonly gb: Gbdesc;
  readonly btab: Btab;
  readonly pack: Pack;
  readonly copier = new Copier();
  /** A message descriptor that is never queued: a message that goes straight to its waiting receiver. */
  readonly directAt: number;
  /** By ULP index. */
  readonly contexts: (Context | undefined)[];
  readonly programs: (Program | undefined)[] = [];
  /** Running ULP; 0 none. [lcurulp] */
  current = 0 as UlpAt;
  handoffsInARow = 0;
  /** The ULP that ran last or runs, and the first poll since then that called the engine, milliseconds; 0: none has. */
  lastRun = 0 as UlpAt;
  computesSinceMs = 0;
  /** Of other engines, when this one last looked: how often they had switched. */
  readonly switchesSeen: Float64Array;
  lookAgainMs = 0;
  /** Since when, and for how long of that, it was idle, milliseconds (idle.ts). */
  idleWindowMs = 0;
  idleMs = 0;
  /** State of the random sequence of EngineOptions.shuffle. */
  shuffleState: number;
  /**
   * The running ULP has looked for a message in vain while others could run, or one that waited for a time or an answer
   * can: its next poll lets them.
   */
  yieldAtPoll = false;
  /** Of an engine on the process's own thread: looks for a message in vain since its last turn (turn.ts). */
  vainLooks = 0;
  /** Of the same: since when a message is to leave that the running ULP has sent, milliseconds, and what it had received then. */
  leavingSinceMs = 0;
  leavingReceived = 0;
  /**
   * What ULPs import; set once, by who makes the engine. `upvm.memory` is of the ULP that is just being made.
   */
  readonly imports: EngineImports = { upvm: {}, pvm: {}, wasi_snapshot_preview1: {} };
  readonly moves: Moves;
  /** Files that are open in the system for ULPs of this engine. */
  fileHandles: FileHandles | undefined = undefined;
  /** Ends the wait of a ULP that asked the virtual machine for something. Set by who makes the engine. */
  answer: (e: EngineState, parcel: AnswerParcel) => void = () => {};
  /** Makes tasks for a resource manager. Set by who makes the engine. */
  exec: (e: EngineState, parcel: ExecParcel) => void = () => {};
  /** Makes tasks that the virtual machine wants here. Set by who makes the engine. */
  create: (e: EngineState, parcel: CreateParcel) => void = () => {};
  /** Tells the virtual machine that a ULP has ended. Set by who makes the engine. */
  ended: (e: EngineState, ulp: UlpAt) => void = () => {};
  /** Tells the virtual machine that its message to a ULP has found no room. Set by who makes the engine. */
  undelivered: (e: EngineState, ulp: UlpAt, notice: NoticeParcel) => void = () => {};
  /** A traced ULP is about to go on in its program, maybe in a call that returns now. Set by who makes the engine. */
  resumed: (e: EngineState, ulp: UlpAt) => void = () => {};
  /** Sends a message of a ULP to a task of another job; false: the tid is none. Set by who makes the engine. */
  sendAway: (
    e: EngineState,
    ulp: UlpAt,
    tid: number,
    tag: number,
    context: number,
    data: Uint8Array,
  ) => boolean = () => false;
  /** Places for trace events that know the names of data, and which of the daemon's events they know (trace.ts). */
  readonly traceSinks = new Map<string, Set<number>>();
  /** Orders to ULPs that are to be obeyed as soon as these are off the processor, have arrived here, or are woken. */
  deferred: (StopParcel | FreezeParcel)[] = [];

  /** A short way of recheck (blocking.ts), and one of looking for work (idle.ts). Set by the kernel if there is one. */
  deliverArrived: (ulp: UlpAt) => boolean = () => false;
  watch: ((looks: number) => boolean) | undefined;

  constructor(
    heap: SharedHeap,
    index: number,
    ctl: readonly WebAssembly.Memory[],
    edge: EngineEdge,
    options: EngineOptions,
    moves: Moves,
  ) {
    this.heap = heap;
    this.index = index;
    this.w = heap.i32;
    this.f64 = heap.f64;
    this.engines = this.w[HEAD.engines]!;
    this.alone = this.engines === 1 && !options.outside;
    this.single = this.alone || (this.engines === 1 && edge.turn !== undefined);
    this.ctl = ctl.map((memory) => new Int32Array(memory.buffer as SharedArrayBuffer));
    this.ctlMemory = ctl[index]!;
    this.edge = edge;
    this.options = options;
    this.moves = moves;
    this.row = heap.engineRow(index);
    this.counters = this.row >> 1;
    this.runq = (this.row + ENGINE.runHead) as QueueAt;
    this.waitq = (this.row + ENGINE.waitHead) as QueueAt;
    this.timers = new Timers(LIMITS.ulps);
    this.arena = new Arena(heap, index);
    this.gb = new Gbdesc(this.arena);
    this.btab = new Btab(this.gb);
    this.pack = new Pack(this.btab);
    this.directAt = this.arena.hmalloc(MSG.words * 4, BLOCK_KIND.lasting);
    this.shuffleState = options.shuffle + index * 0x9e3779b1;
    this.switchesSeen = new Float64Array(this.engines);
    this.contexts = new Array<Context | undefined>(LIMITS.ulps).fill(undefined);
  }

  /** ULP that a blocking receive names: runs next. 0 none. In the row, since the kernel sets it too. */
  get handoff(): UlpAt {
    return this.w[this.row + ENGINE.handoff] as UlpAt;
  }
  set handoff(ulp: UlpAt) {
    this.w[this.row + ENGINE.handoff] = ulp;
  }
}

/** One of COUNTERS, as the float64 of an engine row where it is. */
export const COUNTER = Object.fromEntries(
  COUNTERS.map((name, i) => [name, (ENGINE.counters >> 1) + i]),
) as Record<(typeof COUNTERS)[number], number>;

/** Adds to a counter of the engine, which only this engine writes. */
export function count(e: EngineState, counter: number, n: number): void {
  const at = e.counters + counter;
  e.f64[at] = e.f64[at]! + n;
}

/** Time in milliseconds by which a ULP waits. */
export function deadlineOf(e: EngineState, ulp: UlpAt): number {
  return e.f64[(ulp + ULP.deadline) >> 1]!;
}
export function setDeadline(e: EngineState, ulp: UlpAt, timeMs: number): void {
  e.f64[(ulp + ULP.deadline) >> 1] = timeMs;
}
