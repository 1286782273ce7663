/*
 * A computation that never blocks, timed: what the link step costs shows in it and in nothing else.
 *
 * A kernel file defines KERNEL_NAME and kernel(), which computes for a few milliseconds and returns a checksum. The
 * same wasm is run linked and not linked, and natively; the checksums must agree.
 *
 *     KERNEL [BATCHES]      prints the checksum and milliseconds for each call of kernel()
 */
#ifndef KERNEL_H
#define KERNEL_H
#include "../bench.h"
#include <stdint.h>

__attribute__((noinline)) static uint32_t kernel(void);

/* Numbers that look random and are the same everywhere (Marsaglia's xorshift). */
static inline uint32_t next_random(uint32_t *state) {
  uint32_t x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

/* An engine compiles a function again, better, after some calls: these are not measured. Seconds. */
#define WARM_UP_SECONDS 0.3

int main(int argc, char **argv) {
  int batches = argc > 1 ? atoi(argv[1]) : 9, calls = 0;
  uint32_t sum = 0;
  double values[BENCH_BATCHES_MAX], start = now();
  while (now() - start < WARM_UP_SECONDS) sum = kernel(), calls++;
  calls = repetitions(now() - start, calls, 1, 1000000);
  for (int b = 0; b < batches; b++) {
    start = now();
    for (int i = 0; i < calls; i++)
      if (kernel() != sum) {
        printf("wrong result\n");
        return 1;
      }
    values[b] = (now() - start) / calls * 1e3;
  }
  printf("sum %s %u\n", KERNEL_NAME, (unsigned)sum);
  report(KERNEL_NAME, values, batches);
  return 0;
}
#endif
