/**
 * Bytes of a wasm binary: a reader that refuses what is out of range, and a growing writer.
 *
 * Owns: LEB128 and raw bytes. Knows no section and no instruction.
 */

/** The module is not valid: what is wrong, and at which byte of the file. The link step turns it into BAD_WASM. */
export class WasmFormatError extends Error {
  readonly offset: number;
  constructor(why: string, offset: number) {
    super(`${why} at byte ${offset}`);
    this.name = "WasmFormatError";
    this.offset = offset;
  }
}

export class ByteReader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  u8(): number {
    if (this.at >= this.end) throw new WasmFormatError("unexpected end", this.at);
    return this.bytes[this.at++] as number;
  }

  /** Unsigned LEB128 of at most 32 bits. */
  u32(): number {
    let result = 0;
    let shift = 0;
    for (;;) {
      const byte = this.u8();
      if (shift === 28 && byte > 0x0f) throw new WasmFormatError("integer too large", this.at - 1);
      result += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return result;
      shift += 7;
    }
  }

  /** Signed LEB128 of at most 33 bits (a block type). */
  s33(): number {
    let result = 0;
    let shift = 0;
    for (;;) {
      const byte = this.u8();
      result += (byte & 0x7f) * 2 ** shift;
      shift += 7;
      if (byte < 0x80) return byte & 0x40 ? result - 2 ** shift : result;
      if (shift > 28) {
        const last = this.u8();
        if (last > 0x7f) throw new WasmFormatError("integer too large", this.at - 1);
        result += (last & 0x7f) * 2 ** shift;
        shift += 7;
        return last & 0x40 ? result - 2 ** shift : result;
      }
    }
  }

  /** Passes over a LEB128 number of at most `maxBytes` bytes. */
  skipLeb(maxBytes: number): void {
    for (let i = 0; i < maxBytes; i++) if (this.u8() < 0x80) return;
    throw new WasmFormatError("integer too large", this.at);
  }

  skip(count: number): void {
    if (count > this.end - this.at) throw new WasmFormatError("unexpected end", this.end);
    this.at += count;
  }

  take(count: number): Uint8Array {
    const from = this.at;
    this.skip(count);
    return this.bytes.subarray(from, this.at);
  }

  name(): string {
    const at = this.at;
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(this.take(this.u32()));
    } catch (error) {
      if (error instanceof WasmFormatError) throw error;
      throw new WasmFormatError("a name is not UTF-8", at);
    }
  }

  /** A reader of the next `count` bytes, which this one passes over. */
  part(count: number): ByteReader {
    const from = this.at;
    this.skip(count);
    return new ByteReader(this.bytes, from, this.at);
  }
}

export class ByteWriter {
  bytes = new Uint8Array(1024);
  length = 0;

  private room(count: number): void {
    const need = this.length + count;
    if (need <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(need, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  u8(value: number): void {
    if (this.length === this.bytes.length) this.room(1);
    this.bytes[this.length++] = value;
  }

  u32(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.u8((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.u8(rest);
  }

  /** Signed LEB128 of a 32-bit integer. */
  s32(value: number): void {
    let rest = value | 0;
    for (;;) {
      const byte = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && !(byte & 0x40)) || (rest === -1 && byte & 0x40)) {
        this.u8(byte);
        return;
      }
      this.u8(byte | 0x80);
    }
  }

  raw(data: Uint8Array): void {
    this.room(data.length);
    this.bytes.set(data, this.length);
    this.length += data.length;
  }

  name(text: string): void {
    const data = new TextEncoder().encode(text);
    this.u32(data.length);
    this.raw(data);
  }

  done(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}
