/**
 * Message buffers, as a program handles them: initsend, mkbuf, freebuf, default buffers, bufinfo.
 *
 * Owns: the checks and PVM's answers to misuse. The tables are runtime/heap/btab.ts.
 * Source: manual pages of PVM 3.4.6, and what its library answers (test/unit/pvm-buffers.test.ts).
 */
import { MSG, ULP, ULP_FLAG } from "../../wire/layout.ts";
import { isEncoding } from "../../wire/pvm.ts";
import { rowOf } from "../heap/positions.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { dropMessage, findProbed, removeMessage } from "../scheduler/messages.ts";
import type { UlpAt } from "../scheduler/state.ts";
import { check, fail } from "./errors.ts";
import { isPlace, putInt } from "./guest.ts";

/** Message that `lbid` is the pvm_probe id of, 0 none. */
function probedMessage(e: EngineState, lbid: number): number {
  if (lbid === 0 || (e.w[e.current + ULP.flags]! & ULP_FLAG.probed) === 0) return 0;
  return findProbed(e.w, e.current, lbid);
}

export function bufferCalls(e: EngineState) {
  const { w, btab } = e;
  return {
    pvm_initsend(encoding: number): number {
      if (!isEncoding(encoding)) {
        fail(e, "pvm_mkbuf", "PvmBadParam");
        return fail(e, "pvm_initsend", "PvmBadParam");
      }
      const lbid = btab.initSend(e.current, encoding);
      return lbid < 0 ? check(e, "pvm_initsend", lbid) : lbid;
    },
    pvm_mkbuf(encoding: number): number {
      if (!isEncoding(encoding)) return fail(e, "pvm_mkbuf", "PvmBadParam");
      return check(e, "pvm_mkbuf", btab.make(e.current, encoding));
    },
    /**
     * 0 is no buffer and no error. The id of a message that pvm_probe found: the message is destroyed, as in
     * PVM.
     */
    pvm_freebuf(bufid: number): number {
      if (bufid < 0) return fail(e, "pvm_freebuf", "PvmBadParam");
      if (bufid === 0) return 0;
      const message = probedMessage(e, bufid);
      if (message !== 0) {
        removeMessage(w, e.current, message);
        dropMessage(w, e.arena, e.gb, message);
      }
      return check(e, "pvm_freebuf", btab.free(e.current, bufid));
    },
    pvm_getsbuf(): number {
      return btab.btgetsbid(e.current);
    },
    pvm_getrbuf(): number {
      return btab.btgetrbid(e.current);
    },
    pvm_setsbuf(bufid: number): number {
      if (bufid < 0) return fail(e, "pvm_setsbuf", "PvmBadParam");
      receiveProbed(e, bufid);
      return check(e, "pvm_setsbuf", btab.btsetsbid(e.current, bufid));
    },
    pvm_setrbuf(bufid: number): number {
      if (bufid < 0) return fail(e, "pvm_setrbuf", "PvmBadParam");
      receiveProbed(e, bufid);
      return check(e, "pvm_setrbuf", btab.btsetrbid(e.current, bufid));
    },
    pvm_bufinfo(bufid: number, bytes: number, tag: number, tid: number): number {
      if (bufid <= 0) return fail(e, "pvm_bufinfo", "PvmBadParam");
      const length = btab.bytes(e.current, bufid);
      if (length < 0) return check(e, "pvm_bufinfo", length);
      if (!isPlace(e, bytes, 4) || !isPlace(e, tag, 4) || !isPlace(e, tid, 4))
        return fail(e, "pvm_bufinfo", "PvmBadParam");
      putInt(e, bytes, length);
      putInt(e, tag, btab.tag(e.current, bufid));
      putInt(e, tid, btab.source(e.current, bufid));
      return 0;
    },
  };
}

/**
 * A message that pvm_probe found becomes a default buffer: that receives it, out of order. (PVM leaves it in
 * the queue, where the next receive destroys it.)
 */
function receiveProbed(e: EngineState, lbid: number): void {
  const message = probedMessage(e, lbid);
  if (message === 0) return;
  removeMessage(e.w, e.current, message);
  e.w[(message >> 2) + MSG.lbid] = 0;
  // Its local id keeps a reference to the buffer; this is the message's own.
  dropMessage(e.w, e.arena, e.gb, message);
}

/** Local id of a message that stays in the queue; the same one each time. */
export function probe(e: EngineState, ulp: UlpAt, message: number): number {
  const w = e.w;
  const m = message >> 2;
  if (w[m + MSG.lbid] !== 0) return w[m + MSG.lbid]!;
  const lbid = e.btab.btbidNew(ulp);
  if (lbid < 0) return lbid;
  e.gb.gincref(w[m + MSG.gbid]!);
  e.btab.btsetgbid(ulp, lbid, w[m + MSG.gbid]!);
  const row = rowOf(e.w, ulp, lbid);
  e.btab.setMessage(row, m);
  w[m + MSG.lbid] = lbid;
  w[ulp + ULP.flags] = w[ulp + ULP.flags]! | ULP_FLAG.probed;
  return lbid;
}
