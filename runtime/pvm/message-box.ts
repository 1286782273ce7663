/**
 * The message box, as a program sees it: putinfo, recvinfo, delinfo, getmboxinfo; insert, lookup, delete.
 *
 * Owns: the checks, and the way of a message out of a buffer and into one. The entries are pvmd/message-box.ts.
 * What is read becomes the default receive buffer, as with pvm_recv: its tag is 0, its source who put it.
 */
import { GBUF } from "../../wire/layout.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { fillMessage } from "../scheduler/messages.ts";
import { newBuffer } from "../scheduler/outside.ts";
import { ask, type Continuation } from "./ask.ts";
import { check, fail, note } from "./errors.ts";
import { cText, currentContext, isPlace, putInt } from "./guest.ts";

const { PvmNotFound, PvmNoMem } = PVM_ERROR;
/** Ints of a row of pvm_mboxinfo_get: class, index, owner, flags. */
const MBOX_ROW_INTS = 4;

/** A name, which must not be empty. */
function nameAt(e: EngineState, at: number): string | undefined {
  const name = at === 0 ? undefined : cText(e, at);
  return name === "" ? undefined : name;
}

/** Bytes of a buffer; borrows it. Undefined: no such buffer. */
function contentOf(e: EngineState, bufid: number): { encoding: number; data: Uint8Array } | undefined {
  const { btab, w, current: ulp } = e;
  const gbid = btab.btgetgbid(ulp, bufid);
  const bytes = gbid > 0 ? btab.bytes(ulp, bufid) : -1;
  if (bytes < 0) return undefined;
  const data = new Uint8Array(bytes);
  if (bytes > 0) e.pack.copyOut(gbid, 0, data, 0, bytes);
  return { encoding: w[(gbid >> 2) + GBUF.encoding]!, data };
}

export function messageBoxCalls(e: EngineState) {
  return {
    pvm_putinfo(name: number, bufid: number, flags: number): number {
      const text = nameAt(e, name);
      if (text === undefined || bufid <= 0) return fail(e, "pvm_putinfo", "PvmBadParam");
      const content = contentOf(e, bufid);
      if (content === undefined) return fail(e, "pvm_putinfo", "PvmNoSuchBuf");
      return ask(e, "putinfo", { name: text, flags, ...content });
    },
    pvm_recvinfo(name: number, index: number, flags: number): number {
      const text = nameAt(e, name);
      if (text === undefined || index < 0) return fail(e, "pvm_recvinfo", "PvmBadParam");
      return ask(e, "recvinfo", { name: text, index, flags });
    },
    pvm_delinfo(name: number, index: number, _flags: number): number {
      const text = nameAt(e, name);
      if (text === undefined || index < 0) return fail(e, "pvm_delinfo", "PvmBadParam");
      return ask(e, "delinfo", { name: text, index });
    },
    pvm_mboxinfo_get(
      pattern: number,
      rows: number,
      capacity: number,
      names: number,
      bytes: number,
      sizes: number,
    ): number {
      const text = pattern === 0 ? "" : cText(e, pattern);
      const room = Math.max(0, capacity);
      const places =
        isPlace(e, rows, 4 * MBOX_ROW_INTS * room) &&
        isPlace(e, names, Math.max(0, bytes)) &&
        isPlace(e, sizes, 8);
      if (text === undefined || !places) return fail(e, "pvm_getmboxinfo", "PvmBadParam");
      return ask(e, "mboxinfo", { pattern: text }, [rows, room, names, bytes, sizes]);
    },
    pvm_insert(name: number, req: number, data: number): number {
      const text = nameAt(e, name);
      if (text === undefined || req < -1) return fail(e, "pvm_insert", "PvmBadParam");
      return ask(e, "insert", { name: text, req, data });
    },
    pvm_lookup(name: number, req: number, datap: number): number {
      const text = nameAt(e, name);
      if (text === undefined || req < -1 || !isPlace(e, datap, 4))
        return fail(e, "pvm_lookup", "PvmBadParam");
      return ask(e, "lookup", { name: text, req }, [datap]);
    },
    pvm_delete(name: number, req: number): number {
      const text = nameAt(e, name);
      if (text === undefined || req < 0) return fail(e, "pvm_delete", "PvmBadParam");
      return ask(e, "delete", { name: text, req });
    },
  };
}

/** PvmNotFound is an answer, not a mistake: PVM prints nothing. */
function unlessMissing(e: EngineState, routine: string, value: number): number {
  return value === PvmNotFound.code ? note(e, value) : check(e, routine, value);
}

/** The message becomes the default receive buffer; the one there was is freed. */
export const recvinfoAnswered: Continuation = (e, { value, ints, bytes }) => {
  if (value < 0) return unlessMissing(e, "pvm_recvinfo", value);
  const data = bytes ?? new Uint8Array();
  const gbid = newBuffer(e, value, data);
  if (gbid === 0) return check(e, "pvm_recvinfo", PvmNoMem.code);
  fillMessage(e.w, e.directAt, ints?.[0] ?? 0, 0, gbid, data.length, 0, 0);
  const lbid = e.btab.receive(e.current, e.directAt);
  if (lbid < 0) e.gb.gdecref(gbid);
  return check(e, "pvm_recvinfo", lbid);
};

export const lookupAnswered: Continuation = (e, { value, ints }, [datap]) => {
  if (value < 0) return unlessMissing(e, "pvm_lookup", value);
  putInt(e, datap!, ints?.[0] ?? 0);
  return value;
};

export const deleteAnswered: Continuation = (e, { value }) => unlessMissing(e, "pvm_delete", value);

export const mboxinfoAnswered: Continuation = (e, { value, ints, texts }, keep) => {
  if (value < 0) return check(e, "pvm_getmboxinfo", value);
  const [rows, capacity, names, room, sizes] = keep as [number, number, number, number, number];
  const words = ints ?? [];
  const text = new TextEncoder().encode((texts ?? []).map((name) => `${name}\0`).join(""));
  words.slice(0, rows === 0 ? 0 : capacity * MBOX_ROW_INTS).forEach((word, i) => {
    putInt(e, rows + 4 * i, word);
  });
  if (names !== 0) currentContext(e).bytes.set(text.subarray(0, Math.max(0, room)), names >>> 0);
  putInt(e, sizes, words.length / MBOX_ROW_INTS);
  if (sizes !== 0) putInt(e, sizes + 4, text.length);
  return value;
};
