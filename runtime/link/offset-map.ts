/**
 * Custom section `upvm.offsets`: where the code of a linked module was in the module that it was made from.
 *
 * Owns: the section's format, version 1. The link step writes it, the symbolizer reads it. Both offsets count from
 * the start of their wasm file, as V8 reports them in a stack trace.
 *
 *     uleb version (1) · uleb offset of the original code section's contents · uleb count of pairs · pairs
 *     pair: uleb (distance to the last pair's linked offset) * 2 + (1: made by the link step, 0: has an origin)
 *           sleb (distance to the last original offset that was not 0), only if it has an origin
 *
 * Distances are small, so most pairs take two or three bytes.
 */
import { decoded } from "./dwarf-reader.ts";
import { ByteReader, ByteWriter, WasmFormatError } from "./wasm/bytes.ts";

const VERSION = 1;

/**
 * One stretch of linked code: it begins at the first offset and ends where the next begins. Inside it a byte further
 * on in the linked code is a byte further on in the original. Original 0: made by the link step, has no source.
 */
export type OffsetPair = readonly [linkedOffset: number, originalOffset: number];

export interface OffsetMap {
  /** Where the contents of the original's code section began in its file, bytes: address 0 of its DWARF. */
  readonly codeStart: number;
  /** By linked offset, ascending, none twice. */
  readonly pairs: readonly OffsetPair[];
}

/**
 * Contents of the section.
 *
 * @throws RangeError if the pairs are not in order or an offset is not a natural number below 2^31: a bug of the
 *         link step
 */
export function encodeOffsets(map: OffsetMap): Uint8Array {
  const out = new ByteWriter();
  out.u32(VERSION);
  out.u32(map.codeStart);
  out.u32(map.pairs.length);
  let lastLinked = -1;
  let lastOriginal = 0;
  for (const [linked, original] of map.pairs) {
    if (linked <= lastLinked || !isOffset(linked) || !isOffset(original))
      throw new RangeError(`bug: offset pair ${linked}, ${original} after ${lastLinked}, ${lastOriginal}`);
    out.u32((linked - Math.max(lastLinked, 0)) * 2 + (original === 0 ? 1 : 0));
    if (original !== 0) {
      out.s32(original - lastOriginal);
      lastOriginal = original;
    }
    lastLinked = linked;
  }
  return out.done();
}

/** The map in a section's contents; undefined if it is damaged or of another version. */
export function decodeOffsets(contents: Uint8Array): OffsetMap | undefined {
  return decoded(() => {
    const reader = new ByteReader(contents);
    if (reader.u32() !== VERSION) throw new WasmFormatError("another version", reader.at);
    const codeStart = reader.u32();
    const count = reader.u32();
    const pairs: OffsetPair[] = [];
    let linked = 0;
    let lastOriginal = 0;
    for (let row = 0; row < count; row++) {
      const head = reader.u32();
      const step = Math.floor(head / 2);
      linked += step;
      const original = head % 2 === 1 ? 0 : lastOriginal + reader.s33();
      if ((row > 0 && step === 0) || !isOffset(linked) || !isOffset(original))
        throw new WasmFormatError("not in order", reader.at);
      // 0 is said by the flag and in no other way: one map has one form.
      if (head % 2 === 0 && original === 0) throw new WasmFormatError("origin 0", reader.at);
      if (original !== 0) lastOriginal = original;
      pairs.push([linked, original]);
    }
    if (!reader.done) throw new WasmFormatError("bytes after the last pair", reader.at);
    return { codeStart, pairs };
  });
}

/** Original offset of a linked one; 0 if the link step made that code or it lies before the first stretch. */
export function originalOffset(map: OffsetMap, linkedOffset: number): number {
  let low = 0;
  let high = map.pairs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((map.pairs[middle]?.[0] ?? 0) <= linkedOffset) low = middle + 1;
    else high = middle;
  }
  const pair = map.pairs[low - 1];
  return pair === undefined || pair[1] === 0 ? 0 : pair[1] + (linkedOffset - pair[0]);
}

function isOffset(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 2 ** 31;
}
