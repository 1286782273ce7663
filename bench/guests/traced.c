/*
 * What a message costs a task that is traced: two tasks send one int to and fro, a third gets their trace events.
 *
 *     traced 3 ROUTE HOW [BATCHES]      HOW: "off"; "each", a message for each event; "buffer", one for BUFFER_BYTES of them
 *
 * The time is that of one message, sent and received: two events at each of its ends (TEV_SEND, TEV_RECV, entry and exit).
 * A batch ends when the third has read all events of it.
 */
#include <pvm3.h>
#include <pvmtev.h>
#include "bench.h"
#include "spmd.h"

enum { TAG = 1, SYNC = 2, END = 3, TRACE = 4, BUFFER_BYTES = 4096, LEAST = 20, MOST = 2000 };

static void trace_to(int tid, const char *how) {
  Pvmtmask mask;
  if (strcmp(how, "off") == 0) return;
  TEV_MASK_INIT(mask);
  TEV_MASK_SET(mask, TEV_SEND);
  TEV_MASK_SET(mask, TEV_RECV);
  pvm_setopt(PvmSelfTraceTid, tid);
  pvm_setopt(PvmSelfTraceCode, TRACE);
  pvm_setopt(PvmSelfTraceOptions, PvmTraceFull);
  if (strcmp(how, "buffer") == 0) pvm_setopt(PvmSelfTraceBuffer, BUFFER_BYTES);
  pvm_settmask(PvmTaskSelf, mask);
}

static void pass(int to, int tag, int value) {
  pvm_initsend(PvmDataDefault);
  pvm_pkint(&value, 1, 1);
  pvm_send(to, tag);
}

/* Seconds that so many messages take, there and back. */
static double batch(const struct spmd *s, int count) {
  double start = now();
  for (int i = 0; i < count; i++) {
    pass(s->tids[1], TAG, i);
    pvm_recv(s->tids[1], TAG);
  }
  pass(s->tids[2], SYNC, 0);
  pvm_recv(s->tids[2], SYNC);
  return now() - start;
}

int main(int argc, char **argv) {
  struct spmd s = spmd_start(argc, argv);
  const char *how = argc > 3 ? argv[3] : "off";
  int batches = argc > 4 ? atoi(argv[4]) : 7, value = 0;
  if (s.rank < 2) trace_to(s.tids[2], how);
  if (s.rank == 0) {
    double times[BENCH_BATCHES_MAX];
    int count = repetitions(batch(&s, LEAST), LEAST, LEAST, MOST);
    if (batches > BENCH_BATCHES_MAX) batches = BENCH_BATCHES_MAX;
    batch(&s, count);
    for (int i = 0; i < batches; i++) times[i] = batch(&s, count) * 1e6 / (2 * count);
    report(how, times, batches);
    pass(s.tids[1], END, 0);
    pass(s.tids[2], END, 0);
  }
  for (int tag = TAG; s.rank == 1 && tag == TAG;) {
    pvm_bufinfo(pvm_recv(s.tids[0], -1), NULL, &tag, NULL);
    if (tag == TAG) pass(s.tids[0], TAG, value);
  }
  for (int tag = TRACE; s.rank == 2 && tag != END;) {
    pvm_bufinfo(pvm_recv(-1, -1), NULL, &tag, NULL);
    if (tag == SYNC) pass(s.tids[0], SYNC, 0);
  }
  pvm_exit();
  return 0;
}
