/**
 * Reads DWARF's kinds of numbers and text: fixed width, LEB128 of 64 bits, NUL-terminated strings. Little-endian.
 *
 * Owns: nothing beside the position. Every read is bounded by the view it was made with and throws WasmFormatError
 * beyond it; `decoded()` turns that into `undefined`, since debug information is never worth a failure.
 */
import { ByteReader, WasmFormatError } from "./wasm/bytes.ts";

/** What `read` returns, or undefined if its input is cut short or makes no sense. Other errors are bugs: thrown. */
export function decoded<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof WasmFormatError) return undefined;
    throw error;
  }
}

export class DwarfReader extends ByteReader {
  get left(): number {
    return this.end - this.at;
  }

  /** Unsigned number of `bytes` bytes, 1 … 8: exact up to 2^53, which no offset exceeds unless the input is nonsense. */
  fixed(bytes: number): number {
    let value = 0;
    for (let index = 0, scale = 1; index < bytes; index++, scale *= 0x100) value += this.u8() * scale;
    return value;
  }

  /** Unsigned LEB128 of at most 64 bits, exact up to 2^53. */
  uleb(): number {
    let value = 0;
    for (let count = 0, scale = 1; count < 10; count++, scale *= 0x80) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new WasmFormatError("integer too large", this.at);
  }

  /** Signed LEB128 of at most 64 bits, exact up to 2^53. */
  sleb(): number {
    let value = 0;
    for (let count = 0, scale = 1; count < 10; count++, scale *= 0x80) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return byte & 0x40 ? value - scale * 0x80 : value;
    }
    throw new WasmFormatError("integer too large", this.at);
  }

  /** Moves past a NUL-terminated string and returns where it began. */
  cstring(): number {
    const from = this.at;
    while (this.u8() !== 0);
    return from;
  }
}

/** Text of the NUL-terminated string at `at`, or undefined if it is not inside `bytes`. */
export function textAt(bytes: Uint8Array | undefined, at: number): string | undefined {
  if (bytes === undefined || at >= bytes.length) return undefined;
  const end = bytes.indexOf(0, at);
  // slice: a TextDecoder takes no view of shared memory.
  return end < 0 ? undefined : new TextDecoder().decode(bytes.slice(at, end));
}
