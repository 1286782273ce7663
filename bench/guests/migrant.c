/*
 * A ULP with so many bytes of state that computes, and others that wait (Table XVII): it is moved from outside.
 *
 *     migrant BYTES
 *
 * The first computes with its state and never ends; all others wait for a message that nobody sends. It looks at the clock all
 * the time, and tells of each pause of GAP_MS or more, TELL_MS after the first of several: milliseconds since 1970 before and after.
 *
 *     gone BEFORE AFTER
 */
#include <pvm3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "day.h"

#define GAP_MS 0.3
#define TELL_MS 4.0
#define GAPS_MAX 64
#define ROUNDS 200

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
  static double before[GAPS_MAX], after[GAPS_MAX];
  int gaps = 0;
  for (double last = day_ms();;) {
    for (int i = 0; i < ROUNDS; i++) {
      x = x * 1664525u + state[x % words];
      state[(x >> 7) % words] += x | 1;
    }
    double now = day_ms();
    if (now - last >= GAP_MS && gaps < GAPS_MAX) {
      before[gaps] = last;
      after[gaps++] = now;
    } else if (gaps > 0 && now - after[0] >= TELL_MS) {
      for (int i = 0; i < gaps; i++) printf("gone %.4f %.4f\n", before[i], after[i]);
      fflush(stdout);
      gaps = 0;
    }
    last = now;
  }
}
