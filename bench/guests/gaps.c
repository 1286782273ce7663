/*
 * How long ULPs do not run while another one, of their process, comes or goes.
 *
 *     gaps BYTES SECONDS      four ULPs on two hosts, in a block: 0 and 1 on the first, 2 and 3 on the second
 *
 * 0 has so many bytes of state and waits: it is moved from outside. 1 and 2 compute and look at the clock all the time; of each
 * window of WINDOW_MS milliseconds of the day's time they keep the longest gap between two looks, and print them at the end:
 *
 *     gap ULP WINDOW MICROSECONDS      WINDOW: milliseconds since 1970, divided by WINDOW_MS
 */
#include <pvm3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define WINDOW_MS 10
#define WINDOWS_MAX 6000
#define TAG_END 1

static double day_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void watch(int rank, double seconds) {
  static float longest[WINDOWS_MAX];
  double start = day_ms(), last = start;
  int64_t first = (int64_t)(start / WINDOW_MS);
  volatile uint32_t x = 1;
  while (last < start + seconds * 1e3) {
    for (int i = 0; i < 1000; i++) x = x * 1664525u + 1013904223u;
    double t = day_ms();
    float gap = (float)(t - last);
    /* A gap counts in each window that it touches. */
    for (int64_t w = (int64_t)(last / WINDOW_MS) - first; w <= (int64_t)(t / WINDOW_MS) - first; w++)
      if (w >= 0 && w < WINDOWS_MAX && longest[w] < gap) longest[w] = gap;
    last = t;
  }
  int64_t windows = (int64_t)(last / WINDOW_MS) - first;
  for (int64_t w = 0; w < windows && w < WINDOWS_MAX; w++)
    printf("gap %d %lld %.1f\n", rank, (long long)(first + w), longest[w] * 1e3);
}

int main(int argc, char **argv) {
  size_t bytes = argc > 1 ? (size_t)atol(argv[1]) : 0;
  double seconds = argc > 2 ? atof(argv[2]) : 1;
  int *tids, rank = 0, count = pvm_siblings(&tids);
  if (count != 4) return 1;
  while (tids[rank] != pvm_mytid()) rank++;
  if (rank == 1 || rank == 2) {
    watch(rank, seconds);
    pvm_initsend(PvmDataDefault);
    pvm_send(tids[0], TAG_END);
    pvm_initsend(PvmDataDefault);
    pvm_send(tids[3], TAG_END);
    return 0;
  }
  if (rank == 0) {
    uint32_t *state = malloc(bytes), x = 1;
    if (state == NULL) return 1;
    for (size_t i = 0; i < bytes / sizeof *state; i++) state[i] = x = x * 1664525u + 1013904223u;
    printf("ready\n");
    fflush(stdout);
  }
  pvm_recv(-1, TAG_END);
  pvm_recv(-1, TAG_END);
  return 0;
}
