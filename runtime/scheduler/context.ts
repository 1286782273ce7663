/**
 * Machine context of a ULP on this engine: its wasm instance and memory (paper, 3.2.5).
 *
 * Owns: the instance, the views of the guest's memory, output held back until its newline. Nothing that
 * another engine may read: that is in the descriptor. A ULP has a context on its own engine only, and none
 * before it is first dispatched or after it has moved here and not yet run.
 */

import type { OpenFile } from "./files.ts";

/** What a linked module exports (ARCHITECTURE.md, "Linked module"). */
export interface LinkedExports {
  upvm_init(): void;
  upvm_resume(framesTop: number, framesLimit: number, fresh: number): number;
  upvm_save(at: number): void;
  upvm_load(at: number): void;
  /** A C program's stack pointer: how far its stack is from its end, bytes. */
  readonly upvm_stack?: WebAssembly.Global<number>;
}

/**
 * Bytes of a program's output that wait for their newline: one for each of the two streams, made when needed.
 */
export interface HeldLine {
  bytes: Uint8Array<ArrayBuffer>;
  used: number;
}

export class Context {
  readonly memory: WebAssembly.Memory;
  /**
   * The guest's memory as far as it reached when it was last looked at: it only grows, so these stay valid.
   */
  bytes: Uint8Array<SharedArrayBuffer>;
  view: DataView<SharedArrayBuffer>;
  /** Absent: it has moved here and not yet run. */
  linked: LinkedExports | undefined = undefined;
  /** upvm_resume of `linked`: called at every switch. */
  resume: LinkedExports["upvm_resume"] | undefined = undefined;
  /** Stack of a C program, bytes, with which its instance began; undefined: it has none. */
  stackBytes: number | undefined = undefined;
  /** By file descriptor. */
  readonly held: (HeldLine | undefined)[] = [undefined, undefined, undefined];
  /** Bit set of the standard streams that the program has closed. */
  closed = 0;
  /** Open files by number, from 3 on; absent: no call has asked for them yet. */
  files: (OpenFile | undefined)[] | undefined = undefined;
  /** Entries of the tables that it changes, until it has an instance here (tables.ts). */
  tables: readonly Int32Array[] = [];

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
    this.bytes = new Uint8Array(memory.buffer as SharedArrayBuffer);
    this.view = new DataView(memory.buffer as SharedArrayBuffer);
  }

  /** What a trap that stopped it should be called, if V8's word for it tells less. */
  trapText(): string | undefined {
    // The stack lies below the data: who goes beyond its end has an address below 0, which is none.
    const left = this.linked?.upvm_stack?.value ?? 0;
    if (this.stackBytes === undefined || left >= 0) return undefined;
    return `stack overflow: its stack has ${Math.floor(this.stackBytes / 1024)} KB`;
  }

  /** True if [at, at + length) is in the guest's memory, which may have grown since the last look. */
  covers(at: number, length: number): boolean {
    if (at < 0 || length < 0) return false;
    if (at + length <= this.bytes.length) return true;
    this.look();
    return at + length <= this.bytes.length;
  }

  /** Looks how far the memory reaches now. */
  look(): void {
    if (this.memory.buffer.byteLength === this.bytes.length) return;
    this.bytes = new Uint8Array(this.memory.buffer as SharedArrayBuffer);
    this.view = new DataView(this.memory.buffer as SharedArrayBuffer);
  }
}
