/*
 * pthread.h of a ULP: the C library's. It has locks, which never wait; its pthread_create only ever fails.
 */
#include_next <pthread.h>
#ifndef UPVM_PTHREAD_H
#define UPVM_PTHREAD_H

#include <upvm-absent.h>

#ifdef __cplusplus
extern "C" {
#endif

int pthread_create(pthread_t *__restrict, const pthread_attr_t *__restrict, void *(*)(void *), void *__restrict)
#ifdef __cplusplus
    UPVM_UNLINKED("pthread_create");
#else
    UPVM_NO_THREADS;
#endif

#ifdef __cplusplus
}
#endif

#endif
