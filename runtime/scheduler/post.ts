/**
 * Sending a message to a ULP of this process (paper, 3.2.6). No data is copied: the message carries a
 * reference.
 *
 * Owns: the way from a sender to the receiver's wait, queue or inbox. Not the checks of pvm_send
 * (runtime/pvm/).
 */
import { INBOX_CLOSED, ULP_STATE as ULP_STATE_TABLE, ULP as ULP_TABLE } from "../../wire/layout.ts";
import { LIMITS as LIMITS_TABLE } from "../../wire/limits.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import { deliver, recheck, waitsFor } from "./blocking.ts";
import { COUNTER as COUNTER_TABLE, count, type EngineState } from "./engine-state.ts";
import { isInterruptible } from "./handlers.ts";
import { claimWake, drainInbox, pushInbox, pushWake } from "./mailbox.ts";
import { appendMessage, dropMessage, fillMessage, matches, newMessage } from "./messages.ts";
import { CAME_HERE, postOutside } from "./outbox.ts";
import { isOutside } from "./outside.ts";
import { isMigrating, type UlpAt } from "./state.ts";
import { uislocal } from "./ulp.ts";

// V8 folds the fields of a constant of this file into its code, those of an import it loads (1.5 times
// slower).
const ULP = ULP_TABLE;
const ULP_STATE = ULP_STATE_TABLE;
const LIMITS = LIMITS_TABLE;
const COUNTER = COUNTER_TABLE;

const NO_MEM = PVM_ERROR.PvmNoMem.code;

/**
 * Sends `bytes` bytes of a buffer to a ULP. Borrows `gbid`: the message gets a reference of its own. A ULP
 * that has ended gets nothing, as in PVM, and that is no error.
 *
 * @param wid  wait id of the message
 * @returns 0, or PvmNoMem: the receiver has LIMITS.messagesPerUlp unread, or the heap is full; nothing was
 * sent
 */
export function post(
  e: EngineState,
  src: number,
  to: UlpAt,
  tag: number,
  gbid: number,
  bytes: number,
  context = 0,
  wid = 0,
): number {
  count(e, COUNTER.messages, 1);
  count(e, COUNTER.bytes, bytes);
  if (!uislocal(e, to)) return postRemote(e, src, to, tag, gbid, bytes, context, wid);
  const w = e.w;
  if (w[to + ULP.inbox] !== 0 || !waitsFor(w, to, src, tag, context) || !claimWake(e, to))
    return enqueue(e, src, to, tag, gbid, bytes, context, wid);
  // It waits for just this: no queue, and no descriptor of its own.
  e.gb.gincref(gbid);
  fillMessage(w, e.directAt, src, tag, gbid, bytes, context, wid);
  if (deliver(e, to, e.directAt)) return 0;
  // No room in its buffer table: by way of the queue it learns of that, and can ask for the message again.
  e.gb.gdecref(gbid);
  const code = enqueue(e, src, to, tag, gbid, bytes, context, wid);
  recheck(e, to);
  return code;
}

/** Puts a message into the queue of a ULP of this engine. */
function enqueue(
  e: EngineState,
  src: number,
  to: UlpAt,
  tag: number,
  gbid: number,
  bytes: number,
  context: number,
  wid: number,
): number {
  const w = e.w;
  if (w[to + ULP.state] === ULP_STATE.exited) return drop(e);
  if (w[to + ULP.msgqCount]! >= LIMITS.messagesPerUlp) return NO_MEM;
  const message = newMessage(w, e.arena, src, tag, gbid, bytes, context, wid);
  if (message === 0) return NO_MEM;
  e.gb.gincref(gbid);
  if (w[to + ULP.inbox] === 0) {
    appendMessage(w, to, message);
    // A handler may take it, whatever the ULP waits for.
    if (isInterruptible(w, to) && claimWake(e, to)) recheck(e, to);
    return 0;
  }
  // What came from other engines came before; it may be what the receiver waits for, and who sent it about to
  // say so.
  drainInbox(w, to);
  appendMessage(w, to, message);
  if (claimWake(e, to)) recheck(e, to);
  return 0;
}

/** Puts a message into the inbox of a ULP of another engine, and wakes it if it waits for that. */
function postRemote(
  e: EngineState,
  src: number,
  to: UlpAt,
  tag: number,
  gbid: number,
  bytes: number,
  context: number,
  wid: number,
): number {
  const w = e.w;
  // One that is only frozen here keeps its inbox, until it has left.
  if (isOutside(w, to) && !isMigrating(w, to)) {
    if (w[to + ULP.state] === ULP_STATE.exited) return drop(e);
    const code = postOutside(e, src, to, tag, gbid, bytes, context, wid);
    if (code !== CAME_HERE) return code;
  }
  if (Atomics.load(w, to + ULP.inbox) === INBOX_CLOSED) return drop(e);
  if (Atomics.load(w, to + ULP.inboxCount) + w[to + ULP.msgqCount]! >= LIMITS.messagesPerUlp) return NO_MEM;
  const message = newMessage(w, e.arena, src, tag, gbid, bytes, context, wid);
  if (message === 0) return NO_MEM;
  e.gb.gincref(gbid);
  if (!pushInbox(w, to, message)) {
    dropMessage(w, e.arena, e.gb, message);
    // It has just left this process, and is marked so already.
    if (isOutside(w, to)) return postRemote(e, src, to, tag, gbid, bytes, context, wid);
    return drop(e);
  }
  // If these words are of another wait than the one that `waiting` is for, the receiver has blocked again
  // since the message is in its inbox, and has seen it there.
  if (
    Atomics.load(w, to + ULP.waiting) === 1 &&
    (w[to + ULP.moreAt] !== 0 ||
      (w[to + ULP.context] === context && matches(w[to + ULP.waitTid]!, w[to + ULP.waitTag]!, src, tag))) &&
    claimWake(e, to)
  )
    pushWake(e, to);
  return 0;
}

/** A message to a ULP that has ended. */
function drop(e: EngineState): number {
  count(e, COUNTER.dropped, 1);
  return 0;
}
