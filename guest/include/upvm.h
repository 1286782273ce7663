/*
 * upvm's own routines beside PVM's: sends and receives that are posted, and later tested or waited for.
 *
 *     struct upvm_request edge;
 *     upvm_irecv(left, 7, halo, N, PVM_DOUBLE, &edge);
 *     compute_what_needs_no_halo();
 *     upvm_wait(&edge);
 *
 * Owns: the interface; guest/lib/requests.c has the code. PVM 3.4 has no such routines ("Beyond PVM 3.4", 2.1, wishes for
 * them); MPI_Isend, MPI_Irecv, MPI_Test and MPI_Wait are their model.
 * A request is the program's memory, and so is the data: neither may be changed or go until the request is done.
 * Requests go with their ULP wherever it moves. Not for message handlers.
 */
#ifndef UPVM_H
#define UPVM_H

#include <pvm3.h>

#ifdef __cplusplus
extern "C" {
#endif

struct upvm_request {
  /* 1: posted; PvmOk: done; negative: PVM's error. */
  int state;
  /* Of a receive that is done: sender, tag, bytes of the whole message. */
  int tid, tag, bytes;
  /* The library's. */
  int sends, to, with, context, len, type;
  void *data;
  struct upvm_request *next;
};

/*
 * Sends as pvm_psend, and never waits: while there is no room on the way to `tid` the data stays where it is. Otherwise it is
 * done at once. Posted sends to a task leave in order; what pvm_send and its like send meanwhile goes before them.
 * Returns PvmOk or an error.
 */
int upvm_isend(int tid, int tag, const void *data, int len, int type, struct upvm_request *request);

/*
 * Receives as pvm_precv, in the context of this call, at some time until the request is done. A message is for the first
 * posted receive that it fits; what is not posted (pvm_recv) takes what it finds. Returns PvmOk or an error.
 */
int upvm_irecv(int tid, int tag, void *data, int len, int type, struct upvm_request *request);

/* 1: the request is done; 0: not yet; an error: it is done, and failed. */
int upvm_test(struct upvm_request *request);

/* Waits until it is done: PvmOk or an error. Other ULPs run meanwhile. */
int upvm_wait(struct upvm_request *request);

/* 1: something is posted, and not done as far as is known; else 0. */
int upvm_posted(void);

/* A posted request is none any more. 1; 0: it was done already. */
int upvm_cancel(struct upvm_request *request);

#ifdef __cplusplus
}
#endif

#endif
