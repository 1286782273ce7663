/*
 * Functions of unistd.h and pwd.h that WASI's C library lacks and old programs call without need: answers that do no
 * harm. A program's own function of the same name goes first.
 *
 * Owns: nothing. A ULP has no user, no parent process and no terminal.
 */
#include <errno.h>
#include <pvm3.h>
#include <pwd.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOBODY = 65534 };

/* The host as the virtual machine names it. */
int gethostname(char *name, size_t bytes) {
  enum { HOSTS = 256, ROW_INTS = 3, NAME_BYTES = 16 << 10 };
  int rows[HOSTS * ROW_INTS];
  static char names[NAME_BYTES];
  int own = pvm_tidtohost(pvm_mytid());
  int count = pvm_config_get(rows, HOSTS, names, NAME_BYTES);
  const char *host = "localhost";
  const char *at = names;
  for (int i = 0; i < count && i < HOSTS; i++) {
    if (rows[i * ROW_INTS] == own) host = at;
    /* Its name, then its architecture. */
    at += strlen(at) + 1;
    at += strlen(at) + 1;
  }
  if (bytes == 0) return 0;
  strncpy(name, host, bytes - 1);
  name[bytes - 1] = '\0';
  return 0;
}

uid_t getuid(void) { return NOBODY; }
uid_t geteuid(void) { return NOBODY; }
gid_t getgid(void) { return NOBODY; }
gid_t getegid(void) { return NOBODY; }
pid_t getppid(void) { return 1; }
pid_t getpgrp(void) { return getpid(); }
char *getlogin(void) { return getenv("LOGNAME"); }

mode_t umask(mode_t mask) {
  static mode_t now = 022;
  mode_t before = now;
  now = mask & 0777;
  return before;
}

int nice(int step) {
  (void)step;
  return 0;
}

struct passwd *getpwuid(uid_t uid) {
  (void)uid;
  errno = ENOENT;
  return NULL;
}
struct passwd *getpwnam(const char *name) {
  (void)name;
  errno = ENOENT;
  return NULL;
}
