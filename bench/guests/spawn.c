/*
 * N tasks of the same program started by one call of pvm_spawn, until each has said that it runs, microseconds.
 *
 *     spawn N BATCHES
 */
#include "bench.h"
#include <pvm3.h>

enum { HELLO = 1, TASKS_MAX = 64 };
/* Tasks that a run may start in all: a ULP's descriptor stays until the run's end. */
#define TASKS_IN_ALL 6000

/* Seconds for `rounds` spawns, each awaited. */
static double spawns(char *program, int count, int rounds) {
  int tids[TASKS_MAX];
  double start = now();
  for (int i = 0; i < rounds; i++) {
    int got = pvm_spawn(program, NULL, PvmTaskDefault, "", count, tids);
    if (got != count) {
      printf("pvm_spawn started %d of %d\n", got, count);
      exit(1);
    }
    for (int j = 0; j < count; j++) pvm_recv(-1, HELLO);
  }
  return now() - start;
}

int main(int argc, char **argv) {
  int count = argc > 1 ? atoi(argv[1]) : 1, batches = argc > 2 ? atoi(argv[2]) : 9, rounds = 1;
  double values[BENCH_BATCHES_MAX];
  const char *slash = strrchr(argv[0], '/');
  pvm_mytid();
  if (pvm_parent() > 0) {
    pvm_initsend(PvmDataDefault);
    pvm_send(pvm_parent(), HELLO);
    pvm_exit();
    return 0;
  }
  for (int b = -2; b < batches; b++) {
    double seconds = spawns((char *)(slash ? slash + 1 : argv[0]), count, rounds);
    if (b < 0)
      rounds = repetitions(seconds, rounds, 1, TASKS_IN_ALL / count / (batches + 2));
    else
      values[b] = seconds / rounds * 1e6;
  }
  char row[32];
  snprintf(row, sizeof row, "%d", count);
  report(row, values, batches);
  pvm_exit();
  return 0;
}
