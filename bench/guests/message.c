/*
 * One-way message between two tasks, microseconds: half of a round trip, packing and unpacking included (Table X).
 *
 *     message 2 ROUTE ENCODING BATCHES [BYTES...]      ENCODING: default, raw, inplace or psend
 */
#include "bench.h"
#include "spmd.h"

#define TAG_COUNT 1
#define TAG_DATA 2
#define BYTES_MAX 1000000
/* Batches: the first are what V8 compiles in, also of the ways between processes. */
#define WARM_UPS 8

static const char *const encodings[] = {"default", "raw", "inplace", "psend"};
enum { DEFAULT, RAW, INPLACE, PSEND };
static int out[BYTES_MAX / 4], in[BYTES_MAX / 4];

static void send_data(int to, int encoding, int count) {
  if (encoding == PSEND) {
    pvm_psend(to, TAG_DATA, (char *)out, count, PVM_INT);
    return;
  }
  pvm_initsend(encoding);
  pvm_pkint(out, count, 1);
  pvm_send(to, TAG_DATA);
}

static void receive_data(int from, int encoding, int count) {
  if (encoding == PSEND) {
    int tid, tag, bytes;
    pvm_precv(from, TAG_DATA, (char *)in, count, PVM_INT, &tid, &tag, &bytes);
    return;
  }
  pvm_recv(from, TAG_DATA);
  pvm_upkint(in, count, 1);
}

/* Answers until it is told to stop. */
static void answer(int first, int encoding) {
  for (;;) {
    int order[2];
    pvm_recv(first, TAG_COUNT);
    pvm_upkint(order, 2, 1);
    if (order[0] == 0) return;
    for (int i = 0; i < order[1]; i++) {
      receive_data(first, encoding, order[0]);
      send_data(first, encoding, order[0]);
    }
  }
}

/* Seconds for `trips` round trips of `count` ints. */
static double batch(int other, int encoding, int count, int trips) {
  int order[2] = {count, trips};
  pvm_initsend(PvmDataDefault);
  pvm_pkint(order, 2, 1);
  pvm_send(other, TAG_COUNT);
  if (count == 0) return 0;
  double start = now();
  for (int i = 0; i < trips; i++) {
    send_data(other, encoding, count);
    receive_data(other, encoding, count);
  }
  return now() - start;
}

static void measure(int other, int encoding, int bytes, int batches) {
  int count = bytes / 4, trips = 8;
  double values[BENCH_BATCHES_MAX];
  memset(in, 0, sizeof in);
  for (int b = -WARM_UPS; b < batches; b++) {
    double seconds = batch(other, encoding, count, trips);
    if (b < 0)
      trips = repetitions(seconds, trips, 4, 200000);
    else
      values[b] = seconds / trips / 2 * 1e6;
  }
  for (int i = 0; i < count; i++)
    if (in[i] != i * 7) {
      printf("wrong data: %d of %d ints\n", i, count);
      exit(1);
    }
  char row[32];
  snprintf(row, sizeof row, "%d", bytes);
  report(row, values, batches);
}

int main(int argc, char **argv) {
  struct spmd s = spmd_start(argc, argv);
  int encoding = 0, batches = argc > 4 ? atoi(argv[4]) : 9;
  while (argc > 3 && encoding < PSEND && strcmp(argv[3], encodings[encoding]) != 0) encoding++;
  for (int i = 0; i < LENGTH(out); i++) out[i] = i * 7;
  if (s.rank == 1) answer(s.tids[0], encoding);
  if (s.rank == 0) {
    for (int i = 5; i < argc; i++) measure(s.tids[1], encoding, atoi(argv[i]), batches);
    batch(s.tids[1], encoding, 0, 0);
  }
  pvm_exit();
  return 0;
}
