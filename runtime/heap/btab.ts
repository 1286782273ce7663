/**
 * Btab, a ULP's view of message buffers (paper, Table V): its own numbers for them, and how far it has read
 * each.
 *
 * Owns: the rows of the table, and which is the default send and receive buffer. Not the buffers (gbdesc.ts),
 * not the positions in them (positions.ts), not what is in them (pack.ts).
 * One object for each engine; it works on the ULPs that the engine has. `u` is the word index of a
 * descriptor. Local ids (lbid, PVM's bufid) are 1, 2, … and a freed one is the next to be given out. Results
 * below 0 are PVM error codes.
 *
 * A row is of one of two sorts. Made here (BTAB.bytes -1): this ULP alone appends to the buffer. Received: it
 * may be read up to its message's length; if the ULP packs into it, it gets a copy first (writable()).
 */
import { BLOCK_KIND, BTAB, MSG, ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import type { Arena } from "./arena.ts";
import { bug } from "./bug.ts";
import type { Gbdesc } from "./gbdesc.ts";
import { MADE_HERE, Positions, rowOf } from "./positions.ts";

const NO_MEM = PVM_ERROR.PvmNoMem.code;
const NO_SUCH_BUF = PVM_ERROR.PvmNoSuchBuf.code;

/** Rows of a ULP's first table; it doubles when they are used up. */
const FIRST_ROWS = 8;
/** BTAB.gbid of a row that is taken and mapped to nothing. */
const UNMAPPED = -1;

export class Btab {
  readonly gb: Gbdesc;
  readonly positions: Positions;
  private readonly arena: Arena;
  private readonly i32: Int32Array<SharedArrayBuffer>;

  constructor(gb: Gbdesc) {
    this.gb = gb;
    this.positions = new Positions(gb);
    this.arena = gb.arena;
    this.i32 = gb.arena.heap.i32;
  }

  /** Gives a new descriptor an empty table. What the words held before is forgotten. */
  init(u: number): void {
    const { i32 } = this;
    i32[u + ULP.btabAt] = 0;
    i32[u + ULP.btabRows] = 0;
    i32[u + ULP.btabFree] = 0;
    this.positions.init(u);
  }

  /** New local id, mapped to nothing; PvmNoMem if the table or the heap is full. */
  btbidNew(u: number): number {
    const { i32 } = this;
    if (i32[u + ULP.btabFree] === 0 && !this.grow(u)) return NO_MEM;
    const lbid = i32[u + ULP.btabFree]!;
    const row = rowOf(i32, u, lbid);
    i32[u + ULP.btabFree] = i32[row + BTAB.segment]!;
    i32[row + BTAB.gbid] = UNMAPPED;
    i32[row + BTAB.segment] = 0;
    i32[row + BTAB.placesAt] = 0;
    this.forgetMessage(row);
    return lbid;
  }

  /**
   * Frees a local id; its buffer keeps its count. If it was a default buffer, there is none now.
   * Returns 0, or PvmNoSuchBuf.
   */
  btbidFree(u: number, lbid: number): number {
    if (!this.taken(u, lbid)) return NO_SUCH_BUF;
    const { i32 } = this;
    if (lbid === i32[u + ULP.sbid]) this.positions.clearSend(u);
    if (lbid === i32[u + ULP.rbid]) this.positions.clearReceive(u);
    const row = rowOf(i32, u, lbid);
    this.freePlaces(row);
    i32[row + BTAB.gbid] = 0;
    i32[row + BTAB.segment] = i32[u + ULP.btabFree]!;
    i32[u + ULP.btabFree] = lbid;
    return 0;
  }

  /** Maps a local id to a buffer made here, nothing of it read. Takes the reference. The id must be taken. */
  btsetgbid(u: number, lbid: number, gbid: number): void {
    if (!this.taken(u, lbid)) bug(`local id ${lbid} is not taken`);
    const { i32 } = this;
    const row = rowOf(i32, u, lbid);
    i32[row + BTAB.gbid] = gbid;
    i32[row + BTAB.segment] = 0;
    this.forgetMessage(row);
    if (lbid === i32[u + ULP.sbid]) this.positions.loadSend(u, row);
    if (lbid === i32[u + ULP.rbid]) this.positions.loadReceive(u, row);
  }

  /** Buffer of a local id; 0: no such id, or mapped to nothing. Lends it. */
  btgetgbid(u: number, lbid: number): number {
    if (lbid <= 0 || lbid > this.i32[u + ULP.btabRows]!) return 0;
    const gbid = this.i32[rowOf(this.i32, u, lbid) + BTAB.gbid]!;
    return gbid > 0 ? gbid : 0;
  }

  /** Default send buffer, 0 if there is none. Lends it. */
  btgetsgbid(u: number): number {
    const lbid = this.i32[u + ULP.sbid]!;
    return lbid === 0 ? 0 : this.i32[rowOf(this.i32, u, lbid) + BTAB.gbid]!;
  }

  /** Default receive buffer, 0 if there is none. Lends it. */
  btgetrgbid(u: number): number {
    const lbid = this.i32[u + ULP.rbid]!;
    return lbid === 0 ? 0 : this.i32[rowOf(this.i32, u, lbid) + BTAB.gbid]!;
  }

  /** Local id of the default send buffer, 0 if there is none. */
  btgetsbid(u: number): number {
    return this.i32[u + ULP.sbid]!;
  }

  /** Local id of the default receive buffer, 0 if there is none. */
  btgetrbid(u: number): number {
    return this.i32[u + ULP.rbid]!;
  }

  /**
   * Makes a buffer the default send buffer; 0: none. What was packed into the one before stays in it. A
   * buffer cannot be both: if it was the default receive buffer, there is none now (pvm_setsbuf(3PVM) and
   * lpvmgen.c of PVM 3.4). Returns the id of the one before, 0 if there was none, or PvmNoSuchBuf.
   */
  btsetsbid(u: number, lbid: number): number {
    if (lbid !== 0 && this.btgetgbid(u, lbid) === 0) return NO_SUCH_BUF;
    const { i32 } = this;
    const before = i32[u + ULP.sbid]!;
    if (before === lbid) return before;
    this.positions.storeSend(u);
    if (lbid === 0) this.positions.clearSend(u);
    else {
      if (lbid === i32[u + ULP.rbid]) this.positions.storeReceive(u);
      i32[u + ULP.sbid] = lbid;
      this.positions.loadSend(u, rowOf(i32, u, lbid));
    }
    return before;
  }

  /** Makes a buffer the default receive buffer, to be read on where it was left; else as btsetsbid. */
  btsetrbid(u: number, lbid: number): number {
    if (lbid !== 0 && this.btgetgbid(u, lbid) === 0) return NO_SUCH_BUF;
    const { i32 } = this;
    const before = i32[u + ULP.rbid]!;
    if (before === lbid) return before;
    this.positions.storeReceive(u);
    if (lbid !== 0) {
      if (lbid === i32[u + ULP.sbid]) {
        this.positions.storeSend(u);
        this.positions.clearSend(u);
      }
      i32[u + ULP.rbid] = lbid;
      this.positions.loadReceive(u, rowOf(i32, u, lbid));
    }
    return before;
  }

  /** pvm_mkbuf: new empty buffer, its local id, or PvmNoMem. */
  make(u: number, encoding: number): number {
    const lbid = this.btbidNew(u);
    if (lbid < 0) return lbid;
    const gbid = this.gb.gnew(encoding);
    if (gbid === 0) {
      this.btbidFree(u, lbid);
      return NO_MEM;
    }
    this.gb.ginitref(gbid);
    this.btsetgbid(u, lbid, gbid);
    return lbid;
  }

  /** pvm_freebuf: gives back the id and its reference to the buffer. 0, or PvmNoSuchBuf. */
  free(u: number, lbid: number): number {
    const gbid = this.btgetgbid(u, lbid);
    const done = this.btbidFree(u, lbid);
    if (gbid !== 0) this.gb.gdecref(gbid);
    return done;
  }

  /**
   * pvm_initsend: an empty default send buffer, its local id, or PvmNoMem (and then all is as before). The
   * buffer there was is cleared if nobody else has it; a message on its way keeps it, and this ULP gets
   * another one.
   */
  initSend(u: number, encoding: number): number {
    const { i32, gb } = this;
    const lbid = i32[u + ULP.sbid]!;
    if (lbid === 0) {
      const made = this.make(u, encoding);
      if (made > 0) this.btsetsbid(u, made);
      return made;
    }
    const row = rowOf(i32, u, lbid);
    const old = i32[row + BTAB.gbid]!;
    if (i32[u + ULP.sgbid] !== 0 && gb.gref(old) === 1) {
      gb.reset(old, encoding);
      i32[row + BTAB.segment] = 0;
      this.forgetMessage(row);
      this.positions.beginSend(u, old);
      return lbid;
    }
    const gbid = gb.gnew(encoding);
    if (gbid === 0) return NO_MEM;
    gb.ginitref(gbid);
    i32[row + BTAB.gbid] = gbid;
    i32[row + BTAB.segment] = 0;
    this.freePlaces(row);
    this.forgetMessage(row);
    this.positions.beginSend(u, gbid);
    gb.gdecref(old);
    return lbid;
  }

  /**
   * Before the default send buffer is sent: from here its content up to the result is exact for every reader.
   * Returns the bytes of the message, or PvmNoBuf.
   */
  sealSend(u: number): number {
    return this.positions.sealSend(u);
  }

  /**
   * End of pvm_recv: the message at `msgAt` (MSG) becomes the default receive buffer; the buffer that was it
   * is freed, as PVM does. Takes the message's reference to the buffer; the descriptor stays the caller's.
   * Returns the local id, or PvmNoMem and then nothing has changed.
   */
  receive(u: number, msgAt: number): number {
    const { i32 } = this;
    const m = msgAt >> 2;
    let lbid = i32[u + ULP.rbid]!;
    if (lbid !== 0) {
      // The kernel gives the buffer back when the ULP begins to wait, and leaves the row mapped to nothing.
      const old = i32[rowOf(i32, u, lbid) + BTAB.gbid]!;
      if (old !== UNMAPPED) this.gb.gdecref(old);
    } else {
      lbid = this.btbidNew(u);
      if (lbid < 0) return lbid;
      i32[u + ULP.rbid] = lbid;
    }
    const row = rowOf(i32, u, lbid);
    i32[row + BTAB.gbid] = i32[m + MSG.gbid]!;
    this.setMessage(row, m);
    this.positions.begin(u, row, i32[m + MSG.bytes]!);
    return lbid;
  }

  /** Bytes of a buffer: of the message it came with, or packed so far; PvmNoSuchBuf. */
  bytes(u: number, lbid: number): number {
    const gbid = this.btgetgbid(u, lbid);
    if (gbid === 0) return NO_SUCH_BUF;
    const bytes = this.i32[rowOf(this.i32, u, lbid) + BTAB.bytes]!;
    if (bytes !== MADE_HERE) return bytes;
    if (lbid === this.i32[u + ULP.sbid]) this.positions.storeSend(u);
    return this.gb.length(gbid);
  }

  /** The row's buffer came with the message at word `m`. */
  setMessage(row: number, m: number): void {
    const { i32 } = this;
    i32[row + BTAB.src] = i32[m + MSG.src]!;
    i32[row + BTAB.tag] = i32[m + MSG.tag]!;
    i32[row + BTAB.bytes] = i32[m + MSG.bytes]!;
    i32[row + BTAB.context] = i32[m + MSG.context]!;
    i32[row + BTAB.wid] = i32[m + MSG.wid]!;
    i32[row + BTAB.dst] = 0;
  }

  /** tid of who sent the message; the ULP's own if the buffer was made here. The id must be mapped. */
  source(u: number, lbid: number): number {
    return this.i32[rowOf(this.i32, u, lbid) + BTAB.src]! || this.i32[u + ULP.tid]!;
  }

  /** tid of whom the message was for; 0 if the buffer was made here. The id must be mapped. */
  destination(u: number, lbid: number): number {
    const row = rowOf(this.i32, u, lbid);
    const own = this.i32[row + BTAB.bytes] === MADE_HERE ? 0 : this.i32[u + ULP.tid]!;
    return this.i32[row + BTAB.dst]! || own;
  }

  /** Wait id that the default send buffer, which there must be, is sent with. */
  sendWid(u: number): number {
    return this.i32[rowOf(this.i32, u, this.i32[u + ULP.sbid]!) + BTAB.wid]!;
  }

  /** Tag of the message; 0 if the buffer was made here. The id must be mapped. */
  tag(u: number, lbid: number): number {
    return this.i32[rowOf(this.i32, u, lbid) + BTAB.tag]!;
  }

  /** The ULP has ended: gives back every buffer and the table. */
  dispose(u: number): void {
    const { i32 } = this;
    for (let lbid = 1; lbid <= i32[u + ULP.btabRows]!; lbid += 1) {
      const gbid = this.btgetgbid(u, lbid);
      if (gbid !== 0) this.gb.gdecref(gbid);
      if (this.taken(u, lbid)) this.freePlaces(rowOf(i32, u, lbid));
    }
    if (i32[u + ULP.btabAt] !== 0) this.arena.hfree(i32[u + ULP.btabAt]!);
    this.init(u);
  }

  /**
   * Makes the default send buffer, which there must be, one that this ULP may pack into: a received one is
   * replaced by a copy of its message, read as far as that was. 0, or PvmNoMem and then nothing has changed.
   */
  writable(u: number): number {
    const { i32, gb } = this;
    const lbid = i32[u + ULP.sbid]!;
    const row = rowOf(i32, u, lbid);
    const bytes = i32[row + BTAB.bytes]!;
    if (bytes === MADE_HERE) return 0;
    const old = i32[row + BTAB.gbid]!;
    const gbid = gb.gcopy(old, bytes);
    if (gbid === 0) return NO_MEM;
    const read = this.positions.bytesRead(row);
    this.btsetgbid(u, lbid, gbid);
    if (read > 0) this.positions.seek(row, read);
    gb.gdecref(old);
    return 0;
  }

  /** What a PvmDataInPlace buffer was made of is no more. */
  private freePlaces(row: number): void {
    const at = this.i32[row + BTAB.placesAt]!;
    if (at !== 0) this.arena.hfree(at);
    this.i32[row + BTAB.placesAt] = 0;
  }

  /** A row whose buffer came with no message. */
  private forgetMessage(row: number): void {
    const { i32 } = this;
    i32[row + BTAB.src] = 0;
    i32[row + BTAB.tag] = 0;
    i32[row + BTAB.bytes] = MADE_HERE;
    i32[row + BTAB.context] = 0;
    i32[row + BTAB.wid] = 0;
    i32[row + BTAB.dst] = 0;
  }

  /** Whether the id is given out. */
  private taken(u: number, lbid: number): boolean {
    if (lbid <= 0 || lbid > this.i32[u + ULP.btabRows]!) return false;
    return this.i32[rowOf(this.i32, u, lbid) + BTAB.gbid] !== 0;
  }

  /** Doubles the table. False, and nothing changed: LIMITS.buffersPerUlp, or the heap is full. */
  private grow(u: number): boolean {
    const { i32 } = this;
    const rows = i32[u + ULP.btabRows]!;
    const more = rows === 0 ? FIRST_ROWS : Math.min(rows * 2, LIMITS.buffersPerUlp);
    if (more === rows) return false;
    const at = this.arena.hrealloc(i32[u + ULP.btabAt]!, more * BTAB.words * 4, BLOCK_KIND.btab);
    if (at === 0) return false;
    i32[u + ULP.btabAt] = at;
    i32[u + ULP.btabRows] = more;
    for (let lbid = more; lbid > rows; lbid -= 1) {
      const row = rowOf(i32, u, lbid);
      i32[row + BTAB.gbid] = 0;
      i32[row + BTAB.segment] = i32[u + ULP.btabFree]!;
      i32[u + ULP.btabFree] = lbid;
    }
    return true;
  }
}
