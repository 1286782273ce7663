/* Gauss-Jacobi on a grid of doubles: a loop nest that streams. */
#define KERNEL_NAME "stencil"
#include "kernel.h"

#define N 256
static double grid[2][N][N];

static uint32_t kernel(void) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) grid[0][i][j] = grid[1][i][j] = (i * 7 + j * 3) % 17;
  for (int k = 0; k < 40; k++) {
    double (*from)[N] = grid[k & 1], (*to)[N] = grid[~k & 1];
    for (int i = 1; i < N - 1; i++)
      for (int j = 1; j < N - 1; j++)
        to[i][j] = 0.25 * (from[i - 1][j] + from[i + 1][j] + from[i][j - 1] + from[i][j + 1]);
  }
  double sum = 0;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) sum += grid[0][i][j] * (j + 1);
  return (uint32_t)(uint64_t)(sum * 1000);
}
