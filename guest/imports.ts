/**
 * PVM's routines as they are imported: C's names and signatures, a pointer is a `usize`.
 *
 * Written by scripts/generate.ts from the tables in wire/pvm.ts: change those, not this.
 */

/** pvm_mytid(3PVM): own tid. C: `int pvm_mytid(void)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_mytid")
export declare function pvm_mytid(): i32;
/** pvm_parent(3PVM): tid of the ULP that spawned this one; PvmNoParent. C: `int pvm_parent(void)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_parent")
export declare function pvm_parent(): i32;
/** pvm_siblings_get(3PVM): how many ULPs were started together; their tids, at most `capacity`, in order of creation, go to `tids`. C: `int pvm_siblings_get(int *tids, int capacity)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_siblings_get")
export declare function pvm_siblings_get(tids: usize, capacity: i32): i32;
/** pvm_joingroup(3PVM): become a member of a group; its instance number, the lowest that is free; may block. C: `int pvm_joingroup(const char *group)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_joingroup")
export declare function pvm_joingroup(group: usize): i32;
/** pvm_lvgroup(3PVM): leave a group; may block. C: `int pvm_lvgroup(const char *group)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_lvgroup")
export declare function pvm_lvgroup(group: usize): i32;
/** pvm_getinst(3PVM): instance number of a task in a group; may block. C: `int pvm_getinst(const char *group, int tid)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_getinst")
export declare function pvm_getinst(group: usize, tid: i32): i32;
/** pvm_gettid(3PVM): tid of a group's member by its instance number; may block. C: `int pvm_gettid(const char *group, int inum)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_gettid")
export declare function pvm_gettid(group: usize, inum: i32): i32;
/** pvm_gsize(3PVM): members of a group; NULL or "": all ULPs started together; may block. C: `int pvm_gsize(const char *group)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_gsize")
export declare function pvm_gsize(group: usize): i32;
/** pvm_barrier(3PVM): wait until `count` members of a group have called it; -1: as many as it has now; may block. C: `int pvm_barrier(const char *group, int count)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_barrier")
export declare function pvm_barrier(group: usize, count: i32): i32;
/** pvm_bcast(3PVM): send the default send buffer to all members of a group but the caller; may block. C: `int pvm_bcast(const char *group, int msgtag)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_bcast")
export declare function pvm_bcast(group: usize, msgtag: i32): i32;
/** pvm_freezegroup(3PVM): wait until `size` members have called it (-1: as many as it has now), then nobody joins any more; the group's size; may block. C: `int pvm_freezegroup(const char *group, int size)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_freezegroup")
export declare function pvm_freezegroup(group: usize, size: i32): i32;
/** pvm_group_tids(3PVM): how many instance numbers a group has; their tids, at most `capacity`, go to `tids`, 0 for one that is free (upvm's own); may block. C: `int pvm_group_tids(const char *group, int *tids, int capacity)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_group_tids")
export declare function pvm_group_tids(group: usize, tids: usize, capacity: i32): i32;
/** pvm_collective(3PVM): checks of gather, scatter and reduce: own instance number (upvm's own); may block. C: `int pvm_collective(const char *routine, const char *group, int rootginst, int count, int datatype, int msgtag)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_collective")
export declare function pvm_collective(routine: usize, group: usize, rootginst: i32, count: i32, datatype: i32, msgtag: i32): i32;
/** pvm_tasks_get(3PVM): how many tasks there are; at most `capacity` rows of 5 ints: tid, ptid, host, flag, pid; may block. C: `int pvm_tasks_get(int where, int *rows, int capacity)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_tasks_get")
export declare function pvm_tasks_get(where: i32, rows: usize, capacity: i32): i32;
/** pvm_task_name(3PVM): length of a task's program name in bytes; it goes to `buf`, cut to `bytes` with its NUL; may block. C: `int pvm_task_name(int tid, char *buf, int bytes)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_task_name")
export declare function pvm_task_name(tid: i32, buf: usize, bytes: i32): i32;
/** pvm_exit(3PVM): leave PVM; the program runs on. C: `int pvm_exit(void)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_exit")
export declare function pvm_exit(): i32;
/** pvm_initsend(3PVM): clear the default send buffer. C: `int pvm_initsend(int encoding)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_initsend")
export declare function pvm_initsend(encoding: i32): i32;
/** pvm_mkbuf(3PVM): new message buffer. C: `int pvm_mkbuf(int encoding)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_mkbuf")
export declare function pvm_mkbuf(encoding: i32): i32;
/** pvm_freebuf(3PVM): free a message buffer. C: `int pvm_freebuf(int bufid)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_freebuf")
export declare function pvm_freebuf(bufid: i32): i32;
/** pvm_getsbuf(3PVM): default send buffer, 0 if none. C: `int pvm_getsbuf(void)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_getsbuf")
export declare function pvm_getsbuf(): i32;
/** pvm_getrbuf(3PVM): default receive buffer, 0 if none. C: `int pvm_getrbuf(void)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_getrbuf")
export declare function pvm_getrbuf(): i32;
/** pvm_setsbuf(3PVM): set the default send buffer; returns the old one. C: `int pvm_setsbuf(int bufid)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_setsbuf")
export declare function pvm_setsbuf(bufid: i32): i32;
/** pvm_setrbuf(3PVM): set the default receive buffer; returns the old one. C: `int pvm_setrbuf(int bufid)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_setrbuf")
export declare function pvm_setrbuf(bufid: i32): i32;
/** pvm_bufinfo(3PVM): length, tag and source of a message. C: `int pvm_bufinfo(int bufid, int *len, int *tag, int *tid)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_bufinfo")
export declare function pvm_bufinfo(bufid: i32, len: usize, tag: usize, tid: usize): i32;
/** pvm_pkbyte(3PVM): pack bytes. C: `int pvm_pkbyte(const char *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_pkbyte")
export declare function pvm_pkbyte(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_pkcplx(3PVM): pack complex numbers (two floats each). C: `int pvm_pkcplx(const float *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_pkcplx")
export declare function pvm_pkcplx(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_pkdcplx(3PVM): pack double complex numbers (two doubles each). C: `int pvm_pkdcplx(const double *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_pkdcplx")
export declare function pvm_pkdcplx(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_pkdouble(3PVM): pack doubles. C: `int pvm_pkdouble(const double *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_pkdouble")
export declare function pvm_pkdouble(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_pkfloat(3PVM): pack floats. C: `int pvm_pkfloat(const float *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_pkfloat")
export declare function pvm_pkfloat(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_pkint(3PVM): pack ints. C: `int pvm_pkint(const int *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_pkint")
export declare function pvm_pkint(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_pklong(3PVM): pack C longs (32 bits here, 64 on the wire). C: `int pvm_pklong(const long *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_pklong")
export declare function pvm_pklong(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_pkshort(3PVM): pack shorts. C: `int pvm_pkshort(const short *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_pkshort")
export declare function pvm_pkshort(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_pkuint(3PVM): pack unsigned ints. C: `int pvm_pkuint(const unsigned int *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_pkuint")
export declare function pvm_pkuint(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_pkulong(3PVM): pack unsigned C longs (32 bits here, 64 on the wire). C: `int pvm_pkulong(const unsigned long *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_pkulong")
export declare function pvm_pkulong(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_pkushort(3PVM): pack unsigned shorts. C: `int pvm_pkushort(const unsigned short *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_pkushort")
export declare function pvm_pkushort(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_pkint64(3PVM): pack 64-bit ints: the wire type of pvm_pklong (upvm's own). C: `int pvm_pkint64(const long long *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_pkint64")
export declare function pvm_pkint64(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_pkstr(3PVM): pack a NUL-terminated string. C: `int pvm_pkstr(const char *cp)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_pkstr")
export declare function pvm_pkstr(cp: usize): i32;
/** pvm_upkbyte(3PVM): unpack bytes. C: `int pvm_upkbyte(char *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_upkbyte")
export declare function pvm_upkbyte(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_upkcplx(3PVM): unpack complex numbers. C: `int pvm_upkcplx(float *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_upkcplx")
export declare function pvm_upkcplx(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_upkdcplx(3PVM): unpack double complex numbers. C: `int pvm_upkdcplx(double *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_upkdcplx")
export declare function pvm_upkdcplx(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_upkdouble(3PVM): unpack doubles. C: `int pvm_upkdouble(double *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_upkdouble")
export declare function pvm_upkdouble(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_upkfloat(3PVM): unpack floats. C: `int pvm_upkfloat(float *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_upkfloat")
export declare function pvm_upkfloat(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_upkint(3PVM): unpack ints. C: `int pvm_upkint(int *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_upkint")
export declare function pvm_upkint(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_upklong(3PVM): unpack C longs; PvmOverflow if one does not fit in 32 bits. C: `int pvm_upklong(long *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_upklong")
export declare function pvm_upklong(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_upkshort(3PVM): unpack shorts. C: `int pvm_upkshort(short *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_upkshort")
export declare function pvm_upkshort(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_upkuint(3PVM): unpack unsigned ints. C: `int pvm_upkuint(unsigned int *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_upkuint")
export declare function pvm_upkuint(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_upkulong(3PVM): unpack unsigned C longs; PvmOverflow if one does not fit in 32 bits. C: `int pvm_upkulong(unsigned long *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_upkulong")
export declare function pvm_upkulong(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_upkushort(3PVM): unpack unsigned shorts. C: `int pvm_upkushort(unsigned short *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_upkushort")
export declare function pvm_upkushort(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_upkint64(3PVM): unpack 64-bit ints (upvm's own). C: `int pvm_upkint64(long long *xp, int nitem, int stride)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_upkint64")
export declare function pvm_upkint64(xp: usize, nitem: i32, stride: i32): i32;
/** pvm_upkstr(3PVM): unpack a string, with its NUL. C: `int pvm_upkstr(char *cp)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_upkstr")
export declare function pvm_upkstr(cp: usize): i32;
/** pvm_upkstr_bytes(3PVM): bytes of the string that comes next, with its NUL; unpacks nothing (upvm's own). C: `int pvm_upkstr_bytes(void)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_upkstr_bytes")
export declare function pvm_upkstr_bytes(): i32;
/** pvm_send(3PVM): send the default send buffer. C: `int pvm_send(int tid, int tag)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_send")
export declare function pvm_send(tid: i32, tag: i32): i32;
/** pvm_mcast(3PVM): send it to several tasks. C: `int pvm_mcast(const int *tids, int count, int tag)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_mcast")
export declare function pvm_mcast(tids: usize, count: i32, tag: i32): i32;
/** pvm_psend(3PVM): pack and send in one call. C: `int pvm_psend(int tid, int tag, const void *cp, int len, int type)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_psend")
export declare function pvm_psend(tid: i32, tag: i32, cp: usize, len: i32, type: i32): i32;
/** pvm_recv(3PVM): wait for a message; -1 is any; may block. C: `int pvm_recv(int tid, int tag)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_recv")
export declare function pvm_recv(tid: i32, tag: i32): i32;
/** pvm_nrecv(3PVM): receive if there is one, else 0. C: `int pvm_nrecv(int tid, int tag)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_nrecv")
export declare function pvm_nrecv(tid: i32, tag: i32): i32;
/** pvm_trecv(3PVM): receive with a time limit: seconds (i64 at 0) and microseconds (i32 at 8); NULL: no limit; 0: none came; may block. C: `int pvm_trecv(int tid, int tag, const struct timeval *tmout)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_trecv")
export declare function pvm_trecv(tid: i32, tag: i32, tmout: usize): i32;
/** pvm_probe(3PVM): is there a message? its bufid, else 0. C: `int pvm_probe(int tid, int tag)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_probe")
export declare function pvm_probe(tid: i32, tag: i32): i32;
/** pvm_precv(3PVM): receive straight into memory; may block. C: `int pvm_precv(int tid, int tag, void *cp, int len, int type, int *rtid, int *rtag, int *rlen)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_precv")
export declare function pvm_precv(tid: i32, tag: i32, cp: usize, len: i32, type: i32, rtid: usize, rtag: usize, rlen: usize): i32;
/** pvm_addmhf(3PVM): let a function take messages as they come; -1 is any; returns the handler's id; PvmExists if one takes some of the same. C: `int pvm_addmhf(int src, int tag, int ctx, int (*func)(int mid))`. */
// @ts-ignore: decorator
@external("pvm", "pvm_addmhf")
export declare function pvm_addmhf(src: i32, tag: i32, ctx: i32, func: i32): i32;
/** pvm_delmhf(3PVM): remove a message handler; PvmNotFound. C: `int pvm_delmhf(int mhid)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_delmhf")
export declare function pvm_delmhf(mhid: i32): i32;
/** pvm_recvf_set(3PVM): set the matching function by its table index; returns the old one, 0: the usual. C: `int pvm_recvf_set(int func)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_recvf_set")
export declare function pvm_recvf_set(func: i32): i32;
/** pvm_setopt(3PVM): set an option of the library; returns the old value. C: `int pvm_setopt(int what, int val)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_setopt")
export declare function pvm_setopt(what: i32, val: i32): i32;
/** pvm_getopt(3PVM): value of an option. C: `int pvm_getopt(int what)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_getopt")
export declare function pvm_getopt(what: i32): i32;
/** pvm_noresets_get(3PVM): how many tasks have PvmNoReset; their tids, at most `capacity`, go to `tids`. C: `int pvm_noresets_get(int *tids, int capacity)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_noresets_get")
export declare function pvm_noresets_get(tids: usize, capacity: i32): i32;
/** pvm_getminfo(3PVM): what a message tells of itself. C: `int pvm_getminfo(int bufid, struct pvmminfo *mi)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_getminfo")
export declare function pvm_getminfo(bufid: i32, mi: usize): i32;
/** pvm_setminfo(3PVM): set its ctx, tag, wid, src and dst. C: `int pvm_setminfo(int bufid, struct pvmminfo *mi)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_setminfo")
export declare function pvm_setminfo(bufid: i32, mi: usize): i32;
/** pvm_pkmesg(3PVM): pack a message, with what it tells of itself. C: `int pvm_pkmesg(int bufid)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_pkmesg")
export declare function pvm_pkmesg(bufid: i32): i32;
/** pvm_pkmesgbody(3PVM): pack the bytes of a message; PvmMismatch if the encodings differ. C: `int pvm_pkmesgbody(int bufid)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_pkmesgbody")
export declare function pvm_pkmesgbody(bufid: i32): i32;
/** pvm_upkmesg(3PVM): unpack a message of pvm_pkmesg; its bufid. C: `int pvm_upkmesg(void)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_upkmesg")
export declare function pvm_upkmesg(): i32;
/** pvm_tickle(3PVM): ask the daemon about itself: takes 1 to 10 numbers, answers none. C: `int pvm_tickle(int narg, int *argp, int *nresp, int *resp)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_tickle")
export declare function pvm_tickle(narg: i32, argp: usize, nresp: usize, resp: usize): i32;
/** pvm_fail(3PVM): fail as a routine of PVM does (upvm's own). C: `int pvm_fail(const char *routine, int code)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_fail")
export declare function pvm_fail(routine: usize, code: i32): i32;
/** pvm_setcontext(3PVM): send and receive in this context from now on; returns the old one. C: `int pvm_setcontext(int context)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_setcontext")
export declare function pvm_setcontext(context: i32): i32;
/** pvm_getcontext(3PVM): the context, PvmBaseContext to begin with. C: `int pvm_getcontext(void)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_getcontext")
export declare function pvm_getcontext(): i32;
/** pvm_newcontext(3PVM): a context that no other task of the virtual machine has; PvmOutOfRes; may block. C: `int pvm_newcontext(void)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_newcontext")
export declare function pvm_newcontext(): i32;
/** pvm_freecontext(3PVM): give a context back; PvmNotFound if nobody has it; may block. C: `int pvm_freecontext(int context)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_freecontext")
export declare function pvm_freecontext(context: i32): i32;
/** pvm_perror(3PVM): print the last error. C: `int pvm_perror(const char *msg)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_perror")
export declare function pvm_perror(msg: usize): i32;
/** pvm_strerror_get(3PVM): length of the last error's text in bytes; it goes to `buf`, cut to `bytes` with its NUL. C: `int pvm_strerror_get(char *buf, int bytes)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_strerror_get")
export declare function pvm_strerror_get(buf: usize, bytes: i32): i32;
/** pvm_spawn(3PVM): start `ntask` ULPs of a program by its file name; how many were started, their tids or errors go to `tids`; may block. C: `int pvm_spawn(const char *task, char **argv, int flag, const char *where, int ntask, int *tids)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_spawn")
export declare function pvm_spawn(task: usize, argv: usize, flag: i32, where: usize, ntask: i32, tids: usize): i32;
/** pvm_kill(3PVM): end a task: at once, whatever it does; may block. C: `int pvm_kill(int tid)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_kill")
export declare function pvm_kill(tid: i32): i32;
/** pvm_sendsig(3PVM): send a signal: one whose default is to end a process ends the task; may block. C: `int pvm_sendsig(int tid, int signum)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_sendsig")
export declare function pvm_sendsig(tid: i32, signum: i32): i32;
/** pvm_pstat(3PVM): PvmOk: the task is there; PvmNoTask; may block. C: `int pvm_pstat(int tid)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_pstat")
export declare function pvm_pstat(tid: i32): i32;
/** pvm_tidtohost(3PVM): tid of the daemon of a task's host; may block. C: `int pvm_tidtohost(int tid)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_tidtohost")
export declare function pvm_tidtohost(tid: i32): i32;
/** pvm_notify(3PVM): ask for a message when tasks end (PvmTaskExit), hosts come or go; with PvmNotifyCancel: at once; may block. C: `int pvm_notify(int what, int msgtag, int cnt, const int *tids)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_notify")
export declare function pvm_notify(what: i32, msgtag: i32, cnt: i32, tids: usize): i32;
/** pvm_config_get(3PVM): how many hosts there are; rows of 3 ints: tid, speed, data signature; `names`: name and architecture of each, a NUL behind each; may block. C: `int pvm_config_get(int *rows, int capacity, char *names, int bytes)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_config_get")
export declare function pvm_config_get(rows: usize, capacity: i32, names: usize, bytes: i32): i32;
/** pvm_mstat(3PVM): PvmOk: the host is up; PvmNoHost; may block. C: `int pvm_mstat(const char *host)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_mstat")
export declare function pvm_mstat(host: usize): i32;
/** pvm_addhosts(3PVM): add hosts; how many were added, their tids or errors go to `infos`; may block. C: `int pvm_addhosts(char **hosts, int count, int *infos)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_addhosts")
export declare function pvm_addhosts(hosts: usize, count: i32, infos: usize): i32;
/** pvm_delhosts(3PVM): remove hosts; how many were removed, 0 or errors go to `infos`; may block. C: `int pvm_delhosts(char **hosts, int count, int *infos)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_delhosts")
export declare function pvm_delhosts(hosts: usize, count: i32, infos: usize): i32;
/** pvm_hostsync(3PVM): clock of a host, and by how much the caller's is ahead of it; may block. C: `int pvm_hostsync(int host, struct timeval *rclk, struct timeval *delta)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_hostsync")
export declare function pvm_hostsync(host: i32, rclk: usize, delta: usize): i32;
/** pvm_archcode(3PVM): data signature of an architecture of the virtual machine; PvmNotFound. C: `int pvm_archcode(const char *arch)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_archcode")
export declare function pvm_archcode(arch: usize): i32;
/** pvm_halt(3PVM): end all tasks and the virtual machine; the caller too; may block. C: `int pvm_halt(void)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_halt")
export declare function pvm_halt(): i32;
/** pvm_start_pvmd(3PVM): PvmDupHost: a task runs in a virtual machine already. C: `int pvm_start_pvmd(int argc, char **argv, int block)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_start_pvmd")
export declare function pvm_start_pvmd(argc: i32, argv: usize, block: i32): i32;
/** pvm_putinfo(3PVM): put a message into the message box; its index; may block. C: `int pvm_putinfo(const char *name, int bufid, int flags)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_putinfo")
export declare function pvm_putinfo(name: usize, bufid: i32, flags: i32): i32;
/** pvm_recvinfo(3PVM): a message of the message box becomes the receive buffer; may block. C: `int pvm_recvinfo(const char *name, int index, int flags)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_recvinfo")
export declare function pvm_recvinfo(name: usize, index: i32, flags: i32): i32;
/** pvm_delinfo(3PVM): delete an entry of the message box; its index; may block. C: `int pvm_delinfo(const char *name, int index, int flags)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_delinfo")
export declare function pvm_delinfo(name: usize, index: i32, flags: i32): i32;
/** pvm_mboxinfo_get(3PVM): how many classes match; sizes: entries of all, bytes of names; rows of 4 ints: class, index, owner, flags; may block. C: `int pvm_mboxinfo_get(const char *pattern, int *rows, int capacity, char *names, int bytes, int *sizes)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_mboxinfo_get")
export declare function pvm_mboxinfo_get(pattern: usize, rows: usize, capacity: i32, names: usize, bytes: i32, sizes: usize): i32;
/** pvm_insert(3PVM): old form of putinfo: an int under a name; its index; may block. C: `int pvm_insert(const char *name, int req, int data)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_insert")
export declare function pvm_insert(name: usize, req: i32, data: i32): i32;
/** pvm_lookup(3PVM): old form of recvinfo: an int by its name; its index; may block. C: `int pvm_lookup(const char *name, int req, int *datap)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_lookup")
export declare function pvm_lookup(name: usize, req: i32, datap: usize): i32;
/** pvm_delete(3PVM): old form of delinfo; may block. C: `int pvm_delete(const char *name, int req)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_delete")
export declare function pvm_delete(name: usize, req: i32): i32;
/** pvm_spawn_environ(3PVM): what tasks spawned from now on find in their environment: NAME=VALUE, NULL at the end (upvm's own; pvm_export uses it). C: `int pvm_spawn_environ(char **env)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_spawn_environ")
export declare function pvm_spawn_environ(env: usize): i32;
/** pvm_reg_hoster(3PVM): register as hoster: asked with SM_STHOST to start the daemons of new hosts; may block. C: `int pvm_reg_hoster(void)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_reg_hoster")
export declare function pvm_reg_hoster(): i32;
/** pvm_reg_tasker(3PVM): register as tasker: asked with SM_STTASK to start each task; PvmAlready: another is; may block. C: `int pvm_reg_tasker(void)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_reg_tasker")
export declare function pvm_reg_tasker(): i32;
/** pvm_reg_rm(3PVM): register as resource manager: asked with SM_SPAWN and others; tid of the manager there was, 0 none; may block. C: `int pvm_reg_rm(void)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_reg_rm")
export declare function pvm_reg_rm(): i32;
/** pvm_settmask(3PVM): set which routines make trace events: the caller's (PvmTaskSelf), those of tasks spawned from now on (PvmTaskChild). C: `int pvm_settmask(int who, char *mask)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_settmask")
export declare function pvm_settmask(who: i32, mask: usize): i32;
/** pvm_gettmask(3PVM): the mask that is set: TEV_MASK_LENGTH characters go to `mask`. C: `int pvm_gettmask(int who, char *mask)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_gettmask")
export declare function pvm_gettmask(who: i32, mask: usize): i32;
/** pvm_trace_begin(3PVM): a routine of the guest library begins: what its trace event tells (upvm's own). C: `int pvm_trace_begin(int event, const char *text, int value)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_trace_begin")
export declare function pvm_trace_begin(event: i32, text: usize, value: i32): i32;
/** pvm_trace_end(3PVM): it returns: gives `result` back (upvm's own). C: `int pvm_trace_end(int event, int result, int first, int second)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_trace_end")
export declare function pvm_trace_end(event: i32, result: i32, first: i32, second: i32): i32;
/** pvm_reg_tracer(3PVM): register as tracer: tasks spawned from now on that have no other place for them send it their output and trace events; may block. C: `int pvm_reg_tracer(int trcctx, int trctag, int outctx, int outtag, char *trcmask, int trcbuf, int trcopt)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_reg_tracer")
export declare function pvm_reg_tracer(trcctx: i32, trctag: i32, outctx: i32, outtag: i32, trcmask: usize, trcbuf: i32, trcopt: i32): i32;
/** pvm_room(3PVM): 1: who sends so many bytes to this task now does not wait for room; else 0 (upvm's own). C: `int pvm_room(int tid, int bytes)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_room")
export declare function pvm_room(tid: i32, bytes: i32): i32;
/** pvm_yield(3PVM): let the next runnable ULP run (upvm's own); may block. C: `int pvm_yield(void)`. */
// @ts-ignore: decorator
@external("pvm", "pvm_yield")
export declare function pvm_yield(): i32;
