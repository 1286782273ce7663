/* unistd.h of a ULP: the C library's, and what old programs look for in it. */
#include_next <unistd.h>
#ifndef UPVM_UNISTD_H
#define UPVM_UNISTD_H

#include <upvm-absent.h>

#ifdef __cplusplus
extern "C" {
#endif

pid_t fork(void) UPVM_NO_PROGRAMS;
pid_t vfork(void) UPVM_NO_PROGRAMS;
int execve(const char *, char *const[], char *const[]) UPVM_NO_PROGRAMS;
int execv(const char *, char *const[]) UPVM_NO_PROGRAMS;
int execvp(const char *, char *const[]) UPVM_NO_PROGRAMS;
int execle(const char *, const char *, ...) UPVM_NO_PROGRAMS;
int execl(const char *, const char *, ...) UPVM_NO_PROGRAMS;
int execlp(const char *, const char *, ...) UPVM_NO_PROGRAMS;
int pipe(int[2]) UPVM_ABSENT("pass data with pvm_send");
int dup(int) UPVM_NO_DUP;
int dup2(int, int) UPVM_NO_DUP;
unsigned alarm(unsigned) UPVM_NO_SIGNALS;
int pause(void) UPVM_NO_SIGNALS;

/* The host as pvm_config names it; a user who is nobody. */
int gethostname(char *, size_t);
uid_t getuid(void);
uid_t geteuid(void);
gid_t getgid(void);
gid_t getegid(void);
pid_t getppid(void);
pid_t getpgrp(void);
char *getlogin(void);
int nice(int);

#ifdef __cplusplus
}
#endif

#endif
