/*
 * guests/ring.c on MPI: one int once around all ranks, microseconds.
 *
 *     mpirun -np N mpi-ring BATCHES
 */
#include "../guests/bench.h"
#include <mpi.h>

static double batch(int rank, int count, int rounds) {
  int next = (rank + 1) % count, previous = (rank + count - 1) % count, token = 0;
  MPI_Barrier(MPI_COMM_WORLD);
  double start = now();
  for (int i = 0; i < rounds; i++) {
    if (rank == 0) MPI_Send(&token, 1, MPI_INT, next, 3, MPI_COMM_WORLD);
    MPI_Recv(&token, 1, MPI_INT, previous, 3, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    token++;
    if (rank != 0) MPI_Send(&token, 1, MPI_INT, next, 3, MPI_COMM_WORLD);
  }
  return now() - start;
}

int main(int argc, char **argv) {
  int rank, count, batches = argc > 1 ? atoi(argv[1]) : 9, rounds = 4;
  double values[BENCH_BATCHES_MAX];
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &count);
  for (int b = -3; b < batches; b++) {
    MPI_Bcast(&rounds, 1, MPI_INT, 0, MPI_COMM_WORLD);
    double seconds = batch(rank, count, rounds);
    if (b < 0)
      rounds = repetitions(seconds, rounds, 4, 200000);
    else
      values[b] = seconds / rounds * 1e6;
  }
  char row[32];
  snprintf(row, sizeof row, "%d", count);
  if (rank == 0) report(row, values, batches);
  MPI_Finalize();
  return 0;
}
