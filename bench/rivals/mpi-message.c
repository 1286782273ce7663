/*
 * guests/message.c on MPI: one-way message between ranks 0 and 1, microseconds.
 *
 *     mpirun -np 2 mpi-message BATCHES [BYTES...]
 */
#include "../guests/bench.h"
#include <mpi.h>

#define BYTES_MAX 1000000
static int out[BYTES_MAX / 4], in[BYTES_MAX / 4];

static double batch(int rank, int count, int trips) {
  MPI_Bcast(&trips, 1, MPI_INT, 0, MPI_COMM_WORLD);
  MPI_Barrier(MPI_COMM_WORLD);
  double start = now();
  for (int i = 0; i < trips; i++) {
    if (rank == 0) MPI_Send(out, count, MPI_INT, 1, 2, MPI_COMM_WORLD);
    MPI_Recv(in, count, MPI_INT, 1 - rank, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (rank == 1) MPI_Send(out, count, MPI_INT, 0, 2, MPI_COMM_WORLD);
  }
  return now() - start;
}

int main(int argc, char **argv) {
  int rank, batches = argc > 1 ? atoi(argv[1]) : 9;
  double values[BENCH_BATCHES_MAX];
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  for (int i = 0; i < LENGTH(out); i++) out[i] = i * 7;
  for (int i = 2; i < argc; i++) {
    int bytes = atoi(argv[i]), trips = 8;
    for (int b = -3; b < batches; b++) {
      double seconds = batch(rank, bytes / 4, trips);
      if (b < 0)
        trips = repetitions(seconds, trips, 4, 200000);
      else
        values[b] = seconds / trips / 2 * 1e6;
    }
    if (rank == 0) report(argv[i], values, batches);
  }
  MPI_Finalize();
  return 0;
}
