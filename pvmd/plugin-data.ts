/**
 * Data of the plug-ins' messages: ints and texts as pvm_pkint and pvm_pkstr pack them.
 *
 * Owns: reading what a task has sent, which may be anything: what is not there reads as 0 or "", and `bad` says so.
 */

/** An int: 4 bytes, little-endian. A text: an int, its bytes with the NUL, and these. (runtime/heap/pack.ts) */
const INT_BYTES = 4;

export class Packer {
  private readonly parts: Uint8Array[] = [];

  ints(...values: readonly number[]): this {
    const part = new Uint8Array(INT_BYTES * values.length);
    const view = new DataView(part.buffer);
    values.forEach((value, i) => {
      view.setInt32(INT_BYTES * i, value, true);
    });
    this.parts.push(part);
    return this;
  }

  text(value: string): this {
    const part = new TextEncoder().encode(`${value}\0`);
    this.ints(part.length).parts.push(part);
    return this;
  }

  /** How many, and then the texts. */
  list(values: readonly string[]): this {
    this.ints(values.length);
    for (const value of values) this.text(value);
    return this;
  }

  data(): Uint8Array {
    const all = new Uint8Array(this.parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of this.parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}

export class Unpacker {
  /** Something was not there, or was no text. */
  bad = false;
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get ended(): boolean {
    return this.at >= this.bytes.length;
  }

  /** Ints that there may be yet. */
  get left(): number {
    return Math.floor((this.bytes.length - this.at) / INT_BYTES);
  }

  int(): number {
    const { bytes, at } = this;
    if (this.bad || at + INT_BYTES > bytes.length) {
      this.bad = true;
      return 0;
    }
    this.at += INT_BYTES;
    return new DataView(bytes.buffer, bytes.byteOffset + at, INT_BYTES).getInt32(0, true);
  }

  /** So many ints; none if there cannot be as many. */
  ints(count: number): number[] {
    if (count < 0 || this.at + INT_BYTES * count > this.bytes.length) this.bad = true;
    return this.bad ? [] : Array.from({ length: count }, () => this.int());
  }

  text(): string {
    const length = this.int();
    const end = this.at + length;
    if (length < 1 || end > this.bytes.length || this.bytes[end - 1] !== 0) this.bad = true;
    if (this.bad) return "";
    const text = new TextDecoder().decode(this.bytes.subarray(this.at, end - 1));
    this.at = end;
    return text;
  }

  /** How many, and then the texts. */
  list(): string[] {
    const count = this.int();
    const texts: string[] = [];
    for (let i = 0; i < count && !this.bad; i++) texts.push(this.text());
    return texts;
  }
}
