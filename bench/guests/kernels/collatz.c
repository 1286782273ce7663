/* Longest Collatz sequence: a loop whose length nobody can foresee, and almost nothing in it. */
#define KERNEL_NAME "collatz"
#include "kernel.h"

static uint32_t kernel(void) {
  uint32_t longest = 0, which = 0;
  /* Volatile: a compiler that sees a constant result calls this once. */
  static volatile uint32_t first = 1;
  for (uint32_t start = first; start < 100000; start++) {
    uint32_t steps = 0;
    for (uint64_t n = start; n != 1; steps++) n = n & 1 ? 3 * n + 1 : n / 2;
    if (steps > longest) longest = steps, which = start;
  }
  return which * 1000 + longest;
}
