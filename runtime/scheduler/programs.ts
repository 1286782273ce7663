/**
 * Programs that this engine can run: the rows that ULP.module names.
 *
 * Owns: the shape of a row. One for each program file, however many ULPs run it (paper, 3.3): the process
 * compiles it once and posts it to every engine.
 */
export interface Program {
  /** Row of the program table. */
  readonly id: number;
  /** File or name that the user knows it by. */
  readonly name: string;
  readonly module: WebAssembly.Module;
  /** Guest's memory, pages of 64 KiB. */
  readonly pages: { readonly min: number; readonly max: number };
  /** Bytes of heap that upvm_save needs. */
  readonly stateBytes: number;
  /** Tables that it changes (exported as upvm_table0 …). */
  readonly tables: number;
}
