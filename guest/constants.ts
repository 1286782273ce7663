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
