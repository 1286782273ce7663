/** Signatures first; the code follows. */
import type { Gbdesc } from "./gbdesc.ts";

/**
 * Buffer tables (Table V) of the ULPs on one engine. `u`: word index of the ULP's descriptor in i32.
 * Local ids (lbid, PVM's bufid) are 1, 2, …; results below 0 are PVM error codes.
 */
export declare class Btab {
  readonly gb: Gbdesc;
  constructor(gb: Gbdesc);
  /** New descriptor: empty table, no default buffers. */
  init(u: number): void;
  /** New local id, mapped to nothing; PvmNoMem. */
  btbidNew(u: number): number;
  /** Frees the id (not the buffer): no default buffer afterwards if it was one. PvmNoSuchBuf. */
  btbidFree(u: number, lbid: number): number;
  btsetgbid(u: number, lbid: number, gbid: number): void;
  /** 0: no such id, or mapped to nothing. */
  btgetgbid(u: number, lbid: number): number;
  btgetsgbid(u: number): number;
  btgetrgbid(u: number): number;
  btgetsbid(u: number): number;
  /** Returns the old id, or PvmNoSuchBuf. 0: none. */
  btsetsbid(u: number, lbid: number): number;
  btgetrbid(u: number): number;
  btsetrbid(u: number, lbid: number): number;

  /** pvm_initsend: clears the default send buffer or makes a new one; its id, or PvmNoMem. */
  initSend(u: number, encoding: number): number;
  /** pvm_mkbuf. */
  make(u: number, encoding: number): number;
  /** pvm_freebuf: btbidFree and gdecref. PvmNoSuchBuf. */
  free(u: number, lbid: number): number;
  /** Before a send: stores the pack position in the buffer. Bytes of the message, or PvmNoBuf. */
  sealSend(u: number): number;
  /**
   * pvm_recv's end: the message at `msgAt` (MSG) becomes the default receive buffer; the one before is freed, as
   * PVM does. Takes the message's reference. Its id, or PvmNoMem (and then the reference stays the caller's).
   * Does not free the descriptor.
   */
  receive(u: number, msgAt: number): number;
  /** Bytes of a buffer: of its message, or packed so far; PvmNoSuchBuf. */
  bytes(u: number, lbid: number): number;
  /** Source and tag of the message it came with; 0 if made here. The id must exist. */
  source(u: number, lbid: number): number;
  tag(u: number, lbid: number): number;
  /** ULP has ended: gives back every buffer and the table. */
  dispose(u: number): void;
}
