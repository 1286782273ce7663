/**
 * Writes the image of a frozen ULP (wire/image.ts).
 *
 * Owns: what of a ULP goes into its image, and in which form. Nothing large is copied: the pieces are views of its memory and
 * of the process heap, good while it stays frozen; they are written one after the other. The ULP is as before afterwards, so
 * that it can be thawed. It runs on the process's own thread.
 */
import {
  FRAME_FATE,
  GRANULE_BYTES,
  IMAGE_COUNTS,
  IMAGE_END,
  IMAGE_HEAD,
  IMAGE_MAGIC,
  IMAGE_VERSION,
  PAGE_BYTES,
  ULP_MOVES,
} from "../../wire/image.ts";
import { BTAB, GBUF, LINK_ABI, MSG, SEG, ULP, ULP_FLAG, ULP_MIGRATING } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { FRAME, HANDLER, MORE, TRACE } from "../../wire/more.ts";
import { FIRST_SEGMENT, SEG_HEADER_BYTES } from "../heap/gbdesc.ts";
import { MADE_HERE, rowOf } from "../heap/positions.ts";
import type { OpenFile } from "../scheduler/files.ts";
import type { Library } from "../scheduler/library.ts";
import { drainInbox } from "../scheduler/mailbox.ts";
import { moreOf } from "../scheduler/more.ts";
import type { UlpAt } from "../scheduler/state.ts";
import { crc32 } from "./crc.ts";
import type { FrozenUlp } from "./freezer.ts";
import type { Weight } from "./moves.ts";

/** Bytes of SHA-256. */
export const HASH_BYTES = 32;

export interface Image {
  /** To be written in this order. Views of memories that the ULP has. */
  readonly pieces: readonly Uint8Array[];
  readonly bytes: number;
}

/** What the writer must know besides the ULP. */
export interface ImageContext {
  /** SHA-256 of its linked module. */
  readonly hash: Uint8Array;
  /** Milliseconds since this process began: what deadlines count from. */
  readonly nowMs: number;
  /** What programs call the folders that were granted, in order. */
  readonly grants: readonly string[];
}

/** Open files as they are in an image: of a grant its name, since the destination may have others. */
export interface FileInImage extends Omit<OpenFile, "grant"> {
  readonly grant: string;
}

/** Words of which the image is made, in order. */
class Words {
  private readonly list: number[] = [];

  put(...values: number[]): void {
    for (const value of values) this.list.push(value);
  }

  range(w: Int32Array, at: number, n: number): void {
    for (let i = 0; i < n; i++) this.list.push(w[at + i]!);
  }

  /** A number of two words. */
  float(value: number): void {
    const two = new Int32Array(2);
    new Float64Array(two.buffer)[0] = value;
    this.put(two[0]!, two[1]!);
  }

  bytes(): Uint8Array {
    return new Uint8Array(Int32Array.from(this.list).buffer);
  }
}

/** The buffers of a ULP, numbered from 1, and how much of each must travel. */
class Buffers {
  readonly numbers = new Map<number, number>();
  readonly lengths: number[] = [];

  /** Number of a buffer, of which `bytes` bytes are needed. */
  number(gbid: number, bytes: number): number {
    let number = this.numbers.get(gbid);
    if (number === undefined) {
      number = this.lengths.push(0);
      this.numbers.set(gbid, number);
    }
    this.lengths[number - 1] = Math.max(this.lengths[number - 1]!, bytes);
    return number;
  }
}

/**
 * Why a ULP has no image, and its user may read it; undefined: it has one.
 *
 * A group that this process keeps stays in it; groups of a job of several processes are kept by the virtual machine.
 */
export function whyNoImage(w: Int32Array, ulp: UlpAt): string | undefined {
  return w[ulp + ULP.groupsAt] === 0 ? undefined : "it is in a group that is kept by its process";
}

/** The image of a frozen ULP: of this moment, with all messages that have come. There is one (whyNoImage). */
export function imageOf(library: Library, frozen: FrozenUlp, context: ImageContext): Image {
  const memory = memoryOf(library, frozen, context, runsOf(liveRuns(linearMemory(frozen))));
  const rest = descriptionOf(library, frozen, context);
  return { pieces: [...memory.pieces, ...rest.pieces], bytes: memory.bytes + rest.bytes };
}

/** How long the parts of a ULP are that stay as they are as long as it is frozen. */
function lengthsOf({ w, programs }: Library, { ulp, parcel }: FrozenUlp, grants: readonly string[]) {
  const program = programs[w[ulp + ULP.module]!]!;
  const more = moreOf(w, ulp);
  let frames = 0;
  if (more !== 0)
    for (let at = w[more + MORE.framesAt]!; at !== 0; at = w[(at >> 2) + FRAME.previous]!) frames++;
  const trace = w[ulp + ULP.traceAt]! >> 2;
  const [held, heldError] = [parcel.held[1] ?? NONE, parcel.held[2] ?? NONE];
  const files = new TextEncoder().encode(JSON.stringify(filesOf(parcel.files, grants)));
  return {
    ...{ held, heldError, files, frames },
    handlers: more === 0 ? 0 : w[more + MORE.handlerRows]!,
    frameBytes: w[ulp + ULP.framesTop]! - w[ulp + ULP.framesBase]!,
    globalBytes: w[ulp + ULP.savedAt] === 0 ? 0 : program.stateBytes,
    argsBytes: textBytes(w, w[ulp + ULP.argsAt]!, 2),
    exportBytes: textBytes(w, w[ulp + ULP.exportAt]!, 1),
    traceBytes: trace === 0 ? 0 : TRACE.words * 4 + w[trace + TRACE.used]!,
  };
}

/**
 * The first part of an image: the head and the memory, which nobody changes as long as the ULP is frozen.
 *
 * @param runs  what of the memory is not zero: liveRuns
 */
export function memoryOf(
  library: Library,
  frozen: FrozenUlp,
  context: ImageContext,
  runs: readonly number[],
): Image {
  const { w } = library;
  const { ulp, parcel } = frozen;
  const memory = linearMemory(frozen);
  const lengths = lengthsOf(library, frozen, context.grants);
  const head = new Int32Array(IMAGE_HEAD.words);
  const set = (word: Exclude<keyof typeof IMAGE_HEAD, "words">, value: number): void => {
    head[IMAGE_HEAD[word]] = value;
  };
  set("magic", IMAGE_MAGIC);
  set("version", IMAGE_VERSION);
  set("abi", LINK_ABI);
  set("tid", w[ulp + ULP.tid]!);
  set("index", frozen.index);
  new Uint8Array(head.buffer).set(context.hash, 4 * IMAGE_HEAD.module);
  set("pages", memory.length / PAGE_BYTES);
  set("runs", runs.length / 2);
  set("frameBytes", lengths.frameBytes);
  set("globalBytes", lengths.globalBytes);
  set("tables", parcel.tables.length);
  set("more", moreOf(w, ulp) === 0 ? 0 : 1);
  set("handlers", lengths.handlers);
  set("frames", lengths.frames);
  set("rows", w[ulp + ULP.btabRows]!);
  set("argsBytes", lengths.argsBytes);
  set("exportBytes", lengths.exportBytes);
  set("traceBytes", lengths.traceBytes);
  set("heldBytes", lengths.held.length);
  set("heldErrorBytes", lengths.heldError.length);
  set("fileBytes", lengths.files.length);
  const described = [new Uint8Array(head.buffer), new Uint8Array(Int32Array.from(runs).buffer)];
  const pieces = [...described, checksum(described)];
  for (let i = 0; i < runs.length; i += 2) {
    const from = runs[i]! * GRANULE_BYTES;
    pieces.push(memory.subarray(from, from + runs[i + 1]! * GRANULE_BYTES));
  }
  return imageOfPieces(pieces);
}

/** The rest of it, with all messages that have come until now. */
export function descriptionOf(library: Library, frozen: FrozenUlp, context: ImageContext): Image {
  const { w, heap, btab } = library;
  const { ulp, parcel } = frozen;
  drainInbox(w, ulp);
  // From here on the buffers and the rows tell what was packed and read.
  btab.sealSend(ulp);
  const buffers = new Buffers();
  const rows = rowWords(library, ulp, buffers);
  const messages = messageWords(w, ulp, buffers);
  const more = moreWords(library, ulp, buffers.numbers, context.nowMs);
  const lengths = lengthsOf(library, frozen, context.grants);
  const heapBytes = (at: number, bytes: number) => heap.u8.subarray(at, at + bytes);
  const counts = new Int32Array(IMAGE_COUNTS.words);
  counts[IMAGE_COUNTS.buffers] = buffers.lengths.length;
  counts[IMAGE_COUNTS.messages] = w[ulp + ULP.msgqCount]!;
  const described = [
    new Uint8Array(counts.buffer),
    descriptorWords(library, ulp, context.nowMs, parcel.closed),
    ...(more === undefined ? [] : [more]),
    bufferWords(w, buffers),
    rows,
    ...placeBytes(library, ulp),
    messages,
    ...tableBytes(parcel.tables),
    heapBytes(w[ulp + ULP.savedAt]!, lengths.globalBytes),
    heapBytes(w[ulp + ULP.framesBase]!, lengths.frameBytes),
    heapBytes(w[ulp + ULP.argsAt]!, lengths.argsBytes),
    heapBytes(w[ulp + ULP.exportAt]!, lengths.exportBytes),
    heapBytes(w[ulp + ULP.traceAt]!, lengths.traceBytes),
    lengths.held,
    lengths.heldError,
    lengths.files,
  ];
  return imageOfPieces([
    ...described,
    checksum(described),
    ...bufferBytes(library, buffers),
    words(IMAGE_END),
  ]);
}

function checksum(pieces: readonly Uint8Array[]): Uint8Array {
  return words(pieces.reduce((crc, bytes) => crc32(bytes, crc), 0));
}

function imageOfPieces(all: readonly Uint8Array[]): Image {
  const pieces = all.filter(({ length }) => length > 0);
  return { pieces, bytes: pieces.reduce((total, { length }) => total + length, 0) };
}

/** What a frozen ULP needs where it goes. Nothing of its memory is looked at. */
export function weightOf(library: Library, { ulp, parcel }: FrozenUlp): Weight {
  const { w } = library;
  drainInbox(w, ulp);
  const buffers = new Buffers();
  rowWords(library, ulp, buffers);
  messageWords(w, ulp, buffers);
  const frameBytes = w[ulp + ULP.framesTop]! - w[ulp + ULP.framesBase]!;
  const heapBytes = buffers.lengths.reduce((sum, bytes) => sum + bytes, frameBytes);
  return { memoryBytes: parcel.memory?.buffer.byteLength ?? 0, heapBytes };
}

const NONE = new Uint8Array(0);

function words(...values: number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer);
}

/** Words of the descriptor that move, each in its place; which streams are closed; how long its wait has to go. */
function descriptorWords(library: Library, ulp: UlpAt, nowMs: number, closed: number): Uint8Array {
  const { w, heap } = library;
  const own = new Words();
  const moved = new Int32Array(ULP.words);
  for (const word of ULP_MOVES) moved[word] = w[ulp + word]!;
  moved[ULP.state] = w[ulp + ULP.state]! & ~ULP_MIGRATING;
  own.put(...moved, closed);
  const waits = (w[ulp + ULP.flags]! & ULP_FLAG.outside) !== 0;
  own.float(waits ? Math.max(0, heap.f64[(ulp + ULP.deadline) >> 1]! - nowMs) : 0);
  return own.bytes();
}

/** MORE with its handlers and frames; undefined: the ULP has none. */
function moreWords(library: Library, ulp: UlpAt, numbers: ReadonlyMap<number, number>, nowMs: number) {
  const { w, heap } = library;
  const more = moreOf(w, ulp);
  if (more === 0) return undefined;
  const own = new Words();
  const block = w.slice(more, more + MORE.words);
  block[MORE.handlersAt] = 0;
  block[MORE.handlerRows] = 0;
  block[MORE.framesAt] = 0;
  block[MORE.scanned] = placeInQueue(w, ulp, w[more + MORE.scanned]!);
  const left = (at: number): number => heap.f64[at >> 1]! - nowMs;
  new Float64Array(block.buffer)[MORE.deadline >> 1] = left(more + MORE.deadline);
  own.range(block, 0, MORE.words);
  const handlers = w[more + MORE.handlerRows]!;
  own.range(w, w[more + MORE.handlersAt]! >> 2, handlers * HANDLER.words);
  for (let at = w[more + MORE.framesAt]!; at !== 0; at = w[(at >> 2) + FRAME.previous]!) {
    const frame = at >> 2;
    const moved = new Int32Array(FRAME.words);
    for (const [name, fate] of Object.entries(FRAME_FATE)) {
      const word = FRAME[name as keyof typeof FRAME_FATE];
      if (fate === "moves") moved[word] = w[frame + word]!;
    }
    // It has no reference of its own: the buffer may be gone, and its number is only compared.
    moved[FRAME.gbid] = numbers.get(w[frame + FRAME.gbid]!) ?? 0;
    new Float64Array(moved.buffer)[FRAME.deadline >> 1] = left(frame + FRAME.deadline);
    own.range(moved, 0, FRAME.words);
  }
  return own.bytes();
}

/** Place of a message in its queue, from 1; 0: none. */
function placeInQueue(w: Int32Array, ulp: UlpAt, message: number): number {
  let place = 0;
  if (message === 0) return 0;
  for (let at = w[ulp + ULP.msgqHead]!; at !== 0; at = w[(at >> 2) + MSG.next]!) {
    place++;
    if (at === message) return place;
  }
  return 0;
}

/** The buffer table, row by row. */
function rowWords(library: Library, ulp: UlpAt, buffers: Buffers): Uint8Array {
  const { w, gb } = library;
  const own = new Words();
  for (let lbid = 1; lbid <= w[ulp + ULP.btabRows]!; lbid++) {
    const row = rowOf(w, ulp, lbid);
    const moved = w.slice(row, row + BTAB.words);
    const gbid = w[row + BTAB.gbid]!;
    if (gbid > 0) {
      const bytes = w[row + BTAB.bytes]!;
      moved[BTAB.gbid] = buffers.number(gbid, bytes === MADE_HERE ? gb.length(gbid) : bytes);
      const begun = w[row + BTAB.segment] !== 0;
      moved[BTAB.segment] = begun ? 1 : 0;
      const at = lbid === w[ulp + ULP.rbid] ? w[ulp + ULP.unpackAt]! : w[row + BTAB.unpackAt]!;
      moved[BTAB.unpackAt] = begun ? bytesRead(w, gbid, w[row + BTAB.segment]!, at) : 0;
    } else {
      moved[BTAB.unpackAt] = 0;
      if (gbid < 0) moved[BTAB.segment] = 0;
    }
    moved[BTAB.left] = 0;
    const places = w[row + BTAB.placesAt]!;
    // Of a free row what is left there means nothing.
    moved[BTAB.placesAt] = gbid === 0 || places === 0 ? 0 : w[places >> 2]!;
    own.range(moved, 0, BTAB.words);
  }
  return own.bytes();
}

/** How much of a buffer was read that is read in `segment`, at `at`. */
function bytesRead(w: Int32Array, gbid: number, segment: number, at: number): number {
  let bytes = 0;
  let s = gbid + FIRST_SEGMENT;
  for (; s !== segment; s = w[(s >> 2) + SEG.next]!) bytes += w[(s >> 2) + SEG.used]!;
  return bytes + at - s - SEG_HEADER_BYTES;
}

/** What PvmDataInPlace buffers are made of: three words for each place (runtime/pvm/in-place.ts). */
function placeBytes({ w, heap }: Library, ulp: UlpAt): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let lbid = 1; lbid <= w[ulp + ULP.btabRows]!; lbid++) {
    const row = rowOf(w, ulp, lbid);
    const at = w[row + BTAB.placesAt]!;
    if (w[row + BTAB.gbid] === 0 || at === 0) continue;
    const from = at + 4 * PLACES.rows;
    pieces.push(heap.u8.subarray(from, from + 4 * PLACES.words * w[at >> 2]!));
  }
  return pieces;
}

/** A list of places: how many, room for how many, and then their rows, of so many words. */
export const PLACES = { count: 0, room: 1, rows: 2, words: 3 } as const;

function messageWords(w: Int32Array, ulp: UlpAt, buffers: Buffers): Uint8Array {
  const own = new Words();
  for (let at = w[ulp + ULP.msgqHead]!; at !== 0; at = w[(at >> 2) + MSG.next]!) {
    const moved = w.slice(at >> 2, (at >> 2) + MSG.words);
    moved[MSG.next] = 0;
    moved[MSG.gbid] = buffers.number(moved[MSG.gbid]!, moved[MSG.bytes]!);
    own.range(moved, 0, MSG.words);
  }
  return own.bytes();
}

function bufferWords(w: Int32Array, { numbers, lengths }: Buffers): Uint8Array {
  const own = new Words();
  for (const [gbid, number] of numbers) own.put(w[(gbid >> 2) + GBUF.encoding]!, lengths[number - 1]!);
  return own.bytes();
}

/** Views of the buffers' segments, as far as they must travel. */
function bufferBytes({ w, heap }: Library, { numbers, lengths }: Buffers): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (const [gbid, number] of numbers) {
    let left = lengths[number - 1]!;
    for (let s = gbid + FIRST_SEGMENT; left > 0; s = w[(s >> 2) + SEG.next]!) {
      const count = Math.min(w[(s >> 2) + SEG.used]!, left);
      if (count > 0) pieces.push(heap.u8.subarray(s + SEG_HEADER_BYTES, s + SEG_HEADER_BYTES + count));
      left -= count;
    }
  }
  return pieces;
}

function tableBytes(tables: readonly Int32Array[]): Uint8Array[] {
  return tables.flatMap((table) => [
    words(table.length),
    new Uint8Array(table.buffer, table.byteOffset, table.byteLength),
  ]);
}

/** Length of a block of texts that begins with `heads` words, lengths of its parts; 0: none (runtime/pvm/program-texts.ts). */
function textBytes(w: Int32Array, at: number, heads: number): number {
  if (at === 0) return 0;
  let bytes = 4 * heads;
  for (let i = 0; i < heads; i++) bytes += w[(at >> 2) + i]!;
  return bytes;
}

function filesOf(
  files: readonly (OpenFile | undefined)[] | undefined,
  grants: readonly string[],
): (FileInImage | null)[] | null {
  if (files === undefined) return null;
  return Array.from(files, (file) =>
    file === undefined ? null : { ...file, grant: grants[file.grant] as string },
  );
}

/** A ULP's memory; of length 0 if it has none yet. */
export function linearMemory({ parcel }: FrozenUlp): Uint8Array {
  return parcel.memory === undefined ? NONE : new Uint8Array(parcel.memory.buffer);
}

/** What a scan finds, without pauses. */
export function runsOf(scan: ReturnType<typeof liveRuns>): number[] {
  for (;;) {
    const { done, value } = scan.next();
    if (done) return value;
  }
}

/**
 * Granules of a memory that hold anything but zeros, as runs: first granule, how many. It yields after every
 * LIMITS.scanBytes of zeros: what else runs on this thread must not wait for a large memory.
 */
export function* liveRuns(memory: Uint8Array): Generator<void, number[]> {
  const view = new Int32Array(memory.buffer, memory.byteOffset, memory.byteLength >> 2);
  const perGranule = GRANULE_BYTES >> 2;
  const runs: number[] = [];
  let from = -1;
  let zeroBytes = 0;
  const granules = view.length / perGranule;
  for (let granule = 0; granule <= granules; granule++) {
    const live = granule < granules && isLive(view, granule * perGranule, (granule + 1) * perGranule);
    if (live && from < 0) from = granule;
    else if (!live && from >= 0) {
      runs.push(from, granule - from);
      from = -1;
    }
    if (live || granule === granules) continue;
    zeroBytes += GRANULE_BYTES;
    if (zeroBytes % LIMITS.scanBytes === 0) yield;
  }
  return runs;
}

/** Ends at the first word that is not zero: only zeros take time. */
function isLive(view: Int32Array, from: number, to: number): boolean {
  for (let at = from; at < to; at += 4)
    if ((view[at]! | view[at + 1]! | view[at + 2]! | view[at + 3]!) !== 0) return true;
  return false;
}
