/**
 * What can go wrong for the operator: one row per kind, with its exit code, text and way out.
 *
 * A guest's mistake is a PVM error code and not here; a bug of ours is an assertion and not here.
 */
export const EXIT = {
  ok: 0,
  /** A ULP failed: trap, nonzero exit code, deadlock. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The program cannot be compiled or linked; a file cannot be read or written. */
  program: 3,
  /** A mistake of upvm's own: sysexits.h, EX_SOFTWARE. */
  bug: 70,
  /** Ctrl-C or SIGTERM (128 + SIGINT). */
  interrupted: 130,
  /** Ended by somebody else, as by upvm kill (128 + SIGTERM, as a shell has it). */
  killed: 143,
} as const;

type Facts = Readonly<Record<string, string | number>>;
interface Row {
  readonly exit: number;
  readonly text: (f: Facts) => string;
  readonly hint?: (f: Facts) => string;
}

/** Code → exit code, message and hint. Codes are part of the interface (`--json`): never renamed. */
export const ERRORS = {
  FILE_NOT_FOUND: {
    exit: EXIT.program,
    text: (f) => `Cannot read ${f["path"]}: ${f["why"]}`,
  },
  FILE_NOT_WRITTEN: {
    exit: EXIT.program,
    text: (f) => `Cannot write ${f["path"]}: ${f["why"]}`,
    hint: (f) => `${f["hint"] ?? ""}`,
  },
  NOT_A_PROGRAM: {
    exit: EXIT.program,
    text: (f) => `Cannot run ${f["path"]}: a program is a .wasm, .wat, .ts, .c, .cc, .cpp or .cxx file`,
  },
  NOT_WASM: {
    exit: EXIT.program,
    text: (f) => `Cannot link ${f["path"]}: not a WebAssembly file (it begins with ${f["found"]})`,
  },
  BAD_WASM: {
    exit: EXIT.program,
    text: (f) => `Cannot link ${f["path"]}: not a valid WebAssembly module: ${f["why"]}`,
    hint: () => "the file may be cut short or damaged; compile it again",
  },
  UNKNOWN_IMPORT: {
    exit: EXIT.program,
    text: (f) => `Cannot link ${f["path"]}: it imports ${f["import"]}, which no ULP can have`,
    hint: () => "a program may import only the namespaces pvm and wasi_snapshot_preview1",
  },
  IMPORT_TYPE: {
    exit: EXIT.program,
    text: (f) => `Cannot link ${f["path"]}: it imports ${f["import"]} as ${f["found"]}; it is ${f["wanted"]}`,
  },
  NO_ENTRY: {
    exit: EXIT.program,
    text: (f) => `Cannot link ${f["path"]}: no entry point`,
    hint: () => "export a function _start or main without parameters; in AssemblyScript main, in C define main",
  },
  CANNOT_MOVE: {
    exit: EXIT.program,
    text: (f) => `Cannot link ${f["path"]}: ${f["why"]}, which cannot move with a ULP`,
  },
  ALREADY_LINKED: {
    exit: EXIT.program,
    text: (f) => `Cannot link ${f["path"]}: it is linked for version ${f["found"]} of upvm's interface, this is ${f["wanted"]}`,
    hint: () => "compile it again from its source",
  },
  HAS_POLLS: {
    exit: EXIT.program,
    text: (f) => `Cannot link ${f["path"]} without polls: it is linked with them already`,
    hint: () => "compile it again from its source, or link what its compiler made",
  },
  NO_POLLS: {
    exit: EXIT.program,
    text: (f) => `Cannot spawn ${f["path"]}: it is linked without polls, and the program that spawns it has them`,
    hint: () => "run both with --no-polls, or compile it with them",
  },
  COMPILE: {
    exit: EXIT.program,
    text: (f) => `Cannot compile ${f["path"]}:\n${f["output"]}`,
  },
  INTERRUPTED: {
    exit: EXIT.interrupted,
    text: (f) => `Cannot ${f["what"]}: interrupted${f["why"]}`,
    hint: (f) => `${f["hint"]}`,
  },
  USAGE: {
    exit: EXIT.usage,
    text: (f) => `${f["why"]}`,
    hint: (f) => `${f["hint"]}`,
  },
  HOME_UNKNOWN: {
    exit: EXIT.failed,
    text: () => "Cannot tell where upvm's files are: none of UPVM_HOME, XDG_STATE_HOME and HOME is set",
    hint: () => "set UPVM_HOME to a folder of your own",
  },
  HOME_TOO_LONG: {
    exit: EXIT.failed,
    text: (f) => `Cannot use ${f["path"]}: its socket's path has ${f["bytes"]} bytes, the system takes ${f["limit"]}`,
    hint: () => "set UPVM_HOME to a folder with a shorter path",
  },
  HOME_REFUSED: {
    exit: EXIT.failed,
    text: (f) => `Cannot use ${f["path"]}: ${f["why"]}`,
    hint: () => "set UPVM_HOME to a folder of your own that can be written",
  },
  KEY_NOT_READ: {
    exit: EXIT.failed,
    text: (f) => `Cannot take the key from ${f["path"]}: ${f["why"]}`,
    hint: () => "upvm status on a host of the virtual machine tells where its key file is",
  },
  KEY_NEEDED: {
    exit: EXIT.failed,
    text: (f) => `Cannot join ${f["address"]} without its virtual machine's key`,
    hint: () => "give it with --key-file FILE, or --key-file - and on standard input",
  },
  ALREADY_IN_SERVICE: {
    exit: EXIT.failed,
    text: (f) => `Cannot start a pvmd: one is in service already, process ${f["pid"]} in ${f["path"]}`,
    hint: () => "upvm status tells of it, upvm halt ends it; another UPVM_HOME is another host",
  },
  NO_PVMD: {
    exit: EXIT.failed,
    text: (f) => `Cannot ${f["what"]}: no pvmd is in service in ${f["path"]}`,
    hint: () => "start one with upvm start",
  },
  PVMD_NOT_STARTED: {
    exit: EXIT.failed,
    text: (f) => `Cannot start a pvmd: ${f["why"]}`,
    hint: (f) => `its log is ${f["log"]}`,
  },
  BAD_HOST_NAME: {
    exit: EXIT.usage,
    text: (f) => `Cannot call a host "${f["name"]}": a name has letters, digits, ".", "-" and "_", ${f["limit"]} at most`,
    hint: () => "give it another with --name",
  },
  CANNOT_JOIN: {
    exit: EXIT.failed,
    text: (f) => `Cannot join ${f["address"]}: ${f["why"]}`,
    hint: (f) => `${f["hint"]}`,
  },
  JOB_NOT_STARTED: {
    exit: EXIT.failed,
    text: (f) => `${f["why"]}`,
  },
  NO_TASK: {
    exit: EXIT.failed,
    text: (f) => `Cannot inspect ${f["tid"]}: there is no such task`,
    hint: () => "upvm ps lists those that run",
  },
  HOST_UNKNOWN: {
    exit: EXIT.failed,
    text: (f) => `Cannot ${f["what"]} ${f["host"]}: the virtual machine has no host of that name`,
    hint: () => "upvm conf lists its hosts; one that has just died is listed until that is known",
  },
  SEAT_UNKNOWN: {
    exit: EXIT.failed,
    text: (f) => `Cannot begin a ULP on engine ${f["engine"]} of ${f["host"]}: it has ${f["engines"]}, from 0 on`,
    hint: () => "upvm conf tells the cores of each host; --cores K makes more engines than these",
  },
  HOST_IS_MASTER: {
    exit: EXIT.failed,
    text: (f) => `Cannot delete ${f["host"]}: it is the virtual machine's first host, which has its tables`,
    hint: () => "upvm halt ends the whole virtual machine",
  },
  HOST_NOT_REACHED: {
    exit: EXIT.failed,
    text: (f) => `Cannot reach ${f["host"]}: ${f["why"]}`,
    hint: () => "upvm status tells which hosts are up",
  },
  HOST_NOT_EMPTY: {
    exit: EXIT.failed,
    text: (f) => `Cannot delete ${f["host"]}: ${f["ulps"]} cannot move to another host: ${f["why"]}`,
    hint: () => "upvm delete --kill ends what is there",
  },
  HOSTS_REFUSED: {
    exit: EXIT.failed,
    text: (f) => `Some hosts were not ${f["done"]}:\n  ${f["why"]}`,
  },
  NOT_HALTED: {
    exit: EXIT.failed,
    text: (f) => `Cannot tell that all has ended: ${f["why"]}`,
    hint: () => "upvm status tells what is left",
  },
  CANNOT_CHECKPOINT: {
    exit: EXIT.failed,
    text: (f) => `Cannot take a checkpoint of job ${f["job"]}: ${f["why"]}`,
    hint: () => "a job that runs goes on; upvm jobs lists jobs, upvm ps what their ULPs do",
  },
  CHECKPOINT_FOREIGN: {
    exit: EXIT.program,
    text: (f) => `Cannot restart ${f["path"]}: it is no checkpoint`,
    hint: () => "upvm checkpoint JOB FILE makes one",
  },
  CHECKPOINT_VERSION: {
    exit: EXIT.program,
    text: (f) => `Cannot restart ${f["path"]}: it is of version ${f["found"]}, here it is ${f["wanted"]}`,
    hint: () => "restart it with the upvm that made it",
  },
  CHECKPOINT_DAMAGED: {
    exit: EXIT.program,
    text: (f) => `Cannot restart ${f["path"]}: it is damaged: ${f["why"]}`,
    hint: () => "take another checkpoint, or a copy of this one",
  },
  HEAP_FULL: {
    exit: EXIT.failed,
    text: (f) => `Cannot create ULP ${f["index"]}: the process heap of ${f["mb"]} MB is full`,
    hint: () => "give it more with --heap MB, or start fewer ULPs",
  },
  MEMORY_LIMIT: {
    exit: EXIT.program,
    text: (f) => `Cannot run ${f["path"]}: it needs ${f["pages"]} pages of memory to begin with, the limit is ${f["limit"]}`,
    hint: () => "a page is 64 KiB; give it more with --memory MB",
  },
  JOB_LOST: {
    exit: EXIT.failed,
    text: (f) => `Cannot tell what became of the run: the virtual machine's first host, ${f["host"]}, is gone: ${f["why"]}`,
    hint: () => "its processes have ended with it; start the virtual machine and the program again",
  },
  ABI_DIFFERS: {
    exit: EXIT.failed,
    text: (f) => `Cannot run a job on ${f["host"]}: its upvm has version ${f["theirs"]} of the interface of linked programs, this is ${f["ours"]}`,
    hint: () => "install the same version of upvm on all hosts of a virtual machine",
  },
  JOB_NOT_RUN: {
    exit: EXIT.failed,
    text: (f) => `Cannot run the program on the virtual machine: ${f["why"]}`,
  },
  MODULE_NOT_KEPT: {
    exit: EXIT.failed,
    text: (f) => `Cannot keep the program on the virtual machine's first host: ${f["why"]}`,
  },
  NO_MEMORY: {
    exit: EXIT.failed,
    text: (f) => `Cannot create ULP ${f["index"]}: no memory of ${f["pages"]} pages for it: ${f["why"]}`,
    hint: () => "start fewer ULPs, or lower the program's initial memory",
  },
  BAD_ADDRESS: {
    exit: EXIT.usage,
    text: (f) => `Cannot use ${f["address"]} as an address: ${f["why"]}`,
    hint: (f) => `${f["hint"] ?? "an address is unix:PATH, tcp:HOST:PORT or tls:HOST:PORT"}`,
  },
  CANNOT_LISTEN: {
    exit: EXIT.failed,
    text: (f) => `Cannot listen on ${f["address"]}: ${f["why"]}`,
    hint: (f) => `${f["hint"]}`,
  },
  CANNOT_CONNECT: {
    exit: EXIT.failed,
    text: (f) => `Cannot connect to ${f["address"]}: ${f["why"]}`,
    hint: (f) => `${f["hint"]}`,
  },
  WRONG_KEY: {
    exit: EXIT.failed,
    text: (f) => `Cannot connect to ${f["address"]}: it ended the handshake; most likely this is not its virtual machine's key`,
    hint: () => "take the key file that `upvm status` names on a host of that virtual machine",
  },
  VERSION_DIFFERS: {
    exit: EXIT.failed,
    text: (f) => `Cannot connect to ${f["address"]}: host ${f["host"]} speaks version ${f["theirs"]} of upvm's protocol, this is ${f["ours"]}`,
    hint: () => "install the same version of upvm on all hosts of a virtual machine",
  },
  LINK_REFUSED: {
    exit: EXIT.failed,
    text: (f) => `Cannot connect to ${f["address"]}: ${f["host"]} refused: ${f["why"]}`,
  },
  LINK_NOT_DIRECT: {
    exit: EXIT.failed,
    text: (f) => `Cannot link the processes on ${f["host"]} and ${f["other"]} directly: ${f["why"]}`,
    hint: (f) => `${f["hint"]}; or let their links go through the daemons: --route auto, or --route daemons`,
  },
  LINK_NOT_ROUTED: {
    exit: EXIT.failed,
    text: (f) => `Cannot link the processes on ${f["host"]} and ${f["other"]} through the daemons: ${f["why"]}`,
    hint: () => "see the logs of their daemons: upvm log HOST",
  },
  NO_ROUTE: {
    exit: EXIT.failed,
    text: (f) => `Cannot make a way to process ${f["member"]} of job ${f["job"]} on ${f["host"]}: ${f["why"]}`,
  },
  LINK_LOST: {
    exit: EXIT.failed,
    text: (f) => `Cannot ask ${f["host"]} for ${f["kind"]}: the connection is gone: ${f["why"]}`,
  },
  NO_ANSWER: {
    exit: EXIT.failed,
    text: (f) => `Cannot get an answer to ${f["kind"]} from ${f["host"]}: none came within ${f["ms"]} ms`,
    hint: () => "the host may be busy or stopped; see its log",
  },
  TOO_MANY_REQUESTS: {
    exit: EXIT.failed,
    text: (f) => `Cannot ask ${f["host"]} for ${f["kind"]}: ${f["limit"]} requests wait for an answer already`,
  },
  NOT_SERVED: {
    exit: EXIT.failed,
    text: (f) => `Cannot do ${f["kind"]}: ${f["why"]}`,
  },
  PEER_FAILED: {
    exit: EXIT.failed,
    text: (f) => `${f["host"]} could not do ${f["kind"]}: ${f["text"]}`,
  },
  STORE_OUT_OF_REACH: {
    exit: EXIT.failed,
    text: (f) => `Cannot reach the control store: ${f["why"]}`,
  },
  STORE_SPEC: {
    exit: EXIT.usage,
    text: (f) => `Cannot use ${f["spec"]} as control store: ${f["why"]}`,
    hint: () => "--store memory, or --store etcd:http://HOST:2379,HOST:2379; a user of etcd with --store-user FILE",
  },
  STORE_USER: {
    exit: EXIT.usage,
    text: (f) => `Cannot take a user of etcd from ${f["path"]}: ${f["why"]}`,
    hint: () => "the file has one line, NAME:PASSWORD, and only its owner may read it (chmod 600)",
  },
  STORE_NOT_OPEN: {
    exit: EXIT.failed,
    text: (f) => `Cannot reach the control store at ${f["where"]}: ${f["why"]}`,
    hint: () => "is etcd running there, and are these its client addresses?",
  },
  STORE_VERSION: {
    exit: EXIT.failed,
    text: (f) => `Cannot use the control store at ${f["where"]}: it is ${f["version"]}; etcd ${f["needed"]} or newer is needed`,
    hint: () => "etcd before 3.4, or one that was started with --enable-grpc-gateway=false, cannot be asked",
  },
  STORE_REFUSED: {
    exit: EXIT.failed,
    text: (f) => `Cannot use the control store at ${f["where"]}: ${f["why"]}`,
    hint: (f) => f["user"] === "" ? "if it asks for a user, give a file with NAME:PASSWORD with --store-user FILE" : `it was asked by the user ${f["user"]}`,
  },
} as const satisfies Record<string, Row>;
export type ErrorCode = keyof typeof ERRORS;

/** An operator's problem: what could not be done, why, and what to do. */
export class UpvmError extends Error {
  readonly code: ErrorCode;
  readonly facts: Facts;
  constructor(code: ErrorCode, facts: Facts) {
    super(ERRORS[code].text(facts));
    this.name = "UpvmError";
    this.code = code;
    this.facts = facts;
  }
  get exitCode(): number {
    return ERRORS[this.code].exit;
  }
  get hint(): string | undefined {
    const row: Row = ERRORS[this.code];
    return row.hint?.(this.facts) || undefined;
  }
}
