/**
 * PVM's constants and error codes.
 *
 * Written by scripts/generate.ts from the tables in wire/pvm.ts: change those, not this.
 */

export const PvmDataDefault: i32 = 0;
export const PvmDataRaw: i32 = 1;
export const PvmDataInPlace: i32 = 2;
export const PVM_STR: i32 = 0;
export const PVM_BYTE: i32 = 1;
export const PVM_SHORT: i32 = 2;
export const PVM_INT: i32 = 3;
export const PVM_FLOAT: i32 = 4;
export const PVM_CPLX: i32 = 5;
export const PVM_DOUBLE: i32 = 6;
export const PVM_DCPLX: i32 = 7;
export const PVM_LONG: i32 = 8;
export const PVM_USHORT: i32 = 9;
export const PVM_UINT: i32 = 10;
export const PVM_ULONG: i32 = 11;
export const PVM_INT64: i32 = 12;
export const PvmBaseContext: i32 = 0;
export const PvmDontRoute: i32 = 1;
export const PvmAllowDirect: i32 = 2;
export const PvmRouteDirect: i32 = 3;
export const PvmTraceFull: i32 = 1;
export const PvmTraceTime: i32 = 2;
export const PvmTraceCount: i32 = 3;
export const PvmPollConstant: i32 = 1;
export const PvmPollSleep: i32 = 2;
export const PvmTaskSelf: i32 = 0;
export const PvmTaskChild: i32 = 1;
export const PvmTaskDefault: i32 = 0;
export const PvmTaskHost: i32 = 1;
export const PvmTaskArch: i32 = 2;
export const PvmTaskDebug: i32 = 4;
export const PvmTaskTrace: i32 = 8;
export const PvmMppFront: i32 = 16;
export const PvmHostCompl: i32 = 32;
export const PvmNoSpawnParent: i32 = 64;
export const PvmTaskExit: i32 = 1;
export const PvmHostDelete: i32 = 2;
export const PvmHostAdd: i32 = 3;
export const PvmRouteAdd: i32 = 4;
export const PvmRouteDelete: i32 = 5;
export const PvmNotifyCancel: i32 = 256;
export const PvmMboxDefault: i32 = 0;
export const PvmMboxPersistent: i32 = 1;
export const PvmMboxMultiInstance: i32 = 2;
export const PvmMboxOverWritable: i32 = 4;
export const PvmMboxFirstAvail: i32 = 8;
export const PvmMboxReadAndDelete: i32 = 16;
export const PvmMboxWaitForInfo: i32 = 32;
export const PvmMboxMaxFlag: i32 = 512;
export const PvmMboxDirectIndexShift: i32 = 10;
export const PvmRoute: i32 = 1;
export const PvmDebugMask: i32 = 2;
export const PvmAutoErr: i32 = 3;
export const PvmOutputTid: i32 = 4;
export const PvmOutputCode: i32 = 5;
export const PvmTraceTid: i32 = 6;
export const PvmTraceCode: i32 = 7;
export const PvmTraceBuffer: i32 = 8;
export const PvmTraceOptions: i32 = 9;
export const PvmFragSize: i32 = 10;
export const PvmResvTids: i32 = 11;
export const PvmSelfOutputTid: i32 = 12;
export const PvmSelfOutputCode: i32 = 13;
export const PvmSelfTraceTid: i32 = 14;
export const PvmSelfTraceCode: i32 = 15;
export const PvmSelfTraceBuffer: i32 = 16;
export const PvmSelfTraceOptions: i32 = 17;
export const PvmShowTids: i32 = 18;
export const PvmPollType: i32 = 19;
export const PvmPollTime: i32 = 20;
export const PvmOutputContext: i32 = 21;
export const PvmTraceContext: i32 = 22;
export const PvmSelfOutputContext: i32 = 23;
export const PvmSelfTraceContext: i32 = 24;
export const PvmNoReset: i32 = 25;

/** Error 0. */
export const PvmOk: i32 = 0;
/** Bad parameter. */
export const PvmBadParam: i32 = -2;
/** Parameter mismatch. */
export const PvmMismatch: i32 = -3;
/** Value too large. */
export const PvmOverflow: i32 = -4;
/** End of buffer. */
export const PvmNoData: i32 = -5;
/** No such host. */
export const PvmNoHost: i32 = -6;
/** No such file. */
export const PvmNoFile: i32 = -7;
/** Permission denied. */
export const PvmDenied: i32 = -8;
/** Malloc failed. */
export const PvmNoMem: i32 = -10;
/** Can't decode message. */
export const PvmBadMsg: i32 = -12;
/** Can't contact local daemon. */
export const PvmSysErr: i32 = -14;
/** No current buffer. */
export const PvmNoBuf: i32 = -15;
/** No such buffer. */
export const PvmNoSuchBuf: i32 = -16;
/** Null group name. */
export const PvmNullGroup: i32 = -17;
/** Already in group. */
export const PvmDupGroup: i32 = -18;
/** No such group. */
export const PvmNoGroup: i32 = -19;
/** Not in group. */
export const PvmNotInGroup: i32 = -20;
/** No such instance. */
export const PvmNoInst: i32 = -21;
/** Host failed. */
export const PvmHostFail: i32 = -22;
/** No parent task. */
export const PvmNoParent: i32 = -23;
/** Not implemented. */
export const PvmNotImpl: i32 = -24;
/** Pvmd system error. */
export const PvmDSysErr: i32 = -25;
/** Version mismatch. */
export const PvmBadVersion: i32 = -26;
/** Out of resources. */
export const PvmOutOfRes: i32 = -27;
/** Duplicate host. */
export const PvmDupHost: i32 = -28;
/** Can't start pvmd. */
export const PvmCantStart: i32 = -29;
/** Already in progress. */
export const PvmAlready: i32 = -30;
/** No such task. */
export const PvmNoTask: i32 = -31;
/** Not Found. */
export const PvmNotFound: i32 = -32;
/** Already Exists. */
export const PvmExists: i32 = -33;
/** Hoster must run on master host. */
export const PvmHostrNMstr: i32 = -34;
/** Spawning parent set PvmNoParent. */
export const PvmParentNotSet: i32 = -35;
/** Master Host IP Address is Loopback! (See pvm3/Readme). */
export const PvmIPLoopback: i32 = -36;

/** t>R, R>t: spawn tasks. */
export const SM_SPAWN: i32 = -2147221503;
/** R>d: start tasks. */
export const SM_EXEC: i32 = -2147221502;
/** d>R: which were started. */
export const SM_EXECACK: i32 = -2147221501;
/** t>R, R>t: list of tasks. */
export const SM_TASK: i32 = -2147221500;
/** t>R, R>t: list of hosts. */
export const SM_CONFIG: i32 = -2147221499;
/** t>R, R>t: add hosts. */
export const SM_ADDHOST: i32 = -2147221498;
/** t>R, R>t: remove hosts. */
export const SM_DELHOST: i32 = -2147221497;
/** R>d: add hosts. */
export const SM_ADD: i32 = -2147221496;
/** d>R: which were added. */
export const SM_ADDACK: i32 = -2147221495;
/** t>R: messages about events. */
export const SM_NOTIFY: i32 = -2147221494;
/** d>R, T>d: a task has ended. */
export const SM_TASKX: i32 = -2147221493;
/** d>R: a host has gone. */
export const SM_HOSTX: i32 = -2147221492;
/** R>d: another resource manager. */
export const SM_HANDOFF: i32 = -2147221491;
/** t>R, R>t: wants to be the resource manager. */
export const SM_SCHED: i32 = -2147221490;
/** d>H: start daemons. */
export const SM_STHOST: i32 = -2147221489;
/** H>d: which were started. */
export const SM_STHOSTACK: i32 = -2147221488;
/** d>T: start a task; T>d, upvm's own: let it run. */
export const SM_STTASK: i32 = -2147221487;

// Trace events, as C's pvmtev.h has them.
export const TEV_MARK_EVENT_BUFFER: i32 = -1;
export const TEV_MARK_EVENT_BUFFER_END: i32 = -2;
export const TEV_MARK_DATA_ID: i32 = -3;
export const TEV_MARK_DATA_ID_END: i32 = -4;
export const TEV_MARK_EVENT_DESC: i32 = -5;
export const TEV_MARK_EVENT_DESC_END: i32 = -6;
export const TEV_MARK_EVENT_RECORD: i32 = -7;
export const TEV_MARK_EVENT_RECORD_END: i32 = -8;
export const TEV_MARK_USER_EVENT_RECORD: i32 = -9;
export const TEV_MARK_USER_EVENT_RECORD_END: i32 = -10;
export const TEV_DATA_NULL: i32 = 0;
export const TEV_DATA_BYTE: i32 = 1;
export const TEV_DATA_CPLX: i32 = 2;
export const TEV_DATA_DCPLX: i32 = 3;
export const TEV_DATA_DOUBLE: i32 = 4;
export const TEV_DATA_FLOAT: i32 = 5;
export const TEV_DATA_INT: i32 = 6;
export const TEV_DATA_UINT: i32 = 7;
export const TEV_DATA_LONG: i32 = 8;
export const TEV_DATA_ULONG: i32 = 9;
export const TEV_DATA_SHORT: i32 = 10;
export const TEV_DATA_USHORT: i32 = 11;
export const TEV_DATA_STRING: i32 = 12;
export const TEV_DATA_STRUCT_START: i32 = 13;
export const TEV_DATA_STRUCT_END: i32 = 14;
export const TEV_DATA_DEFERRED: i32 = 15;
export const TEV_DATA_SCALAR: i32 = 0;
export const TEV_DATA_ARRAY: i32 = 128;
export const TEV_DID_FIRST: i32 = 0;
export const TEV_DID_AN: i32 = 0;
export const TEV_DID_AC: i32 = 1;
export const TEV_DID_AS: i32 = 2;
export const TEV_DID_BF: i32 = 3;
export const TEV_DID_CC: i32 = 4;
export const TEV_DID_CN: i32 = 5;
export const TEV_DID_CI: i32 = 6;
export const TEV_DID_CF: i32 = 7;
export const TEV_DID_CD: i32 = 8;
export const TEV_DID_CR: i32 = 9;
export const TEV_DID_CL: i32 = 10;
export const TEV_DID_CDA: i32 = 11;
export const TEV_DID_CDT: i32 = 12;
export const TEV_DID_CDX: i32 = 13;
export const TEV_DID_CDC: i32 = 14;
export const TEV_DID_CGI: i32 = 15;
export const TEV_DID_CRF: i32 = 16;
export const TEV_DID_CXC: i32 = 17;
export const TEV_DID_CXF: i32 = 18;
export const TEV_DID_CXN: i32 = 19;
export const TEV_DID_CXS: i32 = 20;
export const TEV_DID_ERI: i32 = 21;
export const TEV_DID_ERR: i32 = 22;
export const TEV_DID_FDS: i32 = 23;
export const TEV_DID_FP: i32 = 24;
export const TEV_DID_GN: i32 = 25;
export const TEV_DID_GI: i32 = 26;
export const TEV_DID_GT: i32 = 27;
export const TEV_DID_GS: i32 = 28;
export const TEV_DID_GBC: i32 = 29;
export const TEV_DID_HN: i32 = 30;
export const TEV_DID_HNL: i32 = 31;
export const TEV_DID_HNA: i32 = 32;
export const TEV_DID_HPT: i32 = 33;
export const TEV_DID_HA: i32 = 34;
export const TEV_DID_HSP: i32 = 35;
export const TEV_DID_HIS: i32 = 36;
export const TEV_DID_HCS: i32 = 37;
export const TEV_DID_HCU: i32 = 38;
export const TEV_DID_HDS: i32 = 39;
export const TEV_DID_HDU: i32 = 40;
export const TEV_DID_HS: i32 = 41;
export const TEV_DID_INB: i32 = 42;
export const TEV_DID_IMC: i32 = 43;
export const TEV_DID_IST: i32 = 44;
export const TEV_DID_MC: i32 = 45;
export const TEV_DID_MCX: i32 = 46;
export const TEV_DID_MB: i32 = 47;
export const TEV_DID_MNB: i32 = 48;
export const TEV_DID_SRC: i32 = 49;
export const TEV_DID_DST: i32 = 50;
export const TEV_DID_MDL: i32 = 51;
export const TEV_DID_MTS: i32 = 52;
export const TEV_DID_MTU: i32 = 53;
export const TEV_DID_MRF: i32 = 54;
export const TEV_DID_MRB: i32 = 55;
export const TEV_DID_MSB: i32 = 56;
export const TEV_DID_ME: i32 = 57;
export const TEV_DID_MHI: i32 = 58;
export const TEV_DID_AST: i32 = 59;
export const TEV_DID_AMC: i32 = 60;
export const TEV_DID_AML: i32 = 61;
export const TEV_DID_NE: i32 = 62;
export const TEV_DID_NMC: i32 = 63;
export const TEV_DID_NCT: i32 = 64;
export const TEV_DID_NTL: i32 = 65;
export const TEV_DID_NH: i32 = 66;
export const TEV_DID_NA: i32 = 67;
export const TEV_DID_OPT: i32 = 68;
export const TEV_DID_OPV: i32 = 69;
export const TEV_DID_OS: i32 = 70;
export const TEV_DID_PDA: i32 = 71;
export const TEV_DID_PDT: i32 = 72;
export const TEV_DID_PC: i32 = 73;
export const TEV_DID_PSD: i32 = 74;
export const TEV_DID_PSG: i32 = 75;
export const TEV_DID_PF: i32 = 76;
export const TEV_DID_PRF: i32 = 77;
export const TEV_DID_RST: i32 = 78;
export const TEV_DID_RMC: i32 = 79;
export const TEV_DID_RCX: i32 = 80;
export const TEV_DID_SN: i32 = 81;
export const TEV_DID_SE: i32 = 82;
export const TEV_DID_SF: i32 = 83;
export const TEV_DID_SW: i32 = 84;
export const TEV_DID_SC: i32 = 85;
export const TEV_DID_STL: i32 = 86;
export const TEV_DID_SIB: i32 = 87;
export const TEV_DID_TID: i32 = 88;
export const TEV_DID_PT: i32 = 89;
export const TEV_DID_MT: i32 = 90;
export const TEV_DID_TF: i32 = 91;
export const TEV_DID_TN: i32 = 92;
export const TEV_DID_PID: i32 = 93;
export const TEV_DID_TT: i32 = 94;
export const TEV_DID_TW: i32 = 95;
export const TEV_DID_TIS: i32 = 96;
export const TEV_DID_TNT: i32 = 97;
export const TEV_DID_TST: i32 = 98;
export const TEV_DID_TUS: i32 = 99;
export const TEV_DID_TUU: i32 = 100;
export const TEV_DID_TSS: i32 = 101;
export const TEV_DID_TSU: i32 = 102;
export const TEV_DID_TES: i32 = 103;
export const TEV_DID_TA: i32 = 104;
export const TEV_DID_TR: i32 = 105;
export const TEV_DID_TS: i32 = 106;
export const TEV_DID_TU: i32 = 107;
export const TEV_DID_TGS: i32 = 108;
export const TEV_DID_TGU: i32 = 109;
export const TEV_DID_TMW: i32 = 110;
export const TEV_DID_TM: i32 = 111;
export const TEV_DID_TRC: i32 = 112;
export const TEV_DID_TRT: i32 = 113;
export const TEV_DID_TRX: i32 = 114;
export const TEV_DID_TRO: i32 = 115;
export const TEV_DID_TRM: i32 = 116;
export const TEV_DID_TRB: i32 = 117;
export const TEV_DID_TRL: i32 = 118;
export const TEV_DID_VER: i32 = 119;
export const TEV_DID_VCT: i32 = 120;
export const TEV_DID_VID: i32 = 121;
export const TEV_DID_WID: i32 = 122;
export const TEV_DID_MAX: i32 = 122;
export const TEV_FIRST: i32 = 0;
export const TEV_ADDHOSTS: i32 = 0;
export const TEV_BARRIER: i32 = 1;
export const TEV_BCAST: i32 = 2;
export const TEV_BUFINFO: i32 = 3;
export const TEV_CONFIG: i32 = 4;
export const TEV_DELETE: i32 = 5;
export const TEV_DELHOSTS: i32 = 6;
export const TEV_EXIT: i32 = 7;
export const TEV_FREEBUF: i32 = 8;
export const TEV_GETFDS: i32 = 9;
export const TEV_GETINST: i32 = 10;
export const TEV_GETOPT: i32 = 11;
export const TEV_GETRBUF: i32 = 12;
export const TEV_GETSBUF: i32 = 13;
export const TEV_GETTID: i32 = 14;
export const TEV_GSIZE: i32 = 15;
export const TEV_HALT: i32 = 16;
export const TEV_INITSEND: i32 = 17;
export const TEV_INSERT: i32 = 18;
export const TEV_JOINGROUP: i32 = 19;
export const TEV_KILL: i32 = 20;
export const TEV_LOOKUP: i32 = 21;
export const TEV_LVGROUP: i32 = 22;
export const TEV_MCAST: i32 = 23;
export const TEV_MKBUF: i32 = 24;
export const TEV_MSTAT: i32 = 25;
export const TEV_MYTID: i32 = 26;
export const TEV_NOTIFY: i32 = 27;
export const TEV_NRECV: i32 = 28;
export const TEV_PARENT: i32 = 29;
export const TEV_PERROR: i32 = 30;
export const TEV_PKBYTE: i32 = 31;
export const TEV_PKCPLX: i32 = 32;
export const TEV_PKDCPLX: i32 = 33;
export const TEV_PKDOUBLE: i32 = 34;
export const TEV_PKFLOAT: i32 = 35;
export const TEV_PKINT: i32 = 36;
export const TEV_PKUINT: i32 = 37;
export const TEV_PKLONG: i32 = 38;
export const TEV_PKULONG: i32 = 39;
export const TEV_PKSHORT: i32 = 40;
export const TEV_PKUSHORT: i32 = 41;
export const TEV_PKSTR: i32 = 42;
export const TEV_PROBE: i32 = 43;
export const TEV_PSTAT: i32 = 44;
export const TEV_RECV: i32 = 45;
export const TEV_RECVF: i32 = 46;
export const TEV_SEND: i32 = 47;
export const TEV_SENDSIG: i32 = 48;
export const TEV_SETOPT: i32 = 49;
export const TEV_SETRBUF: i32 = 50;
export const TEV_SETSBUF: i32 = 51;
export const TEV_SPAWN: i32 = 52;
export const TEV_START_PVMD: i32 = 53;
export const TEV_TASKS: i32 = 54;
export const TEV_TICKLE: i32 = 55;
export const TEV_TIDTOHOST: i32 = 56;
export const TEV_TRECV: i32 = 57;
export const TEV_UPKBYTE: i32 = 58;
export const TEV_UPKCPLX: i32 = 59;
export const TEV_UPKDCPLX: i32 = 60;
export const TEV_UPKDOUBLE: i32 = 61;
export const TEV_UPKFLOAT: i32 = 62;
export const TEV_UPKINT: i32 = 63;
export const TEV_UPKUINT: i32 = 64;
export const TEV_UPKLONG: i32 = 65;
export const TEV_UPKULONG: i32 = 66;
export const TEV_UPKSHORT: i32 = 67;
export const TEV_UPKUSHORT: i32 = 68;
export const TEV_UPKSTR: i32 = 69;
export const TEV_VERSION: i32 = 70;
export const TEV_REG_HOSTER: i32 = 71;
export const TEV_REG_RM: i32 = 72;
export const TEV_REG_TASKER: i32 = 73;
export const TEV_REG_TRACER: i32 = 74;
export const TEV_NEWTASK: i32 = 75;
export const TEV_ENDTASK: i32 = 76;
export const TEV_SPNTASK: i32 = 77;
export const TEV_ARCHCODE: i32 = 78;
export const TEV_CATCHOUT: i32 = 79;
export const TEV_GETMWID: i32 = 80;
export const TEV_GETTMASK: i32 = 81;
export const TEV_HOSTSYNC: i32 = 82;
export const TEV_PACKF: i32 = 83;
export const TEV_PRECV: i32 = 84;
export const TEV_PSEND: i32 = 85;
export const TEV_REDUCE: i32 = 86;
export const TEV_SETMWID: i32 = 87;
export const TEV_SETTMASK: i32 = 88;
export const TEV_UNPACKF: i32 = 89;
export const TEV_GATHER: i32 = 90;
export const TEV_SCATTER: i32 = 91;
export const TEV_PUTINFO: i32 = 92;
export const TEV_GETINFO: i32 = 93;
export const TEV_DELINFO: i32 = 94;
export const TEV_GETMBOXINFO: i32 = 95;
export const TEV_NEWCONTEXT: i32 = 96;
export const TEV_FREECONTEXT: i32 = 97;
export const TEV_SETCONTEXT: i32 = 98;
export const TEV_GETCONTEXT: i32 = 99;
export const TEV_SIBLINGS: i32 = 100;
export const TEV_GETMINFO: i32 = 101;
export const TEV_SETMINFO: i32 = 102;
export const TEV_ADDMHF: i32 = 103;
export const TEV_DELMHF: i32 = 104;
export const TEV_MHF_INVOKE: i32 = 105;
export const TEV_TIMING: i32 = 106;
export const TEV_PROFILING: i32 = 107;
export const TEV_USER_DEFINED: i32 = 108;
export const TEV_MAX: i32 = 108;
export const TEV_EVENT_ENTRY: i32 = 16384;
export const TEV_EVENT_EXIT: i32 = 32768;
export const TEV_MASK_LENGTH: i32 = 36;
export const PVM_TRACE_TID: i32 = -1111;
export const PVM_TRACE_CODE: i32 = -2222;
