/*
 * The paper's grid solver on N tasks, Mflops (Tables XIV and XV).
 *
 *     laplace N ROUTE ENCODING RUNS [WARM]      ENCODING: default or raw; WARM: solutions before that do not count, default 1
 *
 * Prints the sum of the grid as "sum N SUM": it depends on N, since halos are old between exchanges, and on nothing
 * else.
 */
#include "bench.h"
#include "laplace.h"
#include "spmd.h"

#define TAG_READY 10
#define TAG_GO 11
#define TAG_LEFTWARD 20
#define TAG_RIGHTWARD 21
#define TAG_SUM 30

static void send_column(int to, int tag, double *column, int encoding) {
  pvm_initsend(encoding);
  pvm_pkdouble(column, GRID, 1);
  pvm_send(to, tag);
}

static void receive_column(int from, int tag, double *column) {
  pvm_recv(from, tag);
  pvm_upkdouble(column, GRID, 1);
}

/* Nobody begins before all are there. */
static void meet(const struct spmd *s) {
  int nothing = 0;
  if (s->count == 1) return;
  if (s->rank == 0) {
    for (int i = 1; i < s->count; i++) pvm_recv(s->tids[i], TAG_READY);
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&nothing, 1, 1);
    pvm_mcast(s->tids + 1, s->count - 1, TAG_GO);
  } else {
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&nothing, 1, 1);
    pvm_send(s->tids[0], TAG_READY);
    pvm_recv(s->tids[0], TAG_GO);
  }
}

/* Border columns of `u` to the neighbours, theirs into the halos of `u` and of `other`, where the next sweep looks. */
static void exchange(const struct spmd *s, struct block b, double *u, double *other, int encoding) {
  double *last = u + b.columns * GRID, *halo = last + GRID;
  int left = s->rank > 0 ? s->tids[s->rank - 1] : 0;
  int right = s->rank < s->count - 1 ? s->tids[s->rank + 1] : 0;
  if (left) send_column(left, TAG_LEFTWARD, u + GRID, encoding);
  if (right) send_column(right, TAG_RIGHTWARD, last, encoding);
  if (left) receive_column(left, TAG_RIGHTWARD, u);
  if (right) receive_column(right, TAG_LEFTWARD, halo);
  memcpy(other, u, sizeof *u * GRID);
  memcpy(other + (halo - u), halo, sizeof *u * GRID);
}

static double add_up(const struct spmd *s, double sum) {
  if (s->rank > 0) {
    pvm_initsend(PvmDataDefault);
    pvm_pkdouble(&sum, 1, 1);
    pvm_send(s->tids[0], TAG_SUM);
    return sum;
  }
  for (int i = 1; i < s->count; i++) {
    double part = 0;
    pvm_recv(s->tids[i], TAG_SUM);
    pvm_upkdouble(&part, 1, 1);
    sum += part;
  }
  return sum;
}

static double solve(const struct spmd *s, int encoding, double *seconds) {
  struct block b = block_of(s->count, s->rank);
  double *u = malloc(sizeof *u * BLOCK_DOUBLES(b)), *v = malloc(sizeof *v * BLOCK_DOUBLES(b));
  double *from = u, *to = v;
  init_block(u, b);
  init_block(v, b);
  meet(s);
  double start = now();
  for (int i = 0; i < SWEEPS; i++) {
    if (i % SWEEPS_PER_EXCHANGE == 0) exchange(s, b, from, to, encoding);
    sweep(to, from, b);
    double *swap = from;
    from = to;
    to = swap;
  }
  double sum = add_up(s, sum_block(from, b));
  *seconds = now() - start;
  free(u);
  free(v);
  return sum;
}

int main(int argc, char **argv) {
  struct spmd s = spmd_start(argc, argv);
  int encoding = argc > 3 && strcmp(argv[3], "raw") == 0 ? PvmDataRaw : PvmDataDefault;
  int runs = argc > 4 ? atoi(argv[4]) : 9, warm = argc > 5 ? atoi(argv[5]) : 1;
  double values[BENCH_BATCHES_MAX], sum = 0;
  for (int run = -warm; run < runs; run++) {
    double seconds;
    sum = solve(&s, encoding, &seconds);
    if (run >= 0) values[run] = FLOP / seconds / 1e6;
  }
  if (s.rank == 0) {
    char row[32];
    snprintf(row, sizeof row, "%d", s.count);
    printf("sum %s %.6f\n", row, sum);
    report(row, values, runs);
  }
  pvm_exit();
  return 0;
}
