/* The day's time, by which programs and who measures them know what happened at once. */
#ifndef DAY_H
#define DAY_H

#include <time.h>

/* Milliseconds since 1970. */
static double day_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

#endif
