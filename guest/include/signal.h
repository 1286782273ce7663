/*
 * signal.h of a ULP: signal() and raise() as the C library emulates them. No signal comes from outside, so that a handler
 * that is only set does no harm; what waits for one, or sends one to a process, is not there.
 */
#include_next <signal.h>
#ifndef UPVM_SIGNAL_H
#define UPVM_SIGNAL_H

#include <sys/types.h>
#include <upvm-absent.h>

#ifdef __cplusplus
extern "C" {
#endif

int kill(pid_t, int) UPVM_ABSENT("end a task with pvm_kill, send it a signal with pvm_sendsig");
int killpg(pid_t, int) UPVM_ABSENT("end a task with pvm_kill, send it a signal with pvm_sendsig");
struct sigaction {
  void (*sa_handler)(int);
  unsigned long sa_mask;
  int sa_flags;
};
int sigaction(int, const struct sigaction *, struct sigaction *) UPVM_NO_SIGNALS;

#ifdef __cplusplus
}
#endif

#endif
