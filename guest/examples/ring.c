/*
 * A ring: one int goes round all ULPs, and each adds one to it (the paper's section 4.3.1, Table XII).
 *
 *     upvm run guest/examples/ring.c --ulps 24 [-- ROUNDS]
 *
 * Shows the least that a message needs: initsend, pack, send; recv, unpack. ULP 0 prints what came back, and on
 * standard error the median time of a round. The exit code is 0 if the number is as many as it must be.
 */
#include <pvm3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
  TOKEN = 1,
  HOPS = 100000, /* in all, unless told otherwise: under a second, however many ULPs there are */
  BATCHES = 20
};

static void pass(int token, int next) {
  pvm_initsend(PvmDataDefault);
  pvm_pkint(&token, 1, 1);
  pvm_send(next, TOKEN);
}

static int take(int previous) {
  int token;
  pvm_recv(previous, TOKEN);
  pvm_upkint(&token, 1, 1);
  return token;
}

static double microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  int *tids;
  int count = pvm_siblings(&tids);
  int me = pvm_mytid(), index = 0;
  while (tids[index] != me) index++;
  int next = tids[(index + 1) % count];
  int previous = tids[(index + count - 1) % count];
  int wanted = argc > 1 ? atoi(argv[1]) : HOPS / count;
  /* Whole batches, so that a round's time is the median of some means. */
  int per_batch = (wanted + BATCHES - 1) / BATCHES;
  if (per_batch < 1) per_batch = 1;

  if (index != 0) {
    for (int round = 0; round < per_batch * BATCHES; round++) pass(take(previous) + 1, next);
    return 0;
  }

  int token = 0;
  double times[BATCHES];
  for (int batch = 0; batch < BATCHES; batch++) {
    double start = microseconds();
    for (int round = 0; round < per_batch; round++) {
      pass(token + 1, next);
      token = take(previous);
    }
    times[batch] = (microseconds() - start) / per_batch;
  }

  int rounds = per_batch * BATCHES;
  int right = token == rounds * count;
  printf("%d ULPs, %d rounds: %d went round, %s\n", count, rounds, token, right ? "right" : "WRONG");
  qsort(times, BATCHES, sizeof times[0], ascending);
  fprintf(stderr, "a round took %.2f us (median)\n", times[BATCHES / 2]);
  return right ? 0 : 1;
}
