/*
 * Gather, scatter and reduce for C programs, over pvm_psend and pvm_precv; and the operators of a reduction.
 * Compiled and linked with every C program; the linker drops what it does not use.
 *
 * Owns: who sends what to whom. The checks are the engine's (pvm_collective). What members send each other goes in a
 * context of its own, so that no receive of the program takes it; default buffers are not touched. Everything is
 * received in order of instances, from each by its tid: so a sum of floating-point numbers is always the same, and what
 * a member has sent for a later call is not taken too early. guest/groups.ts is the same for AssemblyScript, and members
 * in both languages understand each other.
 */
#include <pvm3.h>
#include <pvmtev.h>
#include <stdlib.h>
#include <string.h>

/* Context of what collectives send: of no program. */
enum { COLLECTIVE = -2 };

/* Bytes of one item of a type that pvm_collective has let pass. */
static size_t item_bytes(int datatype) {
  switch (datatype) {
    case PVM_SHORT: return sizeof(short);
    case PVM_INT: return sizeof(int);
    case PVM_FLOAT: return sizeof(float);
    case PVM_CPLX: return 2 * sizeof(float);
    case PVM_DOUBLE: return sizeof(double);
    case PVM_DCPLX: return 2 * sizeof(double);
    case PVM_LONG: return sizeof(long);
    case PVM_INT64: return sizeof(long long);
    default: return 1;
  }
}

/* A call under way. */
struct call {
  int event;
  const char *routine, *group;
  int count, datatype, tag;
  size_t bytes;
  /* Of the root: tids by instance, 0 where there is none. */
  int *tids, members;
  /* First error. */
  int code;
};

static void send_part(struct call *c, int tid, const void *part) {
  int before = pvm_setcontext(COLLECTIVE);
  int code = pvm_psend(tid, c->tag, part, c->count, c->datatype);
  pvm_setcontext(before);
  if (code < 0 && c->code == PvmOk) c->code = code;
}

static void receive_part(struct call *c, int tid, void *part) {
  int before = pvm_setcontext(COLLECTIVE);
  int bytes = 0;
  int code = pvm_precv(tid, c->tag, part, c->count, c->datatype, NULL, NULL, &bytes);
  pvm_setcontext(before);
  if (code == PvmOk && (size_t)bytes < c->bytes) code = PvmNoData;
  if (code < 0 && c->code == PvmOk) c->code = code;
}

/* Begins a call, in a trace too: own instance, or an error that has been printed. */
static int begin(
    struct call *c, int event, const char *routine, const char *group, int root, int count, int datatype, int tag) {
  *c = (struct call){event, routine, group, count, datatype, tag, 0, NULL, 0, PvmOk};
  pvm_trace_begin(event, group, tag);
  int me = pvm_collective(routine, group, root, count, datatype, tag);
  if (me >= 0) c->bytes = item_bytes(datatype) * (size_t)count;
  return me;
}

/* The root learns who is there; `whole`: PvmNoInst if an instance below the highest is nobody's. */
static void list_members(struct call *c, int whole) {
  int there = pvm_group_tids(c->group, NULL, 0);
  if (there > 0) c->tids = malloc(sizeof(int) * (size_t)there);
  c->members = c->tids == NULL ? 0 : pvm_group_tids(c->group, c->tids, there);
  if (c->members > there) c->members = there;
  if (there < 0) c->code = there;
  else if (c->tids == NULL) c->code = PvmNoMem;
  for (int i = 0; whole && i < c->members; i++)
    if (c->tids[i] == 0) c->code = PvmNoInst;
}

static int end(struct call *c) {
  free(c->tids);
  return pvm_trace_end(c->event, c->code < 0 ? pvm_fail(c->routine, c->code) : PvmOk, 0, 0);
}

int pvm_gather(void *result, void *data, int count, int datatype, int msgtag, const char *group, int rootginst) {
  struct call c;
  int me = begin(&c, TEV_GATHER, "pvm_gather", group, rootginst, count, datatype, msgtag);
  if (me < 0) return pvm_trace_end(TEV_GATHER, me, 0, 0);
  if (data == NULL || (me == rootginst && result == NULL)) c.code = PvmBadParam;
  else if (me != rootginst) send_part(&c, pvm_gettid(group, rootginst), data);
  else list_members(&c, 1);
  for (int i = 0; i < c.members && c.code != PvmNoInst; i++) {
    char *part = (char *)result + c.bytes * (size_t)i;
    if (i == me) memmove(part, data, c.bytes);
    else receive_part(&c, c.tids[i], part);
  }
  return end(&c);
}

int pvm_scatter(void *result, void *data, int count, int datatype, int msgtag, const char *group, int rootginst) {
  struct call c;
  int me = begin(&c, TEV_SCATTER, "pvm_scatter", group, rootginst, count, datatype, msgtag);
  if (me < 0) return pvm_trace_end(TEV_SCATTER, me, 0, 0);
  if (result == NULL || (me == rootginst && data == NULL)) c.code = PvmBadParam;
  else if (me != rootginst) receive_part(&c, pvm_gettid(group, rootginst), result);
  else list_members(&c, 1);
  for (int i = 0; i < c.members && c.code != PvmNoInst; i++)
    if (i != me) send_part(&c, c.tids[i], (char *)data + c.bytes * (size_t)i);
  if (me == rootginst && c.code == PvmOk) memmove(result, (char *)data + c.bytes * (size_t)me, c.bytes);
  return end(&c);
}

/* Folds what the members have, in order of instances. `room` holds two parts. */
static void fold(struct call *c, pvm_reducer *func, char *data, int me, char *room) {
  char *sum = NULL;
  for (int i = 0; i < c->members; i++) {
    if (c->tids[i] == 0) continue;
    char *part = i == me ? data : sum == NULL ? room : room + c->bytes;
    if (i != me) receive_part(c, c->tids[i], part);
    if (sum == NULL) sum = part;
    else if (c->code == PvmOk) {
      /* After an error the others' parts are still received: they would be taken for those of a later call. */
      int type = c->datatype, num = c->count, info = PvmOk;
      if (func == NULL) info = PvmBadParam;
      else func(&type, sum, part, &num, &info);
      if (info < 0) c->code = info;
    }
  }
  if (sum != NULL && sum != data && c->code == PvmOk) memcpy(data, sum, c->bytes);
}

int pvm_reduce(pvm_reducer *func, void *data, int count, int datatype, int msgtag, const char *group, int rootginst) {
  struct call c;
  int me = begin(&c, TEV_REDUCE, "pvm_reduce", group, rootginst, count, datatype, msgtag);
  if (me < 0) return pvm_trace_end(TEV_REDUCE, me, 0, 0);
  if (data == NULL) c.code = PvmBadParam;
  else if (me != rootginst) send_part(&c, pvm_gettid(group, rootginst), data);
  else {
    list_members(&c, 0);
    char *room = malloc(2 * c.bytes);
    if (room == NULL) c.code = PvmNoMem;
    else fold(&c, func, data, me, room);
    free(room);
  }
  return end(&c);
}

/* ---- Operators: x = x op y for each of num items. As PVM: of complex numbers the one of the greater or smaller modulus;
 * sum and product not of bytes; no strings, no unsigned types. Whole numbers wrap. ---- */

#define EACH(type, statement)                                  \
  {                                                            \
    type *a = x, *b = y;                                       \
    for (int i = 0; i < *num; i++) statement;                  \
    break;                                                     \
  }
#define PICK(op) if (b[i] op a[i]) a[i] = b[i]
#define SQUARE(v) ((double)(v)[2 * i] * (v)[2 * i] + (double)(v)[2 * i + 1] * (v)[2 * i + 1])
#define PICK_COMPLEX(op) if (SQUARE(b) op SQUARE(a)) a[2 * i] = b[2 * i], a[2 * i + 1] = b[2 * i + 1]

#define PICKER(name, op)                                               \
  void name(int *datatype, void *x, void *y, int *num, int *info) {    \
    *info = PvmOk;                                                     \
    switch (*datatype) {                                               \
      case PVM_BYTE: EACH(signed char, PICK(op))                       \
      case PVM_SHORT: EACH(short, PICK(op))                            \
      case PVM_INT: EACH(int, PICK(op))                                \
      case PVM_LONG: EACH(long, PICK(op))                              \
      case PVM_INT64: EACH(long long, PICK(op))                        \
      case PVM_FLOAT: EACH(float, PICK(op))                            \
      case PVM_DOUBLE: EACH(double, PICK(op))                          \
      case PVM_CPLX: EACH(float, PICK_COMPLEX(op))                     \
      case PVM_DCPLX: EACH(double, PICK_COMPLEX(op))                   \
      default: *info = PvmBadParam;                                    \
    }                                                                  \
  }
PICKER(PvmMax, >)
PICKER(PvmMin, <)

/* Whole numbers are added and multiplied as unsigned ones, which wrap. */
#define ADDER(name, op, complex)                                       \
  void name(int *datatype, void *x, void *y, int *num, int *info) {    \
    *info = PvmOk;                                                     \
    switch (*datatype) {                                               \
      case PVM_SHORT: EACH(short, a[i] = (short)(a[i] op b[i]))        \
      case PVM_INT: EACH(unsigned, a[i] op##= b[i])                    \
      case PVM_LONG: EACH(unsigned long, a[i] op##= b[i])              \
      case PVM_INT64: EACH(unsigned long long, a[i] op##= b[i])        \
      case PVM_FLOAT: EACH(float, a[i] op##= b[i])                     \
      case PVM_DOUBLE: EACH(double, a[i] op##= b[i])                   \
      case PVM_CPLX: EACH(float, complex(float))                       \
      case PVM_DCPLX: EACH(double, complex(double))                    \
      default: *info = PvmBadParam;                                    \
    }                                                                  \
  }
#define ADD_COMPLEX(type) (a[2 * i] += b[2 * i], a[2 * i + 1] += b[2 * i + 1])
#define MULTIPLY_COMPLEX(type)                                         \
  {                                                                    \
    type re = a[2 * i] * b[2 * i] - a[2 * i + 1] * b[2 * i + 1];       \
    a[2 * i + 1] = a[2 * i] * b[2 * i + 1] + a[2 * i + 1] * b[2 * i];  \
    a[2 * i] = re;                                                     \
  }
ADDER(PvmSum, +, ADD_COMPLEX)
ADDER(PvmProduct, *, MULTIPLY_COMPLEX)
