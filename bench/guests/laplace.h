/*
 * The paper's grid solver: 128 x 128 points, Gauss-Jacobi, a block of columns for each task, columns contiguous.
 * Every program that solves it (ours, PVM, MPI, native) uses this sweep.
 */
#ifndef LAPLACE_H
#define LAPLACE_H
#include <string.h>

/* laplace-256.c and so on have larger ones. */
#ifndef GRID
#define GRID 128
#define SWEEPS 5000
#endif
/* Neighbours exchange their border columns before every tenth sweep; in between a halo stays as it was. */
#define SWEEPS_PER_EXCHANGE 10
/* Three additions and a multiplication for each point inside, each sweep. */
#define FLOP (4.0 * (GRID - 2) * (GRID - 2) * SWEEPS)

struct block {
  /* First column, and how many. */
  int first, columns;
};

static inline struct block block_of(int count, int rank) {
  int each = GRID / count, more = GRID % count;
  struct block b = {rank * each + (rank < more ? rank : more), each + (rank < more)};
  return b;
}

/* Doubles in a block with its two halo columns. */
#define BLOCK_DOUBLES(b) ((size_t)GRID * (size_t)((b).columns + 2))

/* u: a block with halos as columns 0 and columns + 1. Left edge 100, right 0, top 50, bottom 25. */
static inline void init_block(double *u, struct block b) {
  memset(u, 0, sizeof *u * BLOCK_DOUBLES(b));
  for (int c = 0; c < b.columns + 2; c++) {
    int column = b.first + c - 1;
    for (int i = 0; i < GRID; i++) {
      double *point = &u[c * GRID + i];
      if (column == 0)
        *point = 100;
      else if (column == GRID - 1)
        *point = 0;
      else if (i == 0)
        *point = 50;
      else if (i == GRID - 1)
        *point = 25;
    }
  }
}

__attribute__((noinline)) static void sweep(double *restrict to, const double *restrict from, struct block b) {
  for (int c = 1; c <= b.columns; c++) {
    int column = b.first + c - 1;
    if (column == 0 || column == GRID - 1) continue;
    const double *here = from + c * GRID, *left = here - GRID, *right = here + GRID;
    double *out = to + c * GRID;
    for (int i = 1; i < GRID - 1; i++) out[i] = 0.25 * (left[i] + right[i] + here[i - 1] + here[i + 1]);
  }
}

static inline double sum_block(const double *u, struct block b) {
  double sum = 0;
  for (int c = 1; c <= b.columns; c++)
    for (int i = 0; i < GRID; i++) sum += u[c * GRID + i];
  return sum;
}
#endif
