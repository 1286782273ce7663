/**
 * What a message tells of itself: pvm_getminfo, setminfo; and messages in messages: pkmesg, pkmesgbody, upkmesg.
 *
 * Owns: the layout of `struct pvmminfo`, and that of a message in a message:
 *
 *     0 bytes | 4 context | 8 tag | 12 wait id | 16 encoding | 20 source | 24 destination | 28 its bytes …
 *
 * As in PVM 3.4.6 a send overwrites tag, context, source and destination with its own, and takes the wait id along. The
 * errors of pkmesg, pkmesgbody and upkmesg are not printed, whatever PvmAutoErr is.
 */
import { BTAB, GBUF, SEG, ULP } from "../../wire/layout.ts";
import { MORE_USE } from "../../wire/more.ts";
import { HOST_SIGNATURE, PVM_CONSTANT, PVM_ENCODING, PVM_ERROR, type PvmErrorName } from "../../wire/pvm.ts";
import { SEG_HEADER_BYTES } from "../heap/gbdesc.ts";
import { rowOf } from "../heap/positions.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { needMore, setUse } from "../scheduler/more.ts";
import { fail, remember } from "./errors.ts";
import { currentContext } from "./guest.ts";

/** Words of struct pvmminfo. */
const INFO = { len: 0, ctx: 1, tag: 2, wid: 3, enc: 4, crc: 5, src: 6, dst: 7, words: 8 } as const;
/** Words before a message in a message. */
const NESTED = { bytes: 0, context: 1, tag: 2, wid: 3, encoding: 4, src: 5, dst: 6, words: 7 } as const;
const NESTED_BYTES = NESTED.words * 4;

/** PVM's number for the encoding of a buffer: what was received raw has the data format of its sender. */
function encodingOf(e: EngineState, lbid: number): number {
  const { w, btab, current: ulp } = e;
  const encoding = w[(btab.btgetgbid(ulp, lbid) >> 2) + GBUF.encoding]!;
  if (encoding === PVM_CONSTANT.PvmDataDefault) return PVM_ENCODING.xdr;
  return encoding === PVM_CONSTANT.PvmDataInPlace ? PVM_ENCODING.inPlace : HOST_SIGNATURE;
}

function headerCalls(e: EngineState) {
  const { w, btab } = e;
  const info = (name: string, lbid: number, at: number): number => {
    if (lbid <= 0) return fail(e, name, "PvmBadParam");
    if (btab.btgetgbid(e.current, lbid) === 0) return fail(e, name, "PvmNoSuchBuf");
    const covered = at !== 0 && currentContext(e).covers(at >>> 0, INFO.words * 4);
    return covered ? PVM_ERROR.PvmOk.code : fail(e, name, "PvmBadParam");
  };
  return {
    pvm_getminfo(lbid: number, at: number): number {
      const code = info("pvm_getminfo", lbid, at);
      if (code < 0) return code;
      const { current: ulp } = e;
      const row = rowOf(w, ulp, lbid);
      const words = new Int32Array(INFO.words);
      words[INFO.len] = btab.bytes(ulp, lbid);
      words[INFO.ctx] = w[row + BTAB.context]!;
      words[INFO.tag] = w[row + BTAB.tag]!;
      words[INFO.wid] = w[row + BTAB.wid]!;
      words[INFO.enc] = encodingOf(e, lbid);
      words[INFO.src] = btab.source(ulp, lbid);
      words[INFO.dst] = btab.destination(ulp, lbid);
      const { view } = currentContext(e);
      words.forEach((word, i) => {
        view.setInt32((at >>> 0) + 4 * i, word, true);
      });
      return code;
    },
    /** Length, encoding and checksum cannot be set, and are ignored. */
    pvm_setminfo(lbid: number, at: number): number {
      const code = info("pvm_setminfo", lbid, at);
      if (code < 0) return code;
      const { current: ulp } = e;
      const { view } = currentContext(e);
      const word = (i: number) => view.getInt32((at >>> 0) + 4 * i, true);
      if (word(INFO.wid) !== 0) {
        // The short way of a message has none.
        if (needMore(e, ulp) === 0) return fail(e, "pvm_setminfo", "PvmNoMem");
        setUse(w, ulp, MORE_USE.wid, true);
      }
      const row = rowOf(w, ulp, lbid);
      w[row + BTAB.context] = word(INFO.ctx);
      w[row + BTAB.tag] = word(INFO.tag);
      w[row + BTAB.wid] = word(INFO.wid);
      w[row + BTAB.src] = word(INFO.src);
      w[row + BTAB.dst] = word(INFO.dst);
      return code;
    },
  };
}

/** Stores ints of a message, little-endian whatever the machine. */
function putWords(e: EngineState, at: number, words: readonly number[]): void {
  const view = new DataView(e.heap.u8.buffer, e.heap.u8.byteOffset + at, words.length * 4);
  words.forEach((word, i) => {
    view.setInt32(4 * i, word, true);
  });
}

function nestedCalls(e: EngineState) {
  const { w, btab, pack, gb } = e;
  const refuse = (error: PvmErrorName): number => remember(e, PVM_ERROR[error].code);
  /** Whether a buffer can be packed into the default send buffer: PvmOk or the error. */
  const packable = (lbid: number): number => {
    const { current: ulp } = e;
    if (lbid <= 0) return refuse("PvmBadParam");
    if (btab.btgetgbid(ulp, lbid) === 0) return refuse("PvmNoSuchBuf");
    const sbid = btab.btgetsbid(ulp);
    if (sbid === 0) return refuse("PvmNoBuf");
    return sbid === lbid ? refuse("PvmBadParam") : PVM_ERROR.PvmOk.code;
  };
  /** Copies a buffer to the end of the default send buffer, behind `words`. */
  const append = (lbid: number, words: readonly number[]): number => {
    const { current: ulp } = e;
    const bytes = btab.bytes(ulp, lbid);
    const room = pack.packRoom(ulp, words.length * 4 + bytes);
    if (room < 0) return remember(e, room);
    const to = w[ulp + ULP.packAt]!;
    putWords(e, to, words);
    if (bytes > 0) gb.read(btab.btgetgbid(ulp, lbid), 0, e.heap.u8, to + words.length * 4, bytes);
    w[ulp + ULP.packAt] = to + words.length * 4 + bytes;
    return PVM_ERROR.PvmOk.code;
  };
  return {
    pvm_pkmesg(lbid: number): number {
      const code = packable(lbid);
      if (code < 0) return code;
      const { current: ulp } = e;
      const row = rowOf(w, ulp, lbid);
      return append(lbid, [
        btab.bytes(ulp, lbid),
        w[row + BTAB.context]!,
        w[row + BTAB.tag]!,
        w[row + BTAB.wid]!,
        encodingOf(e, lbid),
        btab.source(ulp, lbid),
        btab.destination(ulp, lbid),
      ]);
    },
    /** Its bytes alone; both buffers have the same encoding. */
    pvm_pkmesgbody(lbid: number): number {
      const code = packable(lbid);
      if (code < 0) return code;
      const { current: ulp } = e;
      if (encodingOf(e, lbid) !== encodingOf(e, btab.btgetsbid(ulp))) return refuse("PvmMismatch");
      return append(lbid, []);
    },
    /** @returns bufid of the message that comes next in the default receive buffer, which stays that */
    pvm_upkmesg(): number {
      const { current: ulp } = e;
      const head = new Uint8Array(NESTED_BYTES);
      const code = pack.unpack(ulp, head, 0, 4, NESTED.words, 1);
      if (code < 0) return remember(e, code);
      const view = new DataView(head.buffer);
      const word = (i: number) => view.getInt32(4 * i, true);
      const lbid = unpackBuffer(e, word(NESTED.bytes), word(NESTED.encoding));
      if (lbid < 0) return remember(e, lbid);
      const row = rowOf(w, ulp, lbid);
      w[row + BTAB.bytes] = word(NESTED.bytes);
      w[row + BTAB.context] = word(NESTED.context);
      w[row + BTAB.tag] = word(NESTED.tag);
      w[row + BTAB.wid] = word(NESTED.wid);
      w[row + BTAB.src] = word(NESTED.src);
      w[row + BTAB.dst] = word(NESTED.dst);
      return lbid;
    },
  };
}

/** The next `bytes` of the default receive buffer as a buffer of their own. @returns its local id; PvmNoData, PvmNoMem */
function unpackBuffer(e: EngineState, bytes: number, encoding: number): number {
  const { btab, gb, pack, current: ulp, w } = e;
  const { PvmDataDefault, PvmDataRaw } = PVM_CONSTANT;
  if (bytes < 0 || e.btab.positions.unread(ulp) < bytes) return PVM_ERROR.PvmNoData.code;
  const lbid = btab.make(ulp, encoding === PVM_ENCODING.xdr ? PvmDataDefault : PvmDataRaw);
  if (lbid < 0 || bytes === 0) return lbid;
  const segment = gb.addSegment(btab.btgetgbid(ulp, lbid), bytes);
  if (segment === 0) {
    btab.free(ulp, lbid);
    return PVM_ERROR.PvmNoMem.code;
  }
  pack.unpack(ulp, e.heap.u8, segment + SEG_HEADER_BYTES, 1, bytes, 1);
  w[(segment >> 2) + SEG.used] = bytes;
  return lbid;
}

export const messageCalls = (e: EngineState) => ({ ...headerCalls(e), ...nestedCalls(e) });
