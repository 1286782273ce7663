/**
 * A ULP that comes to this process: what was read of its image so far.
 *
 * Owns: the blocks that it has here, in the words of its descriptor, and that all of them go if it does not stay. What the
 * words may be is checked here, before they become addresses of this heap; the order of reading is restore.ts.
 */
import { PAGE_BYTES, ULP_MOVES } from "../../wire/image.ts";
import {
  BLOCK_KIND,
  type BlockKind,
  BTAB,
  GBUF,
  HEAD,
  MSG,
  ULP,
  ULP_FLAG,
  ULP_STATE,
  WAIT,
} from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { FRAME, HANDLER, MORE, TRACE } from "../../wire/more.ts";
import { isEncoding, PVM_ERROR, tidOf } from "../../wire/pvm.ts";
import { REQUEST_KINDS } from "../../wire/requests.ts";
import { SEG_HEADER_BYTES } from "../heap/gbdesc.ts";
import { MADE_HERE, rowOf } from "../heap/positions.ts";
import type { UlpParcel } from "../scheduler/engine-state.ts";
import type { OpenFile } from "../scheduler/files.ts";
import type { Library } from "../scheduler/library.ts";
import { dropMessage, fillMessage } from "../scheduler/messages.ts";
import { setCommon } from "../scheduler/more.ts";
import { isOutside } from "../scheduler/outside.ts";
import type { Program } from "../scheduler/programs.ts";
import { ulpAt } from "../scheduler/queue.ts";
import { getState, setRemote, type UlpAt, type UlpState } from "../scheduler/state.ts";
import { isWhole, type ResumePointRow } from "../scheduler/suspended-stack.ts";
import { ufreeAll, umalloc } from "../scheduler/uheap.ts";
import { ucreate } from "../scheduler/ulp.ts";
import { ImageError } from "./filling.ts";
import { PLACES } from "./image.ts";
import type { ImageHead } from "./image-head.ts";
import { type FilePlace, openFiles } from "./incoming-files.ts";

/** Waits that a ULP can travel in. */
const WAITS: readonly number[] = [
  WAIT.recv,
  WAIT.trecv,
  WAIT.precv,
  WAIT.sleep,
  WAIT.io,
  WAIT.memory,
  WAIT.service,
  WAIT.attended,
];
const FLAGS = Object.values(ULP_FLAG).reduce((all, flag) => all | flag, 0);
const UNMAPPED = -1;

function damaged(why: string): never {
  throw new ImageError("damaged", why);
}

/** Where the ULP comes to, as far as it is checked. */
interface Place extends FilePlace {
  readonly points?: (program: Program) => readonly ResumePointRow[] | undefined;
}

export class Incoming {
  readonly head: ImageHead;
  readonly ulp: UlpAt;
  readonly program: Program;
  /** State in which it goes on. */
  state: UlpState = ULP_STATE.unInit;
  /** Its messages: descriptors, in order. */
  readonly messages: number[] = [];
  readonly buffers: { readonly gbid: number; readonly bytes: number }[] = [];
  /** Rows of its buffer table with data in place: word index of the row, how many places. */
  readonly inPlace: { readonly row: number; readonly places: number }[] = [];
  readonly tables: Int32Array[] = [];
  readonly held: (Uint8Array | undefined)[] = [undefined, undefined, undefined];
  fileText: Uint8Array = new Uint8Array(0);
  private files: (OpenFile | undefined)[] | undefined;
  private closed = 0;
  private leftMs = 0;
  private memory: WebAssembly.Memory | undefined;
  private readonly library: Library;

  /** @throws ImageError present, heap */
  constructor(library: Library, head: ImageHead, program: Program) {
    this.library = library;
    this.head = head;
    this.program = program;
    if (head.tid !== tidOf(head.index, library.w[HEAD.tidBase]!)) damaged("its tid is of another job");
    this.ulp = remoteDescriptor(library, head.index, program.id);
  }

  /** What an engine takes it in with. */
  get parcel(): UlpParcel {
    const { head, memory, held, closed, files, tables } = this;
    return { kind: "ulp", index: head.index, memory, held, closed, files, tables };
  }

  /** Words of the descriptor, streams that it has closed, how long it waits. */
  describe(words: Int32Array<ArrayBuffer>): void {
    const { ulp, head } = this;
    const { w } = this.library;
    for (const word of ULP_MOVES) if (word !== ULP.state) w[ulp + word] = words[word]!;
    const state = words[ULP.state]!;
    const started = (w[ulp + ULP.flags]! & ULP_FLAG.started) !== 0;
    const { unInit, runnable, blocked } = ULP_STATE;
    const runs = state === runnable || state === blocked;
    if (!(started ? runs && head.pages > 0 : state === unInit && head.pages === 0))
      damaged(`its state is ${state}`);
    this.state = state as UlpState;
    const wait = w[ulp + ULP.wait]!;
    if (state === blocked ? !WAITS.includes(wait) : wait !== WAIT.none) damaged(`it waits for event ${wait}`);
    const flags = w[ulp + ULP.flags]!;
    if ((flags & ~FLAGS) !== 0 || ((flags & ULP_FLAG.outside) !== 0 && state !== blocked))
      damaged(`its flags are ${flags}`);
    this.closed = words[ULP.words]!;
    this.leftMs = new Float64Array(words.slice(ULP.words + 1).buffer)[0]!;
    if (!(this.leftMs >= 0) || (this.closed & ~7) !== 0) damaged("its wait or its streams make no sense");
    if (wait === WAIT.precv) this.checkPrecv();
    const asks = wait === WAIT.service || wait === WAIT.attended;
    const asked = !asks || REQUEST_KINDS[w[ulp + ULP.waitTag]!] !== undefined;
    if (!asked || (wait === WAIT.attended && head.more === 0)) damaged("it waits for an answer to nothing");
  }

  /** Where the data of a pvm_precv go is in its memory. */
  private checkPrecv(): void {
    const { w } = this.library;
    const { ulp, head } = this;
    const bytes = head.pages * PAGE_BYTES;
    const inside = (at: number, length: number): boolean => (at >>> 0) + length <= bytes;
    const data = inside(w[ulp + ULP.precvAt]!, w[ulp + ULP.precvBytes]! >>> 0);
    const words = [ULP.outTid, ULP.outTag, ULP.outLen].every((word) => inside(w[ulp + word]!, 4));
    if (!data || !words) damaged("it receives outside its memory");
  }

  private allocate(bytes: number, kind: BlockKind): number {
    const at = umalloc(this.library, this.ulp, bytes, kind);
    if (at === 0) throw new ImageError("heap", `the process heap has no room for ${bytes} bytes of it`);
    return at;
  }

  /** MORE of a ULP that uses what few do. @returns its bytes */
  makeMore(): Uint8Array {
    const at = this.allocate(MORE.words * 4, BLOCK_KIND.more);
    this.library.w[this.ulp + ULP.moreAt] = at;
    return this.library.heap.u8.subarray(at, at + MORE.words * 4);
  }

  makeHandlers(): Uint8Array {
    const bytes = this.head.handlers * HANDLER.words * 4;
    const at = this.allocate(bytes, BLOCK_KIND.more);
    this.handlersAt = at;
    return this.library.heap.u8.subarray(at, at + bytes);
  }
  private handlersAt = 0;

  /** One of the FRAMEs, innermost first. */
  makeInterrupted(): Uint8Array {
    const at = this.allocate(FRAME.words * 4, BLOCK_KIND.more);
    this.interrupted.push(at);
    return this.library.heap.u8.subarray(at, at + FRAME.words * 4);
  }
  private readonly interrupted: number[] = [];

  /** A buffer, still empty; this holds a reference to it until the end. */
  addBuffer(encoding: number, bytes: number): void {
    if (bytes < 0 || !isEncoding(encoding)) damaged("a buffer makes no sense");
    const gbid = this.library.gb.gnew(encoding);
    if (gbid === 0) throw new ImageError("heap", "the process heap has no room for its messages");
    this.library.gb.ginitref(gbid);
    this.buffers.push({ gbid, bytes });
  }

  /** Buffer by its number in the image, of which `bytes` are used. */
  private buffer(number: number, bytes: number): number {
    const buffer = this.buffers[number - 1];
    if (buffer === undefined || bytes > buffer.bytes) damaged("a message has no buffer");
    return buffer.gbid;
  }

  /** The buffer table, all rows free. */
  makeRows(): void {
    const { w, arena } = this.library;
    const { rows } = this.head;
    if (rows === 0) return;
    const bytes = rows * BTAB.words * 4;
    const at = arena.hmalloc(bytes, BLOCK_KIND.btab);
    if (at === 0) throw new ImageError("heap", `the process heap has no room for ${rows} buffers`);
    w.fill(0, at >> 2, (at + bytes) >> 2);
    w[this.ulp + ULP.btabAt] = at;
    w[this.ulp + ULP.btabRows] = rows;
  }

  setRow(lbid: number, record: Int32Array): void {
    const { w, gb } = this.library;
    const row = rowOf(w, this.ulp, lbid);
    const number = record[BTAB.gbid]!;
    const places = record[BTAB.placesAt]!;
    const bytes = record[BTAB.bytes]!;
    if (number < UNMAPPED || bytes < MADE_HERE) damaged("its buffer table makes no sense");
    const gbid = number > 0 ? this.buffer(number, bytes) : number;
    for (let word = 0; word < BTAB.words; word++) w[row + word] = record[word]!;
    w[row + BTAB.placesAt] = 0;
    w[row + BTAB.gbid] = gbid;
    if (gbid > 0) {
      gb.gincref(gbid);
      const length = bytes === MADE_HERE ? this.buffers[number - 1]!.bytes : bytes;
      const read = record[BTAB.unpackAt]!;
      if (read < 0 || read > length) damaged("a read position is outside its message");
    }
    if (places === 0) return;
    if (gbid <= 0 || places < 0 || places > LIMITS.placesPerBuffer) damaged("data in place make no sense");
    this.inPlace.push({ row, places });
  }

  makePlaces(row: number, places: number): number {
    const { w, arena } = this.library;
    const at = arena.hmalloc((PLACES.rows + PLACES.words * places) * 4, BLOCK_KIND.more);
    if (at === 0) throw new ImageError("heap", "the process heap has no room for its data in place");
    w[(at >> 2) + PLACES.count] = places;
    w[(at >> 2) + PLACES.room] = places;
    w[row + BTAB.placesAt] = at;
    return at;
  }

  addMessage(record: Int32Array): void {
    const { w, arena, gb } = this.library;
    const bytes = record[MSG.bytes]!;
    const gbid = this.buffer(record[MSG.gbid]!, bytes);
    if (bytes < 0) damaged("a message is too short");
    const at = arena.hmalloc(MSG.words * 4, BLOCK_KIND.message);
    if (at === 0) throw new ImageError("heap", "the process heap has no room for its messages");
    const word = (name: "src" | "tag" | "context" | "wid"): number => record[MSG[name]]!;
    fillMessage(w, at, word("src"), word("tag"), gbid, bytes, word("context"), word("wid"));
    const lbid = record[MSG.lbid]!;
    w[(at >> 2) + MSG.lbid] = lbid;
    gb.gincref(gbid);
    this.messages.push(at);
    if (lbid !== 0 && !this.isTaken(lbid)) damaged("a message has an id that is not given out");
  }

  private isTaken(lbid: number): boolean {
    const { w } = this.library;
    return lbid >= 1 && lbid <= this.head.rows && w[rowOf(w, this.ulp, lbid) + BTAB.gbid] !== 0;
  }

  /** Entries of one more table, if they are not too many. */
  tableEntries(entries: number): number {
    const all = this.tables.reduce((sum, { length }) => sum + length, entries);
    if (entries < 0 || all > LIMITS.imageTableEntries) damaged(`a table has ${entries} entries`);
    return entries;
  }

  makeGlobals(): number {
    const at = this.allocate(Math.max(this.head.globalBytes, 1), BLOCK_KIND.saved);
    this.library.w[this.ulp + ULP.savedAt] = at;
    return at;
  }

  makeFrames(): number {
    const { w } = this.library;
    const { ulp, head } = this;
    const room = Math.max(head.frameBytes, LIMITS.framesFirstBytes);
    const at = this.allocate(room, BLOCK_KIND.frames);
    w[ulp + ULP.framesBase] = at;
    w[ulp + ULP.framesTop] = at + head.frameBytes;
    w[ulp + ULP.framesLimit] = at + room;
    return at;
  }

  makeText(word: "argsAt" | "exportAt"): number {
    const bytes = word === "argsAt" ? this.head.argsBytes : this.head.exportBytes;
    const at = bytes === 0 ? 0 : this.allocate(bytes, BLOCK_KIND.args);
    this.library.w[this.ulp + ULP[word]] = at;
    return at;
  }

  /** What it is traced with. @returns its bytes */
  makeTrace(): Uint8Array {
    const bytes = this.head.traceBytes;
    if (bytes < TRACE.words * 4) damaged("its trace is too short");
    const at = this.allocate(bytes, BLOCK_KIND.more);
    this.library.w[this.ulp + ULP.traceAt] = at;
    return this.library.heap.u8.subarray(at, at + bytes);
  }

  /** Calls under way and what waits to be sent make sense, and the ULP says that it is traced if it is. */
  private checkTrace(): void {
    const { w } = this.library;
    const { ulp, head } = this;
    const traced = (w[ulp + ULP.flags]! & ULP_FLAG.traced) !== 0;
    if (traced !== head.traceBytes > 0) damaged("its trace makes no sense");
    if (!traced) return;
    const trace = w[ulp + ULP.traceAt]! >> 2;
    const depth = w[trace + TRACE.depth]!;
    const used = w[trace + TRACE.used]!;
    if (depth < 0 || depth > LIMITS.traceDepth || used !== head.traceBytes - TRACE.words * 4)
      damaged("its trace makes no sense");
    w[trace + TRACE.bytes] = head.traceBytes;
  }

  /** The blocks of texts are as long as they say (runtime/pvm/program-texts.ts). */
  checkTexts(w: Int32Array, ulp: UlpAt): void {
    const fits = (at: number, heads: number, bytes: number): boolean => {
      if (at === 0) return true;
      if (bytes < 4 * heads) return false;
      const parts = [...w.subarray(at >> 2, (at >> 2) + heads)];
      return parts.every((part) => part >= 0) && parts.reduce((sum, part) => sum + part, 4 * heads) === bytes;
    };
    const args = fits(w[ulp + ULP.argsAt]!, 2, this.head.argsBytes);
    if (!args || !fits(w[ulp + ULP.exportAt]!, 1, this.head.exportBytes))
      damaged("its arguments make no sense");
  }

  /** All that describes it has come, as it was sent: whether it fits together, and fits here. */
  check(place: Place): void {
    const { w } = this.library;
    const { ulp } = this;
    this.checkRows();
    this.linkMore();
    this.checkTrace();
    const points = this.head.pages === 0 ? undefined : place.points?.(this.program);
    if (points !== undefined && !isWhole(w, ulp, points)) damaged("its frames make no sense");
    this.files = openFiles(this.fileText, place);
  }

  /** Free rows are linked, each once; the default buffers are taken. */
  private checkRows(): void {
    const { w } = this.library;
    const { ulp, head } = this;
    let free = 0;
    for (let lbid = 1; lbid <= head.rows; lbid++) if (!this.isTaken(lbid)) free++;
    let linked = 0;
    for (let lbid = w[ulp + ULP.btabFree]!; lbid !== 0; linked++) {
      if (lbid < 1 || lbid > head.rows || this.isTaken(lbid) || linked > free)
        damaged("its free ids make no sense");
      lbid = w[rowOf(w, ulp, lbid) + BTAB.segment]!;
    }
    const [sbid, rbid] = [w[ulp + ULP.sbid]!, w[ulp + ULP.rbid]!];
    const mapped = sbid === 0 || (this.isTaken(sbid) && w[rowOf(w, ulp, sbid) + BTAB.gbid]! > 0);
    if (linked !== free || !mapped || (rbid !== 0 && !this.isTaken(rbid)))
      damaged("its default buffers make no sense");
  }

  /** Addresses inside MORE. */
  private linkMore(): void {
    const { w } = this.library;
    const { ulp, head, interrupted } = this;
    if (head.more === 0) return;
    const more = w[ulp + ULP.moreAt]! >> 2;
    const scanned = w[more + MORE.scanned]!;
    if (scanned < 0 || scanned > this.messages.length) damaged("its message handlers make no sense");
    w[more + MORE.scanned] = scanned === 0 ? 0 : this.messages[scanned - 1]!;
    w[more + MORE.handlersAt] = this.handlersAt;
    w[more + MORE.handlerRows] = head.handlers;
    w[more + MORE.framesAt] = interrupted[0] ?? 0;
    interrupted.forEach((at, i) => {
      const frame = at >> 2;
      w[frame + FRAME.previous] = interrupted[i + 1] ?? 0;
      const number = w[frame + FRAME.gbid]!;
      w[frame + FRAME.gbid] = this.buffers[number - 1]?.gbid ?? 0;
    });
  }

  /** @throws ImageError memory */
  makeMemory(): Uint8Array<SharedArrayBuffer> {
    const { pages } = this.head;
    try {
      const maximum = this.program.pages.max;
      this.memory = new WebAssembly.Memory({ initial: pages, maximum, shared: true });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new ImageError("memory", `there is no memory of ${pages} pages: ${why}`);
    }
    return new Uint8Array(this.memory.buffer as SharedArrayBuffer);
  }

  /** All has come: positions, times, and the references that this held. */
  finish(nowMs: number): void {
    const { w, heap, gb } = this.library;
    const { ulp } = this;
    for (let lbid = 1; lbid <= this.head.rows; lbid++) this.setPosition(lbid);
    const sbid = w[ulp + ULP.sbid]!;
    if (sbid !== 0) this.library.btab.positions.loadSend(ulp, rowOf(w, ulp, sbid));
    const rbid = w[ulp + ULP.rbid]!;
    const row = rbid === 0 ? 0 : rowOf(w, ulp, rbid);
    if (row !== 0 && w[row + BTAB.gbid]! > 0) this.library.btab.positions.loadReceive(ulp, row);
    for (const { gbid } of this.buffers) {
      if (gb.gref(gbid) === 1) damaged("a buffer is nobody's");
    }
    for (const { gbid } of this.buffers.splice(0)) gb.gdecref(gbid);
    if ((w[ulp + ULP.flags]! & ULP_FLAG.outside) !== 0)
      heap.f64[(ulp + ULP.deadline) >> 1] = nowMs + this.leftMs;
    const more = w[ulp + ULP.moreAt]! >> 2;
    if (more !== 0) {
      heap.f64[(more + MORE.deadline) >> 1]! += nowMs;
      for (const at of this.interrupted) heap.f64[((at >> 2) + FRAME.deadline) >> 1]! += nowMs;
    }
    setCommon(w, ulp);
  }

  /** A row's read position: bytes become a segment and an address. All of a buffer is in one segment. */
  private setPosition(lbid: number): void {
    const { w } = this.library;
    const row = rowOf(w, this.ulp, lbid);
    const gbid = w[row + BTAB.gbid]!;
    if (gbid <= 0) return;
    const read = w[row + BTAB.unpackAt]!;
    if (w[row + BTAB.segment] === 0) return;
    const bytes = w[row + BTAB.bytes]!;
    const segment = w[(gbid >> 2) + GBUF.lastAt]!;
    w[row + BTAB.segment] = segment;
    w[row + BTAB.unpackAt] = segment + SEG_HEADER_BYTES + read;
    w[row + BTAB.left] = bytes === MADE_HERE ? this.library.gb.length(gbid) : bytes;
  }

  /** It does not stay: all that it has here goes. */
  drop(): void {
    const { w, arena, gb, btab } = this.library;
    for (const at of this.messages.splice(0)) dropMessage(w, arena, gb, at);
    btab.dispose(this.ulp);
    for (const { gbid } of this.buffers.splice(0)) gb.gdecref(gbid);
    ufreeAll(this.library, this.ulp);
    setRemote(w, this.ulp);
    this.memory = undefined;
  }
}

/**
 * The descriptor of a ULP of another process; made if this process has not heard of the ULP yet.
 *
 * @throws ImageError present, heap
 */
function remoteDescriptor(library: Library, index: number, program: number): UlpAt {
  const { w, heap } = library;
  const found = ulpAt(w, index);
  if (found !== 0) {
    if (getState(w, found) === ULP_STATE.exited) throw new ImageError("present", "it has ended");
    if (!isOutside(w, found) || w[found + ULP.blocksAt] !== 0 || w[found + ULP.btabAt] !== 0)
      throw new ImageError("present", "it is in this process already");
    w[found + ULP.module] = program;
    return found;
  }
  const parentTid = PVM_ERROR.PvmNoParent.code;
  const made = ucreate(library, index, {
    program,
    engine: heap.engines,
    parentTid,
    siblingFirst: index,
    siblingCount: 1,
  });
  if (made === 0) throw new ImageError("heap", "the process heap has no room for its descriptor");
  Atomics.sub(w, HEAD.live, 1);
  for (let ulps = Atomics.load(w, HEAD.ulps); ulps <= index; ) {
    const seen = Atomics.compareExchange(w, HEAD.ulps, ulps, index + 1);
    if (seen === ulps) break;
    ulps = seen;
  }
  return made;
}
