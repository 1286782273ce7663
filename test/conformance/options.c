/* Options, error messages, and what a task can ask about the system without a message. */
#include "conform.h"

/* Value before, after, and what it was. */
static void change(const char *name, int option, int value) {
  char text[64];
  snprintf(text, sizeof text, "%s at first", name);
  show(text, pvm_getopt(option));
  snprintf(text, sizeof text, "%s set to %d", name, value);
  show(text, pvm_setopt(option, value));
  snprintf(text, sizeof text, "%s now", name);
  show(text, pvm_getopt(option));
}
#define CHANGE(option, value) change(#option, option, value)

static void route(void) {
  CHANGE(PvmRoute, PvmDontRoute);
  CHANGE(PvmRoute, PvmRouteDirect);
  CHANGE(PvmRoute, PvmAllowDirect);
  CALL(pvm_setopt(PvmRoute, 0));
  CALL(pvm_setopt(PvmRoute, 4));
  CALL(pvm_setopt(PvmRoute, -1));
}

static void output_options(void) {
  int me = pvm_mytid();
  CALL(pvm_getopt(PvmOutputTid));
  CALL(pvm_setopt(PvmOutputTid, me));
  IS(pvm_getopt(PvmOutputTid) == me);
  IS(pvm_setopt(PvmOutputTid, 0) == me);
  CALL(pvm_setopt(PvmOutputTid, 12345));
  CALL(pvm_setopt(PvmOutputTid, -1));
  CHANGE(PvmOutputCode, 77);
  CHANGE(PvmOutputContext, 0);
  CALL(pvm_getopt(PvmSelfOutputTid));
  CHANGE(PvmSelfOutputCode, 78);
  CHANGE(PvmSelfOutputContext, 0);
  CHANGE(PvmShowTids, 0);
  CALL(pvm_setopt(PvmShowTids, 1));
}

static void trace_options(void) {
  int me = pvm_mytid();
  CALL(pvm_getopt(PvmTraceTid));
  CALL(pvm_setopt(PvmTraceTid, me));
  IS(pvm_getopt(PvmTraceTid) == me);
  IS(pvm_setopt(PvmTraceTid, 0) == me);
  CALL(pvm_setopt(PvmTraceTid, 12345));
  CHANGE(PvmTraceCode, 79);
  CHANGE(PvmTraceContext, 0);
  CHANGE(PvmTraceBuffer, 1000);
  CHANGE(PvmTraceOptions, PvmTraceTime);
  CALL(pvm_setopt(PvmTraceOptions, 9));
  CHANGE(PvmSelfTraceTid, 0);
  CHANGE(PvmSelfTraceCode, 80);
  CHANGE(PvmSelfTraceContext, 0);
  CHANGE(PvmSelfTraceBuffer, 2000);
  CHANGE(PvmSelfTraceOptions, PvmTraceCount);
}

static void other_options(void) {
  CHANGE(PvmDebugMask, 0);
  CHANGE(PvmResvTids, 1);
  CHANGE(PvmResvTids, 0);
  CALL(pvm_setopt(PvmResvTids, 7));
  CALL(pvm_getopt(PvmResvTids));
  pvm_setopt(PvmResvTids, 0);
  CHANGE(PvmPollType, PvmPollSleep);
  CHANGE(PvmPollTime, 100);
  CALL(pvm_getopt(0));
  CALL(pvm_getopt(26));
  CALL(pvm_getopt(-1));
  CALL(pvm_setopt(0, 1));
  CALL(pvm_setopt(26, 1));
  CALL(pvm_setopt(-1, 1));
}

static void fragment_size(void) {
  int n = 5;
  CHANGE(PvmFragSize, 8192);
  CALL(pvm_setopt(PvmFragSize, 0));
  CALL(pvm_setopt(PvmFragSize, -1));
  CALL(pvm_setopt(PvmFragSize, 4));
  CALL(pvm_setopt(PvmFragSize, 1 << 20));
  CALL(pvm_getopt(PvmFragSize));
  pvm_initsend(PvmDataDefault);
  pvm_pkint(&n, 1, 1);
  pvm_send(pvm_mytid(), 1);
  CALL(hear(-1, 1));
}

/* The messages go to standard error. */
static void auto_err(void) {
  CALL(pvm_getopt(PvmAutoErr));
  CALL(pvm_setopt(PvmAutoErr, 1));
  CALL(pvm_send(-1, 1));
  CALL(pvm_freebuf(4711));
  CALL(pvm_upkint(NULL, 1, 1));
  CALL(pvm_initsend(77));
  CALL(pvm_recvinfo("no such entry", 0, PvmMboxDefault));
  CALL(pvm_setopt(99, 1));
  CALL(pvm_setopt(PvmAutoErr, 0));
  CALL(pvm_send(-1, 1));
  CALL(pvm_setopt(PvmAutoErr, -1));
  CALL(pvm_setopt(PvmAutoErr, 4));
  CALL(pvm_getopt(PvmAutoErr));
  CALL(pvm_setopt(PvmAutoErr, 5));
}

/* 2 ends the task at its first error; its parent hears that it is gone. */
static void auto_err_ends(void) {
  int tid;
  CALL(start("-dies", 1, &tid));
  CALL(pvm_notify(PvmTaskExit, 9, 1, &tid));
  CALL(tell(tid, 1, 0));
  CALL(hear(tid, 2));
  ID(comes(-1, 9));
  CALL(pvm_nrecv(tid, 3));
}
static void dies(void) {
  pvm_recv(pvm_parent(), 1);
  pvm_setopt(PvmAutoErr, 2);
  tell(pvm_parent(), 2, 1);
  pvm_send(-1, 1);
  tell(pvm_parent(), 3, 1);
}

static void perror_text(void) {
  pvm_send(-1, 1);
  CALL(pvm_perror("mine"));
  pvm_freebuf(4711);
  CALL(pvm_perror(""));
  CALL(pvm_perror(NULL));
  pvm_initsend(PvmDataDefault);
  CALL(pvm_perror("after success"));
}

static void strerror_text(void) {
  TEXT(pvm_strerror());
  pvm_send(-1, 1);
  TEXT(pvm_strerror());
  pvm_freebuf(4711);
  TEXT(pvm_strerror());
  pvm_parent();
  TEXT(pvm_strerror());
}

static void archcode(void) {
  IS(pvm_archcode("LINUX64") >= 0);
  CALL(pvm_archcode("NO SUCH ARCH"));
  CALL(pvm_archcode(""));
  CALL(pvm_archcode(NULL));
}

static void version(void) {
  TEXT(pvm_version());
  TEXT(PVM_VER);
  CALL(PVM_MAJOR_VERSION * 100 + PVM_MINOR_VERSION * 10 + PVM_PATCH_VERSION);
}

static void getfds(void) {
  int *fds = NULL;
  CALL(pvm_getfds(&fds) > 0);
  IS(fds != NULL && fds[0] >= 0);
}

static void getnoresets(void) {
  int *tids = NULL, count = -1, mine = 0, i;
  CALL(pvm_getnoresets(&tids, &count));
  CALL(count);
  CALL(pvm_setopt(PvmNoReset, 1));
  CALL(pvm_getnoresets(&tids, &count));
  for (i = 0; i < count; i++) mine += tids[i] == pvm_mytid();
  CALL(mine);
  CALL(pvm_setopt(PvmNoReset, 0));
  CALL(pvm_getnoresets(&tids, &count));
  CALL(count);
}

static void tickle(void) {
  int count = -1, words[10] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, answer[10];
  CALL(pvm_tickle(0, NULL, &count, answer));
  CALL(pvm_tickle(11, words, &count, answer));
  CALL(pvm_tickle(1, words, &count, answer));
  CALL(count);
}

static const struct part PARTS[] = {
    {"PvmRoute", route},          {"output-options", output_options}, {"trace-options", trace_options},
    {"other-options", other_options}, {"PvmFragSize", fragment_size}, {"PvmAutoErr", auto_err},
    {"PvmAutoErr-2", auto_err_ends}, {"-dies", dies},                 {"pvm_perror", perror_text},
    {"pvm_strerror", strerror_text}, {"pvm_archcode", archcode},      {"pvm_version", version},
    {"pvm_getfds", getfds},       {"pvm_getnoresets", getnoresets},   {"pvm_tickle", tickle},
};
CONFORM(PARTS)
