/**
 * Trace events: which there are, of which routine each tells, and what it tells.
 *
 * Owns: the table. Where a value comes from is said in few characters (TraceField.from), which runtime/pvm/trace-values.ts
 * reads. Each event begins with TS, TU, TID: seconds and microseconds since 1970, the task.
 * Source: pvmtev.h of PVM 3.4.6, and the events that a task gets from it. No code here has effects.
 */
import type { TraceDatum } from "./trace-data.ts";

export interface TraceField {
  readonly datum: TraceDatum;
  /**
   * `0` … `7` a parameter; `@0` one that is an address; `$0` the text there; `*0` the int there; `0[1]` as many ints there as
   * parameter 1 says, `0[*1]` as the int there says, `0[result]` as the result says; `$0[1]` so many texts, `$0[]` up to a NULL;
   * `=-1` the number itself; else a word: `result`, `context`, `sendBytes`, of the message that the result is the bufid of `bytes`
   * `tag` `ctx` `src`, of what pvm_precv got `gotBytes` `gotTag` `gotCtx` `gotSrc`.
   */
  readonly from: string;
}
export interface TraceEvent {
  readonly id: number;
  /** As trace records name it. */
  readonly name: string;
  readonly entry: readonly TraceField[];
  readonly exit: readonly TraceField[];
}

/** `MB=0 MC=tag` */
function fields(text: string): TraceField[] {
  return text.split(" ").filter((part) => part !== "").map((part) => {
    const at = part.indexOf("=");
    return { datum: part.slice(0, at) as TraceDatum, from: part.slice(at + 1) };
  });
}
function event(id: number, name: string, entry: string, exit: string = "CC=result"): TraceEvent {
  return { id, name, entry: fields(entry), exit: fields(exit) };
}
const ITEMS = "PDA=@0 PC=1 PSD=2";
const WANTED = "RST=0 RMC=1 RCX=context";
const RECEIVED = "MB=result MNB=bytes MC=tag MCX=ctx SRC=src";

/** Events by name; PVM's constants are TEV_ and the name in capitals. */
export const TRACE_EVENT = {
  addhosts: event(0, "addhosts", "HNL=$0[1]"),
  barrier: event(1, "barrier", "GN=$0 GBC=1"),
  bcast: event(2, "bcast", "GN=$0 MC=1"),
  bufinfo: event(3, "bufinfo", "MB=0", "CC=result INB=*1 IMC=*2 IST=*3"),
  config: event(4, "config", "", "NH=1 NA=2 CC=result"),
  delete: event(5, "delete", "CN=$0 CI=1"),
  delhosts: event(6, "delhosts", "HNL=$0[1]"),
  exit: event(7, "exit", "", ""),
  freebuf: event(8, "freebuf", "MB=0"),
  getfds: event(9, "getfds", "", "CC=result FDS=1[result]"),
  getinst: event(10, "getinst", "GN=$0 GT=1", "GI=result"),
  getopt: event(11, "getopt", "OPT=0", "OPV=result"),
  getrbuf: event(12, "getrbuf", "", "MRB=result"),
  getsbuf: event(13, "getsbuf", "", "MSB=result"),
  gettid: event(14, "gettid", "GN=$0 GI=1", "GT=result"),
  gsize: event(15, "gsize", "GN=$0", "GS=result"),
  halt: event(16, "halt", ""),
  initsend: event(17, "initsend", "ME=0", "MSB=result"),
  insert: event(18, "insert", "CN=$0 CI=1 CD=2"),
  joingroup: event(19, "joingroup", "GN=$0"),
  kill: event(20, "kill", "TT=0"),
  lookup: event(21, "lookup", "CN=$0 CI=1"),
  lvgroup: event(22, "lvgroup", "GN=$0"),
  mcast: event(23, "mcast", "MNB=sendBytes MC=2 MCX=context MDL=0[1]"),
  mkbuf: event(24, "mkbuf", "ME=0", "MB=result"),
  mstat: event(25, "mstat", "HN=$0", "HS=result"),
  mytid: event(26, "mytid", "", "MT=result"),
  notify: event(27, "notify", "NE=0 NMC=1 NTL=3[2]"),
  nrecv: event(28, "nrecv", WANTED, RECEIVED),
  parent: event(29, "parent", "", "PT=result"),
  perror: event(30, "perror", "", ""),
  pkbyte: event(31, "pkbyte", ITEMS),
  pkcplx: event(32, "pkcplx", ITEMS),
  pkdcplx: event(33, "pkdcplx", ITEMS),
  pkdouble: event(34, "pkdouble", ITEMS),
  pkfloat: event(35, "pkfloat", ITEMS),
  pkint: event(36, "pkint", ITEMS),
  pkuint: event(37, "pkuint", ITEMS),
  pklong: event(38, "pklong", ITEMS),
  pkulong: event(39, "pkulong", ITEMS),
  pkshort: event(40, "pkshort", ITEMS),
  pkushort: event(41, "pkushort", ITEMS),
  pkstr: event(42, "pkstr", "PDA=@0"),
  probe: event(43, "probe", WANTED),
  pstat: event(44, "pstat", "TT=0", "TST=result"),
  recv: event(45, "recv", WANTED, RECEIVED),
  recvf: event(46, "recvf", "", ""),
  send: event(47, "send", "MNB=sendBytes DST=0 MC=1 MCX=context"),
  sendsig: event(48, "sendsig", "TT=0 SN=1"),
  setopt: event(49, "setopt", "OPT=0 OPV=1", "OPV=result"),
  setrbuf: event(50, "setrbuf", "MB=0", "MRB=result"),
  setsbuf: event(51, "setsbuf", "MB=0", "MSB=result"),
  spawn: event(52, "spawn", "SE=$0 SW=$3 SF=2 SC=4", "CC=result STL=5[result]"),
  start_pvmd: event(53, "start_pvmd", "BF=2 AS=$1[0]"),
  tasks: event(54, "tasks", "TW=2", "CC=result TNT=1"),
  tickle: event(55, "tickle", "TA=1[0]", "CC=result TR=3[*2]"),
  tidtohost: event(56, "tidtohost", "", ""),
  trecv: event(57, "trecv", `${WANTED} MTS=seconds MTU=micros`, RECEIVED),
  upkbyte: event(58, "upkbyte", ITEMS),
  upkcplx: event(59, "upkcplx", ITEMS),
  upkdcplx: event(60, "upkdcplx", ITEMS),
  upkdouble: event(61, "upkdouble", ITEMS),
  upkfloat: event(62, "upkfloat", ITEMS),
  upkint: event(63, "upkint", ITEMS),
  upkuint: event(64, "upkuint", ITEMS),
  upklong: event(65, "upklong", ITEMS),
  upkulong: event(66, "upkulong", ITEMS),
  upkshort: event(67, "upkshort", ITEMS),
  upkushort: event(68, "upkushort", ITEMS),
  upkstr: event(69, "upkstr", "PDA=@0"),
  version: event(70, "version", "", ""),
  reg_hoster: event(71, "reg_hoster", ""),
  reg_rm: event(72, "reg_rm", ""),
  reg_tasker: event(73, "reg_tasker", ""),
  reg_tracer: event(74, "reg_tracer", "TRC=0 TRT=1 TRX=2 TRO=3 TRM=$4 TRB=5 TRL=6"),
  newtask: event(75, "newtask", "", ""),
  endtask: event(76, "endtask", "", ""),
  spntask: event(77, "spntask", "", ""),
  archcode: event(78, "archcode", "AN=$0", "AC=result"),
  catchout: event(79, "catchout", "", ""),
  getmwid: event(80, "getmwid", "MB=0", "WID=result"),
  gettmask: event(81, "gettmask", "TMW=0"),
  hostsync: event(82, "hostsync", "", ""),
  packf: event(83, "packf", "PF=$1"),
  precv: event(84, "precv", "RST=0 RMC=1 RCX=context PDA=@2 PC=3 PDT=4", "CC=result MNB=gotBytes MC=gotTag MCX=gotCtx SRC=gotSrc"),
  psend: event(85, "psend", "DST=0 MC=1 MCX=context PDA=@2 PC=3 PDT=4"),
  reduce: event(86, "reduce", "GN=$1 MC=2"),
  setmwid: event(87, "setmwid", "MB=0 WID=1"),
  settmask: event(88, "settmask", "TMW=0 TM=$1"),
  unpackf: event(89, "unpackf", "PF=$1"),
  gather: event(90, "gather", "GN=$1 MC=2"),
  scatter: event(91, "scatter", "GN=$1 MC=2"),
  putinfo: event(92, "putinfo", "CN=$0 CI==-1 CF=2 CD=1"),
  getinfo: event(93, "getinfo", "CN=$0 CI=1 CF=2", "CC=code CR=bufid"),
  delinfo: event(94, "delinfo", "CN=$0 CI=1 CF=2"),
  getmboxinfo: event(95, "getmboxinfo", "CN=$1"),
  newcontext: event(96, "newcontext", "", "CXN=result"),
  freecontext: event(97, "freecontext", "CXF=0"),
  setcontext: event(98, "setcontext", "CXS=0"),
  getcontext: event(99, "getcontext", "", "CXC=result"),
  siblings: event(100, "siblings", "", "SIB=1[result]"),
  getminfo: event(101, "getminfo", "MB=0"),
  setminfo: event(102, "setminfo", "MB=0"),
  addmhf: event(103, "addmhf", "RST=0 RMC=1 RCX=2", "MHI=result"),
  delmhf: event(104, "delmhf", "MHI=0"),
  mhf_invoke: event(105, "mhf_invoke", "RST=0 RMC=1 RCX=2 MB=3 MNB=4 MC=5 MCX=6 SRC=7", ""),
  timing: event(106, "timing", "", ""),
  profiling: event(107, "profiling", "", ""),
  user_defined: event(108, "user_defined", "", ""),
} as const satisfies Record<string, TraceEvent>;
export type TraceEventName = keyof typeof TRACE_EVENT;
export const TRACE_EVENTS: readonly TraceEvent[] = Object.values(TRACE_EVENT);
