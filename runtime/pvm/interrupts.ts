/**
 * The program's own functions in the middle of a call: message handlers (pvm_addmhf) and the matching function (pvm_recvf).
 *
 * Owns: the frames (FRAME) of what was interrupted, and the choice of the matching function. Which handler takes which
 * message is runtime/scheduler/handlers.ts; the wrappers that call the functions are runtime/link/interrupts.ts.
 * As PVM 3.4.6: a handler begins with its message as receive buffer, without a send buffer and in the message's context;
 * afterwards the message is freed and all is as it was. Handlers do not interrupt each other. A matching function sees
 * the messages of all contexts. Frames are of the ULP's heap: whatever the function does, they go when it ends.
 */
import { BLOCK_KIND, INTERRUPT, MSG, ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { FRAME, FRAME_KIND, HANDLER, MORE, MORE_USE } from "../../wire/more.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { handlerOf, isKept, nextHandled } from "../scheduler/handlers.ts";
import { drainInbox } from "../scheduler/mailbox.ts";
import { findProbed, removeMessage } from "../scheduler/messages.ts";
import { moreOf, needMore, setContext, setUse } from "../scheduler/more.ts";
import type { UlpAt } from "../scheduler/state.ts";
import { ufree, umalloc } from "../scheduler/uheap.ts";
import { probe } from "./buffers.ts";
import { fail } from "./errors.ts";
import { traceHandler } from "./tracing.ts";

const ANY = -1;
const FIRST_ROWS = 8;
const NO_MEM = PVM_ERROR.PvmNoMem.code;

/** Words of MORE that a frame keeps, and where. */
const KEPT = [
  [MORE.scanAt, FRAME.scanAt],
  [MORE.bestAt, FRAME.bestAt],
  [MORE.bestRank, FRAME.bestRank],
  [MORE.deadline, FRAME.deadline],
  [MORE.deadline + 1, FRAME.deadline + 1],
] as const;

/** Before a call that looks for messages: INTERRUPT.handle if a handler has one, else 0. */
export function lookFirst(e: EngineState, ulp: UlpAt): number {
  const { w } = e;
  if (w[ulp + ULP.moreAt] === 0) return 0;
  if (w[ulp + ULP.inbox] !== 0) drainInbox(w, ulp);
  return nextHandled(w, ulp) === 0 ? 0 : INTERRUPT.handle;
}

/** Puts what goes on now aside. @returns word index of the frame; 0: the heap is full */
function push(e: EngineState, ulp: UlpAt, kind: number): number {
  const { w } = e;
  const more = moreOf(w, ulp);
  const at = umalloc(e, ulp, FRAME.words * 4, BLOCK_KIND.more);
  if (at === 0) return 0;
  const frame = at >> 2;
  w.fill(0, frame, frame + FRAME.words);
  w[frame + FRAME.previous] = w[more + MORE.framesAt]!;
  w[frame + FRAME.kind] = kind;
  for (const [from, to] of KEPT) w[frame + to] = w[more + from]!;
  w[more + MORE.framesAt] = at;
  if (kind === FRAME_KIND.handler) w[more + MORE.running] = w[more + MORE.running]! + 1;
  return frame;
}

/** Goes back to what the newest frame has; the call that was interrupted is next. The frame stays the caller's. */
function pop(e: EngineState, ulp: UlpAt): number {
  const { w } = e;
  const more = moreOf(w, ulp);
  const frame = w[more + MORE.framesAt]! >> 2;
  for (const [to, from] of KEPT) w[more + to] = w[frame + from]!;
  w[more + MORE.framesAt] = w[frame + FRAME.previous]!;
  if (w[frame + FRAME.kind] === FRAME_KIND.handler) w[more + MORE.running] = w[more + MORE.running]! - 1;
  w[more + MORE.again] = 1;
  return frame;
}

/** Makes the next message of a handler the receive buffer. @returns table index of the handler; 0: there is none now */
function handle(e: EngineState): number {
  const { w, btab, current: ulp } = e;
  const more = moreOf(w, ulp);
  w[more + MORE.again] = 1;
  if (w[ulp + ULP.inbox] !== 0) drainInbox(w, ulp);
  const message = nextHandled(w, ulp);
  if (message === 0) return 0;
  const lbid = btab.btbidNew(ulp);
  const frame = lbid < 0 ? 0 : push(e, ulp, FRAME_KIND.handler);
  if (lbid > 0) btab.btbidFree(ulp, lbid);
  if (frame === 0) {
    // No room to run it: the message stays, as if there were no handler for it.
    w[more + MORE.scanned] = message;
    return 0;
  }
  const m = message >> 2;
  const handler = handlerOf(w, ulp, m);
  const func = w[handler + HANDLER.func]!;
  w[frame + FRAME.sbid] = btab.btsetsbid(ulp, 0);
  w[frame + FRAME.rbid] = btab.btsetrbid(ulp, 0);
  w[frame + FRAME.context] = w[ulp + ULP.context]!;
  w[frame + FRAME.gbid] = w[m + MSG.gbid]!;
  removeMessage(w, ulp, message);
  w[frame + FRAME.mid] = btab.receive(ulp, message);
  if (w[ulp + ULP.traceAt] !== 0) {
    const [src, tag, context] = [MSG.src, MSG.tag, MSG.context].map((word) => w[m + word]!);
    const wanted = [HANDLER.src, HANDLER.tag, HANDLER.context].map((word) => w[handler + word]!);
    traceHandler(e, ulp, [...wanted, w[frame + FRAME.mid]!, w[m + MSG.bytes]!, tag!, context!, src!]);
  }
  setContext(e, ulp, w[m + MSG.context]!);
  e.arena.hfree(message);
  w[ulp + ULP.received] = w[ulp + ULP.received]! + 1;
  return func;
}

/** A handler has returned. */
function handled(e: EngineState): void {
  const { w, btab, current: ulp } = e;
  const frame = pop(e, ulp);
  const mid = w[frame + FRAME.mid]!;
  // Its message, or what a receive in the handler has put in its place; not a buffer that has got the same number.
  if (btab.btgetrbid(ulp) === mid || btab.btgetgbid(ulp, mid) === w[frame + FRAME.gbid]) btab.free(ulp, mid);
  if (btab.btsetsbid(ulp, w[frame + FRAME.sbid]!) < 0) btab.btsetsbid(ulp, 0);
  const rbid = w[frame + FRAME.rbid]!;
  // The kernel leaves an id that is mapped to nothing when a receive begins to wait.
  if (rbid !== 0 && btab.btgetgbid(ulp, rbid) === 0) btab.btbidFree(ulp, rbid);
  if (btab.btsetrbid(ulp, rbid) < 0) btab.btsetrbid(ulp, 0);
  setContext(e, ulp, w[frame + FRAME.context]!);
  ufree(e, ulp, frame << 2);
}

/** Ends the choice by a matching function: the next receive begins anew. */
function forgetScan(w: Int32Array, more: number): void {
  w[more + MORE.scanAt] = 0;
  w[more + MORE.bestAt] = 0;
  w[more + MORE.bestRank] = 0;
}

/**
 * The message that the matching function chooses; asks it about each that has come, once.
 *
 * @returns the message, still in the queue; 0 none so far; INTERRUPT.match: it is asked about ULP.result, and then the
 * call comes again; an error: its own (below 0), or PvmNoMem
 */
export function choose(e: EngineState, ulp: UlpAt): number {
  const { w } = e;
  const more = moreOf(w, ulp);
  if (w[more + MORE.again] === 0) forgetScan(w, more);
  const rank = w[more + MORE.bestRank]!;
  if (rank < 0) {
    forgetScan(w, more);
    return rank;
  }
  const next = rank === 1 ? 0 : nextToAsk(w, ulp, more);
  if (next !== 0) return ask(e, ulp, more, next);
  if (rank === 0) return 0;
  const best = findProbed(w, ulp, w[more + MORE.bestAt]!);
  forgetScan(w, more);
  return best;
}

/** Message behind the one that was asked about last; 0: that was the last. If that one is gone, the first of all. */
function nextToAsk(w: Int32Array, ulp: UlpAt, more: number): number {
  const last = w[more + MORE.scanAt] === 0 ? 0 : findProbed(w, ulp, w[more + MORE.scanAt]!);
  if (last === 0) forgetScan(w, more);
  let at = last === 0 ? w[ulp + ULP.msgqHead]! : w[(last >> 2) + MSG.next]!;
  while (at !== 0 && isKept(w, ulp, at >> 2)) at = w[(at >> 2) + MSG.next]!;
  return at;
}

function ask(e: EngineState, ulp: UlpAt, more: number, message: number): number {
  const { w } = e;
  const lbid = probe(e, ulp, message);
  if (lbid < 0 || push(e, ulp, FRAME_KIND.matcher) === 0) return NO_MEM;
  // The frame keeps where the choice is; this is where it goes on.
  w[(w[more + MORE.framesAt]! >> 2) + FRAME.scanAt] = lbid;
  w[ulp + ULP.result] = lbid;
  return INTERRUPT.match;
}

/** The matching function has answered: below 0 an error, 0 not this one, 1 this one, more: the highest of all. */
function matched(e: EngineState, rank: number): void {
  const { w, current: ulp } = e;
  const more = moreOf(w, ulp);
  const frame = pop(e, ulp);
  const best = w[more + MORE.bestRank]!;
  // Not to be taken for an interrupt or for a ULP that waits.
  if (rank < 0) w[more + MORE.bestRank] = Math.max(rank, -0x40000000);
  else if (rank === 1 || rank > best) {
    w[more + MORE.bestRank] = rank;
    w[more + MORE.bestAt] = w[more + MORE.scanAt]!;
  }
  ufree(e, ulp, frame << 2);
}

/** What the wrappers of the linked module call. */
export function interruptCalls(e: EngineState) {
  const { w } = e;
  return {
    begin_looking(): void {
      const more = moreOf(w, e.current);
      if (more !== 0) w[more + MORE.again] = 0;
    },
    handle: () => handle(e),
    handled: () => handled(e),
    matcher: () => w[moreOf(w, e.current) + MORE.matcher]!,
    matched: (rank: number) => matched(e, rank),
  };
}

export function handlerCalls(e: EngineState) {
  const { w } = e;
  return {
    /** `func`: table index; 0 and below are no function (the stub in the program has looked). */
    pvm_addmhf(src: number, tag: number, context: number, func: number): number {
      if (func <= 0) return fail(e, "pvm_addmhf", "PvmBadParam");
      const { current: ulp } = e;
      if (needMore(e, ulp) === 0) return fail(e, "pvm_addmhf", "PvmNoMem");
      const taken = rowsOf(w, ulp).some((row) => overlaps(w, row, src, tag, context));
      if (taken) return fail(e, "pvm_addmhf", "PvmExists");
      const row = freeRow(e, ulp);
      if (row === 0) return fail(e, "pvm_addmhf", "PvmNoMem");
      w[row + HANDLER.src] = src;
      w[row + HANDLER.tag] = tag;
      w[row + HANDLER.context] = context;
      w[row + HANDLER.func] = func;
      const more = moreOf(w, ulp);
      w[more + MORE.scanned] = 0;
      setUse(w, ulp, MORE_USE.handlers, true);
      return (row - (w[more + MORE.handlersAt]! >> 2)) / HANDLER.words + 1;
    },
    pvm_delmhf(id: number): number {
      if (id < 0) return fail(e, "pvm_delmhf", "PvmBadParam");
      const { current: ulp } = e;
      const more = moreOf(w, ulp);
      const row = (w[more + MORE.handlersAt]! >> 2) + (id - 1) * HANDLER.words;
      const known = more !== 0 && id >= 1 && id <= w[more + MORE.handlerRows]! && w[row + HANDLER.func] !== 0;
      if (!known) return fail(e, "pvm_delmhf", "PvmNotFound");
      w[row + HANDLER.func] = 0;
      setUse(w, ulp, MORE_USE.handlers, rowsOf(w, ulp).length > 0);
      return PVM_ERROR.PvmOk.code;
    },
    /** Below 0: no function, and nothing changes. PVM's routine has no errors. */
    pvm_recvf_set(func: number): number {
      const { current: ulp } = e;
      const before = w[moreOf(w, ulp) + MORE.matcher]!;
      const old = w[ulp + ULP.moreAt] === 0 ? 0 : before;
      if (func < 0 || func === old || needMore(e, ulp) === 0) return old;
      w[moreOf(w, ulp) + MORE.matcher] = func;
      setUse(w, ulp, MORE_USE.matcher, func !== 0);
      return old;
    },
  };
}

/** Rows of the handlers there are. */
function rowsOf(w: Int32Array, ulp: UlpAt): number[] {
  const more = moreOf(w, ulp);
  const first = w[more + MORE.handlersAt]! >> 2;
  const rows = Array.from({ length: w[more + MORE.handlerRows]! }, (_, i) => first + i * HANDLER.words);
  return rows.filter((row) => w[row + HANDLER.func] !== 0);
}

function overlaps(w: Int32Array, row: number, src: number, tag: number, context: number): boolean {
  const both = (a: number, b: number) => a === b || a === ANY || b === ANY;
  return (
    both(w[row + HANDLER.src]!, src) &&
    both(w[row + HANDLER.tag]!, tag) &&
    both(w[row + HANDLER.context]!, context)
  );
}

/** A row for one more handler; 0: LIMITS.handlersPerUlp, or the heap is full. */
function freeRow(e: EngineState, ulp: UlpAt): number {
  const { w } = e;
  const more = moreOf(w, ulp);
  const rows = w[more + MORE.handlerRows]!;
  const first = w[more + MORE.handlersAt]! >> 2;
  for (let i = 0; i < rows; i++)
    if (w[first + i * HANDLER.words + HANDLER.func] === 0) return first + i * HANDLER.words;
  const grown = rows === 0 ? FIRST_ROWS : Math.min(2 * rows, LIMITS.handlersPerUlp);
  if (grown === rows) return 0;
  const at = umalloc(e, ulp, grown * HANDLER.words * 4, BLOCK_KIND.more);
  if (at === 0) return 0;
  const to = at >> 2;
  w.fill(0, to, to + grown * HANDLER.words);
  w.copyWithin(to, first, first + rows * HANDLER.words);
  ufree(e, ulp, w[more + MORE.handlersAt]!);
  w[more + MORE.handlersAt] = at;
  w[more + MORE.handlerRows] = grown;
  return to + rows * HANDLER.words;
}
