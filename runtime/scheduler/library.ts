/**
 * Library descriptor [Libd] (paper, 3.2.1): the object of a process from which every other can be reached.
 * ULP table, queues and engines are in the heap; this holds the heap, the control pages and the process
 * descriptor.
 *
 * Owns: nothing but the places. It is the process's own thread's: that makes ULPs before the engines start,
 * asks them to stop, and looks at what is left when they have.
 */
import { CTL } from "../../wire/layout.ts";
import { Arena } from "../heap/arena.ts";
import { Btab } from "../heap/btab.ts";
import { Gbdesc } from "../heap/gbdesc.ts";
import { SharedHeap } from "../heap/shared-heap.ts";
import type { ProcessDescriptor } from "./process-descriptor.ts";
import type { Program } from "./programs.ts";

export class Library {
  readonly memory: WebAssembly.Memory;
  readonly heap: SharedHeap;
  readonly w: Int32Array<SharedArrayBuffer>;
  /** Its own arena is the last: engines have those before it. */
  readonly arena: Arena;
  readonly gb: Gbdesc;
  readonly btab: Btab;
  readonly ctlMemories: readonly WebAssembly.Memory[];
  readonly ctl: readonly Int32Array<SharedArrayBuffer>[];
  readonly process: ProcessDescriptor;
  readonly programs: Program[] = [];
  /** Set if this thread runs the engine itself (mailbox.ts). */
  rung: (() => void) | undefined = undefined;

  /** Makes and formats the process heap, and a control page for each engine. */
  constructor(process: ProcessDescriptor) {
    const pages = Math.floor(process.heapBytes / CTL.bytes);
    this.process = process;
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.heap = SharedHeap.format(this.memory, process.engines);
    this.w = this.heap.i32;
    this.arena = new Arena(this.heap, process.engines);
    this.gb = new Gbdesc(this.arena);
    this.btab = new Btab(this.gb);
    this.ctlMemories = Array.from(
      { length: process.engines },
      () => new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }),
    );
    this.ctl = this.ctlMemories.map(({ buffer }) => new Int32Array(buffer as SharedArrayBuffer));
  }
}
