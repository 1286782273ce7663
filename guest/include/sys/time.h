/* sys/time.h of a ULP: the C library's, without timers that end in a signal. */
#include_next <sys/time.h>
#ifndef UPVM_SYS_TIME_H
#define UPVM_SYS_TIME_H

#include <upvm-absent.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ITIMER_REAL 0
#define ITIMER_VIRTUAL 1
#define ITIMER_PROF 2
struct itimerval {
  struct timeval it_interval;
  struct timeval it_value;
};
int setitimer(int, const struct itimerval *__restrict, struct itimerval *__restrict) UPVM_NO_SIGNALS;

#ifdef __cplusplus
}
#endif

#endif
