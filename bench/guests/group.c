/*
 * A barrier, or a broadcast, of N members of a group, microseconds.
 *
 *     group N ROUTE WHAT BATCHES      WHAT: barrier; broadcast: one int to all, and the answers of all
 */
#include "bench.h"
#include "spmd.h"

#define GROUP "bench"
enum { ROUNDS = 1, DATA = 2, ANSWER = 3 };

static void barriers(int members, int rounds) {
  for (int i = 0; i < rounds; i++)
    if (pvm_barrier(GROUP, members) < 0) {
      printf("no barrier\n");
      exit(1);
    }
}

static void broadcasts(int members, int rounds) {
  for (int i = 0; i < rounds; i++) {
    int answer, sum = 0;
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&i, 1, 1);
    pvm_bcast(GROUP, DATA);
    for (int j = 1; j < members; j++) {
      pvm_recv(-1, ANSWER);
      pvm_upkint(&answer, 1, 1);
      sum += answer;
    }
    if (sum != i * (members - 1)) {
      printf("wrong answers in round %d\n", i);
      exit(1);
    }
  }
}

static void answers(int root, int rounds) {
  for (int i = 0; i < rounds; i++) {
    int value;
    pvm_recv(root, DATA);
    pvm_upkint(&value, 1, 1);
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&value, 1, 1);
    pvm_send(root, ANSWER);
  }
}

/* Seconds for `rounds` rounds, beginning when all members know how many. */
static double lead(const struct spmd *s, int rounds, int barrier) {
  pvm_initsend(PvmDataDefault);
  pvm_pkint(&rounds, 1, 1);
  pvm_mcast(s->tids + 1, s->count - 1, ROUNDS);
  pvm_barrier(GROUP, s->count);
  double start = now();
  if (barrier)
    barriers(s->count, rounds);
  else
    broadcasts(s->count, rounds);
  return now() - start;
}

static void follow(const struct spmd *s, int barrier) {
  for (;;) {
    int rounds;
    pvm_recv(s->tids[0], ROUNDS);
    pvm_upkint(&rounds, 1, 1);
    pvm_barrier(GROUP, s->count);
    if (rounds == 0) return;
    if (barrier)
      barriers(s->count, rounds);
    else
      answers(s->tids[0], rounds);
  }
}

int main(int argc, char **argv) {
  struct spmd s = spmd_start(argc, argv);
  int barrier = argc > 3 && strcmp(argv[3], "barrier") == 0;
  int batches = argc > 4 ? atoi(argv[4]) : 9, rounds = 2;
  double values[BENCH_BATCHES_MAX];
  pvm_joingroup(GROUP);
  pvm_barrier(GROUP, s.count);
  if (s.rank == 0) {
    for (int b = -3; b < batches; b++) {
      double seconds = lead(&s, rounds, barrier);
      if (b < 0)
        rounds = repetitions(seconds, rounds, 2, 100000);
      else
        values[b] = seconds / rounds * 1e6;
    }
    lead(&s, 0, barrier);
    char row[32];
    snprintf(row, sizeof row, "%d", s.count);
    report(row, values, batches);
  } else
    follow(&s, barrier);
  pvm_lvgroup(GROUP);
  pvm_exit();
  return 0;
}
