/**
 * Image of a ULP: everything that it is, serialised (paper, 3.2.7, stage 3). Sent to another process, or kept in a file.
 *
 * Little-endian. The head's counts say how long each part is; parts follow each other without gaps:
 *
 *     head │ pages: first, how many │ checksum ║ pages of the memory ║ counts
 *     descriptor, time left │ MORE, handlers, frames of them │ buffers: encoding, bytes │ buffer table │ places in place
 *     messages │ tables │ globals │ unwind frames │ arguments │ exported environment │ TRACE │ output lines 1, 2
 *     open files (JSON) │ checksum from the counts on ║ bytes of the buffers │ end
 *
 * What is before the counts is known as soon as the ULP is frozen: it is sent while messages to it still come.
 * Addresses of the process heap do not travel: a buffer is its number in the list, from 1; a message its place in the queue,
 * from 1; a read position how many bytes were read; a time how long it has to go, milliseconds.
 * Owns: the shapes, and which words of the runtime's structures belong to a ULP. Writing is runtime/migrate/image.ts, reading
 * runtime/migrate/restore.ts.
 */
import { type BTAB, type MSG, ULP } from "./layout.ts";
import type { FRAME, HANDLER, MORE } from "./more.ts";

/** First word of an image: "UPVI". */
export const IMAGE_MAGIC = 0x49565055;
/** Version of this format. A reader takes only its own. */
export const IMAGE_VERSION = 3;
/** Last word. */
export const IMAGE_END = 0x2e444e45;
/** What the memory is sent in, bytes: a granule that holds only zeros is not sent. */
export const GRANULE_BYTES = 4096;
/** Bytes of a wasm page. */
export const PAGE_BYTES = 65_536;

/** Words of the head. */
export const IMAGE_HEAD = {
  magic: 0,
  version: 1,
  /** LINK_ABI of the program and its runtime. */
  abi: 2,
  tid: 3,
  index: 4,
  /** SHA-256 of the linked module. */
  module: 5,
  /** Size of the memory, wasm pages; 0: the ULP has none, since it never ran. */
  pages: 13,
  /** Runs of granules that are sent. */
  runs: 14,
  frameBytes: 15,
  globalBytes: 16,
  tables: 17,
  /** 1: there is a MORE block. */
  more: 18,
  handlers: 19,
  /** FRAMEs: functions of the program that were interrupted. */
  frames: 20,
  /** Rows of the buffer table, used or not. */
  rows: 22,
  argsBytes: 24,
  exportBytes: 25,
  heldBytes: 26,
  /** Of standard error. */
  heldErrorBytes: 27,
  fileBytes: 28,
  /** What it is traced with. */
  traceBytes: 29,
  words: 32,
} as const;

/** Of what has come for it until its description is made. */
export const IMAGE_COUNTS = { buffers: 0, messages: 1, words: 2 } as const;

/**
 * What becomes of a word: it moves as it is; it is made anew, from what the image has in another form or from the place where
 * the ULP comes to; or there is no image of a ULP in which it is not 0.
 */
export type WordFate = "moves" | "anew" | "zero";
type Fates<T> = { readonly [Name in Exclude<keyof T, "words" | "uses" | "options">]: WordFate };

export const ULP_FATE: Fates<typeof ULP> = {
  tid: "anew",
  index: "anew",
  state: "moves",
  engine: "anew",
  waiting: "anew",
  inbox: "anew",
  wakeNext: "anew",
  queueNext: "anew",
  queuePrev: "anew",
  msgqHead: "anew",
  msgqTail: "anew",
  msgqCount: "anew",
  wait: "moves",
  waitTid: "moves",
  waitTag: "moves",
  result: "moves",
  btabAt: "anew",
  btabRows: "anew",
  btabFree: "moves",
  sbid: "moves",
  rbid: "moves",
  packAt: "anew",
  packEnd: "anew",
  unpackAt: "anew",
  unpackEnd: "anew",
  framesBase: "anew",
  framesTop: "anew",
  framesLimit: "anew",
  module: "anew",
  parentTid: "moves",
  exitCode: "moves",
  savedAt: "anew",
  precvAt: "moves",
  precvBytes: "moves",
  deadline: "anew",
  switches: "moves",
  sent: "moves",
  received: "moves",
  flags: "moves",
  outTid: "moves",
  outTag: "moves",
  outLen: "moves",
  errno: "moves",
  waitWord: "moves",
  blocksAt: "anew",
  inboxCount: "anew",
  siblingFirst: "moves",
  siblingCount: "moves",
  argsAt: "anew",
  sgbid: "anew",
  context: "moves",
  common: "anew",
  moreAt: "anew",
  request: "moves",
  // A group that this process keeps stays in it: a ULP that is in one has no image.
  groupsAt: "zero",
  groupNext: "anew",
  tellEnd: "moves",
  killed: "moves",
  exportAt: "anew",
  frontAt: "anew",
  traceAt: "anew",
};

export const MORE_FATE: Fates<typeof MORE> = {
  handlersAt: "anew",
  handlerRows: "anew",
  framesAt: "anew",
  running: "moves",
  matcher: "moves",
  scanned: "anew",
  again: "moves",
  scanAt: "moves",
  bestAt: "moves",
  bestRank: "moves",
  deadline: "anew",
  asked: "moves",
  answer: "moves",
  traceMask: "moves",
  childMask: "moves",
};

export const FRAME_FATE: Fates<typeof FRAME> = {
  previous: "anew",
  kind: "moves",
  sbid: "moves",
  rbid: "moves",
  context: "moves",
  mid: "moves",
  gbid: "anew",
  scanAt: "moves",
  bestAt: "moves",
  bestRank: "moves",
  deadline: "anew",
};

export const BTAB_FATE: Fates<typeof BTAB> = {
  gbid: "anew",
  segment: "anew",
  unpackAt: "anew",
  bytes: "moves",
  left: "anew",
  src: "moves",
  tag: "moves",
  context: "moves",
  wid: "moves",
  dst: "moves",
  placesAt: "anew",
};

export const MSG_FATE: Fates<typeof MSG> = {
  next: "anew",
  src: "moves",
  tag: "moves",
  gbid: "anew",
  bytes: "moves",
  context: "moves",
  lbid: "moves",
  wid: "moves",
};

export const HANDLER_FATE: Fates<typeof HANDLER> = { src: "moves", tag: "moves", context: "moves", func: "moves" };

/** Words of a descriptor that move. */
export const ULP_MOVES: readonly number[] = Object.entries(ULP_FATE)
  .filter(([, fate]) => fate === "moves")
  .map(([name]) => ULP[name as keyof typeof ULP_FATE]);
