/*
 * Runs the programs of pvm-examples one after another in one virtual machine, as a person at PVM's console would.
 *
 *     session COMMAND...
 *
 *     PROGRAM ARGUMENT...     starts it and waits for its end
 *     & PROGRAM ARGUMENT...   starts it
 *     N PROGRAM ARGUMENT...   starts N of it together (N: a digit) and waits for their end
 *     ? CLASS                 waits until there is an entry of that name in the message box
 *     .                       waits for the end of all that were started
 *     !                       goes on as the program that is linked in under the name `linked`
 *
 * What the programs print comes out as pvm_catchout gives it.
 */
#include <stdio.h> /* before pvm3.h, which declares pvm_catchout only then */
#include <pvm3.h>
#include <stdlib.h>
#include <string.h>

enum { ENDED = 4711, WORDS_MAX = 16, TASKS_MAX = 64 };
static int running;

static void start(char *line, int copies) {
  char *words[WORDS_MAX + 1];
  int count = 0, tids[9];
  for (char *word = strtok(line, " "); word != NULL && count < WORDS_MAX; word = strtok(NULL, " ")) words[count++] = word;
  words[count] = NULL;
  if (pvm_spawn(words[0], words + 1, PvmTaskDefault, "", copies, tids) != copies) {
    printf("session: cannot start %s: %d\n", words[0], tids[copies - 1]);
    return;
  }
  pvm_notify(PvmTaskExit, ENDED, copies, tids);
  running += copies;
}

/* Waits until only so many are left of those that were started. */
static void wait_until(int left) {
  for (; running > left; running--) pvm_recv(-1, ENDED);
}

#ifdef LINKED
int linked(int argc, char **argv);
#endif

int main(int argc, char **argv) {
  pvm_catchout(stdout);
  for (int i = 1; i < argc; i++) {
    char line[256];
    snprintf(line, sizeof line, "%s", argv[i]);
    int before = running;
    if (line[0] == '&') start(line + 2, 1);
    else if (line[0] == '?') pvm_freebuf(pvm_recvinfo(line + 2, 0, PvmMboxWaitForInfo));
    else if (line[0] == '.') wait_until(0);
#ifdef LINKED
    else if (line[0] == '!') linked(0, argv);
#endif
    else {
      int copies = line[0] >= '1' && line[0] <= '9' ? line[0] - '0' : 1;
      start(copies > 1 ? line + 2 : line, copies);
      wait_until(before);
    }
  }
  pvm_exit();
  return 0;
}
