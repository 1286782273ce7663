/* Sieve of Eratosthenes: an outer loop of many cheap iterations around a short inner one. */
#define KERNEL_NAME "sieve"
#include "kernel.h"

#define N 2000000
static uint8_t composite[N];

static uint32_t kernel(void) {
  uint32_t sum = 0;
  memset(composite, 0, sizeof composite);
  for (int i = 2; i < N; i++) {
    if (composite[i]) continue;
    sum += (uint32_t)i;
    for (int64_t j = (int64_t)i * i; j < N; j += i) composite[j] = 1;
  }
  return sum;
}
