/*
 * Product of two matrices on a square of ULPs, by groups (SUMMA: van de Geijn and Watts, 1997).
 *
 *     upvm run guest/examples/summa.c --ulps 16 [-- N]     (N rows, 240 unless told otherwise)
 *
 * ULP (i, j) has block (i, j) of A, B and C, and is in three groups: its row, its column, and all. In step k the k-th
 * member of each row broadcasts its block of A to the row, the k-th of each column its block of B to the column, and all
 * add the product to their block of C. At the end the blocks are gathered and checked: C * x must be A * (B * x) for the
 * vector x of small whole numbers, and all numbers are whole and small, so that it is so exactly.
 * ULPs beyond the largest square take no part.
 */
#include <pvm3.h>
#include <stdio.h>
#include <stdlib.h>

enum { A_BLOCK = 1000, B_BLOCK = 2000, GATHER = 1, SUM = 2 };

/* Elements of A and B, whole numbers -3 … 3. */
static double a_at(int i, int j) { return (i * 7 + j * 3) % 7 - 3; }
static double b_at(int i, int j) { return (i * 5 + j * 11) % 7 - 3; }

/* Block of the k-th member of a group: broadcast by it, received by the others. */
static void spread(const char *group, int k, int me, int tag, const double *own, double *block, int items) {
  if (k == me) {
    for (int i = 0; i < items; i++) block[i] = own[i];
    pvm_initsend(PvmDataRaw);
    pvm_pkdouble(own, items, 1);
    /* A row of one has nobody to tell: PvmNoInst. */
    pvm_bcast(group, tag + k);
  } else {
    pvm_recv(pvm_gettid(group, k), tag + k);
    pvm_upkdouble(block, items, 1);
  }
}

static void add_product(double *c, const double *a, const double *b, int n) {
  for (int i = 0; i < n; i++)
    for (int k = 0; k < n; k++)
      for (int j = 0; j < n; j++) c[i * n + j] += a[i * n + k] * b[k * n + j];
}

/* The whole of C, block after block in order of instances: 1 if it is A * B. */
static int is_product(const double *blocks, int side, int n) {
  int size = side * n, right = 1;
  double *x = malloc(sizeof(double) * size), *bx = malloc(sizeof(double) * size);
  for (int i = 0; i < size; i++) x[i] = i % 5 - 2;
  for (int i = 0; i < size; i++) {
    bx[i] = 0;
    for (int j = 0; j < size; j++) bx[i] += b_at(i, j) * x[j];
  }
  for (int i = 0; i < size; i++) {
    double wanted = 0, found = 0;
    for (int j = 0; j < size; j++) {
      const double *block = blocks + (size_t)n * n * (i / n * side + j / n);
      wanted += a_at(i, j) * bx[j];
      found += block[i % n * n + j % n] * x[j];
    }
    right &= wanted == found;
  }
  free(x), free(bx);
  return right;
}

int main(int argc, char **argv) {
  int size = argc > 1 ? atoi(argv[1]) : 240;
  int *tids, ulps = pvm_siblings(&tids), index = 0, side = 1;
  while (tids[index] != pvm_mytid()) index++;
  while ((side + 1) * (side + 1) <= ulps) side++;
  int n = size / side, items = n * n;
  if (n < 1) {
    if (index == 0) fprintf(stderr, "a matrix of %d rows is too small for %d ULPs\n", size, ulps);
    return 1;
  }
  if (index >= side * side) return 0;

  char row[16], column[16];
  int i = index / side, j = index % side;
  snprintf(row, sizeof row, "row %d", i), snprintf(column, sizeof column, "column %d", j);
  /* Instances go to who comes first: each in its turn, so that they are places in the square. */
  if (index > 0) pvm_recv(tids[index - 1], GATHER);
  int me = pvm_joingroup("all"), in_row = pvm_joingroup(row), in_column = pvm_joingroup(column);
  pvm_initsend(PvmDataDefault);
  if (index + 1 < side * side) pvm_send(tids[index + 1], GATHER);
  pvm_barrier("all", side * side);

  double *a = malloc(sizeof(double) * items), *b = malloc(sizeof(double) * items), *c = calloc(items, sizeof(double));
  double *ak = malloc(sizeof(double) * items), *bk = malloc(sizeof(double) * items);
  for (int k = 0; k < items; k++) {
    a[k] = a_at(i * n + k / n, j * n + k % n);
    b[k] = b_at(i * n + k / n, j * n + k % n);
  }
  for (int k = 0; k < side; k++) {
    spread(row, k, in_row, A_BLOCK, a, ak, items);
    spread(column, k, in_column, B_BLOCK, b, bk, items);
    add_product(c, ak, bk, n);
  }

  double *blocks = me == 0 ? malloc(sizeof(double) * items * side * side) : NULL, trace = 0;
  pvm_gather(blocks, c, items, PVM_DOUBLE, GATHER, "all", 0);
  for (int k = 0; k < n; k++) trace += i == j ? c[k * n + k] : 0;
  pvm_reduce(PvmSum, &trace, 1, PVM_DOUBLE, SUM, "all", 0);
  int right = me == 0 ? is_product(blocks, side, n) : 1;
  if (me == 0)
    printf("%d x %d matrices on %d x %d ULPs: trace %.0f, %s\n", n * side, n * side, side, side, trace,
           right ? "right" : "WRONG");
  /* A member that ends leaves its groups: not before the others have asked for its tid the last time. */
  pvm_barrier("all", side * side);
  return right ? 0 : 1;
}
