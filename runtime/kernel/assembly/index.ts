/**
 * The short way of a message: pvm_initsend, pvm_send and pvm_recv in the commonest case, as wasm.
 *
 * One instance for each engine; guests import its functions directly, wasm to wasm. It does what
 * runtime/pvm/buffers.ts, send.ts and receive.ts do, on the same words of the process heap, when
 *   - initsend: nobody else has the default send buffer, and it has one segment, or two of which it keeps both;
 *   - send: the receiver is on this engine and blocked in pvm_recv for just this message, in the same context;
 *   - recv: no message has arrived: the ULP blocks.
 * All else it leaves to those, untouched: the functions of namespace `slow` (kernel.ts).
 *
 * Why not TypeScript: a message took 380 ns that way, most of it bounds checks, Atomics (calls in V8) and crossings
 * from wasm to JavaScript; see bench/message.ts. AssemblyScript, compiled by scripts/generate-kernel.ts.
 */
import {
  BTAB_bytes, BTAB_context, BTAB_dst, BTAB_gbid, BTAB_left, BTAB_segment, BTAB_size, BTAB_src, BTAB_tag, COUNTER_bytes, COUNTER_messages,
  ENGINE_blocked, ENGINE_handoff, ENGINE_runHead, ENGINE_runnable, ENGINE_running, ENGINE_waitHead, GBUF_encoding, GBUF_lastAt, GBUF_refs,
  GBUF_sealedBytes, GBUF_size, HEAD_ulpTableAt, LIMIT_bufferKeptBytes, LIMIT_ulps, SEG_capacity, SEG_next, SEG_size, SEG_used, STATE_blocked, STATE_runnable,
  STATE_running, SUSPEND, TID_BASE, ULP_btabAt, ULP_common, ULP_engine, ULP_inbox, ULP_msgqHead, ULP_packAt, ULP_packEnd, ULP_queueNext,
  ULP_queuePrev, ULP_rbid, ULP_result, ULP_sbid, ULP_sent, ULP_sgbid, ULP_state, ULP_tid, ULP_unpackAt, ULP_unpackEnd,
  ULP_wait, ULP_waiting, ULP_waitTag, ULP_waitTid, WAIT_none, WAIT_recv,
} from "./layout";

/** Byte address of the engine's row; its index; 1 if there is no other engine. */
// @ts-expect-error: decorator
@external("upvm", "row") declare const row: i32;
// @ts-expect-error: decorator
@external("upvm", "index") declare const index: i32;
// @ts-expect-error: decorator
@external("upvm", "alone") declare const alone: i32;

// @ts-expect-error: decorator
@external("slow", "pvm_initsend") declare function slowInitsend(encoding: i32): i32;
// @ts-expect-error: decorator
@external("slow", "pvm_send") declare function slowSend(tid: i32, tag: i32): i32;
// @ts-expect-error: decorator
@external("slow", "pvm_recv") declare function slowRecv(tid: i32, tag: i32): i32;
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
  if (alone || get(refs, 0) == 1) set(refs, 0, get(refs, 0) + 1);
  else atomic.add<i32>(<usize>refs, 1);
}

/** Gbdesc.gdecref: takes the caller's reference. */
// @ts-expect-error: decorator
@inline function gdecref(gbid: i32): void {
  const refs = gbid + GBUF_refs;
  let count = get(refs, 0) - 1;
  if (alone || count == 0) set(refs, 0, count);
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
  const at = tid - TID_BASE - 1;
  return <u32>at < <u32>LIMIT_ulps ? get(get(0, HEAD_ulpTableAt), at << 2) : 0;
}

/** Claims to wake a ULP (mailbox.ts, claimWake). */
// @ts-expect-error: decorator
@inline function claimWake(ulp: i32): bool {
  if (!alone) return atomic.cmpxchg<i32>(<usize>(ulp + ULP_waiting), 1, 0) == 1;
  if (get(ulp, ULP_waiting) == 0) return false;
  set(ulp, ULP_waiting, 0);
  return true;
}

export function pvm_initsend(encoding: i32): i32 {
  const ulp = get(row, ENGINE_running);
  const lbid = get(ulp, ULP_sbid);
  const gbid = get(ulp, ULP_sgbid);
  if (<u32>encoding > 2 || lbid == 0 || gbid == 0) return slowInitsend(encoding);
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

export function pvm_send(tid: i32, tag: i32): i32 {
  const ulp = get(row, ENGINE_running);
  const to = ulpOfTid(tid);
  const gbid = get(ulp, ULP_sgbid);
  if (tag < 0 || to == 0 || gbid == 0 || get(to, ULP_engine) != index) return slowSend(tid, tag);
  // In the same context, and neither has handlers or the like.
  const context = get(ulp, ULP_common);
  if (context != get(to, ULP_common)) return slowSend(tid, tag);
  const mine = get(ulp, ULP_tid);
  const wantTid = get(to, ULP_waitTid);
  const wantTag = get(to, ULP_waitTag);
  if (
    get(to, ULP_state) != STATE_blocked || get(to, ULP_wait) != WAIT_recv || (wantTid != mine && wantTid != -1) ||
    (wantTag != tag && wantTag != -1) || get(to, ULP_inbox) != 0
  ) return slowSend(tid, tag);
  const lbid = get(to, ULP_rbid);
  if (lbid == 0 || !claimWake(to)) return slowSend(tid, tag);
  const last = get(gbid, GBUF_lastAt);
  const used = get(ulp, ULP_packAt) - last - SEG_size;
  set(last, SEG_used, used);
  const bytes = get(gbid, GBUF_sealedBytes) + used;
  gincref(gbid);
  set(ulp, ULP_sent, get(ulp, ULP_sent) + 1);
  count(COUNTER_messages, 1);
  count(COUNTER_bytes, bytes);
  receive(to, lbid, gbid, mine, tag, bytes, context);
  set(to, ULP_result, lbid);
  set(to, ULP_wait, WAIT_none);
  remove(ENGINE_waitHead, to);
  set(to, ULP_state, STATE_runnable);
  append(ENGINE_runHead, to);
  return 0;
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
  if (tag < -1 || (tid != -1 && source == 0) || get(ulp, ULP_msgqHead) != 0) return slowRecv(tid, tag);
  set(ulp, ULP_wait, WAIT_recv);
  set(ulp, ULP_waitTid, tid);
  set(ulp, ULP_waitTag, tag);
  if (alone) set(ulp, ULP_waiting, 1);
  else {
    atomic.store<i32>(<usize>(ulp + ULP_waiting), 1);
    // A message from another engine that came before `waiting` was set: nobody else will wake us for it.
    if (atomic.load<i32>(<usize>(ulp + ULP_inbox)) != 0 && claimWake(ulp)) {
      set(ulp, ULP_wait, WAIT_none);
      return slowRecv(tid, tag);
    }
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
