/*
 * One int once around a ring of N tasks, microseconds (Tables XII and XIII).
 *
 *     ring N ROUTE ENCODING BATCHES      ENCODING: default or raw
 */
#include "bench.h"
#include "spmd.h"

#define TAG_ROUNDS 1
#define TAG_TOKEN 2
/* Batches: the first are what V8 compiles in. Few rounds fit in one if they go over two hosts, so there are many. */
#define WARM_UPS 20

static void pass_on(int next, int token, int encoding) {
  pvm_initsend(encoding);
  pvm_pkint(&token, 1, 1);
  pvm_send(next, TAG_TOKEN);
}

static int take(int previous) {
  int token = 0;
  pvm_recv(previous, TAG_TOKEN);
  pvm_upkint(&token, 1, 1);
  return token;
}

/* Goes round as often as the first task says, each time it says so; 0 ends it. */
static void follow(const struct spmd *s, int next, int previous, int encoding) {
  for (;;) {
    int rounds;
    pvm_recv(s->tids[0], TAG_ROUNDS);
    pvm_upkint(&rounds, 1, 1);
    if (rounds == 0) return;
    for (int i = 0; i < rounds; i++) pass_on(next, take(previous) + 1, encoding);
  }
}

/* Seconds for `rounds` rounds. Every task adds 1 to the token: what arrives is checked. */
static double lead(const struct spmd *s, int rounds, int encoding) {
  pvm_initsend(PvmDataDefault);
  pvm_pkint(&rounds, 1, 1);
  pvm_mcast(s->tids + 1, s->count - 1, TAG_ROUNDS);
  double start = now();
  for (int i = 0; i < rounds; i++) {
    pass_on(s->tids[1], i, encoding);
    if (take(s->tids[s->count - 1]) != i + s->count - 1) {
      printf("wrong token in round %d\n", i);
      exit(1);
    }
  }
  return now() - start;
}

int main(int argc, char **argv) {
  struct spmd s = spmd_start(argc, argv);
  int encoding = argc > 3 && strcmp(argv[3], "raw") == 0 ? PvmDataRaw : PvmDataDefault;
  int batches = argc > 4 ? atoi(argv[4]) : 9, rounds = 4;
  double values[BENCH_BATCHES_MAX];
  if (s.rank == 0) {
    for (int b = -WARM_UPS; b < batches; b++) {
      double seconds = lead(&s, rounds, encoding);
      if (b < 0)
        rounds = repetitions(seconds, rounds, 4, 200000);
      else
        values[b] = seconds / rounds * 1e6;
    }
    lead(&s, 0, encoding);
    char row[32];
    snprintf(row, sizeof row, "%d", s.count);
    report(row, values, batches);
  } else
    follow(&s, s.tids[(s.rank + 1) % s.count], s.tids[s.rank - 1], encoding);
  pvm_exit();
  return 0;
}
