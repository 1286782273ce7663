/**
 * PVM 3.4's constants, error codes and routines: one table each, from which come the C header, the AssemblyScript
 * declarations, the link step's check and the documentation.
 *
 * Source: pvm3.h, fpvm3.h and the manual pages of PVM 3.4.6.
 */

/** Errors a guest sees: negative results of routines. */
export const PVM_ERROR = {
  PvmOk: { code: 0, text: "Error 0" },
  PvmBadParam: { code: -2, text: "Bad parameter" },
  PvmMismatch: { code: -3, text: "Parameter mismatch" },
  PvmOverflow: { code: -4, text: "Value too large" },
  PvmNoData: { code: -5, text: "End of buffer" },
  PvmNoHost: { code: -6, text: "No such host" },
  PvmNoFile: { code: -7, text: "No such file" },
  PvmDenied: { code: -8, text: "Permission denied" },
  PvmNoMem: { code: -10, text: "Malloc failed" },
  PvmBadMsg: { code: -12, text: "Can't decode message" },
  PvmSysErr: { code: -14, text: "Can't contact local daemon" },
  PvmNoBuf: { code: -15, text: "No current buffer" },
  PvmNoSuchBuf: { code: -16, text: "No such buffer" },
  PvmNullGroup: { code: -17, text: "Null group name" },
  PvmDupGroup: { code: -18, text: "Already in group" },
  PvmNoGroup: { code: -19, text: "No such group" },
  PvmNotInGroup: { code: -20, text: "Not in group" },
  PvmNoInst: { code: -21, text: "No such instance" },
  PvmHostFail: { code: -22, text: "Host failed" },
  PvmNoParent: { code: -23, text: "No parent task" },
  PvmNotImpl: { code: -24, text: "Not implemented" },
  PvmDSysErr: { code: -25, text: "Pvmd system error" },
  PvmBadVersion: { code: -26, text: "Version mismatch" },
  PvmOutOfRes: { code: -27, text: "Out of resources" },
  PvmDupHost: { code: -28, text: "Duplicate host" },
  PvmCantStart: { code: -29, text: "Can't start pvmd" },
  PvmAlready: { code: -30, text: "Already in progress" },
  PvmNoTask: { code: -31, text: "No such task" },
  PvmNotFound: { code: -32, text: "Not Found" },
  PvmExists: { code: -33, text: "Already Exists" },
  PvmHostrNMstr: { code: -34, text: "Hoster must run on master host" },
  PvmParentNotSet: { code: -35, text: "Spawning parent set PvmNoParent" },
  PvmIPLoopback: { code: -36, text: "Master Host IP Address is Loopback! (See pvm3/Readme)" },
} as const;
export type PvmErrorName = keyof typeof PVM_ERROR;

/** Constants of the interface that this version serves. */
export const PVM_CONSTANT = {
  PvmDataDefault: 0, PvmDataRaw: 1, PvmDataInPlace: 2,
  PVM_STR: 0, PVM_BYTE: 1, PVM_SHORT: 2, PVM_INT: 3, PVM_FLOAT: 4, PVM_CPLX: 5, PVM_DOUBLE: 6, PVM_DCPLX: 7,
  PVM_LONG: 8, PVM_USHORT: 9, PVM_UINT: 10, PVM_ULONG: 11,
  /** upvm's own, for psend and precv: 64-bit ints as pvm_pkint64 packs them. PVM_LONG is C's long. */
  PVM_INT64: 12,
  PvmBaseContext: 0,
  PvmDontRoute: 1, PvmAllowDirect: 2, PvmRouteDirect: 3, PvmTraceFull: 1, PvmTraceTime: 2, PvmTraceCount: 3,
  PvmPollConstant: 1, PvmPollSleep: 2, PvmTaskSelf: 0, PvmTaskChild: 1,
  PvmTaskDefault: 0, PvmTaskHost: 1, PvmTaskArch: 2, PvmTaskDebug: 4, PvmTaskTrace: 8, PvmMppFront: 16,
  PvmHostCompl: 32, PvmNoSpawnParent: 64,
  PvmTaskExit: 1, PvmHostDelete: 2, PvmHostAdd: 3, PvmRouteAdd: 4, PvmRouteDelete: 5, PvmNotifyCancel: 256,
  PvmMboxDefault: 0, PvmMboxPersistent: 1, PvmMboxMultiInstance: 2, PvmMboxOverWritable: 4, PvmMboxFirstAvail: 8,
  PvmMboxReadAndDelete: 16, PvmMboxWaitForInfo: 32, PvmMboxMaxFlag: 512, PvmMboxDirectIndexShift: 10,
} as const;

/** True for the encodings that a message buffer can have: PvmDataDefault, PvmDataRaw, PvmDataInPlace. */
export function isEncoding(encoding: number): boolean {
  return encoding >= PVM_CONSTANT.PvmDataDefault && encoding <= PVM_CONSTANT.PvmDataInPlace;
}

/** What pvm_getminfo tells of a message's encoding; of a raw one it tells the data format of its host. */
export const PVM_ENCODING = { xdr: 0x10000000, inPlace: 0x20000000 } as const;

/** Data types of a message: bytes of one item on the wire, and in the memory of a wasm32 C program. */
export const PVM_TYPE = {
  byte: { code: 1, wireBytes: 1, c: "char", cBytes: 1 },
  short: { code: 2, wireBytes: 2, c: "short", cBytes: 2 },
  int: { code: 3, wireBytes: 4, c: "int", cBytes: 4 },
  float: { code: 4, wireBytes: 4, c: "float", cBytes: 4 },
  cplx: { code: 5, wireBytes: 8, c: "float", cBytes: 8 },
  double: { code: 6, wireBytes: 8, c: "double", cBytes: 8 },
  dcplx: { code: 7, wireBytes: 16, c: "double", cBytes: 16 },
  /** 64 bits on the wire; a wasm32 C `long` has 32, an AssemblyScript i64 has 64: two routines, one wire type. */
  long: { code: 8, wireBytes: 8, c: "long", cBytes: 4 },
  ushort: { code: 9, wireBytes: 2, c: "unsigned short", cBytes: 2 },
  uint: { code: 10, wireBytes: 4, c: "unsigned int", cBytes: 4 },
  ulong: { code: 11, wireBytes: 8, c: "unsigned long", cBytes: 4 },
} as const;

/**
 * A tid is its job's base + 1 + the ULP's index, PVM's form for host number `job`. It never changes. A run without a daemon
 * is job 1.
 */
export const TID_BASE = 0x40000;
export function tidBaseOf(job: number): number {
  return job * TID_BASE;
}
export function tidOf(index: number, base: number = TID_BASE): number {
  return base + 1 + index;
}
/** What messages of a host's daemon to its own tasks come from. */
export const DAEMON_TID = -0x80000000;
/** How PVM prints a tid: `t40001`. */
export function tidText(tid: number): string {
  return `t${(tid >>> 0).toString(16)}`;
}

/** What pvm_config tells of a host: its architecture, relative speed, and data signature (that of a 32-bit little-endian machine). */
export const HOST_ARCH = "WASM";
export const HOST_SPEED = 1000;
export const HOST_SIGNATURE = 0x408841;

/** How a routine comes to the guest: in the linked module itself, by a call of the engine, or by one that may block. */
export type Route = "inline" | "call" | "block";

export interface Routine {
  /** C prototype's parameters, PVM's names. `void` for none. */
  readonly c: string;
  /** Wasm parameters: i i32, l i64, f f32, d f64. All results are i32. */
  readonly wasm: string;
  readonly route: Route;
  readonly doc: string;
}

const upk = (type: string, doc: string): Routine => ({ c: `${type} *xp, int nitem, int stride`, wasm: "iii", route: "inline", doc });
const pk = (type: string, doc: string): Routine => upk(`const ${type}`, doc);

/** Namespace `pvm`: every routine a guest may import. */
export const PVM_ROUTINE = {
  pvm_mytid: { c: "void", wasm: "", route: "inline", doc: "own tid" },
  pvm_parent: { c: "void", wasm: "", route: "call", doc: "tid of the ULP that spawned this one; PvmNoParent" },
  pvm_siblings_get: {
    c: "int *tids, int capacity", wasm: "ii", route: "call",
    doc: "how many ULPs were started together; their tids, at most `capacity`, in order of creation, go to `tids`",
  },
pvm_joingroup: { c: "const char *group", wasm: "i", route: "block", doc: "become a member of a group; its instance number, the lowest that is free" },
  pvm_lvgroup: { c: "const char *group", wasm: "i", route: "block", doc: "leave a group" },
  pvm_getinst: { c: "const char *group, int tid", wasm: "ii", route: "block", doc: "instance number of a task in a group" },
  pvm_gettid: { c: "const char *group, int inum", wasm: "ii", route: "block", doc: "tid of a group's member by its instance number" },
  pvm_gsize: { c: "const char *group", wasm: "i", route: "block", doc: "members of a group; NULL or \"\": all ULPs started together" },
  pvm_barrier: {
    c: "const char *group, int count", wasm: "ii", route: "block",
    doc: "wait until `count` members of a group have called it; -1: as many as it has now",
  },
  pvm_bcast: {
    c: "const char *group, int msgtag", wasm: "ii", route: "block",
    doc: "send the default send buffer to all members of a group but the caller",
  },
  pvm_freezegroup: {
    c: "const char *group, int size", wasm: "ii", route: "block",
    doc: "wait until `size` members have called it (-1: as many as it has now), then nobody joins any more; the group's size",
  },
  pvm_group_tids: {
    c: "const char *group, int *tids, int capacity", wasm: "iii", route: "block",
    doc: "how many instance numbers a group has; their tids, at most `capacity`, go to `tids`, 0 for one that is free (upvm's own)",
  },
  pvm_collective: {
    c: "const char *routine, const char *group, int rootginst, int count, int datatype, int msgtag", wasm: "iiiiii", route: "block",
    doc: "checks of gather, scatter and reduce: own instance number (upvm's own)",
  },
  pvm_tasks_get: {
    c: "int where, int *rows, int capacity", wasm: "iii", route: "block",
    doc: "how many tasks there are; at most `capacity` rows of 5 ints: tid, ptid, host, flag, pid",
  },
  pvm_task_name: {
    c: "int tid, char *buf, int bytes", wasm: "iii", route: "block",
    doc: "length of a task's program name in bytes; it goes to `buf`, cut to `bytes` with its NUL",
  },
  pvm_exit: { c: "void", wasm: "", route: "call", doc: "leave PVM; the program runs on" },
  pvm_initsend: { c: "int encoding", wasm: "i", route: "call", doc: "clear the default send buffer" },
  pvm_mkbuf: { c: "int encoding", wasm: "i", route: "call", doc: "new message buffer" },
  pvm_freebuf: { c: "int bufid", wasm: "i", route: "call", doc: "free a message buffer" },
  pvm_getsbuf: { c: "void", wasm: "", route: "call", doc: "default send buffer, 0 if none" },
  pvm_getrbuf: { c: "void", wasm: "", route: "call", doc: "default receive buffer, 0 if none" },
  pvm_setsbuf: { c: "int bufid", wasm: "i", route: "call", doc: "set the default send buffer; returns the old one" },
  pvm_setrbuf: { c: "int bufid", wasm: "i", route: "call", doc: "set the default receive buffer; returns the old one" },
  pvm_bufinfo: { c: "int bufid, int *len, int *tag, int *tid", wasm: "iiii", route: "call", doc: "length, tag and source of a message" },
  pvm_pkbyte: pk("char", "pack bytes"),
  pvm_pkcplx: pk("float", "pack complex numbers (two floats each)"),
  pvm_pkdcplx: pk("double", "pack double complex numbers (two doubles each)"),
  pvm_pkdouble: pk("double", "pack doubles"),
  pvm_pkfloat: pk("float", "pack floats"),
  pvm_pkint: pk("int", "pack ints"),
  pvm_pklong: pk("long", "pack C longs (32 bits here, 64 on the wire)"),
  pvm_pkshort: pk("short", "pack shorts"),
  pvm_pkuint: pk("unsigned int", "pack unsigned ints"),
  pvm_pkulong: pk("unsigned long", "pack unsigned C longs (32 bits here, 64 on the wire)"),
  pvm_pkushort: pk("unsigned short", "pack unsigned shorts"),
  pvm_pkint64: pk("long long", "pack 64-bit ints: the wire type of pvm_pklong (upvm's own)"),
  pvm_pkstr: { c: "const char *cp", wasm: "i", route: "call", doc: "pack a NUL-terminated string" },
  pvm_upkbyte: upk("char", "unpack bytes"),
  pvm_upkcplx: upk("float", "unpack complex numbers"),
  pvm_upkdcplx: upk("double", "unpack double complex numbers"),
  pvm_upkdouble: upk("double", "unpack doubles"),
  pvm_upkfloat: upk("float", "unpack floats"),
  pvm_upkint: upk("int", "unpack ints"),
  pvm_upklong: upk("long", "unpack C longs; PvmOverflow if one does not fit in 32 bits"),
  pvm_upkshort: upk("short", "unpack shorts"),
  pvm_upkuint: upk("unsigned int", "unpack unsigned ints"),
  pvm_upkulong: upk("unsigned long", "unpack unsigned C longs; PvmOverflow if one does not fit in 32 bits"),
  pvm_upkushort: upk("unsigned short", "unpack unsigned shorts"),
  pvm_upkint64: upk("long long", "unpack 64-bit ints (upvm's own)"),
  pvm_upkstr: { c: "char *cp", wasm: "i", route: "call", doc: "unpack a string, with its NUL" },
  pvm_upkstr_bytes: {
    c: "void", wasm: "", route: "call",
    doc: "bytes of the string that comes next, with its NUL; unpacks nothing (upvm's own)",
  },
  pvm_send: { c: "int tid, int tag", wasm: "ii", route: "call", doc: "send the default send buffer" },
  pvm_mcast: { c: "const int *tids, int count, int tag", wasm: "iii", route: "call", doc: "send it to several tasks" },
  pvm_psend: { c: "int tid, int tag, const void *cp, int len, int type", wasm: "iiiii", route: "call", doc: "pack and send in one call" },
  pvm_recv: { c: "int tid, int tag", wasm: "ii", route: "block", doc: "wait for a message; -1 is any" },
  pvm_nrecv: { c: "int tid, int tag", wasm: "ii", route: "call", doc: "receive if there is one, else 0" },
  pvm_trecv: {
    c: "int tid, int tag, const struct timeval *tmout", wasm: "iii", route: "block",
    doc: "receive with a time limit: seconds (i64 at 0) and microseconds (i32 at 8); NULL: no limit; 0: none came",
  },
  pvm_probe: { c: "int tid, int tag", wasm: "ii", route: "call", doc: "is there a message? its bufid, else 0" },
  pvm_precv: {
    c: "int tid, int tag, void *cp, int len, int type, int *rtid, int *rtag, int *rlen",
    wasm: "iiiiiiii", route: "block", doc: "receive straight into memory",
  },
  pvm_addmhf: {
    c: "int src, int tag, int ctx, int (*func)(int mid)", wasm: "iiii", route: "call",
    doc: "let a function take messages as they come; -1 is any; returns the handler's id; PvmExists if one takes some of the same",
  },
  pvm_delmhf: { c: "int mhid", wasm: "i", route: "call", doc: "remove a message handler; PvmNotFound" },
  pvm_recvf_set: { c: "int func", wasm: "i", route: "call", doc: "set the matching function by its table index; returns the old one, 0: the usual" },
  pvm_setopt: { c: "int what, int val", wasm: "ii", route: "call", doc: "set an option of the library; returns the old value" },
  pvm_getopt: { c: "int what", wasm: "i", route: "call", doc: "value of an option" },
  pvm_noresets_get: {
    c: "int *tids, int capacity", wasm: "ii", route: "call",
    doc: "how many tasks have PvmNoReset; their tids, at most `capacity`, go to `tids`",
  },
  pvm_getminfo: { c: "int bufid, struct pvmminfo *mi", wasm: "ii", route: "call", doc: "what a message tells of itself" },
  pvm_setminfo: { c: "int bufid, struct pvmminfo *mi", wasm: "ii", route: "call", doc: "set its ctx, tag, wid, src and dst" },
  pvm_pkmesg: { c: "int bufid", wasm: "i", route: "call", doc: "pack a message, with what it tells of itself" },
  pvm_pkmesgbody: { c: "int bufid", wasm: "i", route: "call", doc: "pack the bytes of a message; PvmMismatch if the encodings differ" },
  pvm_upkmesg: { c: "void", wasm: "", route: "call", doc: "unpack a message of pvm_pkmesg; its bufid" },
  pvm_tickle: {
    c: "int narg, int *argp, int *nresp, int *resp", wasm: "iiii", route: "call",
    doc: "ask the daemon about itself: takes 1 to 10 numbers, answers none",
  },
  pvm_fail: { c: "const char *routine, int code", wasm: "ii", route: "call", doc: "fail as a routine of PVM does (upvm's own)" },
  pvm_setcontext: { c: "int context", wasm: "i", route: "call", doc: "send and receive in this context from now on; returns the old one" },
  pvm_getcontext: { c: "void", wasm: "", route: "call", doc: "the context, PvmBaseContext to begin with" },
  pvm_newcontext: { c: "void", wasm: "", route: "block", doc: "a context that no other task of the virtual machine has; PvmOutOfRes" },
  pvm_freecontext: { c: "int context", wasm: "i", route: "block", doc: "give a context back; PvmNotFound if nobody has it" },
  pvm_perror: { c: "const char *msg", wasm: "i", route: "call", doc: "print the last error" },
  pvm_strerror_get: {
    c: "char *buf, int bytes", wasm: "ii", route: "call",
    doc: "length of the last error's text in bytes; it goes to `buf`, cut to `bytes` with its NUL",
  },
  pvm_spawn: {
    c: "const char *task, char **argv, int flag, const char *where, int ntask, int *tids", wasm: "iiiiii", route: "block",
    doc: "start `ntask` ULPs of a program by its file name; how many were started, their tids or errors go to `tids`",
  },
  pvm_kill: { c: "int tid", wasm: "i", route: "block", doc: "end a task: at once, whatever it does" },
  pvm_sendsig: { c: "int tid, int signum", wasm: "ii", route: "block", doc: "send a signal: one whose default is to end a process ends the task" },
  pvm_pstat: { c: "int tid", wasm: "i", route: "block", doc: "PvmOk: the task is there; PvmNoTask" },
  pvm_tidtohost: { c: "int tid", wasm: "i", route: "block", doc: "tid of the daemon of a task's host" },
  pvm_notify: {
    c: "int what, int msgtag, int cnt, const int *tids", wasm: "iiii", route: "block",
    doc: "ask for a message when tasks end (PvmTaskExit), hosts come or go; with PvmNotifyCancel: at once",
  },
  pvm_config_get: {
    c: "int *rows, int capacity, char *names, int bytes", wasm: "iiii", route: "block",
    doc: "how many hosts there are; rows of 3 ints: tid, speed, data signature; `names`: name and architecture of each, a NUL behind each",
  },
  pvm_mstat: { c: "const char *host", wasm: "i", route: "block", doc: "PvmOk: the host is up; PvmNoHost" },
  pvm_addhosts: { c: "char **hosts, int count, int *infos", wasm: "iii", route: "block", doc: "add hosts; how many were added, their tids or errors go to `infos`" },
  pvm_delhosts: { c: "char **hosts, int count, int *infos", wasm: "iii", route: "block", doc: "remove hosts; how many were removed, 0 or errors go to `infos`" },
  pvm_hostsync: {
    c: "int host, struct timeval *rclk, struct timeval *delta", wasm: "iii", route: "block",
    doc: "clock of a host, and by how much the caller's is ahead of it",
  },
  pvm_archcode: { c: "const char *arch", wasm: "i", route: "call", doc: "data signature of an architecture of the virtual machine; PvmNotFound" },
  pvm_halt: { c: "void", wasm: "", route: "block", doc: "end all tasks and the virtual machine; the caller too" },
  pvm_start_pvmd: { c: "int argc, char **argv, int block", wasm: "iii", route: "call", doc: "PvmDupHost: a task runs in a virtual machine already" },
  pvm_putinfo: { c: "const char *name, int bufid, int flags", wasm: "iii", route: "block", doc: "put a message into the message box; its index" },
  pvm_recvinfo: { c: "const char *name, int index, int flags", wasm: "iii", route: "block", doc: "a message of the message box becomes the receive buffer" },
  pvm_delinfo: { c: "const char *name, int index, int flags", wasm: "iii", route: "block", doc: "delete an entry of the message box; its index" },
  pvm_mboxinfo_get: {
    c: "const char *pattern, int *rows, int capacity, char *names, int bytes, int *sizes", wasm: "iiiiii", route: "block",
    doc: "how many classes match; sizes: entries of all, bytes of names; rows of 4 ints: class, index, owner, flags",
  },
  pvm_insert: { c: "const char *name, int req, int data", wasm: "iii", route: "block", doc: "old form of putinfo: an int under a name; its index" },
  pvm_lookup: { c: "const char *name, int req, int *datap", wasm: "iii", route: "block", doc: "old form of recvinfo: an int by its name; its index" },
  pvm_delete: { c: "const char *name, int req", wasm: "ii", route: "block", doc: "old form of delinfo" },
  pvm_spawn_environ: {
    c: "char **env", wasm: "i", route: "call",
    doc: "what tasks spawned from now on find in their environment: NAME=VALUE, NULL at the end (upvm's own; pvm_export uses it)",
  },
  pvm_reg_hoster: { c: "void", wasm: "", route: "block", doc: "register as hoster: asked with SM_STHOST to start the daemons of new hosts" },
  pvm_reg_tasker: { c: "void", wasm: "", route: "block", doc: "register as tasker: asked with SM_STTASK to start each task; PvmAlready: another is" },
  pvm_reg_rm: {
    c: "void", wasm: "", route: "block",
    doc: "register as resource manager: asked with SM_SPAWN and others; tid of the manager there was, 0 none",
  },
  pvm_settmask: {
    c: "int who, char *mask", wasm: "ii", route: "call",
    doc: "set which routines make trace events: the caller's (PvmTaskSelf), those of tasks spawned from now on (PvmTaskChild)",
  },
  pvm_gettmask: { c: "int who, char *mask", wasm: "ii", route: "call", doc: "the mask that is set: TEV_MASK_LENGTH characters go to `mask`" },
  pvm_trace_begin: {
    c: "int event, const char *text, int value", wasm: "iii", route: "call",
    doc: "a routine of the guest library begins: what its trace event tells (upvm's own)",
  },
  pvm_trace_end: {
    c: "int event, int result, int first, int second", wasm: "iiii", route: "call",
    doc: "it returns: gives `result` back (upvm's own)",
  },
  pvm_reg_tracer: {
    c: "int trcctx, int trctag, int outctx, int outtag, char *trcmask, int trcbuf, int trcopt", wasm: "iiiiiii", route: "block",
    doc: "register as tracer: tasks spawned from now on that have no other place for them send it their output and trace events",
  },
  pvm_room: { c: "int tid, int bytes", wasm: "ii", route: "call", doc: "1: who sends so many bytes to this task now does not wait for room; else 0 (upvm's own)" },
  pvm_yield: { c: "void", wasm: "", route: "block", doc: "let the next runnable ULP run (upvm's own)" },
} as const satisfies Record<string, Routine>;
export type RoutineName = keyof typeof PVM_ROUTINE;

/**
 * Routines that hand out memory of the guest: code of the guest library over the imports named `over`, never imports
 * themselves. What they hand out is the library's: it stays as it is until the routine is called again.
 * `cOnly`: not in AssemblyScript, which has no variable arguments; there `pk<T>` and `upk<T>` choose by type.
 */
export const PVM_LIBRARY = {
  pvm_siblings: {
    result: "int", c: "int **tids", over: ["pvm_siblings_get", "pvm_trace_begin", "pvm_trace_end"],
    doc: "how many ULPs were started together, and their tids in order of creation",
  },
  pvm_tasks: {
    result: "int", c: "int where, int *ntask, struct pvmtaskinfo **taskp", over: ["pvm_tasks_get", "pvm_task_name", "pvm_trace_begin", "pvm_trace_end"],
    doc: "the tasks of the virtual machine (where: 0 all, a host's or a task's tid)",
  },
  pvm_spawn: {
    result: "int", c: "const char *task, char **argv, int flag, const char *where, int ntask, int *tids",
    over: ["pvm_spawn", "pvm_spawn_environ"],
    doc: "start `ntask` ULPs of a program by its file name, with the environment that PVM_EXPORT names; how many were started",
  },
  pvm_export: { result: "int", c: "const char *name", over: ["pvm_spawn_environ"], doc: "give an environment variable to tasks that are spawned: its name goes into PVM_EXPORT" },
  pvm_unexport: { result: "int", c: "const char *name", over: ["pvm_spawn_environ"], doc: "take it out again" },
  pvm_config: { result: "int", c: "int *nhost, int *narch, struct pvmhostinfo **hostp", over: ["pvm_config_get", "pvm_trace_begin", "pvm_trace_end"], doc: "the hosts of the virtual machine" },
  pvm_reg_rm: {
    result: "int", c: "struct pvmhostinfo **hip", over: ["pvm_reg_rm", "pvm_config_get", "pvm_trace_begin", "pvm_trace_end"],
    doc: "register as resource manager: asked with SM_SPAWN and others; `*hip`: the own host; tid of the manager there was, 0 none",
  },
  pvmgetrsh: { result: "char *", c: "void", over: [], doc: "command that starts daemons on other hosts: PVM_RSH of the environment, else rsh" },
  pvmgettmp: { result: "char *", c: "void", over: [], doc: "folder of temporary files: PVM_TMP of the environment, else /tmp" },
  pvm_getmboxinfo: {
    result: "int", c: "const char *pattern, int *nclasses, struct pvmmboxinfo **classes", over: ["pvm_mboxinfo_get", "pvm_trace_begin", "pvm_trace_end"],
    doc: "classes of the message box whose names have `pattern` in them (\"*\": anything)",
  },
  pvm_getfds: { result: "int", c: "int **fds", over: ["pvm_trace_begin", "pvm_trace_end"], doc: "0: a ULP's messages come by shared memory, there is no file to wait for" },
  pvm_version: { result: "char *", c: "void", over: [], doc: "version of PVM's interface: \"3.4.6\"" },
  pvm_getnoresets: {
    result: "int", c: "int **tids, int *ntid", over: ["pvm_noresets_get"],
    doc: "tids of the tasks that have PvmNoReset",
  },
  pvm_packf: {
    result: "int", c: "const char *fmt, ...", cOnly: true, over: ["pvm_initsend", "pvm_fail", "pvm_trace_begin", "pvm_trace_end"],
    doc: "pack by a format as of printf: `%[count][.stride][h|l|u]c`, c one of c d f x s; `%+` first: pvm_initsend",
  },
  pvm_unpackf: { result: "int", c: "const char *fmt, ...", cOnly: true, over: ["pvm_fail", "pvm_trace_begin", "pvm_trace_end"], doc: "unpack by a format; all arguments are addresses" },
  pvm_recvf: {
    result: "int (*", c: "int (*func)(int bufid, int tid, int tag)", end: ")(int bufid, int tid, int tag)", over: ["pvm_recvf_set"],
    doc: "set the function that chooses messages for receives, NULL: by tid and tag; returns the old one",
  },
  pvm_getmwid: { result: "int", c: "int bufid", over: ["pvm_getminfo"], doc: "wait id of a message" },
  pvm_setmwid: { result: "int", c: "int bufid, int waitid", over: ["pvm_getminfo", "pvm_setminfo"], doc: "set it" },
  pvm_exit: { result: "int", c: "void", over: ["pvm_exit"], doc: "leave PVM, after the output of children has been written if pvm_catchout is on; the program runs on" },
  pvm_catchout: { result: "int", c: "FILE *ff", over: ["pvm_addmhf", "pvm_setopt"], doc: "write the output of tasks spawned from now on to a file (declared if stdio.h comes before this header)" },
  pvm_strerror: { result: "char *", c: "void", over: ["pvm_strerror_get"], doc: "text of the last error" },
  pvm_gather: {
    result: "int", c: "void *result, void *data, int count, int datatype, int msgtag, const char *group, int rootginst",
    over: ["pvm_collective", "pvm_fail", "pvm_group_tids", "pvm_trace_begin", "pvm_trace_end"],
    doc: "the root gets `count` items of each member, in order of instances",
  },
  pvm_scatter: {
    result: "int", c: "void *result, void *data, int count, int datatype, int msgtag, const char *group, int rootginst",
    over: ["pvm_collective", "pvm_fail", "pvm_group_tids", "pvm_trace_begin", "pvm_trace_end"],
    doc: "each member gets its `count` items of the root's, in order of instances",
  },
  pvm_reduce: {
    result: "int",
    c: "pvm_reducer *func, void *data, int count, int datatype, int msgtag, const char *group, int rootginst",
    over: ["pvm_collective", "pvm_fail", "pvm_group_tids", "pvm_trace_begin", "pvm_trace_end"],
    doc: "the root gets all members' items put together, item by item, in order of instances",
  },
} as const satisfies Record<
  string,
  { readonly result: string; readonly c: string; readonly end?: string; readonly cOnly?: boolean; readonly over: readonly RoutineName[]; readonly doc: string }
>;

/** Operators of pvm_reduce: functions of the C library, numbers in AssemblyScript. */
export const PVM_OPERATOR = {
  PvmMax: { doc: "the greater one; of complex numbers the one of the greater modulus" },
  PvmMin: { doc: "the smaller one; of complex numbers the one of the smaller modulus" },
  PvmSum: { doc: "the sum; not of bytes" },
  PvmProduct: { doc: "the product; not of bytes" },
} as const;
/** Parameters of an operator in C: `x` and `y` are `*num` items, the result is in `x`, an error in `*info`. */
export const OPERATOR_C = "int *datatype, void *x, void *y, int *num, int *info";
