/* What tasks print, caught by the one that started them. */
#include "conform.h"

static void waits(void) { comes(pvm_parent(), 1); }

/* What the spawned task prints arrives before pvm_exit returns. */
static void catchout(void) {
  int tid;
  CALL(pvm_catchout(stdout));
  CALL(start("-prints", 1, &tid));
  CALL(tell(tid, 1, 0));
  CALL(pvm_exit());
  printf("after pvm_exit\n");
}
/* Nothing is received before pvm_exit: what was caught is waited for all the same. */
static void catchout_at_once(void) {
  int tid;
  CALL(pvm_catchout(stdout));
  CALL(start("-prints-at-once", 1, &tid));
  CALL(pvm_exit());
  printf("after pvm_exit\n");
}
static void prints_at_once(void) { printf("a line\nanother without an end"); }
static void prints(void) {
  pvm_recv(pvm_parent(), 1);
  printf("first line\nsecond line\n");
  fflush(stdout);
  fprintf(stderr, "to standard error\n");
}
/* Who has left PVM and joins it again catches nothing. */
static void catchout_after_exit(void) {
  int tid;
  CALL(pvm_catchout(stdout));
  CALL(start("-prints-at-once", 1, &tid));
  CALL(pvm_exit());
  IS(pvm_mytid() > 0);
  CALL(pvm_getopt(PvmOutputTid));
  CALL(pvm_getopt(PvmOutputCode));
}
static void catchout_without_tids(void) {
  int tid;
  CALL(pvm_setopt(PvmShowTids, 0));
  CALL(pvm_catchout(stdout));
  CALL(start("-prints", 1, &tid));
  CALL(tell(tid, 1, 0));
  CALL(pvm_exit());
  printf("after pvm_exit\n");
}
static void catchout_off(void) {
  int tid;
  CALL(pvm_catchout(stdout));
  CALL(pvm_catchout(NULL));
  IS(pvm_getopt(PvmOutputTid) == 0);
  CALL(start("-waits", 1, &tid));
  CALL(tell(tid, 1, 0));
}
/* Output to a task of one's own: messages with the number of the task, a length, and text. */
static void output_code(void) {
  int tid, from, bytes, lines = 0, begins = 0, ends_seen = 0;
  char text[256];
  CALL(pvm_setopt(PvmOutputTid, pvm_mytid()));
  CALL(pvm_setopt(PvmOutputCode, 55));
  CALL(start("-prints", 1, &tid));
  CALL(tell(tid, 1, 0));
  while (ends_seen == 0 && comes(-1, 55) > 0) {
    pvm_upkint(&from, 1, 1);
    pvm_upkint(&bytes, 1, 1);
    if (from != tid) continue;
    if (bytes == -2) begins++;
    if (bytes == 0) ends_seen++;
    if (bytes > 0 && bytes < (int)sizeof text && pvm_upkbyte(text, bytes, 1) == 0)
      while (bytes-- > 0) lines += text[bytes] == '\n';
  }
  CALL(begins);
  CALL(lines);
  CALL(ends_seen);
}

static const struct part PARTS[] = {
    {"pvm_catchout", catchout},     {"-prints", prints},
    {"at-once", catchout_at_once}, {"after-exit", catchout_after_exit},
    {"-prints-at-once", prints_at_once},
    {"PvmShowTids", catchout_without_tids}, {"catchout-off", catchout_off},
    {"PvmOutputCode", output_code}, {"-waits", waits},
};
CONFORM(PARTS)
