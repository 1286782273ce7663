/* stdio.h of a ULP: the C library's, without other programs. */
#include_next <stdio.h>
#ifndef UPVM_STDIO_H
#define UPVM_STDIO_H

#include <upvm-absent.h>

#ifdef __cplusplus
extern "C" {
#endif

FILE *popen(const char *, const char *) UPVM_NO_PROGRAMS;
int pclose(FILE *) UPVM_NO_PROGRAMS;

#ifdef __cplusplus
}
#endif

#endif
