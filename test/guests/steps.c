/*
 * For test/real/arm64.test.ts: computes without a call for long, on integers, doubles and memory, and prints after each step
 * what it has come to, to the bit.
 *
 *     steps COUNT [FILE]: so many steps, and as many more until the file is there
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 1 << 16 };
static double field[SIZE];

static int goes_on(const char *path) {
  FILE *file = path == NULL ? NULL : fopen(path, "r");
  if (file != NULL) fclose(file);
  return path != NULL && file == NULL;
}

int main(int argc, char **argv) {
  const int count = argc > 1 ? atoi(argv[1]) : 10;
  uint64_t x = 88172645463325252u;
  float small = 1;
  for (int i = 0; i < SIZE; i++) field[i] = 1.0 / (i + 1);
  for (int step = 0; step < count || goes_on(argv[2]); step++) {
    double sum = 0;
    for (int i = 0; i < 2000000; i++) {
      x ^= x << 13, x ^= x >> 7, x ^= x << 17;
      double *at = &field[x % SIZE];
      *at = sqrt(*at * *at + (double)(x >> 40) * 1e-9) * 0.999;
      small = small * 0.9999f + (float)*at;
      sum += *at / (i + 1);
    }
    printf("%d: %016llx %a %a\n", step, (unsigned long long)x, sum, (double)small);
    fflush(stdout);
  }
  return 0;
}
