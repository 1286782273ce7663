/*
 * What guests/gaps.c measures, by two plain processes that do nothing else: what gaps the machine itself makes.
 *
 *     gaps SECONDS
 *
 * Each computes and looks at the clock all the time, and prints the longest gap of each window of WINDOW_MS milliseconds:
 *
 *     gap WHO WINDOW MICROSECONDS      WHO: 1 or 2
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WINDOW_MS 10
#define WINDOWS_MAX 6000

static double day_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static float longest[WINDOWS_MAX];
static int64_t first, windows;

static void watch(double seconds) {
  double start = day_ms(), last = start;
  first = (int64_t)(start / WINDOW_MS);
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
  windows = (int64_t)(last / WINDOW_MS) - first;
  if (windows > WINDOWS_MAX) windows = WINDOWS_MAX;
}

static void tell(int who) {
  for (int64_t w = 0; w < windows; w++)
    printf("gap %d %lld %.1f\n", who, (long long)(first + w), longest[w] * 1e3);
  fflush(stdout);
}

int main(int argc, char **argv) {
  double seconds = argc > 1 ? atof(argv[1]) : 1;
  pid_t child = fork();
  watch(seconds);
  if (child == 0) return tell(2), 0;
  /* One after the other: their lines are one stream. */
  waitpid(child, NULL, 0);
  tell(1);
  return 0;
}
