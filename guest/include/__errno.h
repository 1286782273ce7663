/*
 * errno as old programs declare it themselves: `extern int errno;`. A ULP has one thread, so that it is the same variable
 * as the thread's own of the C library.
 */
#ifndef UPVM_ERRNO_H
#define UPVM_ERRNO_H

#ifdef __cplusplus
extern "C" {
#endif

extern int errno;
#define errno errno

#ifdef __cplusplus
}
#endif

#endif
