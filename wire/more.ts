/**
 * What few ULPs have besides their descriptor (layout.ts): options, message handlers, what these interrupted, a trace.
 *
 * Owns: offsets in these blocks of the process heap. No code here reads or writes memory.
 */

/**
 * What few ULPs need beyond their descriptor: options, message handlers, a matching function of their own. Word offsets
 * from ULP.moreAt; the block is of the ULP's heap, so that it goes when the ULP ends. Used by runtime/scheduler/more.ts.
 */
export const MORE = {
  /** Bit set of MORE_USE. */
  uses: 0,
  /** Options of pvm_setopt by their numbers, 1 … 25, from here on. */
  options: 0,
  /** Rows of message handlers (HANDLER), and how many there is room for. */
  handlersAt: 26,
  handlerRows: 27,
  /** Newest of what was interrupted to run a function of the program (FRAME); how many of them are handlers. */
  framesAt: 28,
  running: 29,
  /** Matching function of pvm_recvf: its table index; 0 the usual one. */
  matcher: 30,
  /** Last message of the queue that no handler takes, 0: none was looked at. */
  scanned: 31,
  /** 1: the receive that comes next is the one that was interrupted. */
  again: 32,
  /** Of a receive with a matching function: local ids of the message that was asked about last, of the best; its rank. */
  scanAt: 33,
  bestAt: 34,
  bestRank: 35,
  /** Milliseconds; f64 at an even word: when the pvm_trecv that was interrupted ends. */
  deadline: 36,
  /** Request of the barrier that the ULP is in, 0 none, and its answer: SUSPEND until it comes (runtime/pvm/attended.ts). */
  asked: 38,
  answer: 39,
  /** Trace masks, a bit for each event: of the ULP, of tasks that it spawns from now on. */
  traceMask: 40,
  childMask: 44,
  words: 48,
} as const;
/** What a ULP uses that the short way of a message does not do; `context`: its context could be taken for another word. */
export const MORE_USE = { handlers: 1, matcher: 2, wid: 4, context: 8, trace: 16 } as const;

/** Words of a trace mask: a bit for each event. */
export const MASK_WORDS = 4;
/**
 * What a ULP is traced with (runtime/scheduler/trace.ts): a block without addresses, which moves as it is. Word offsets; the
 * bytes of events that wait to be sent follow.
 */
export const TRACE = {
  /** Bytes of the block, and of the events in it. */
  bytes: 0,
  used: 1,
  /** Calls under way (TRACE_CALL), innermost last: how many, and their rows. */
  depth: 2,
  /** Bits of events that were described already: of entries, of exits. */
  toldEntry: 4,
  toldExit: 8,
  calls: 12,
  /** By event: how many there were, and milliseconds in the routine (f64 at an even word). */
  counts: 140,
  times: 268,
  words: 524,
} as const;
/** A call under way. Word offsets. */
export const TRACE_CALL = {
  event: 0,
  /** One of TRACE_CALL_KIND. */
  kind: 1,
  /** How many functions of the program had been interrupted when it began (FRAME). */
  frames: 2,
  /** When it began, milliseconds since 1970; f64 at an even word. */
  began: 4,
  args: 6,
  words: 16,
} as const;
/** `running` in the engine, or suspended in it; `interrupted` by a function of the program; `library`: code of the guest library. */
export const TRACE_CALL_KIND = { running: 1, interrupted: 2, library: 3 } as const;

/** Row of message handlers: what it takes, -1 any; table index of the function, 0: a free row. */
export const HANDLER = { src: 0, tag: 1, context: 2, func: 3, words: 4 } as const;

/** What was interrupted: kept until the function of the program returns. Word offsets. */
export const FRAME = {
  previous: 0,
  /** One of FRAME_KIND. */
  kind: 1,
  sbid: 2,
  rbid: 3,
  context: 4,
  /** Handler: local id of its message, and its buffer. */
  mid: 5,
  gbid: 6,
  scanAt: 7,
  bestAt: 8,
  bestRank: 9,
  deadline: 10,
  words: 12,
} as const;
export const FRAME_KIND = { handler: 1, matcher: 2 } as const;
