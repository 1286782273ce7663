/*
 * Timing for the programs of bench/: one clock, medians of batches, one line of output for each figure.
 *
 * Compiled for upvm, and natively for PVM, MPI and plain processes: what differs is what is measured.
 */
#ifndef BENCH_H
#define BENCH_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BENCH_BATCHES_MAX 64
#define LENGTH(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* A batch takes about this long, seconds: a thousand times the clock's grain, short enough to see other load. */
#define BENCH_BATCH_SECONDS 0.05

static inline double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* Prints "= ROW MEDIAN MIN MAX COUNT", which bench/program.ts reads. Sorts `values`. */
static inline void report(const char *row, double *values, int count) {
  qsort(values, (size_t)count, sizeof *values, compare_doubles);
  double median =
      count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
  printf("= %s %.9g %.9g %.9g %d\n", row, median, values[0], values[count - 1], count);
  fflush(stdout);
}

/* How many repetitions fill a batch, from the time that `count` of them took. */
static inline int repetitions(double seconds, int count, int least, int most) {
  double n = seconds > 0 ? BENCH_BATCH_SECONDS / (seconds / count) : most;
  return n < least ? least : n > most ? most : (int)n;
}
#endif
