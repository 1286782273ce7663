/*
 * Functions of PVM's library that pvm3.h does not declare and old programs call all the same: in pvm-examples they do.
 *
 * Owns: nothing. All return int, as calls without a declaration take for granted.
 */
#include <pvm3.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

/* What of the library is traced: nothing here. */
int pvmdebmask;

/* Waits; others run meanwhile. 0 always. */
int pvmsleep(int seconds) {
  while (seconds > 0) seconds = (int)sleep((unsigned)seconds);
  return 0;
}

/* Time of day. */
int pvmgetclock(struct timeval *now) {
  return gettimeofday(now, NULL);
}

/*
 * Says that `where` failed with `code`, if PvmAutoErr asks for it, and returns `code`. Callers hand it more than it
 * takes, as if it were printf: hence the dots.
 */
int lpvmerr(const char *where, int code, ...) {
  if (code < 0 && pvm_getopt(PvmAutoErr) > 0)
    fprintf(stderr, "libpvm [t%x]: %s(): error %d\n", pvm_mytid(), where, code);
  return code;
}

/* PVM prints the tables of its message handlers; upvm's are in `--dump`. */
int pvmdisplaymhfinfo(void) {
  return 0;
}
