/*
 * The paper's grid solver alone in a native process, Mflops: what a core can do.
 *
 *     laplace RUNS [COUNT]        of COUNT equal blocks the first, alone: its halos stay as they were. Default: all of it
 */
#include "../guests/bench.h"
#include "../guests/laplace.h"

int main(int argc, char **argv) {
  int runs = argc > 1 ? atoi(argv[1]) : 9;
  int count = argc > 2 ? atoi(argv[2]) : 1;
  struct block b = block_of(count, 0);
  /* Border columns of the grid stay as they are. */
  double flop = FLOP / (GRID - 2) * (b.columns - (count > 1 ? 1 : 2));
  double values[BENCH_BATCHES_MAX], sum = 0;
  double *u = malloc(sizeof *u * BLOCK_DOUBLES(b)), *v = malloc(sizeof *v * BLOCK_DOUBLES(b));
  for (int run = -1; run < runs; run++) {
    double *from = u, *to = v;
    init_block(u, b);
    init_block(v, b);
    double start = now();
    for (int i = 0; i < SWEEPS; i++) {
      sweep(to, from, b);
      double *swap = from;
      from = to;
      to = swap;
    }
    sum = sum_block(from, b);
    if (run >= 0) values[run] = flop / (now() - start) / 1e6;
  }
  printf("sum 1 %.6f\n", sum);
  report("1", values, runs);
  free(u);
  free(v);
  return 0;
}
