/**
 * Where upvm differs from PVM 3.4.6 on purpose, and why: one row for each line of the conformance suite that differs.
 *
 * Owns: the rows. docs/pvm-interface.md is made from them, and the suite fails if one does not hold any more.
 */
import type { ProgramName } from "./suite.ts";

export interface Difference {
  readonly program: ProgramName;
  readonly case: string;
  /** Lines that PVM prints; "": what upvm prints more, at the end. */
  readonly pvm: string;
  /** What upvm prints in their place; "" for nothing. */
  readonly upvm: string;
  /** One sentence, for a person who knows PVM. */
  readonly why: string;
}

/** What a person who knows PVM must know first: what no single line shows. */
export interface Meaning {
  readonly pvm: string;
  readonly upvm: string;
  readonly why: string;
}

export const MEANINGS: readonly Meaning[] = [
  {
    pvm: "a task is a process of the operating system",
    upvm: "a task is a user-level process (ULP): a WebAssembly program with a memory of its own; all share one process",
    why: "thousands of tasks fit on a machine, and a message is handed over without a copy",
  },
  {
    pvm: "NULL and a wild address end the task by SIGSEGV; `pvm_upkstr` to NULL does",
    upvm:
      "what is outside of the ULP's memory stops it; address 0, and what lies beyond an array, can be read and written; " +
      "`pvm_upkstr` to NULL is `PvmBadParam`",
    why: "a WebAssembly program has memory at address 0, and no pages in it that are none",
  },
  {
    pvm: "the command's exit code is that of the master's process",
    upvm: "`upvm run` ends with 0 only if all its tasks have ended well, with 1 if one failed; each code is in its message and in `--json`",
    why: "a run is all of its tasks",
  },
  {
    pvm: "a daemon is started before programs",
    upvm: "`upvm run` is the virtual machine of one host while it runs, also for `pvm_start_pvmd` and `pvm_halt`",
    why: "nothing has to be set up",
  },
  {
    pvm: "what a spawned task prints goes to the daemon's log unless `pvm_catchout` catches it",
    upvm: "it goes to the command's own output, line by line",
    why: "a person sees it",
  },
  {
    pvm: "`fork`, sockets and signal handlers are the system's",
    upvm: "refused when the program is compiled or linked; `pvm_sendsig` ends a task or does nothing",
    why: "a task has to be able to move to another machine",
  },
  {
    pvm: "`long` has 64 bits in C, and 32 in a message with the default encoding",
    upvm: "`long` has 32 bits in C, and 64 in a message; one that does not fit is `PvmOverflow`",
    why: "C for WebAssembly has it so; AssemblyScript's `i64` has its own routines",
  },
  {
    pvm: "the default encoding is XDR: a byte, a short or an int alike take 4 bytes",
    upvm: "all encodings are the same, little-endian, with the bytes that the type has",
    why: "every host of a virtual machine runs WebAssembly, and there is nothing to convert",
  },
  {
    pvm: "a barrier of a frozen group waits for ever for a member that has ended",
    upvm: "who waits in it gets `PvmNoGroup` at once; of a dynamic group it waits on; without a pvmd, where nobody else can come, a deadlock is reported",
    why: "a run never hangs without saying why",
  },
  {
    pvm: "`pvm_reduce` puts things together in the order in which they arrive, `pvm_bcast` to a frozen group with holes fails",
    upvm: "in order of instances; all members get it",
    why: "a sum of floating-point numbers is the same every time",
  },
  {
    pvm: "hosts are added and removed",
    upvm:
      "with a pvmd in service they are, as `upvm add` and `upvm delete` do it; without one there is one host: `pvm_addhosts` " +
      "gives `PvmDupHost`, `PvmNoHost` or `PvmCantStart` for each, `pvm_delhosts` `PvmBadParam` for the own",
    why: "a run without a daemon is complete in itself",
  },
  {
    pvm: "a host has an architecture, such as LINUX64",
    upvm:
      "every host is `WASM`; `PvmTaskArch` also takes its processor as Node names it, `x64` or `arm64`; `pvm_getfds` has no " +
      "file descriptor",
    why: "programs are WebAssembly, and run on all; messages come by shared memory",
  },
  {
    pvm: "a tid says on which host its task is",
    upvm:
      "it says of which job: one run of `upvm run`, with all that it has spawned; `pvm_tidtohost` asks where the task is, and " +
      "`pvm_tasks` for a tid of no job is `PvmNoHost`",
    why: "a ULP's tid stays the same wherever it goes",
  },
  {
    pvm: "who calls a routine after `pvm_exit` joins as a new task, with another tid and no parent",
    upvm: "it is the same task again, with its tid and its parent; what was sent to it meanwhile is gone",
    why: "a tid is the ULP's for as long as it lives",
  },
  {
    pvm: "`pvm_putinfo` of a buffer that is not there waits for ever; `pvm_packf` of a text that is NULL crashes",
    upvm: "`PvmNoSuchBuf`; `PvmBadParam`",
    why: "a mistake is an error, and the program goes on",
  },
  {
    pvm: "a message tells its encoding wherever it comes from; `pvm_getnoresets` lists the tasks of the virtual machine",
    upvm:
      "over hosts and between jobs: one from another job always has the default encoding (the bytes are the same); `pvm_getnoresets` " +
      "lists those of the caller's process; `pvm_siblings` also has the tids of siblings that could not be made",
    why: "these few are not worth a question to the virtual machine",
  },
  {
    pvm: "`pvm_spawn` looks in the folders of the host file, or takes an absolute name",
    upvm:
      "in the folder of the program that runs, then in those of `--path` and `UPVM_PATH`, by the name with or without its " +
      "ending; an absolute name is `PvmNoFile`, and a working folder after `:` is ignored; a source is compiled, and if it " +
      "cannot be, the task gets `PvmNoFile` and the command says why",
    why: "a program must not choose among all files of the machine",
  },
  {
    pvm: "a tasker starts a task with fork and exec; a hoster's daemons join the machine",
    upvm:
      "a tasker lets a task run by sending `SM_STTASK` with its tid back to the daemon; a hoster is asked, and what is no " +
      "error is `PvmCantStart` unless the host has joined",
    why: "a ULP cannot fork, and what a daemon has printed proves nothing",
  },
  {
    pvm: "a trace also has the events of routines that PVM's library calls for itself: when it handles a message of the daemon or of a handler",
    upvm:
      "only those of routines that the program calls. `pvm_bcast` does not tell the members' tids; what waits for " +
      "`PvmTraceBuffer` is sent also when a task ends without `pvm_exit`; a task has no processor time of its own, so `endtask` " +
      "tells none; the names of data are sent to each place that events go to",
    why: "the library is no part of the program here, and a tracer that begins late can read its messages",
  },
  {
    pvm: "a task that computes shares the processor with others",
    upvm:
      "it runs until it waits, or one that slept or waited for a time or for an answer of the machine can go on, or others " +
      "could run for a second; with `--slice` all have their turns sooner",
    why: "switching costs what it saves",
  },
  {
    pvm: "`pvmgetrsh` gives `$PVM_ROOT/bin/rsh` unless `PVM_RSH` is set",
    upvm: "`rsh` unless `PVM_RSH` is set",
    why: "there is no folder of PVM's",
  },
  {
    pvm: "kill, notify, the message box work between all tasks",
    upvm: "`PvmNotImpl` with `--isolate`",
    why: "that mode is for debuggers and comparison",
  },
];

/** pvm_gsize of no name is upvm's own. */
const ALL_TOGETHER = "without a name it is the number of ULPs that were started together";

export const DIFFERENCES: readonly Difference[] = [
  ...['""', "NULL"].map((name) => ({
    program: "groups" as const,
    case: "pvm_gsize",
    pvm: `pvm_gsize(${name}): PvmNullGroup`,
    upvm: `pvm_gsize(${name}): 1`,
    why: ALL_TOGETHER,
  })),
  {
    program: "groups",
    case: "pvm_barrier",
    pvm: 'pvm_barrier("conform own", -1): PvmMismatch',
    upvm: 'pvm_barrier("conform own", -1): 0',
    why: "a barrier of less than 1 is PvmMismatch once; in PVM every later one of the group is, too",
  },
  {
    program: "groups",
    case: "member-errors",
    pvm: 'pvm_freezegroup("conform own", 1): PvmMismatch\npvm_freezegroup("conform own", 1): PvmMismatch',
    upvm: 'pvm_freezegroup("conform own", 1): 1\npvm_freezegroup("conform own", 1): PvmDupGroup',
    why: "a size of less than 1 is PvmMismatch once; in PVM every later one of the group is, too",
  },
  {
    program: "buffers",
    case: "nested-errors",
    pvm: "pvm_pkmesg(back): 0",
    upvm: "pvm_pkmesg(back): PvmNotImpl",
    why: "a buffer in place has nothing but places of the program's memory, and a message is none",
  },
  {
    program: "contexts",
    case: "handler-errors",
    pvm: "pvm_addmhf(-1, 85, 3, NULL) > mhf: yes",
    upvm: "pvm_addmhf(-1, 85, 3, NULL) > mhf: no",
    why: "a handler that is no function is PvmBadParam; under PVM the task crashes when a message comes for it",
  },
  {
    program: "contexts",
    case: "handler-wildcard",
    pvm: "pvm_addmhf(-1, -1, -1, handler): PvmExists\n(mhf = pvm_addmhf(-1, -1, 0, handler)) >= 0: 1",
    upvm: "pvm_addmhf(-1, -1, -1, handler): 1\n(mhf = pvm_addmhf(-1, -1, 0, handler)) >= 0: 0",
    why: "PVM's library has handlers of its own in the same table; upvm's has none, so that the first one is there",
  },
  {
    program: "contexts",
    case: "handler-wildcard",
    pvm: "pvm_delmhf(mhf): 0",
    upvm: "pvm_delmhf(mhf): PvmBadParam",
    why: "PVM's library has handlers of its own in the same table; upvm's has none, so that the first one is there",
  },
  ...(["send", "mcast", "psend"] as const).map((name) => ({
    program: "messages" as const,
    case: `pvm_${name}`,
    pvm: "",
    upvm: `to standard error: upvm [TID]: pvm_${name}(): there never was a task t4abcd: message dropped`,
    why: "PVM drops the message without a word",
  })),
  ...(
    [
      ["pvm_nrecv", "pvm_nrecv(-2, 4)", "pvm_nrecv(-1, -2)"],
      ["pvm_trecv", "pvm_trecv(-2, 3, &none)", "pvm_trecv(-1, -2, &none)"],
      ["pvm_probe", "pvm_probe(-2, 5)", "pvm_probe(-1, -2)"],
    ] as const
  ).flatMap(([name, ...calls]) =>
    calls.map((call) => ({
      program: "messages" as const,
      case: name,
      pvm: `${call}: 0`,
      upvm: `${call}: PvmBadParam`,
      why: "the manual page says PvmBadParam; PVM itself waits for a message that cannot come",
    })),
  ),
  {
    program: "messages",
    case: "pvm_psend",
    pvm: "pvm_psend(pvm_mytid(), 5, ints, -1, PVM_INT): 0",
    upvm: "pvm_psend(pvm_mytid(), 5, ints, -1, PVM_INT): PvmBadParam",
    why: "a negative length is a mistake; PVM sends an empty message",
  },
  {
    program: "options",
    case: "pvm_archcode",
    pvm: 'pvm_archcode("LINUX64") >= 0: yes',
    upvm: 'pvm_archcode("LINUX64") >= 0: no',
    why: "the one architecture is WASM",
  },
  {
    program: "options",
    case: "pvm_getfds",
    pvm: "pvm_getfds(&fds) > 0: 1\nfds != NULL && fds[0] >= 0: yes",
    upvm: "pvm_getfds(&fds) > 0: 0\nfds != NULL && fds[0] >= 0: no",
    why: "a ULP has no sockets to its daemon: there are none to wait on",
  },
  {
    program: "plugins",
    case: "manager-answers",
    pvm: "values[i]: 0\nvalues[i]: PvmDenied\nvalues[i]: 0",
    upvm: "values[i]: PvmDenied\nvalues[i]: 0\nvalues[i]: 0",
    why: "a manager's error is the result of pvm_config; PVM takes it for the number of hosts",
  },
  {
    program: "plugins",
    case: "manager-late",
    pvm: "info.tag == SM_SPAWN: no",
    upvm: "info.tag == SM_SPAWN: yes",
    why: "a resource manager is asked by all tasks from then on; PVM's are those that call their first routine after it",
  },
  {
    program: "tasks",
    case: "rejoin",
    pvm: "pvm_mytid() == me: no",
    upvm: "pvm_mytid() == me: yes",
    why: "who comes back after pvm_exit is the same task",
  },
  {
    program: "tasks",
    case: "pvm_tasks",
    pvm: "its process: yes",
    upvm: "its process: no",
    why: "tasks are not processes of the operating system: ti_pid says nothing",
  },
  {
    program: "tasks",
    case: "pvm_tasks",
    pvm: "my program has a name: no",
    upvm: "my program has a name: yes",
    why: "PVM does not know the name of what was started by hand",
  },
  ...['pvm_packf("%+%d%*d", PvmDataDefault, 5, -1, in)', 'pvm_unpackf("%*d", -1, in)'].map((call) => ({
    program: "packf" as const,
    case: "more-errors",
    pvm: `${call}: 0`,
    upvm: `${call}: PvmBadParam`,
    why: "a negative count is PvmBadParam, as of pvm_pkint and pvm_upkint; a format of PVM's takes it for 0",
  })),
  {
    program: "pack",
    case: "stride",
    pvm: "pvm_pkint(in, 2, 0): 0\npvm_pkint(in + 3, 2, -2): 0",
    upvm: "pvm_pkint(in, 2, 0): PvmBadParam\npvm_pkint(in + 3, 2, -2): PvmBadParam",
    why: "a stride is at least 1; PVM also goes backwards, or packs the same item again",
  },
  {
    program: "pack",
    case: "stride",
    pvm: "pvm_upkint(out, 4, 1): 0\n 1 1 4 2",
    upvm: "pvm_upkint(out, 4, 1): PvmNoData\n 0 0 0 0",
    why: "what was not packed does not arrive",
  },
  {
    program: "pack",
    case: "no-data",
    pvm: "pvm_upkint(out, 1, 1): PvmNoData\nout[0]: 5",
    upvm: "pvm_upkint(out, 1, 1): 0\nout[0]: 6",
    why: "an unpack that fails takes nothing: what is there can still be unpacked",
  },
  {
    program: "pack",
    case: "ranges",
    pvm: "0 65535 2147483649 2147483647 1e-38 -3e+38 1e-300 -1e+300",
    upvm: "0 65535 -2147483647 2147483647 1e-38 -3e+38 1e-300 -1e+300",
    why: "PVM's default encoding has 32 bits for a long, and loses its sign where a long has 64",
  },
  ...(
    [
      ["byte: 4\nshort: 4", "byte: 1\nshort: 2"],
      ["long: 4", "long: 8"],
      ["ushort: 4", "ushort: 2"],
      ["ulong: 4", "ulong: 8"],
      ["str: 12", "str: 10"],
    ] as const
  ).map(([pvm, upvm]) => ({
    program: "pack" as const,
    case: "sizes",
    pvm,
    upvm,
    why: "nothing is converted: a message has the bytes that its types have",
  })),
];
