/*
 * guests/laplace.c on MPI, Mflops.
 *
 *     mpirun -np N mpi-laplace RUNS
 */
#include "../guests/bench.h"
#include "../guests/laplace.h"
#include <mpi.h>

static void exchange(int rank, int count, struct block b, double *u, double *other) {
  int left = rank > 0 ? rank - 1 : MPI_PROC_NULL, right = rank < count - 1 ? rank + 1 : MPI_PROC_NULL;
  double *last = u + b.columns * GRID, *halo = last + GRID;
  MPI_Sendrecv(u + GRID, GRID, MPI_DOUBLE, left, 20, halo, GRID, MPI_DOUBLE, right, 20, MPI_COMM_WORLD,
               MPI_STATUS_IGNORE);
  MPI_Sendrecv(last, GRID, MPI_DOUBLE, right, 21, u, GRID, MPI_DOUBLE, left, 21, MPI_COMM_WORLD,
               MPI_STATUS_IGNORE);
  memcpy(other, u, sizeof *u * GRID);
  memcpy(other + (halo - u), halo, sizeof *u * GRID);
}

static double solve(int rank, int count, double *seconds) {
  struct block b = block_of(count, rank);
  double *u = malloc(sizeof *u * BLOCK_DOUBLES(b)), *v = malloc(sizeof *v * BLOCK_DOUBLES(b));
  double *from = u, *to = v, total = 0;
  init_block(u, b);
  init_block(v, b);
  MPI_Barrier(MPI_COMM_WORLD);
  double start = now();
  for (int i = 0; i < SWEEPS; i++) {
    if (i % SWEEPS_PER_EXCHANGE == 0) exchange(rank, count, b, from, to);
    sweep(to, from, b);
    double *swap = from;
    from = to;
    to = swap;
  }
  double sum = sum_block(from, b);
  MPI_Reduce(&sum, &total, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
  *seconds = now() - start;
  free(u);
  free(v);
  return total;
}

int main(int argc, char **argv) {
  int rank, count, runs = argc > 1 ? atoi(argv[1]) : 9;
  double values[BENCH_BATCHES_MAX], sum = 0;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &count);
  for (int run = -1; run < runs; run++) {
    double seconds;
    sum = solve(rank, count, &seconds);
    if (run >= 0) values[run] = FLOP / seconds / 1e6;
  }
  char row[32];
  snprintf(row, sizeof row, "%d", count);
  if (rank == 0) {
    printf("sum %s %.6f\n", row, sum);
    report(row, values, runs);
  }
  MPI_Finalize();
  return 0;
}
