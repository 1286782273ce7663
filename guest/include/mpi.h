/*
 * A small part of MPI for C programs that run as user-level processes: what a program needs that sends, receives and
 * computes together, over PVM's routines (pvm3.h).
 *
 *     upvm run prog.c --ulps 8         each ULP is a rank, in order of creation
 *
 * Owns: ranks, and who sends what to whom in a collective. Nothing else of MPI is here: one communicator, no types of a
 * program's own. MPI_Send waits for no receiver: a message is kept until it is received. MPI_Isend and its like are upvm.h's.
 * Point-to-point messages and those of collectives have a context each, so that PVM's routines can be used beside it.
 * A call that fails returns MPI_ERR_OTHER, and PVM's text is on standard error.
 */
#ifndef UPVM_MPI_H
#define UPVM_MPI_H

#include <pvm3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <upvm.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MPI_VERSION 1
#define MPI_SUBVERSION 1

enum { MPI_SUCCESS = 0, MPI_ERR_TRUNCATE = 15, MPI_ERR_OTHER = 16 };
enum { MPI_ANY_SOURCE = -1, MPI_ANY_TAG = -1, MPI_PROC_NULL = -2, MPI_UNDEFINED = -32766 };

typedef int MPI_Comm;
#define MPI_COMM_WORLD ((MPI_Comm)1)

/* A type is PVM's. */
typedef int MPI_Datatype;
#define MPI_CHAR PVM_BYTE
#define MPI_BYTE PVM_BYTE
#define MPI_SHORT PVM_SHORT
#define MPI_INT PVM_INT
#define MPI_LONG PVM_LONG
#define MPI_LONG_LONG PVM_INT64
#define MPI_UNSIGNED PVM_UINT
#define MPI_UNSIGNED_SHORT PVM_USHORT
#define MPI_UNSIGNED_LONG PVM_ULONG
#define MPI_FLOAT PVM_FLOAT
#define MPI_DOUBLE PVM_DOUBLE

/* An operator is a function of PVM's; so may a program's own be. Unsigned types have none. */
typedef pvm_reducer *MPI_Op;
#define MPI_MAX PvmMax
#define MPI_MIN PvmMin
#define MPI_SUM PvmSum
#define MPI_PROD PvmProduct

typedef struct {
  int MPI_SOURCE, MPI_TAG, MPI_ERROR;
  int bytes; /* of the message: MPI_Get_count */
} MPI_Status;
#define MPI_STATUS_IGNORE ((MPI_Status *)0)

/* Contexts of its messages: of no program that uses PVM's. */
enum { UPVM_MPI_MESSAGE = -3, UPVM_MPI_TOGETHER = -4 };
static const char upvm_mpi_group[] = "MPI_COMM_WORLD";
/* Tids by rank. */
static int *upvm_mpi_tids, upvm_mpi_size, upvm_mpi_rank;

static inline size_t upvm_mpi_bytes(MPI_Datatype type) {
  switch (type) {
    case MPI_SHORT: case MPI_UNSIGNED_SHORT: return sizeof(short);
    case MPI_INT: case MPI_UNSIGNED: return sizeof(int);
    case MPI_LONG: case MPI_UNSIGNED_LONG: return sizeof(long);
    case MPI_FLOAT: return sizeof(float);
    case MPI_DOUBLE: return sizeof(double);
    case MPI_LONG_LONG: return sizeof(long long);
    default: return 1;
  }
}

static inline int MPI_Init(int *argc, char ***argv) {
  int *tids;
  (void)argc, (void)argv;
  upvm_mpi_size = pvm_siblings(&tids);
  upvm_mpi_tids = (int *)malloc(sizeof(int) * (size_t)upvm_mpi_size);
  if (upvm_mpi_tids == NULL) return MPI_ERR_OTHER;
  memcpy(upvm_mpi_tids, tids, sizeof(int) * (size_t)upvm_mpi_size);
  for (upvm_mpi_rank = 0; tids[upvm_mpi_rank] != pvm_mytid();) upvm_mpi_rank++;
  return pvm_joingroup(upvm_mpi_group) < 0 ? MPI_ERR_OTHER : MPI_SUCCESS;
}

static inline int MPI_Comm_rank(MPI_Comm comm, int *rank) {
  (void)comm, *rank = upvm_mpi_rank;
  return MPI_SUCCESS;
}
static inline int MPI_Comm_size(MPI_Comm comm, int *size) {
  (void)comm, *size = upvm_mpi_size;
  return MPI_SUCCESS;
}

static inline int MPI_Barrier(MPI_Comm comm) {
  (void)comm;
  return pvm_barrier(upvm_mpi_group, upvm_mpi_size) < 0 ? MPI_ERR_OTHER : MPI_SUCCESS;
}

/* Waits for all, as most of MPI's implementations do. */
static inline int MPI_Finalize(void) {
  int code = MPI_Barrier(MPI_COMM_WORLD);
  pvm_lvgroup(upvm_mpi_group);
  free(upvm_mpi_tids);
  upvm_mpi_tids = NULL;
  return code;
}

/* Ends this ULP; the others go on, and a run that then cannot go on says so. */
static inline int MPI_Abort(MPI_Comm comm, int code) {
  (void)comm;
  exit(code);
}

static inline double MPI_Wtime(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- Point to point ---- */

static inline int upvm_mpi_send(int context, const void *data, int count, MPI_Datatype type, int to, int tag) {
  if (to == MPI_PROC_NULL) return MPI_SUCCESS;
  if (to < 0 || to >= upvm_mpi_size) return MPI_ERR_OTHER;
  int before = pvm_setcontext(context), code = pvm_psend(upvm_mpi_tids[to], tag, data, count, type);
  pvm_setcontext(before);
  return code < 0 ? MPI_ERR_OTHER : MPI_SUCCESS;
}

/* What there is to say of a receive, or of a send. tid: the sender of what came, -1: nothing came; room: bytes it may have. */
static inline int upvm_mpi_tell(MPI_Status here, int code, int tid, size_t room, MPI_Status *status) {
  if (code < 0) here.MPI_ERROR = MPI_ERR_OTHER;
  else if (tid >= 0) {
    for (here.MPI_SOURCE = 0; upvm_mpi_tids[here.MPI_SOURCE] != tid;) here.MPI_SOURCE++;
    if ((size_t)here.bytes > room) here.MPI_ERROR = MPI_ERR_TRUNCATE;
  }
  if (status != MPI_STATUS_IGNORE) *status = here;
  return here.MPI_ERROR;
}

static inline int upvm_mpi_receive(
    int context, void *data, int count, MPI_Datatype type, int from, int tag, MPI_Status *status) {
  MPI_Status here = {MPI_PROC_NULL, MPI_ANY_TAG, MPI_SUCCESS, 0};
  int tid = -1, code = 0;
  if (from != MPI_PROC_NULL) {
    if (from < MPI_ANY_SOURCE || from >= upvm_mpi_size) return MPI_ERR_OTHER;
    int before = pvm_setcontext(context), whom = from < 0 ? -1 : upvm_mpi_tids[from];
    code = pvm_precv(whom, tag, data, count, type, &tid, &here.MPI_TAG, &here.bytes);
    pvm_setcontext(before);
  }
  return upvm_mpi_tell(here, code, tid, upvm_mpi_bytes(type) * (size_t)count, status);
}

typedef struct upvm_request *MPI_Request;
#define MPI_REQUEST_NULL ((MPI_Request)0)
#define MPI_STATUSES_IGNORE ((MPI_Status *)0)

static inline int upvm_mpi_post(
    int sends, void *data, int count, MPI_Datatype type, int rank, int tag, MPI_Request *request) {
  *request = MPI_REQUEST_NULL;
  if (rank == MPI_PROC_NULL) return MPI_SUCCESS;
  if (rank < (sends ? 0 : MPI_ANY_SOURCE) || rank >= upvm_mpi_size) return MPI_ERR_OTHER;
  struct upvm_request *made = (struct upvm_request *)malloc(sizeof *made);
  if (made == NULL) return MPI_ERR_OTHER;
  int before = pvm_setcontext(UPVM_MPI_MESSAGE), whom = rank < 0 ? -1 : upvm_mpi_tids[rank];
  int code = sends ? upvm_isend(whom, tag, data, count, type, made) : upvm_irecv(whom, tag, data, count, type, made);
  pvm_setcontext(before);
  if (code < 0) free(made);
  else *request = made;
  return code < 0 ? MPI_ERR_OTHER : MPI_SUCCESS;
}

static inline int MPI_Isend(
    const void *data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm, MPI_Request *request) {
  (void)comm;
  return upvm_mpi_post(1, (void *)data, count, type, to, tag, request);
}

static inline int MPI_Irecv(
    void *data, int count, MPI_Datatype type, int from, int tag, MPI_Comm comm, MPI_Request *request) {
  (void)comm;
  return upvm_mpi_post(0, data, count, type, from, tag, request);
}

/* The request is done: what it got, and it is none any more. */
static inline int upvm_mpi_end(MPI_Request *request, MPI_Status *status) {
  MPI_Status here = {MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_SUCCESS, 0};
  if (*request == MPI_REQUEST_NULL) return upvm_mpi_tell(here, PvmOk, -1, 0, status);
  struct upvm_request done = **request;
  free(*request);
  *request = MPI_REQUEST_NULL;
  if (done.sends) return upvm_mpi_tell(here, done.state, -1, 0, status);
  here.MPI_TAG = done.tag, here.bytes = done.bytes;
  return upvm_mpi_tell(here, done.state, done.tid, upvm_mpi_bytes(done.type) * (size_t)done.len, status);
}

static inline int MPI_Wait(MPI_Request *request, MPI_Status *status) {
  if (*request != MPI_REQUEST_NULL) upvm_wait(*request);
  return upvm_mpi_end(request, status);
}

static inline int MPI_Test(MPI_Request *request, int *flag, MPI_Status *status) {
  *flag = *request == MPI_REQUEST_NULL || upvm_test(*request) != 0;
  return *flag ? upvm_mpi_end(request, status) : MPI_SUCCESS;
}

static inline int MPI_Waitall(int count, MPI_Request *requests, MPI_Status *statuses) {
  int code = MPI_SUCCESS;
  for (int i = 0; i < count; i++) {
    int one = MPI_Wait(&requests[i], statuses == MPI_STATUSES_IGNORE ? MPI_STATUS_IGNORE : &statuses[i]);
    if (one != MPI_SUCCESS) code = one;
  }
  return code;
}

/* What is posted is before it, as MPI has it: then it is posted behind that. */
static inline int MPI_Send(const void *data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm) {
  if (!upvm_posted()) return upvm_mpi_send(UPVM_MPI_MESSAGE, data, count, type, to, tag);
  MPI_Request request;
  int code = MPI_Isend(data, count, type, to, tag, comm, &request);
  return code != MPI_SUCCESS ? code : MPI_Wait(&request, MPI_STATUS_IGNORE);
}

static inline int MPI_Recv(
    void *data, int count, MPI_Datatype type, int from, int tag, MPI_Comm comm, MPI_Status *status) {
  if (from == MPI_PROC_NULL || !upvm_posted())
    return upvm_mpi_receive(UPVM_MPI_MESSAGE, data, count, type, from, tag, status);
  MPI_Request request;
  int code = MPI_Irecv(data, count, type, from, tag, comm, &request);
  return code != MPI_SUCCESS ? code : MPI_Wait(&request, status);
}

static inline int MPI_Sendrecv(
    const void *out, int out_count, MPI_Datatype out_type, int to, int out_tag, void *in, int in_count,
    MPI_Datatype in_type, int from, int in_tag, MPI_Comm comm, MPI_Status *status) {
  int code = MPI_Send(out, out_count, out_type, to, out_tag, comm);
  return code != MPI_SUCCESS ? code : MPI_Recv(in, in_count, in_type, from, in_tag, comm, status);
}

static inline int MPI_Get_count(const MPI_Status *status, MPI_Datatype type, int *count) {
  size_t item = upvm_mpi_bytes(type), bytes = (size_t)status->bytes;
  *count = bytes % item == 0 ? (int)(bytes / item) : MPI_UNDEFINED;
  return MPI_SUCCESS;
}

/* ---- Together ---- */

static inline int upvm_mpi_give(const void *data, int count, MPI_Datatype type, int to) {
  return upvm_mpi_send(UPVM_MPI_TOGETHER, data, count, type, to, 0);
}
static inline int upvm_mpi_take(void *data, int count, MPI_Datatype type, int from) {
  return upvm_mpi_receive(UPVM_MPI_TOGETHER, data, count, type, from, 0, MPI_STATUS_IGNORE);
}

static inline int MPI_Bcast(void *data, int count, MPI_Datatype type, int root, MPI_Comm comm) {
  int code = MPI_SUCCESS;
  (void)comm;
  if (upvm_mpi_rank != root) return upvm_mpi_take(data, count, type, root);
  for (int to = 0; to < upvm_mpi_size && code == MPI_SUCCESS; to++)
    if (to != root) code = upvm_mpi_give(data, count, type, to);
  return code;
}

/* In order of ranks: the same result every time. */
static inline int MPI_Reduce(
    const void *out, void *in, int count, MPI_Datatype type, MPI_Op op, int root, MPI_Comm comm) {
  size_t bytes = upvm_mpi_bytes(type) * (size_t)count;
  (void)comm;
  if (upvm_mpi_rank != root) return upvm_mpi_give(out, count, type, root);
  char *part = (char *)malloc(bytes + 1);
  int code = part == NULL ? MPI_ERR_OTHER : MPI_SUCCESS;
  for (int from = 0; from < upvm_mpi_size && part != NULL; from++) {
    int info = 0, got = MPI_SUCCESS;
    char *place = from == 0 ? (char *)in : part;
    if (from == root) memmove(place, out, bytes);
    else got = upvm_mpi_take(place, count, type, from);
    if (from > 0 && code == MPI_SUCCESS && got == MPI_SUCCESS) op(&type, in, part, &count, &info);
    if (got != MPI_SUCCESS || info < 0) code = MPI_ERR_OTHER;
  }
  free(part);
  return code;
}

static inline int MPI_Allreduce(
    const void *out, void *in, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
  int code = MPI_Reduce(out, in, count, type, op, 0, comm);
  int all = MPI_Bcast(in, count, type, 0, comm);
  return code != MPI_SUCCESS ? code : all;
}

static inline int MPI_Gather(
    const void *out, int out_count, MPI_Datatype out_type, void *in, int in_count, MPI_Datatype in_type, int root,
    MPI_Comm comm) {
  size_t bytes = upvm_mpi_bytes(in_type) * (size_t)in_count;
  int code = MPI_SUCCESS;
  (void)comm;
  if (upvm_mpi_rank != root) return upvm_mpi_give(out, out_count, out_type, root);
  for (int from = 0; from < upvm_mpi_size; from++) {
    char *part = (char *)in + bytes * (size_t)from;
    int got = MPI_SUCCESS;
    if (from == root) memmove(part, out, bytes);
    else got = upvm_mpi_take(part, in_count, in_type, from);
    if (got != MPI_SUCCESS) code = got;
  }
  return code;
}

static inline int MPI_Scatter(
    const void *out, int out_count, MPI_Datatype out_type, void *in, int in_count, MPI_Datatype in_type, int root,
    MPI_Comm comm) {
  size_t bytes = upvm_mpi_bytes(out_type) * (size_t)out_count;
  int code = MPI_SUCCESS;
  (void)comm;
  if (upvm_mpi_rank != root) return upvm_mpi_take(in, in_count, in_type, root);
  for (int to = 0; to < upvm_mpi_size && code == MPI_SUCCESS; to++) {
    const char *part = (const char *)out + bytes * (size_t)to;
    if (to == root) memmove(in, part, bytes);
    else code = upvm_mpi_give(part, out_count, out_type, to);
  }
  return code;
}

#ifdef __cplusplus
}
#endif

#endif
