/**
 * Where things are in the memories that engines, linked programs and the process share.
 *
 * Three memories: the guest's own (memory 0 of a linked module), one control page for each engine (memory 1),
 * and one heap for the process (memory 2). Everything about a ULP that is not its wasm instance is in the heap,
 * so that it moves between engines without a copy and any thread can read it, even when its engine is busy.
 *
 * A word is 32 bits. Names ending in `At` hold byte addresses in the heap; 0 is nobody's address.
 * Owns: offsets. No code here reads or writes memory.
 */

/** Version of the interface between a linked module and the runtime: imports, exports, these offsets. */
export const LINK_ABI = 3;

/** Custom sections that upvm writes into a module. */
export const SECTION = {
  /** Link step: what the runtime must know to run the module (JSON). */
  link: "upvm.link",
  /** Link step: where its code was in the original (runtime/link/offset-map.ts). */
  offsets: "upvm.offsets",
  /** Compile step: source map of the original, last in the file (runtime/link/source-map.ts). */
  sourceMap: "upvm.sourcemap",
} as const;

/** What the import of a routine that may block returns when it does: no PVM result and no errno is this. */
export const SUSPEND = -2147483648;
/**
 * What a routine that looks for messages returns, in a program that has message handlers or a matching function: one of
 * these functions must run first, and then the routine is called again (runtime/link/interrupts.ts).
 */
export const INTERRUPT = { handle: -2147483647, match: -2147483646 } as const;

/** Control page of one engine, byte offsets. Imported by every ULP on it as `upvm.ctl`. */
export const CTL = {
  /** Nonzero: the next poll calls the engine. Any thread may store one of ATTENTION (Atomics). */
  attention: 0,
  /** Descriptor of the running ULP (byte address in the heap); written by the engine before it resumes one. */
  current: 4,
  bytes: 65_536,
} as const;

export const ATTENTION = {
  none: 0,
  /** Stop, or there may be something to take, or somebody who has waited long. */
  look: 1,
  /** Another engine has nothing to run, and a ULP here has waited long for the one that runs. */
  give: 2,
  /** The profile wants to know where the running ULP is. */
  sample: 3,
  /** A time slice is over. */
  slice: 4,
} as const;

/** ULP descriptor (paper, 3.2.1), word offsets from its start. Names in brackets are the paper's. */
export const ULP = {
  tid: 0,
  /** 0 … N−1 in order of creation; row in the ULP table. */
  index: 1,
  /** One of ULP_STATE. [current state] */
  state: 2,
  /** Engine that has it. [host VPid] Written by that engine only, or by the giver while it is handed over. */
  engine: 3,
  /** 1 while it waits for a message and nobody has claimed to wake it (Atomics: who turns it to 0 must wake it). */
  waiting: 4,
  /** Messages from other engines, newest first (Atomics: compare-and-swap push; owner exchanges with 0). */
  inbox: 5,
  /** Link in an engine's wake list. */
  wakeNext: 6,
  /** Links of the engine's run or wait queue: descriptors, as word indices; 0 none, -1 in no queue. */
  queueNext: 7,
  queuePrev: 8,
  /** [umsgq] first and last message descriptor, and how many. */
  msgqHead: 9,
  msgqTail: 10,
  msgqCount: 11,
  /** [event descriptor] one of WAIT, and what for. */
  wait: 12,
  waitTid: 13,
  waitTag: 14,
  /** What the blocking call returns when the ULP runs again. Read by the linked module. */
  result: 15,
  /** [ubtab] rows, how many, first free row, default send and receive buffer (local ids, 0 none). */
  btabAt: 16,
  btabRows: 17,
  btabFree: 18,
  sbid: 19,
  rbid: 20,
  /** Pack position: next byte and end of the last segment of the default send buffer; 0,0 if there is none. */
  packAt: 21,
  packEnd: 22,
  /** Unpack position in the default receive buffer: next byte and end of this segment; 0,0 if there is none. */
  unpackAt: 23,
  unpackEnd: 24,
  /** [saved context] unwind frames: base, top (base: none), limit. */
  framesBase: 25,
  framesTop: 26,
  framesLimit: 27,
  /** Row of the module table. */
  module: 28,
  parentTid: 29,
  exitCode: 30,
  /** Where the globals and changed table entries are while it moves (heap), 0 else. */
  savedAt: 31,
  /** precv: where the data goes in the guest's memory, and how much fits, bytes. */
  precvAt: 32,
  precvBytes: 33,
  /** Time of a trecv or sleep, milliseconds since the process began; f64 at an even word. */
  deadline: 34,
  /** Counters for --stats: low words, wrap at 2^32; summed into the engine's when it ends. */
  switches: 36,
  sent: 37,
  received: 38,
  /** Flags: see ULP_FLAG. */
  flags: 39,
  /** precv out-parameters (guest addresses): tid, tag, len. */
  outTid: 40,
  outTag: 41,
  outLen: 42,
  /** Last error (PVM_ERROR code), for pvm_perror. */
  errno: 43,
  /** Precv: what one item of its type needs, bytes. pvm_spawn and other waits: a word of their own. */
  waitWord: 44,
  /** First of the blocks that umalloc gave it (runtime/scheduler/uheap.ts); freed when it ends. */
  blocksAt: 45,
  /** Messages in `inbox`, for its limit (Atomics). */
  inboxCount: 46,
  /** Index of the first ULP that was started together with it, and how many they are. */
  siblingFirst: 47,
  siblingCount: 48,
  /** Arguments and environment of a spawned ULP (runtime/pvm/program-texts.ts); 0: those of the process. */
  argsAt: 50,
  /** Buffer that packAt lies in: the default send buffer if it was made here; 0: none, or a received one. */
  sgbid: 49,
  /** Its context: it sends in it, and receives what was sent in it. Any int; 0 is PvmBaseContext. */
  context: 51,
  /**
   * What sender and receiver must have in common for the short way of a message (runtime/kernel/): the context, or a
   * number of its own if the ULP needs more than the short way does (runtime/scheduler/more.ts).
   */
  common: 52,
  /** Block of what few ULPs need (MORE): options, message handlers; 0 none. */
  moreAt: 53,
  /** Number of its last request to the virtual machine (runtime/pvm/ask.ts). */
  request: 54,
  /** First of its memberships in groups (MEMBER, byte address), 0 none. */
  groupsAt: 58,
  /** Next of those that wait in the same barrier: a descriptor, as word index, 0 at the end. */
  groupNext: 59,
  /** 1: the virtual machine is to be told when it ends or leaves PVM (Atomics: any thread sets it). */
  tellEnd: 55,
  /** Signal that ended it (pvm_kill, pvm_sendsig), 0 none. */
  killed: 56,
  /** Environment that tasks spawned by it are given: bytes (word), then texts; 0: none (runtime/pvm/program-texts.ts). */
  exportAt: 57,
  /** First of the messages that came with it from another process: they go in front of its queue. 0 none. */
  frontAt: 60,
  /** What it is traced with (TRACE); 0: its calls make no trace events. */
  traceAt: 61,
  words: 64,
} as const;

/** Figure 5. Migrating is a qualifier: the state it had stays visible. 3.2.1's names: ready = runnable, terminated = exited. */
export const ULP_STATE = { unInit: 0, running: 1, runnable: 2, blocked: 3, exited: 4 } as const;
export const ULP_MIGRATING = 8;

/** What a blocked ULP waits for; each has a line in `--dump` and in the deadlock report. */
export const WAIT = { none: 0, recv: 1, trecv: 2, precv: 3, sleep: 4, io: 5, memory: 6, service: 7, barrier: 8, freeze: 9,
  /** As service, but a message that a handler takes ends it, too (runtime/pvm/attended.ts). */
  attended: 10,
} as const;

export const ULP_FLAG = {
  /** Entered its program at least once (asm_ustart done). */
  started: 1,
  /** Suspended at a poll, not in a call (asm_ufullLoad resumes it). */
  preempted: 2,
  /** Called pvm_exit: out of PVM, still running. */
  left: 4,
  /** Some message in its queue has a local id from pvm_probe (MSG.lbid). */
  probed: 8,
  /** Ended by a trap, a kill or a nonzero exit code. */
  failed: 16,
  /** Counted in HEAD.outside: waits with a deadline or for the world outside. */
  outside: 32,
  /** Called proc_exit: whatever its instance does afterwards, it has ended. */
  exiting: 64,
  /** Was told that it sends to a task that never was. */
  warned: 128,
  /** Has TRACE: whoever resumes it tells the trace first (runtime/pvm/tracing.ts). */
  traced: 256,
  /** PvmNoReset: goes on when the virtual machine is reset. */
  noReset: 512,
} as const;

/** Message descriptor (paper 3.2.6): (source, gbid, type, length). Word offsets. */
export const MSG = {
  next: 0,
  src: 1,
  tag: 2,
  gbid: 3,
  bytes: 4,
  context: 5,
  /** Receiver's local id for it, from pvm_probe; 0 none. In the outbox: the receiver's tid. */
  lbid: 6,
  /** Wait id, from pvm_setminfo; 0 none. */
  wid: 7,
  words: 8,
} as const;

/** Value of ULP.inbox when the ULP has ended: who sends to it drops the message. No block is at this address. */
export const INBOX_CLOSED = 1;
/** The same when the ULP has moved to another process: who sends to it finds it marked so, and sends it there. */
export const INBOX_AWAY = 2;

/**
 * Global message buffer: reference count and a list of segments. Word offsets. The first segment follows.
 * In a freed block the first two words are the allocator's links; the count stays 0, so that misuse is seen.
 */
export const GBUF = {
  /** Last segment. */
  lastAt: 0,
  /** Bytes in all segments before the last. */
  sealedBytes: 1,
  /** Reference count (Atomics). */
  refs: 2,
  /** PvmDataDefault, PvmDataRaw, PvmDataInPlace. */
  encoding: 3,
  words: 4,
} as const;

/** Segment of a buffer; its data follows the header. Word offsets. */
export const SEG = { next: 0, capacity: 1, used: 2, words: 4 } as const;

/** Row of a ULP's buffer table (Btab). Word offsets. `gbid` 0: free, and then `segment` links the free rows. */
export const BTAB = {
  /** The buffer; -1: the row is taken, but mapped to nothing yet. */
  gbid: 0,
  /** Unpack position of this ULP in this buffer: segment (0: not begun) and byte address of the next item. */
  segment: 1,
  unpackAt: 2,
  /** Bytes of the message it came with, all that may be read; -1: made here, and only such a buffer may be packed into. */
  bytes: 3,
  /** Bytes of the message from the start of `segment`'s data to the message's end. */
  left: 4,
  /**
   * What pvm_bufinfo and pvm_getminfo tell of the message. All 0 for a buffer made here, and `dst` for a received one,
   * unless pvm_setminfo has said otherwise: a 0 stands for the ULP's own tid there (Btab.source, Btab.destination).
   */
  src: 5,
  tag: 6,
  context: 7,
  wid: 8,
  dst: 9,
  /** List of what a PvmDataInPlace buffer is made of (byte address), 0 none. */
  placesAt: 10,
  words: 12,
} as const;

/**
 * What a block of the heap is for: its allocator's tag. `hdisplay`, `leaks` and `--dump` print these names.
 * Append only.
 */
export const BLOCK_KIND = {
  free: 0,
  /** Unknown to the table: a heap used on its own. */
  plain: 1,
  /** Memory that an arena took from the common pool: has blocks of its own. */
  chunk: 2,
  /** Message buffer with its first segment; later segment of one. */
  buffer: 3,
  segment: 4,
  /** Message descriptor (MSG). */
  message: 5,
  /** Rows of a buffer table. */
  btab: 6,
  /** ULP descriptor. */
  ulp: 7,
  /** Unwind frames. */
  frames: 8,
  /** Globals and table entries of a ULP that moves. */
  saved: 9,
  /** Lives as long as the process: never a leak. */
  lasting: 10,
  /** Arguments of a spawned ULP. */
  args: 11,
  /** A group (GROUP, groups.ts) with its name; its tids by instance; a ULP's membership in it (MEMBER). */
  group: 12,
  instances: 13,
  member: 14,
  /** What few ULPs need: MORE, HANDLER, FRAME. */
  more: 15,
} as const;
export type BlockKind = (typeof BLOCK_KIND)[keyof typeof BLOCK_KIND];

/** Head of the heap, word offsets. */
export const HEAD = {
  magic: 0,
  abi: 1,
  heapBytes: 2,
  /** State of the common pool that arenas take chunks from (byte address), and its mutex (Atomics). */
  poolAt: 3, poolLock: 4,
  engines: 5,
  /** ULPs made so far; those of them that were there before the engines began: all others are woken, or held. */
  ulps: 6, firstUlps: 37,
  /** Engines that sleep or are about to (Atomics). */
  idleEngines: 7,
  /** ULPs that have not exited (Atomics). */
  live: 8,
  /** 0 running; else why the process stops, one of STOP. */
  stop: 9,
  /** Engines table and ULP table (byte addresses). A ULP table row is one word: the descriptor's address. */
  enginesAt: 10,
  ulpTableAt: 11,
  /**
   * ULPs that wait with a deadline or for the outside, and requests on their way (Atomics): while it is not 0 there is
   * no deadlock.
   */
  outside: 12,
  /** Times that an engine stopped being idle (Atomics): who looks for a deadlock sees whether anything moved. */
  idleEpoch: 20,
  /** Bytes of output on their way to the process's own thread (Atomics; futex for the engine that must wait). */
  outputBytes: 21,
  /** Engines that ask for ULPs: a bit each, in two words (Atomics: who clears a bit must give). */
  beggars: 22,
  /** Messages sent to other processes (Atomics). */
  sentOutside: 24,
  /**
   * Messages to other processes (runtime/scheduler/outbox.ts; Atomics): the list, newest first; how much waits there, in
   * its units (futex for who must wait); 1 while the process's own thread waits for the next to ring.
   */
  outbox: 25,
  outboxUnits: 26,
  outboxAsleep: 27,
  /** How many engines are just putting something into the outbox (Atomics). */
  outboxPosting: 30,
  /** Tid of the ULP with index i is this + 1 + i: a number for each job (wire/pvm.ts). Set before any ULP is made. */
  tidBase: 29,
  /** States of the arenas, one for each row of the engine table (byte address), and bytes from one to the next. */
  arenasAt: 13,
  arenaBytes: 14,
  /** What an arena takes from the pool at a time, bytes: LIMITS.arenaChunkBytes, or less in a small heap. */
  chunkBytes: 15,
  /** Most bytes ever taken from the pool at once. */
  peakBytes: 16,
  /** Groups: the lock of all of them (runtime/heap/lock.ts), their hash table (byte address; 0: none yet), how many. */
  groupLock: 32,
  groupTableAt: 33,
  groups: 34,
  /** Which plug-ins are registered: bits of PLUGIN_BIT (Atomics; written by the process's own thread). */
  plugins: 28,
  /**
   * 1: the virtual machine has more than this process: groups have their home there, it makes tasks and knows them all, and
   * is told of every end. Set before any engine runs.
   */
  machine: 35,
  /** Messages to tasks of other jobs on their way, in units of runtime/pvm/relay.ts (Atomics; futex for who must wait). */
  relayed: 36,
  words: 64,
} as const;
export const STOP = { none: 0, done: 1, deadlock: 2, interrupted: 3, failed: 4, halted: 5 } as const;
export const HEAP_MAGIC = 0x4d565055;

/**
 * Row of the engine table, word offsets. What other threads touch is in the first cache line; what the engine
 * writes at every switch is in the second, so that a look at one does not slow the other.
 */
export const ENGINE = {
  /** ULPs to make runnable (Atomics: push by compare-and-swap, owner exchanges with 0): link is ULP.wakeNext. */
  wakes: 0,
  /** 1 asleep or about to: who turns it to 0 must notify `bell` (Atomics). */
  idle: 1,
  /** Futex word: Atomics.wait here; any thread adds 1 and notifies. */
  bell: 2,
  /** ULPs and other parcels sent to it by port and not yet taken (Atomics). */
  mail: 4,
  /** Blocks that other engines freed and that belong to this arena (Atomics stack). */
  freed: 5,
  /** Run queue [lrunq]: first and last descriptor, as word indices, 0 none; how many, for thieves. */
  runHead: 16,
  runTail: 17,
  runnable: 18,
  /** Wait queue [lwtq]. */
  waitHead: 19,
  waitTail: 20,
  blocked: 21,
  /** Index of the running ULP, -1 none. [lcurulp] */
  current: 22,
  /** Message buffers made on it minus those freed on it; the sum over all rows is how many are alive. */
  buffers: 23,
  /** Descriptor of the running ULP (byte address), and of the one that a blocking receive names (word index); 0 none. */
  running: 24,
  handoff: 25,
  /** Message descriptors that the kernel keeps for the next messages, linked by MSG.next; how many. */
  spareMessages: 26,
  spareCount: 27,
  /** First word of its counters (COUNTERS). */
  counters: 32,
  words: 64,
} as const;

/** Counters of an engine, in order from ENGINE.counters; each is a float64 of two words (exact up to 2^53). */
export const COUNTERS = [
  "switches", "handoffs", "messages", "bytes", "copies", "polls", "moves", "sleeps", "created",
  "dropped",
] as const;
