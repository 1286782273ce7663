/*
 * A ULP with so many bytes of state that computes, and others that wait (Table XVII): it is moved from outside.
 *
 *     migrant BYTES
 *
 * The first computes with its state and never ends; all others wait for a message that nobody sends.
 */
#include <pvm3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  size_t bytes = argc > 1 ? (size_t)atol(argv[1]) : 0;
  int *tids;
  pvm_siblings(&tids);
  if (tids[0] != pvm_mytid()) pvm_recv(-1, 1);
  uint32_t *state = malloc(bytes);
  size_t words = bytes / sizeof *state;
  if (state == NULL || words == 0) return 1;
  uint32_t x = 1;
  for (size_t i = 0; i < words; i++) state[i] = x = x * 1664525u + 1013904223u;
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    x = x * 1664525u + state[x % words];
    state[(x >> 7) % words] += x | 1;
  }
}
