/**
 * PvmDataInPlace: a send buffer keeps where its data is; each send reads it there, and so sends what is there then.
 *
 * Owns: the list of places of such a buffer (BTAB.placesAt), and gathering them. What a receiver gets is a raw message
 * like any other. As PVM 3.4.6: only stride 1, no strings and no messages, else PvmNotImpl; the buffer itself has no
 * length. The list is a block of the process heap: how many, room for how many, and rows of three words.
 */
import { BLOCK_KIND, BTAB, GBUF, ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { PVM_CONSTANT, PVM_ERROR } from "../../wire/pvm.ts";
import { rowOf } from "../heap/positions.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { currentContext } from "./guest.ts";

const { PvmBadParam, PvmNoMem, PvmNotImpl, PvmOk } = PVM_ERROR;
const LIST = { count: 0, room: 1, rows: 2 } as const;
/** Guest address, items, and bytes of one; C's longs are 4 bytes and get 8 in the message: SIGNED, UNSIGNED. */
const PLACE = { at: 0, items: 1, itemBytes: 2, words: 3 } as const;
const FIRST_ROOM = 8;
/** Of a place of C's longs, in place of an item's bytes. */
export const SIGNED_LONG = -1;
export const UNSIGNED_LONG = -2;

/** True if the default send buffer keeps places. */
export function isInPlace(e: EngineState): boolean {
  const { w, btab, current: ulp } = e;
  if (w[ulp + ULP.packAt] !== 0) return false;
  const gbid = btab.btgetsgbid(ulp);
  if (gbid === 0 || w[(gbid >> 2) + GBUF.encoding] !== PVM_CONSTANT.PvmDataInPlace) return false;
  return w[rowOf(w, ulp, w[ulp + ULP.sbid]!) + BTAB.bytes]! < 0;
}

/** Notes where `items` items are. @returns PvmOk or PVM's error */
export function addPlace(
  e: EngineState,
  at: number,
  items: number,
  stride: number,
  itemBytes: number,
): number {
  if (items < 0) return PvmBadParam.code;
  if (items === 0) return PvmOk.code;
  if (stride !== 1) return PvmNotImpl.code;
  if (!currentContext(e).covers(at >>> 0, items * (itemBytes < 0 ? 4 : itemBytes))) return PvmBadParam.code;
  const list = roomForOne(e);
  if (list === 0) return PvmNoMem.code;
  const { w } = e;
  const place = list + LIST.rows + w[list + LIST.count]! * PLACE.words;
  w[place + PLACE.at] = at;
  w[place + PLACE.items] = items;
  w[place + PLACE.itemBytes] = itemBytes;
  w[list + LIST.count] = w[list + LIST.count]! + 1;
  return PvmOk.code;
}

/** Word index of the list, with room for one more place; 0: LIMITS.placesPerBuffer, or the heap is full. */
function roomForOne(e: EngineState): number {
  const { w, current: ulp } = e;
  const word = rowOf(w, ulp, w[ulp + ULP.sbid]!) + BTAB.placesAt;
  const list = w[word]! >> 2;
  const room = list === 0 ? 0 : w[list + LIST.room]!;
  if (list !== 0 && w[list + LIST.count]! < room) return list;
  const more = room === 0 ? FIRST_ROOM : Math.min(2 * room, LIMITS.placesPerBuffer);
  if (more === room) return 0;
  const at = e.arena.hrealloc(w[word]!, (LIST.rows + more * PLACE.words) * 4, BLOCK_KIND.more);
  if (at === 0) return 0;
  w[word] = at;
  if (room === 0) w[(at >> 2) + LIST.count] = 0;
  w[(at >> 2) + LIST.room] = more;
  return at >> 2;
}

/**
 * Gathers the default send buffer, which keeps places, and lets `send` have it as a raw one.
 *
 * @returns what `send` returns; PvmNoMem, or PvmBadParam if a place is not in the memory
 */
export function gathered(e: EngineState, send: () => number): number {
  const { w, btab, pack, current: ulp } = e;
  const list = w[rowOf(w, ulp, w[ulp + ULP.sbid]!) + BTAB.placesAt]! >> 2;
  const wid = btab.sendWid(ulp);
  const raw = btab.make(ulp, PVM_CONSTANT.PvmDataRaw);
  if (raw < 0) return raw;
  const before = btab.btsetsbid(ulp, raw);
  w[rowOf(w, ulp, raw) + BTAB.wid] = wid;
  const context = currentContext(e);
  context.look();
  let code: number = PvmOk.code;
  for (let i = 0; list !== 0 && i < w[list + LIST.count]! && code >= 0; i++) {
    const place = list + LIST.rows + i * PLACE.words;
    const [at, items, bytes] = [w[place]! >>> 0, w[place + PLACE.items]!, w[place + PLACE.itemBytes]!];
    code =
      bytes < 0
        ? pack.packLong(ulp, context.bytes, at, items, 1, bytes === SIGNED_LONG)
        : pack.pack(ulp, context.bytes, at, bytes, items, 1);
  }
  const result = code < 0 ? code : send();
  btab.btsetsbid(ulp, before);
  btab.free(ulp, raw);
  return result;
}
