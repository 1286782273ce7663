/*
 * One-way message to a ULP whose engine sleeps, microseconds: from before packing to after unpacking.
 *
 * Both read one clock. The sender computes between messages for as long as an idle engine needs to go to sleep, and
 * more. Run it on two engines, one ULP on each.
 */
#include "bench.h"
#include <pvm3.h>

#define TAG_TIME 1
#define TAG_BACK 2
#define MESSAGES 201
#define WARM_UP 20
/* LIMITS.idleSpinUs is 150: by then the other engine sleeps. */
#define PAUSE_SECONDS 0.002

int main(void) {
  static double took[MESSAGES];
  double values[BENCH_BATCHES_MAX], sent;
  int *tids, me = pvm_mytid(), count = pvm_siblings(&tids);
  if (count != 2) return 1;
  for (int i = -WARM_UP; i < MESSAGES; i++) {
    if (me == tids[0]) {
      for (double until = now() + PAUSE_SECONDS; now() < until;);
      sent = now();
      pvm_initsend(PvmDataDefault);
      pvm_pkdouble(&sent, 1, 1);
      pvm_send(tids[1], TAG_TIME);
      pvm_recv(tids[1], TAG_BACK);
    } else {
      pvm_recv(tids[0], TAG_TIME);
      pvm_upkdouble(&sent, 1, 1);
      if (i >= 0) took[i] = (now() - sent) * 1e6;
      pvm_initsend(PvmDataDefault);
      pvm_send(tids[0], TAG_BACK);
    }
  }
  if (me != tids[1]) return 0;
  /* Medians of MESSAGES / 3 consecutive messages each are the batches. */
  for (int b = 0; b < 3; b++) {
    qsort(took + b * MESSAGES / 3, MESSAGES / 3, sizeof *took, compare_doubles);
    values[b] = took[b * MESSAGES / 3 + MESSAGES / 6];
  }
  report("asleep", values, 3);
  return 0;
}
