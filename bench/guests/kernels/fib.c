/* Fibonacci numbers by definition: calls and nothing else. */
#define KERNEL_NAME "fib"
#include "kernel.h"

__attribute__((noinline)) static uint32_t fib(uint32_t n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

static uint32_t kernel(void) {
  static volatile uint32_t n = 30;
  return fib(n);
}
