/** Signatures first; the code follows. */
import type { BlockKind } from "../../wire/layout.ts";

/** Table II over a range of one memory. */
export declare class Heap {
  constructor(i32: Int32Array<SharedArrayBuffer>, stateAt: number, owner: number);
  hmalloc(bytes: number, kind?: BlockKind): number;
  hrealloc(at: number, bytes: number): number;
  hfree(at: number): void;
  hleft(): number;
  getHmin(): number;
  getHmax(): number;
  hdisplay(): string;
  check(): void;
}
