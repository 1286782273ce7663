/*
 * Posted sends and receives (upvm.h): a list in order of posting, looked through by whoever tests or waits.
 *
 * Owns: which message is for which request, and when who waits may sleep in PVM. guest/requests.ts is the same in AssemblyScript.
 *
 * Order is MPI's: of receives that a message fits it is for the first. Requests are looked through in order, and each takes
 * the first message that fits, if it is none of those before it (messages come at any time).
 */
#include <stddef.h>
#include <sys/time.h>
#include <upvm.h>

/* A context in which nothing is ever sent: to receive there is to sleep. */
enum { POSTED = 1, NOWHERE = -5, NAP_MICROSECONDS = 1000 };

static struct upvm_request *first;

static int bytes_of(int type) {
  switch (type) {
    case PVM_SHORT: case PVM_USHORT: return 2;
    case PVM_INT: case PVM_UINT: case PVM_FLOAT: return 4;
    case PVM_CPLX: case PVM_DOUBLE: case PVM_LONG: case PVM_ULONG: case PVM_INT64: return 8;
    case PVM_DCPLX: return 16;
    default: return 1;
  }
}

static void post(struct upvm_request *request) {
  struct upvm_request **at = &first;
  while (*at != NULL) at = &(*at)->next;
  *at = request;
  request->next = NULL;
}

static void unpost(struct upvm_request *request) {
  for (struct upvm_request **at = &first; *at != NULL; at = &(*at)->next)
    if (*at == request) {
      *at = request->next;
      return;
    }
}

static void finish(struct upvm_request *request, int code) {
  unpost(request);
  request->state = code < 0 ? code : PvmOk;
}

/* A send to the same task is before it: that one is first. */
static int is_behind(const struct upvm_request *request) {
  for (const struct upvm_request *r = first; r != NULL && r != request; r = r->next)
    if (r->sends && r->to == request->to) return 1;
  return 0;
}

static void try_send(struct upvm_request *r) {
  if (is_behind(r)) return;
  int room = pvm_room(r->to, r->len * bytes_of(r->type));
  if (room == 0) return;
  int before = pvm_setcontext(r->context);
  int code = pvm_psend(r->to, r->with, r->data, r->len, r->type);
  pvm_setcontext(before);
  finish(r, code);
}

/* It does not wait if the message is there. */
static void receive(struct upvm_request *r) {
  int before = pvm_setcontext(r->context);
  int code = pvm_precv(r->to, r->with, r->data, r->len, r->type, &r->tid, &r->tag, &r->bytes);
  pvm_setcontext(before);
  finish(r, code);
}

static int covers(int pattern, int other) {
  return pattern == -1 || pattern == other;
}

/* Some message would fit both. */
static int overlap(const struct upvm_request *a, const struct upvm_request *b) {
  return a->context == b->context && (covers(a->to, b->to) || covers(b->to, a->to)) &&
         (covers(a->with, b->with) || covers(b->with, a->with));
}

static int is_there(const struct upvm_request *r) {
  int before = pvm_setcontext(r->context), found = pvm_probe(r->to, r->with);
  pvm_setcontext(before);
  return found;
}

/*
 * What has come for `r` since those before it were looked at may be theirs: they are looked at again. What they have not found
 * then, it takes.
 */
static void try_receive(struct upvm_request *r) {
  while (r->state == POSTED) {
    int found = is_there(r);
    if (found == 0) return;
    struct upvm_request *e = first;
    while (e != r && (e->sends || !overlap(e, r) || is_there(e) == 0)) e = e->next;
    if (e != r) try_receive(e);
    else if (found < 0) finish(r, found);
    else receive(r);
  }
}

/* Each finishes itself and some before it: the one behind it stays. */
static void progress(void) {
  for (struct upvm_request *r = first, *next; r != NULL; r = next) {
    next = r->next;
    if (r->sends) try_send(r);
    else try_receive(r);
  }
}

/*
 * The posted receive that must be done before `request` is, itself if there is none; NULL: no single pattern tells it, or a send
 * needs room: then who waits has to look now and then.
 */
static struct upvm_request *to_wait_for(struct upvm_request *request) {
  for (struct upvm_request *r = first; r != NULL; r = r->next)
    if (r->sends) return NULL;
  for (struct upvm_request *found = request, *r;;) {
    for (r = first; r != found && !overlap(r, found);) r = r->next;
    if (r == found) return found;
    if (!covers(r->to, found->to) || !covers(r->with, found->with)) return NULL;
    found = r;
  }
}

static void nap(void) {
  struct timeval time = {0, NAP_MICROSECONDS};
  int before = pvm_setcontext(NOWHERE);
  pvm_trecv(-1, -1, &time);
  pvm_setcontext(before);
}

static int begin(struct upvm_request *request, struct upvm_request made) {
  made.context = pvm_getcontext();
  if (made.len < 0) made.state = PvmBadParam;
  *request = made;
  if (made.state != POSTED) return made.state;
  post(request);
  progress();
  return request->state < 0 ? request->state : PvmOk;
}

int upvm_isend(int tid, int tag, const void *data, int len, int type, struct upvm_request *request) {
  return begin(request, (struct upvm_request){POSTED, -1, -1, 0, 1, tid, tag, 0, len, type, (void *)data, NULL});
}

int upvm_irecv(int tid, int tag, void *data, int len, int type, struct upvm_request *request) {
  return begin(request, (struct upvm_request){POSTED, -1, -1, 0, 0, tid, tag, 0, len, type, data, NULL});
}

int upvm_test(struct upvm_request *request) {
  if (request->state == POSTED) progress();
  return request->state < 0 ? request->state : request->state != POSTED;
}

int upvm_wait(struct upvm_request *request) {
  while (upvm_test(request) == 0) {
    struct upvm_request *next = to_wait_for(request);
    if (next == NULL) {
      nap();
      continue;
    }
    receive(next);
  }
  return request->state;
}

int upvm_posted(void) {
  return first != NULL;
}

int upvm_cancel(struct upvm_request *request) {
  if (request->state != POSTED) return 0;
  finish(request, PvmOk);
  return 1;
}
