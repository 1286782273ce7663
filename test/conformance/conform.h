/*
 * For the programs of the conformance suite: cases by name, and printing that depends on no tid, no time and no order.
 *
 *     PROGRAM CASE      runs one case; a case may spawn the same program with the name of a role, "-role"
 *
 * The same source is compiled for PVM 3.4 and for upvm. Only the case itself prints; what a spawned task has to say it
 * sends to its parent.
 */
#ifndef CONFORM_H
#define CONFORM_H
#include <stdio.h> /* before pvm3.h: it declares pvm_catchout only if there is EOF */
#include <pvm3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

/* A tid that no task has: of the first host, and far beyond the tasks that a case starts. */
#define NO_TASK 0x4abcd
/* A tid of a host that there is not. */
#define NO_HOST_TASK 0x1f40001
/* Longest wait for what must come, and for what must not come, seconds and microseconds. */
#define COMES_S 10
#define STAYS_AWAY_US 200000
#define LENGTH(a) ((int)(sizeof(a) / sizeof((a)[0])))

struct part {
  const char *name;
  void (*run)(void);
};

/* argv[0] without its folder: what pvm_spawn finds again. */
static const char *conform_program;

#define NAME(code) case code: return #code
static inline const char *code_name(int code) {
  switch (code) {
    NAME(PvmBadParam); NAME(PvmMismatch); NAME(PvmOverflow); NAME(PvmNoData); NAME(PvmNoHost); NAME(PvmNoFile);
    NAME(PvmDenied); NAME(PvmNoMem); NAME(PvmBadMsg); NAME(PvmSysErr); NAME(PvmNoBuf); NAME(PvmNoSuchBuf);
    NAME(PvmNullGroup); NAME(PvmDupGroup); NAME(PvmNoGroup); NAME(PvmNotInGroup); NAME(PvmNoInst);
    NAME(PvmHostFail); NAME(PvmNoParent); NAME(PvmNotImpl); NAME(PvmDSysErr); NAME(PvmBadVersion);
    NAME(PvmOutOfRes); NAME(PvmDupHost); NAME(PvmCantStart); NAME(PvmAlready); NAME(PvmNoTask); NAME(PvmNotFound);
    NAME(PvmExists); NAME(PvmHostrNMstr); NAME(PvmParentNotSet); NAME(PvmIPLoopback);
  }
  return NULL;
}
#undef NAME

/* A result that is a number: an error by its name. */
static inline void show(const char *what, int code) {
  const char *name = code_name(code);
  if (name != NULL) printf("%s: %s\n", what, name);
  else printf("%s: %d\n", what, code);
}
/* A result that is a name, a bufid or a tid: whether it is one. */
static inline void show_id(const char *what, int code) {
  if (code > 0) printf("%s: an id\n", what);
  else show(what, code);
}
static inline void show_truth(const char *what, int truth) {
  printf("%s: %s\n", what, truth ? "yes" : "no");
}
static inline void show_text(const char *what, const char *text) {
  printf("%s: %s\n", what, text == NULL ? "NULL" : text);
}
#define CALL(call) show(#call, (call))
#define ID(call) show_id(#call, (call))
#define IS(truth) show_truth(#truth, (truth))
#define TEXT(text) show_text(#text, (text))

static inline struct timeval conform_time(long seconds, long microseconds) {
  struct timeval t;
  t.tv_sec = seconds;
  t.tv_usec = microseconds;
  return t;
}
/* Waits for a message that must come: its bufid, and 0 if it has not come. */
static inline int comes(int tid, int tag) {
  struct timeval limit = conform_time(COMES_S, 0);
  return pvm_trecv(tid, tag, &limit);
}
/* Whether a message that must not come has come. */
static inline int stays_away(int tid, int tag) {
  struct timeval limit = conform_time(0, STAYS_AWAY_US);
  return pvm_trecv(tid, tag, &limit) == 0;
}
/* Starts `count` tasks of this program in a role. How many there are. */
static inline int start(const char *role, int count, int *tids) {
  char *argv[2];
  argv[0] = (char *)role;
  argv[1] = NULL;
  return pvm_spawn((char *)conform_program, argv, PvmTaskDefault, "", count, tids);
}
/* Sends one int. */
static inline int tell(int tid, int tag, int value) {
  pvm_initsend(PvmDataDefault);
  pvm_pkint(&value, 1, 1);
  return pvm_send(tid, tag);
}
/* The next int of the message received last; -4711 if there is none. */
static inline int told(void) {
  int value = -4711;
  if (pvm_upkint(&value, 1, 1) < 0) return -4711;
  return value;
}
/* Sends one int to itself, and waits until it is there: under PVM it goes by the daemon. */
static inline void to_self(int tag, int value) {
  struct timeval start, now;
  tell(pvm_mytid(), tag, value);
  gettimeofday(&start, NULL);
  do gettimeofday(&now, NULL);
  while (pvm_probe(pvm_mytid(), tag) <= 0 && now.tv_sec - start.tv_sec < COMES_S);
}
/* Waits for a message and returns its int. */
static inline int hear(int tid, int tag) {
  return comes(tid, tag) > 0 ? told() : -4712;
}
/* Errors are values here: what PvmAutoErr prints has a case of its own. */
static inline void quiet(void) {
  pvm_setopt(PvmAutoErr, 0);
}

static inline int conform(int argc, char **argv, const struct part *parts, int count) {
  const char *slash = strrchr(argv[0], '/');
  int i;
  conform_program = slash != NULL ? slash + 1 : argv[0];
  setvbuf(stdout, NULL, _IOLBF, 4096);
  for (i = 0; argc > 1 && i < count; i++) {
    if (strcmp(parts[i].name, argv[1]) != 0) continue;
    quiet();
    parts[i].run();
    fflush(stdout);
    pvm_exit();
    return 0;
  }
  for (i = 0; i < count; i++)
    if (parts[i].name[0] != '-') printf("%s\n", parts[i].name);
  return 0;
}
#define CONFORM(parts) int main(int argc, char **argv) { return conform(argc, argv, parts, LENGTH(parts)); }
#endif
