/* Everything of mpi.h once; rank 0 prints. For two ranks and more. */
#include <mpi.h>
#include <stdio.h>

static int rank, size;
#define SAY(...) (rank == 0 ? printf(__VA_ARGS__) : 0)

static void point_to_point(void) {
  int next = (rank + 1) % size, previous = (rank + size - 1) % size, token = 0, got[2] = {0, 0}, count;
  MPI_Status status;
  if (rank == 0) MPI_Send(&token, 1, MPI_INT, next, 3, MPI_COMM_WORLD);
  MPI_Recv(&token, 1, MPI_INT, previous, 3, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  token++;
  if (rank != 0) MPI_Send(&token, 1, MPI_INT, next, 3, MPI_COMM_WORLD);
  SAY("ring %d of %d\n", token, size);
  /* A message of PVM's with the same tag is another one. */
  pvm_psend(pvm_mytid(), 4, &token, 1, PVM_INT);
  double shift[2] = {rank, -rank}, shifted[2];
  MPI_Sendrecv(shift, 2, MPI_DOUBLE, next, 4, shifted, 2, MPI_DOUBLE, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
  MPI_Get_count(&status, MPI_DOUBLE, &count);
  SAY("shift %g %g: %d items, %d, tag %d\n", shifted[0], shifted[1], count, status.MPI_SOURCE == previous, status.MPI_TAG);
  MPI_Get_count(&status, MPI_BYTE, &count);
  SAY("%d bytes\n", count);
  MPI_Send(shift, 2, MPI_INT, next, 5, MPI_COMM_WORLD);
  int code = MPI_Recv(got, 1, MPI_INT, previous, 5, MPI_COMM_WORLD, &status);
  SAY("too long %d, nobody %d %d, no such rank %d\n", code == MPI_ERR_TRUNCATE,
      MPI_Recv(got, 1, MPI_INT, MPI_PROC_NULL, 5, MPI_COMM_WORLD, &status), status.MPI_SOURCE == MPI_PROC_NULL,
      MPI_Send(got, 1, MPI_INT, size, 5, MPI_COMM_WORLD));
  SAY("PVM's %d\n", pvm_nrecv(-1, 4) > 0);
}

static void posted(void) {
  int next = (rank + 1) % size, previous = (rank + size - 1) % size, data[2] = {rank, -rank}, got[2] = {0, 0}, one = 0, done;
  MPI_Request requests[3];
  MPI_Status statuses[3];
  MPI_Irecv(got, 2, MPI_INT, previous, 6, MPI_COMM_WORLD, &requests[0]);
  MPI_Irecv(&one, 1, MPI_INT, MPI_ANY_SOURCE, 7, MPI_COMM_WORLD, &requests[1]);
  MPI_Test(&requests[1], &done, MPI_STATUS_IGNORE);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Isend(data, 2, MPI_INT, next, 7, MPI_COMM_WORLD, &requests[2]);
  MPI_Send(data, 2, MPI_INT, next, 6, MPI_COMM_WORLD);
  int code = MPI_Waitall(3, requests, statuses);
  SAY("posted %d, too long %d %d, right %d %d, sent %d\n", done, code == MPI_ERR_TRUNCATE,
      statuses[1].MPI_ERROR == code, got[0] == previous && got[1] == -previous, statuses[0].MPI_SOURCE == previous && one == previous,
      requests[2] == MPI_REQUEST_NULL);
  /* What is posted first is first, also before what is not posted. */
  int first = 0, second = 0;
  MPI_Irecv(&first, 1, MPI_INT, previous, 8, MPI_COMM_WORLD, &requests[0]);
  data[0] = 81, data[1] = 82;
  MPI_Isend(&data[0], 1, MPI_INT, next, 8, MPI_COMM_WORLD, &requests[1]);
  MPI_Send(&data[1], 1, MPI_INT, next, 8, MPI_COMM_WORLD);
  MPI_Recv(&second, 1, MPI_INT, previous, 8, MPI_COMM_WORLD, &statuses[1]);
  MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
  SAY("posted %d before %d, from the right one %d\n", first, second, statuses[1].MPI_SOURCE == previous);
  MPI_Irecv(&one, 1, MPI_INT, MPI_PROC_NULL, 7, MPI_COMM_WORLD, &requests[0]);
  SAY("nobody %d, no such rank %d\n", MPI_Wait(&requests[0], &statuses[0]),
      MPI_Isend(&one, 1, MPI_INT, size, 7, MPI_COMM_WORLD, &requests[0]));
}

static void digits(int *type, void *x, void *y, int *count, int *info) {
  for (int i = 0; i < *count; i++) ((int *)x)[i] = ((int *)x)[i] * 10 + ((int *)y)[i];
  *info = *type == MPI_INT ? 0 : -2;
}

static void together(void) {
  int value = rank + 1, sum, all[64], mine = -1, root = size - 1;
  long long product, factor = rank + 1;
  float least, most, real = (float)rank;
  MPI_Allreduce(&value, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  MPI_Allreduce(&factor, &product, 1, MPI_LONG_LONG, MPI_PROD, MPI_COMM_WORLD);
  MPI_Reduce(&real, &least, 1, MPI_FLOAT, MPI_MIN, 0, MPI_COMM_WORLD);
  MPI_Reduce(&real, &most, 1, MPI_FLOAT, MPI_MAX, 0, MPI_COMM_WORLD);
  SAY("sum %d, product %lld, from %g to %g\n", sum, product, least, most);
  MPI_Reduce(&value, &sum, 1, MPI_INT, digits, root, MPI_COMM_WORLD);
  MPI_Bcast(&sum, 1, MPI_INT, root, MPI_COMM_WORLD);
  SAY("in order %d\n", sum);
  MPI_Gather(&value, 1, MPI_INT, all, 1, MPI_INT, root, MPI_COMM_WORLD);
  for (int i = 0; i < size; i++) all[i] *= 2;
  MPI_Scatter(all, 1, MPI_INT, &mine, 1, MPI_INT, root, MPI_COMM_WORLD);
  MPI_Allreduce(&mine, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  SAY("gathered, doubled and scattered: %d, sum %d\n", mine, sum);
  SAY("an operator of no bytes %d\n", MPI_Reduce(&mine, &sum, 1, MPI_BYTE, MPI_SUM, 0, MPI_COMM_WORLD) == MPI_ERR_OTHER);
  if (rank != 0) MPI_Reduce(&mine, &sum, 1, MPI_BYTE, MPI_SUM, 0, MPI_COMM_WORLD);
}

int main(int argc, char **argv) {
  double begin = MPI_Wtime();
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  point_to_point();
  posted();
  together();
  SAY("time %d, finalized %d\n", MPI_Wtime() >= begin, MPI_Barrier(MPI_COMM_WORLD));
  if (rank != 0) MPI_Barrier(MPI_COMM_WORLD);
  return MPI_Finalize();
}
