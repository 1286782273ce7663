/**
 * Reads the image of a ULP (wire/image.ts) into this process. (paper, 3.2.7, stage 3)
 *
 * Owns: that nothing of a bad image stays, and nothing of a good one is copied twice. The reader is a generator: it yields the
 * bytes that it wants filled next, where they belong: in the new memory, in the process heap (filling.ts). What is read lies in
 * the words of the ULP's descriptor here, which is still that of a ULP of another process: all who send to it send there, and
 * nobody looks at these words. It can be dropped until Freezer.admit makes the ULP one of this process.
 *
 * The bytes come from a socket or a file: lengths are compared with their limits before anything is allocated, what describes
 * the ULP has a checksum, and numbers of buffers, rows and messages are checked before they become addresses. It runs on the
 * process's own thread.
 */
import { GRANULE_BYTES, IMAGE_COUNTS, IMAGE_END, IMAGE_HEAD, PAGE_BYTES } from "../../wire/image.ts";
import { BTAB, GBUF, MSG, SEG, ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { FIRST_SEGMENT, SEG_HEADER_BYTES } from "../heap/gbdesc.ts";
import type { FileEdge, Grant } from "../scheduler/files.ts";
import type { Library } from "../scheduler/library.ts";
import type { Program } from "../scheduler/programs.ts";
import type { ResumePointRow } from "../scheduler/suspended-stack.ts";
import { crc32 } from "./crc.ts";
import { ImageError, type Pages, type Reader } from "./filling.ts";
import { PLACES } from "./image.ts";
import { countsOf, headOf, type ImageHead } from "./image-head.ts";
import { Incoming } from "./incoming.ts";

/** What the reader must know of the place where the ULP comes to. */
export interface Destination {
  readonly library: Library;
  /** Row of the program with this hash; undefined: it is not here. */
  readonly programOf: (hash: string) => Program | undefined;
  /** Resume points of a program: then the frames are compared with them. */
  readonly points?: (program: Program) => readonly ResumePointRow[] | undefined;
  /** Milliseconds since this process began. */
  readonly nowMs: () => number;
  readonly grants: readonly Grant[];
  readonly files?: FileEdge;
  readonly pages?: Pages | undefined;
  /** Told when the head was read, before anything is allocated. May throw ImageError. */
  readonly expect?: (head: ImageHead) => void;
}

/** Words that were read for a checksum. */
class Described {
  private crc = 0;

  /** The checksum of all so far is next. @throws ImageError damaged */
  *check(): Reader<void> {
    const sum = new Uint32Array(1);
    yield new Uint8Array(sum.buffer);
    if (sum[0] !== this.crc) throw new ImageError("damaged", "its checksum is wrong");
  }

  *bytes(target: Uint8Array): Reader<void> {
    if (target.length === 0) return;
    yield target;
    this.crc = crc32(target, this.crc);
  }

  *words(count: number): Reader<Int32Array<ArrayBuffer>> {
    const words = new Int32Array(count);
    yield* this.bytes(new Uint8Array(words.buffer));
    return words;
  }

  /** `count` records of `size` words, a few at a time: memory is taken for what has come, not for what is claimed. */
  *records(count: number, size: number, take: (record: Int32Array, i: number) => void): Reader<void> {
    const step = Math.max(1, Math.floor(LIMITS.imageStepBytes / (4 * size)));
    for (let i = 0; i < count; i += step) {
      const n = Math.min(step, count - i);
      const words = yield* this.words(n * size);
      for (let k = 0; k < n; k++) take(words.subarray(k * size, (k + 1) * size), i + k);
    }
  }
}

/**
 * Reads one image. Returns the ULP, which nobody runs yet.
 *
 * @throws ImageError; nothing of it stays
 */
export function* readImage(to: Destination): Reader<Incoming> {
  const begin = new Described();
  const { head, program } = headOf(yield* begin.words(IMAGE_HEAD.words), to.programOf);
  to.expect?.(head);
  const incoming = new Incoming(to.library, head, program);
  let whole = false;
  try {
    const runs = yield* begin.words(2 * head.runs);
    yield* begin.check();
    yield* readMemory(incoming, runs, to.pages);
    const own = new Described();
    yield* readDescription(own, incoming, to);
    yield* own.check();
    incoming.check(to);
    yield* readBuffers(to.library, incoming);
    const end = new Int32Array(1);
    yield new Uint8Array(end.buffer);
    if (end[0] !== IMAGE_END) throw new ImageError("damaged", "it does not end where it should");
    incoming.finish(to.nowMs());
    whole = true;
    return incoming;
  } finally {
    if (!whole) incoming.drop();
  }
}

/** All but buffers' contents and the memory. */
function* readDescription(own: Described, incoming: Incoming, to: Destination): Reader<void> {
  const { head, ulp } = incoming;
  const { w, heap } = to.library;
  const block = (at: number, bytes: number) => heap.u8.subarray(at, at + bytes);
  const { buffers, messages } = countsOf(head, yield* own.words(IMAGE_COUNTS.words));
  incoming.describe(yield* own.words(ULP.words + 3));
  yield* readMore(own, incoming);
  yield* own.records(buffers, 2, ([encoding, bytes]) => incoming.addBuffer(encoding!, bytes!));
  incoming.makeRows();
  yield* own.records(head.rows, BTAB.words, (record, i) => incoming.setRow(i + 1, record));
  for (const { row, places } of incoming.inPlace) {
    const at = incoming.makePlaces(row, places);
    yield* own.bytes(block(at + 4 * PLACES.rows, 4 * PLACES.words * places));
  }
  yield* own.records(messages, MSG.words, (record) => incoming.addMessage(record));
  for (let table = 0; table < head.tables; table++) {
    const [entries = 0] = yield* own.words(1);
    incoming.tables.push(yield* own.words(incoming.tableEntries(entries)));
  }
  if (head.pages > 0) {
    yield* own.bytes(block(incoming.makeGlobals(), head.globalBytes));
    yield* own.bytes(block(incoming.makeFrames(), head.frameBytes));
  }
  yield* own.bytes(block(incoming.makeText("argsAt"), head.argsBytes));
  yield* own.bytes(block(incoming.makeText("exportAt"), head.exportBytes));
  if (head.traceBytes > 0) yield* own.bytes(incoming.makeTrace());
  for (const [fd, bytes] of [head.heldBytes, head.heldErrorBytes].entries()) {
    const line = new Uint8Array(bytes);
    yield* own.bytes(line);
    incoming.held[fd + 1] = line;
  }
  const files = new Uint8Array(head.fileBytes);
  yield* own.bytes(files);
  incoming.fileText = files;
  incoming.checkTexts(w, ulp);
}

function* readMore(own: Described, incoming: Incoming): Reader<void> {
  const { head } = incoming;
  if (head.more === 0) return;
  yield* own.bytes(incoming.makeMore());
  if (head.handlers > 0) yield* own.bytes(incoming.makeHandlers());
  for (let i = 0; i < head.frames; i++) yield* own.bytes(incoming.makeInterrupted());
}

/** Contents of the buffers, into their segments: one for each buffer, beside the first if it is not enough. */
function* readBuffers({ w, heap, gb }: Library, { buffers }: Incoming): Reader<void> {
  for (const { gbid, bytes } of buffers) {
    if (bytes === 0) continue;
    const first = gbid + FIRST_SEGMENT;
    const segment = bytes <= LIMITS.bufferFirstBytes ? first : gb.addSegment(gbid, bytes);
    if (segment === 0)
      throw new ImageError("heap", `the process heap has no room for ${bytes} bytes of a message`);
    const data = segment + SEG_HEADER_BYTES;
    yield heap.u8.subarray(data, data + bytes);
    w[(segment >> 2) + SEG.used] = bytes;
    if (w[(gbid >> 2) + GBUF.refs] === 0) throw new Error("bug: a buffer has gone while it was read");
  }
}

/** Pages of the memory, into the memory. */
function* readMemory(incoming: Incoming, runs: Int32Array, pages: Pages | undefined): Reader<void> {
  const { head } = incoming;
  if (head.pages === 0) return;
  const memory = incoming.makeMemory();
  const granules = (head.pages * PAGE_BYTES) / GRANULE_BYTES;
  let past = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const [from, count] = [runs[i]!, runs[i + 1]!];
    if (from < past || count < 1 || count > granules - from)
      throw new ImageError("damaged", "its pages are not in order");
    past = from + count;
    const run = memory.subarray(from * GRANULE_BYTES, past * GRANULE_BYTES);
    pages?.begin(run);
    for (let at = 0; at < run.length; at += LIMITS.pagesBytes) {
      const next = run.subarray(at, at + LIMITS.pagesBytes);
      pages?.next(next);
      yield next;
    }
  }
}
