/**
 * What a ULP asks of the virtual machine, and what its engine tells about it: one row for each kind.
 *
 * A routine that needs the virtual machine suspends the ULP (runtime/pvm/ask.ts); the request goes to the process's own
 * thread, and from there to the service (pvmd/), today in the same process. All is plain data, so that it can also go to
 * another process or host. Owns: the kinds and the shapes of what they carry. No code here has effects.
 */

/** Types of fields. */
interface Shapes {
  readonly int: number;
  readonly text: string;
  readonly ints: readonly number[];
  readonly texts: readonly string[];
  readonly bytes: Uint8Array;
}

interface Row {
  /** Routine of PVM that asks: for error messages and for what a ULP waits in. */
  readonly routine: string;
  readonly ask: Readonly<Record<string, keyof Shapes>>;
  /** What is asked, and what `Answer.value` is; a negative one is a PVM error code. */
  readonly doc: string;
}

export const REQUEST = {
  ended: { routine: "", ask: {}, doc: "told: the task has ended, or left PVM" },
  joined: { routine: "", ask: {}, doc: "told: the task has left PVM before, and is in it again" },
  kill: { routine: "pvm_kill", ask: { task: "int" }, doc: "end a task" },
  sendsig: { routine: "pvm_sendsig", ask: { task: "int", signum: "int" }, doc: "send a signal to a task" },
  pstat: { routine: "pvm_pstat", ask: { task: "int" }, doc: "PvmOk if the task is there, else PvmNoTask" },
  notify: { routine: "pvm_notify", ask: { what: "int", tag: "int", count: "int", tids: "ints", context: "int" }, doc: "messages about events" },
  config: { routine: "pvm_config", ask: {}, doc: "value: hosts; ints: tid, speed, signature of each; texts: name, architecture of each" },
  mstat: { routine: "pvm_mstat", ask: { host: "text" }, doc: "PvmOk if the host is up, else PvmNoHost" },
  addhosts: { routine: "pvm_addhosts", ask: { hosts: "texts" }, doc: "value: how many were added; ints: a tid or code for each" },
  delhosts: { routine: "pvm_delhosts", ask: { hosts: "texts" }, doc: "value: how many were removed; ints: 0 or a code for each" },
  hostsync: { routine: "pvm_host_sync", ask: { host: "int" }, doc: "ints: seconds and microseconds of the host's clock" },
  halt: { routine: "pvm_halt", ask: {}, doc: "end the virtual machine; never answered" },
  putinfo: { routine: "pvm_putinfo", ask: { name: "text", flags: "int", encoding: "int", data: "bytes" }, doc: "value: index of the entry" },
  recvinfo: { routine: "pvm_recvinfo", ask: { name: "text", index: "int", flags: "int" }, doc: "value: encoding; ints: owner when it was put; bytes: the message" },
  delinfo: { routine: "pvm_delinfo", ask: { name: "text", index: "int" }, doc: "value: index of the entry" },
  mboxinfo: { routine: "pvm_getmboxinfo", ask: { pattern: "text" }, doc: "value: classes; texts: their names; ints: class, index, owner, flags of each entry" },
  insert: { routine: "pvm_insert", ask: { name: "text", req: "int", data: "int" }, doc: "value: index of the entry" },
  lookup: { routine: "pvm_lookup", ask: { name: "text", req: "int" }, doc: "value: index of the entry; ints: what it holds" },
  delete: { routine: "pvm_delete", ask: { name: "text", req: "int" }, doc: "value: index of the entry" },
  load: { routine: "pvm_spawn", ask: { name: "text" }, doc: "load a program by its name; value: its row in the program table" },
  spawn: {
    routine: "pvm_spawn",
    ask: { name: "text", flags: "int", where: "text", count: "int", args: "texts", env: "texts", output: "ints", program: "int", refused: "int", context: "int", options: "ints" },
    doc: "spawn while a plug-in is registered, or over hosts; `program`: its row, -1 unknown; `refused`: why the own host cannot, 0; `options`: numbers and values that new tasks have; ints: SPAWN_ANSWER",
  },
  started: { routine: "", ask: { tids: "ints", flags: "int", args: "texts", env: "texts" }, doc: "told: tasks were made, a tasker is to let them run" },
  executed: { routine: "", ask: { wid: "int", tids: "ints" }, doc: "told: what the resource manager asked for (SM_EXEC) was made" },
  tasks: { routine: "pvm_tasks", ask: { where: "int" }, doc: "tasks as a resource manager or the router tells; ints: 5 for each; none: as the engine knows" },
  taskName: { routine: "pvm_tasks", ask: { task: "int" }, doc: "texts: program of a task" },
  whereIs: { routine: "pvm_tidtohost", ask: { task: "int" }, doc: "value: tid of the daemon of the host that a task is on" },
  joinGroup: { routine: "pvm_joingroup", ask: { name: "text" }, doc: "value: instance number" },
  leaveGroup: { routine: "pvm_lvgroup", ask: { name: "text" }, doc: "leave a group" },
  groupSize: { routine: "pvm_gsize", ask: { name: "text" }, doc: "value: members" },
  groupInstance: { routine: "pvm_getinst", ask: { name: "text", task: "int" }, doc: "value: instance number of a task" },
  groupTid: { routine: "pvm_gettid", ask: { name: "text", instance: "int" }, doc: "value: tid" },
  groupTids: { routine: "pvm_bcast", ask: { name: "text" }, doc: "value: instance numbers; ints: tid of each, 0: free" },
  groupRole: { routine: "pvm_gather", ask: { name: "text", root: "int" }, doc: "checks of a collective; value: own instance number" },
  barrier: { routine: "pvm_barrier", ask: { name: "text", count: "int" }, doc: "answered when all have come" },
  freezeGroup: { routine: "pvm_freezegroup", ask: { name: "text", size: "int" }, doc: "answered when all have come; value: size" },
  regHoster: { routine: "pvm_reg_hoster", ask: {}, doc: "register as the one that starts daemons" },
  regTasker: { routine: "pvm_reg_tasker", ask: {}, doc: "register as the one that starts tasks" },
  regRm: { routine: "pvm_reg_rm", ask: {}, doc: "register as resource manager; value: tid of the one before, 0 none" },
  regTracer: { routine: "pvm_reg_tracer", ask: { wants: "ints" }, doc: "register as who gets output and traces; TRACER without its tid" },
  toDaemon: { routine: "", ask: { tag: "int", wid: "int", data: "bytes" }, doc: "told: a plug-in has sent this to the daemon" },
  toTask: { routine: "", ask: { to: "int", tag: "int", wid: "int", context: "int", data: "bytes" }, doc: "told: this may be a resource manager's answer to a task" },
  undelivered: { routine: "", ask: { src: "int", tag: "int", wid: "int", data: "bytes" }, doc: "told: a plug-in has no room for this message of the virtual machine" },
  relay: { routine: "", ask: { to: "int", tag: "int", wid: "int", context: "int", data: "bytes" }, doc: "told: a message for a task of another job" },
  newContext: { routine: "pvm_newcontext", ask: {}, doc: "allot a context; value: its id" },
  freeContext: { routine: "pvm_freecontext", ask: { context: "int" }, doc: "give a context back" },
  input: { routine: "read", ask: { bytes: "int" }, doc: "standard input: waits for some; bytes: so many at most, none at its end" },
  inputReady: { routine: "poll", ask: { ms: "int" }, doc: "waits for standard input, so long; -1: for ever; value: 1 if a read would not wait" },
} as const satisfies Readonly<Record<string, Row>>;

export type RequestKind = keyof typeof REQUEST;
export const REQUEST_KINDS = Object.keys(REQUEST) as readonly RequestKind[];

/** Fields of a kind of request. */
export type RequestBody<K extends RequestKind> = {
  readonly [F in keyof (typeof REQUEST)[K]["ask"]]: Shapes[(typeof REQUEST)[K]["ask"][F] & keyof Shapes];
};
export interface RequestOf<K extends RequestKind> {
  readonly kind: K;
  /** ULP that asks. */
  readonly tid: number;
  /** Number of this request among the ULP's; 0: nobody waits for an answer. */
  readonly serial: number;
  readonly body: RequestBody<K>;
}
export type Request = { [K in RequestKind]: RequestOf<K> }[RequestKind];

/** What the virtual machine answers. */
export interface Answer {
  readonly value: number;
  readonly ints?: readonly number[];
  readonly texts?: readonly string[];
  readonly bytes?: Uint8Array;
}
