/**
 * Every limit of the system, by name: queue, buffer, frame, wait. One number, its unit, its reason.
 *
 * Owns: the numbers. Whoever enforces one imports it from here, and a test reaches it.
 */
export const LIMITS = {
  /** Engines in one process: the engine table of the shared heap has this many rows. */
  engines: 64,
  /** ULPs in one process. A wasm memory reserves 10 GiB of the 128 TiB of address space. */
  ulps: 12_000,
  /** Default size of the process heap (messages, descriptors, frames), bytes. Untouched pages cost nothing. */
  heapBytes: 1 << 30,
  /** The same for each process of `--isolate`, which has one ULP, bytes. */
  isolatedHeapBytes: 64 << 20,
  /** Largest heap that can be asked for: addresses stay positive 32-bit numbers. */
  heapBytesMax: 0x7fff0000,
  /** Smallest heap that can be asked for: tables plus one chunk for each engine. */
  heapBytesMin: 4 << 20,
  /** What an engine's arena takes from the common pool at a time, bytes. */
  arenaChunkBytes: 256 << 10,
  /** Free small blocks that an arena keeps by size, ready for the next one, before it joins them again, bytes. */
  arenaQuickBytes: 1 << 20,
  /** Looks at a held lock of the heap before the thread sleeps on it. Holders need less than a microsecond. */
  heapLockSpins: 200,
  /** First data segment of a message buffer, bytes: most messages fit, and none needs a second allocation. */
  bufferFirstBytes: 216,
  /** Smallest later segment of a message buffer, bytes; each next one doubles up to bufferSegmentBytesMax. */
  bufferSegmentBytes: 4 << 10,
  bufferSegmentBytesMax: 1 << 20,
  /** Largest second segment that a buffer keeps when it is cleared, for the next message, bytes. */
  bufferKeptBytes: 16 << 10,
  /** Buffers that one ULP may hold at once (PvmNoMem beyond). */
  buffersPerUlp: 1 << 16,
  /** A process that compiles is kept for the next program so long, milliseconds: it takes 300 to 700 MB. */
  compilerIdleMs: 3000,
  /** Programs that one compiles before there is a new one. */
  compilesPerProcess: 100,
  /** Times that a change of the control store is tried again because another was faster. */
  storeTries: 1000,
  /** Shortest time to live of a lease, milliseconds: a holder that is busy for a moment must not lose it. */
  leaseMsMin: 100,
  /** Longest time to live of a lease that is asked for from elsewhere, milliseconds. */
  leaseMsMax: 3_600_000,
  /** Leases without a time to live end so long after their holder is gone, in a store that is elsewhere, milliseconds. */
  holderMs: 120_000,
  /** Renewals of these that are on their way at once. */
  renewAtOnce: 64,
  /** Length of a key of the store; bytes of the values of one transaction that comes from elsewhere. */
  storeKeyLength: 64 << 10,
  storeTxnBytes: 256 << 20,
  /** Of each client of the store: watches, leases, transactions whose result may be asked for again. */
  storeWatches: 256,
  storeLeases: 1 << 14,
  storeWindow: 1 << 14,
  /** Clients of the store whose transactions are remembered. */
  storeClients: 4096,
  /** What is asked of a store that is out of reach waits so long for a new link to it, milliseconds. */
  storeWaitMs: 10_000,
  /** A watch that the server cannot begin because its own store is out of reach is asked for again after, milliseconds. */
  storeAgainMs: 500,
  /** etcd: an answer is waited for so long, milliseconds; an election takes 2 s. */
  etcdAnswerMs: 5000,
  /** It is asked again for so long; all that needs the store waits. After that the virtual machine ends, milliseconds. */
  etcdTryMs: 60_000,
  /** The same when it is asked for the first time, by a user who waits. */
  etcdOpenMs: 3000,
  /** A pvmd that ends waits so long for the store to take its keys away, milliseconds. */
  storeCloseMs: 2000,
  /** Pause before it is asked again: first, and longest, milliseconds. */
  etcdPauseMs: 50,
  etcdPauseMsMax: 1000,
  /** The stream of changes is opened again when nothing came for so long, milliseconds. */
  etcdIdleMs: 10_000,
  /** Transactions of one process on their way to etcd at once; others wait. */
  etcdTxnsAtOnce: 32,
  /** Bytes of the values of one transaction in etcd, which takes requests of 1.5 MiB with all that is in them. */
  etcdTxnBytes: 1 << 20,
  /** Keys of one page of a list. */
  etcdPageKeys: 1000,
  /** An answer of etcd, and a message of its stream, characters: what it keeps at once is 2 GiB at most. */
  etcdAnswerLength: 256 << 20,
  /** Endpoints of one cluster. */
  etcdEndpoints: 16,
  /** Keys that one transaction compares, and that it changes: etcd takes 128, and some are its store's own. */
  txnKeys: 100,
  /** The built-in store looks this often for leases that have run out, milliseconds. */
  storeTickMs: 100,
  /** When it could not look for longer than this, it was stopped itself, and the time beyond is not held to leases, ms. */
  storeGapMs: 1000,
  /** Pieces that a PvmDataInPlace buffer is made of (PvmNoMem beyond). */
  placesPerBuffer: 1 << 20,
  /** Message handlers of one ULP (PvmNoMem beyond): each is compared with each message that comes. */
  handlersPerUlp: 1024,
  /** Routines of one ULP under way at once that are traced: one, and those of handlers inside; deeper ones make no events. */
  traceDepth: 8,
  /** Of a text or a list, how much a trace event tells: bytes, numbers or texts. */
  traceTextBytes: 1024,
  traceItems: 1024,
  /** Most that PvmTraceBuffer lets wait before it is sent, bytes. */
  traceBufferBytes: 1 << 20,
  /** Places that an engine remembers to have told the names of trace data; of more it tells them again. */
  traceSinks: 256,
  /** Contexts of pvm_newcontext in use at once (PvmOutOfRes beyond): PVM's ids have 18 bits for them. */
  contexts: (1 << 18) - 1,
  /** Message descriptors that an engine keeps for its next messages. */
  spareMessages: 64,
  /** Messages that may wait unread for one ULP; the next sender gets PvmNoMem. */
  messagesPerUlp: 1 << 20,
  /** Groups of the process at once (PvmOutOfRes beyond); chains of their hash table. */
  groups: 1 << 14,
  groupChains: 256,
  /** Bytes of a group's name without its NUL (PvmBadParam beyond). PVM's own has no limit below its message size. */
  groupNameBytes: 1 << 12,
  /** Unwind frames of a ULP: first block, bytes, and what it may grow to unless the user says otherwise. */
  framesFirstBytes: 1 << 10,
  framesBytesMax: 8 << 20,
  /** Memory that compiled programs begin with unless they need more, pages: growing a shared memory is slow. */
  initialPages: 4,
  /** Largest linear memory of one ULP unless the module asks for less, in pages of 64 KiB. */
  memoryPages: 65_536,
  /** Characters of a program's output line held back until its newline. */
  outputLineBytes: 64 << 10,
  /** Output that the process's own thread has not written yet: engines wait beyond it, bytes. */
  outputBytes: 8 << 20,
  /** Number of a job: PVM's tids have 12 bits for it, of which the two highest mean something else. Numbers come again. */
  jobs: 1023,
  /** From starting a job's processes to all being ready: an emulated host needs seconds, and may have to fetch much, ms. */
  jobStartMs: 120_000,
  /** From the order to stop to the result of each process; then it is ended by force, milliseconds. */
  jobStopMs: 10_000,
  /** Application processes of a host that ends are given so long to end by themselves, milliseconds: less than hostEndMs. */
  processEndMs: 700,
  /** A job is looked at so often, whether its ULPs wait for ever and its processes are late, milliseconds. */
  waveMs: 100,
  /** Linked modules that a host keeps, bytes; the ones unused for longest go. */
  modulesBytes: 1 << 30,
  /** Application processes of a job. */
  members: 256,
  /** A message of another process that found no room is tried again after so long, milliseconds. */
  arrivalAgainMs: 5,
  /** Receivers of a message that one frame names. */
  mcastReceivers: 1024,
  /** A message is sent on after a ULP that moves so often at most. */
  forwards: 64,
  /** Messages to other processes that their links have not taken yet: engines wait beyond it, bytes; and so long at most. */
  outboxBytes: 64 << 20,
  outboxWaitMs: 10_000,
  /** An engine on the process's own thread looks after links and the rest after so long at the latest, and half of it at least, */
  turnMs: 4,
  /** so many times as late where it did so in vain, a power of two; */
  turnPatience: 4,
  /** or after so many looks in vain for a message; turns in a row that are not asked for by the event loop; */
  vainLooks: 16,
  turnsInARow: 64,
  /** who watches its turns rests when there was none at so many looks; for room it waits so long, milliseconds. */
  quietLooks: 16,
  turnAgainMs: 1,
  /** Longest time between two looks whether output has been taken, while nobody takes any, milliseconds. */
  turnRestMs: 32,
  /** So long a message to another process waits for others of its sender at most, if that computes on, microseconds. */
  leavingUs: 30,
  /** Longest time of one of Node's timers, milliseconds: one that is to wait longer goes off at once. */
  timerMs: 2 ** 31 - 1,
  /** So long a process of one engine with nothing to run looks at its sockets before it sleeps, microseconds; */
  lookUs: 250,
  /** that long from one look to the next is a processor lost to another thread. */
  lookLostUs: 300,
  /** What it pays for looking in vain (upvm/looking.ts): of each wait so much, of one that looking made shorter so much, */
  lookPerWaitUs: 4,
  lookSavesUs: 40,
  /** and what it can owe at most, microseconds. */
  lookOwedUs: 4000,
  /** Messages to tasks of other jobs that the virtual machine has not passed on yet: engines wait beyond it, bytes. */
  relayBytes: 8 << 20,
  /** A ULP whose time has come waits so much longer at most for one that computes on its engine, milliseconds. */
  lookForTimersMs: 10,
  /** A ULP that computes gives way after so long, if others of its engine could run: what they do may be what ends it, milliseconds. */
  starvedMs: 1000,
  /** Different places, with the calls that led there, that a profile tells apart; what else is seen is counted. */
  profilePlaces: 1 << 14,
  /** Hand-offs in a row before the head of the run queue has its turn: else two ULPs could keep an engine. */
  handoffsInARow: 1000,
  /** Switches between two looks at the clock while a ULP waits with a deadline. */
  switchesPerClock: 64,
  /** An idle engine looks whether a busy one keeps a ULP waiting: first and longest pause between looks, ms. */
  stealAgainMs: 2,
  stealAgainMsMax: 32,
  /** Runnable ULPs that one engine gives another at a time, at most. */
  ulpsPerGift: 8,
  /** An idle engine looks for work this long before it sleeps, microseconds. */
  idleSpinUs: 150,
  /** The same where messages come from other processes: the thread that brings them needs a processor, microseconds. */
  idleSpinOutsideUs: 20,
  /** An idle engine asks one that has more ULPs for some after this long, microseconds, */
  idleBeforeStealUs: 300,
  /** and any that keeps a ULP waiting after this long, milliseconds. */
  idleBeforeStealAnyMs: 3,
  /** An engine that was idle for more than this share of so many milliseconds asks too, however short each time was. */
  balanceEveryMs: 10,
  idleShare: 0.2,
  /** Transactions of the control store that are tried again because another was quicker: more is a bug or a storm. */
  storeRetries: 1000,
  /** Entries of the message box (PvmOutOfRes beyond), and bytes of their messages (PvmNoMem): the service keeps them. */
  mboxEntries: 20_000,
  mboxBytes: 256 << 20,
  /** Notifications that one task has asked for and not got (PvmOutOfRes beyond). */
  notifiesPerTask: 100_000,
  /** Messages of the virtual machine kept for a ULP while no engine has it; more are lost, as where a heap is full. */
  keptParcels: 1 << 16,
  /** Bytes that wait at the master for a ULP that is ordered to another process; what comes beyond it goes to its source. */
  parkedBytes: 16 << 20,
  /** Parts of an image that no other limit bounds, bytes: argument texts, list of open files; entries of changed tables. */
  imageTextBytes: 32 << 20,
  /** What it is traced with: a little more than traceBufferBytes. */
  imageTraceBytes: 2 << 20,
  imageTableEntries: 1 << 22,
  /** Functions of a program that were interrupted for each other, in an image. */
  interruptsPerUlp: 1 << 16,
  /** Its ULPs are waited for so long each time, milliseconds, as for a move: meanwhile those that have stopped stand still. */
  checkpointFreezeMs: 10_000,
  /**
   * A job that is being stopped for a checkpoint is looked at so often until no ULP of it waits for an answer; after each so many
   * times it runs for a moment; and so often until nothing is on its way.
   */
  checkpointTries: 100,
  checkpointHolds: 20,
  checkpointLooks: 100,
  /** Pause between these, milliseconds. */
  checkpointPauseMs: 10,
  /**
   * What a checkpoint says of groups, notifications and the message box, bytes of JSON: less than rpcJsonBytes, which has more in
   * it.
   */
  checkpointKeptBytes: 8 << 20,
  /** What a checkpoint says of its parts, bytes. */
  manifestBytes: 64 << 20,
  /** What an image is read in at a time where its length is only claimed, bytes. */
  imageStepBytes: 64 << 10,
  /** Files, and characters in them, that a C program may include: all are copied into the compiler's memory. */
  compileFiles: 4096,
  compileBytes: 64 << 20,
  /** Compiled programs kept in the user's cache folder; the ones unused for longest go. */
  cacheEntries: 256,
  /** Files and folders that a ULP may have open at once, the granted ones with them (EMFILE beyond). */
  filesPerUlp: 1024,
  /** Files that one engine keeps open in the system for its ULPs; the longest unused are opened again when needed. */
  fileHandles: 256,
  /** Folders that may be granted (--dir). */
  grants: 64,
  /** A path of a program, bytes (ENAMETOOLONG), and symbolic links on its way (ELOOP): Linux's limits. */
  pathBytes: 4096,
  pathLinks: 40,
  /** Names of one folder that a program gets to see, at most (ENOMEM). */
  folderNames: 1 << 20,
  /** Pieces of one read or write (EINVAL): IOV_MAX. */
  ioPieces: 1024,
  /** A poll with a time that also waits for standard input looks again after this long at most, milliseconds. */
  pollMs: 0x7fffffff,
  /** What one read of standard input gets at most, bytes. */
  inputBytes: 64 << 10,
  /** Native stack of an engine thread, MB: recursion of a running ULP goes there. */
  engineStackMb: 64,
  /** Calls of a trap's stack that are told, innermost first. */
  stackFrames: 100,
  /** Hosts of a virtual machine: PVM's tids have 12 bits for them, and two numbers mean something else. */
  hosts: 4094,
  /** A host's name, characters: as many as Linux lets a machine's name have. */
  hostNameLength: 64,
  /** A pvmd looks so often whether its home is still there, milliseconds. */
  homeLookMs: 1000,
  /** Nothing heard of a host for so long: it is dead, its tasks have ended, milliseconds. `--dead-after` says otherwise; see patience.ts. */
  hostDeadMs: 6000,
  /** `--dead-after` is so much at least, and at most, milliseconds: from giving up to being dead a host needs hostEndMs for its tasks. */
  hostDeadLeastMs: 5000,
  hostDeadMostMs: 3_600_000,
  /** The master looks so often for hosts that are silent, milliseconds. */
  hostLookMs: 100,
  /** When it could not look for longer than this, it was stopped itself, and the time beyond is not held to hosts, milliseconds. */
  hostGapMs: 1000,
  /** A host's tasks and processes are given so long to end before they are ended by force, milliseconds. */
  hostEndMs: 1000,
  /** A host that has lost its master tries again so often, milliseconds. */
  hostRetryMs: 250,
  /** From asking to join to being in, milliseconds: the store may be slow. */
  hostJoinMs: 15_000,
  /** One that finds its name held by a host that is lost waits for its death so much longer at most, milliseconds: within startMs. */
  hostHeldMs: 90_000,
  /** All hosts have ended so long after a halt, or are not waited for, milliseconds. */
  haltMs: 8000,
  /** A pvmd that ends lets its last words go out for so long, milliseconds. */
  lastWordsMs: 100,
  /** A pvmd waits so long for its home's lock, for somebody may just be looking; who looks waits so long, milliseconds. */
  lockWaitMs: 1000,
  lockLookMs: 40,
  /** From starting a pvmd to its being in service, milliseconds: an emulated host needs seconds. */
  startMs: 120_000,
  /** A host that leaves is looked at so often, and so long, whether all of its tasks are with others: jobs begin first, ms. */
  hostEmptyAgainMs: 50,
  hostEmptyMs: 60_000,
  /** What is moving then is waited for so long, and, called off, so long again, milliseconds: a move's stages, but a large state. */
  hostDecideMs: 15_000,
  /** What starts a pvmd on another host (ssh) is given so long, milliseconds. */
  hosterMs: 60_000,
  /** Hosts that are added at once; text of one that failed that is shown, characters. */
  hostersAtOnce: 16,
  hosterTextLength: 2000,
  /** A virtual machine's key, bytes. */
  keyBytes: 32,
  /** Path of a Unix socket: 104 bytes with its NUL on macOS, 108 on Linux. */
  socketPathBytes: 103,
  /** A pvmd's log, bytes: then it begins anew, and one such part is kept beside it. */
  logBytes: 4 << 20,
  /** What of its end is read at a time, bytes. */
  logTailBytes: 256 << 10,
  /** A line of it, characters. */
  logLineLength: 4000,
  /** Lines that the console remembers. */
  historyLines: 1000,
  /** Wasm module accepted by the link step, bytes. */
  moduleBytes: 256 << 20,
  /** Zeros of a ULP's memory that are looked at before other work of the thread, bytes: about a millisecond. */
  scanBytes: 4 << 20,
  /** Of a ULP's state, what goes in one frame, bytes: other frames of the link come between. */
  stateChunkBytes: 256 << 10,
  /** A destination is asked with the first of a ULP's state, or after so long if the ULP cannot be stopped before, milliseconds. */
  moveOfferMs: 2,
  /**
   * How much memory there is, is looked at again after so long, milliseconds: that takes as long as a message. For what needs
   * less than one part in `memoryParts` of what there was, only after `memoryOldMs`.
   */
  memoryLookMs: 20,
  memoryParts: 64,
  memoryOldMs: 5_000,
  /** Of a state that comes, what is longer is read from the socket to where it belongs, bytes. */
  stateReadBytes: 4 << 10,
  /** And for so much of it at once the system is asked for pages, bytes: a third of a millisecond. */
  pagesBytes: 512 << 10,
  /** Of a ULP that has left so much is given back to the system at once, bytes: half a millisecond, a hundredth of that of large pages. */
  pagesBackBytes: 8 << 20,
  /** JSON in a frame of a move, bytes. */
  moveBodyBytes: 16 << 10,
  /** An order whose ULP has just moved elsewhere goes there, so often at most and after so long, milliseconds. */
  moveOrderTries: 20,
  moveOrderAgainMs: 10,
  /** Moves that one process has under way at once, from it and from each other to it; the state of each is in memory. */
  movesAtOnce: 8,
  /** Ordered moves that wait for those: every ULP of a process may be ordered away at once. */
  movesWaiting: 12_000,
  /** Time for a move's stages, milliseconds; beyond it the ULP stays. What it waits for and cannot be moved, such as a write to a */
  /** file, ends, and the destination answers; */
  moveFreezeMs: 10_000,
  /** the slowest process of the job answers; */
  moveFlushMs: 10_000,
  /** 4 GiB go through a slow network; */
  moveStateMs: 600_000,
  /** the destination asks the control store, which may have to choose a new leader. */
  moveDecideMs: 10_000,
  /** Who does not know what the control store has decided asks again after so long, milliseconds, and so often at most. */
  moveAskAgainMs: 250,
  moveStoreTries: 240,
  /** Ctrl-C: how long a running ULP is given to say where it is, milliseconds. */
  interruptMs: 300,
  /** Body of one frame on a link, bytes: what is longer goes in fragments, so that the receiver can begin with it. */
  fragmentBytes: 256 << 10,
  /** What a frame's length may say: header, a fragment, and the header of the whole in a first fragment, bytes. */
  frameBytes: (256 << 10) + 32,
  /** The same before the peer has shown the key: nonce, proof, identity, bytes. */
  handshakeBytes: 2 << 10,
  /** Frames that one link puts together from fragments, bytes in all, announced or come: no message is longer than half the largest heap. */
  wholeBytes: 1 << 30,
  /** Messages that are only announced leave this part of the process heap free: beyond it they are kept beside it as they come. */
  heapSparePart: 0.25,
  /** Frames of one link that are put together at once: more is a peer gone wild. */
  openWholes: 256,
  /** Unread messages and buffers of a ULP that `upvm inspect` lists: a ULP may have 100,000. */
  lookRows: 100,
  /** Bodies up to this are copied behind their headers, many frames into one write; longer ones are not copied, bytes. */
  smallFrameBytes: 16 << 10,
  /** Of a stream over packets (net/ordered-stream.ts): packets on their way at once, each way, */
  packetWindow: 256,
  /** bytes of one, with its head: what any network takes, */
  packetBytes: 1200,
  /** pause before what was not acknowledged is sent again, milliseconds, how many at a time, */
  packetAgainMs: 20,
  packetsAgain: 16,
  /** acknowledgements of the same number after which the next packet is sent again without that pause, */
  packetRepeats: 8,
  /** and how often without any answer before the peer is given up. */
  packetTries: 250,
  /** What a socket brings and nobody has a better place for is read so much at a time, bytes. */
  linkReadBytes: 16 << 10,
  /** And so much where somebody has: Node reads 32 times in a row, and nothing else happens meanwhile. */
  linkPlaceBytes: 128 << 10,
  /** Small frames are written together from blocks of this size, bytes. */
  linkBlockBytes: 64 << 10,
  /** Not yet written on a link: a sender that has more waits for drained(), bytes. */
  linkQueueBytes: 4 << 20,
  /** Beyond this (a peer that does not read, a sender that does not wait) the link is ended, bytes. */
  linkQueueBytesMax: 256 << 20,
  /** From connecting to the end of the handshake, milliseconds: an emulated host needs seconds. */
  handshakeMs: 10_000,
  /** A direct connection to another process of a job is tried so long before the link goes through the daemons, milliseconds. */
  directLinkMs: 5000,
  /** A daemon tries so long to connect to that of another host before it goes by the master, milliseconds. */
  daemonLinkMs: 3000,
  /** A way through the daemons is made within: each of them may try that, and a process may be slow to answer, milliseconds. */
  routeMs: 30_000,
  /** Links that a daemon carries for others at once: two connections each, and the memory below twice. */
  routes: 1024,
  /** Of one that it carries, bytes each way that it has and that the next has not taken: it reads no more until half of it is gone. */
  routeBytes: 512 << 10,
  /** Why such a link has ended, as it is told on its way, characters. */
  routeEndLength: 300,
  /** Connections of one listener that have not shown the key yet; of more the oldest is closed. */
  halfOpenLinks: 64,
  /** Lines of a pvmd's log on connections that were refused, in so long, milliseconds: a scanner makes hundreds. Others are counted. */
  refusedLines: 20,
  refusedLinesMs: 60_000,
  /** Links of one listener; more are refused. */
  links: 4096,
  /** A link tells that it is alive so often when it has nothing else to send, */
  aliveEveryMs: 1000,
  /** and a peer of which nothing came for so long is taken for gone, milliseconds. */
  aliveWithinMs: 10_000,
  /** A link that is closed writes what was sent before for so long at most, and a process that ends looks so often, ms. */
  linkCloseMs: 5000,
  closeLookMs: 5,
  /** Requests of one side of a link that wait for their answer: every ULP of a process may have one. */
  rpcWaiting: 1 << 14,
  /** An answer is waited for so long unless the asker says otherwise, milliseconds. */
  rpcMs: 10_000,
  /** What a process of a job tells of its tasks, for `upvm ps`: a person waits, milliseconds. */
  tasksMs: 3000,
  /** JSON of one request or answer; what is big goes as bytes behind it, bytes. */
  rpcJsonBytes: 16 << 20,
  /** Text of an error of the other side that is shown, characters. */
  rpcTextLength: 2000,
} as const;
