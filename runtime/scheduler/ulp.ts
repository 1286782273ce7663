/**
 * ULP descriptors: making them, and what a ULP object exports (Table I).
 *
 * Owns: the descriptor block and its row in the ULP table. A descriptor stays until the process ends, so that
 * anyone who knows the tid may look at it; all else that a ULP has goes when it ends (end.ts).
 * Local is: on this engine. Exactly one engine has a ULP, ULP.engine says which (paper: exactly one
 * descriptor of a ULP is local, all others are remote; here the descriptor is one and the mark is a word in
 * it).
 */
import assert from "node:assert";
import {
  BLOCK_KIND,
  HEAD as HEAD_TABLE,
  ULP_STATE as ULP_STATE_TABLE,
  ULP as ULP_TABLE,
} from "../../wire/layout.ts";
import { LIMITS as LIMITS_TABLE } from "../../wire/limits.ts";
import { PVM_ERROR, tidOf } from "../../wire/pvm.ts";
import type { Btab } from "../heap/btab.ts";
import type { SharedHeap } from "../heap/shared-heap.ts";
import type { EngineState } from "./engine-state.ts";
import { ulpOfTid } from "./mailbox.ts";
import { NOT_QUEUED } from "./queue.ts";
import type { UlpAt } from "./state.ts";

// V8 folds the fields of a constant of this file into its code, those of an import it loads (1.5 times
// slower).
const HEAD = HEAD_TABLE;
const ULP = ULP_TABLE;
const ULP_STATE = ULP_STATE_TABLE;
const LIMITS = LIMITS_TABLE;

/** What a new ULP is to be. */
export interface UlpSpec {
  /** Row of the program table. */
  readonly program: number;
  /** Engine that has it first. */
  readonly engine: number;
  /** Tid of the ULP that spawned it, or PvmNoParent. */
  readonly parentTid: number;
  /** Its context to begin with; PvmBaseContext unless told. */
  readonly context?: number;
  /** Index of the first ULP, and how many, that were started together with it. */
  readonly siblingFirst: number;
  readonly siblingCount: number;
}

/** Who makes descriptors: an engine, or the process's own thread before the engines start. */
export interface UlpMaker {
  readonly w: Int32Array<SharedArrayBuffer>;
  readonly heap: SharedHeap;
  readonly btab: Btab;
  readonly arena: { hmalloc(bytes: number, kind: typeof BLOCK_KIND.ulp): number; hfree(at: number): void };
}

/**
 * Takes `n` numbers for new ULPs, one after the other.
 *
 * @returns index of the first, or PvmOutOfRes: the ULP table would be full
 */
export function reserveIndices(w: Int32Array<SharedArrayBuffer>, n: number): number {
  for (let first = Atomics.load(w, HEAD.ulps); ; ) {
    if (first + n > LIMITS.ulps) return PVM_ERROR.PvmOutOfRes.code;
    const found = Atomics.compareExchange(w, HEAD.ulps, first, first + n);
    if (found === first) return first;
    first = found;
  }
}

/** There is a ULP with this index, whoever has allotted it: HEAD.ulps is above it. */
function countIndex(w: Int32Array<SharedArrayBuffer>, index: number): void {
  for (let ulps = Atomics.load(w, HEAD.ulps); ulps <= index; ) {
    const found = Atomics.compareExchange(w, HEAD.ulps, ulps, index + 1);
    ulps = found === ulps ? index + 1 : found;
  }
}

/**
 * Makes a ULP with a given index: state UnInit, in no queue, counted in HEAD.live. (Table I: ucreate)
 *
 * @returns its descriptor; 0: the heap is full
 * @throws AssertionError if there is one with this index: a bug of ours
 */
export function ucreate(m: UlpMaker, index: number, spec: UlpSpec): UlpAt {
  const made = newDescriptor(m, index, spec);
  if (made === 0) return 0 as UlpAt;
  Atomics.add(m.w, HEAD.live, 1);
  const found = Atomics.compareExchange(m.w, m.heap.ulpRow(index), 0, made << 2);
  assert(found === 0, `bug: ULP ${index} is made twice`);
  return made;
}

/**
 * Descriptor of a ULP of this job that is not known here: of another process, or of none, which nobody here can tell. Any
 * engine may ask for it at any time.
 *
 * @returns as ucreate; 0 also for a tid that is none of this job's
 */
export function ulpElsewhere(m: UlpMaker, tid: number): UlpAt {
  const { w, heap } = m;
  const index = tid - w[HEAD.tidBase]! - 1;
  if (index < 0 || index >= LIMITS.ulps) return 0 as UlpAt;
  const row = heap.ulpRow(index);
  const known = Atomics.load(w, row);
  if (known !== 0) return (known >> 2) as UlpAt;
  const parentTid = PVM_ERROR.PvmNoParent.code;
  const spec = { program: 0, engine: w[HEAD.engines]!, parentTid, siblingFirst: index, siblingCount: 1 };
  const made = newDescriptor(m, index, spec);
  if (made === 0) return made;
  const found = Atomics.compareExchange(w, row, 0, made << 2);
  if (found === 0) {
    countIndex(w, index);
    return made;
  }
  // Another engine was faster.
  m.arena.hfree(made << 2);
  return (found >> 2) as UlpAt;
}

/**
 * A ULP that others here may know already is made in this process: as ucreate, with `ulpElsewhere` before it. Others that
 * look at it see it elsewhere until all is set.
 */
export function ucreateKnown(m: UlpMaker, ulp: UlpAt, spec: UlpSpec): void {
  const { w } = m;
  setSpec(w, ulp, spec);
  Atomics.add(w, HEAD.live, 1);
  Atomics.store(w, ulp + ULP.engine, spec.engine);
}

function newDescriptor(m: UlpMaker, index: number, spec: UlpSpec): UlpAt {
  const at = m.arena.hmalloc(ULP.words * 4, BLOCK_KIND.ulp);
  if (at === 0) return 0 as UlpAt;
  const ulp = (at >> 2) as UlpAt;
  const w = m.w;
  w.fill(0, ulp, ulp + ULP.words);
  w[ulp + ULP.tid] = tidOf(index, w[HEAD.tidBase]!);
  w[ulp + ULP.index] = index;
  w[ulp + ULP.state] = ULP_STATE.unInit;
  w[ulp + ULP.engine] = spec.engine;
  w[ulp + ULP.queueNext] = NOT_QUEUED;
  w[ulp + ULP.queuePrev] = NOT_QUEUED;
  setSpec(w, ulp, spec);
  m.btab.init(ulp);
  return ulp;
}

function setSpec(w: Int32Array, ulp: UlpAt, spec: UlpSpec): void {
  w[ulp + ULP.module] = spec.program;
  w[ulp + ULP.parentTid] = spec.parentTid;
  w[ulp + ULP.context] = spec.context ?? 0;
  w[ulp + ULP.common] = spec.context ?? 0;
  w[ulp + ULP.siblingFirst] = spec.siblingFirst;
  w[ulp + ULP.siblingCount] = spec.siblingCount;
  w[ulp + ULP.tellEnd] = w[HEAD.machine]!;
}

/** Sets the engine that has a ULP. (Table I: usetvpid; `host VPid`) */
export function usetvpid(w: Int32Array<SharedArrayBuffer>, ulp: UlpAt, engine: number): void {
  Atomics.store(w, ulp + ULP.engine, engine);
}

/** True if the ULP is on this engine. Stable if true: only this engine gives it away. (Table I: uislocal) */
export function uislocal(e: EngineState, ulp: UlpAt): boolean {
  return e.alone || e.w[ulp + ULP.engine] === e.index;
}

/** Marks a ULP as on this engine. (Table I: usetlocal) */
export function usetlocal(e: EngineState, ulp: UlpAt): void {
  usetvpid(e.w, ulp, e.index);
}

/** Marks a ULP as on another engine: from now on messages to it go to its inbox. (Table I: usetremote) */
export function usetremote(e: EngineState, ulp: UlpAt, engine: number): void {
  assert(engine !== e.index, "bug: a ULP is remote on its own engine");
  usetvpid(e.w, ulp, engine);
}

/** Descriptor of the ULP with this tid; 0: there never was one. */
export function ulpOf(w: Int32Array<SharedArrayBuffer>, tid: number): UlpAt {
  return ulpOfTid(w, tid, w[HEAD.tidBase]!);
}
