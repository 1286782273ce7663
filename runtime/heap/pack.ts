/** Signatures first; the code follows. */
import type { Btab } from "./btab.ts";

/**
 * Slow paths of pack and unpack. `u`: word index of the ULP's descriptor; `guest`: its memory; `at`: a guest address.
 * All return PvmOk (0) or a PVM error code; then nothing has changed.
 */
export declare class Pack {
  readonly btab: Btab;
  constructor(btab: Btab);
  /** `itemBytes` 1, 2, 4, 8 or 16: every type but C's long. */
  pack(u: number, guest: Uint8Array, at: number, itemBytes: number, nitem: number, stride: number): number;
  unpack(u: number, guest: Uint8Array, at: number, itemBytes: number, nitem: number, stride: number): number;
  /** C long of 32 bits ↔ 64 on the wire. */
  packLong(u: number, guest: Uint8Array, at: number, nitem: number, stride: number, signed: boolean): number;
  unpackLong(
    u: number,
    guest: Uint8Array,
    at: number,
    nitem: number,
    stride: number,
    signed: boolean,
  ): number;
  packString(u: number, guest: Uint8Array, at: number): number;
  unpackString(u: number, guest: Uint8Array, at: number): number;
  /** pvm_upkstr_bytes: bytes of the next string with its NUL, or a PVM error code. Unpacks nothing. */
  nextStringBytes(u: number): number;
  /** Makes packEnd - packAt at least `bytes`, so that the caller can store there and move packAt. */
  packRoom(u: number, bytes: number): number;
  /** Copies bytes [from, from + bytes) of a buffer into guest memory, as precv does. The caller has checked both ranges. */
  copyOut(gbid: number, from: number, guest: Uint8Array, at: number, bytes: number): void;
}
