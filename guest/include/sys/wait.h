/* sys/wait.h for programs that include it; a ULP has no child processes. */
#ifndef UPVM_SYS_WAIT_H
#define UPVM_SYS_WAIT_H

#include <sys/types.h>
#include <upvm-absent.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WNOHANG 1
#define WUNTRACED 2
#define WEXITSTATUS(status) (((status) >> 8) & 0xff)
#define WTERMSIG(status) ((status) & 0x7f)
#define WIFEXITED(status) (WTERMSIG(status) == 0)
#define WIFSIGNALED(status) (WTERMSIG(status) != 0 && WTERMSIG(status) != 0x7f)
#define WIFSTOPPED(status) (((status) & 0xff) == 0x7f)

pid_t wait(int *) UPVM_NO_CHILDREN;
pid_t waitpid(pid_t, int *, int) UPVM_NO_CHILDREN;

#ifdef __cplusplus
}
#endif

#endif
