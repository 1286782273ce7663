/*
 * To compute and look at the clock all the time: of each window of WINDOW_MS milliseconds of the day's time the longest gap
 * between two looks. For guests/gaps.c, and rivals/gaps.c beside it.
 */
#ifndef GAPS_H
#define GAPS_H

#include <stdint.h>
#include <stdio.h>

#include "day.h"

#define WINDOW_MS 10
#define WINDOWS_MAX 6000

static float longest[WINDOWS_MAX];
static int64_t first_window, windows;

static void watch(double seconds) {
  double start = day_ms(), last = start;
  first_window = (int64_t)(start / WINDOW_MS);
  volatile uint32_t x = 1;
  while (last < start + seconds * 1e3) {
    for (int i = 0; i < 1000; i++) x = x * 1664525u + 1013904223u;
    double t = day_ms();
    float gap = (float)(t - last);
    /* A gap counts in each window that it touches. */
    for (int64_t w = (int64_t)(last / WINDOW_MS) - first_window; w <= (int64_t)(t / WINDOW_MS) - first_window; w++)
      if (w >= 0 && w < WINDOWS_MAX && longest[w] < gap) longest[w] = gap;
    last = t;
  }
  windows = (int64_t)(last / WINDOW_MS) - first_window;
  if (windows > WINDOWS_MAX) windows = WINDOWS_MAX;
}

/* gap WHO WINDOW MICROSECONDS: WINDOW is milliseconds since 1970, divided by WINDOW_MS */
static void tell(int who) {
  for (int64_t w = 0; w < windows; w++)
    printf("gap %d %lld %.1f\n", who, (long long)(first_window + w), longest[w] * 1e3);
  fflush(stdout);
}

#endif
