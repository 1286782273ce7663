/* Matrix product, the textbook's three loops: a short inner loop of dependent additions. */
#define KERNEL_NAME "matrix"
#include "kernel.h"

#define N 160
static double a[N][N], b[N][N], c[N][N];

static uint32_t kernel(void) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) a[i][j] = (i + 2 * j) % 9, b[i][j] = (3 * i + j) % 7;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      double sum = 0;
      for (int k = 0; k < N; k++) sum += a[i][k] * b[k][j];
      c[i][j] = sum;
    }
  double sum = 0;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) sum += c[i][j] * (i + j);
  return (uint32_t)(uint64_t)sum;
}
