/* A ULP's calls are WebAssembly's: nothing can jump out of them. So a program that does is told where it begins to. */
#ifndef UPVM_SETJMP_H
#define UPVM_SETJMP_H

#include <upvm-absent.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef int jmp_buf[1];
typedef int sigjmp_buf[1];
int setjmp(jmp_buf) UPVM_ABSENT("return an error instead");
int sigsetjmp(sigjmp_buf, int) UPVM_ABSENT("return an error instead");
_Noreturn void longjmp(jmp_buf, int) UPVM_ABSENT("return an error instead");
_Noreturn void siglongjmp(sigjmp_buf, int) UPVM_ABSENT("return an error instead");

#ifdef __cplusplus
}
#endif

#endif
