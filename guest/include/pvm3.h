/*
 * PVM 3.4 for C programs that run as user-level processes.
 * Written by scripts/generate.ts from the tables in wire/pvm.ts: change those, not this.
 *
 * A routine returns a negative number, one of the Pvm errors below, when it fails. docs/pvm-routines.md has them all.
 */
#ifndef PVM3_H
#define PVM3_H

#include <sys/time.h>

#define PVM_VER "3.4.6"
#define PVM_MAJOR_VERSION 3
#define PVM_MINOR_VERSION 4
#define PVM_PATCH_VERSION 6

/* Names of the message box that PVM itself uses */
#define PVMNORESETCLASS "###_PVM_NO_RESET_###"
#define PVMHOSTERCLASS "###_PVM_HOSTER_###"
#define PVMTASKERCLASS "###_PVM_TASKER_###"
#define PVMTRACERCLASS "###_PVM_TRACER_###"

/* Constants */
#define PvmDataDefault 0
#define PvmDataRaw 1
#define PvmDataInPlace 2
#define PVM_STR 0
#define PVM_BYTE 1
#define PVM_SHORT 2
#define PVM_INT 3
#define PVM_FLOAT 4
#define PVM_CPLX 5
#define PVM_DOUBLE 6
#define PVM_DCPLX 7
#define PVM_LONG 8
#define PVM_USHORT 9
#define PVM_UINT 10
#define PVM_ULONG 11
#define PVM_INT64 12
#define PvmBaseContext 0
#define PvmDontRoute 1
#define PvmAllowDirect 2
#define PvmRouteDirect 3
#define PvmTraceFull 1
#define PvmTraceTime 2
#define PvmTraceCount 3
#define PvmPollConstant 1
#define PvmPollSleep 2
#define PvmTaskSelf 0
#define PvmTaskChild 1
#define PvmTaskDefault 0
#define PvmTaskHost 1
#define PvmTaskArch 2
#define PvmTaskDebug 4
#define PvmTaskTrace 8
#define PvmMppFront 16
#define PvmHostCompl 32
#define PvmNoSpawnParent 64
#define PvmTaskExit 1
#define PvmHostDelete 2
#define PvmHostAdd 3
#define PvmRouteAdd 4
#define PvmRouteDelete 5
#define PvmNotifyCancel 256
#define PvmMboxDefault 0
#define PvmMboxPersistent 1
#define PvmMboxMultiInstance 2
#define PvmMboxOverWritable 4
#define PvmMboxFirstAvail 8
#define PvmMboxReadAndDelete 16
#define PvmMboxWaitForInfo 32
#define PvmMboxMaxFlag 512
#define PvmMboxDirectIndexShift 10
#define PvmRoute 1
#define PvmDebugMask 2
#define PvmAutoErr 3
#define PvmOutputTid 4
#define PvmOutputCode 5
#define PvmTraceTid 6
#define PvmTraceCode 7
#define PvmTraceBuffer 8
#define PvmTraceOptions 9
#define PvmFragSize 10
#define PvmResvTids 11
#define PvmSelfOutputTid 12
#define PvmSelfOutputCode 13
#define PvmSelfTraceTid 14
#define PvmSelfTraceCode 15
#define PvmSelfTraceBuffer 16
#define PvmSelfTraceOptions 17
#define PvmShowTids 18
#define PvmPollType 19
#define PvmPollTime 20
#define PvmOutputContext 21
#define PvmTraceContext 22
#define PvmSelfOutputContext 23
#define PvmSelfTraceContext 24
#define PvmNoReset 25

/* Errors */
#define PvmOk 0 /* Error 0 */
#define PvmBadParam (-2) /* Bad parameter */
#define PvmMismatch (-3) /* Parameter mismatch */
#define PvmOverflow (-4) /* Value too large */
#define PvmNoData (-5) /* End of buffer */
#define PvmNoHost (-6) /* No such host */
#define PvmNoFile (-7) /* No such file */
#define PvmDenied (-8) /* Permission denied */
#define PvmNoMem (-10) /* Malloc failed */
#define PvmBadMsg (-12) /* Can't decode message */
#define PvmSysErr (-14) /* Can't contact local daemon */
#define PvmNoBuf (-15) /* No current buffer */
#define PvmNoSuchBuf (-16) /* No such buffer */
#define PvmNullGroup (-17) /* Null group name */
#define PvmDupGroup (-18) /* Already in group */
#define PvmNoGroup (-19) /* No such group */
#define PvmNotInGroup (-20) /* Not in group */
#define PvmNoInst (-21) /* No such instance */
#define PvmHostFail (-22) /* Host failed */
#define PvmNoParent (-23) /* No parent task */
#define PvmNotImpl (-24) /* Not implemented */
#define PvmDSysErr (-25) /* Pvmd system error */
#define PvmBadVersion (-26) /* Version mismatch */
#define PvmOutOfRes (-27) /* Out of resources */
#define PvmDupHost (-28) /* Duplicate host */
#define PvmCantStart (-29) /* Can't start pvmd */
#define PvmAlready (-30) /* Already in progress */
#define PvmNoTask (-31) /* No such task */
#define PvmNotFound (-32) /* Not Found */
#define PvmExists (-33) /* Already Exists */
#define PvmHostrNMstr (-34) /* Hoster must run on master host */
#define PvmParentNotSet (-35) /* Spawning parent set PvmNoParent */
#define PvmIPLoopback (-36) /* Master Host IP Address is Loopback! (See pvm3/Readme) */

/* A row of pvm_tasks */
struct pvmtaskinfo {
  int ti_tid;
  int ti_ptid; /* its parent, or PvmNoParent */
  int ti_host; /* tid of its host's daemon */
  int ti_flag;
  char *ti_a_out; /* name of its program */
  int ti_pid; /* operating system process that it runs in */
};

/* A row of pvm_config */
struct pvmhostinfo {
  int hi_tid; /* tid of its daemon */
  char *hi_name;
  char *hi_arch;
  int hi_speed;
  int hi_dsig; /* data signature */
};

/* A row of pvm_getmboxinfo: a class of the message box, and of each of its entries index, owner (0: none), flags */
struct pvmmboxinfo {
  char *mi_name;
  int mi_nentries;
  int *mi_indices;
  int *mi_owners;
  int *mi_flags;
};

/* Index of an entry, as flags of pvm_putinfo, and back */
#define PvmMboxMaxDirectIndex ((unsigned)1 << (31 - PvmMboxDirectIndexShift))
#define PvmMboxDirectIndex(index) ((index) << PvmMboxDirectIndexShift)
#define PvmMboxDirectIndexOf(flags) (((unsigned)(flags) >> PvmMboxDirectIndexShift) & (PvmMboxMaxDirectIndex - 1))

/* Names of PVM 3.3 */
#define PvmNoEntry PvmNotFound
#define PvmDupEntry PvmDenied

/* What pvm_getminfo tells of a message, and pvm_setminfo sets: all but len, enc and crc */
struct pvmminfo {
  int len; /* bytes */
  int ctx;
  int tag;
  int wid; /* wait id */
  int enc; /* 0x10000000 XDR, 0x20000000 in place, else the data format of its sender */
  int crc; /* 0 */
  int src;
  int dst;
};

#ifdef __cplusplus
extern "C" {
#endif

/* Operator of pvm_reduce: x = x op y for `*num` items of a type; an error goes to `*info` */
typedef void pvm_reducer(int *datatype, void *x, void *y, int *num, int *info);

#define PVM_IMPORT(name) __attribute__((import_module("pvm"), import_name(name)))

/* own tid */
int pvm_mytid(void) PVM_IMPORT("pvm_mytid");
/* tid of the ULP that spawned this one; PvmNoParent */
int pvm_parent(void) PVM_IMPORT("pvm_parent");
/* how many ULPs were started together; their tids, at most `capacity`, in order of creation, go to `tids` */
int pvm_siblings_get(int *tids, int capacity) PVM_IMPORT("pvm_siblings_get");
/* become a member of a group; its instance number, the lowest that is free; may block */
int pvm_joingroup(const char *group) PVM_IMPORT("pvm_joingroup");
/* leave a group; may block */
int pvm_lvgroup(const char *group) PVM_IMPORT("pvm_lvgroup");
/* instance number of a task in a group; may block */
int pvm_getinst(const char *group, int tid) PVM_IMPORT("pvm_getinst");
/* tid of a group's member by its instance number; may block */
int pvm_gettid(const char *group, int inum) PVM_IMPORT("pvm_gettid");
/* members of a group; NULL or "": all ULPs started together; may block */
int pvm_gsize(const char *group) PVM_IMPORT("pvm_gsize");
/* wait until `count` members of a group have called it; -1: as many as it has now; may block */
int pvm_barrier(const char *group, int count) PVM_IMPORT("pvm_barrier");
/* send the default send buffer to all members of a group but the caller; may block */
int pvm_bcast(const char *group, int msgtag) PVM_IMPORT("pvm_bcast");
/* wait until `size` members have called it (-1: as many as it has now), then nobody joins any more; the group's size; may block */
int pvm_freezegroup(const char *group, int size) PVM_IMPORT("pvm_freezegroup");
/* how many instance numbers a group has; their tids, at most `capacity`, go to `tids`, 0 for one that is free (upvm's own); may block */
int pvm_group_tids(const char *group, int *tids, int capacity) PVM_IMPORT("pvm_group_tids");
/* checks of gather, scatter and reduce: own instance number (upvm's own); may block */
int pvm_collective(const char *routine, const char *group, int rootginst, int count, int datatype, int msgtag) PVM_IMPORT("pvm_collective");
/* how many tasks there are; at most `capacity` rows of 5 ints: tid, ptid, host, flag, pid; may block */
int pvm_tasks_get(int where, int *rows, int capacity) PVM_IMPORT("pvm_tasks_get");
/* length of a task's program name in bytes; it goes to `buf`, cut to `bytes` with its NUL; may block */
int pvm_task_name(int tid, char *buf, int bytes) PVM_IMPORT("pvm_task_name");
/* leave PVM; the program runs on */
int pvm_exit_import(void) PVM_IMPORT("pvm_exit");
/* clear the default send buffer */
int pvm_initsend(int encoding) PVM_IMPORT("pvm_initsend");
/* new message buffer */
int pvm_mkbuf(int encoding) PVM_IMPORT("pvm_mkbuf");
/* free a message buffer */
int pvm_freebuf(int bufid) PVM_IMPORT("pvm_freebuf");
/* default send buffer, 0 if none */
int pvm_getsbuf(void) PVM_IMPORT("pvm_getsbuf");
/* default receive buffer, 0 if none */
int pvm_getrbuf(void) PVM_IMPORT("pvm_getrbuf");
/* set the default send buffer; returns the old one */
int pvm_setsbuf(int bufid) PVM_IMPORT("pvm_setsbuf");
/* set the default receive buffer; returns the old one */
int pvm_setrbuf(int bufid) PVM_IMPORT("pvm_setrbuf");
/* length, tag and source of a message */
int pvm_bufinfo(int bufid, int *len, int *tag, int *tid) PVM_IMPORT("pvm_bufinfo");
/* pack bytes */
int pvm_pkbyte(const char *xp, int nitem, int stride) PVM_IMPORT("pvm_pkbyte");
/* pack complex numbers (two floats each) */
int pvm_pkcplx(const float *xp, int nitem, int stride) PVM_IMPORT("pvm_pkcplx");
/* pack double complex numbers (two doubles each) */
int pvm_pkdcplx(const double *xp, int nitem, int stride) PVM_IMPORT("pvm_pkdcplx");
/* pack doubles */
int pvm_pkdouble(const double *xp, int nitem, int stride) PVM_IMPORT("pvm_pkdouble");
/* pack floats */
int pvm_pkfloat(const float *xp, int nitem, int stride) PVM_IMPORT("pvm_pkfloat");
/* pack ints */
int pvm_pkint(const int *xp, int nitem, int stride) PVM_IMPORT("pvm_pkint");
/* pack C longs (32 bits here, 64 on the wire) */
int pvm_pklong(const long *xp, int nitem, int stride) PVM_IMPORT("pvm_pklong");
/* pack shorts */
int pvm_pkshort(const short *xp, int nitem, int stride) PVM_IMPORT("pvm_pkshort");
/* pack unsigned ints */
int pvm_pkuint(const unsigned int *xp, int nitem, int stride) PVM_IMPORT("pvm_pkuint");
/* pack unsigned C longs (32 bits here, 64 on the wire) */
int pvm_pkulong(const unsigned long *xp, int nitem, int stride) PVM_IMPORT("pvm_pkulong");
/* pack unsigned shorts */
int pvm_pkushort(const unsigned short *xp, int nitem, int stride) PVM_IMPORT("pvm_pkushort");
/* pack 64-bit ints: the wire type of pvm_pklong (upvm's own) */
int pvm_pkint64(const long long *xp, int nitem, int stride) PVM_IMPORT("pvm_pkint64");
/* pack a NUL-terminated string */
int pvm_pkstr(const char *cp) PVM_IMPORT("pvm_pkstr");
/* unpack bytes */
int pvm_upkbyte(char *xp, int nitem, int stride) PVM_IMPORT("pvm_upkbyte");
/* unpack complex numbers */
int pvm_upkcplx(float *xp, int nitem, int stride) PVM_IMPORT("pvm_upkcplx");
/* unpack double complex numbers */
int pvm_upkdcplx(double *xp, int nitem, int stride) PVM_IMPORT("pvm_upkdcplx");
/* unpack doubles */
int pvm_upkdouble(double *xp, int nitem, int stride) PVM_IMPORT("pvm_upkdouble");
/* unpack floats */
int pvm_upkfloat(float *xp, int nitem, int stride) PVM_IMPORT("pvm_upkfloat");
/* unpack ints */
int pvm_upkint(int *xp, int nitem, int stride) PVM_IMPORT("pvm_upkint");
/* unpack C longs; PvmOverflow if one does not fit in 32 bits */
int pvm_upklong(long *xp, int nitem, int stride) PVM_IMPORT("pvm_upklong");
/* unpack shorts */
int pvm_upkshort(short *xp, int nitem, int stride) PVM_IMPORT("pvm_upkshort");
/* unpack unsigned ints */
int pvm_upkuint(unsigned int *xp, int nitem, int stride) PVM_IMPORT("pvm_upkuint");
/* unpack unsigned C longs; PvmOverflow if one does not fit in 32 bits */
int pvm_upkulong(unsigned long *xp, int nitem, int stride) PVM_IMPORT("pvm_upkulong");
/* unpack unsigned shorts */
int pvm_upkushort(unsigned short *xp, int nitem, int stride) PVM_IMPORT("pvm_upkushort");
/* unpack 64-bit ints (upvm's own) */
int pvm_upkint64(long long *xp, int nitem, int stride) PVM_IMPORT("pvm_upkint64");
/* unpack a string, with its NUL */
int pvm_upkstr(char *cp) PVM_IMPORT("pvm_upkstr");
/* bytes of the string that comes next, with its NUL; unpacks nothing (upvm's own) */
int pvm_upkstr_bytes(void) PVM_IMPORT("pvm_upkstr_bytes");
/* send the default send buffer */
int pvm_send(int tid, int tag) PVM_IMPORT("pvm_send");
/* send it to several tasks */
int pvm_mcast(const int *tids, int count, int tag) PVM_IMPORT("pvm_mcast");
/* pack and send in one call */
int pvm_psend(int tid, int tag, const void *cp, int len, int type) PVM_IMPORT("pvm_psend");
/* wait for a message; -1 is any; may block */
int pvm_recv(int tid, int tag) PVM_IMPORT("pvm_recv");
/* receive if there is one, else 0 */
int pvm_nrecv(int tid, int tag) PVM_IMPORT("pvm_nrecv");
/* receive with a time limit: seconds (i64 at 0) and microseconds (i32 at 8); NULL: no limit; 0: none came; may block */
int pvm_trecv(int tid, int tag, const struct timeval *tmout) PVM_IMPORT("pvm_trecv");
/* is there a message? its bufid, else 0 */
int pvm_probe(int tid, int tag) PVM_IMPORT("pvm_probe");
/* receive straight into memory; may block */
int pvm_precv(int tid, int tag, void *cp, int len, int type, int *rtid, int *rtag, int *rlen) PVM_IMPORT("pvm_precv");
/* let a function take messages as they come; -1 is any; returns the handler's id; PvmExists if one takes some of the same */
int pvm_addmhf(int src, int tag, int ctx, int (*func)(int mid)) PVM_IMPORT("pvm_addmhf");
/* remove a message handler; PvmNotFound */
int pvm_delmhf(int mhid) PVM_IMPORT("pvm_delmhf");
/* set the matching function by its table index; returns the old one, 0: the usual */
int pvm_recvf_set(int func) PVM_IMPORT("pvm_recvf_set");
/* set an option of the library; returns the old value */
int pvm_setopt(int what, int val) PVM_IMPORT("pvm_setopt");
/* value of an option */
int pvm_getopt(int what) PVM_IMPORT("pvm_getopt");
/* how many tasks have PvmNoReset; their tids, at most `capacity`, go to `tids` */
int pvm_noresets_get(int *tids, int capacity) PVM_IMPORT("pvm_noresets_get");
/* what a message tells of itself */
int pvm_getminfo(int bufid, struct pvmminfo *mi) PVM_IMPORT("pvm_getminfo");
/* set its ctx, tag, wid, src and dst */
int pvm_setminfo(int bufid, struct pvmminfo *mi) PVM_IMPORT("pvm_setminfo");
/* pack a message, with what it tells of itself */
int pvm_pkmesg(int bufid) PVM_IMPORT("pvm_pkmesg");
/* pack the bytes of a message; PvmMismatch if the encodings differ */
int pvm_pkmesgbody(int bufid) PVM_IMPORT("pvm_pkmesgbody");
/* unpack a message of pvm_pkmesg; its bufid */
int pvm_upkmesg(void) PVM_IMPORT("pvm_upkmesg");
/* ask the daemon about itself: takes 1 to 10 numbers, answers none */
int pvm_tickle(int narg, int *argp, int *nresp, int *resp) PVM_IMPORT("pvm_tickle");
/* fail as a routine of PVM does (upvm's own) */
int pvm_fail(const char *routine, int code) PVM_IMPORT("pvm_fail");
/* send and receive in this context from now on; returns the old one */
int pvm_setcontext(int context) PVM_IMPORT("pvm_setcontext");
/* the context, PvmBaseContext to begin with */
int pvm_getcontext(void) PVM_IMPORT("pvm_getcontext");
/* a context that no other task of the virtual machine has; PvmOutOfRes; may block */
int pvm_newcontext(void) PVM_IMPORT("pvm_newcontext");
/* give a context back; PvmNotFound if nobody has it; may block */
int pvm_freecontext(int context) PVM_IMPORT("pvm_freecontext");
/* print the last error */
int pvm_perror(const char *msg) PVM_IMPORT("pvm_perror");
/* length of the last error's text in bytes; it goes to `buf`, cut to `bytes` with its NUL */
int pvm_strerror_get(char *buf, int bytes) PVM_IMPORT("pvm_strerror_get");
/* start `ntask` ULPs of a program by its file name; how many were started, their tids or errors go to `tids`; may block */
int pvm_spawn_import(const char *task, char **argv, int flag, const char *where, int ntask, int *tids) PVM_IMPORT("pvm_spawn");
/* end a task: at once, whatever it does; may block */
int pvm_kill(int tid) PVM_IMPORT("pvm_kill");
/* send a signal: one whose default is to end a process ends the task; may block */
int pvm_sendsig(int tid, int signum) PVM_IMPORT("pvm_sendsig");
/* PvmOk: the task is there; PvmNoTask; may block */
int pvm_pstat(int tid) PVM_IMPORT("pvm_pstat");
/* tid of the daemon of a task's host; may block */
int pvm_tidtohost(int tid) PVM_IMPORT("pvm_tidtohost");
/* ask for a message when tasks end (PvmTaskExit), hosts come or go; with PvmNotifyCancel: at once; may block */
int pvm_notify(int what, int msgtag, int cnt, const int *tids) PVM_IMPORT("pvm_notify");
/* how many hosts there are; rows of 3 ints: tid, speed, data signature; `names`: name and architecture of each, a NUL behind each; may block */
int pvm_config_get(int *rows, int capacity, char *names, int bytes) PVM_IMPORT("pvm_config_get");
/* PvmOk: the host is up; PvmNoHost; may block */
int pvm_mstat(const char *host) PVM_IMPORT("pvm_mstat");
/* add hosts; how many were added, their tids or errors go to `infos`; may block */
int pvm_addhosts(char **hosts, int count, int *infos) PVM_IMPORT("pvm_addhosts");
/* remove hosts; how many were removed, 0 or errors go to `infos`; may block */
int pvm_delhosts(char **hosts, int count, int *infos) PVM_IMPORT("pvm_delhosts");
/* clock of a host, and by how much the caller's is ahead of it; may block */
int pvm_hostsync(int host, struct timeval *rclk, struct timeval *delta) PVM_IMPORT("pvm_hostsync");
/* data signature of an architecture of the virtual machine; PvmNotFound */
int pvm_archcode(const char *arch) PVM_IMPORT("pvm_archcode");
/* end all tasks and the virtual machine; the caller too; may block */
int pvm_halt(void) PVM_IMPORT("pvm_halt");
/* PvmDupHost: a task runs in a virtual machine already */
int pvm_start_pvmd(int argc, char **argv, int block) PVM_IMPORT("pvm_start_pvmd");
/* put a message into the message box; its index; may block */
int pvm_putinfo(const char *name, int bufid, int flags) PVM_IMPORT("pvm_putinfo");
/* a message of the message box becomes the receive buffer; may block */
int pvm_recvinfo(const char *name, int index, int flags) PVM_IMPORT("pvm_recvinfo");
/* delete an entry of the message box; its index; may block */
int pvm_delinfo(const char *name, int index, int flags) PVM_IMPORT("pvm_delinfo");
/* how many classes match; sizes: entries of all, bytes of names; rows of 4 ints: class, index, owner, flags; may block */
int pvm_mboxinfo_get(const char *pattern, int *rows, int capacity, char *names, int bytes, int *sizes) PVM_IMPORT("pvm_mboxinfo_get");
/* old form of putinfo: an int under a name; its index; may block */
int pvm_insert(const char *name, int req, int data) PVM_IMPORT("pvm_insert");
/* old form of recvinfo: an int by its name; its index; may block */
int pvm_lookup(const char *name, int req, int *datap) PVM_IMPORT("pvm_lookup");
/* old form of delinfo; may block */
int pvm_delete(const char *name, int req) PVM_IMPORT("pvm_delete");
/* what tasks spawned from now on find in their environment: NAME=VALUE, NULL at the end (upvm's own; pvm_export uses it) */
int pvm_spawn_environ(char **env) PVM_IMPORT("pvm_spawn_environ");
/* register as hoster: asked with SM_STHOST to start the daemons of new hosts; may block */
int pvm_reg_hoster(void) PVM_IMPORT("pvm_reg_hoster");
/* register as tasker: asked with SM_STTASK to start each task; PvmAlready: another is; may block */
int pvm_reg_tasker(void) PVM_IMPORT("pvm_reg_tasker");
/* register as resource manager: asked with SM_SPAWN and others; tid of the manager there was, 0 none; may block */
int pvm_reg_rm_import(void) PVM_IMPORT("pvm_reg_rm");
/* set which routines make trace events: the caller's (PvmTaskSelf), those of tasks spawned from now on (PvmTaskChild) */
int pvm_settmask(int who, char *mask) PVM_IMPORT("pvm_settmask");
/* the mask that is set: TEV_MASK_LENGTH characters go to `mask` */
int pvm_gettmask(int who, char *mask) PVM_IMPORT("pvm_gettmask");
/* a routine of the guest library begins: what its trace event tells (upvm's own) */
int pvm_trace_begin(int event, const char *text, int value) PVM_IMPORT("pvm_trace_begin");
/* it returns: gives `result` back (upvm's own) */
int pvm_trace_end(int event, int result, int first, int second) PVM_IMPORT("pvm_trace_end");
/* register as tracer: tasks spawned from now on that have no other place for them send it their output and trace events; may block */
int pvm_reg_tracer(int trcctx, int trctag, int outctx, int outtag, char *trcmask, int trcbuf, int trcopt) PVM_IMPORT("pvm_reg_tracer");
/* 1: who sends so many bytes to this task now does not wait for room; else 0 (upvm's own) */
int pvm_room(int tid, int bytes) PVM_IMPORT("pvm_room");
/* let the next runnable ULP run (upvm's own); may block */
int pvm_yield(void) PVM_IMPORT("pvm_yield");

/* Library routines: what they hand out stays as it is until the next call of the same routine. */
/* how many ULPs were started together, and their tids in order of creation */
int pvm_siblings(int **tids);
/* the tasks of the virtual machine (where: 0 all, a host's or a task's tid) */
int pvm_tasks(int where, int *ntask, struct pvmtaskinfo **taskp);
/* start `ntask` ULPs of a program by its file name, with the environment that PVM_EXPORT names; how many were started */
int pvm_spawn(const char *task, char **argv, int flag, const char *where, int ntask, int *tids);
/* give an environment variable to tasks that are spawned: its name goes into PVM_EXPORT */
int pvm_export(const char *name);
/* take it out again */
int pvm_unexport(const char *name);
/* the hosts of the virtual machine */
int pvm_config(int *nhost, int *narch, struct pvmhostinfo **hostp);
/* register as resource manager: asked with SM_SPAWN and others; `*hip`: the own host; tid of the manager there was, 0 none */
int pvm_reg_rm(struct pvmhostinfo **hip);
/* command that starts daemons on other hosts: PVM_RSH of the environment, else rsh */
char *pvmgetrsh(void);
/* folder of temporary files: PVM_TMP of the environment, else /tmp */
char *pvmgettmp(void);
/* classes of the message box whose names have `pattern` in them ("*": anything) */
int pvm_getmboxinfo(const char *pattern, int *nclasses, struct pvmmboxinfo **classes);
/* 0: a ULP's messages come by shared memory, there is no file to wait for */
int pvm_getfds(int **fds);
/* version of PVM's interface: "3.4.6" */
char *pvm_version(void);
/* tids of the tasks that have PvmNoReset */
int pvm_getnoresets(int **tids, int *ntid);
/* pack by a format as of printf: `%[count][.stride][h|l|u]c`, c one of c d f x s; `%+` first: pvm_initsend */
int pvm_packf(const char *fmt, ...);
/* unpack by a format; all arguments are addresses */
int pvm_unpackf(const char *fmt, ...);
/* set the function that chooses messages for receives, NULL: by tid and tag; returns the old one */
int (*pvm_recvf(int (*func)(int bufid, int tid, int tag)))(int bufid, int tid, int tag);
/* wait id of a message */
int pvm_getmwid(int bufid);
/* set it */
int pvm_setmwid(int bufid, int waitid);
/* leave PVM, after the output of children has been written if pvm_catchout is on; the program runs on */
int pvm_exit(void);
#ifdef EOF
/* write the output of tasks spawned from now on to a file (declared if stdio.h comes before this header) */
int pvm_catchout(FILE *ff);
#endif
/* text of the last error */
char *pvm_strerror(void);
/* the root gets `count` items of each member, in order of instances */
int pvm_gather(void *result, void *data, int count, int datatype, int msgtag, const char *group, int rootginst);
/* each member gets its `count` items of the root's, in order of instances */
int pvm_scatter(void *result, void *data, int count, int datatype, int msgtag, const char *group, int rootginst);
/* the root gets all members' items put together, item by item, in order of instances */
int pvm_reduce(pvm_reducer *func, void *data, int count, int datatype, int msgtag, const char *group, int rootginst);

/* Operators of pvm_reduce */
/* the greater one; of complex numbers the one of the greater modulus */
pvm_reducer PvmMax;
/* the smaller one; of complex numbers the one of the smaller modulus */
pvm_reducer PvmMin;
/* the sum; not of bytes */
pvm_reducer PvmSum;
/* the product; not of bytes */
pvm_reducer PvmProduct;

#ifdef __cplusplus
}
#endif

#endif
