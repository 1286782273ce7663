/* threads.h of a ULP: the C library's, as pthread.h. */
#include_next <threads.h>
#ifndef UPVM_THREADS_H
#define UPVM_THREADS_H

#include <upvm-absent.h>

#ifdef __cplusplus
extern "C" {
#endif

int thrd_create(thrd_t *, thrd_start_t, void *) UPVM_NO_THREADS;

#ifdef __cplusplus
}
#endif

#endif
