/*
 * What guests/gaps.c measures, by two plain processes that do nothing else: what gaps the machine itself makes.
 *
 *     gaps SECONDS
 *
 * Each computes and looks at the clock all the time, and prints what gaps it saw (gaps.h): who is 1 or 2.
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../guests/gaps.h"

int main(int argc, char **argv) {
  double seconds = argc > 1 ? atof(argv[1]) : 1;
  pid_t child = fork();
  watch(seconds);
  if (child == 0) return tell(2), 0;
  /* One after the other: their lines are one stream. */
  waitpid(child, NULL, 0);
  tell(1);
  return 0;
}
