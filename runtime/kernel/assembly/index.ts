/**
 * The short way of a message: pvm_initsend, pvm_send and pvm_recv in the commonest case, as wasm.
 *
 * One instance for each engine; guests import its functions directly, wasm to wasm. It does what
 * runtime/pvm/buffers.ts, send.ts and receive.ts do, on the same words of the process heap, for a ULP that
 * is not traced, when
 *   - initsend: nobody else has the default send buffer, and it has one segment, or two of which it keeps both;
 *   - send: sender and receiver are in the same context and have no handlers. A receiver of this engine that is blocked
 *     in pvm_recv for just this message gets it; one that waits for nothing like it has it appended to its queue; one of
 *     another engine has it put into its inbox, and is woken;
 *   - recv: nothing special about the ULP, and the first message in the queue is it; or there is none at all, and the ULP blocks.
 * Of what other engines sent, deliver_arrived gives a ULP the one message that it waits for, and watch looks whether
 * there is anything.
 * All else it leaves to those, untouched: the functions of namespace `slow` (kernel.ts).
 *
 * Why not TypeScript: a message took 380 ns that way, most of it bounds checks, Atomics (calls in V8) and crossings
 * from wasm to JavaScript; see bench/message.ts. AssemblyScript, compiled by scripts/generate-kernel.ts.
 */
import {
  BTAB_bytes, BTAB_context, BTAB_dst, BTAB_gbid, BTAB_left, BTAB_segment, BTAB_size, BTAB_src, BTAB_tag,
  BTAB_wid, COUNTER_bytes, COUNTER_messages, ENGINE_bell, ENGINE_handoff, ENGINE_idle,
  ENGINE_mail, ENGINE_runHead, ENGINE_running, ENGINE_size, ENGINE_spareCount, ENGINE_spareMessages,
  ENGINE_waitHead, ENGINE_wakes, GBUF_encoding, GBUF_lastAt, GBUF_refs, GBUF_sealedBytes, GBUF_size,
  HEAD_engines, HEAD_enginesAt, HEAD_stop, HEAD_ulpTableAt, INBOX_AWAY, INBOX_CLOSED, LIMIT_bufferKeptBytes,
  LIMIT_messagesPerUlp, LIMIT_spareMessages, LIMIT_ulps, MSG_bytes, MSG_context, MSG_gbid, MSG_lbid, MSG_next,
  MSG_src, MSG_tag, MSG_wid, SEG_capacity, SEG_next, SEG_size, SEG_used, STATE_blocked, STATE_exited,
  STATE_runnable, SUSPEND, ULP_btabAt, ULP_common, ULP_context, ULP_engine, ULP_inbox,
  ULP_inboxCount, ULP_msgqCount, ULP_msgqHead, ULP_msgqTail, ULP_packAt, ULP_packEnd, ULP_queueNext,
  ULP_queuePrev, ULP_rbid, ULP_received, ULP_result, ULP_sbid, ULP_sent, ULP_sgbid, ULP_state, ULP_tid, ULP_traceAt,
  ULP_unpackAt, ULP_unpackEnd, ULP_wait, ULP_waitTag, ULP_waitTid, ULP_waiting, ULP_wakeNext, WAIT_none,
  WAIT_recv,
} from "./layout";

/** Byte address of the engine's row; its index; EngineState.alone and single; HEAD.tidBase. */
// @ts-expect-error: decorator
@external("upvm", "row") declare const row: i32;
// @ts-expect-error: decorator
@external("upvm", "index") declare const index: i32;
// @ts-expect-error: decorator
@external("upvm", "alone") declare const alone: i32;
// @ts-expect-error: decorator
@external("upvm", "single") declare const single: i32;
// @ts-expect-error: decorator
@external("upvm", "tidBase") declare const tidBase: i32;

// @ts-expect-error: decorator
@external("slow", "pvm_initsend") declare function slowInitsend(encoding: i32): i32;
// @ts-expect-error: decorator
@external("slow", "pvm_send") declare function slowSend(tid: i32, tag: i32): i32;
// @ts-expect-error: decorator
@external("slow", "pvm_recv") declare function slowRecv(tid: i32, tag: i32): i32;
// @ts-expect-error: decorator
@external("slow", "new_message") declare function slowNewMessage(): i32;
// @ts-expect-error: decorator
@external("slow", "free_message") declare function slowFreeMessage(at: i32): void;
/** Frees a buffer whose count has become 0. */
// @ts-expect-error: decorator
@external("slow", "gfree") declare function gfree(gbid: i32): void;

/** gbid of a row that is taken, but mapped to nothing. */
const UNMAPPED = -1;

// @ts-expect-error: decorator
@inline function get(base: i32, offset: i32): i32 {
  return load<i32>(<usize>(base + offset));
}
// @ts-expect-error: decorator
@inline function set(base: i32, offset: i32, value: i32): void {
  store<i32>(<usize>(base + offset), value);
}
// @ts-expect-error: decorator
@inline function rowOf(ulp: i32, lbid: i32): i32 {
  return get(ulp, ULP_btabAt) + (lbid - 1) * BTAB_size;
}

/** Gbdesc.gincref: the caller has a reference. A count of 1 that its owner sees is certain (gbdesc.ts). */
// @ts-expect-error: decorator
@inline function gincref(gbid: i32): void {
  const refs = gbid + GBUF_refs;
  if (single || get(refs, 0) == 1) set(refs, 0, get(refs, 0) + 1);
  else atomic.add<i32>(<usize>refs, 1);
}

/** Gbdesc.gdecref: takes the caller's reference. */
// @ts-expect-error: decorator
@inline function gdecref(gbid: i32): void {
  const refs = gbid + GBUF_refs;
  let count = get(refs, 0) - 1;
  if (single || count == 0) set(refs, 0, count);
  else count = atomic.sub<i32>(<usize>refs, 1) - 1;
  if (count == 0) gfree(gbid);
}

/** Adds to a counter of the engine. */
// @ts-expect-error: decorator
@inline function count(counter: i32, n: i32): void {
  const at = <usize>(row + counter);
  store<f64>(at, load<f64>(at) + <f64>n);
}

/** A queue is three words of the row: first, last, count; links are descriptors as word indices (queue.ts). */
// @ts-expect-error: decorator
@inline function append(queue: i32, ulp: i32): void {
  const last = get(row, queue + 4);
  set(ulp, ULP_queuePrev, last);
  set(ulp, ULP_queueNext, 0);
  if (last == 0) set(row, queue, ulp >> 2);
  else set(last << 2, ULP_queueNext, ulp >> 2);
  set(row, queue + 4, ulp >> 2);
  set(row, queue + 8, get(row, queue + 8) + 1);
}
// @ts-expect-error: decorator
@inline function remove(queue: i32, ulp: i32): void {
  const next = get(ulp, ULP_queueNext);
  const prev = get(ulp, ULP_queuePrev);
  if (prev == 0) set(row, queue, next);
  else set(prev << 2, ULP_queueNext, next);
  if (next == 0) set(row, queue + 4, prev);
  else set(next << 2, ULP_queuePrev, prev);
  set(ulp, ULP_queueNext, -1);
  set(row, queue + 8, get(row, queue + 8) - 1);
}

/** Descriptor of a tid, 0 none. */
// @ts-expect-error: decorator
@inline function ulpOfTid(tid: i32): i32 {
  const at = tid - tidBase - 1;
  return <u32>at < <u32>LIMIT_ulps ? get(get(0, HEAD_ulpTableAt), at << 2) : 0;
}

/** Claims to wake a ULP (mailbox.ts, claimWake). */
// @ts-expect-error: decorator
@inline function claimWake(ulp: i32): bool {
  if (!single) return atomic.cmpxchg<i32>(<usize>(ulp + ULP_waiting), 1, 0) == 1;
  if (get(ulp, ULP_waiting) == 0) return false;
  set(ulp, ULP_waiting, 0);
  return true;
}

export function pvm_initsend(encoding: i32): i32 {
  const ulp = get(row, ENGINE_running);
  const lbid = get(ulp, ULP_sbid);
  const gbid = get(ulp, ULP_sgbid);
  if (<u32>encoding > 1 || lbid == 0 || gbid == 0 || get(ulp, ULP_traceAt) != 0) return slowInitsend(encoding);
  const first = gbid + GBUF_size;
  const last = get(gbid, GBUF_lastAt);
  if (get(gbid, GBUF_refs) != 1) return slowInitsend(encoding);
  if (last != first) {
    // Gbdesc.reset
    if (get(first, SEG_next) != last || get(last, SEG_capacity) > LIMIT_bufferKeptBytes) return slowInitsend(encoding);
    set(last, SEG_used, 0);
    set(gbid, GBUF_sealedBytes, 0);
  }
  set(gbid, GBUF_encoding, encoding);
  set(first, SEG_used, 0);
  const at = rowOf(ulp, lbid);
  set(at, BTAB_segment, 0);
  // What pvm_setminfo may have set: src and tag, context and wid, dst.
  store<i64>(<usize>(at + BTAB_src), 0);
  store<i64>(<usize>(at + BTAB_context), 0);
  set(at, BTAB_dst, 0);
  set(ulp, ULP_packAt, last + SEG_size);
  set(ulp, ULP_packEnd, last + SEG_size + get(last, SEG_capacity));
  return lbid;
}

/** True if a receive of the ULP, which waits or not, is for this message. (messages.ts, matches) */
// @ts-expect-error: decorator
@inline function wants(ulp: i32, src: i32, tag: i32): bool {
  const wantTid = get(ulp, ULP_waitTid);
  const wantTag = get(ulp, ULP_waitTag);
  return (wantTid == src || wantTid == -1) && (wantTag == tag || wantTag == -1);
}

/** A message descriptor; 0: the heap is full. */
function newMessage(): i32 {
  const at = get(row, ENGINE_spareMessages);
  if (at == 0) return slowNewMessage();
  set(row, ENGINE_spareMessages, get(at, MSG_next));
  set(row, ENGINE_spareCount, get(row, ENGINE_spareCount) - 1);
  return at;
}

/** Keeps it for the next message, whichever engine it came from: a descriptor goes back with the answer. */
function freeMessage(at: i32): void {
  const kept = get(row, ENGINE_spareCount);
  if (kept >= LIMIT_spareMessages) {
    slowFreeMessage(at);
    return;
  }
  set(at, MSG_next, get(row, ENGINE_spareMessages));
  set(row, ENGINE_spareMessages, at);
  set(row, ENGINE_spareCount, kept + 1);
}

/** Positions.sealSend; bytes of the message. */
// @ts-expect-error: decorator
@inline function seal(ulp: i32, gbid: i32): i32 {
  const last = get(gbid, GBUF_lastAt);
  const used = get(ulp, ULP_packAt) - last - SEG_size;
  set(last, SEG_used, used);
  return get(gbid, GBUF_sealedBytes) + used;
}

/** A message of the default send buffer, which it has a reference to; 0: the heap is full. */
function makeMessage(ulp: i32, gbid: i32, tag: i32, context: i32): i32 {
  const at = newMessage();
  if (at == 0) return 0;
  const bytes = seal(ulp, gbid);
  gincref(gbid);
  set(at, MSG_next, 0);
  set(at, MSG_src, get(ulp, ULP_tid));
  set(at, MSG_tag, tag);
  set(at, MSG_gbid, gbid);
  set(at, MSG_bytes, bytes);
  set(at, MSG_context, context);
  set(at, MSG_lbid, 0);
  set(at, MSG_wid, 0);
  countSent(ulp, bytes);
  return at;
}

// @ts-expect-error: decorator
@inline function countSent(ulp: i32, bytes: i32, messages: i32 = 1): void {
  set(ulp, ULP_sent, get(ulp, ULP_sent) + messages);
  count(COUNTER_messages, messages);
  count(COUNTER_bytes, bytes);
}

/** messages.ts, appendMessage. */
function appendMessage(to: i32, at: i32): void {
  const tail = get(to, ULP_msgqTail);
  set(at, MSG_next, 0);
  if (tail == 0) set(to, ULP_msgqHead, at);
  else set(tail, MSG_next, at);
  set(to, ULP_msgqTail, at);
  set(to, ULP_msgqCount, get(to, ULP_msgqCount) + 1);
}

export function pvm_send(tid: i32, tag: i32): i32 {
  const ulp = get(row, ENGINE_running);
  const to = ulpOfTid(tid);
  const gbid = get(ulp, ULP_sgbid);
  if (tag < 0 || to == 0 || gbid == 0) return slowSend(tid, tag);
  // In the same context, and neither has handlers or the like; also if they are one.
  const context = get(ulp, ULP_common);
  if (context != get(to, ULP_common) || context != get(ulp, ULP_context)) return slowSend(tid, tag);
  if (get(to, ULP_engine) != index) return sendAway(ulp, to, gbid, tid, tag, context);
  if (get(to, ULP_inbox) != 0) return slowSend(tid, tag);
  const mine = get(ulp, ULP_tid);
  const state = get(to, ULP_state);
  if (state != STATE_blocked || !wants(to, mine, tag)) {
    if (state == STATE_exited || get(to, ULP_msgqCount) >= LIMIT_messagesPerUlp) return slowSend(tid, tag);
    const message = makeMessage(ulp, gbid, tag, context);
    if (message == 0) return slowSend(tid, tag);
    appendMessage(to, message);
    return 0;
  }
  const lbid = get(to, ULP_rbid);
  if (get(to, ULP_wait) != WAIT_recv || lbid == 0 || !claimWake(to)) return slowSend(tid, tag);
  const bytes = seal(ulp, gbid);
  gincref(gbid);
  countSent(ulp, bytes);
  receive(to, lbid, gbid, mine, tag, bytes, context);
  unblock(to, lbid);
  return 0;
}

/** Puts an item in front of a list whose first is at `list` and seemed to be `head`. False: it is closed. */
function push(list: usize, item: i32, link: i32, head: i32): bool {
  let expected = head;
  set(item, link, expected);
  let found = atomic.cmpxchg<i32>(list, expected, item);
  while (found != expected) {
    if (found == INBOX_CLOSED || found == INBOX_AWAY) return false;
    expected = found;
    set(item, link, expected);
    found = atomic.cmpxchg<i32>(list, expected, item);
  }
  return true;
}

/** post.ts, postRemote: to a ULP of another engine. */
function sendAway(ulp: i32, to: i32, gbid: i32, tid: i32, tag: i32, context: i32): i32 {
  // Of another process: its row is no engine's.
  if (get(to, ULP_engine) >= get(0, HEAD_engines)) return slowSend(tid, tag);
  const inbox = <usize>(to + ULP_inbox);
  const head = atomic.load<i32>(inbox);
  if (head == INBOX_CLOSED || head == INBOX_AWAY) return slowSend(tid, tag);
  const unread = atomic.load<i32>(<usize>(to + ULP_inboxCount)) + get(to, ULP_msgqCount);
  if (unread >= LIMIT_messagesPerUlp) return slowSend(tid, tag);
  const message = makeMessage(ulp, gbid, tag, context);
  if (message == 0) return slowSend(tid, tag);
  atomic.add<i32>(<usize>(to + ULP_inboxCount), 1);
  if (!push(inbox, message, MSG_next, head)) {
    // It has ended meanwhile, or has left the process.
    atomic.sub<i32>(<usize>(to + ULP_inboxCount), 1);
    const bytes = get(message, MSG_bytes);
    gdecref(gbid);
    freeMessage(message);
    countSent(ulp, -bytes, -1);
    return slowSend(tid, tag);
  }
  if (atomic.load<i32>(<usize>(to + ULP_waiting)) != 1) return 0;
  // It may have taken another context or a handler since: then it looks for itself.
  if (context == get(to, ULP_common) && !wants(to, get(ulp, ULP_tid), tag)) return 0;
  if (!claimWake(to)) return 0;
  pushWake(to);
  return 0;
}

/** mailbox.ts, pushWake and ring. */
function pushWake(ulp: i32): void {
  const engine = get(0, HEAD_enginesAt) + get(ulp, ULP_engine) * ENGINE_size;
  const wakes = <usize>(engine + ENGINE_wakes);
  push(wakes, ulp, ULP_wakeNext, atomic.load<i32>(wakes));
  const idle = <usize>(engine + ENGINE_idle);
  if (atomic.load<i32>(idle) != 1 || atomic.cmpxchg<i32>(idle, 1, 0) != 1) return;
  atomic.add<i32>(<usize>(engine + ENGINE_bell), 1);
  atomic.notify(<usize>(engine + ENGINE_bell));
}

/** blocking.ts, unblock: of a ULP that was in a wait without an end. */
// @ts-expect-error: decorator
@inline function unblock(ulp: i32, result: i32): void {
  set(ulp, ULP_result, result);
  set(ulp, ULP_wait, WAIT_none);
  remove(ENGINE_waitHead, ulp);
  set(ulp, ULP_state, STATE_runnable);
  append(ENGINE_runHead, ulp);
}

/**
 * A claimed, blocked ULP of this engine: if one message has arrived and it waits for that, it becomes runnable. False:
 * see blocking.ts, recheck.
 */
export function deliver_arrived(ulp: i32): bool {
  const lbid = get(ulp, ULP_rbid);
  if (get(ulp, ULP_wait) != WAIT_recv || lbid == 0 || get(ulp, ULP_msgqHead) != 0) return false;
  const context = get(ulp, ULP_context);
  const message = atomic.load<i32>(<usize>(ulp + ULP_inbox));
  if (message == 0 || context != get(ulp, ULP_common) || get(message, MSG_next) != 0) return false;
  const src = get(message, MSG_src);
  const tag = get(message, MSG_tag);
  if (get(message, MSG_context) != context || !wants(ulp, src, tag)) return false;
  // Another may have come in front of it just now.
  if (atomic.cmpxchg<i32>(<usize>(ulp + ULP_inbox), message, 0) != message) return false;
  atomic.sub<i32>(<usize>(ulp + ULP_inboxCount), 1);
  set(ulp, ULP_received, get(ulp, ULP_received) + 1);
  receive(ulp, lbid, get(message, MSG_gbid), src, tag, get(message, MSG_bytes), context);
  if (get(message, MSG_wid) != 0) set(rowOf(ulp, lbid), BTAB_wid, get(message, MSG_wid));
  freeMessage(message);
  unblock(ulp, lbid);
  return true;
}

/** Looks so often whether another thread has put anything here, or the process stops. (idle.ts, hasWork) */
export function watch(looks: i32): bool {
  for (let i = 0; i < looks; i++) {
    const found = atomic.load<i32>(<usize>(row + ENGINE_wakes)) | atomic.load<i32>(<usize>(row + ENGINE_mail));
    if ((found | atomic.load<i32>(HEAD_stop)) != 0) return true;
  }
  return false;
}

/** The message becomes the default receive buffer of `to`, in the row that the last one had (Btab.receive). */
// @ts-expect-error: decorator
@inline function receive(to: i32, lbid: i32, gbid: i32, src: i32, tag: i32, bytes: i32, context: i32): void {
  const at = rowOf(to, lbid);
  const old = get(at, BTAB_gbid);
  if (old != UNMAPPED) gdecref(old);
  set(at, BTAB_gbid, gbid);
  set(at, BTAB_src, src);
  set(at, BTAB_tag, tag);
  set(at, BTAB_bytes, bytes);
  // And wid, the word behind it: none.
  store<i64>(<usize>(at + BTAB_context), <i64><u32>context);
  set(at, BTAB_dst, 0);
  // Positions.begin: the first segment is empty only if the message is, or its first item was larger than it.
  let segment = gbid + GBUF_size;
  let here = get(segment, SEG_used);
  while (here == 0 && bytes > 0) {
    segment = get(segment, 0);
    here = get(segment, SEG_used);
  }
  set(at, BTAB_segment, segment);
  set(at, BTAB_left, bytes);
  set(to, ULP_unpackAt, segment + SEG_size);
  set(to, ULP_unpackEnd, segment + SEG_size + min(here, bytes));
}

export function pvm_recv(tid: i32, tag: i32): i32 {
  const ulp = get(row, ENGINE_running);
  const source = tid == -1 ? 0 : ulpOfTid(tid);
  if (tag < -1 || (tid != -1 && source == 0)) return slowRecv(tid, tag);
  const head = get(ulp, ULP_msgqHead);
  if (head != 0) return takeFirst(ulp, head, tid, tag);
  // It may have left PVM, and joins it again by this; or it is traced.
  if (get(ulp, ULP_common) != get(ulp, ULP_context)) return slowRecv(tid, tag);
  set(ulp, ULP_wait, WAIT_recv);
  set(ulp, ULP_waitTid, tid);
  set(ulp, ULP_waitTag, tag);
  if (single) set(ulp, ULP_waiting, 1);
  else atomic.store<i32>(<usize>(ulp + ULP_waiting), 1);
  // A message from elsewhere that came before `waiting` was set: nobody else will wake us for it.
  if (!alone && atomic.load<i32>(<usize>(ulp + ULP_inbox)) != 0 && claimWake(ulp)) {
    set(ulp, ULP_wait, WAIT_none);
    return slowRecv(tid, tag);
  }
  // The receive will free the buffer that it replaces: sooner, its sender can use it again.
  const lbid = get(ulp, ULP_rbid);
  if (lbid != 0) {
    const at = rowOf(ulp, lbid);
    const old = get(at, BTAB_gbid);
    if (old != UNMAPPED && lbid != get(ulp, ULP_sbid)) {
      set(at, BTAB_gbid, UNMAPPED);
      gdecref(old);
    }
  }
  set(ulp, ULP_state, STATE_blocked);
  append(ENGINE_waitHead, ulp);
  if (source != 0 && get(source, ULP_engine) == index && get(source, ULP_state) == STATE_runnable) {
    set(row, ENGINE_handoff, source >> 2);
  }
  return SUSPEND;
}

/** pvm_recv when the queue has messages: takes the first if it is for this receive. */
function takeFirst(ulp: i32, message: i32, tid: i32, tag: i32): i32 {
  const lbid = get(ulp, ULP_rbid);
  const context = get(ulp, ULP_context);
  const src = get(message, MSG_src);
  const messageTag = get(message, MSG_tag);
  if (
    (tid != src && tid != -1) || (tag != messageTag && tag != -1) || context != get(message, MSG_context) ||
    context != get(ulp, ULP_common) || lbid == 0 || get(message, MSG_lbid) != 0
  ) return slowRecv(tid, tag);
  const next = get(message, MSG_next);
  set(ulp, ULP_msgqHead, next);
  if (next == 0) set(ulp, ULP_msgqTail, 0);
  set(ulp, ULP_msgqCount, get(ulp, ULP_msgqCount) - 1);
  set(ulp, ULP_received, get(ulp, ULP_received) + 1);
  receive(ulp, lbid, get(message, MSG_gbid), src, messageTag, get(message, MSG_bytes), context);
  if (get(message, MSG_wid) != 0) set(rowOf(ulp, lbid), BTAB_wid, get(message, MSG_wid));
  freeMessage(message);
  return lbid;
}
